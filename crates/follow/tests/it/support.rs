//! A log in memory, a receiver that does as it is told, and a clock that follows the paused time.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use follow::ledger::Begin;
use follow::{
    Answer, Chance, Clock, Control, Encode, Follower, FollowerParts, Hide, Later, Ledger, Limits, Log, LogError, Message,
    Read, Recorded, Route, Transport,
};
use record::{Action, Actor, Event, EventId, Index, Kind, OrgId, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

pub(crate) const ORGANIZATION: OrgId = OrgId(7);
const START_MS: i64 = 1_795_212_000_000;

/// Shows the paused time.
#[derive(Clone)]
pub(crate) struct PausedClock(Instant);

impl PausedClock {
    pub(crate) fn new() -> PausedClock {
        PausedClock(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START_MS).plus_millis(self.elapsed().as_millis() as i64)
    }
}

/// Chance from a seed.
pub(crate) struct Seeded(Mutex<fastrand::Rng>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Seeded {
        Seeded(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Chance for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill(bytes);
    }
}

/// The seeds to run: the one in `ACTA_SEED`, or else the first `count`.
pub(crate) fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("ACTA_SEED").ok().and_then(|text| text.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..count).collect(),
    }
}

/// A log in memory, of which the destination wants every event that `wants` says.
pub(crate) struct MemoryLog {
    events: watch::Sender<Vec<Arc<Recorded>>>,
    wants: fn(u64) -> bool,
    /// How often it cannot be read from now on.
    pub(crate) failures: Mutex<u32>,
}

impl MemoryLog {
    pub(crate) fn new() -> Arc<MemoryLog> {
        MemoryLog::wanting(|_| true)
    }

    pub(crate) fn wanting(wants: fn(u64) -> bool) -> Arc<MemoryLog> {
        Arc::new(MemoryLog { events: watch::Sender::new(Vec::new()), wants, failures: Mutex::new(0) })
    }

    /// Records the next event at that time.
    pub(crate) fn append(&self, at: Timestamp) {
        self.events.send_modify(|events| {
            let index = events.len() as u64;
            events.push(Arc::new(recorded(index, at)));
        });
    }

    /// Records many events.
    pub(crate) fn fill(&self, count: u64, clock: &dyn Clock) {
        (0..count).for_each(|_| self.append(clock.now()));
    }

    pub(crate) fn event_id(&self, index: u64) -> EventId {
        self.events.borrow()[index as usize].event_id
    }
}

pub(crate) fn recorded(index: u64, at: Timestamp) -> Recorded {
    let actor = Actor { kind: Kind::new("user").unwrap(), id: "u_1".into(), name: Some("Ada".into()), email: None };
    Recorded {
        organization: ORGANIZATION,
        organization_name: "Acme".into(),
        index: Index(index),
        event_id: EventId::new(at, index as u16, index.to_be_bytes()),
        event: Event::new(Action::new("QUERY_RUN").unwrap(), actor, at),
        key: None,
    }
}

impl Log for MemoryLog {
    fn newest(&self) -> Option<Index> {
        (self.events.borrow().len() as u64).checked_sub(1).map(Index)
    }

    fn read(&self, after: Option<Index>, to: Option<Index>, limit: usize) -> Later<'_, Result<Read, LogError>> {
        Box::pin(async move {
            {
                let mut failures = self.failures.lock().unwrap();
                if *failures > 0 {
                    *failures -= 1;
                    return Err(LogError("the disk is away".into()));
                }
            }
            let events = self.events.borrow();
            let from = after.map_or(0, |after| after.0 + 1) as usize;
            let end = to.map_or(events.len(), |to| events.len().min(to.0 as usize + 1));
            let mut read = Read::default();
            for event in events.iter().take(end).skip(from) {
                read.through = Some(event.index);
                if (self.wants)(event.index.0) {
                    read.events.push(Arc::clone(event));
                }
                if read.events.len() == limit {
                    break;
                }
            }
            Ok(read)
        })
    }

    fn wait(&self, after: Option<Index>) -> Later<'_, ()> {
        Box::pin(async move {
            let seen = after.map_or(0, |after| after.0 + 1) as usize;
            self.events.subscribe().wait_for(|events| events.len() > seen).await.unwrap();
        })
    }
}

/// What a receiver does with a batch.
pub(crate) type Doing = Box<dyn FnMut(&[Message], &mut Vec<Message>) -> (Duration, Option<Answer>) + Send>;

/// A receiver that does as it is told, and notes everything that it got and took.
pub(crate) struct Receiver {
    pub(crate) limits: Limits,
    doing: Mutex<Doing>,
    clock: PausedClock,
    /// Every batch: when it was sent, and its keys.
    pub(crate) sends: Mutex<Vec<(Duration, Vec<Message>)>>,
    /// Every message that it took, and when.
    pub(crate) taken: Mutex<Vec<(Duration, Message)>>,
}

pub(crate) fn limits() -> Limits {
    Limits { messages: 100, bytes: 100_000, overhead: 1, message_bytes: 10_000, age: Duration::from_secs(1) }
}

impl Receiver {
    /// Does with each batch as `doing` says: what it puts into the list was taken; then it waits, and answers, or never does.
    pub(crate) fn new(
        clock: &PausedClock,
        limits: Limits,
        doing: impl FnMut(&[Message], &mut Vec<Message>) -> (Duration, Option<Answer>) + Send + 'static,
    ) -> Arc<Receiver> {
        let (doing, clock) = (Mutex::new(Box::new(doing) as Doing), clock.clone());
        Arc::new(Receiver { limits, doing, clock, sends: Mutex::default(), taken: Mutex::default() })
    }

    /// Takes everything at once.
    pub(crate) fn good(clock: &PausedClock) -> Arc<Receiver> {
        Receiver::new(clock, limits(), take_all)
    }

    /// Gives these answers, one for each batch, and takes everything afterwards.
    pub(crate) fn answering(clock: &PausedClock, answers: Vec<Answer>) -> Arc<Receiver> {
        let mut answers = VecDeque::from(answers);
        Receiver::new(clock, limits(), move |batch, taken| match answers.pop_front() {
            Some(answer) => {
                take_what_it_says(batch, &answer, taken);
                (Duration::ZERO, Some(answer))
            }
            None => take_all(batch, taken),
        })
    }

    pub(crate) fn now_does(
        &self,
        doing: impl FnMut(&[Message], &mut Vec<Message>) -> (Duration, Option<Answer>) + Send + 'static,
    ) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(doing);
    }

    /// The indexes that were taken, in order.
    pub(crate) fn indexes(&self) -> Vec<u64> {
        self.taken.lock().unwrap().iter().map(|(_, message)| message.recorded.index.0).collect()
    }

    /// The indexes in the order in which each was first taken.
    pub(crate) fn first_arrivals(&self) -> Vec<u64> {
        let mut seen = std::collections::HashSet::new();
        self.indexes().into_iter().filter(|index| seen.insert(*index)).collect()
    }
}

pub(crate) fn take_all(batch: &[Message], taken: &mut Vec<Message>) -> (Duration, Option<Answer>) {
    taken.extend_from_slice(batch);
    (Duration::ZERO, Some(Answer::delivered("200 OK")))
}

fn take_what_it_says(batch: &[Message], answer: &Answer, taken: &mut Vec<Message>) {
    match &answer.verdict {
        follow::Verdict::Delivered => taken.extend_from_slice(batch),
        follow::Verdict::Each(fates) => {
            let delivered = batch.iter().zip(fates).filter(|(_, fate)| **fate == follow::Fate::Delivered);
            taken.extend(delivered.map(|(message, _)| message.clone()));
        }
        _ => {}
    }
}

impl Transport for Receiver {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            assert!(!batch.is_empty(), "an empty batch");
            self.sends.lock().unwrap().push((self.clock.elapsed(), batch.to_vec()));
            let mut taken = Vec::new();
            let (wait, answer) = (self.doing.lock().unwrap_or_else(PoisonError::into_inner))(batch, &mut taken);
            let now = self.clock.elapsed();
            self.taken.lock().unwrap().extend(taken.into_iter().map(|message| (now, message)));
            sleep(wait).await;
            match answer {
                Some(answer) => answer,
                None => pending().await,
            }
        })
    }
}

/// An event's index and nothing else.
pub(crate) struct Plain;

impl Encode for Plain {
    fn encode(&self, recorded: &Recorded) -> Result<Vec<Bytes>, String> {
        Ok(vec![Bytes::from(format!("{{\"index\":{}}}", recorded.index))])
    }
}

/// Everything that a follower needs, and what it works on.
pub(crate) struct World {
    pub(crate) route: Route,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: PausedClock,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) encoder: Arc<dyn Encode>,
    pub(crate) seed: u64,
}

impl World {
    pub(crate) fn new(log: Arc<MemoryLog>, clock: PausedClock, receiver: Arc<Receiver>) -> World {
        let route = Route::new("dest_1", ORGANIZATION);
        World { route, log, ledger: Ledger::in_memory().unwrap(), clock, receiver, encoder: Arc::new(Plain), seed: 1 }
    }

    pub(crate) fn follower(&self) -> Follower {
        Follower::new(self.parts(false))
    }

    pub(crate) fn parts(&self, is_paused: bool) -> FollowerParts {
        FollowerParts {
            route: self.route.clone(),
            begin: Begin::Beginning,
            log: Arc::clone(&self.log) as Arc<dyn Log>,
            encoder: Arc::clone(&self.encoder),
            hide: Hide::nothing(),
            transport: Arc::clone(&self.receiver) as Arc<dyn Transport>,
            ledger: self.ledger.clone(),
            clock: Arc::new(self.clock.clone()),
            chance: Arc::new(Seeded::new(self.seed)),
            is_paused,
        }
    }

    /// Runs a follower while `meanwhile` goes on.
    pub(crate) async fn run<T>(&self, meanwhile: impl AsyncFnOnce(Control) -> T) -> T {
        let follower = self.follower();
        let meanwhile = meanwhile(follower.control());
        tokio::select! {
            () = follower.run(pending()) => panic!("the follower ended"),
            value = meanwhile => value,
        }
    }

    /// Runs a follower until everything has been seen to.
    pub(crate) async fn run_to_the_end(&self) {
        self.run(async |_| self.until_caught_up().await).await;
    }

    pub(crate) async fn until_caught_up(&self) {
        self.until(|standing| standing.cursor == self.log.newest()).await;
    }

    pub(crate) async fn until(&self, is_so: impl Fn(&follow::ledger::Standing) -> bool) {
        loop {
            if self.ledger.standing(&self.route).await.unwrap().as_ref().is_some_and(&is_so) {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Open gaps, a line each.
    pub(crate) async fn gaps(&self) -> Vec<String> {
        let gaps = self.ledger.gaps(&self.route, self.log.newest()).await.unwrap();
        gaps.iter().map(|gap| format!("{:?} {}..={} {}", gap.kind, gap.from, gap.to.unwrap(), gap.reason)).collect()
    }

    /// Dead letters, a line each.
    pub(crate) async fn dead_letters(&self) -> Vec<String> {
        let dead = self.ledger.dead_letters(&self.route, None, 1_000).await.unwrap();
        let line = |one: &follow::ledger::DeadLetter| {
            format!("{}-{} after {}: {} [{}] {}", one.index, one.part, one.attempts, one.reason, one.answer, one.excerpt)
        };
        dead.iter().map(line).collect()
    }
}
