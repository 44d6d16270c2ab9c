//! Environments: where resources are reached. Every organization begins with development, staging and production.

use access::EnvironmentKind;
use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use crate::chance::Chance;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::grant;
use crate::id::EnvironmentId;
use crate::listing::{Listed, Part};
use crate::name::{checked_name, folded};
use crate::organization;
use crate::outbox::Event;
use crate::row;
use crate::thing::taken;

/// Where resources are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// The organization.
    pub org: OrgId,
    /// Its name; no two of an organization are the same but for capitals.
    pub name: String,
    /// What it is for. This does not change: guardrails rest on it.
    pub kind: EnvironmentKind,
    /// When it was created.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, org, name, kind, created_at";

impl Environment {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Environment> {
        Ok(Environment {
            id: row::parsed(found, "id", EnvironmentId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            kind: row::parsed(found, "kind", str::parse::<EnvironmentKind>)?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Creates an environment. No resource is there, and no grant reaches into it.
    pub fn create_environment(
        &self,
        by: &ChangedBy,
        org: OrgId,
        name: &str,
        kind: EnvironmentKind,
        now: Timestamp,
    ) -> Result<Environment, DirectoryError> {
        let name = checked_name(name)?;
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let environment = insert(transaction, self.chance.as_ref(), org, name, kind, now)?;
            let event = about("CREATE_ENVIRONMENT", &environment).changed("name", Value::Null, name).changed(
                "kind",
                Value::Null,
                kind.as_str(),
            );
            Ok((environment, vec![event]))
        })
    }

    /// One environment.
    pub fn environment(&self, org: OrgId, id: &EnvironmentId) -> Result<Environment, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// A part of the environments of an organization, by name.
    pub fn environments(&self, org: OrgId, find: &Find, part: Part) -> Result<Listed<Environment>, DirectoryError> {
        self.read(|connection| found(connection, "environments", COLUMNS, org, find, part, Environment::from_row))
    }

    /// Gives an environment another name.
    pub fn rename_environment(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &EnvironmentId,
        name: &str,
        now: Timestamp,
    ) -> Result<Environment, DirectoryError> {
        let name = checked_name(name)?;
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            if before.name == name {
                return Ok((before, Vec::new()));
            }
            let sql = "UPDATE environments SET name = ?1, name_key = ?2 WHERE id = ?3";
            taken(transaction.execute(sql, params![name, folded(name), id]), "environment", name)?;
            let after = Environment { name: name.to_owned(), ..before.clone() };
            let event = about("UPDATE_ENVIRONMENT", &after).changed("name", before.name, name);
            Ok((after, vec![event]))
        })
    }

    /// Deletes an environment in which no resource is any more; the grants on everything in it go with it.
    pub fn delete_environment(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &EnvironmentId,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let environment = require(transaction, org, id)?;
            let sql = "SELECT count(*) FROM resource_environments WHERE environment = ?1";
            let entries: u32 = transaction.query_row(sql, [id], |row| row.get(0))?;
            if entries > 0 {
                let detail =
                    format!("{entries} resources are in the environment “{}”. Take them out first.", environment.name);
                return Err(DirectoryError::conflict("environment", detail).into());
            }
            let grants = grant::remove_of_environment(transaction, org, id)?;
            transaction.execute("DELETE FROM environments WHERE id = ?1", [id])?;
            Ok(((), vec![about("DELETE_ENVIRONMENT", &environment).metadata("grants_removed", grants)]))
        })
    }
}

/// Gives a new organization its first environments, and returns their names.
pub(crate) fn create_first(
    transaction: &Transaction<'_>,
    chance: &dyn Chance,
    org: OrgId,
    now: Timestamp,
) -> Result<Vec<&'static str>, Fault> {
    let mut names = Vec::new();
    for &kind in EnvironmentKind::ALL {
        insert(transaction, chance, org, kind.as_str(), kind, now)?;
        names.push(kind.as_str());
    }
    Ok(names)
}

/// The environment, or the answer that the organization has none.
pub(crate) fn require(connection: &Connection, org: OrgId, id: &EnvironmentId) -> Result<Environment, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM environments WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Environment::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "environment" })?)
}

fn insert(
    transaction: &Transaction<'_>,
    chance: &dyn Chance,
    org: OrgId,
    name: &str,
    kind: EnvironmentKind,
    now: Timestamp,
) -> Result<Environment, Fault> {
    let sql = format!(
        "INSERT INTO environments (id, org, name, name_key, kind, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         RETURNING {COLUMNS}"
    );
    let id = EnvironmentId::random(chance);
    let values = params![id, org.0, name, folded(name), kind.as_str(), now.as_millis()];
    taken(transaction.query_row(&sql, values, Environment::from_row), "environment", name)
}

fn about(action: &'static str, environment: &Environment) -> Event {
    Event::new(environment.org, action).target("environment", &environment.id, Some(&environment.name))
}
