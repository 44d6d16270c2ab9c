//! What somebody did: action, actor, targets, context, outcome, time, metadata.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::Json;
use crate::time::Timestamp;
use crate::word::{Action, Kind, TeamId};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was tried and did not work.
    Failure,
    /// It was refused.
    Denied,
}

impl Outcome {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Outcome; 3] = [Outcome::Success, Outcome::Failure, Outcome::Denied];

    /// The name in JSON, in the record and in filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Denied => "denied",
        }
    }

    /// The outcome of that name.
    pub fn parse(text: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who did it: a person, an application, a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// What sort of actor.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its id in the sending system.
    pub id: Box<str>,
    /// Its name, for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Box<str>>,
}

/// What it was done to. Has an id or a name, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// What sort of thing.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its id in the sending system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    /// Its name, for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// The environment it stands in, such as `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Box<str>>,
}

/// From where it was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Context {
    /// The network address, or what the sender knows in its place (some services report a host's name).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Box<str>>,
    /// The client program, as it named itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Box<str>>,
    /// The actor's session in the sending system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Box<str>>,
    /// The request in the sending system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Box<str>>,
}

impl Context {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Context::default()
    }
}

/// One field that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The field's name.
    pub field: Box<str>,
    /// Its value before; absent when it had none or the sender did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Json>,
    /// Its value after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Json>,
}

/// One member that was redacted before the event was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// RFC 6901 pointer to it. Empty in the last one of a list that was too long.
    pub member: Box<str>,
    /// The id of the rule that said so, `headers` or `scrubber`; `limit` in the last one of a list that was too long.
    pub by: Box<str>,
    /// What became of it: `hidden`, `hash`, or what the scrubber found in it. `more:12` says that twelve more are not listed.
    #[serde(rename = "as")]
    pub how: Box<str>,
}

/// One event, as the sender told it, less what was redacted. Checked: [`crate::parse::event`] is the way in from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The sender's own id, which makes a retry safe.
    pub id: Option<Box<str>>,
    /// What was done.
    pub action: Action,
    /// When, as the sender claims; the time of receipt when it did not say.
    pub occurred_at: Timestamp,
    /// The team it concerns.
    pub team: Option<TeamId>,
    /// Who did it.
    pub actor: Actor,
    /// What it was done to, in the sender's order.
    pub targets: Vec<Target>,
    /// From where.
    pub context: Context,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How long it took, in milliseconds.
    pub response_time_ms: Option<u64>,
    /// What was changed.
    pub changes: Vec<Change>,
    /// Anything else, as the sender wrote it.
    pub metadata: Option<Json>,
    /// What was taken out of it by Acta before it was recorded: see [`crate::redact`]. No sender says this.
    pub redactions: Vec<Redaction>,
}

impl Event {
    /// The least an event can be: an action, an actor, a time.
    pub fn new(action: Action, actor: Actor, occurred_at: Timestamp) -> Event {
        Event {
            id: None,
            action,
            occurred_at,
            team: None,
            actor,
            targets: Vec::new(),
            context: Context::default(),
            outcome: None,
            response_time_ms: None,
            changes: Vec::new(),
            metadata: None,
            redactions: Vec::new(),
        }
    }
}
