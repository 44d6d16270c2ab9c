//! Role assignments: a role that was given to a user, a service account or a group, everywhere in the organization or in one team.

use std::collections::BTreeSet;
use std::str::FromStr;

use access::{BuiltInRole, Held, Narrowing, Permission};
use record::{OrgId, TeamId, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::json;

use crate::authority::acting;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::{AssignmentId, RoleId};
use crate::listing::{Listed, Part, listed};
use crate::outbox::Event;
use crate::principal::Principal;
use crate::role::{self, permissions};
use crate::{organization, row, team, user};

/// A role, as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenRole {
    /// One that every organization has.
    BuiltIn(BuiltInRole),
    /// One that the organization made for itself.
    Own {
        /// Its id.
        id: RoleId,
        /// Its name.
        name: String,
        /// What it permits.
        permissions: BTreeSet<Permission>,
    },
}

/// A role, as it is named: a built-in one by its name, another by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleName {
    /// One that every organization has.
    BuiltIn(BuiltInRole),
    /// One that the organization made for itself.
    Own(RoleId),
}

/// A role that was given to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The organization.
    pub org: OrgId,
    /// What was given.
    pub role: GivenRole,
    /// To whom.
    pub principal: Principal,
    /// Her name, or its.
    pub principal_name: String,
    /// The one team in which it holds; `None`: everywhere in the organization.
    pub team: Option<TeamId>,
    /// How far its view of the log goes.
    pub narrowing: Narrowing,
    /// The id of whoever gave it.
    pub assigned_by: String,
    /// When.
    pub created_at: Timestamp,
    /// From when on it holds no more.
    pub expires_at: Option<Timestamp>,
}

/// A role to be given.
#[derive(Debug, Clone)]
pub struct NewAssignment {
    /// What.
    pub role: RoleName,
    /// To whom.
    pub principal: Principal,
    /// In which team, if not everywhere.
    pub team: Option<TeamId>,
    /// How far its view of the log is to go. Only for roles that read the log.
    pub narrowing: Narrowing,
    /// From when on it is to hold no more.
    pub expires_at: Option<Timestamp>,
}

/// Which assignments are wanted: those that match all that is given.
#[derive(Debug, Clone, Default)]
pub struct AssignmentFilter {
    /// Given to this user, service account or group itself.
    pub principal: Option<Principal>,
    /// Of this role.
    pub role: Option<RoleName>,
    /// In this team.
    pub team: Option<TeamId>,
}

impl RoleName {
    /// A built-in role's name, or the id of another.
    pub fn parse(text: &str) -> Result<RoleName, DirectoryError> {
        if let Ok(role) = BuiltInRole::from_str(text) {
            return Ok(RoleName::BuiltIn(role));
        }
        RoleId::parse(text).map(RoleName::Own).map_err(|_| {
            let known: Vec<&str> = BuiltInRole::ALL.iter().map(|role| role.as_str()).collect();
            let known = known.join(", ");
            DirectoryError::invalid("role", format!("A role is one of {known}, or the id of a role, role_0123456789abcdef."))
        })
    }

    fn as_str(&self) -> &str {
        match self {
            RoleName::BuiltIn(role) => role.as_str(),
            RoleName::Own(id) => id.as_str(),
        }
    }
}

impl GivenRole {
    /// The role's name, to be shown.
    pub fn name(&self) -> &str {
        match self {
            GivenRole::BuiltIn(role) => role.as_str(),
            GivenRole::Own { name, .. } => name,
        }
    }

    /// A built-in role's name, another's id.
    pub fn key(&self) -> &str {
        match self {
            GivenRole::BuiltIn(role) => role.as_str(),
            GivenRole::Own { id, .. } => id.as_str(),
        }
    }

    /// What it permits where it is given.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        match self {
            GivenRole::BuiltIn(role) => role.permissions().into_iter().collect(),
            GivenRole::Own { permissions, .. } => permissions.clone(),
        }
    }

    fn find(connection: &Connection, org: OrgId, name: &RoleName) -> Result<GivenRole, Fault> {
        Ok(match name {
            RoleName::BuiltIn(role) => GivenRole::BuiltIn(*role),
            RoleName::Own(id) => {
                let role = role::require(connection, org, id)?;
                GivenRole::Own { id: role.id, name: role.name, permissions: role.permissions }
            }
        })
    }
}

impl Assignment {
    /// What a decision needs to know of it.
    pub fn held(&self) -> Held {
        Held { permissions: self.role.permissions(), team: self.team.clone(), narrowing: self.narrowing.clone() }
    }

    /// For `role_assignments a LEFT JOIN roles r`.
    pub(crate) fn columns() -> &'static str {
        "a.id AS assignment, a.org AS org, a.role AS role, r.name AS role_name, r.permissions AS permissions, \
         a.subject_kind AS subject_kind, a.subject_id AS subject_id, \
         CASE a.subject_kind WHEN 'user' THEN (SELECT name FROM users WHERE id = a.subject_id) \
           WHEN 'group' THEN (SELECT name FROM groups WHERE id = a.subject_id) \
           ELSE (SELECT name FROM service_accounts WHERE id = a.subject_id) END AS subject_name, \
         a.team AS team, a.narrowing AS narrowing, a.assigned_by AS assigned_by, a.created_at AS created_at, \
         a.expires_at AS expires_at"
    }

    pub(crate) fn from_row(found: &Row<'_>) -> rusqlite::Result<Assignment> {
        let key: String = found.get("role")?;
        let role = match BuiltInRole::from_str(&key) {
            Ok(role) => GivenRole::BuiltIn(role),
            Err(_) => GivenRole::Own {
                id: row::parsed(found, "role", RoleId::parse)?,
                name: found.get("role_name")?,
                permissions: permissions(found, "permissions")?,
            },
        };
        let narrowing: Option<String> = found.get("narrowing")?;
        let narrowing = match narrowing {
            None => Narrowing::default(),
            Some(json) => serde_json::from_str(&json).map_err(|error| {
                let index = found.as_ref().column_index("narrowing").unwrap_or_default();
                rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
            })?,
        };
        Ok(Assignment {
            id: row::parsed(found, "assignment", AssignmentId::parse)?,
            org: row::org(found, "org")?,
            role,
            principal: Principal::from_row(found, "subject_kind", "subject_id")?,
            principal_name: found.get::<_, Option<String>>("subject_name")?.unwrap_or_default(),
            team: row::optional(found, "team", TeamId::new)?,
            narrowing,
            assigned_by: found.get("assigned_by")?,
            created_at: row::time(found, "created_at")?,
            expires_at: row::optional_time(found, "expires_at")?,
        })
    }

    /// The change of permissions that it is: from nothing to it, or back.
    fn event(&self, given: bool) -> Event {
        let mut how = serde_json::Map::new();
        how.insert("team".to_owned(), json!(self.team.as_ref().map(TeamId::as_str)));
        how.insert("expires_at".to_owned(), json!(self.expires_at.map(|at| at.to_string())));
        how.insert("narrowing".to_owned(), (!self.narrowing.is_nothing()).then(|| json!(self.narrowing)).into());
        let how = serde_json::Value::Object(how);
        let (before, after) = if given { (serde_json::Value::Null, how) } else { (how, serde_json::Value::Null) };
        Event::new(self.org, "MODIFY_PERMISSIONS")
            .team(self.team.as_ref())
            .target(self.principal.kind(), &self.principal, Some(&self.principal_name))
            .target("role", self.role.key(), Some(self.role.name()))
            .changed(format!("role:{}", self.role.name()), before, after)
    }
}

impl Directory {
    /// Gives a role. One that has expired makes room for a new one; the same twice is a conflict.
    pub fn create_assignment(
        &self,
        by: &ChangedBy,
        org: OrgId,
        new: NewAssignment,
        now: Timestamp,
    ) -> Result<Assignment, DirectoryError> {
        new.narrowing.check().map_err(|error| DirectoryError::invalid("narrowing", format!("A narrowing: {error}.")))?;
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(DirectoryError::invalid("expires_at", "A role expires in the future."));
        }
        let id = AssignmentId::random(self.chance.as_ref());
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let role = GivenRole::find(transaction, org, &new.role)?;
            check(&role, &new)?;
            let name = new.principal.require(transaction, org)?;
            if let Some(team) = &new.team {
                team::require(transaction, org, team)?;
            }
            let acting = acting(transaction, org, by, now)?;
            acting.may_give(role.permissions(), new.team.as_ref(), &format!("The role {}", role.name()))?;
            touch(transaction, org, &new.principal, &acting)?;
            let values = params![
                id,
                org.0,
                role.key(),
                new.principal.kind(),
                new.principal.id(),
                new.team.as_ref().map(TeamId::as_str),
                (!new.narrowing.is_nothing()).then(|| json!(new.narrowing).to_string()),
                by.actor_id,
                now.as_millis(),
                new.expires_at.map(Timestamp::as_millis)
            ];
            make_room(transaction, org, &role, &new, now)?;
            let sql = "INSERT INTO role_assignments \
                       (id, org, role, subject_kind, subject_id, team, narrowing, assigned_by, created_at, expires_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            match transaction.execute(sql, values) {
                Err(error) if Fault::is_duplicate(&error) => {
                    let place = new.team.as_ref().map_or_else(String::new, |team| format!(" in the team {team}"));
                    let detail = format!("{name} has the role {}{place} already.", role.name());
                    return Err(DirectoryError::conflict("role assignment", detail).into());
                }
                inserted => inserted?,
            };
            let assignment = require(transaction, org, &id)?;
            let event = assignment.event(true);
            Ok((assignment, vec![event]))
        })
    }

    /// Takes a role away.
    pub fn delete_assignment(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &AssignmentId,
        now: Timestamp,
    ) -> Result<Assignment, DirectoryError> {
        self.change(by, now, |transaction| {
            let assignment = require(transaction, org, id)?;
            touch(transaction, org, &assignment.principal, &acting(transaction, org, by, now)?)?;
            transaction.execute("DELETE FROM role_assignments WHERE id = ?1", [id])?;
            let event = assignment.event(false);
            Ok((assignment, vec![event]))
        })
    }

    /// One role assignment of an organization.
    pub fn assignment(&self, org: OrgId, id: &AssignmentId) -> Result<Assignment, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The role assignments of an organization that hold at `now`, the oldest first.
    pub fn list_assignments(
        &self,
        org: OrgId,
        filter: &AssignmentFilter,
        part: Part,
        now: Timestamp,
    ) -> Result<Listed<Assignment>, DirectoryError> {
        let from = "FROM role_assignments a LEFT JOIN roles r ON r.org = a.org AND r.id = a.role \
                    WHERE a.org = ?1 AND (a.expires_at IS NULL OR a.expires_at > ?2) \
                    AND (?3 IS NULL OR (a.subject_kind = ?3 AND a.subject_id = ?4)) \
                    AND (?5 IS NULL OR a.role = ?5) AND (?6 IS NULL OR a.team = ?6)";
        let values = params![
            org.0,
            now.as_millis(),
            filter.principal.as_ref().map(Principal::kind),
            filter.principal.as_ref().map(Principal::id),
            filter.role.as_ref().map(RoleName::as_str),
            filter.team.as_ref().map(TeamId::as_str)
        ];
        self.read(|connection| {
            let order = "a.created_at, a.id";
            listed(connection, Assignment::columns(), from, order, values, part, Assignment::from_row)
        })
    }
}

/// Refuses what does not go together.
fn check(role: &GivenRole, new: &NewAssignment) -> Result<(), DirectoryError> {
    if new.team.is_none() && matches!(role, GivenRole::BuiltIn(role) if role.is_for_teams()) {
        let detail = format!("The role {} is given in a team: name it with `team`.", role.name());
        return Err(DirectoryError::invalid("team", detail));
    }
    if !new.narrowing.is_nothing() && !role.permissions().contains(&Permission::LogRead) {
        let detail = format!("The role {} does not read the log, so there is nothing to narrow.", role.name());
        return Err(DirectoryError::invalid("narrowing", detail));
    }
    Ok(())
}

/// Whoever is above the actor is not touched. A group is whoever is in it, and is asked about when its members change.
fn touch(
    transaction: &Transaction<'_>,
    org: OrgId,
    principal: &Principal,
    acting: &crate::authority::Acting,
) -> Result<(), Fault> {
    if let Principal::User(id) = principal {
        acting.may_touch(&user::require(transaction, org, id)?)?;
    }
    Ok(())
}

/// Forgets the same assignment if it has expired.
fn make_room(
    transaction: &Transaction<'_>,
    org: OrgId,
    role: &GivenRole,
    new: &NewAssignment,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "DELETE FROM role_assignments WHERE org = ?1 AND role = ?2 AND subject_kind = ?3 AND subject_id = ?4 \
               AND coalesce(team, '') = ?5 AND expires_at <= ?6";
    let team = new.team.as_ref().map_or("", TeamId::as_str);
    transaction.execute(sql, params![org.0, role.key(), new.principal.kind(), new.principal.id(), team, now.as_millis()])?;
    Ok(())
}

fn require(connection: &Connection, org: OrgId, id: &AssignmentId) -> Result<Assignment, Fault> {
    let sql = format!(
        "SELECT {} FROM role_assignments a LEFT JOIN roles r ON r.org = a.org AND r.id = a.role WHERE a.org = ?1 AND a.id = ?2",
        Assignment::columns()
    );
    let found = connection.query_row(&sql, params![org.0, id], Assignment::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "role assignment" })?)
}
