//! Events to send, doors onto loopback, and a sender that does with verdicts what the loop does.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use deliver::net::{AllowedNetworks, Http, HttpOptions, Resolve};
use deliver::{Doors, Settings};
use follow::{Answer, Chance, Clock, Fate, Later, Message, Recorded, Transport, Verdict};
use record::{Action, Actor, Event, EventId, Index, Json, Kind, OrgId, Outcome, Timestamp};
use serde_json::Value;

/// 2026-11-21T09:00:00Z.
pub(crate) const NOW: i64 = 1_795_251_600_000;

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct Still(pub(crate) Mutex<i64>);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.0.lock().unwrap())
    }
}

/// Chance that counts.
#[derive(Debug, Default)]
struct Counting(Mutex<u8>);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let mut next = self.0.lock().unwrap();
        for byte in bytes {
            *next = next.wrapping_add(1);
            *byte = *next;
        }
    }
}

/// Names and what they are, which a test may change in between.
#[derive(Debug, Default)]
pub(crate) struct Names(pub(crate) Mutex<Vec<(String, Vec<IpAddr>)>>);

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Later<'a, std::io::Result<Vec<IpAddr>>> {
        let names = self.0.lock().unwrap();
        let found = names.iter().find(|(name, _)| name == host).map(|(_, addresses)| addresses.clone());
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

pub(crate) fn options(allowed: AllowedNetworks) -> HttpOptions {
    HttpOptions { allowed, resolver: Arc::new(Names::default()), answer: Duration::from_secs(20), ..HttpOptions::default() }
}

/// Doors that may reach this machine.
pub(crate) fn doors() -> Doors {
    let allowed = AllowedNetworks::parse(["127.0.0.0/8"]).unwrap();
    Doors::new(options(allowed), Arc::new(Still(Mutex::new(NOW))), Arc::new(Counting::default())).unwrap()
}

pub(crate) fn http() -> Http {
    doors().http
}

/// The transport of these settings.
pub(crate) fn open(kind: &str, settings: &Value) -> Arc<dyn Transport> {
    Settings::parse(kind, settings).unwrap().open(&doors()).unwrap()
}

/// Texts that formats, headers and receivers trip over.
pub(crate) const NASTY: [&str; 8] = [
    "plain",
    "quotes \" and \\ backslashes",
    "line\nbreak\r\nand\ttab",
    "ünïcödé 日本語 🦀",
    "<script>alert(1)</script>",
    "null",
    "{\"event\":null}",
    "a=b,c=d;e|f",
];

/// An event of a series.
pub(crate) fn recorded(n: u64) -> Recorded {
    let at = Timestamp::from_millis(NOW).plus_millis(i64::try_from(n).unwrap() * 1_000 + 123);
    let text = NASTY[usize::try_from(n).unwrap() % NASTY.len()];
    let actor = Actor {
        kind: Kind::new("user").unwrap(),
        id: format!("u_{}", n % 7).into(),
        name: Some(text.into()),
        email: Some("ada@example.com".into()),
    };
    let mut event = Event::new(Action::new("LOGIN").unwrap(), actor, at);
    event.context.ip = Some("198.51.100.7".into());
    event.context.user_agent = Some(text.into());
    event.outcome = Some(if n % 3 == 2 { Outcome::Failure } else { Outcome::Success });
    event.response_time_ms = Some(12);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    event.metadata = Some(Json::parse(&format!("{{\"n\":{n},\"traceparent\":\"{trace}\"}}"), 32).unwrap());
    Recorded {
        organization: OrgId(1),
        organization_name: "Acme".into(),
        index: Index(n),
        event_id: EventId::new(at, u16::try_from(n % 4096).unwrap(), [7; 8]),
        event,
        key: None,
    }
}

/// A message with this body.
pub(crate) fn message_of(n: u64, body: impl Into<Vec<u8>>) -> Message {
    Message { recorded: Arc::new(recorded(n)), part: 0, body: Bytes::from(body.into()) }
}

/// A message whose body is JSON.
pub(crate) fn message(n: u64) -> Message {
    let recorded = recorded(n);
    let text = serde_json::json!({"event_id": recorded.event_id.to_string(), "n": n, "text": recorded.event.actor.name});
    message_of(n, text.to_string())
}

pub(crate) fn messages(count: u64) -> Vec<Message> {
    (0..count).map(message).collect()
}

/// What became of messages.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) delivered: usize,
    pub(crate) poison: Vec<(u64, String)>,
    pub(crate) sent: usize,
    pub(crate) answers: Vec<String>,
}

/// Sends until all are delivered or poison; does not wait. Fails after a hundred attempts.
pub(crate) async fn deliver(transport: &dyn Transport, all: &[Message]) -> Done {
    let mut done = Done::default();
    let limits = transport.limits();
    let mut lots: Vec<Vec<Message>> = Vec::new();
    let mut lot: Vec<Message> = Vec::new();
    let mut bytes = 0;
    for message in all {
        let more = message.body.len() + limits.overhead;
        if !lot.is_empty() && (lot.len() == limits.messages || bytes + more > limits.bytes) {
            lots.push(std::mem::take(&mut lot));
            bytes = 0;
        }
        bytes += more;
        lot.push(message.clone());
    }
    lots.push(lot);
    lots.reverse();
    while let Some(lot) = lots.pop() {
        assert!(done.sent < 100, "it does not end: {:?}", done.answers);
        done.sent += 1;
        let answer = transport.send(&lot).await;
        done.answers.push(answer.raw.clone());
        follow_up(answer, lot, &mut lots, &mut done);
    }
    done
}

fn follow_up(answer: Answer, lot: Vec<Message>, lots: &mut Vec<Vec<Message>>, done: &mut Done) {
    match answer.verdict {
        Verdict::Delivered => done.delivered += lot.len(),
        Verdict::Retry { .. } => lots.push(lot),
        Verdict::Split | Verdict::Refused if lot.len() > 1 => {
            let (first, second) = lot.split_at(lot.len() / 2);
            lots.push(second.to_vec());
            lots.push(first.to_vec());
        }
        Verdict::Split | Verdict::Refused => done.poison.push((lot[0].recorded.index.0, answer.raw)),
        Verdict::Each(fates) => {
            assert_eq!(fates.len(), lot.len());
            let mut again = Vec::new();
            for (message, fate) in lot.into_iter().zip(fates) {
                match fate {
                    Fate::Delivered => done.delivered += 1,
                    Fate::Retry => again.push(message),
                    Fate::Poison(why) => done.poison.push((message.recorded.index.0, why)),
                }
            }
            if !again.is_empty() {
                lots.push(again);
            }
        }
        Verdict::Gone => panic!("gone: {}", answer.raw),
    }
}

/// A program to compare with, or a line that says what is left out.
pub(crate) fn peer(variable: &str, what: &str) -> Option<std::path::PathBuf> {
    let found = std::env::var_os(variable).map(std::path::PathBuf::from).filter(|path| path.exists());
    if found.is_none() {
        println!("not compared with {what}: {variable} is not set; `cargo xtask test` sets it up");
    }
    found
}
