//! An event with its place in a log, and its bytes in the journal.

use record::merkle::{Hash, leaf_hash};
use record::seal::{self, Digests, Seed};
use record::{
    Action, Actor, Change, Context, Event, EventId, Index, Json, Kind, OrgId, Outcome, Redaction, Target, TeamId, Timestamp,
};

/// One entry of one organization's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose log.
    pub org: OrgId,
    /// Which place.
    pub index: Index,
    /// Acta's name for it; holds `recorded_at`.
    pub event_id: EventId,
    /// What happened. For the log's own records, the same told as an act of the system.
    pub event: Event,
    /// Where the record's bytes come from.
    pub source: Source,
    /// Which item of which request it was, if that had an idempotency key.
    pub request: Option<Box<Request>>,
}

/// Where the bytes of an entry's record come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Somebody sent it: they are sealed from the event.
    Sent {
        /// The API key it came with.
        key: Option<Box<str>>,
        /// What its salts derive from.
        seed: Seed,
    },
    /// The log wrote it about itself: here they are.
    Log {
        /// The record.
        record: Box<str>,
    },
}

/// Which item of a request with an idempotency key an entry was: enough to answer the item's repetition as it was answered the
/// first time, and to notice another request under the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Hash of the `Idempotency-Key`, its sender and the item's place in the body.
    pub item: [u8; 16],
    /// Hash of the body.
    pub body: [u8; 16],
}

impl Entry {
    /// When it was recorded.
    pub fn recorded_at(&self) -> Timestamp {
        self.event_id.recorded_at()
    }

    /// The bytes that are hashed.
    pub fn record(&self) -> String {
        match &self.source {
            Source::Sent { key, seed } => {
                let digests = Digests::of(&self.event, key.as_deref(), seed);
                seal::record(&self.event, self.event_id, self.recorded_at(), &digests)
            }
            Source::Log { record } => record.to_string(),
        }
    }

    /// Its leaf in the organization's tree.
    pub fn leaf(&self) -> Hash {
        leaf_hash(self.record().as_bytes())
    }

    /// The key it came with.
    pub fn key(&self) -> Option<&str> {
        match &self.source {
            Source::Sent { key, .. } => key.as_deref(),
            Source::Log { .. } => None,
        }
    }
}

/// One of the log's own records, told as an act of the system.
pub fn log_event(action: &str, at: Timestamp, metadata: Json) -> Option<Event> {
    let actor = Actor { kind: Kind::new("system").ok()?, id: "acta".into(), name: Some("Acta".into()), email: None };
    let mut event = Event::new(Action::new(action).ok()?, actor, at);
    event.outcome = Some(Outcome::Success);
    event.metadata = Some(metadata);
    Some(event)
}

/// Appends an entry's bytes (FORMATS.md, "Entry"). `leaf` is stored beside it, as a check that needs no second look at keys.
pub fn encode(entry: &Entry, leaf: &Hash, out: &mut Vec<u8>) {
    out.extend(entry.org.0.to_le_bytes());
    out.extend(entry.index.0.to_le_bytes());
    out.extend(entry.event_id.as_bytes());
    out.extend(leaf);
    match &entry.source {
        Source::Sent { key, seed } => {
            out.push(if entry.event.redactions.is_empty() { 0 } else { 2 });
            out.extend(seed.0);
            put_maybe(out, key.as_deref());
        }
        Source::Log { record } => {
            out.push(1);
            put_text(out, record);
        }
    }
    match &entry.request {
        None => out.push(0),
        Some(request) => {
            out.push(1);
            out.extend(request.item);
            out.extend(request.body);
        }
    }
    encode_event(&entry.event, out);
}

fn encode_event(event: &Event, out: &mut Vec<u8>) {
    put_maybe(out, event.id.as_deref());
    put_text(out, event.action.as_str());
    out.extend(event.occurred_at.as_millis().to_le_bytes());
    put_maybe(out, event.team.as_ref().map(TeamId::as_str));
    put_text(out, event.actor.kind.as_str());
    put_text(out, &event.actor.id);
    put_maybe(out, event.actor.name.as_deref());
    put_maybe(out, event.actor.email.as_deref());
    put_count(out, event.targets.len());
    for target in &event.targets {
        put_text(out, target.kind.as_str());
        put_maybe(out, target.id.as_deref());
        put_maybe(out, target.name.as_deref());
        put_maybe(out, target.environment.as_deref());
    }
    put_maybe(out, event.context.ip.as_deref());
    put_maybe(out, event.context.user_agent.as_deref());
    put_maybe(out, event.context.session_id.as_deref());
    put_maybe(out, event.context.request_id.as_deref());
    out.push(match event.outcome {
        None => 0,
        Some(Outcome::Success) => 1,
        Some(Outcome::Failure) => 2,
        Some(Outcome::Denied) => 3,
    });
    match event.response_time_ms {
        None => out.push(0),
        Some(took) => {
            out.push(1);
            out.extend(took.to_le_bytes());
        }
    }
    put_count(out, event.changes.len());
    for change in &event.changes {
        put_text(out, &change.field);
        put_maybe(out, change.before.as_ref().map(Json::as_str));
        put_maybe(out, change.after.as_ref().map(Json::as_str));
    }
    put_maybe(out, event.metadata.as_ref().map(Json::as_str));
    // Where nothing was redacted nothing follows, as in the entries of releases that could not redact; the source says so.
    if !event.redactions.is_empty() {
        put_count(out, event.redactions.len());
        for redaction in &event.redactions {
            put_text(out, &redaction.member);
            put_text(out, &redaction.by);
            put_text(out, &redaction.how);
        }
    }
}

/// Lengths are one more than the length, so that 0 can say "absent".
fn put_maybe(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => put_number(out, 0),
        Some(text) => {
            put_number(out, text.len() as u64 + 1);
            out.extend(text.as_bytes());
        }
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend(text.as_bytes());
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put_number(out, count as u64);
}

/// LEB128: seven bits a byte, the lowest first, the top bit set on all but the last.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "seven bits and the mark")]
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 128")]
    out.push(number as u8);
}

/// Reads the bytes that [`encode`] wrote: the entry, and the leaf hash beside it. `None` if they are not an entry.
pub fn decode(bytes: &[u8]) -> Option<(Entry, Hash)> {
    let mut input = Input(bytes);
    let org = OrgId(u32::from_le_bytes(input.array()?));
    let index = Index(u64::from_le_bytes(input.array()?));
    let event_id = EventId::from_bytes(input.array()?);
    let leaf = input.array()?;
    let tag = input.byte()?;
    let source = match tag {
        0 | 2 => Source::Sent { seed: Seed(input.array()?), key: input.maybe()?.map(Into::into) },
        1 => Source::Log { record: input.text()?.into() },
        _ => return None,
    };
    let request = match input.byte()? {
        0 => None,
        1 => Some(Box::new(Request { item: input.array()?, body: input.array()? })),
        _ => return None,
    };
    let mut event = decode_event(&mut input)?;
    if tag == 2 {
        event.redactions = decode_redactions(&mut input)?;
    }
    input.0.is_empty().then_some((Entry { org, index, event_id, event, source, request }, leaf))
}

fn decode_event(input: &mut Input<'_>) -> Option<Event> {
    let id = input.maybe()?.map(Into::into);
    let action = Action::new(input.text()?).ok()?;
    let occurred_at = Timestamp::from_millis(i64::from_le_bytes(input.array()?));
    let team = input.maybe()?.map(TeamId::new).transpose().ok()?;
    let actor = Actor {
        kind: Kind::new(input.text()?).ok()?,
        id: input.text()?.into(),
        name: input.maybe()?.map(Into::into),
        email: input.maybe()?.map(Into::into),
    };
    let mut targets = Vec::new();
    for _ in 0..input.number()? {
        targets.push(Target {
            kind: Kind::new(input.text()?).ok()?,
            id: input.maybe()?.map(Into::into),
            name: input.maybe()?.map(Into::into),
            environment: input.maybe()?.map(Into::into),
        });
    }
    let context = Context {
        ip: input.maybe()?.map(Into::into),
        user_agent: input.maybe()?.map(Into::into),
        session_id: input.maybe()?.map(Into::into),
        request_id: input.maybe()?.map(Into::into),
    };
    let outcome = match input.byte()? {
        0 => None,
        1 => Some(Outcome::Success),
        2 => Some(Outcome::Failure),
        3 => Some(Outcome::Denied),
        _ => return None,
    };
    let response_time_ms = match input.byte()? {
        0 => None,
        1 => Some(u64::from_le_bytes(input.array()?)),
        _ => return None,
    };
    let mut changes = Vec::new();
    for _ in 0..input.number()? {
        changes.push(Change {
            field: input.text()?.into(),
            before: input.maybe()?.map(Json::trusted),
            after: input.maybe()?.map(Json::trusted),
        });
    }
    let metadata = input.maybe()?.map(Json::trusted);
    Some(Event {
        id,
        action,
        occurred_at,
        team,
        actor,
        targets,
        context,
        outcome,
        response_time_ms,
        changes,
        metadata,
        redactions: Vec::new(),
    })
}

/// The list that follows where there is one; it is not empty.
fn decode_redactions(input: &mut Input<'_>) -> Option<Vec<Redaction>> {
    let mut redactions = Vec::new();
    for _ in 0..input.number()? {
        redactions.push(Redaction { member: input.text()?.into(), by: input.text()?.into(), how: input.text()?.into() });
    }
    (!redactions.is_empty()).then_some(redactions)
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(len)?).ok()
    }

    fn maybe(&mut self) -> Option<Option<&'a str>> {
        match self.number()? {
            0 => Some(None),
            more => std::str::from_utf8(self.take(usize::try_from(more - 1).ok()?)?).ok().map(Some),
        }
    }
}
