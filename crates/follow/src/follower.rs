//! The one loop: one organization's log to one destination, in order, at least once.
//!
//! The live course and at most one replay at a time run side by side, each with a cursor of its own, over one transport. Each
//! reads ahead by one batch while another is being sent. *It may be dropped at any moment:* what the ledger does not know to have
//! arrived is sent again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::backoff;
use crate::batch::{Batch, Settling, Step};
use crate::caught::caught;
use crate::collect::Collector;
use crate::control::{Control, Orders, Shared};
use crate::doors::{Chance, Clock};
use crate::encode::Encode;
use crate::hide::Hide;
use crate::ledger::{Begin, Ledger, LedgerError, Progress, Replay, ReplayKind, ReplayState, Run, Said, Went};
use crate::log::Log;
use crate::message::Message;
use crate::route::Route;
use crate::source::Source;
use crate::tally::{Tally, Told};
use crate::transport::Transport;
use crate::verdict::{Answer, Verdict};

/// How long a batch that is on its way is waited for when the follower is to pause or to stop.
const GRACE: Duration = Duration::from_secs(5);
/// No answer for so long is none, whatever the transport thinks.
const ANSWER_MAX: Duration = Duration::from_secs(10 * 60);
/// How soon the ledger is asked again when it failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Everything that a follower needs.
pub struct FollowerParts {
    /// What it follows, and for whom.
    pub route: Route,
    /// Where it begins if it never ran before.
    pub begin: Begin,
    /// The log, as far as the destination may see and wants it.
    pub log: Arc<dyn Log>,
    /// The destination's format.
    pub encoder: Arc<dyn Encode>,
    /// What the destination does not get.
    pub hide: Hide,
    /// The way to the receiver.
    pub transport: Arc<dyn Transport>,
    /// Where it is noted what has arrived.
    pub ledger: Ledger,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for waits.
    pub chance: Arc<dyn Chance>,
    /// Whether it is to wait for [`Control::resume`].
    pub is_paused: bool,
}

/// Delivers one organization's log to one destination.
pub struct Follower {
    shared: Arc<Shared>,
    begin: Begin,
    encoder: Arc<dyn Encode>,
    hide: Hide,
    transport: Arc<dyn Transport>,
    /// The transport sends one batch at a time.
    turn: Mutex<()>,
    chance: Arc<dyn Chance>,
}

/// How a course ended.
enum End {
    /// There is no more to send.
    Over,
    /// Somebody paused it, or it is to stop.
    Ordered,
    /// Somebody moved its cursor.
    Moved,
    /// Its route or its replay is no more.
    NoMore,
    /// The receiver wants nothing any more, and said this.
    Gone(Said),
}

impl Follower {
    /// A follower; it does nothing until it is run.
    pub fn new(parts: FollowerParts) -> Follower {
        let FollowerParts { route, begin, log, encoder, hide, transport, ledger, clock, chance, is_paused } = parts;
        let shared = Arc::new(Shared::new(route, log, ledger, clock, is_paused));
        Follower { shared, begin, encoder, hide, transport, turn: Mutex::default(), chance }
    }

    /// A handle on it.
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.shared))
    }

    /// Delivers until `stop` returns, and then for a few seconds more if a batch is on its way; or until the ledger has been told
    /// to forget the destination.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let stopped = async {
            stop.await;
            self.shared.orders.send_modify(|orders| orders.is_stopping = true);
            sleep(GRACE).await;
        };
        let work = async {
            tokio::join!(self.live(), self.replays());
        };
        tokio::select! {
            () = work => {}
            () = stopped => {}
        }
    }

    /// The live course, through pauses, until it is to stop.
    async fn live(&self) {
        let shared = &self.shared;
        let mut orders = shared.orders.subscribe();
        // What was said before it ran counts.
        let mut resumed = 0;
        // Only the first time: a destination that is removed while we run is not to be begun again.
        let mut is_known = false;
        loop {
            let Some(now) = until(&mut orders, Orders::go).await else { return };
            let standing = if is_known {
                self.asking(|| shared.ledger.standing(&shared.route)).await
            } else {
                let begun = self.asking(|| shared.ledger.begin(&shared.route, self.begin, shared.log.newest())).await;
                Some(begun)
            };
            let Some(standing) = standing else { return };
            is_known = true;
            if standing.gone.is_some() {
                if now.resumed == resumed {
                    let before = resumed;
                    let Some(_) = until(&mut orders, |orders| orders.resumed != before).await else { return };
                }
                self.asking(|| shared.ledger.come_back(&shared.route)).await;
            }
            resumed = orders.borrow().resumed;
            let source = Source::Live(Arc::clone(&shared.log));
            let end = self.course(Run::Live, source, standing.next, orders.clone()).await;
            shared.now().is_retrying = false;
            match end {
                End::Gone(said) => self.asking(|| shared.ledger.gone(&shared.route, said.clone())).await,
                End::NoMore => return,
                End::Over | End::Ordered | End::Moved => {}
            }
        }
    }

    /// One replay after the other, until it is to stop.
    async fn replays(&self) {
        let shared = &self.shared;
        let mut orders = shared.orders.subscribe();
        let mut news = shared.ledger.news();
        loop {
            news.mark_unchanged();
            let Some(_) = until(&mut orders, Orders::go).await else { return };
            let replay = match shared.ledger.next_replay(&shared.route).await {
                Ok(Some(replay)) => replay,
                Ok(None) => {
                    tokio::select! {
                        _ = news.changed() => {}
                        _ = until(&mut orders, |orders| orders.is_stopping) => return,
                    }
                    continue;
                }
                // Not begun yet, or forgotten; the live course finds out which.
                Err(_) => {
                    sleep(AGAIN).await;
                    continue;
                }
            };
            self.replay(&replay, orders.clone()).await;
        }
    }

    async fn replay(&self, replay: &Replay, orders: watch::Receiver<Orders>) {
        let shared = &self.shared;
        let log = Arc::clone(&shared.log);
        let (run, source) = match replay.kind {
            ReplayKind::Range => (Run::Range(replay.id), Source::Range(log, replay.to)),
            ReplayKind::DeadLetters => (Run::Dead(replay.id), Source::Dead(log, shared.ledger.clone(), replay.id)),
        };
        let end = tokio::select! {
            end = self.course(run, source, replay.next, orders) => end,
            () = self.until_ended(replay) => return,
        };
        let (state, reason) = match end {
            End::Over => (ReplayState::Done, None),
            End::Gone(said) => (ReplayState::Failed, Some(said.raw)),
            End::Ordered | End::Moved | End::NoMore => return,
        };
        let end = || shared.ledger.end_replay(replay.id, state, reason.clone(), shared.clock.now());
        self.asking(end).await;
    }

    /// Returns when somebody has put an end to the replay.
    async fn until_ended(&self, replay: &Replay) {
        let shared = &self.shared;
        let mut news = shared.ledger.news();
        // The ledger is there as long as we are.
        while news.changed().await.is_ok() {
            let now = shared.ledger.replay(&shared.route, replay.id).await;
            if now.is_ok_and(|now| now.state != ReplayState::Running) {
                return;
            }
        }
    }

    /// Sends everything that the source has from the index `from` on.
    async fn course(&self, run: Run, source: Source, from: u64, mut orders: watch::Receiver<Orders>) -> End {
        let (give, batches) = mpsc::channel(1);
        let (encoder, hide) = (Arc::clone(&self.encoder), self.hide.clone());
        let mut collector = Collector::new(source, from, encoder, hide, self.transport.limits());
        let collecting = async move {
            // A place is reserved first, so that at most two batches are in memory: one on its way, one ready or being filled.
            while let Ok(place) = give.reserve().await {
                let Some(batch) = collector.next().await else { break };
                place.send(batch);
            }
        };
        let sending = self.send_all(run, from, batches, orders.clone());
        let cut_off = async {
            until(&mut orders, |orders| !orders.go()).await;
            sleep(GRACE).await;
        };
        tokio::pin!(sending);
        tokio::select! {
            biased;
            end = &mut sending => return end,
            () = collecting => {}
            () = cut_off => return End::Ordered,
        }
        // All is collected; some of it is still to be sent.
        let cut_off = async {
            until(&mut orders, |orders| !orders.go()).await;
            sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            end = sending => end,
            () = cut_off => End::Ordered,
        }
    }

    async fn send_all(
        &self,
        run: Run,
        from: u64,
        mut batches: mpsc::Receiver<Batch>,
        mut orders: watch::Receiver<Orders>,
    ) -> End {
        let mut course = Course { follower: self, run, at: from, tally: Tally::default(), refused_in_a_row: 0, attempts: 0 };
        loop {
            let batch = tokio::select! {
                batch = batches.recv() => batch,
                _ = until(&mut orders, |orders| !orders.go()) => return End::Ordered,
            };
            let Some(batch) = batch else { return End::Over };
            if let Err(end) = course.send(batch, &mut orders).await {
                return end;
            }
        }
    }

    /// One attempt.
    async fn attempt(&self, lot: &[Message]) -> Answer {
        let _turn = self.turn.lock().await;
        match timeout(ANSWER_MAX, caught(self.transport.send(lot))).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => Answer::retry(panic),
            Err(_) => Answer::retry("no answer within ten minutes"),
        }
    }

    /// Asks the ledger until it answers: nothing may go on before it knows.
    async fn asking<T, F: Future<Output = Result<T, LedgerError>>>(&self, ask: impl Fn() -> F) -> T {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) => {
                    tracing::error!(route = %self.shared.route, %error, "delivery waits for its ledger");
                    sleep(AGAIN).await;
                }
            }
        }
    }
}

/// A course that is being sent.
struct Course<'f> {
    follower: &'f Follower,
    run: Run,
    /// The first index that the ledger does not know to be seen to.
    at: u64,
    tally: Tally,
    refused_in_a_row: u32,
    /// Attempts that have failed since something arrived.
    attempts: u32,
}

impl Course<'_> {
    /// Sends a batch until nothing of it is left.
    async fn send(&mut self, batch: Batch, orders: &mut watch::Receiver<Orders>) -> Result<(), End> {
        let next = batch.next;
        let mut settling = Settling::new(batch.slots, self.refused_in_a_row);
        let mut said = None;
        loop {
            let told = self.tally.take(settling.take_settled());
            if told.arrived.ends().is_some() {
                self.attempts = 0;
            }
            self.note(told, if settling.is_over() { Some(next) } else { None }, said.clone()).await?;
            let Some(lot) = settling.lot() else { break };
            if !orders.borrow().go() {
                return Err(End::Ordered);
            }
            let answer = self.follower.attempt(&lot).await;
            let answered = Said {
                raw: answer.raw.clone(),
                verdict: word(&answer.verdict).to_owned(),
                at: self.follower.shared.clock.now(),
            };
            match settling.answer(&answer) {
                Step::On => {}
                Step::Gone => return Err(End::Gone(answered)),
                Step::Wait(asked) => {
                    // What has arrived is noted before what has not.
                    let told = self.tally.take(settling.take_settled());
                    self.attempts = if told.arrived.ends().is_some() { 1 } else { self.attempts.saturating_add(1) };
                    self.note(told, None, Some(answered.clone())).await?;
                    self.failed(answered.clone()).await;
                    let wait = backoff::wait(self.attempts, asked, self.follower.chance.as_ref());
                    tokio::select! {
                        () = sleep(wait) => {}
                        _ = until(orders, |orders| !orders.go()) => return Err(End::Ordered),
                    }
                }
            }
            said = Some(answered);
        }
        self.refused_in_a_row = settling.refused_in_a_row();
        Ok(())
    }

    /// Tells the ledger how far it is; `all` is where the whole batch ends, if all of it is settled.
    async fn note(&mut self, told: Told, all: Option<u64>, said: Option<Said>) -> Result<(), End> {
        let next = all.or(told.next).unwrap_or(self.at).max(self.at);
        if next == self.at && told.arrived.ends().is_none() && told.dead.is_empty() {
            return Ok(());
        }
        let shared = &self.follower.shared;
        let arrived = told.arrived.count();
        let newest = shared.log.newest();
        let (run, expected, at) = (self.run, self.at, shared.clock.now());
        let progress = Progress { run, expected, next, arrived: told.arrived, dead: told.dead, said, newest, at };
        let went = self.follower.asking(|| shared.ledger.advance(&shared.route, progress.clone())).await;
        self.at = next;
        if arrived > 0 {
            let mut now = shared.now();
            now.rate.add(at, arrived);
            if self.run == Run::Live {
                now.is_retrying = false;
            }
        }
        match went {
            Went::On => Ok(()),
            Went::Moved => Err(End::Moved),
            Went::Ended => Err(End::NoMore),
        }
    }

    async fn failed(&self, said: Said) {
        let shared = &self.follower.shared;
        if self.run == Run::Live {
            shared.now().is_retrying = true;
        }
        self.follower.asking(|| shared.ledger.fail(&shared.route, self.run, said.clone())).await;
    }
}

/// Waits until the orders are so; `None` if the follower is to stop instead.
async fn until(orders: &mut watch::Receiver<Orders>, is_so: impl Fn(Orders) -> bool) -> Option<Orders> {
    let orders = orders.wait_for(|orders| orders.is_stopping || is_so(*orders)).await.ok()?;
    (!orders.is_stopping).then_some(*orders)
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Retry { .. } => "retry",
        Verdict::Split => "split",
        Verdict::Refused => "refused",
        Verdict::Each(_) => "partly",
        Verdict::Gone => "gone",
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("route", &self.shared.route).finish_non_exhaustive()
    }
}

impl fmt::Debug for FollowerParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowerParts").field("route", &self.route).finish_non_exhaustive()
    }
}
