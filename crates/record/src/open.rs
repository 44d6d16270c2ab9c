//! Opening: from a record and its disclosures back to the event, every byte accounted for.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::event::{Event, Outcome, Redaction};
use crate::id::EventId;
use crate::limits::Limits;
use crate::parse::{self, Refused};
use crate::seal::{Digest, Digests, Skeleton, Slot, encode};
use crate::time::Timestamp;
use crate::word::{Action, Kind, TeamId};

/// Why a record could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The bytes are not a record of an event.
    #[error("not a record: {0}")]
    NotARecord(String),
    /// The same content, but not in the one form that a record has.
    #[error("the record is not in its canonical form")]
    NotCanonical,
    /// A disclosure whose digest stands nowhere in the record.
    #[error("disclosure {0} does not belong to this record")]
    Foreign(usize),
    /// A disclosure that hashes right but is not a unit.
    #[error("the disclosure of slot {0} is not a unit")]
    NotAUnit(u16),
    /// The units do not make an event.
    #[error("the units do not make an event: {0}")]
    NotAnEvent(Refused),
}

/// A record that was opened as far as its disclosures reach.
#[derive(Debug)]
pub struct Opened {
    /// Acta's name for the event.
    pub event_id: EventId,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The value of each disclosed unit, as JSON text.
    pub units: BTreeMap<Slot, Box<str>>,
    /// The units for which no disclosure was given: erased, or withheld.
    pub closed: Vec<Slot>,
    skeleton: Record,
}

/// What was sent, brought back from its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The event.
    pub event: Event,
    /// The id of the API key it came with.
    pub key: Option<Box<str>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    _sd_alg: String,
    action: Action,
    actor: Typed,
    context: Option<Untyped>,
    id: EventId,
    metadata: Option<Untyped>,
    occurred_at: Timestamp,
    outcome: Option<Outcome>,
    recorded_at: Timestamp,
    #[serde(default)]
    targets: Vec<Typed>,
    team: Option<TeamId>,
    v: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    _sd: [String; 1],
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Untyped {
    _sd: [String; 1],
}

/// Opens a record with the disclosures at hand, in any order.
pub fn open(record: &str, disclosures: &[&str]) -> Result<Opened, OpenError> {
    let skeleton: Record = serde_json::from_str(record).map_err(|e| OpenError::NotARecord(e.to_string()))?;
    let mut wanted: Vec<(Slot, &str)> = vec![(Slot::ACTOR, &skeleton.actor._sd[0])];
    wanted.extend(skeleton.context.as_ref().map(|unit| (Slot::CONTEXT, unit._sd[0].as_str())));
    wanted.extend(skeleton.metadata.as_ref().map(|unit| (Slot::METADATA, unit._sd[0].as_str())));
    wanted.extend(skeleton.targets.iter().enumerate().map(|(k, unit)| (Slot::target(k), unit._sd[0].as_str())));

    let mut units = BTreeMap::new();
    let mut given: BTreeMap<Slot, Digest> = BTreeMap::new();
    for (at, disclosure) in disclosures.iter().enumerate() {
        let digest = Digest::of(disclosure);
        let &(slot, _) = wanted.iter().find(|(_, d)| *d == digest.as_str()).ok_or(OpenError::Foreign(at))?;
        units.insert(slot, unit(disclosure).ok_or(OpenError::NotAUnit(slot.0))?);
        given.insert(slot, digest);
    }
    let closed = wanted.iter().map(|(slot, _)| *slot).filter(|slot| !units.contains_key(slot)).collect();
    if canonical(&skeleton) != record {
        return Err(OpenError::NotCanonical);
    }
    Ok(Opened { event_id: skeleton.id, recorded_at: skeleton.recorded_at, units, closed, skeleton })
}

/// The record that `skeleton` would be written as.
fn canonical(skeleton: &Record) -> String {
    let digest = |text: &str| Digest::trusted(text);
    let digests = Digests {
        actor: digest(&skeleton.actor._sd[0]),
        context: skeleton.context.as_ref().map(|unit| digest(&unit._sd[0])),
        metadata: skeleton.metadata.as_ref().map(|unit| digest(&unit._sd[0])),
        targets: skeleton.targets.iter().map(|unit| digest(&unit._sd[0])).collect(),
    };
    let parts = Skeleton {
        action: &skeleton.action,
        actor_kind: &skeleton.actor.kind,
        id: &skeleton.id.to_string(),
        occurred_at: skeleton.occurred_at,
        outcome: skeleton.outcome,
        recorded_at: skeleton.recorded_at,
        target_kinds: skeleton.targets.iter().map(|unit| &unit.kind).collect(),
        team: skeleton.team.as_ref(),
    };
    if skeleton._sd_alg != "sha-256" || skeleton.v != 1 {
        return String::new();
    }
    encode(&parts, &digests)
}

/// The value inside a disclosure.
fn unit(disclosure: &str) -> Option<Box<str>> {
    let json = String::from_utf8(URL_SAFE_NO_PAD.decode(disclosure).ok()?).ok()?;
    let (salt, body, value): (String, String, &RawValue) = serde_json::from_str(&json).ok()?;
    (salt.len() == 22 && body == "body").then(|| value.get().into())
}

impl Opened {
    /// The event, if every unit is open.
    pub fn event(&self) -> Option<Result<Sent, OpenError>> {
        self.closed.is_empty().then(|| self.rebuild())
    }

    fn rebuild(&self) -> Result<Sent, OpenError> {
        #[derive(Deserialize)]
        struct Metadata<'a> {
            #[serde(borrow)]
            changes: Option<&'a RawValue>,
            #[serde(borrow)]
            id: Option<&'a RawValue>,
            key: Option<Box<str>>,
            #[serde(borrow)]
            metadata: Option<&'a RawValue>,
            #[serde(default)]
            redactions: Vec<Redaction>,
            response_time_ms: Option<u64>,
        }
        let record = &self.skeleton;
        let value = |slot: Slot| self.units.get(&slot).map_or("{}", |text| text);
        let with_type = |slot: Slot, kind: &Kind| {
            let inner = value(slot).trim_start_matches('{').trim_end_matches('}');
            format!(r#"{{"type":"{kind}"{}{inner}}}"#, if inner.is_empty() { "" } else { "," })
        };
        let extra: Metadata<'_> =
            serde_json::from_str(value(Slot::METADATA)).map_err(|_| OpenError::NotAUnit(Slot::METADATA.0))?;
        let mut text = format!(
            r#"{{"action":"{}","occurred_at":"{}","actor":{},"context":{}"#,
            record.action,
            record.occurred_at,
            with_type(Slot::ACTOR, &record.actor.kind),
            value(Slot::CONTEXT),
        );
        let targets: Vec<String> =
            record.targets.iter().enumerate().map(|(k, unit)| with_type(Slot::target(k), &unit.kind)).collect();
        text += &format!(r#","targets":[{}]"#, targets.join(","));
        for (name, raw) in [("changes", extra.changes), ("id", extra.id), ("metadata", extra.metadata)] {
            if let Some(raw) = raw {
                text += &format!(r#","{name}":{}"#, raw.get());
            }
        }
        if let Some(took) = extra.response_time_ms {
            text += &format!(r#","response_time_ms":{took}"#);
        }
        if let Some(outcome) = record.outcome {
            text += &format!(r#","outcome":"{outcome}""#);
        }
        if let Some(team) = &record.team {
            text += &format!(r#","team":"{team}""#);
        }
        text.push('}');
        let parsed = parse::event(&text, &Limits::none(), Timestamp::MAX).map_err(OpenError::NotAnEvent)?;
        // No sender says what was redacted, so it does not go through the senders' door.
        let event = Event { redactions: extra.redactions, ..parsed.event };
        Ok(Sent { event, key: extra.key })
    }
}
