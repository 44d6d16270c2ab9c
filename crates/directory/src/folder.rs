//! Folders: of apps, workflows, resources and folders. A grant on a folder reaches what is inside, but no resource.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::grant;
use crate::id::FolderId;
use crate::listing::{Listed, Part};
use crate::name::{checked_name, folded};
use crate::organization;
use crate::outbox::Event;
use crate::place::Place;
use crate::row;
use crate::thing::taken;

/// So deep folders lie in folders at most.
pub const FOLDER_DEPTH_MAX: usize = 16;

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// The organization.
    pub org: OrgId,
    /// Its name; no two in the same place are the same but for capitals.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// When it was created.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, org, name, parent, team, created_at";

impl Folder {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Folder> {
        Ok(Folder {
            id: row::parsed(found, "id", FolderId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            place: Place::from_row(found, "parent")?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Creates a folder.
    pub fn create_folder(
        &self,
        by: &ChangedBy,
        org: OrgId,
        name: &str,
        place: &Place,
        now: Timestamp,
    ) -> Result<Folder, DirectoryError> {
        let name = checked_name(name)?;
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            place.check(transaction, org, "parent")?;
            let depth = place.folder.as_ref().map_or(Ok(0), |parent| above(transaction, parent).map(|path| path.len()))?;
            refuse_depth(depth + 1)?;
            let sql = format!(
                "INSERT INTO folders (id, org, name, name_key, parent, team, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING {COLUMNS}"
            );
            let id = FolderId::random(self.chance.as_ref());
            let values = params![id, org.0, name, folded(name), place.folder, place.team_text(), now.as_millis()];
            let folder = taken(transaction.query_row(&sql, values, Folder::from_row), "folder", name)?;
            let event = about(transaction, "CREATE_FOLDER", &folder)?
                .changed("name", Value::Null, name)
                .changed_if("parent", Value::Null, place.folder_text())
                .changed_if("team", Value::Null, place.team_text());
            Ok((folder, vec![event]))
        })
    }

    /// One folder.
    pub fn folder(&self, org: OrgId, id: &FolderId) -> Result<Folder, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// A part of the folders of an organization, by name.
    pub fn folders(&self, org: OrgId, find: &Find, part: Part) -> Result<Listed<Folder>, DirectoryError> {
        self.read(|connection| found(connection, "folders", COLUMNS, org, find, part, Folder::from_row))
    }

    /// Renames or moves a folder, with all that is inside.
    pub fn change_folder(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &FolderId,
        name: Option<&str>,
        place: Option<&Place>,
        now: Timestamp,
    ) -> Result<Folder, DirectoryError> {
        let name = name.map(checked_name).transpose()?;
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            let after = Folder {
                name: name.unwrap_or(&before.name).to_owned(),
                place: place.unwrap_or(&before.place).clone(),
                ..before.clone()
            };
            if after.place != before.place {
                after.place.check(transaction, org, "parent")?;
                refuse_cycle(transaction, &after)?;
            }
            let sql = "UPDATE folders SET name = ?1, name_key = ?2, parent = ?3, team = ?4 WHERE id = ?5";
            let values = params![after.name, folded(&after.name), after.place.folder, after.place.team_text(), id];
            taken(transaction.execute(sql, values), "folder", &after.name)?;
            let event = about(transaction, "UPDATE_FOLDER", &after)?
                .changed_if("name", before.name, &*after.name)
                .changed_if("parent", before.place.folder_text(), after.place.folder_text())
                .changed_if("team", before.place.team_text(), after.place.team_text());
            let events = if event.has_changes() { vec![event] } else { Vec::new() };
            Ok((after, events))
        })
    }

    /// Deletes a folder in which nothing is any more; the grants on it go with it.
    pub fn delete_folder(&self, by: &ChangedBy, org: OrgId, id: &FolderId, now: Timestamp) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let folder = require(transaction, org, id)?;
            let sql = "SELECT (SELECT count(*) FROM folders WHERE parent = ?1) + (SELECT count(*) FROM apps WHERE folder = ?1) \
                       + (SELECT count(*) FROM workflows WHERE folder = ?1) \
                       + (SELECT count(*) FROM resources WHERE folder = ?1)";
            let inside: u32 = transaction.query_row(sql, [id], |row| row.get(0))?;
            if inside > 0 {
                let detail = format!("{inside} things are in the folder “{}”. Move or delete them first.", folder.name);
                return Err(DirectoryError::conflict("folder", detail).into());
            }
            let event = about(transaction, "DELETE_FOLDER", &folder)?;
            let grants = grant::remove_of_object(transaction, org, "folder", id.as_str())?;
            transaction.execute("DELETE FROM folders WHERE id = ?1", [id])?;
            Ok(((), vec![event.metadata("grants_removed", grants)]))
        })
    }
}

/// The folder, or the answer that the organization has none.
pub(crate) fn require(connection: &Connection, org: OrgId, id: &FolderId) -> Result<Folder, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM folders WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Folder::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "folder" })?)
}

/// The folder and those that it lies in, with their names, itself first.
fn above(connection: &Connection, id: &FolderId) -> Result<Vec<(String, String)>, Fault> {
    let sql = "WITH RECURSIVE above (id, name, parent, step) AS (
                 SELECT id, name, parent, 0 FROM folders WHERE id = ?1
                 UNION SELECT folders.id, folders.name, folders.parent, step + 1
                   FROM folders JOIN above ON folders.id = above.parent WHERE step < 64)
               SELECT id, name FROM above ORDER BY step";
    let mut statement = connection.prepare(sql)?;
    Ok(statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// How many folders lie in one another from this one down, itself included.
fn height(connection: &Connection, id: &FolderId) -> Result<usize, Fault> {
    let sql = "WITH RECURSIVE below (id, step) AS (
                 SELECT ?1, 1 UNION SELECT folders.id, step + 1 FROM folders JOIN below ON folders.parent = below.id
                 WHERE step < 64)
               SELECT max(step) FROM below";
    let steps: u32 = connection.query_row(sql, [id], |row| row.get(0))?;
    Ok(steps as usize)
}

fn refuse_cycle(transaction: &Transaction<'_>, moved: &Folder) -> Result<(), Fault> {
    let Some(parent) = &moved.place.folder else { return Ok(()) };
    let path = above(transaction, parent)?;
    if let Some(at) = path.iter().position(|(id, _)| *id == moved.id.as_str()) {
        let names: Vec<String> = path[..=at].iter().rev().map(|(_, name)| format!("“{name}”")).collect();
        let detail = format!("would put the folder into itself: {} → “{}”", names.join(" → "), moved.name);
        return Err(DirectoryError::invalid("parent", detail).into());
    }
    refuse_depth(path.len() + height(transaction, &moved.id)?)
}

fn refuse_depth(depth: usize) -> Result<(), Fault> {
    if depth > FOLDER_DEPTH_MAX {
        let detail = format!("would be folders in folders, {depth} deep; {FOLDER_DEPTH_MAX} is the most");
        return Err(DirectoryError::invalid("parent", detail).into());
    }
    Ok(())
}

fn about(connection: &Connection, action: &'static str, folder: &Folder) -> Result<Event, Fault> {
    let team = folder.place.team_of(connection)?;
    Ok(Event::new(folder.org, action).team(team.as_ref()).target("folder", &folder.id, Some(&folder.name)))
}
