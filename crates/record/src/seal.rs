//! Sealing: from an event to the record that is hashed and the disclosures that open it.
//!
//! The record is an SD-JWT payload (RFC 9901) in pure ASCII, its members in a fixed order that is also RFC 8785's. It shows
//! the words that cannot name a person, and for everything else a digest. A disclosure is the salt and value of one unit; to
//! erase a unit is to forget its disclosure, and no hash changes. FORMATS.md has the grammar.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::event::{Event, Outcome, Target};
use crate::id::EventId;
use crate::json::push_string;
use crate::time::Timestamp;
use crate::word::{Action, Kind, TeamId};

/// Which unit of an event: 0 actor, 1 context, 2 metadata, 3 + k the k-th target. The erasure grain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

impl Slot {
    /// The actor's unit.
    pub const ACTOR: Slot = Slot(0);
    /// The context's unit.
    pub const CONTEXT: Slot = Slot(1);
    /// The unit of metadata, changes, redactions, response time, the sender's id and key.
    pub const METADATA: Slot = Slot(2);

    /// The unit of the k-th target.
    pub fn target(k: usize) -> Slot {
        Slot(3 + u16::try_from(k).unwrap_or(u16::MAX - 3))
    }
}

/// Sixteen random bytes of one event, from which the salt of each of its units is derived.
///
/// A salt is HMAC-SHA-256(seed, "acta salt 1" || slot as two bytes, big-endian), cut to 16 bytes. One salt says nothing of the
/// seed or of another salt, so one unit can be disclosed or erased alone; an event costs 16 random bytes instead of 16 a unit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 16]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// What makes a digest unguessable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(…)")
    }
}

impl Seed {
    /// What gives the salts of an event's units; the half of the work that is the same for each is done once.
    fn salts(&self) -> Salts {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Salts(Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length"))
    }
}

/// The salts that derive from one seed.
struct Salts(Hmac<Sha256>);

impl Salts {
    /// The salt of one unit.
    fn of(&self, slot: Slot) -> Salt {
        let mut mac = self.0.clone();
        mac.update(b"acta salt 1");
        mac.update(&slot.0.to_be_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut salt = [0; 16];
        salt.copy_from_slice(&full[..16]);
        Salt(salt)
    }
}

/// The disclosure of a unit (RFC 9901 §4.2.1): base64url of `["<salt>","body",<value>]`.
pub fn disclosure(salt: &Salt, value: &str) -> String {
    let mut json = String::with_capacity(value.len() + 40);
    json.push_str("[\"");
    URL_SAFE_NO_PAD.encode_string(salt.0, &mut json);
    json.push_str("\",\"body\",");
    json.push_str(value);
    json.push(']');
    URL_SAFE_NO_PAD.encode(json)
}

/// The digest of a disclosure: base64url of SHA-256 over its ASCII bytes, 43 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digest of a disclosure string.
    pub fn of(disclosure: &str) -> Digest {
        Digest(URL_SAFE_NO_PAD.encode(Sha256::digest(disclosure)))
    }

    /// A digest that stands in a record.
    pub(crate) fn trusted(text: &str) -> Digest {
        Digest(text.to_owned())
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The digests of an event's units, with the target types that stand beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// Of the actor's unit.
    pub actor: Digest,
    /// Of the context's unit, if there is any.
    pub context: Option<Digest>,
    /// Of the metadata unit, if there is any.
    pub metadata: Option<Digest>,
    /// Of each target's unit.
    pub targets: Vec<Digest>,
}

impl Digests {
    /// Seals every unit of an event. `key` is the id of the API key it came with.
    pub fn of(event: &Event, key: Option<&str>, seed: &Seed) -> Digests {
        let salts = seed.salts();
        let digest = |slot, value: String| Digest::of(&disclosure(&salts.of(slot), &value));
        Digests {
            actor: digest(Slot::ACTOR, actor_unit(event)),
            context: context_unit(event).map(|value| digest(Slot::CONTEXT, value)),
            metadata: metadata_unit(event, key).map(|value| digest(Slot::METADATA, value)),
            targets: event.targets.iter().enumerate().map(|(k, t)| digest(Slot::target(k), target_unit(t))).collect(),
        }
    }
}

/// Every unit's disclosure, in slot order.
pub fn disclosures(event: &Event, key: Option<&str>, seed: &Seed) -> Vec<(Slot, String)> {
    let mut units = vec![(Slot::ACTOR, actor_unit(event))];
    units.extend(context_unit(event).map(|value| (Slot::CONTEXT, value)));
    units.extend(metadata_unit(event, key).map(|value| (Slot::METADATA, value)));
    units.extend(event.targets.iter().enumerate().map(|(k, target)| (Slot::target(k), target_unit(target))));
    let salts = seed.salts();
    units.into_iter().map(|(slot, value)| (slot, disclosure(&salts.of(slot), &value))).collect()
}

/// The members of a record that stand in the clear.
#[derive(Debug)]
pub struct Skeleton<'a> {
    /// What was done.
    pub action: &'a Action,
    /// What sort of actor did it.
    pub actor_kind: &'a Kind,
    /// Acta's name for the event.
    pub id: &'a str,
    /// When, as the sender claims.
    pub occurred_at: Timestamp,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What sorts of things it was done to.
    pub target_kinds: Vec<&'a Kind>,
    /// The team it concerns.
    pub team: Option<&'a TeamId>,
}

/// The record of an event: the bytes that are hashed.
pub fn record(event: &Event, event_id: EventId, recorded_at: Timestamp, digests: &Digests) -> String {
    let skeleton = Skeleton {
        action: &event.action,
        actor_kind: &event.actor.kind,
        id: &event_id.to_string(),
        occurred_at: event.occurred_at,
        outcome: event.outcome,
        recorded_at,
        target_kinds: event.targets.iter().map(|target| &target.kind).collect(),
        team: event.team.as_ref(),
    };
    encode(&skeleton, digests)
}

/// Writes a record: ASCII JSON without spaces, members in RFC 8785 order, none without a value. Every value that stands here is
/// a word, a time or a digest, so nothing needs an escape.
pub fn encode(skeleton: &Skeleton<'_>, digests: &Digests) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(448 + 80 * digests.targets.len());
    #[expect(clippy::expect_used, reason = "writing into a String does not fail")]
    let mut write = |text: std::fmt::Arguments<'_>| out.write_fmt(text).expect("a String takes any text");
    write(format_args!(r#"{{"_sd_alg":"sha-256","action":"{}""#, skeleton.action));
    write(format_args!(r#","actor":{{"_sd":["{}"],"type":"{}"}}"#, digests.actor.0, skeleton.actor_kind));
    if let Some(context) = &digests.context {
        write(format_args!(r#","context":{{"_sd":["{}"]}}"#, context.0));
    }
    write(format_args!(r#","id":"{}""#, skeleton.id));
    if let Some(metadata) = &digests.metadata {
        write(format_args!(r#","metadata":{{"_sd":["{}"]}}"#, metadata.0));
    }
    write(format_args!(r#","occurred_at":"{}""#, skeleton.occurred_at));
    if let Some(outcome) = skeleton.outcome {
        write(format_args!(r#","outcome":"{outcome}""#));
    }
    write(format_args!(r#","recorded_at":"{}""#, skeleton.recorded_at));
    for (k, (kind, digest)) in skeleton.target_kinds.iter().zip(&digests.targets).enumerate() {
        write(format_args!(r#"{}{{"_sd":["{}"],"type":"{kind}"}}"#, if k == 0 { r#","targets":["# } else { "," }, digest.0));
    }
    if !skeleton.target_kinds.is_empty() {
        write(format_args!("]"));
    }
    if let Some(team) = skeleton.team {
        write(format_args!(r#","team":"{team}""#));
    }
    write(format_args!(r#","v":1}}"#));
    out
}

/// The first entry of every log: how long its entries are kept. `retention` is an ISO 8601 duration such as `P12M`.
pub fn policy_record(event_id: EventId, recorded_at: Timestamp, retention: &str) -> String {
    format!(r#"{{"action":"log.policy","id":"{event_id}","recorded_at":"{recorded_at}","retention":"{retention}","v":1}}"#)
}

/// An object of string members, written in the order given, which must be RFC 8785's.
fn object(members: &[(&str, Option<&str>)]) -> String {
    let mut out = String::with_capacity(96);
    out.push('{');
    for (name, value) in members {
        let Some(value) = value else { continue };
        if out.len() > 1 {
            out.push(',');
        }
        push_string(&mut out, name);
        out.push(':');
        push_string(&mut out, value);
    }
    out.push('}');
    out
}

fn actor_unit(event: &Event) -> String {
    let actor = &event.actor;
    object(&[("email", actor.email.as_deref()), ("id", Some(&actor.id)), ("name", actor.name.as_deref())])
}

fn context_unit(event: &Event) -> Option<String> {
    let context = &event.context;
    (!context.is_empty()).then(|| {
        object(&[
            ("ip", context.ip.as_deref()),
            ("request_id", context.request_id.as_deref()),
            ("session_id", context.session_id.as_deref()),
            ("user_agent", context.user_agent.as_deref()),
        ])
    })
}

fn target_unit(target: &Target) -> String {
    object(&[("environment", target.environment.as_deref()), ("id", target.id.as_deref()), ("name", target.name.as_deref())])
}

fn metadata_unit(event: &Event, key: Option<&str>) -> Option<String> {
    let mut out = String::with_capacity(256);
    let member = |out: &mut String, name: &str| {
        out.push(if out.is_empty() { '{' } else { ',' });
        push_string(out, name);
        out.push(':');
    };
    if !event.changes.is_empty() {
        member(&mut out, "changes");
        out.push_str(&changes_text(event));
    }
    if let Some(id) = &event.id {
        member(&mut out, "id");
        push_string(&mut out, id);
    }
    if let Some(key) = key {
        member(&mut out, "key");
        push_string(&mut out, key);
    }
    if let Some(metadata) = &event.metadata {
        member(&mut out, "metadata");
        out.push_str(metadata.as_str());
    }
    if !event.redactions.is_empty() {
        member(&mut out, "redactions");
        out.push_str(&redactions_text(event));
    }
    if let Some(took) = event.response_time_ms {
        member(&mut out, "response_time_ms");
        out.push_str(&took.to_string());
    }
    if out.is_empty() {
        return None;
    }
    out.push('}');
    Some(out)
}

/// The `changes` of an event as JSON text, each change's members in the order after, before, field.
pub fn changes_text(event: &Event) -> String {
    let mut out = String::from("[");
    for (at, change) in event.changes.iter().enumerate() {
        out.push_str(if at == 0 { "{" } else { ",{" });
        for (name, value) in [("after", &change.after), ("before", &change.before)] {
            if let Some(value) = value {
                push_string(&mut out, name);
                out.push(':');
                out.push_str(value.as_str());
                out.push(',');
            }
        }
        out.push_str("\"field\":");
        push_string(&mut out, &change.field);
        out.push('}');
    }
    out.push(']');
    out
}

/// The `redactions` of an event as JSON text, each one's members in the order as, by, member.
pub fn redactions_text(event: &Event) -> String {
    let mut out = String::from("[");
    for (at, mark) in event.redactions.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&object(&[("as", Some(&mark.how)), ("by", Some(&mark.by)), ("member", Some(&mark.member))]));
    }
    out.push(']');
    out
}

/// The `targets` of an event as JSON text, each target's members in the order environment, id, name, type.
pub fn targets_text(event: &Event) -> String {
    let mut out = String::from("[");
    for (at, target) in event.targets.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&object(&[
            ("environment", target.environment.as_deref()),
            ("id", target.id.as_deref()),
            ("name", target.name.as_deref()),
            ("type", Some(target.kind.as_str())),
        ]));
    }
    out.push(']');
    out
}
