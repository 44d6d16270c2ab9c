//! Grants: who may do how much with what. Nothing else lets anybody touch data.

use access::{GrantObject, Level, SubjectKind};
use record::{OrgId, TeamId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::{EnvironmentId, GrantId, ResourceId};
use crate::listing::{Listed, Part, listed};
use crate::organization;
use crate::outbox::Event;
use crate::place::Place;
use crate::principal::Principal;
use crate::row;

/// Who may do how much with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The organization.
    pub org: OrgId,
    /// What its subject is.
    pub subject: SubjectKind,
    /// Its subject's id.
    pub subject_id: String,
    /// How much.
    pub level: Level,
    /// With what.
    pub object: GrantObject,
    /// The id of whoever granted it: a user's, a key's, `acta-cli`.
    pub granted_by: String,
    /// When it was granted.
    pub created_at: Timestamp,
    /// From when on it does not hold any more.
    pub expires_at: Option<Timestamp>,
}

/// A grant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// What its subject is.
    pub subject: SubjectKind,
    /// Its subject's id.
    pub subject_id: String,
    /// How much.
    pub level: Level,
    /// With what.
    pub object: GrantObject,
    /// From when on it does not hold any more; in the future.
    pub expires_at: Option<Timestamp>,
}

/// Which grants are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantFind {
    /// Those of this subject, directly.
    pub subject: Option<(SubjectKind, String)>,
    /// Those that name this object.
    pub object: Option<GrantObject>,
    /// Only these ids: what the caller may know of. `None`: all.
    pub only: Option<Vec<String>>,
}

const COLUMNS: &str =
    "id, org, subject_kind, subject_id, level, object_kind, object_id, environment, granted_by, created_at, expires_at";

impl Grant {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Grant> {
        Ok(Grant {
            id: row::parsed(found, "id", GrantId::parse)?,
            org: row::org(found, "org")?,
            subject: row::parsed(found, "subject_kind", str::parse::<SubjectKind>)?,
            subject_id: found.get("subject_id")?,
            level: row::parsed(found, "level", str::parse::<Level>)?,
            object: object_from_row(found)?,
            granted_by: found.get("granted_by")?,
            created_at: row::time(found, "created_at")?,
            expires_at: row::optional_time(found, "expires_at")?,
        })
    }
}

/// How an object stands in the columns `object_kind`, `object_id` and `environment`.
fn columns(object: &GrantObject) -> (&'static str, Option<&str>, Option<&str>) {
    match object {
        GrantObject::App(id) => ("app", Some(id), None),
        GrantObject::Workflow(id) => ("workflow", Some(id), None),
        GrantObject::Folder(id) => ("folder", Some(id), None),
        GrantObject::Team(id) => ("team", Some(id), None),
        GrantObject::Resource { resource, environment } => ("resource", Some(resource), Some(environment)),
        GrantObject::AllApps => ("app", None, None),
        GrantObject::AllWorkflows => ("workflow", None, None),
        GrantObject::AllFolders => ("folder", None, None),
        GrantObject::AllResources { environment } => ("resource", None, Some(environment)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no kind of object that is granted")]
struct UnknownObject(String);

pub(crate) fn object_from_row(found: &Row<'_>) -> rusqlite::Result<GrantObject> {
    let id: Option<String> = found.get("object_id")?;
    let environment: Option<String> = found.get("environment")?;
    row::parsed(found, "object_kind", |kind| {
        Ok(match (kind, id, environment) {
            ("app", Some(id), _) => GrantObject::App(id),
            ("workflow", Some(id), _) => GrantObject::Workflow(id),
            ("folder", Some(id), _) => GrantObject::Folder(id),
            ("team", Some(id), _) => GrantObject::Team(id),
            ("resource", Some(resource), Some(environment)) => GrantObject::Resource { resource, environment },
            ("resource", None, Some(environment)) => GrantObject::AllResources { environment },
            ("app", None, _) => GrantObject::AllApps,
            ("workflow", None, _) => GrantObject::AllWorkflows,
            ("folder", None, _) => GrantObject::AllFolders,
            (other, ..) => return Err(UnknownObject(other.to_owned())),
        })
    })
}

impl Directory {
    /// Grants. Whether the caller may is not asked here.
    pub fn create_grant(&self, by: &ChangedBy, org: OrgId, new: &NewGrant, now: Timestamp) -> Result<Grant, DirectoryError> {
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(DirectoryError::invalid("expires_at", "is not in the future"));
        }
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let told = Told::of(transaction, org, new.subject, &new.subject_id, &new.object)?;
            told.refuse_what_is_not_there(new)?;
            let (kind, object, environment) = columns(&new.object);
            let sql = format!(
                "INSERT INTO grants ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING {COLUMNS}"
            );
            let values = params![
                GrantId::random(self.chance.as_ref()),
                org.0,
                new.subject.as_str(),
                new.subject_id,
                new.level.as_str(),
                kind,
                object,
                environment,
                by.actor_id,
                now.as_millis(),
                new.expires_at.map(Timestamp::as_millis)
            ];
            let grant = match transaction.query_row(&sql, values, Grant::from_row) {
                Err(error) if Fault::is_duplicate(&error) => {
                    let detail =
                        "There is already a grant on this for the same subject. Delete it first to give another level.";
                    return Err(DirectoryError::conflict("grant", detail).into());
                }
                inserted => inserted?,
            };
            let action = match (&grant.object, grant.subject) {
                (GrantObject::App(_), SubjectKind::Group) => "ADD_PAGE_TO_GROUP",
                (GrantObject::App(_), SubjectKind::User) => "DIRECTLY_SHARE_PAGE_WITH_USER",
                _ => "MODIFY_PERMISSIONS",
            };
            let event = told.event(action, &grant).changed("level", Value::Null, grant.level.as_str());
            let event = event.changed_if("expires_at", Value::Null, grant.expires_at.map(|at| at.to_string()));
            Ok((grant, vec![event]))
        })
    }

    /// One grant.
    pub fn grant(&self, org: OrgId, id: &GrantId) -> Result<Grant, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// A part of the grants of an organization, the oldest first.
    pub fn grants(&self, org: OrgId, find: &GrantFind, part: Part) -> Result<Listed<Grant>, DirectoryError> {
        self.read(|connection| {
            let from = "FROM grants WHERE org = ?1 AND (?2 IS NULL OR (subject_kind = ?2 AND subject_id = ?3)) \
                        AND (?4 IS NULL OR (object_kind = ?4 AND object_id IS ?5 AND environment IS ?6)) \
                        AND (?7 IS NULL OR id IN (SELECT value FROM json_each(?7)))";
            let object = find.object.as_ref().map(columns);
            let only = find.only.as_ref().map(|ids| Value::from(ids.as_slice()).to_string());
            let values = params![
                org.0,
                find.subject.as_ref().map(|(kind, _)| kind.as_str()),
                find.subject.as_ref().map(|(_, id)| id),
                object.map(|(kind, ..)| kind),
                object.and_then(|(_, id, _)| id),
                object.and_then(|(.., environment)| environment),
                only
            ];
            listed(connection, COLUMNS, from, "created_at, id", values, part, Grant::from_row)
        })
    }

    /// Takes a grant back.
    pub fn delete_grant(&self, by: &ChangedBy, org: OrgId, id: &GrantId, now: Timestamp) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let grant = require(transaction, org, id)?;
            let told = Told::of(transaction, org, grant.subject, &grant.subject_id, &grant.object)?;
            transaction.execute("DELETE FROM grants WHERE id = ?1", [id])?;
            let action = match (&grant.object, grant.subject) {
                (GrantObject::App(_), SubjectKind::Group) => "REMOVE_PAGE_FROM_GROUP",
                _ => "MODIFY_PERMISSIONS",
            };
            Ok(((), vec![told.event(action, &grant).changed("level", grant.level.as_str(), Value::Null)]))
        })
    }
}

/// The grant, or the answer that the organization has none.
fn require(connection: &Connection, org: OrgId, id: &GrantId) -> Result<Grant, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Grant::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "grant" })?)
}

/// Takes all grants of a user, a service account or a group back, and tells how many there were.
pub(crate) fn remove_of_subject(transaction: &Transaction<'_>, org: OrgId, subject: &Principal) -> Result<usize, Fault> {
    let sql = "DELETE FROM grants WHERE org = ?1 AND subject_kind = ?2 AND subject_id = ?3";
    Ok(transaction.execute(sql, params![org.0, subject.kind(), subject.id()])?)
}

/// Takes all grants on one thing back, in all environments.
pub(crate) fn remove_of_object(transaction: &Transaction<'_>, org: OrgId, kind: &str, id: &str) -> Result<usize, Fault> {
    let sql = "DELETE FROM grants WHERE org = ?1 AND object_kind = ?2 AND object_id = ?3";
    Ok(transaction.execute(sql, params![org.0, kind, id])?)
}

/// Takes all grants on a resource in one environment back.
pub(crate) fn remove_of_entry(
    transaction: &Transaction<'_>,
    org: OrgId,
    resource: &ResourceId,
    environment: &EnvironmentId,
) -> Result<usize, Fault> {
    let sql = "DELETE FROM grants WHERE org = ?1 AND object_kind = 'resource' AND object_id = ?2 AND environment = ?3";
    Ok(transaction.execute(sql, params![org.0, resource, environment])?)
}

/// Takes all grants in an environment back.
pub(crate) fn remove_of_environment(
    transaction: &Transaction<'_>,
    org: OrgId,
    environment: &EnvironmentId,
) -> Result<usize, Fault> {
    Ok(transaction.execute("DELETE FROM grants WHERE org = ?1 AND environment = ?2", params![org.0, environment])?)
}

/// The names that an event about a grant tells, as far as the things are there.
struct Told {
    subject: Option<String>,
    /// Of everything of a kind: none.
    object: Option<String>,
    environment: Option<String>,
    team: Option<TeamId>,
}

impl Told {
    fn of(
        connection: &Connection,
        org: OrgId,
        subject: SubjectKind,
        subject_id: &str,
        object: &GrantObject,
    ) -> Result<Told, Fault> {
        let name = |table: &str, id: &str| {
            let sql = format!("SELECT name FROM {table} WHERE org = ?1 AND id = ?2");
            connection.query_row(&sql, params![org.0, id], |row| row.get(0)).optional()
        };
        let subjects = match subject {
            SubjectKind::User => "users",
            SubjectKind::ServiceAccount => "service_accounts",
            SubjectKind::Group => "groups",
        };
        let (kind, id, environment) = columns(object);
        let table = match kind {
            "app" => "apps",
            "workflow" => "workflows",
            "folder" => "folders",
            "team" => "teams",
            _ => "resources",
        };
        let team = match (kind, id) {
            ("team", Some(id)) => TeamId::new(id).ok(),
            (_, Some(id)) => {
                let folder = if kind == "folder" { "parent" } else { "folder" };
                let sql = format!("SELECT {folder}, team FROM {table} WHERE org = ?1 AND id = ?2");
                let place = connection.query_row(&sql, params![org.0, id], |row| Place::from_row(row, folder)).optional()?;
                place.map(|place| place.team_of(connection)).transpose()?.flatten()
            }
            _ => None,
        };
        Ok(Told {
            subject: name(subjects, subject_id)?,
            object: id.map(|id| name(table, id)).transpose()?.flatten(),
            environment: environment.map(|id| name("environments", id)).transpose()?.flatten(),
            team,
        })
        .and_then(|told| told.in_environment(connection, object))
    }

    /// A resource that is not in the environment is not there.
    fn in_environment(mut self, connection: &Connection, object: &GrantObject) -> Result<Told, Fault> {
        if let GrantObject::Resource { resource, environment } = object {
            let sql = "SELECT count(*) FROM resource_environments WHERE resource = ?1 AND environment = ?2";
            let entries: u32 = connection.query_row(sql, params![resource, environment], |row| row.get(0))?;
            self.environment = self.environment.filter(|_| entries > 0);
        }
        Ok(self)
    }

    fn refuse_what_is_not_there(&self, new: &NewGrant) -> Result<(), Fault> {
        let (kind, id, environment) = columns(&new.object);
        if self.subject.is_none() {
            let what = new.subject.as_str().replace('_', " ");
            return Err(DirectoryError::invalid("subject", format!("names no {what} of this organization")).into());
        }
        if id.is_some() && self.object.is_none() {
            return Err(DirectoryError::invalid("object", format!("names no {kind} of this organization")).into());
        }
        if environment.is_some() && self.environment.is_none() {
            let detail = match id {
                Some(_) => "names an environment in which the resource is not",
                None => "names no environment of this organization",
            };
            return Err(DirectoryError::invalid("object", detail).into());
        }
        Ok(())
    }

    fn event(&self, action: &'static str, grant: &Grant) -> Event {
        let (kind, id, environment) = columns(&grant.object);
        let shown = self.environment.as_deref().or(environment);
        let all = format!("all {kind}s");
        let name = if id.is_some() { self.object.as_deref() } else { Some(&*all) };
        let event = Event::new(grant.org, action).team(self.team.as_ref()).metadata("grant", grant.id.as_str());
        let event = event.target_in(kind, id.unwrap_or("*"), name, shown);
        event.target(grant.subject.as_str(), &grant.subject_id, self.subject.as_deref())
    }
}
