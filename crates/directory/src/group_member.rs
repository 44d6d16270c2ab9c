//! Who is in a group. Groups may be in groups, but never in themselves, and not endlessly deep.

use std::collections::{BTreeMap, BTreeSet};

use record::{OrgId, Timestamp};
use rusqlite::{Connection, Row, Transaction, params};

use crate::authority::acting;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::group::{self, Group};
use crate::held;
use crate::id::GroupId;
use crate::listing::{Listed, Part};
use crate::name::folded;
use crate::outbox::Event;
use crate::principal::Principal;
use crate::row;

/// How many groups may be in one another.
pub const GROUP_DEPTH_MAX: u8 = DEPTH_MAX;
pub(crate) const DEPTH_MAX: u8 = 16;
/// How many members can be added or removed at once: each is a target of the one event that tells of it.
const MEMBERS_AT_ONCE: usize = 200;

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub principal: Principal,
    /// Her name, or its.
    pub name: String,
    /// Her address, if it is a person.
    pub email: Option<String>,
    /// When she was added to the group that she is in directly.
    pub added_at: Timestamp,
    /// The groups that lead to her, from the one that was asked for to the one that she is in directly, with their names.
    pub through: Vec<(GroupId, String)>,
}

impl Directory {
    /// Adds members to a group, and says how many were not in it before. Nobody adds to a group that permits more, itself or
    /// through the groups that it is in, than she is permitted herself.
    pub fn add_group_members(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &GroupId,
        members: &[Principal],
        now: Timestamp,
    ) -> Result<usize, DirectoryError> {
        not_too_many(members)?;
        self.change(by, now, |transaction| {
            let group = group::require(transaction, org, id)?;
            let acting = acting(transaction, org, by, now)?;
            for given in held::read(transaction, org, &Principal::Group(id.clone()), now)? {
                let role = given.assignment.role.name();
                let what = format!("The group “{}” gives the role {role}, which", group.name);
                acting.may_give(given.assignment.role.permissions(), given.assignment.team.as_ref(), &what)?;
            }
            let mut event = Event::new(org, "ADD_USERS_TO_GROUP").target("group", id, Some(&group.name));
            let mut added = 0;
            for member in members {
                let name = member.require(transaction, org)?;
                if let Principal::Group(inner) = member {
                    refuse_cycle(transaction, &group, inner, &name)?;
                    refuse_depth(transaction, &group, inner, &name)?;
                }
                let sql = "INSERT INTO group_members (group_id, member_kind, member_id, added_at) VALUES (?1, ?2, ?3, ?4) \
                           ON CONFLICT DO NOTHING";
                if transaction.execute(sql, params![id, member.kind(), member.id(), now.as_millis()])? == 1 {
                    event = event.target(member.kind(), member, Some(&name));
                    added += 1;
                }
            }
            Ok((added, if added == 0 { Vec::new() } else { vec![event.metadata("count", added)] }))
        })
    }

    /// Takes members out of a group, and says how many were in it.
    pub fn remove_group_members(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &GroupId,
        members: &[Principal],
        now: Timestamp,
    ) -> Result<usize, DirectoryError> {
        not_too_many(members)?;
        self.change(by, now, |transaction| {
            let group = group::require(transaction, org, id)?;
            let mut event = Event::new(org, "REMOVE_USERS_FROM_GROUP").target("group", id, Some(&group.name));
            let mut removed = 0;
            for member in members {
                let name = member.require(transaction, org)?;
                let sql = "DELETE FROM group_members WHERE group_id = ?1 AND member_kind = ?2 AND member_id = ?3";
                if transaction.execute(sql, params![id, member.kind(), member.id()])? == 1 {
                    event = event.target(member.kind(), member, Some(&name));
                    removed += 1;
                }
            }
            Ok((removed, if removed == 0 { Vec::new() } else { vec![event.metadata("count", removed)] }))
        })
    }

    /// Who is in a group: directly, or with `nested` through other groups, too, each once, by the shortest way.
    pub fn group_members(
        &self,
        org: OrgId,
        id: &GroupId,
        nested: bool,
        part: Part,
    ) -> Result<Listed<Member>, DirectoryError> {
        self.read(|connection| {
            group::require(connection, org, id)?;
            let all = members(connection, org, id, if nested { DEPTH_MAX } else { 1 })?;
            Ok(part.of(all))
        })
    }
}

fn not_too_many(members: &[Principal]) -> Result<(), DirectoryError> {
    let count = members.len();
    if (1..=MEMBERS_AT_ONCE).contains(&count) {
        return Ok(());
    }
    Err(DirectoryError::invalid("users", format!("1 to {MEMBERS_AT_ONCE} members go at once; these are {count}.")))
}

/// Refuses to put a group into one that is in it.
fn refuse_cycle(transaction: &Transaction<'_>, outer: &Group, inner: &GroupId, name: &str) -> Result<(), Fault> {
    let mut way = vec![outer.name.clone()];
    if outer.id != *inner {
        let above = held::memberships(transaction, outer.org, &Principal::Group(outer.id.clone()))?;
        let Some(found) = above.into_iter().find(|membership| membership.group == *inner) else { return Ok(()) };
        way.extend(found.through.into_iter().map(|(_, name)| name));
    }
    way.push(outer.name.clone());
    let way = way.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(" in ");
    let detail = format!("“{name}” cannot be in “{}”: then {way}.", outer.name);
    Err(DirectoryError::invalid("groups", detail).into())
}

/// Refuses to make groups in groups in groups without end.
fn refuse_depth(transaction: &Transaction<'_>, outer: &Group, inner: &GroupId, name: &str) -> Result<(), Fault> {
    let longest = |from: &GroupId, found: &str, known: &str| -> Result<u8, Fault> {
        let sql = format!(
            "WITH RECURSIVE chain (id, depth) AS ( \
               SELECT ?1, 1 UNION \
               SELECT {found}, depth + 1 FROM chain JOIN group_members ON member_kind = 'group' AND {known} = chain.id \
               WHERE depth <= {DEPTH_MAX} \
             ) SELECT max(depth) FROM chain"
        );
        Ok(transaction.query_row(&sql, [from], |row| row.get(0))?)
    };
    let above = longest(&outer.id, "group_id", "member_id")?;
    let below = longest(inner, "member_id", "group_id")?;
    if above + below > DEPTH_MAX {
        let detail = format!(
            "“{name}” cannot be in “{}”: that would be {} groups in one another, and {DEPTH_MAX} are the most.",
            outer.name,
            above + below
        );
        return Err(DirectoryError::invalid("groups", detail).into());
    }
    Ok(())
}

fn members(connection: &Connection, org: OrgId, id: &GroupId, depth_max: u8) -> Result<Vec<Member>, Fault> {
    let sql = format!(
        "WITH RECURSIVE down (id, via, depth) AS ( \
           SELECT ?2, NULL, 1 UNION \
           SELECT below.member_id, down.id, down.depth + 1 FROM down \
             JOIN group_members below ON below.group_id = down.id AND below.member_kind = 'group' \
             WHERE down.depth < {depth_max} \
         ), placed (id, via, depth, place) AS ( \
           SELECT id, via, depth, row_number() OVER (PARTITION BY id ORDER BY depth, via) FROM down \
         ) \
         SELECT placed.id AS group_id, placed.via AS via, g.name AS group_name, m.member_kind AS kind, m.member_id AS id, \
           m.added_at AS added_at, coalesce(u.name, s.name, inner_group.name) AS name, u.email AS email \
         FROM placed JOIN groups g ON g.id = placed.id AND g.org = ?1 \
           LEFT JOIN group_members m ON m.group_id = placed.id \
           LEFT JOIN users u ON m.member_kind = 'user' AND u.id = m.member_id \
           LEFT JOIN service_accounts s ON m.member_kind = 'service_account' AND s.id = m.member_id \
           LEFT JOIN groups inner_group ON m.member_kind = 'group' AND inner_group.id = m.member_id \
         WHERE placed.place = 1 ORDER BY placed.depth"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params![org.0, id])?;
    let mut ways: BTreeMap<GroupId, Vec<(GroupId, String)>> = BTreeMap::new();
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let group = row::parsed(row, "group_id", GroupId::parse)?;
        if !ways.contains_key(&group) {
            // Nearer groups come first, so the way to the one before it is known.
            let via = row::optional(row, "via", GroupId::parse)?;
            let mut way = via.and_then(|via| ways.get(&via).cloned()).unwrap_or_default();
            way.push((group.clone(), row.get("group_name")?));
            ways.insert(group.clone(), way);
        }
        if row.get::<_, Option<String>>("kind")?.is_some() {
            let member = member(row, ways.get(&group).cloned().unwrap_or_default())?;
            if seen.insert(member.principal.clone()) {
                all.push(member);
            }
        }
    }
    all.sort_by_cached_key(|member| {
        (member.through.len(), member.principal.kind(), folded(&member.name), member.principal.clone())
    });
    Ok(all)
}

fn member(row: &Row<'_>, through: Vec<(GroupId, String)>) -> rusqlite::Result<Member> {
    Ok(Member {
        principal: Principal::from_row(row, "kind", "id")?,
        name: row.get::<_, Option<String>>("name")?.unwrap_or_default(),
        email: row.get("email")?,
        added_at: row::time(row, "added_at")?,
        through,
    })
}
