//! Teams: the parts of an organization.

use record::{OrgId, TeamId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::chance::random_hex;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::listing::{Listed, Part};
use crate::name::{checked_name, folded};
use crate::organization;
use crate::outbox::Event;
use crate::row;

/// A part of an organization. Events name it by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// The organization it is part of.
    pub org: OrgId,
    /// Its id, unique in the organization.
    pub id: TeamId,
    /// Its name; no two of an organization are the same but for capitals.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "org, id, name, created_at";

impl Team {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Team> {
        Ok(Team {
            org: row::org(found, "org")?,
            id: row::parsed(found, "id", TeamId::new)?,
            name: found.get("name")?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Creates a team. `id` is for organizations whose applications already have a word for it; `None` gives it a random one.
    pub fn create_team(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: Option<TeamId>,
        name: &str,
        now: Timestamp,
    ) -> Result<Team, DirectoryError> {
        let name = checked_name(name)?;
        let random = format!("team_{}", random_hex::<8>(self.chance.as_ref()));
        let id = id.map_or(random, String::from);
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let sql = format!(
                "INSERT INTO teams (org, id, name, name_key, created_at) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING {COLUMNS}"
            );
            let values = params![org.0, id, name, folded(name), now.as_millis()];
            let team = match transaction.query_row(&sql, values, Team::from_row) {
                Err(error) if Fault::is_duplicate(&error) => {
                    let detail = format!("The organization already has a team with the id {id} or the name “{name}”.");
                    return Err(DirectoryError::conflict("team", detail).into());
                }
                inserted => inserted?,
            };
            let event = Event::new(org, "CREATE_TEAM").team(Some(&team.id)).target("team", &team.id, Some(&team.name));
            Ok((team, vec![event]))
        })
    }

    /// One team of an organization.
    pub fn team(&self, org: OrgId, id: &TeamId) -> Result<Team, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The teams of an organization, by name; those with `text` in their name, if it is given.
    pub fn list_teams(&self, org: OrgId, text: Option<&str>, part: Part) -> Result<Listed<Team>, DirectoryError> {
        self.read(|connection| found(connection, "teams", COLUMNS, org, &Find::named(text), part, Team::from_row))
    }

    /// All teams of an organization, by name.
    pub fn teams(&self, org: OrgId) -> Result<Vec<Team>, DirectoryError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare(&format!("SELECT {COLUMNS} FROM teams WHERE org = ?1 ORDER BY name_key, id"))?;
            Ok(statement.query_map([org.0], Team::from_row)?.collect::<Result<_, _>>()?)
        })
    }
}

/// The team, or the answer that the organization has none.
pub(crate) fn require(connection: &Connection, org: OrgId, id: &TeamId) -> Result<Team, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM teams WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id.as_str()], Team::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "team" })?)
}
