//! An event while it is being written, and who writes it from where.

use fastrand::Rng;
use record::Timestamp;
use serde_json::{Map, Value, json};

use super::dice;
use super::people::{Person, Service};

/// Who acts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Actor {
    Person(&'static Person),
    Service(&'static Service),
}

/// Someone at a keyboard: actor, address, browser, session.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    actor: Actor,
    ip: &'static str,
    agent: &'static str,
    session: String,
}

/// How it ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    Success,
    Failure,
    Denied,
}

/// An event without its id.
#[derive(Debug)]
pub(super) struct Draft {
    at: i64,
    action: &'static str,
    seat: Seat,
    request: u64,
    targets: Vec<Value>,
    outcome: Outcome,
    response_time_ms: Option<u64>,
    changes: Vec<Value>,
    metadata: Map<String, Value>,
}

impl Seat {
    /// A person in their own browser, at the address given.
    pub(super) fn of(rng: &mut Rng, person: &'static Person, ip: &'static str) -> Seat {
        Seat::with_agent(rng, person, ip, person.agent)
    }

    /// A person, or someone who pretends to be one, in any browser.
    pub(super) fn with_agent(rng: &mut Rng, person: &'static Person, ip: &'static str, agent: &'static str) -> Seat {
        Seat { actor: Actor::Person(person), ip, agent, session: format!("s_{}", dice::hex(rng, 12)) }
    }

    /// A machine.
    pub(super) fn machine(rng: &mut Rng, service: &'static Service) -> Seat {
        Seat {
            actor: Actor::Service(service),
            ip: service.ip,
            agent: service.agent,
            session: format!("s_{}", dice::hex(rng, 12)),
        }
    }

    /// A new event by whoever sits here.
    pub(super) fn event(&self, rng: &mut Rng, at: i64, action: &'static str) -> Draft {
        Draft {
            at,
            action,
            seat: self.clone(),
            request: rng.u64(..),
            targets: Vec::new(),
            outcome: Outcome::Success,
            response_time_ms: None,
            changes: Vec::new(),
            metadata: Map::new(),
        }
    }
}

impl Draft {
    /// When it happened, in milliseconds since the epoch.
    pub(super) fn at(&self) -> i64 {
        self.at
    }

    /// The parameter `limit` of the query, if it has one.
    pub(super) fn limit(&self) -> Option<u64> {
        self.metadata.get("params")?.get("limit")?.as_u64()
    }

    /// Adds a target.
    pub(super) fn on(mut self, kind: &str, id: &str, name: &str) -> Draft {
        self.targets.push(json!({ "type": kind, "id": id, "name": name }));
        self
    }

    /// Adds a target that has only a name.
    pub(super) fn on_named(mut self, kind: &str, name: &str) -> Draft {
        self.targets.push(json!({ "type": kind, "name": name }));
        self
    }

    /// Adds a target in an environment.
    pub(super) fn within(mut self, kind: &str, id: &str, name: &str, environment: &str) -> Draft {
        self.targets.push(json!({ "type": kind, "id": id, "name": name, "environment": environment }));
        self
    }

    /// Adds a person as target.
    pub(super) fn on_person(self, person: &Person) -> Draft {
        self.on("user", person.id, person.name)
    }

    /// Says that a field changed.
    pub(super) fn change(mut self, field: &str, before: impl Into<Value>, after: impl Into<Value>) -> Draft {
        self.changes.push(json!({ "field": field, "before": before.into(), "after": after.into() }));
        self
    }

    /// Adds a member to the metadata.
    pub(super) fn note(mut self, key: &str, value: impl Into<Value>) -> Draft {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// Says how long it took.
    pub(super) fn took(mut self, ms: u64) -> Draft {
        self.response_time_ms = Some(ms);
        self
    }

    /// Says how it ended.
    pub(super) fn ended(mut self, outcome: Outcome) -> Draft {
        self.outcome = outcome;
        self
    }

    /// The finished event, under the id that the sending system gave it.
    pub(super) fn into_value(self, number: u64) -> Value {
        let mut event = Map::new();
        event.insert("id".into(), format!("{}_{number:016x}", source(self.action)).into());
        event.insert("action".into(), self.action.into());
        event.insert("occurred_at".into(), Timestamp::from_millis(self.at).to_string().into());
        match self.seat.actor {
            Actor::Person(person) => {
                event.insert("team".into(), person.team.into());
                event.insert(
                    "actor".into(),
                    json!({ "type": "user", "id": person.id, "name": person.name, "email": person.email }),
                );
            }
            Actor::Service(service) => {
                event.insert("actor".into(), json!({ "type": "service", "id": service.id, "name": service.name }));
            }
        }
        if !self.targets.is_empty() {
            event.insert("targets".into(), self.targets.into());
        }
        event.insert(
            "context".into(),
            json!({
                "ip": self.seat.ip,
                "user_agent": self.seat.agent,
                "session_id": self.seat.session,
                "request_id": format!("req_{:016x}", self.request),
            }),
        );
        let outcome = match self.outcome {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Denied => "denied",
        };
        event.insert("outcome".into(), outcome.into());
        if let Some(ms) = self.response_time_ms {
            event.insert("response_time_ms".into(), ms.into());
        }
        if !self.changes.is_empty() {
            event.insert("changes".into(), self.changes.into());
        }
        if !self.metadata.is_empty() {
            event.insert("metadata".into(), self.metadata.into());
        }
        Value::Object(event)
    }
}

/// Which of the three systems sends an action: `rt` (apps), `mk` (scenarios) or `cs` (cloud sessions).
fn source(action: &str) -> &'static str {
    let sessions = ["SESSION_", "RESOURCE_", "CREDENTIAL_", "USER_LOGIN"];
    if action.starts_with(|first: char| first.is_ascii_lowercase()) {
        "mk"
    } else if sessions.iter().any(|prefix| action.starts_with(prefix)) {
        "cs"
    } else {
        "rt"
    }
}
