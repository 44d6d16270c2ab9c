//! Resources: the databases, APIs and buckets that apps and workflows work on, and in which environments each can be reached.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::environment::{self, Environment};
use crate::error::{DirectoryError, Fault};
use crate::find::{Find, found};
use crate::grant;
use crate::id::{EnvironmentId, ResourceId};
use crate::listing::{Listed, Part};
use crate::name::{checked_name, folded};
use crate::organization;
use crate::outbox::Event;
use crate::place::Place;
use crate::row;
use crate::thing::{Kind, ThingChange, taken};

/// The longest kind, in characters.
const KIND_CHARS_MAX: usize = 64;

/// A resource. How it is reached, and with which secret, stays with the platform that is audited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// The organization.
    pub org: OrgId,
    /// Its name; no two of an organization are the same but for capitals.
    pub name: String,
    /// What it is, in the platform's words: `postgresql`, `restapi`.
    pub kind: String,
    /// Where it lies. Grants on folders and teams do not reach it there.
    pub place: Place,
    /// In which environments it is there.
    pub environments: Vec<ResourceEnvironment>,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A resource in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceEnvironment {
    /// The environment.
    pub environment: EnvironmentId,
    /// Whether its data asks for more care.
    pub sensitive: bool,
}

const COLUMNS: &str = "id, org, name, kind, folder, team, archived_at, created_at, \
                       (SELECT json_group_array(json_array(environment, sensitive)) FROM \
                       (SELECT environment, sensitive FROM resource_environments WHERE resource = resources.id \
                       ORDER BY environment)) AS environments";
const KIND: Kind = Kind { table: "resources", what: "resource", updated: "UPDATE_RESOURCE", deleted: "DELETE_RESOURCE" };

impl Resource {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Resource> {
        let entries = row::parsed(found, "environments", |text| serde_json::from_str::<Vec<(String, u8)>>(text))?;
        let entries = entries.into_iter().filter_map(|(environment, sensitive)| {
            let environment = EnvironmentId::parse(&environment).ok()?;
            Some(ResourceEnvironment { environment, sensitive: sensitive != 0 })
        });
        Ok(Resource {
            id: row::parsed(found, "id", ResourceId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            kind: found.get("kind")?,
            place: Place::from_row(found, "folder")?,
            environments: entries.collect(),
            archived_at: row::optional_time(found, "archived_at")?,
            created_at: row::time(found, "created_at")?,
        })
    }
}

impl Directory {
    /// Creates a resource. It is in no environment yet.
    pub fn create_resource(
        &self,
        by: &ChangedBy,
        org: OrgId,
        name: &str,
        kind: &str,
        place: &Place,
        now: Timestamp,
    ) -> Result<Resource, DirectoryError> {
        let name = checked_name(name)?;
        let kind = checked_kind(kind)?;
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            place.check(transaction, org, "folder")?;
            let sql = "INSERT INTO resources (id, org, name, name_key, kind, folder, team, created_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let id = ResourceId::random(self.chance.as_ref());
            let values = params![id, org.0, name, folded(name), kind, place.folder, place.team_text(), now.as_millis()];
            taken(transaction.execute(sql, values), "resource", name)?;
            let event = KIND.created(transaction, org, "CREATE_RESOURCE", id.as_str())?.changed("kind", Value::Null, kind);
            Ok((require(transaction, org, &id)?, vec![event]))
        })
    }

    /// One resource.
    pub fn resource(&self, org: OrgId, id: &ResourceId) -> Result<Resource, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// A part of the resources of an organization, by name.
    pub fn resources(&self, org: OrgId, find: &Find, part: Part) -> Result<Listed<Resource>, DirectoryError> {
        self.read(|connection| found(connection, "resources", COLUMNS, org, find, part, Resource::from_row))
    }

    /// Renames, moves or archives a resource.
    pub fn change_resource(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &ResourceId,
        change: &ThingChange<'_>,
        now: Timestamp,
    ) -> Result<Resource, DirectoryError> {
        self.change(by, now, |transaction| {
            let events = KIND.change(transaction, org, id.as_str(), change, now)?;
            Ok((require(transaction, org, id)?, events))
        })
    }

    /// Puts a resource into an environment, or changes whether its data there is sensitive. Nobody is granted it there by that.
    pub fn put_resource_environment(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &ResourceId,
        entry: &ResourceEnvironment,
        now: Timestamp,
    ) -> Result<Resource, DirectoryError> {
        self.change(by, now, |transaction| {
            let (before, environment) = both(transaction, org, id, &entry.environment)?;
            let known = before.environments.iter().find(|one| one.environment == entry.environment);
            if known == Some(entry) {
                return Ok((before, Vec::new()));
            }
            let sql = "INSERT INTO resource_environments (resource, environment, sensitive, created_at) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT (resource, environment) DO UPDATE SET sensitive = excluded.sensitive";
            transaction.execute(sql, params![id, entry.environment, entry.sensitive, now.as_millis()])?;
            let event = about(transaction, org, &before, &environment)?;
            let event = match known {
                None => event.changed("environment", Value::Null, &*environment.name),
                Some(_) => event,
            };
            let event = event.changed("sensitive", known.map(|one| one.sensitive), entry.sensitive);
            Ok((require(transaction, org, id)?, vec![event]))
        })
    }

    /// Takes a resource out of an environment, with the grants on it there.
    pub fn delete_resource_environment(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &ResourceId,
        environment: &EnvironmentId,
        now: Timestamp,
    ) -> Result<Resource, DirectoryError> {
        self.change(by, now, |transaction| {
            let (before, environment) = both(transaction, org, id, environment)?;
            let sql = "DELETE FROM resource_environments WHERE resource = ?1 AND environment = ?2";
            if transaction.execute(sql, params![id, environment.id])? == 0 {
                return Err(DirectoryError::NotFound { what: "resource in this environment" }.into());
            }
            let grants = grant::remove_of_entry(transaction, org, id, &environment.id)?;
            let event = about(transaction, org, &before, &environment)?
                .changed("environment", &*environment.name, Value::Null)
                .metadata("grants_removed", grants);
            Ok((require(transaction, org, id)?, vec![event]))
        })
    }

    /// Deletes a resource in all its environments, and the grants on it.
    pub fn delete_resource(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &ResourceId,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            KIND.require(transaction, org, id.as_str())?;
            transaction.execute("DELETE FROM resource_environments WHERE resource = ?1", [id])?;
            Ok(((), KIND.delete(transaction, org, id.as_str())?))
        })
    }
}

fn checked_kind(text: &str) -> Result<&str, DirectoryError> {
    let kind = text.trim();
    let fits = (1..=KIND_CHARS_MAX).contains(&kind.chars().count()) && !kind.chars().any(char::is_control);
    if fits { Ok(kind) } else { Err(DirectoryError::invalid("kind", format!("has 1 to {KIND_CHARS_MAX} characters"))) }
}

/// The resource, or the answer that the organization has none.
fn require(connection: &Connection, org: OrgId, id: &ResourceId) -> Result<Resource, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM resources WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Resource::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "resource" })?)
}

fn both(
    transaction: &Transaction<'_>,
    org: OrgId,
    id: &ResourceId,
    environment: &EnvironmentId,
) -> Result<(Resource, Environment), Fault> {
    Ok((require(transaction, org, id)?, environment::require(transaction, org, environment)?))
}

/// An event about the resource in that environment.
fn about(transaction: &Transaction<'_>, org: OrgId, resource: &Resource, environment: &Environment) -> Result<Event, Fault> {
    let team = resource.place.team_of(transaction)?;
    let event = Event::new(org, "UPDATE_RESOURCE").team(team.as_ref());
    Ok(event.target_in("resource", &resource.id, Some(&resource.name), Some(&environment.name)))
}
