//! Destinations: where an organization's events are delivered. What their settings mean, this crate does not know: it keeps what
//! may be shown as it is, and the whole of it sealed in the vault.

use std::collections::BTreeMap;

use access::KeyScope;
use record::{OrgId, TeamId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use crate::authority::acting;
use crate::chance::Chance;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::DestinationId;
use crate::name::{checked_name, folded};
use crate::outbox::Event;
use crate::vault::Vault;
use crate::{organization, row, team};

/// Destinations of one organization.
pub const DESTINATIONS_MAX: usize = 50;

/// Where events are delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its id.
    pub id: DestinationId,
    /// Whose events.
    pub org: OrgId,
    /// The one team whose events are delivered; `None`: the whole organization's.
    pub team: Option<TeamId>,
    /// What it is called; no two of an organization are the same but for capitals.
    pub name: String,
    /// The type of the receiver, such as `splunk`.
    pub kind: String,
    /// Its settings, without secrets.
    pub settings: Value,
    /// The name of the format.
    pub format: String,
    /// Which events are wanted, as the server reads it.
    pub wanted: Value,
    /// Members that are hidden from it.
    pub hide: Vec<String>,
    /// The first index that is delivered.
    pub begins_at: u64,
    /// Since when nothing is delivered.
    pub paused_at: Option<Timestamp>,
    /// Why, if it was not somebody's doing: the receiver's own words.
    pub paused_why: Option<String>,
    /// When its people were told that it fails, if it still does.
    pub failing_told_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The id of whoever made it.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Settings of a receiver, twice.
#[derive(Clone, PartialEq, Eq)]
pub struct DestinationSettings {
    /// What may be shown, an object: in the place of a secret stands something that is none.
    pub shown: Value,
    /// All of it, with secrets. Kept sealed.
    pub whole: Value,
}

/// It holds secrets, so it shows only what may be shown.
impl std::fmt::Debug for DestinationSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DestinationSettings").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// A destination to be.
#[derive(Debug, Clone)]
pub struct NewDestination<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The type of the receiver.
    pub kind: &'a str,
    /// Its settings.
    pub settings: DestinationSettings,
    /// The name of the format.
    pub format: &'a str,
    /// Which events are wanted.
    pub wanted: Value,
    /// Members that are hidden from it.
    pub hide: Vec<String>,
    /// The one team whose events it gets.
    pub team: Option<TeamId>,
    /// The first index that is to be delivered.
    pub begins_at: u64,
}

pub(crate) const COLUMNS: &str = "id, org, team, name, kind, settings_shown, format, wanted, hide, begins_at, paused_at, \
                                  paused_why, failing_told_at, created_at, created_by, updated_at";

impl Destination {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Destination> {
        Ok(Destination {
            id: row::parsed(found, "id", DestinationId::parse)?,
            org: row::org(found, "org")?,
            team: row::optional(found, "team", TeamId::new)?,
            name: found.get("name")?,
            kind: found.get("kind")?,
            settings: row::parsed(found, "settings_shown", |text| serde_json::from_str(text))?,
            format: found.get("format")?,
            wanted: row::parsed(found, "wanted", |text| serde_json::from_str(text))?,
            hide: row::parsed(found, "hide", |text| serde_json::from_str(text))?,
            begins_at: found.get::<_, i64>("begins_at")?.unsigned_abs(),
            paused_at: row::optional_time(found, "paused_at")?,
            paused_why: found.get("paused_why")?,
            failing_told_at: row::optional_time(found, "failing_told_at")?,
            created_at: row::time(found, "created_at")?,
            created_by: found.get("created_by")?,
            updated_at: row::time(found, "updated_at")?,
        })
    }

    /// An event about it. It concerns its team, if it has one.
    pub(crate) fn event(&self, action: &'static str) -> Event {
        Event::new(self.org, action).team(self.team.as_ref()).target("destination", &self.id, Some(&self.name))
    }

    /// Its settings as an event tells them: each member of theirs by itself.
    pub(crate) fn told(&self) -> Vec<(String, Value)> {
        // In the order of the names, whatever else is built in.
        let members: BTreeMap<&String, &Value> = self.settings.as_object().into_iter().flatten().collect();
        let mut told = vec![
            ("name".to_owned(), self.name.as_str().into()),
            ("type".to_owned(), self.kind.as_str().into()),
            ("format".to_owned(), self.format.as_str().into()),
            ("filter".to_owned(), self.wanted.clone()),
            ("hide".to_owned(), self.hide.clone().into()),
        ];
        told.extend(members.into_iter().map(|(name, value)| (format!("settings/{name}"), value.clone())));
        told
    }
}

impl Directory {
    /// Makes a destination. It takes events out, so whoever makes it holds the right to export what it gets to see.
    pub fn create_destination(
        &self,
        by: &ChangedBy,
        org: OrgId,
        new: NewDestination<'_>,
        now: Timestamp,
    ) -> Result<Destination, DirectoryError> {
        let name = checked_name(new.name)?;
        let id = DestinationId::random(self.chance.as_ref());
        let sealed = seal(&self.vault, self.chance.as_ref(), &id, &new.settings.whole);
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            if let Some(id) = &new.team {
                team::require(transaction, org, id)?;
            }
            acting(transaction, org, by, now)?.may_give_scope(KeyScope::EventsExport, new.team.as_ref())?;
            let count: i64 =
                transaction.query_row("SELECT count(*) FROM destinations WHERE org = ?1", [org.0], |row| row.get(0))?;
            if usize::try_from(count).is_ok_and(|count| count >= DESTINATIONS_MAX) {
                let detail = format!("An organization has at most {DESTINATIONS_MAX} destinations.");
                return Err(DirectoryError::conflict("destination", detail).into());
            }
            let sql = format!(
                "INSERT INTO destinations (id, org, team, name, name_key, kind, settings_shown, settings_sealed, format, \
                 wanted, hide, created_at, created_by, updated_at, begins_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?12, ?14) RETURNING {COLUMNS}"
            );
            let values = params![
                id,
                org.0,
                new.team.as_ref().map(TeamId::as_str),
                name,
                folded(name),
                new.kind,
                new.settings.shown.to_string(),
                sealed,
                new.format,
                new.wanted.to_string(),
                Value::from(new.hide.clone()).to_string(),
                now.as_millis(),
                by.actor_id,
                i64::try_from(new.begins_at).unwrap_or(i64::MAX)
            ];
            let made = named_once(transaction.query_row(&sql, values, Destination::from_row), name)?;
            let mut event = made.event("CREATE_DESTINATION").metadata("team", made.team.as_ref().map(TeamId::as_str));
            for (field, value) in made.told() {
                event = event.changed(field, Value::Null, value);
            }
            Ok((made, vec![event]))
        })
    }

    /// One destination of an organization.
    pub fn destination(&self, org: OrgId, id: &DestinationId) -> Result<Destination, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The destinations of an organization, by name.
    pub fn destinations(&self, org: OrgId) -> Result<Vec<Destination>, DirectoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM destinations WHERE org = ?1 ORDER BY name_key");
            let mut statement = connection.prepare(&sql)?;
            Ok(statement.query_map([org.0], Destination::from_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// The destinations of all organizations that are not archived.
    pub fn all_destinations(&self) -> Result<Vec<Destination>, DirectoryError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM destinations \
                 WHERE org IN (SELECT id FROM organizations WHERE archived_at IS NULL) ORDER BY org, id"
            );
            let mut statement = connection.prepare(&sql)?;
            Ok(statement.query_map([], Destination::from_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// The destinations of all organizations whose people were told that they fail.
    pub fn failing_destinations(&self) -> Result<Vec<Destination>, DirectoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM destinations WHERE failing_told_at IS NOT NULL ORDER BY org, id");
            let mut statement = connection.prepare(&sql)?;
            Ok(statement.query_map([], Destination::from_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// All of a destination's settings, with secrets, for the one place that delivers. `None` if they were sealed under another
    /// key and cannot be read any more.
    pub fn destination_settings(&self, org: OrgId, id: &DestinationId) -> Result<Option<Value>, DirectoryError> {
        self.read(|connection| whole(connection, &self.vault, org, id))
    }

    /// A number that grows with every change of any organization: whoever keeps something in memory looks at it.
    pub fn epochs(&self) -> Result<u64, DirectoryError> {
        self.read(|connection| {
            let sum: i64 =
                connection
                    .query_row("SELECT coalesce(sum(epoch), 0) + count(*) FROM organizations", [], |row| row.get(0))?;
            Ok(sum.unsigned_abs())
        })
    }
}

/// The destination, or the answer that the organization has none.
pub(crate) fn require(connection: &Connection, org: OrgId, id: &DestinationId) -> Result<Destination, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM destinations WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Destination::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "destination" })?)
}

/// All of its settings; `None` if they do not open.
pub(crate) fn whole(connection: &Connection, vault: &Vault, org: OrgId, id: &DestinationId) -> Result<Option<Value>, Fault> {
    let sql = "SELECT settings_sealed FROM destinations WHERE org = ?1 AND id = ?2";
    let found: Option<String> = connection.query_row(sql, params![org.0, id], |row| row.get(0)).optional()?;
    let sealed = found.ok_or(DirectoryError::NotFound { what: "destination" })?;
    Ok(vault.open_sealed(&place(id), &sealed).and_then(|plain| serde_json::from_slice(&plain).ok()))
}

/// Settings as they are kept.
pub(crate) fn seal(vault: &Vault, chance: &dyn Chance, id: &DestinationId, whole: &Value) -> String {
    vault.seal(chance, &place(id), whole.to_string().as_bytes())
}

fn place(id: &DestinationId) -> String {
    format!("destinations/{id}")
}

/// What was written, or the answer that there is another of that name.
pub(crate) fn named_once<T>(result: rusqlite::Result<T>, name: &str) -> Result<T, Fault> {
    match result {
        Err(error) if Fault::is_duplicate(&error) => {
            let detail = format!("The organization already has a destination named “{name}”.");
            Err(DirectoryError::conflict("destination", detail).into())
        }
        done => Ok(done?),
    }
}
