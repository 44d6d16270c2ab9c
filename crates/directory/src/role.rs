//! Roles that an organization makes for itself: a name for some permissions.

use std::collections::BTreeSet;
use std::str::FromStr;

use access::{BuiltInRole, Permission, Role};
use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::authority::acting;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::id::RoleId;
use crate::listing::{Listed, Part};
use crate::name::{checked_description, checked_name, folded};
use crate::outbox::Event;
use crate::{organization, row};

/// What no role gives: data is touched by grants only, each on one resource in one environment, and an organization is handed on
/// by its owners.
const NOT_IN_ROLES: [Permission; 5] = [
    Permission::ResourceQuery,
    Permission::ResourceAdhocQuery,
    Permission::ResourceWriteQuery,
    Permission::ResourceRevealSecret,
    Permission::OrganizationManage,
];

/// A role that an organization made for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// Its id.
    pub id: RoleId,
    /// The organization.
    pub org: OrgId,
    /// Its name; no two of an organization are the same but for capitals, and none is a built-in role's.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it permits; at least one thing.
    pub permissions: BTreeSet<Permission>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A role to be.
#[derive(Debug, Clone)]
pub struct NewRole<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// What it permits.
    pub permissions: BTreeSet<Permission>,
}

/// What is to be different; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct RoleChange<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// What it is for.
    pub description: Option<&'a str>,
    /// What it permits.
    pub permissions: Option<BTreeSet<Permission>>,
}

const COLUMNS: &str = "id, org, name, description, permissions, created_at";

impl CustomRole {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<CustomRole> {
        Ok(CustomRole {
            id: row::parsed(found, "id", RoleId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            description: found.get("description")?,
            permissions: permissions(found, "permissions")?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Makes a role. Nobody makes one that permits more than she is permitted.
    pub fn create_role(
        &self,
        by: &ChangedBy,
        org: OrgId,
        new: NewRole<'_>,
        now: Timestamp,
    ) -> Result<CustomRole, DirectoryError> {
        let (name, description) = (role_name(new.name)?, checked_description(new.description)?);
        check(&new.permissions)?;
        let id = RoleId::random(self.chance.as_ref());
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let what = format!("The role “{name}”");
            acting(transaction, org, by, now)?.may_give(new.permissions.iter().copied(), None, &what)?;
            let sql = format!(
                "INSERT INTO roles (id, org, name, name_key, description, permissions, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING {COLUMNS}"
            );
            let stored = names(&new.permissions).join(" ");
            let values = params![id, org.0, name, folded(name), description, stored, now.as_millis()];
            let role = taken(name, transaction.query_row(&sql, values, CustomRole::from_row))?;
            let event = Event::new(org, "CREATE_ROLE")
                .target("role", &role.id, Some(&role.name))
                .changed("permissions", Vec::<&str>::new(), names(&role.permissions))
                .metadata("description", role.description.clone());
            Ok((role, vec![event]))
        })
    }

    /// Changes a role, and with it what everybody is permitted to whom it was given.
    pub fn update_role(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &RoleId,
        change: RoleChange<'_>,
        now: Timestamp,
    ) -> Result<CustomRole, DirectoryError> {
        let name = change.name.map(role_name).transpose()?;
        let description = change.description.map(checked_description).transpose()?;
        change.permissions.as_ref().map_or(Ok(()), check)?;
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            let after = CustomRole {
                name: name.map_or_else(|| before.name.clone(), str::to_owned),
                description: description.map_or_else(|| before.description.clone(), str::to_owned),
                permissions: change.permissions.clone().unwrap_or_else(|| before.permissions.clone()),
                ..before.clone()
            };
            let added: BTreeSet<Permission> = after.permissions.difference(&before.permissions).copied().collect();
            let removed: BTreeSet<Permission> = before.permissions.difference(&after.permissions).copied().collect();
            let what = format!("The role “{}”", after.name);
            acting(transaction, org, by, now)?.may_give(added.iter().copied(), None, &what)?;
            let mut event = Event::new(org, "UPDATE_ROLE")
                .target("role", id, Some(&after.name))
                .changed_if("name", before.name.as_str(), after.name.as_str())
                .changed_if("description", before.description.as_str(), after.description.as_str())
                .changed_if("permissions", names(&before.permissions), names(&after.permissions));
            if !event.has_changes() {
                return Ok((before, Vec::new()));
            }
            if !added.is_empty() || !removed.is_empty() {
                event = event.metadata("added", names(&added)).metadata("removed", names(&removed));
            }
            let sql = "UPDATE roles SET name = ?1, name_key = ?2, description = ?3, permissions = ?4 WHERE id = ?5";
            let stored = names(&after.permissions).join(" ");
            let values = params![after.name, folded(&after.name), after.description, stored, id];
            taken(&after.name, transaction.execute(sql, values))?;
            Ok((after, vec![event]))
        })
    }

    /// Deletes a role that nobody has.
    pub fn delete_role(&self, by: &ChangedBy, org: OrgId, id: &RoleId, now: Timestamp) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let role = require(transaction, org, id)?;
            let sql = "DELETE FROM role_assignments WHERE org = ?1 AND role = ?2 AND expires_at <= ?3";
            transaction.execute(sql, params![org.0, id, now.as_millis()])?;
            let sql = "SELECT count(*) FROM role_assignments WHERE org = ?1 AND role = ?2";
            let given: u32 = transaction.query_row(sql, params![org.0, id], |row| row.get(0))?;
            if given > 0 {
                let detail = format!("The role “{}” is given {given} time{}. Take it away first.", role.name, plural(given));
                return Err(DirectoryError::conflict("role", detail).into());
            }
            transaction.execute("DELETE FROM roles WHERE id = ?1", [id])?;
            let event = Event::new(org, "DELETE_ROLE").target("role", id, Some(&role.name)).changed(
                "permissions",
                names(&role.permissions),
                Vec::<&str>::new(),
            );
            Ok(((), vec![event]))
        })
    }

    /// One role that the organization made.
    pub fn role(&self, org: OrgId, id: &RoleId) -> Result<CustomRole, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The roles that the organization made, by name; those with `text` in it, if it is given.
    pub fn list_roles(&self, org: OrgId, text: Option<&str>, part: Part) -> Result<Listed<CustomRole>, DirectoryError> {
        self.read(|connection| found(connection, "roles", COLUMNS, org, &Find::named(text), part, CustomRole::from_row))
    }
}

/// The role, or the answer that the organization has none.
pub(crate) fn require(connection: &Connection, org: OrgId, id: &RoleId) -> Result<CustomRole, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM roles WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], CustomRole::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "role" })?)
}

/// Permissions by name, in the order of the table.
pub(crate) fn permissions(found: &Row<'_>, column: &str) -> rusqlite::Result<BTreeSet<Permission>> {
    row::parsed(found, column, |text| text.split(' ').map(Permission::from_str).collect())
}

fn names(permissions: &BTreeSet<Permission>) -> Vec<&'static str> {
    permissions.iter().map(|permission| permission.as_str()).collect()
}

pub(crate) fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A name that says nothing wrong: a role called “admin” that is none would.
fn role_name(text: &str) -> Result<&str, DirectoryError> {
    let name = checked_name(text)?;
    let key = folded(name);
    if BuiltInRole::ALL.iter().any(|role| role.as_str() == key) || Role::ALL.iter().any(|role| role.as_str() == key) {
        return Err(DirectoryError::invalid("name", format!("“{name}” is the name of a built-in role.")));
    }
    Ok(name)
}

fn check(permissions: &BTreeSet<Permission>) -> Result<(), DirectoryError> {
    if permissions.is_empty() {
        return Err(DirectoryError::invalid("permissions", "A role permits at least one thing."));
    }
    match permissions.iter().find(|permission| NOT_IN_ROLES.contains(permission)) {
        None => Ok(()),
        Some(Permission::OrganizationManage) => {
            let detail = "organization:manage is what makes an owner; no role that an organization makes holds it.";
            Err(DirectoryError::invalid("permissions", detail))
        }
        Some(data) => {
            let detail = format!("{data} touches data and comes from grants only, each on one resource in one environment.");
            Err(DirectoryError::invalid("permissions", detail))
        }
    }
}

fn taken<T>(name: &str, done: rusqlite::Result<T>) -> Result<T, Fault> {
    match done {
        Err(error) if Fault::is_duplicate(&error) => {
            let detail = format!("The organization already has a role “{name}”.");
            Err(DirectoryError::conflict("role", detail).into())
        }
        done => Ok(done?),
    }
}
