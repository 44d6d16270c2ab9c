//! What a signed-in person is, as far as a decision needs to know her: her standing, and the roles that she and her groups were
//! given and that are in force.

use access::Person;
use record::Timestamp;
use rusqlite::Connection;

use crate::error::Fault;
use crate::held;
use crate::organization::Organization;
use crate::principal::Principal;
use crate::user::User;

/// Reads it.
pub(crate) fn of(
    connection: &Connection,
    user: &User,
    organization: &Organization,
    now: Timestamp,
) -> Result<Person, Fault> {
    let held = held::read(connection, user.org, &Principal::User(user.id.clone()), now)?;
    Ok(Person {
        org: user.org,
        user: user.id.as_str().into(),
        verified_email: user.email_verified_at.map(|_| user.email.as_str().into()),
        role: user.role,
        held: held.iter().map(|held| held.assignment.held()).collect(),
        sees_own_events: organization.settings.members_see_own_events,
    })
}
