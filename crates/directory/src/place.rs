//! Where folders, apps, workflows and resources lie: in a folder, in a team, or in neither.

use record::{OrgId, TeamId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::{DirectoryError, Fault};
use crate::id::FolderId;
use crate::row;
use crate::{folder, team};

/// Where a thing lies. In a folder or in a team, not in both: what lies in a folder belongs to the folder's team.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: Option<FolderId>,
    /// The team.
    pub team: Option<TeamId>,
}

impl Place {
    /// Reads the column of the folder, by its name, and the column `team`.
    pub(crate) fn from_row(found: &Row<'_>, folder: &str) -> rusqlite::Result<Place> {
        let folder = row::optional(found, folder, FolderId::parse)?;
        Ok(Place { folder, team: row::optional(found, "team", TeamId::new)? })
    }

    /// Refuses a place that is none. `member` is what is at fault if the folder is.
    pub(crate) fn check(&self, connection: &Connection, org: OrgId, member: &'static str) -> Result<(), Fault> {
        if self.folder.is_some() && self.team.is_some() {
            let detail = "is not to be given with a folder: what lies in a folder belongs to the folder's team";
            return Err(DirectoryError::invalid("team", detail).into());
        }
        if let Some(id) = &self.folder {
            folder::require(connection, org, id).map_err(|fault| unknown(fault, member, "folder"))?;
        }
        if let Some(id) = &self.team {
            team::require(connection, org, id).map_err(|fault| unknown(fault, "team", "team"))?;
        }
        Ok(())
    }

    /// The team that it belongs to, its own or that of the folder, at whatever depth.
    pub(crate) fn team_of(&self, connection: &Connection) -> Result<Option<TeamId>, Fault> {
        let Some(folder) = &self.folder else { return Ok(self.team.clone()) };
        let sql = "WITH RECURSIVE above (parent, team) AS (
                     SELECT parent, team FROM folders WHERE id = ?1
                     UNION SELECT folders.parent, folders.team FROM folders JOIN above ON folders.id = above.parent)
                   SELECT team FROM above WHERE team IS NOT NULL";
        let found = connection.query_row(sql, params![folder], |found| row::parsed(found, "team", TeamId::new));
        Ok(found.optional()?)
    }

    pub(crate) fn folder_text(&self) -> Option<String> {
        self.folder.as_ref().map(|id| id.as_str().to_owned())
    }

    pub(crate) fn team_text(&self) -> Option<String> {
        self.team.as_ref().map(|id| id.as_str().to_owned())
    }
}

/// A thing that the request names and that is not there is the request's fault.
pub(crate) fn unknown(fault: Fault, member: &'static str, what: &str) -> Fault {
    match fault {
        Fault::Told(DirectoryError::NotFound { .. }) => {
            DirectoryError::invalid(member, format!("names no {what} of this organization")).into()
        }
        other => other,
    }
}
