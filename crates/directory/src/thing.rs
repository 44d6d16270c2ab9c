//! What apps, workflows and resources have in common: a name, a place, and that they can be archived and deleted.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::Value;

use crate::error::{DirectoryError, Fault};
use crate::grant;
use crate::name::{checked_name, folded};
use crate::outbox::Event;
use crate::place::Place;
use crate::row;

/// What is to be different of an app, a workflow or a resource. `None`: it stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThingChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Where it lies.
    pub place: Option<Place>,
    /// Whether it is archived: seen and deleted, nothing else.
    pub archived: Option<bool>,
}

/// Which of the three it is.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) table: &'static str,
    pub(crate) what: &'static str,
    pub(crate) updated: &'static str,
    pub(crate) deleted: &'static str,
}

/// What all three have.
#[derive(Debug)]
pub(crate) struct Thing {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) archived_at: Option<Timestamp>,
}

impl Kind {
    /// The thing, or the answer that the organization has none.
    pub(crate) fn require(&self, connection: &Connection, org: OrgId, id: &str) -> Result<Thing, Fault> {
        let sql = format!("SELECT id, name, folder, team, archived_at FROM {} WHERE org = ?1 AND id = ?2", self.table);
        let found = connection.query_row(&sql, params![org.0, id], |found| {
            Ok(Thing {
                id: found.get("id")?,
                name: found.get("name")?,
                place: Place::from_row(found, "folder")?,
                archived_at: row::optional_time(found, "archived_at")?,
            })
        });
        Ok(found.optional()?.ok_or(DirectoryError::NotFound { what: self.what })?)
    }

    /// An event about the thing, in its team.
    pub(crate) fn event(
        &self,
        connection: &Connection,
        org: OrgId,
        action: &'static str,
        thing: &Thing,
    ) -> Result<Event, Fault> {
        let team = thing.place.team_of(connection)?;
        Ok(Event::new(org, action).team(team.as_ref()).target(self.what, &thing.id, Some(&thing.name)))
    }

    /// The event of a thing that was just made.
    pub(crate) fn created(
        &self,
        connection: &Connection,
        org: OrgId,
        action: &'static str,
        id: &str,
    ) -> Result<Event, Fault> {
        let thing = self.require(connection, org, id)?;
        let event = self.event(connection, org, action, &thing)?.changed("name", Value::Null, &*thing.name);
        let event = event.changed_if("folder", Value::Null, thing.place.folder_text());
        Ok(event.changed_if("team", Value::Null, thing.place.team_text()))
    }

    /// Makes the change. No event if nothing is different.
    pub(crate) fn change(
        &self,
        transaction: &Transaction<'_>,
        org: OrgId,
        id: &str,
        change: &ThingChange<'_>,
        now: Timestamp,
    ) -> Result<Vec<Event>, Fault> {
        let before = self.require(transaction, org, id)?;
        let name = change.name.map(checked_name).transpose()?.unwrap_or(&before.name).to_owned();
        let place = change.place.clone().unwrap_or_else(|| before.place.clone());
        place.check(transaction, org, "folder")?;
        let archived_at = match change.archived {
            Some(true) => before.archived_at.or(Some(now)),
            Some(false) => None,
            None => before.archived_at,
        };
        let sql = format!(
            "UPDATE {} SET name = ?1, name_key = ?2, folder = ?3, team = ?4, archived_at = ?5 WHERE id = ?6",
            self.table
        );
        let values =
            params![name, folded(&name), place.folder, place.team_text(), archived_at.map(Timestamp::as_millis), id];
        taken(transaction.execute(&sql, values), self.what, &name)?;
        let after = Thing { id: before.id, name, place, archived_at };
        let event = self.event(transaction, org, self.updated, &after)?;
        let event = event
            .changed_if("name", before.name, after.name)
            .changed_if("folder", before.place.folder_text(), after.place.folder_text())
            .changed_if("team", before.place.team_text(), after.place.team_text())
            .changed_if("archived", before.archived_at.is_some(), after.archived_at.is_some());
        Ok(if event.has_changes() { vec![event] } else { Vec::new() })
    }

    /// Notes that a version of an app or a workflow was released. `before` is when the one before it was.
    pub(crate) fn release(
        &self,
        transaction: &Transaction<'_>,
        org: OrgId,
        action: &'static str,
        id: &str,
        before: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Event, Fault> {
        let thing = self.require(transaction, org, id)?;
        let sql = format!("UPDATE {} SET released_at = ?1 WHERE id = ?2", self.table);
        transaction.execute(&sql, params![now.as_millis(), id])?;
        let event = self.event(transaction, org, action, &thing)?;
        Ok(event.changed("released_at", before.map(|at| at.to_string()), now.to_string()))
    }

    /// Deletes the thing and the grants on it.
    pub(crate) fn delete(&self, transaction: &Transaction<'_>, org: OrgId, id: &str) -> Result<Vec<Event>, Fault> {
        let thing = self.require(transaction, org, id)?;
        let event = self.event(transaction, org, self.deleted, &thing)?;
        let grants = grant::remove_of_object(transaction, org, self.what, id)?;
        transaction.execute(&format!("DELETE FROM {} WHERE org = ?1 AND id = ?2", self.table), params![org.0, id])?;
        Ok(vec![event.metadata("grants_removed", grants)])
    }
}

/// Tells that a name is taken.
pub(crate) fn taken<T>(done: rusqlite::Result<T>, what: &'static str, name: &str) -> Result<T, Fault> {
    match done {
        Err(error) if Fault::is_duplicate(&error) => {
            let article = if what.starts_with(['a', 'e']) { "an" } else { "a" };
            Err(DirectoryError::conflict(what, format!("There is already {article} {what} named “{name}”.")).into())
        }
        done => Ok(done?),
    }
}
