//! The control-plane database: organizations, teams, users, service accounts, groups, roles, API keys, sessions.
//!
//! SQLite, in one file, one module per table with its SQL beside the struct. The server holds it open all the time; the
//! command line opens the same file beside it. Two things hold everywhere:
//!
//! * **A change and its audit event are one transaction.** Whatever administrators change goes through `Directory::change`,
//!   which writes the event into the [`outbox`] before it commits. The server moves the outbox into the log, so that a change
//!   made by the command line while the server was stopped is recorded all the same, once.
//! * **No secret is stored.** Keys, tokens and passwords are kept as hashes; [`Secret`] does not print itself.
//!
//! Time and chance are parameters. Who may change the directory at all, callers have asked `access` before. What is asked here,
//! inside the transaction, is whether somebody would give more than she holds ([`Authority`]). It knows nothing of events in the
//! log, of HTTP, or of the pages that show what it holds.

#![deny(missing_docs)]

mod api_key;
mod app;
mod authenticator;
mod authority;
mod chance;
mod changed_by;
mod destination;
mod destination_change;
mod destination_told;
mod directory;
mod email;
mod email_change;
mod environment;
mod error;
mod facts;
mod find;
mod folder;
mod grant;
mod group;
mod group_member;
mod held;
mod id;
mod invitation;
mod link;
mod listing;
mod mail;
mod migrate;
mod name;
mod organization;
mod organization_change;
pub mod outbox;
mod password;
mod password_link;
mod person;
mod place;
mod principal;
mod recovery_code;
mod redaction;
mod resource;
mod role;
mod role_assignment;
mod row;
mod second_factor;
mod secret;
mod service_account;
mod session;
mod sign_in;
mod sign_in_attempt;
mod team;
mod team_change;
mod thing;
mod totp;
mod user;
mod user_change;
mod vault;
mod workflow;

pub use api_key::{ApiKey, KeyRefused, NewApiKey};
pub use app::App;
pub use authenticator::{Authenticator, Confirmed};
pub use authority::Authority;
pub use chance::Chance;
pub use changed_by::ChangedBy;
pub use destination::{DESTINATIONS_MAX, Destination, DestinationSettings, NewDestination};
pub use destination_change::DestinationChange;
pub use destination_told::DestinationDeed;
pub use directory::{Directory, DirectoryOptions};
pub use email_change::EmailChangeLetters;
pub use environment::Environment;
pub use error::DirectoryError;
pub use find::Find;
pub use folder::{FOLDER_DEPTH_MAX, Folder};
pub use grant::{Grant, GrantFind, NewGrant};
pub use group::{Group, GroupChange, GroupCounts};
pub use group_member::{GROUP_DEPTH_MAX, Member};
pub use held::{HeldAssignment, Membership};
pub use id::{
    AppId, AssignmentId, AuthenticatorId, BadId, DestinationId, EnvironmentId, FolderId, GrantId, GroupId, InvitationId,
    KeyId, LinkId, RedactionId, ResourceId, RoleId, ServiceAccountId, SessionId, UserId, WorkflowId,
};
pub use invitation::{Invitation, NewInvitation, Newcomer};
pub use link::{Link, LinkRefused, Purpose};
pub use listing::{Listed, Part};
pub use mail::{Letter, QueuedMail};
pub use organization::{Organization, OrganizationSettings};
pub use organization_change::OrganizationChange;
pub use outbox::{OutboxId, OutboxRow};
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PasswordCost, check_password};
pub use place::Place;
pub use principal::Principal;
pub use redaction::{REDACTIONS_MAX, Redaction, RedactionChange, RedactionRule};
pub use resource::{Resource, ResourceEnvironment};
pub use role::{CustomRole, NewRole, RoleChange};
pub use role_assignment::{Assignment, AssignmentFilter, GivenRole, NewAssignment, RoleName};
pub use second_factor::SecondFactor;
pub use secret::Secret;
pub use service_account::ServiceAccount;
pub use session::{Method, NewSession, Session, SessionLimits, SessionRefused, Shown, SignedIn};
pub use sign_in_attempt::TooManyAttempts;
pub use team::Team;
pub use thing::ThingChange;
pub use totp::Seed;
pub use user::{NewUser, UnknownStatus, User, UserFilter, UserStatus};
pub use vault::Vault;
pub use workflow::Workflow;
