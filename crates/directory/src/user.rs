//! Users: a person in an organization. Who is in two organizations is two users with one address.

use std::fmt;
use std::str::FromStr;

use access::Role;
use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::email::{Email, email_key};
use crate::error::{DirectoryError, Fault};
use crate::id::UserId;
use crate::name::checked_name;
use crate::organization;
use crate::outbox::Event;
use crate::password::check_password;
use crate::row;
use crate::secret::Secret;

/// A person in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Her id.
    pub id: UserId,
    /// The organization.
    pub org: OrgId,
    /// Her address as it was written. No two users of an organization have the same but for capitals.
    pub email: String,
    /// Her name.
    pub name: String,
    /// Her standing in the organization.
    pub role: Role,
    /// Whether she may sign in.
    pub status: UserStatus,
    /// When she was added.
    pub created_at: Timestamp,
}

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// She may.
    Active,
    /// She may not. Users are not deleted: the log names them.
    Disabled,
}

/// A user to be.
#[derive(Debug, Clone, Copy)]
pub struct NewUser<'a> {
    /// Her address.
    pub email: &'a str,
    /// Her name.
    pub name: &'a str,
    /// Her standing.
    pub role: Role,
    /// Her password. Without one she cannot sign in with a password until one is set.
    pub password: Option<&'a Secret>,
}

pub(crate) const COLUMNS: &str = "id, org, email, name, role, status, created_at";

impl User {
    pub(crate) fn from_row(found: &Row<'_>) -> rusqlite::Result<User> {
        Ok(User {
            id: row::parsed(found, "id", UserId::parse)?,
            org: row::org(found, "org")?,
            email: found.get("email")?,
            name: found.get("name")?,
            role: row::parsed(found, "role", Role::from_str)?,
            status: row::parsed(found, "status", UserStatus::from_str)?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Adds a user.
    pub fn create_user(&self, by: &ChangedBy, org: OrgId, new: NewUser<'_>, now: Timestamp) -> Result<User, DirectoryError> {
        let email = Email::parse(new.email)?;
        let name = checked_name(new.name)?;
        if let Some(password) = new.password {
            check_password(password, email.written)?;
        }
        let id = UserId::random(self.chance.as_ref());
        let password_hash = new.password.map(|password| self.options.password_cost.hash(self.chance.as_ref(), password));
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let sql = format!(
                "INSERT INTO users (id, org, email, email_key, name, role, status, password_hash, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'active', ?7, ?8) RETURNING {COLUMNS}"
            );
            let values =
                params![id, org.0, email.written, email.key, name, new.role.as_str(), password_hash, now.as_millis()];
            let user = match transaction.query_row(&sql, values, User::from_row) {
                Err(error) if Fault::is_duplicate(&error) => {
                    let detail = format!("The organization already has a user with the e-mail address {}.", email.written);
                    return Err(DirectoryError::conflict("user", detail).into());
                }
                inserted => inserted?,
            };
            let event = Event::new(org, "CREATE_USER")
                .target("user", &user.id, Some(&user.name))
                .metadata("email", user.email.clone())
                .metadata("role", user.role.as_str())
                .metadata("with_password", password_hash.is_some());
            Ok((user, vec![event]))
        })
    }

    /// One user of an organization.
    pub fn user(&self, org: OrgId, id: &UserId) -> Result<User, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The users of an organization, by address.
    pub fn users(&self, org: OrgId) -> Result<Vec<User>, DirectoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM users WHERE org = ?1 ORDER BY email_key");
            let mut statement = connection.prepare(&sql)?;
            Ok(statement.query_map([org.0], User::from_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// The users with this address, in any organization, by organization. Disabled ones too.
    pub fn users_by_email(&self, email: &str) -> Result<Vec<User>, DirectoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM users WHERE email_key = ?1 ORDER BY org");
            let mut statement = connection.prepare(&sql)?;
            Ok(statement.query_map([email_key(email)], User::from_row)?.collect::<Result<_, _>>()?)
        })
    }
}

/// The user, or the answer that the organization has none.
pub(crate) fn require(connection: &Connection, org: OrgId, id: &UserId) -> Result<User, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], User::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "user" })?)
}

impl UserStatus {
    /// The name, as it stands in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            UserStatus::Active => "active",
            UserStatus::Disabled => "disabled",
        }
    }
}

impl fmt::Display for UserStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text named no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of active, disabled")]
pub struct UnknownStatus(String);

impl FromStr for UserStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<UserStatus, UnknownStatus> {
        match text {
            "active" => Ok(UserStatus::Active),
            "disabled" => Ok(UserStatus::Disabled),
            other => Err(UnknownStatus(other.to_owned())),
        }
    }
}
