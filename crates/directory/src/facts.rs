//! Everything that decisions about an organization are made from, in one reading.

use std::str::FromStr;

use access::facts::{
    AppFact, AssignmentFact, EntryFact, EnvironmentFact, Facts, FolderFact, GrantFact, MembershipFact, NamedFact,
    OrganizationFact, ResourceFact, ServiceAccountFact, UserFact, WorkflowFact,
};
use access::{BuiltInRole, EnvironmentKind, Level, Permission, Role, SubjectKind, Within};
use record::OrgId;
use rusqlite::{Connection, Row};

use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::grant;
use crate::organization;
use crate::row;

impl Directory {
    /// The facts and the epoch that they are of: with a newer epoch they may be out of date. All of one moment.
    pub fn facts(&self, org: OrgId) -> Result<(u64, Facts), DirectoryError> {
        self.read(|connection| {
            // One transaction, so that another process changes nothing in between.
            let reading = connection.unchecked_transaction()?;
            let epoch = organization::epoch(&reading, org)?;
            Ok((epoch, read(&reading, org)?))
        })
    }
}

fn read(connection: &Connection, org: OrgId) -> Result<Facts, Fault> {
    let organization = organization::require(connection, org)?;
    let all = Reading { connection, org };
    Ok(Facts {
        organization: OrganizationFact {
            id: org,
            name: organization.name,
            archived: organization.archived_at.is_some(),
            second_factor_required: organization.settings.second_factor_required,
        },
        users: all.of("SELECT id, name, status, second_factor_since, role FROM users WHERE org = ?1", |found| {
            Ok(UserFact {
                id: found.get("id")?,
                name: found.get("name")?,
                active: found.get::<_, String>("status")? == "active",
                second_factor: found.get::<_, Option<i64>>("second_factor_since")?.is_some(),
                role: row::parsed(found, "role", Role::from_str)?,
            })
        })?,
        service_accounts: all.of("SELECT id, name, status FROM service_accounts WHERE org = ?1", |found| {
            let active = found.get::<_, String>("status")? == "active";
            Ok(ServiceAccountFact { id: found.get("id")?, name: found.get("name")?, active })
        })?,
        groups: all.of("SELECT id, name FROM groups WHERE org = ?1", named)?,
        memberships: all.of(
            "SELECT group_id, member_kind, member_id FROM group_members JOIN groups ON groups.id = group_id WHERE org = ?1",
            |found| {
                Ok(MembershipFact {
                    group: found.get("group_id")?,
                    member: row::parsed(found, "member_kind", SubjectKind::from_str)?,
                    member_id: found.get("member_id")?,
                })
            },
        )?,
        teams: all.of("SELECT id, name FROM teams WHERE org = ?1", named)?,
        environments: all.of("SELECT id, name, kind FROM environments WHERE org = ?1", |found| {
            let kind = row::parsed(found, "kind", EnvironmentKind::from_str)?;
            Ok(EnvironmentFact { id: found.get("id")?, name: found.get("name")?, kind })
        })?,
        folders: all.of("SELECT id, name, parent AS folder, team FROM folders WHERE org = ?1", |found| {
            Ok(FolderFact { id: found.get("id")?, name: found.get("name")?, within: within(found)? })
        })?,
        apps: all.of("SELECT id, name, folder, team, released_at, archived_at FROM apps WHERE org = ?1", |found| {
            Ok(AppFact {
                id: found.get("id")?,
                name: found.get("name")?,
                within: within(found)?,
                released: found.get::<_, Option<i64>>("released_at")?.is_some(),
                archived: archived(found)?,
            })
        })?,
        workflows: all.of("SELECT id, name, folder, team, enabled, archived_at FROM workflows WHERE org = ?1", |found| {
            Ok(WorkflowFact {
                id: found.get("id")?,
                name: found.get("name")?,
                within: within(found)?,
                enabled: found.get("enabled")?,
                archived: archived(found)?,
            })
        })?,
        resources: all.of("SELECT id, name, folder, team, archived_at FROM resources WHERE org = ?1", |found| {
            let (id, name) = (found.get("id")?, found.get("name")?);
            Ok(ResourceFact { id, name, within: within(found)?, archived: archived(found)? })
        })?,
        entries: all.of(
            "SELECT resource, environment, sensitive FROM resource_environments \
             JOIN resources ON resources.id = resource WHERE org = ?1",
            |found| {
                Ok(EntryFact {
                    resource: found.get("resource")?,
                    environment: found.get("environment")?,
                    sensitive: found.get("sensitive")?,
                })
            },
        )?,
        assignments: all.of(
            "SELECT a.id, a.role, roles.name, roles.permissions, a.subject_kind, a.subject_id, a.team, a.expires_at \
             FROM role_assignments a LEFT JOIN roles ON roles.org = a.org AND roles.id = a.role WHERE a.org = ?1",
            assignment,
        )?,
        grants: all.of(
            "SELECT id, subject_kind, subject_id, level, object_kind, object_id, environment, expires_at \
             FROM grants WHERE org = ?1",
            |found| {
                Ok(GrantFact {
                    id: found.get("id")?,
                    subject: row::parsed(found, "subject_kind", SubjectKind::from_str)?,
                    subject_id: found.get("subject_id")?,
                    level: row::parsed(found, "level", Level::from_str)?,
                    object: grant::object_from_row(found)?,
                    expires_at: row::optional_time(found, "expires_at")?,
                })
            },
        )?,
    })
}

struct Reading<'a> {
    connection: &'a Connection,
    org: OrgId,
}

impl Reading<'_> {
    fn of<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, Fault> {
        // The same order each time.
        let mut statement = self.connection.prepare(&format!("{sql} ORDER BY 1, 2"))?;
        Ok(statement.query_map([self.org.0], read)?.collect::<Result<_, _>>()?)
    }
}

fn named(found: &Row<'_>) -> rusqlite::Result<NamedFact> {
    Ok(NamedFact { id: found.get("id")?, name: found.get("name")? })
}

fn archived(found: &Row<'_>) -> rusqlite::Result<bool> {
    Ok(found.get::<_, Option<i64>>("archived_at")?.is_some())
}

fn within(found: &Row<'_>) -> rusqlite::Result<Within> {
    Ok(match (found.get::<_, Option<String>>("folder")?, found.get::<_, Option<String>>("team")?) {
        (Some(folder), _) => Within::Folder(folder),
        (None, Some(team)) => Within::Team(team),
        (None, None) => Within::Organization,
    })
}

/// A role is built in, by its name, or the organization's own, by its id.
fn assignment(found: &Row<'_>) -> rusqlite::Result<AssignmentFact> {
    let role: String = found.get("role")?;
    let own: Option<String> = found.get("permissions")?;
    let (name, permissions) = match own {
        Some(_) => {
            let permissions =
                row::parsed(found, "permissions", |text| text.split_whitespace().map(Permission::from_str).collect())?;
            (found.get("name")?, permissions)
        }
        None => (role.clone(), row::parsed(found, "role", BuiltInRole::from_str)?.permissions()),
    };
    Ok(AssignmentFact {
        id: found.get("id")?,
        role: name,
        permissions,
        subject: row::parsed(found, "subject_kind", SubjectKind::from_str)?,
        subject_id: found.get("subject_id")?,
        team: found.get("team")?,
        expires_at: row::optional_time(found, "expires_at")?,
    })
}
