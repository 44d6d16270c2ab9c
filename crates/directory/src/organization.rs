//! Organizations: the tenants, each with a log of its own.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::chance::random_hex;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::environment;
use crate::error::{DirectoryError, Fault};
use crate::name::{checked_name, folded};
use crate::outbox::Event;
use crate::row;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its number. Never used for another.
    pub id: OrgId,
    /// Its name; no two are the same but for capitals.
    pub name: String,
    /// Sixteen random hexadecimal digits that the origin of its log is made of. They tell nothing about the organization, and
    /// they stay when it is renamed.
    pub log_id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was archived: nobody signs in to it any more, and its keys are refused. Its log stays.
    pub archived_at: Option<Timestamp>,
    /// What holds in it.
    pub settings: OrganizationSettings,
}

/// What holds in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganizationSettings {
    /// Whoever signs in with a password or a link shows a second factor, too; without one, she can do nothing but set one up.
    pub second_factor_required: bool,
    /// Members see the events in which they are the actor or a target.
    pub members_see_own_events: bool,
    /// Members named `headers` are left out of every event's metadata.
    pub hide_headers: bool,
    /// Keys, tokens, passwords and card numbers are left out of every event.
    pub scrub_secrets: bool,
}

const COLUMNS: &str = "id, name, log_id, created_at, archived_at, second_factor_required, members_see_own_events, hide_headers, \
                       scrub_secrets";

impl Organization {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Organization> {
        Ok(Organization {
            id: row::org(found, "id")?,
            name: found.get("name")?,
            log_id: found.get("log_id")?,
            created_at: row::time(found, "created_at")?,
            archived_at: row::optional_time(found, "archived_at")?,
            settings: OrganizationSettings {
                second_factor_required: found.get("second_factor_required")?,
                members_see_own_events: found.get("members_see_own_events")?,
                hide_headers: found.get("hide_headers")?,
                scrub_secrets: found.get("scrub_secrets")?,
            },
        })
    }
}

impl Directory {
    /// Creates an organization. The event about it is the first in its own log.
    pub fn create_organization(&self, by: &ChangedBy, name: &str, now: Timestamp) -> Result<Organization, DirectoryError> {
        let name = checked_name(name)?;
        let log_id = random_hex::<8>(self.chance.as_ref());
        self.change(by, now, |transaction| {
            let sql = format!(
                "INSERT INTO organizations (name, name_key, log_id, created_at) VALUES (?1, ?2, ?3, ?4) RETURNING {COLUMNS}"
            );
            let values = params![name, folded(name), log_id, now.as_millis()];
            let organization = match transaction.query_row(&sql, values, Organization::from_row) {
                Err(error) if Fault::is_duplicate(&error) => {
                    let detail = format!("There is already an organization named “{name}”.");
                    return Err(DirectoryError::conflict("organization", detail).into());
                }
                inserted => inserted?,
            };
            let environments = environment::create_first(transaction, self.chance.as_ref(), organization.id, now)?;
            let event = Event::new(organization.id, "CREATE_ORGANIZATION")
                .target("organization", organization.id, Some(&organization.name))
                .metadata("log_id", organization.log_id.clone())
                .metadata("environments", environments);
            Ok((organization, vec![event]))
        })
    }

    /// One organization.
    pub fn organization(&self, id: OrgId) -> Result<Organization, DirectoryError> {
        self.read(|connection| require(connection, id))
    }

    /// The organization of that name, in any capitals.
    pub fn organization_by_name(&self, name: &str) -> Result<Organization, DirectoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM organizations WHERE name_key = ?1");
            let found = connection.query_row(&sql, [folded(name.trim())], Organization::from_row).optional()?;
            Ok(found.ok_or(DirectoryError::NotFound { what: "organization" })?)
        })
    }

    /// A number that grows with every change of the organization's directory: what was worked out from an older one may be out of
    /// date.
    pub fn epoch(&self, id: OrgId) -> Result<u64, DirectoryError> {
        self.read(|connection| epoch(connection, id))
    }

    /// All of them, the oldest first.
    pub fn organizations(&self) -> Result<Vec<Organization>, DirectoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM organizations ORDER BY id"))?;
            Ok(statement.query_map([], Organization::from_row)?.collect::<Result<_, _>>()?)
        })
    }
}

pub(crate) fn epoch(connection: &Connection, id: OrgId) -> Result<u64, Fault> {
    let found = connection.query_row("SELECT epoch FROM organizations WHERE id = ?1", [id.0], |row| row.get(0));
    let epoch: i64 = found.optional()?.ok_or(DirectoryError::NotFound { what: "organization" })?;
    Ok(epoch.unsigned_abs())
}

/// The organization, or the answer that there is none.
pub(crate) fn require(connection: &Connection, id: OrgId) -> Result<Organization, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM organizations WHERE id = ?1");
    let found = connection.query_row(&sql, [id.0], Organization::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "organization" })?)
}
