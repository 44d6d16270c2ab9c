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
mod authority;
mod chance;
mod changed_by;
mod directory;
mod email;
mod error;
mod group;
mod group_member;
mod held;
mod id;
mod listing;
mod migrate;
mod name;
mod organization;
mod organization_change;
pub mod outbox;
mod password;
mod person;
mod principal;
mod role;
mod role_assignment;
mod row;
mod secret;
mod service_account;
mod session;
mod sign_in;
mod sign_in_attempt;
mod team;
mod team_change;
mod user;
mod user_change;
mod vault;

pub use api_key::{ApiKey, KeyRefused, NewApiKey};
pub use authority::Authority;
pub use chance::Chance;
pub use changed_by::ChangedBy;
pub use directory::{Directory, DirectoryOptions};
pub use error::DirectoryError;
pub use group::{Group, GroupChange, GroupCounts};
pub use group_member::{GROUP_DEPTH_MAX, Member};
pub use held::{HeldAssignment, Membership};
pub use id::{
    AppId, AssignmentId, AuthenticatorId, BadId, EnvironmentId, FolderId, GrantId, GroupId, InvitationId, KeyId, LinkId,
    RedactionId, ResourceId, RoleId, ServiceAccountId, SessionId, UserId, WorkflowId,
};
pub use listing::{Listed, Part};
pub use organization::{Organization, OrganizationSettings};
pub use organization_change::OrganizationChange;
pub use outbox::{OutboxId, OutboxRow};
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PasswordCost, check_password};
pub use principal::Principal;
pub use role::{CustomRole, NewRole, RoleChange};
pub use role_assignment::{Assignment, AssignmentFilter, GivenRole, NewAssignment, RoleName};
pub use secret::Secret;
pub use service_account::ServiceAccount;
pub use session::{NewSession, Session, SessionLimits, SessionRefused, SignedIn};
pub use sign_in_attempt::TooManyAttempts;
pub use team::Team;
pub use user::{NewUser, UnknownStatus, User, UserFilter, UserStatus};
pub use vault::Vault;
