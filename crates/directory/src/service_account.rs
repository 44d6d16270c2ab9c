//! Service accounts: actors that are no person, such as a deployment pipeline. Their keys are API keys.

use std::str::FromStr;

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::id::ServiceAccountId;
use crate::listing::{Listed, Part};
use crate::name::{checked_name, folded};
use crate::outbox::Event;
use crate::principal::{Principal, leave};
use crate::role::plural;
use crate::user::UserStatus;
use crate::{api_key, organization, row};

/// An actor that is no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// The organization.
    pub org: OrgId,
    /// Its name; no two of an organization are the same but for capitals.
    pub name: String,
    /// Whether its keys are accepted: active or disabled.
    pub status: UserStatus,
    /// When it was made.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, org, name, status, created_at";

impl ServiceAccount {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<ServiceAccount> {
        Ok(ServiceAccount {
            id: row::parsed(found, "id", ServiceAccountId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            status: row::parsed(found, "status", UserStatus::from_str)?,
            created_at: row::time(found, "created_at")?,
        })
    }

    fn event(&self, action: &'static str) -> Event {
        Event::new(self.org, action).target("service_account", &self.id, Some(&self.name))
    }
}

impl Directory {
    /// Makes a service account. It can do nothing until it has a key, a role or a grant.
    pub fn create_service_account(
        &self,
        by: &ChangedBy,
        org: OrgId,
        name: &str,
        now: Timestamp,
    ) -> Result<ServiceAccount, DirectoryError> {
        let name = checked_name(name)?;
        let id = ServiceAccountId::random(self.chance.as_ref());
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let sql = format!(
                "INSERT INTO service_accounts (id, org, name, name_key, status, created_at) \
                 VALUES (?1, ?2, ?3, ?4, 'active', ?5) RETURNING {COLUMNS}"
            );
            let values = params![id, org.0, name, folded(name), now.as_millis()];
            let account = taken(name, transaction.query_row(&sql, values, ServiceAccount::from_row))?;
            let event = account.event("CREATE_SERVICE_ACCOUNT");
            Ok((account, vec![event]))
        })
    }

    /// Gives a service account another name.
    pub fn rename_service_account(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &ServiceAccountId,
        name: &str,
        now: Timestamp,
    ) -> Result<ServiceAccount, DirectoryError> {
        let name = checked_name(name)?;
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            if before.name == name {
                return Ok((before, Vec::new()));
            }
            let sql = "UPDATE service_accounts SET name = ?1, name_key = ?2 WHERE id = ?3";
            taken(name, transaction.execute(sql, params![name, folded(name), id]))?;
            let after = ServiceAccount { name: name.to_owned(), ..before.clone() };
            let event = after.event("UPDATE_SERVICE_ACCOUNT").changed("name", before.name.as_str(), name);
            Ok((after, vec![event]))
        })
    }

    /// Accepts a service account's keys, or refuses them. Only `Active` and `Disabled` are known here.
    pub fn set_service_account_status(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &ServiceAccountId,
        status: UserStatus,
        now: Timestamp,
    ) -> Result<ServiceAccount, DirectoryError> {
        let action = match status {
            UserStatus::Active => "ENABLE_SERVICE_ACCOUNT",
            UserStatus::Disabled => "DISABLE_SERVICE_ACCOUNT",
            UserStatus::Archived => {
                return Err(DirectoryError::invalid("status", "A service account is active or disabled."));
            }
        };
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            if before.status == status {
                return Ok((before, Vec::new()));
            }
            transaction.execute("UPDATE service_accounts SET status = ?1 WHERE id = ?2", params![status.as_str(), id])?;
            let event = before.event(action).changed("status", before.status.as_str(), status.as_str());
            Ok((ServiceAccount { status, ..before }, vec![event]))
        })
    }

    /// Deletes a service account that has no valid key. Its memberships, roles and grants go with it, and its keys that are
    /// revoked or have expired.
    pub fn delete_service_account(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &ServiceAccountId,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let account = require(transaction, org, id)?;
            let keys = api_key::remove_dead(transaction, org, "service_account", id.as_str(), now)?;
            if keys.valid > 0 {
                let (count, name) = (keys.valid, &account.name);
                let detail = format!("{name} has {count} valid API key{}. Revoke them first.", plural(count));
                return Err(DirectoryError::conflict("service account", detail).into());
            }
            let left = leave(transaction, org, &Principal::ServiceAccount(id.clone()))?;
            transaction.execute("DELETE FROM service_accounts WHERE id = ?1", [id])?;
            let event = account
                .event("DELETE_SERVICE_ACCOUNT")
                .metadata("memberships", left.memberships)
                .metadata("role_assignments", left.assignments)
                .metadata("grants", left.grants)
                .metadata("dead_keys", keys.removed);
            Ok(((), vec![event]))
        })
    }

    /// One service account of an organization.
    pub fn service_account(&self, org: OrgId, id: &ServiceAccountId) -> Result<ServiceAccount, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The service accounts of an organization, by name; those with `text` in it, if it is given.
    pub fn list_service_accounts(
        &self,
        org: OrgId,
        text: Option<&str>,
        part: Part,
    ) -> Result<Listed<ServiceAccount>, DirectoryError> {
        self.read(|connection| {
            found(connection, "service_accounts", COLUMNS, org, &Find::named(text), part, ServiceAccount::from_row)
        })
    }
}

/// The service account, or the answer that the organization has none.
pub(crate) fn require(connection: &Connection, org: OrgId, id: &ServiceAccountId) -> Result<ServiceAccount, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM service_accounts WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], ServiceAccount::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "service account" })?)
}

fn taken<T>(name: &str, done: rusqlite::Result<T>) -> Result<T, Fault> {
    match done {
        Err(error) if Fault::is_duplicate(&error) => {
            let detail = format!("The organization already has a service account “{name}”.");
            Err(DirectoryError::conflict("service account", detail).into())
        }
        done => Ok(done?),
    }
}
