//! Workflows: what runs by itself.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::id::WorkflowId;
use crate::listing::{Listed, Part};
use crate::name::{checked_name, folded};
use crate::organization;
use crate::place::Place;
use crate::row;
use crate::thing::{Kind, ThingChange, taken};

/// A workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// The organization.
    pub org: OrgId,
    /// Its name; no two of an organization are the same but for capitals.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// Whether it runs.
    pub enabled: bool,
    /// When a version of it was last released.
    pub released_at: Option<Timestamp>,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, org, name, folder, team, enabled, released_at, archived_at, created_at";
const KIND: Kind = Kind { table: "workflows", what: "workflow", updated: "UPDATE_WORKFLOW", deleted: "DELETE_WORKFLOW" };

impl Workflow {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Workflow> {
        Ok(Workflow {
            id: row::parsed(found, "id", WorkflowId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            place: Place::from_row(found, "folder")?,
            enabled: found.get("enabled")?,
            released_at: row::optional_time(found, "released_at")?,
            archived_at: row::optional_time(found, "archived_at")?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Creates a workflow. It is enabled, and not released.
    pub fn create_workflow(
        &self,
        by: &ChangedBy,
        org: OrgId,
        name: &str,
        place: &Place,
        now: Timestamp,
    ) -> Result<Workflow, DirectoryError> {
        let name = checked_name(name)?;
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            place.check(transaction, org, "folder")?;
            let sql = "INSERT INTO workflows (id, org, name, name_key, folder, team, created_at, enabled) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, TRUE)";
            let id = WorkflowId::random(self.chance.as_ref());
            let values = params![id, org.0, name, folded(name), place.folder, place.team_text(), now.as_millis()];
            taken(transaction.execute(sql, values), "workflow", name)?;
            let event = KIND.created(transaction, org, "CREATE_WORKFLOW", id.as_str())?;
            Ok((require(transaction, org, &id)?, vec![event]))
        })
    }

    /// One workflow.
    pub fn workflow(&self, org: OrgId, id: &WorkflowId) -> Result<Workflow, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// A part of the workflows of an organization, by name.
    pub fn workflows(&self, org: OrgId, find: &Find, part: Part) -> Result<Listed<Workflow>, DirectoryError> {
        self.read(|connection| found(connection, "workflows", COLUMNS, org, find, part, Workflow::from_row))
    }

    /// Renames, moves or archives a workflow.
    pub fn change_workflow(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &WorkflowId,
        change: &ThingChange<'_>,
        now: Timestamp,
    ) -> Result<Workflow, DirectoryError> {
        self.change(by, now, |transaction| {
            let events = KIND.change(transaction, org, id.as_str(), change, now)?;
            Ok((require(transaction, org, id)?, events))
        })
    }

    /// Notes that a version of the workflow was released.
    pub fn release_workflow(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &WorkflowId,
        now: Timestamp,
    ) -> Result<Workflow, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            let event = KIND.release(transaction, org, "RELEASE_WORKFLOW", id.as_str(), before.released_at, now)?;
            Ok((require(transaction, org, id)?, vec![event]))
        })
    }

    /// Lets the workflow run, or not.
    pub fn set_workflow_enabled(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &WorkflowId,
        enabled: bool,
        now: Timestamp,
    ) -> Result<Workflow, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            if before.enabled == enabled {
                return Ok((before, Vec::new()));
            }
            transaction.execute("UPDATE workflows SET enabled = ?1 WHERE id = ?2", params![enabled, id])?;
            let action = if enabled { "ENABLE_WORKFLOW" } else { "DISABLE_WORKFLOW" };
            let thing = KIND.require(transaction, org, id.as_str())?;
            let event = KIND.event(transaction, org, action, &thing)?.changed("enabled", before.enabled, enabled);
            Ok((require(transaction, org, id)?, vec![event]))
        })
    }

    /// Deletes a workflow and the grants on it.
    pub fn delete_workflow(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &WorkflowId,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| Ok(((), KIND.delete(transaction, org, id.as_str())?)))
    }
}

/// The workflow, or the answer that the organization has none.
fn require(connection: &Connection, org: OrgId, id: &WorkflowId) -> Result<Workflow, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM workflows WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Workflow::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "workflow" })?)
}
