//! What a signed-in person is, as far as a decision needs to know her: her standing, and the roles that she and her groups were
//! given and that are in force.

use access::Person;
use record::Timestamp;
use rusqlite::Connection;

use crate::error::Fault;
use crate::principal::Principal;
use crate::user::User;
use crate::{held, organization};

/// Reads it.
pub(crate) fn of(connection: &Connection, user: &User, now: Timestamp) -> Result<Person, Fault> {
    let organization = organization::require(connection, user.org)?;
    let held = held::read(connection, user.org, &Principal::User(user.id.clone()), now)?;
    let verified: Option<i64> =
        connection.query_row("SELECT email_verified_at FROM users WHERE id = ?1", [&user.id], |found| found.get(0))?;
    Ok(Person {
        org: user.org,
        user: user.id.as_str().into(),
        verified_email: verified.map(|_| user.email.as_str().into()),
        role: user.role,
        held: held.iter().map(|held| held.assignment.held()).collect(),
        sees_own_events: organization.settings.members_see_own_events,
    })
}
