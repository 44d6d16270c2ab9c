//! The one loop: one organization's log to one destination, in order, at least once.
//!
//! The live course and at most one replay at a time run side by side, each with a cursor of its own, over one transport. Each
//! reads ahead by one batch while another is being sent. *It may be dropped at any moment:* what the ledger does not know to have
//! arrived is sent again.

mod course;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::batch::Batch;
use crate::caught::caught;
use crate::collect::Collector;
use crate::control::{Control, Orders, Shared};
use crate::doors::{Chance, Clock};
use crate::encode::Encode;
use crate::hide::Hide;
use crate::ledger::{Begin, Ledger, LedgerError, Replay, ReplayKind, ReplayState, Run, Said};
use crate::log::Log;
use crate::message::Message;
use crate::route::Route;
use crate::source::Source;
use crate::transport::Transport;
use crate::verdict::Answer;
use course::Course;

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

    /// The live course, until it is to stop or there is nothing to do any more.
    async fn live(&self) {
        self.live_through_pauses().await;
        self.shared.orders.send_modify(|orders| orders.is_stopping = true);
    }

    async fn live_through_pauses(&self) {
        let shared = &self.shared;
        let mut orders = shared.orders.subscribe();
        // What was said before it ran counts.
        let mut resumed = 0;
        // Also when it is paused: it begins where the log is now, not where it will be. And only once: a destination that is
        // removed while we run is not to be begun again.
        self.asking(|| shared.ledger.begin(&shared.route, self.begin, shared.log.newest())).await;
        loop {
            let Some(now) = until(&mut orders, Orders::go).await else { return };
            let Some(standing) = self.asking(|| shared.ledger.standing(&shared.route)).await else { return };
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
        let mut course = Course::new(self, run, from);
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

/// Waits until the orders are so; `None` if the follower is to stop instead.
async fn until(orders: &mut watch::Receiver<Orders>, is_so: impl Fn(Orders) -> bool) -> Option<Orders> {
    let orders = orders.wait_for(|orders| orders.is_stopping || is_so(*orders)).await.ok()?;
    (!orders.is_stopping).then_some(*orders)
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
