//! From JSON text to an [`Event`], or to every fault in it with a pointer to the member.

use serde_json::value::RawValue;

use crate::event::{Actor, Change, Context, Event, Outcome, Target};
use crate::json::{BadJson, Json, Members};
use crate::limits::Limits;
use crate::time::Timestamp;
use crate::word::{Action, Kind, TeamId};

/// One thing wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// RFC 6901 pointer to the member at fault; empty for the event as a whole.
    pub pointer: String,
    /// What is wrong, as the end of a sentence that begins with the member.
    pub detail: String,
}

/// Why a text is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not JSON.
    #[error("the event is not well-formed JSON: {0}")]
    Malformed(String),
    /// It is longer than an event may be.
    #[error("the event is {bytes} bytes long; at most {limit} are allowed")]
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// It is JSON, but not a valid event.
    #[error("the event is not valid")]
    Invalid(Vec<Fault>),
}

/// An event that was read, and what the reader must remember about how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The event.
    pub event: Event,
    /// Whether the sender gave `occurred_at`; if not, the event holds the time of receipt, which a retry would change.
    pub occurred_at_given: bool,
}

/// Reads one event. `now` is the time of receipt. An optional member that is `null` counts as absent.
pub fn event(text: &str, limits: &Limits, now: Timestamp) -> Result<Parsed, Refused> {
    if text.len() > limits.event_bytes {
        return Err(Refused::TooLarge { bytes: text.len(), limit: limits.event_bytes });
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|e| Refused::Malformed(e.to_string()))?;
    let mut reader = Reader { limits, faults: Vec::new() };
    let parsed = reader.event(raw, now);
    match parsed {
        Some(parsed) if reader.faults.is_empty() => Ok(parsed),
        _ => Err(Refused::Invalid(reader.faults)),
    }
}

/// Faults told of one event.
const FAULTS_MAX: usize = 16;
/// Members of one object of the model, far above those that it knows: so that looking for repeats stays cheap.
const MEMBERS_MAX: usize = 64;

struct Reader<'l> {
    limits: &'l Limits,
    faults: Vec<Fault>,
}

/// One object's members, taken one by one; what is left over at the end is unknown.
struct Object<'a> {
    pointer: String,
    members: Vec<(std::borrow::Cow<'a, str>, &'a RawValue)>,
    known: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// The member of that name, unless it is absent or null.
    fn take(&mut self, name: &'static str) -> Option<&'a RawValue> {
        self.take_even_null(name).filter(|value| value.get() != "null")
    }

    /// The member of that name, where null is a value like others.
    fn take_even_null(&mut self, name: &'static str) -> Option<&'a RawValue> {
        self.known.push(name);
        let at = self.members.iter().position(|(given, _)| given == name)?;
        Some(self.members.swap_remove(at).1)
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }
}

impl Reader<'_> {
    /// Notes a fault. Who sends a thousand wants to be told of the first few.
    fn fault(&mut self, pointer: String, detail: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { pointer, detail: detail.into() });
        }
    }

    fn event(&mut self, raw: &RawValue, now: Timestamp) -> Option<Parsed> {
        let mut object = self.object(raw, String::new())?;
        let id = self.text(&mut object, "id", self.limits.id_bytes);
        let action = self.word(&mut object, "action", Action::new);
        if action.is_none() {
            self.missing(&object, "action");
        }
        let occurred_at = self.time(&mut object, now);
        let team = self.word(&mut object, "team", TeamId::new);
        let actor = match object.take("actor") {
            Some(raw) => self.actor(raw, object.at("actor")),
            None => {
                self.missing(&object, "actor");
                None
            }
        };
        let targets = self.list(&mut object, "targets", self.limits.targets, Reader::target);
        let context = object.take("context").map(|raw| self.context(raw, object.at("context")));
        let outcome = self.outcome(&mut object);
        let response_time_ms = self.whole_number(&mut object, "response_time_ms");
        let changes = self.list(&mut object, "changes", self.limits.changes, Reader::change);
        let metadata = object.take("metadata").and_then(|raw| self.json(raw, object.at("metadata")));
        self.finish(object);
        Some(Parsed {
            occurred_at_given: occurred_at.is_some(),
            event: Event {
                id,
                action: action?,
                occurred_at: occurred_at.unwrap_or(now),
                team,
                actor: actor?,
                targets,
                context: context.unwrap_or_default(),
                outcome,
                response_time_ms,
                changes,
                metadata,
                redactions: Vec::new(),
            },
        })
    }

    fn actor(&mut self, raw: &RawValue, pointer: String) -> Option<Actor> {
        let mut object = self.object(raw, pointer)?;
        let kind = self.word(&mut object, "type", Kind::new);
        if kind.is_none() {
            self.missing(&object, "type");
        }
        let id = self.text(&mut object, "id", self.limits.text_bytes);
        if id.is_none() {
            self.missing(&object, "id");
        }
        let name = self.text(&mut object, "name", self.limits.text_bytes);
        let email = self.text(&mut object, "email", self.limits.text_bytes);
        self.finish(object);
        Some(Actor { kind: kind?, id: id?, name, email })
    }

    fn target(&mut self, raw: &RawValue, pointer: String) -> Option<Target> {
        let mut object = self.object(raw, pointer)?;
        let kind = self.word(&mut object, "type", Kind::new);
        if kind.is_none() {
            self.missing(&object, "type");
        }
        let id = self.text(&mut object, "id", self.limits.text_bytes);
        let name = self.text(&mut object, "name", self.limits.text_bytes);
        let environment = self.text(&mut object, "environment", self.limits.id_bytes);
        let pointer = object.pointer.clone();
        let clean = self.faults.len();
        self.finish(object);
        if id.is_none() && name.is_none() && !self.faults.iter().take(clean).any(|fault| fault.pointer.starts_with(&pointer))
        {
            self.fault(pointer, "needs an id or a name");
        }
        Some(Target { kind: kind?, id, name, environment })
    }

    fn context(&mut self, raw: &RawValue, pointer: String) -> Context {
        let Some(mut object) = self.object(raw, pointer) else { return Context::default() };
        let context = Context {
            ip: self.text(&mut object, "ip", self.limits.text_bytes),
            user_agent: self.text(&mut object, "user_agent", self.limits.text_bytes),
            session_id: self.text(&mut object, "session_id", self.limits.id_bytes),
            request_id: self.text(&mut object, "request_id", self.limits.id_bytes),
        };
        self.finish(object);
        context
    }

    fn change(&mut self, raw: &RawValue, pointer: String) -> Option<Change> {
        let mut object = self.object(raw, pointer)?;
        let field = self.text(&mut object, "field", self.limits.text_bytes);
        if field.is_none() {
            self.missing(&object, "field");
        }
        // A null is a value here: "before: null" says that there was none.
        let mut value = |name: &'static str| {
            let raw = object.take_even_null(name)?;
            self.json(raw, object.at(name))
        };
        let (before, after) = (value("before"), value("after"));
        self.finish(object);
        Some(Change { field: field?, before, after })
    }

    fn object<'a>(&mut self, raw: &'a RawValue, pointer: String) -> Option<Object<'a>> {
        if !raw.get().starts_with('{') {
            self.fault(pointer, format!("must be an object, not {}", sort_of(raw)));
            return None;
        }
        let members = match serde_json::from_str::<Members<'a>>(raw.get()) {
            Ok(Members(members)) => members,
            Err(e) => {
                self.fault(pointer, format!("has a member name that cannot be read: {e}"));
                return None;
            }
        };
        if members.len() > MEMBERS_MAX {
            self.fault(
                pointer,
                format!("has {} members; this object knows a few, see the API's description", members.len()),
            );
            return None;
        }
        for (at, (name, _)) in members.iter().enumerate() {
            if members.iter().take(at).any(|(earlier, _)| earlier == name) {
                self.fault(format!("{pointer}/{}", escape(name)), "stands twice");
            }
        }
        Some(Object { pointer, members, known: Vec::with_capacity(12) })
    }

    /// Names every member that nobody took.
    fn finish(&mut self, object: Object<'_>) {
        for (name, _) in &object.members {
            if object.known.contains(&name.as_ref()) {
                continue; // A second of the same name, already reported.
            }
            let detail = format!("is not a member that Acta knows; known here are {}", object.known.join(", "));
            self.fault(format!("{}/{}", object.pointer, escape(name)), detail);
        }
    }

    /// Reports a missing member, unless the reason why there is no value has been reported.
    fn missing(&mut self, object: &Object<'_>, name: &str) {
        let pointer = object.at(name);
        if !self.faults.iter().any(|fault| fault.pointer.starts_with(&pointer)) {
            self.fault(pointer, "is missing");
        }
    }

    fn string(&mut self, raw: &RawValue, pointer: String) -> Option<Box<str>> {
        if !raw.get().starts_with('"') {
            self.fault(pointer, format!("must be a string, not {}", sort_of(raw)));
            return None;
        }
        match crate::json::unquote(raw.get()) {
            Ok(text) => Some(text.into()),
            Err(e) => {
                self.fault(pointer, e.to_string());
                None
            }
        }
    }

    fn text(&mut self, object: &mut Object<'_>, name: &'static str, limit: usize) -> Option<Box<str>> {
        let raw = object.take(name)?;
        let text = self.string(raw, object.at(name))?;
        if text.is_empty() {
            self.fault(object.at(name), "must not be empty; leave it out instead");
            return None;
        }
        if text.len() > limit {
            self.fault(object.at(name), format!("is {} bytes long; at most {limit} are allowed", text.len()));
            return None;
        }
        Some(text)
    }

    fn word<T>(
        &mut self,
        object: &mut Object<'_>,
        name: &'static str,
        new: impl Fn(&str) -> Result<T, crate::word::BadWord>,
    ) -> Option<T> {
        let raw = object.take(name)?;
        let text = self.string(raw, object.at(name))?;
        new(&text).map_err(|e| self.fault(object.at(name), e.to_string())).ok()
    }

    fn time(&mut self, object: &mut Object<'_>, now: Timestamp) -> Option<Timestamp> {
        let raw = object.take("occurred_at")?;
        let text = self.string(raw, object.at("occurred_at"))?;
        match Timestamp::parse(&text) {
            Ok(at) if at.millis_since(now) > self.limits.ahead_ms => {
                let hours = self.limits.ahead_ms / 3_600_000;
                self.fault(
                    object.at("occurred_at"),
                    format!("lies more than {hours} hours ahead of the server's clock, {now}"),
                );
                None
            }
            Ok(at) => Some(at),
            Err(e) => {
                self.fault(object.at("occurred_at"), e.to_string());
                None
            }
        }
    }

    fn outcome(&mut self, object: &mut Object<'_>) -> Option<Outcome> {
        let raw = object.take("outcome")?;
        let text = self.string(raw, object.at("outcome"))?;
        let outcome = Outcome::parse(&text);
        if outcome.is_none() {
            self.fault(object.at("outcome"), "must be success, failure or denied");
        }
        outcome
    }

    fn whole_number(&mut self, object: &mut Object<'_>, name: &'static str) -> Option<u64> {
        let raw = object.take(name)?;
        match raw.get().parse::<u64>() {
            Ok(number) if i64::try_from(number).is_ok() => Some(number),
            _ => {
                self.fault(object.at(name), "must be a whole number of milliseconds, 0 or more");
                None
            }
        }
    }

    fn list<T>(
        &mut self,
        object: &mut Object<'_>,
        name: &'static str,
        limit: usize,
        each: fn(&mut Self, &RawValue, String) -> Option<T>,
    ) -> Vec<T> {
        let Some(raw) = object.take(name) else { return Vec::new() };
        let pointer = object.at(name);
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
            self.fault(pointer, format!("must be an array, not {}", sort_of(raw)));
            return Vec::new();
        };
        if items.len() > limit {
            self.fault(pointer, format!("has {} entries; at most {limit} are allowed", items.len()));
            return Vec::new();
        }
        items.iter().enumerate().filter_map(|(at, item)| each(self, item, format!("{pointer}/{at}"))).collect()
    }

    fn json(&mut self, raw: &RawValue, pointer: String) -> Option<Json> {
        Json::check(raw, self.limits.metadata_depth).map_err(|e: BadJson| self.fault(pointer, e.to_string())).ok()
    }
}

/// What a JSON value is, in words.
fn sort_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a truth value",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// A member name as a step of an RFC 6901 pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::MIN;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T00:00:00Z").unwrap_or(NOW)
    }

    fn faults(text: &str) -> String {
        match event(text, &Limits::default(), now()) {
            Ok(_) => "fine".into(),
            Err(Refused::Invalid(faults)) => {
                faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect::<Vec<_>>().join("\n")
            }
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn reads_the_whole_model() {
        let text = r#"{"id":"order-4711-refund","action":"QUERY_RUN","occurred_at":"2026-11-20T22:04:30.123Z","team":"operations",
            "actor":{"type":"user","id":"u_42","name":"Ada Lovelace","email":"ada@example.com"},
            "targets":[{"type":"page","id":"refunds","name":"Refunds"},{"type":"resource","name":"orders-db","environment":"production"}],
            "context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0","session_id":"s","request_id":null},
            "outcome":"success","response_time_ms":120,
            "changes":[{"field":"role","before":null,"after":"admin"}],
            "metadata":{"query":"select 1","params":{"customer_id":7}}}"#;
        let parsed = event(text, &Limits::default(), now()).unwrap();
        let event = parsed.event;
        assert!(parsed.occurred_at_given);
        assert_eq!(event.action.as_str(), "QUERY_RUN");
        assert_eq!(event.targets.len(), 2);
        assert_eq!(event.context.request_id, None);
        assert_eq!(event.changes[0].before.as_ref().map(Json::as_str), Some("null"));
        assert_eq!(event.metadata.as_ref().map(Json::as_str), Some(r#"{"query":"select 1","params":{"customer_id":7}}"#));
    }

    #[test]
    fn names_the_member_at_fault() {
        let fine = r#""action":"A","actor":{"type":"user","id":"u"}"#;
        expect_test::expect![[r#"
            {} => /action: is missing
            /actor: is missing
            [] => : must be an object, not an array
            {"action":"a b","actor":{"type":"user","id":"u"}} => /action: holds ' '; allowed are letters, digits and . _ : -, the first a letter or digit
            {"action":1,"actor":{"id":""}} => /action: must be a string, not a number
            /actor/type: is missing
            /actor/id: must not be empty; leave it out instead
            {F,"acttor":1,"a/b":2} => /a~1b: is not a member that Acta knows; known here are id, action, occurred_at, team, actor, targets, context, outcome, response_time_ms, changes, metadata
            /acttor: is not a member that Acta knows; known here are id, action, occurred_at, team, actor, targets, context, outcome, response_time_ms, changes, metadata
            {F,"id":"x","id":"y"} => /id: stands twice
            {F,"targets":[{"type":"page","name":"p"},{"type":"Page"},{"type":"x"}]} => /targets/1/type: holds 'P'; allowed are lower-case letters, digits and . _ : -, the first a letter or digit
            /targets/2: needs an id or a name
            {F,"targets":{}} => /targets: must be an array, not an object
            {F,"occurred_at":"yesterday"} => /occurred_at: is not an RFC 3339 time such as 2026-11-20T22:04:30.123Z
            {F,"occurred_at":"2026-11-22T00:00:00.001Z"} => /occurred_at: lies more than 24 hours ahead of the server's clock, 2026-11-21T00:00:00.000Z
            {F,"outcome":"ok"} => /outcome: must be success, failure or denied
            {F,"response_time_ms":-1} => /response_time_ms: must be a whole number of milliseconds, 0 or more
            {F,"response_time_ms":1.5} => /response_time_ms: must be a whole number of milliseconds, 0 or more
            {F,"context":{"ip":"a\u0000b"}} => /context/ip: holds a NUL character (U+0000)
            {F,"metadata":{"a":1,"a":2}} => /metadata: has the member "a" twice in one object
            {F,"changes":[{"before":1}]} => /changes/0/field: is missing
            {F,"metadata":{}} => fine
            {"action" => the event is not well-formed JSON: EOF while parsing an object at line 1 column 9"#]]
        .assert_eq(
            &[
                "{}",
                "[]",
                r#"{"action":"a b","actor":{"type":"user","id":"u"}}"#,
                r#"{"action":1,"actor":{"id":""}}"#,
                r#"{F,"acttor":1,"a/b":2}"#,
                r#"{F,"id":"x","id":"y"}"#,
                r#"{F,"targets":[{"type":"page","name":"p"},{"type":"Page"},{"type":"x"}]}"#,
                r#"{F,"targets":{}}"#,
                r#"{F,"occurred_at":"yesterday"}"#,
                r#"{F,"occurred_at":"2026-11-22T00:00:00.001Z"}"#,
                r#"{F,"outcome":"ok"}"#,
                r#"{F,"response_time_ms":-1}"#,
                r#"{F,"response_time_ms":1.5}"#,
                r#"{F,"context":{"ip":"a\u0000b"}}"#,
                r#"{F,"metadata":{"a":1,"a":2}}"#,
                r#"{F,"changes":[{"before":1}]}"#,
                r#"{F,"metadata":{}}"#,
                r#"{"action""#,
            ]
            .map(|text| format!("{text} => {}", faults(&text.replacen('F', fine, 1))))
            .join("\n"),
        );
    }

    #[test]
    fn a_flood_of_faults_is_told_in_brief() {
        let unknown = |n: usize| (0..n).map(|k| format!(r#""x{k}":1"#)).collect::<Vec<_>>().join(",");
        assert_eq!(faults(&format!("{{{}}}", unknown(30))).lines().count(), FAULTS_MAX);
        assert_eq!(
            faults(&format!("{{{}}}", unknown(20_000))),
            ": has 20000 members; this object knows a few, see the API's description"
        );
    }

    #[test]
    fn refuses_what_is_too_long() {
        let long = format!(r#"{{"action":"A","actor":{{"type":"user","id":"u"}},"metadata":"{}"}}"#, "x".repeat(256 * 1024));
        assert!(matches!(event(&long, &Limits::default(), now()), Err(Refused::TooLarge { limit: 262_144, .. })));
        let many = format!(
            r#"{{"action":"A","actor":{{"type":"user","id":"u"}},"targets":[{}]}}"#,
            vec![r#"{"type":"t","id":"i"}"#; 65].join(",")
        );
        assert_eq!(faults(&many), "/targets: has 65 entries; at most 64 are allowed");
    }
}
