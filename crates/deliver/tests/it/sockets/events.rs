//! Messages to be sent, and the doors to send them through.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::time::Duration;

use deliver::net::{AllowedNetworks, HttpOptions};
use deliver::{Doors, Settings};
use follow::{Answer, Chance, Clock, Message, Recorded, Transport, Verdict};
use record::event::Actor;
use record::{Event, EventId, Index, OrgId, Timestamp};
use serde_json::{Value, json};

/// 2026-11-20T22:04:30.123Z.
pub(crate) const START: i64 = 1_795_212_270_123;

/// Texts that are hard on parsers.
const NASTY: [&str; 8] = [
    "plain",
    "a \"quoted\" ] bracket [ and \\ backslash \\\" ]",
    "lines\nand\r\ntabs\t and nothing \u{0} \u{1b}[31m",
    "ünïcödé 日本語 🦀 \u{202e}right to left\u{feff}",
    "<110>1 2026-11-20T22:04:30Z fake fake - - - a message in the message",
    "12 <34>1 - - - - - -",
    "=|,;'`$(){}%00%0a&amp;",
    "\u{2028}\u{85}\u{7f}",
];

/// The organization's name is hard, too.
pub(crate) const ORGANIZATION: &str = "Ada \"&\" Söhne [\\x]";

/// So many messages from this index on.
pub(crate) fn messages(from: u64, count: u64) -> Vec<Message> {
    (from..from + count).map(message).collect()
}

/// The message of this index, one of its kind.
pub(crate) fn message(index: u64) -> Message {
    let long = if index.is_multiple_of(50) { "x".repeat(3_000) } else { String::new() };
    let nasty = NASTY[usize::try_from(index).unwrap() % NASTY.len()];
    let at = Timestamp::from_millis(START + i64::try_from(index).unwrap());
    let event_id = EventId::new(at, 7, [9; 8]);
    let body = json!({"event_id": event_id.to_string(), "index": index, "text": nasty, "long": long});
    with_body(index, &body.to_string())
}

/// A message with this body.
pub(crate) fn with_body(index: u64, body: &str) -> Message {
    let at = Timestamp::from_millis(START + i64::try_from(index).unwrap());
    let actor = Actor { kind: "user".to_owned().try_into().unwrap(), id: "u1".into(), name: None, email: None };
    let action = if index.is_multiple_of(3) { "LOGIN" } else { "scenario_with_a_very_long_name_of:its.own-really" };
    let recorded = Recorded {
        organization: OrgId(7),
        organization_name: ORGANIZATION.into(),
        index: Index(index),
        event_id: EventId::new(at, 7, [9; 8]),
        event: Event::new(action.to_owned().try_into().unwrap(), actor, at),
        key: None,
    };
    Message { recorded: Arc::new(recorded), part: 0, body: body.to_owned().into() }
}

/// A clock that is set by hand.
#[derive(Debug, Clone)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(crate) fn new() -> Hands {
        Hands(Arc::new(AtomicI64::new(START)))
    }

    pub(crate) fn move_hours(&self, hours: i64) {
        self.0.fetch_add(hours * 3_600_000, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Counts.
struct Counting(AtomicU8);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::SeqCst));
    }
}

/// Doors to these networks only.
pub(crate) fn doors(networks: &[&str], clock: &Hands) -> Doors {
    let allowed = AllowedNetworks::parse(networks.iter().copied()).unwrap();
    let options = HttpOptions { allowed, ..HttpOptions::default() };
    Doors::new(options, Arc::new(clock.clone()), Arc::new(Counting(AtomicU8::new(0)))).unwrap()
}

/// The way to a receiver on this machine.
pub(crate) fn open(kind: &str, settings: &Value) -> Arc<dyn Transport> {
    Settings::parse(kind, settings).unwrap().open(&doors(&["127.0.0.1/32"], &Hands::new())).unwrap()
}

/// Sends until it is taken, as the loop would: a receiver that is just starting is not there at once.
pub(crate) async fn send_until_taken(transport: &dyn Transport, batch: &[Message]) -> Answer {
    let mut last = Answer::retry("never sent");
    for _ in 0..600 {
        last = transport.send(batch).await;
        if !matches!(last.verdict, Verdict::Retry { .. }) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never taken: {}", last.raw);
}
