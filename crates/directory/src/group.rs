//! Groups: users, service accounts and other groups that are given roles and grants together.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::id::GroupId;
use crate::listing::{Listed, Part};
use crate::name::{checked_description, checked_name, folded};
use crate::outbox::Event;
use crate::principal::{Principal, leave};
use crate::{organization, row};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// The organization.
    pub org: OrgId,
    /// Its name; no two of an organization are the same but for capitals.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a group holds itself, without what comes through other groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupCounts {
    /// Users in it.
    pub users: u64,
    /// Service accounts in it.
    pub service_accounts: u64,
    /// Groups in it.
    pub groups: u64,
    /// Roles that it was given.
    pub role_assignments: u64,
    /// Grants that it was given.
    pub grants: u64,
}

/// What is to be different; `None` stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct GroupChange<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// What it is for.
    pub description: Option<&'a str>,
}

const COLUMNS: &str = "id, org, name, description, created_at";

impl Group {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Group> {
        Ok(Group {
            id: row::parsed(found, "id", GroupId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            description: found.get("description")?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Makes a group, with nobody in it.
    pub fn create_group(
        &self,
        by: &ChangedBy,
        org: OrgId,
        name: &str,
        description: &str,
        now: Timestamp,
    ) -> Result<Group, DirectoryError> {
        let (name, description) = (checked_name(name)?, checked_description(description)?);
        let id = GroupId::random(self.chance.as_ref());
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let sql = format!(
                "INSERT INTO groups (id, org, name, name_key, description, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING {COLUMNS}"
            );
            let values = params![id, org.0, name, folded(name), description, now.as_millis()];
            let group = taken(name, transaction.query_row(&sql, values, Group::from_row))?;
            let event = Event::new(org, "CREATE_GROUP")
                .target("group", &group.id, Some(&group.name))
                .metadata("description", group.description.clone());
            Ok((group, vec![event]))
        })
    }

    /// Gives a group another name or description.
    pub fn update_group(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &GroupId,
        change: GroupChange<'_>,
        now: Timestamp,
    ) -> Result<Group, DirectoryError> {
        let name = change.name.map(checked_name).transpose()?;
        let description = change.description.map(checked_description).transpose()?;
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            let after = Group {
                name: name.map_or_else(|| before.name.clone(), str::to_owned),
                description: description.map_or_else(|| before.description.clone(), str::to_owned),
                ..before.clone()
            };
            let event = Event::new(org, "UPDATE_GROUP")
                .target("group", id, Some(&after.name))
                .changed_if("name", before.name.as_str(), after.name.as_str())
                .changed_if("description", before.description.as_str(), after.description.as_str());
            if !event.has_changes() {
                return Ok((before, Vec::new()));
            }
            let sql = "UPDATE groups SET name = ?1, name_key = ?2, description = ?3 WHERE id = ?4";
            let values = params![after.name, folded(&after.name), after.description, id];
            taken(&after.name, transaction.execute(sql, values))?;
            Ok((after, vec![event]))
        })
    }

    /// Deletes a group. Nobody is deleted with it; its memberships, in both directions, its roles and its grants are.
    pub fn delete_group(&self, by: &ChangedBy, org: OrgId, id: &GroupId, now: Timestamp) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let group = require(transaction, org, id)?;
            let members = transaction.execute("DELETE FROM group_members WHERE group_id = ?1", [id])?;
            let left = leave(transaction, org, &Principal::Group(id.clone()))?;
            transaction.execute("DELETE FROM groups WHERE id = ?1", [id])?;
            let event = Event::new(org, "DELETE_GROUP")
                .target("group", id, Some(&group.name))
                .metadata("members", members)
                .metadata("memberships", left.memberships)
                .metadata("role_assignments", left.assignments)
                .metadata("grants", left.grants);
            Ok(((), vec![event]))
        })
    }

    /// One group of an organization.
    pub fn group(&self, org: OrgId, id: &GroupId) -> Result<Group, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// How many are in a group, and how much it was given.
    pub fn group_counts(&self, org: OrgId, id: &GroupId) -> Result<GroupCounts, DirectoryError> {
        self.read(|connection| {
            require(connection, org, id)?;
            let members = "(SELECT count(*) FROM group_members WHERE group_id = ?2 AND member_kind =";
            let given = "WHERE org = ?1 AND subject_kind = 'group' AND subject_id = ?2)";
            let sql = format!(
                "SELECT {members} 'user'), {members} 'service_account'), {members} 'group'), \
                 (SELECT count(*) FROM role_assignments {given}, (SELECT count(*) FROM grants {given}"
            );
            let count = |row: &Row<'_>, at: usize| row.get::<_, i64>(at).map(i64::unsigned_abs);
            Ok(connection.query_row(&sql, params![org.0, id], |row| {
                Ok(GroupCounts {
                    users: count(row, 0)?,
                    service_accounts: count(row, 1)?,
                    groups: count(row, 2)?,
                    role_assignments: count(row, 3)?,
                    grants: count(row, 4)?,
                })
            })?)
        })
    }

    /// The groups of an organization, by name; those with `text` in it, if it is given.
    pub fn list_groups(&self, org: OrgId, text: Option<&str>, part: Part) -> Result<Listed<Group>, DirectoryError> {
        self.read(|connection| found(connection, "groups", COLUMNS, org, &Find::named(text), part, Group::from_row))
    }
}

/// The group, or the answer that the organization has none.
pub(crate) fn require(connection: &Connection, org: OrgId, id: &GroupId) -> Result<Group, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM groups WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Group::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "group" })?)
}

fn taken<T>(name: &str, done: rusqlite::Result<T>) -> Result<T, Fault> {
    match done {
        Err(error) if Fault::is_duplicate(&error) => {
            let detail = format!("The organization already has a group “{name}”.");
            Err(DirectoryError::conflict("group", detail).into())
        }
        done => Ok(done?),
    }
}
