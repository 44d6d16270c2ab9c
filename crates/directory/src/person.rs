//! What a signed-in person is, as far as a decision needs to know her: her standing, and the roles that she and her groups were
//! given and that are in force.

use std::collections::BTreeSet;

use access::{BuiltInRole, Held, Narrowing, Permission, Person};
use record::{TeamId, Timestamp};
use rusqlite::{Connection, Row, params, types::Type};

use crate::error::Fault;
use crate::user::User;
use crate::{organization, row};

/// Every role that she holds at `now`, directly or through groups in groups.
const HELD: &str = "\
    WITH RECURSIVE mine (id) AS ( \
      SELECT group_id FROM group_members WHERE member_kind = 'user' AND member_id = ?2 \
      UNION \
      SELECT outer_group.group_id FROM group_members outer_group \
      JOIN mine ON outer_group.member_kind = 'group' AND outer_group.member_id = mine.id) \
    SELECT given.role, given.team, given.narrowing, roles.permissions \
    FROM role_assignments given LEFT JOIN roles ON roles.id = given.role \
    WHERE given.org = ?1 AND (given.expires_at IS NULL OR given.expires_at > ?3) \
      AND (given.subject_kind = 'user' AND given.subject_id = ?2 \
           OR given.subject_kind = 'group' AND given.subject_id IN (SELECT id FROM mine)) \
    ORDER BY given.id";

/// Reads it in one look.
pub(crate) fn of(connection: &Connection, user: &User, now: Timestamp) -> Result<Person, Fault> {
    let organization = organization::require(connection, user.org)?;
    let mut statement = connection.prepare(HELD)?;
    let held = statement.query_map(params![user.org.0, user.id, now.as_millis()], held)?.collect::<Result<_, _>>()?;
    let verified: Option<i64> =
        connection.query_row("SELECT email_verified_at FROM users WHERE id = ?1", [&user.id], |found| found.get(0))?;
    Ok(Person {
        org: user.org,
        user: user.id.as_str().into(),
        verified_email: verified.map(|_| user.email.as_str().into()),
        role: user.role,
        held,
        sees_own_events: organization.settings.members_see_own_events,
    })
}

fn held(found: &Row<'_>) -> rusqlite::Result<Held> {
    let custom: Option<String> = found.get("permissions")?;
    let permissions: BTreeSet<Permission> = match custom {
        Some(names) => {
            names.split_whitespace().map(str::parse).collect::<Result<_, _>>().map_err(|error| unreadable(3, error))?
        }
        None => row::parsed(found, "role", str::parse::<BuiltInRole>)?.permissions().into_iter().collect(),
    };
    let narrowing: Option<String> = found.get("narrowing")?;
    let narrowing = narrowing.map(|text| serde_json::from_str::<Narrowing>(&text)).transpose();
    Ok(Held {
        permissions,
        team: row::optional(found, "team", TeamId::new)?,
        narrowing: narrowing.map_err(|error| unreadable(2, error))?.unwrap_or_default(),
    })
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
