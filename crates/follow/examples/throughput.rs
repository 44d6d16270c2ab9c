//! How many events one core takes through the loop: read, encoded, batched, settled and noted in a ledger on disk, with a
//! receiver that takes everything at once.
//!
//! `cargo run --release -p follow --example throughput [events]`

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods, reason = "a measurement for people")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use follow::ledger::Begin;
use follow::{
    Answer, Chance, Clock, Encode, Follower, FollowerParts, Hide, Later, Ledger, Limits, Log, LogError, Message, Read,
    Recorded, Route, Transport,
};
use record::{Action, Actor, Context, Event, EventId, Index, Json, Kind, OrgId, Outcome, Target, Timestamp};
use serde::Serialize;

const START: i64 = 1_795_212_000_000;

fn recorded(index: u64) -> Recorded {
    let at = Timestamp::from_millis(START).plus_millis(i64::try_from(index / 10).unwrap());
    let user = index % 900;
    let actor = Actor {
        kind: Kind::new("user").unwrap(),
        id: format!("usr_{user}").into(),
        name: Some(format!("Ada Lovelace {user}").into()),
        email: Some(format!("ada.lovelace.{user}@example.com").into()),
    };
    let mut event = Event::new(Action::new("QUERY_RUN").unwrap(), actor, at);
    event.outcome = Some(Outcome::Success);
    event.response_time_ms = Some(index % 700);
    let target = |kind: &str, name: String| Target {
        kind: Kind::new(kind).unwrap(),
        id: Some(format!("{kind}_{}", index % 50).into()),
        name: Some(name.into()),
        environment: Some("production".into()),
    };
    event.targets = vec![target("app", "Refunds".into()), target("query", format!("get_orders_{}", index % 40))];
    event.context = Context {
        ip: Some(format!("203.0.113.{}", index % 250).into()),
        user_agent: Some(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36".into(),
        ),
        session_id: Some(format!("ses_{user}").into()),
        request_id: Some(format!("req_{index:016x}").into()),
    };
    let metadata = format!(
        r#"{{"query":"select * from orders where customer = ? and state = ?","params":[{index},"open"],"rows":17}}"#
    );
    event.metadata = Some(Json::parse(&metadata, 8).unwrap());
    let event_id = EventId::new(at, u16::try_from(index % 4_096).unwrap(), index.to_be_bytes());
    Recorded { organization: OrgId(1), organization_name: "Acme".into(), index: Index(index), event_id, event, key: None }
}

struct Memory(Vec<Arc<Recorded>>);

impl Log for Memory {
    fn newest(&self) -> Option<Index> {
        self.0.last().map(|last| last.index)
    }

    fn read(&self, after: Option<Index>, _: Option<Index>, limit: usize) -> Later<'_, Result<Read, LogError>> {
        Box::pin(async move {
            let from = usize::try_from(after.map_or(0, |after| after.0 + 1)).unwrap();
            let events: Vec<_> = self.0.iter().skip(from).take(limit).cloned().collect();
            let through = events.last().map(|last| last.index);
            Ok(Read { events, through })
        })
    }

    fn wait(&self, _: Option<Index>) -> Later<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// An event as one line of JSON, all of its members.
#[derive(Serialize)]
struct Line<'e> {
    event_id: EventId,
    index: Index,
    organization: &'e str,
    recorded_at: Timestamp,
    action: &'e str,
    occurred_at: Timestamp,
    actor: &'e Actor,
    targets: &'e [Target],
    context: &'e Context,
    outcome: Option<Outcome>,
    response_time_ms: Option<u64>,
    metadata: &'e Option<Json>,
}

struct JsonLines;

impl Encode for JsonLines {
    fn encode(&self, recorded: &Recorded) -> Result<Vec<Bytes>, String> {
        let event = &recorded.event;
        let line = Line {
            event_id: recorded.event_id,
            index: recorded.index,
            organization: &recorded.organization_name,
            recorded_at: recorded.recorded_at(),
            action: event.action.as_str(),
            occurred_at: event.occurred_at,
            actor: &event.actor,
            targets: &event.targets,
            context: &event.context,
            outcome: event.outcome,
            response_time_ms: event.response_time_ms,
            metadata: &event.metadata,
        };
        let mut out = Vec::with_capacity(1_024);
        serde_json::to_writer(&mut out, &line).map_err(|error| error.to_string())?;
        Ok(vec![out.into()])
    }
}

struct Null;

impl Transport for Null {
    fn limits(&self) -> Limits {
        let age = Duration::from_secs(1);
        Limits { messages: 1_000, bytes: 5_000_000, overhead: 1, message_bytes: 1_000_000, age }
    }

    fn send<'a>(&'a self, _: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async { Answer::delivered("HTTP 202 Accepted") })
    }
}

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
    }
}

impl Chance for Wall {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn main() {
    let events: u64 = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let log = Arc::new(Memory((0..events).map(|index| Arc::new(recorded(index))).collect()));
    let bytes: usize = log.0.iter().take(1_000).map(|one| JsonLines.encode(one).unwrap()[0].len()).sum();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let took = runtime.block_on(async {
        let ledger = Ledger::open(&folder.path().join("deliveries.db")).unwrap();
        let route = Route::new("dest_1", OrgId(1));
        let follower = Follower::new(FollowerParts {
            route: route.clone(),
            begin: Begin::Beginning,
            log: log.clone(),
            encoder: Arc::new(JsonLines),
            hide: Hide::nothing(),
            transport: Arc::new(Null),
            ledger: ledger.clone(),
            clock: Arc::new(Wall),
            chance: Arc::new(Wall),
            is_paused: false,
        });
        let begun = Instant::now();
        follower
            .run(async {
                while ledger.standing(&route).await.unwrap().is_none_or(|standing| standing.delivered < events) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await;
        begun.elapsed()
    });
    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    let rate = events as f64 / took.as_secs_f64();
    println!("{events} events of {} bytes in {:.2} s: {rate:.0} events/s", bytes / 1_000, took.as_secs_f64());
}
