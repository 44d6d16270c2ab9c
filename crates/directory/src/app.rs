//! Apps: what people build and others use.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::id::AppId;
use crate::listing::{Listed, Part};
use crate::name::{checked_name, folded};
use crate::organization;
use crate::place::Place;
use crate::row;
use crate::thing::{Kind, ThingChange, taken};

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// The organization.
    pub org: OrgId,
    /// Its name; no two of an organization are the same but for capitals.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// When a version of it was last released; people reach production data only through released apps.
    pub released_at: Option<Timestamp>,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, org, name, folder, team, released_at, archived_at, created_at";
const KIND: Kind = Kind { table: "apps", what: "app", updated: "UPDATE_APP", deleted: "DELETE_APP" };

impl App {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<App> {
        Ok(App {
            id: row::parsed(found, "id", AppId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            place: Place::from_row(found, "folder")?,
            released_at: row::optional_time(found, "released_at")?,
            archived_at: row::optional_time(found, "archived_at")?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Creates an app. It is not released.
    pub fn create_app(
        &self,
        by: &ChangedBy,
        org: OrgId,
        name: &str,
        place: &Place,
        now: Timestamp,
    ) -> Result<App, DirectoryError> {
        let name = checked_name(name)?;
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            place.check(transaction, org, "folder")?;
            let sql =
                "INSERT INTO apps (id, org, name, name_key, folder, team, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let id = AppId::random(self.chance.as_ref());
            let values = params![id, org.0, name, folded(name), place.folder, place.team_text(), now.as_millis()];
            taken(transaction.execute(sql, values), "app", name)?;
            let event = KIND.created(transaction, org, "CREATE_APP", id.as_str())?;
            Ok((require(transaction, org, &id)?, vec![event]))
        })
    }

    /// One app.
    pub fn app(&self, org: OrgId, id: &AppId) -> Result<App, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// A part of the apps of an organization, by name.
    pub fn apps(&self, org: OrgId, find: &Find, part: Part) -> Result<Listed<App>, DirectoryError> {
        self.read(|connection| found(connection, "apps", COLUMNS, org, find, part, App::from_row))
    }

    /// Renames, moves or archives an app.
    pub fn change_app(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &AppId,
        change: &ThingChange<'_>,
        now: Timestamp,
    ) -> Result<App, DirectoryError> {
        self.change(by, now, |transaction| {
            let events = KIND.change(transaction, org, id.as_str(), change, now)?;
            Ok((require(transaction, org, id)?, events))
        })
    }

    /// Notes that a version of the app was released.
    pub fn release_app(&self, by: &ChangedBy, org: OrgId, id: &AppId, now: Timestamp) -> Result<App, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            let event = KIND.release(transaction, org, "RELEASE_APP", id.as_str(), before.released_at, now)?;
            Ok((require(transaction, org, id)?, vec![event]))
        })
    }

    /// Deletes an app and the grants on it.
    pub fn delete_app(&self, by: &ChangedBy, org: OrgId, id: &AppId, now: Timestamp) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| Ok(((), KIND.delete(transaction, org, id.as_str())?)))
    }
}

/// The app, or the answer that the organization has none.
fn require(connection: &Connection, org: OrgId, id: &AppId) -> Result<App, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM apps WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], App::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "app" })?)
}
