//! What somebody holds through role assignments: her own and those of the groups that she is in, directly or through others.
//!
//! It is asked for each request of a person, so it is one statement over indexes, which is kept prepared. A group that is reached in several ways is
//! followed once for each depth, so that no arrangement of groups makes it slow.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, Row, params};

use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::group_member::DEPTH_MAX;
use crate::id::{GroupId, UserId};
use crate::principal::Principal;
use crate::role_assignment::Assignment;
use crate::row;

/// A role that somebody holds, and how she comes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAssignment {
    /// The role as it was given.
    pub assignment: Assignment,
    /// The groups that lead to it, from the one that she is in to the one that was given the role; empty if she was given it
    /// herself. The shortest way, if there are several.
    pub through: Vec<GroupId>,
}

/// A group that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// The groups that lead to it, from the one that she is in to this one, with their names. One, if she is in it directly.
    pub through: Vec<(GroupId, String)>,
}

/// The groups that lead up from a principal: each with the one before it on the shortest way.
#[derive(Debug, Default)]
struct Ways(Vec<Step>);

#[derive(Debug)]
struct Step {
    group: GroupId,
    name: String,
    via: Option<GroupId>,
}

impl Ways {
    /// From the group that the principal is in to `group`.
    fn to(&self, group: &GroupId) -> Vec<(GroupId, String)> {
        let mut way = Vec::new();
        let mut next = Some(group);
        while let Some(step) = next.and_then(|id| self.0.iter().find(|step| step.group == *id)) {
            way.push((step.group.clone(), step.name.clone()));
            // The way gets shorter by one with each step, so it ends; the bound is for a database that others have written to.
            next = step.via.as_ref().filter(|_| way.len() < usize::from(DEPTH_MAX));
        }
        way.reverse();
        way
    }
}

/// `up`: every group above a principal, with the one below it, for each depth. `nearest`: on the shortest way only. The name is
/// looked up and not joined, lest a planner begins with all groups of the organization.
fn closure() -> String {
    format!(
        "WITH RECURSIVE up (id, via, depth) AS ( \
           SELECT group_id, NULL, 1 FROM group_members WHERE member_kind = ?2 AND member_id = ?3 \
           UNION \
           SELECT above.group_id, up.id, up.depth + 1 FROM up \
             JOIN group_members above ON above.member_kind = 'group' AND above.member_id = up.id \
             WHERE up.depth < {DEPTH_MAX} \
         ), placed (id, via, depth, place) AS ( \
           SELECT id, via, depth, row_number() OVER (PARTITION BY id ORDER BY depth, via) FROM up \
         ), nearest (id, via, depth, name) AS ( \
           SELECT id, via, depth, name FROM ( \
             SELECT id, via, depth, (SELECT name FROM groups WHERE groups.id = placed.id AND groups.org = ?1) AS name \
             FROM placed WHERE place = 1 \
           ) AS named WHERE name IS NOT NULL \
         )"
    )
}

/// What a principal holds at `now`, what it was given itself first.
pub(crate) fn read(
    connection: &Connection,
    org: OrgId,
    principal: &Principal,
    now: Timestamp,
) -> Result<Vec<HeldAssignment>, Fault> {
    let columns = Assignment::columns();
    let joined = "LEFT JOIN roles r ON r.org = a.org AND r.id = a.role";
    // The groups come with the assignments: those without one, too, because a way may lead through them.
    let sql = format!(
        "{} SELECT NULL AS group_id, NULL AS group_name, NULL AS via, 0 AS depth, {columns} FROM role_assignments a {joined} \
           WHERE a.org = ?1 AND a.subject_kind = ?2 AND a.subject_id = ?3 AND (a.expires_at IS NULL OR a.expires_at > ?4) \
         UNION ALL \
         SELECT nearest.id, nearest.name, nearest.via, nearest.depth, {columns} FROM nearest \
           LEFT JOIN role_assignments a ON a.org = ?1 AND a.subject_kind = 'group' AND a.subject_id = nearest.id \
             AND (a.expires_at IS NULL OR a.expires_at > ?4) {joined} \
         ORDER BY depth, created_at, assignment",
        closure()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![org.0, principal.kind(), principal.id(), now.as_millis()])?;
    let (mut found, mut ways) = (Vec::new(), Ways::default());
    while let Some(row) = rows.next()? {
        let group = row::optional(row, "group_id", GroupId::parse)?;
        if let Some(group) = &group
            && !ways.0.iter().any(|step| step.group == *group)
        {
            ways.0.push(Step {
                group: group.clone(),
                name: row.get("group_name")?,
                via: row::optional(row, "via", GroupId::parse)?,
            });
        }
        if row.get::<_, Option<String>>("assignment")?.is_some() {
            found.push((Assignment::from_row(row)?, group));
        }
    }
    let through = |group: Option<GroupId>| {
        group.map_or_else(Vec::new, |group| ways.to(&group).into_iter().map(|(group, _)| group).collect())
    };
    Ok(found.into_iter().map(|(assignment, group)| HeldAssignment { assignment, through: through(group) }).collect())
}

/// Every group that a principal is in, the nearest first.
pub(crate) fn memberships(connection: &Connection, org: OrgId, principal: &Principal) -> Result<Vec<Membership>, Fault> {
    let sql = format!("{} SELECT id, via, name FROM nearest ORDER BY depth, name, id", closure());
    let mut statement = connection.prepare_cached(&sql)?;
    let step = |row: &Row<'_>| {
        Ok(Step {
            group: row::parsed(row, "id", GroupId::parse)?,
            name: row.get("name")?,
            via: row::optional(row, "via", GroupId::parse)?,
        })
    };
    let steps = statement.query_map(params![org.0, principal.kind(), principal.id()], step)?;
    let ways = Ways(steps.collect::<Result<_, _>>()?);
    let all = ways.0.iter().map(|step| Membership {
        group: step.group.clone(),
        name: step.name.clone(),
        through: ways.to(&step.group),
    });
    Ok(all.collect())
}

impl Directory {
    /// The roles that a user holds at `now` beside her standing, directly and through groups, what she was given herself first.
    pub fn held_by(&self, org: OrgId, user: &UserId, now: Timestamp) -> Result<Vec<HeldAssignment>, DirectoryError> {
        self.read(|connection| read(connection, org, &Principal::User(user.clone()), now))
    }

    /// The same for anything that can be given a role.
    pub fn held_by_principal(
        &self,
        org: OrgId,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<Vec<HeldAssignment>, DirectoryError> {
        self.read(|connection| read(connection, org, principal, now))
    }

    /// The groups that a user, a service account or a group is in, directly or through others, the nearest first.
    pub fn memberships(&self, org: OrgId, principal: &Principal) -> Result<Vec<Membership>, DirectoryError> {
        self.read(|connection| {
            principal.require(connection, org)?;
            memberships(connection, org, principal)
        })
    }
}
