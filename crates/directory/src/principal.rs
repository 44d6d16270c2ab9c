//! Whoever can be in a group or be given a role: a user, a service account, a group.

use std::fmt;

use record::OrgId;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Transaction, params};

use crate::error::Fault;
use crate::id::{BadId, GroupId, ServiceAccountId, UserId};
use crate::{group, service_account, user};

/// Whoever can be in a group or be given a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A person.
    User(UserId),
    /// An actor that is no person.
    ServiceAccount(ServiceAccountId),
    /// A group of principals.
    Group(GroupId),
}

impl Principal {
    /// What sort: `user`, `service_account`, `group`; as it stands in events, JSON and the database.
    pub fn kind(&self) -> &'static str {
        match self {
            Principal::User(_) => "user",
            Principal::ServiceAccount(_) => "service_account",
            Principal::Group(_) => "group",
        }
    }

    /// The id.
    pub fn id(&self) -> &str {
        match self {
            Principal::User(id) => id.as_str(),
            Principal::ServiceAccount(id) => id.as_str(),
            Principal::Group(id) => id.as_str(),
        }
    }

    /// The principal of that kind with that id.
    pub fn parse(kind: &str, id: &str) -> Result<Principal, BadId> {
        match kind {
            "service_account" => ServiceAccountId::parse(id).map(Principal::ServiceAccount),
            "group" => GroupId::parse(id).map(Principal::Group),
            _ => UserId::parse(id).map(Principal::User),
        }
    }

    pub(crate) fn from_row(found: &Row<'_>, kind: &str, id: &str) -> rusqlite::Result<Principal> {
        let (kind, text): (String, String) = (found.get(kind)?, found.get(id)?);
        let index = found.as_ref().column_index(id)?;
        Principal::parse(&kind, &text)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
    }

    /// The principal's name, or the answer that the organization has none such.
    pub(crate) fn require(&self, connection: &Connection, org: OrgId) -> Result<String, Fault> {
        match self {
            Principal::User(id) => user::require(connection, org, id).map(|user| user.name),
            Principal::ServiceAccount(id) => service_account::require(connection, org, id).map(|account| account.name),
            Principal::Group(id) => group::require(connection, org, id).map(|group| group.name),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What a principal left behind when it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) memberships: usize,
    pub(crate) assignments: usize,
    pub(crate) grants: usize,
}

/// Takes a principal out of every group and takes away every role and grant, as part of another change.
pub(crate) fn leave(transaction: &Transaction<'_>, org: OrgId, principal: &Principal) -> Result<Left, Fault> {
    let (kind, id) = (principal.kind(), principal.id());
    let sql = "DELETE FROM group_members WHERE member_kind = ?1 AND member_id = ?2";
    let memberships = transaction.execute(sql, params![kind, id])?;
    let sql = "DELETE FROM role_assignments WHERE org = ?1 AND subject_kind = ?2 AND subject_id = ?3";
    let assignments = transaction.execute(sql, params![org.0, kind, id])?;
    let sql = "DELETE FROM grants WHERE org = ?1 AND subject_kind = ?2 AND subject_id = ?3";
    let grants = transaction.execute(sql, params![org.0, kind, id])?;
    Ok(Left { memberships, assignments, grants })
}
