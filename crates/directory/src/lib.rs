//! The control-plane database: organizations, teams, users, API keys, sessions.
//!
//! SQLite, in one file, one module per table with its SQL beside the struct. The server holds it open all the time; the
//! command line opens the same file beside it. Two things hold everywhere:
//!
//! * **A change and its audit event are one transaction.** Whatever administrators change goes through `Directory::change`,
//!   which writes the event into the [`outbox`] before it commits. The server moves the outbox into the log, so that a change
//!   made by the command line while the server was stopped is recorded all the same, once.
//! * **No secret is stored.** Keys, tokens and passwords are kept as hashes; [`Secret`] does not print itself.
//!
//! Time and chance are parameters. Nothing here decides who may do what: callers ask `access` first. It knows nothing of
//! events in the log, of HTTP, or of the pages that show what it holds.

#![deny(missing_docs)]

mod api_key;
mod app;
mod chance;
mod changed_by;
mod directory;
mod email;
mod environment;
mod error;
mod facts;
mod find;
mod folder;
mod grant;
mod id;
mod listing;
mod migrate;
mod name;
mod organization;
pub mod outbox;
mod password;
mod person;
mod place;
mod resource;
mod row;
mod secret;
mod session;
mod sign_in;
mod sign_in_attempt;
mod team;
mod thing;
mod user;
mod user_change;
mod vault;
mod workflow;

pub use api_key::{ApiKey, KeyRefused, NewApiKey};
pub use app::App;
pub use chance::Chance;
pub use changed_by::ChangedBy;
pub use directory::{Directory, DirectoryOptions};
pub use environment::Environment;
pub use error::DirectoryError;
pub use find::Find;
pub use folder::{FOLDER_DEPTH_MAX, Folder};
pub use grant::{Grant, GrantFind, NewGrant};
pub use id::{
    AppId, AssignmentId, AuthenticatorId, BadId, EnvironmentId, FolderId, GrantId, GroupId, InvitationId, KeyId, LinkId,
    RedactionId, ResourceId, RoleId, ServiceAccountId, SessionId, UserId, WorkflowId,
};
pub use listing::{Listed, Part};
pub use organization::{Organization, OrganizationSettings};
pub use outbox::{OutboxId, OutboxRow};
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PasswordCost, check_password};
pub use place::Place;
pub use resource::{Resource, ResourceEnvironment};
pub use secret::Secret;
pub use session::{NewSession, Session, SessionLimits, SessionRefused, SignedIn};
pub use sign_in_attempt::TooManyAttempts;
pub use team::Team;
pub use thing::ThingChange;
pub use user::{NewUser, UnknownStatus, User, UserStatus};
pub use vault::Vault;
pub use workflow::Workflow;
