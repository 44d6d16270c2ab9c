//! The outbox: every change of the directory as an audit event, until the log has it.
//!
//! The row is written in the transaction of the change itself, so both are there or neither is, whoever made the change and
//! whether or not the server was running. The server appends the rows to the log, oldest first, and removes them once the log
//! has them. If we crash between the two, the row is appended again with the same `id`, and the log records an id only once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use record::{OrgId, TeamId, Timestamp};
use rusqlite::{Transaction, params};
use serde::Serialize;
use serde_json::Value;

use crate::chance::{Chance, random_hex};
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::name::shortened_user_agent;
use crate::row;

/// A row's number: ascending, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxId(pub i64);

impl fmt::Display for OutboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event that the log does not have yet, or that it has and we do not know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number.
    pub id: OutboxId,
    /// Whose log it belongs to.
    pub org: OrgId,
    /// The event, as JSON, in the form that the API takes.
    pub body: String,
    /// When the change was made.
    pub created_at: Timestamp,
}

impl Directory {
    /// Up to `limit` rows after the one numbered `after`, oldest first; from the oldest if `after` is `None`.
    pub fn outbox_after(&self, after: Option<OutboxId>, limit: u32) -> Result<Vec<OutboxRow>, DirectoryError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT id, org, body, created_at FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2")?;
            let rows = statement.query_map(params![after.map_or(0, |id| id.0), limit], |found| {
                Ok(OutboxRow {
                    id: OutboxId(found.get("id")?),
                    org: row::org(found, "org")?,
                    body: found.get("body")?,
                    created_at: row::time(found, "created_at")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets rows whose events are in the log, on stable storage.
    pub fn outbox_remove(&self, ids: &[OutboxId]) -> Result<(), DirectoryError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.note(|transaction| {
            let mut statement = transaction.prepare("DELETE FROM outbox WHERE id = ?1")?;
            for id in ids {
                statement.execute([id.0])?;
            }
            Ok(())
        })
    }
}

/// One change, as the event that will tell of it.
#[derive(Debug)]
pub(crate) struct Event {
    org: OrgId,
    action: &'static str,
    targets: Vec<Target>,
    changes: Vec<FieldChange>,
    /// In the order of the names: the same bytes whatever else is built in.
    metadata: BTreeMap<&'static str, Value>,
    team: Option<String>,
    outcome: &'static str,
}

#[derive(Debug, Serialize)]
struct Target {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
}

#[derive(Debug, Serialize)]
struct FieldChange {
    field: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

impl Event {
    pub(crate) fn new(org: OrgId, action: &'static str) -> Event {
        Event {
            org,
            action,
            targets: Vec::new(),
            changes: Vec::new(),
            metadata: BTreeMap::new(),
            team: None,
            outcome: "success",
        }
    }

    /// The team that it concerns.
    pub(crate) fn team(mut self, team: Option<&TeamId>) -> Event {
        self.team = team.map(|team| team.as_str().to_owned());
        self
    }

    /// It was tried, and did not work.
    pub(crate) fn failed(mut self) -> Event {
        self.outcome = "failure";
        self
    }

    pub(crate) fn target(self, kind: &'static str, id: impl fmt::Display, name: Option<&str>) -> Event {
        self.target_in(kind, id, name, None)
    }

    /// A target in an environment, by the environment's name.
    pub(crate) fn target_in(
        mut self,
        kind: &'static str,
        id: impl fmt::Display,
        name: Option<&str>,
        environment: Option<&str>,
    ) -> Event {
        let (name, environment) = (name.map(str::to_owned), environment.map(str::to_owned));
        self.targets.push(Target { kind, id: id.to_string(), name, environment });
        self
    }

    /// A field with its values before and after; `Value::Null` for none.
    pub(crate) fn changed(
        mut self,
        field: impl Into<Cow<'static, str>>,
        before: impl Into<Value>,
        after: impl Into<Value>,
    ) -> Event {
        let told = |value: Value| Some(ordered(value)).filter(|value| !value.is_null());
        self.changes.push(FieldChange { field: field.into(), before: told(before.into()), after: told(after.into()) });
        self
    }

    /// The same, if the two differ.
    pub(crate) fn changed_if(self, field: &'static str, before: impl Into<Value>, after: impl Into<Value>) -> Event {
        let (before, after) = (before.into(), after.into());
        if before == after { self } else { self.changed(field, before, after) }
    }

    /// Whether anything was changed.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// A change of a field whose values nobody is to see.
    pub(crate) fn changed_secretly(mut self, field: &'static str) -> Event {
        self.changes.push(FieldChange { field: field.into(), before: None, after: None });
        self
    }

    pub(crate) fn metadata(mut self, member: &'static str, value: impl Into<Value>) -> Event {
        self.metadata.insert(member, ordered(value.into()));
        self
    }
}

/// The value with every object's members in the order of their names, so that an event has the same bytes whatever else is built
/// into the program: a library may switch on that maps keep the order in which they were filled.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<String, Value> = members.into_iter().map(|(name, value)| (name, ordered(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(ordered).collect()),
        other => other,
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    action: &'static str,
    occurred_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<&'a str>,
    actor: Actor<'a>,
    targets: &'a [Target],
    #[serde(skip_serializing_if = "Context::is_empty")]
    context: Context,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time_ms: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changes: &'a [FieldChange],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<&'static str, Value>,
}

#[derive(Serialize)]
struct Actor<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

#[derive(Default, PartialEq, Eq, Serialize)]
struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Context {
    fn is_empty(&self) -> bool {
        *self == Context::default()
    }
}

/// Puts the event beside the change that the transaction makes.
pub(crate) fn write(
    transaction: &Transaction<'_>,
    chance: &dyn Chance,
    by: &ChangedBy,
    now: Timestamp,
    event: &Event,
) -> Result<(), Fault> {
    let body = Body {
        id: format!("acta-outbox-{}", random_hex::<8>(chance)),
        action: event.action,
        occurred_at: now,
        team: event.team.as_deref(),
        actor: Actor {
            kind: by.actor_type.as_str(),
            id: &by.actor_id,
            name: by.actor_name.as_deref(),
            email: by.actor_email.as_deref(),
        },
        targets: &event.targets,
        context: Context {
            ip: by.ip,
            user_agent: by.user_agent.as_deref().map(shortened_user_agent),
            session_id: by.session_id.clone(),
            request_id: by.request_id.clone(),
        },
        outcome: event.outcome,
        response_time_ms: by.started_at.and_then(|at| u64::try_from(now.millis_since(at)).ok()),
        changes: &event.changes,
        metadata: &event.metadata,
    };
    let body = serde_json::to_string(&body).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction.execute(
        "INSERT INTO outbox (org, body, created_at) VALUES (?1, ?2, ?3)",
        params![event.org.0, body, now.as_millis()],
    )?;
    // Whoever holds decisions made from the directory in memory sees that they may be out of date.
    transaction.execute("UPDATE organizations SET epoch = epoch + 1 WHERE id = ?1", [event.org.0])?;
    Ok(())
}
