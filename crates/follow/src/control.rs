//! What others may ask of a follower while it runs, and what it tells of itself.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use record::Index;
use tokio::sync::watch;

use crate::doors::Clock;
use crate::ledger::{Ledger, LedgerError};
use crate::log::Log;
use crate::route::Route;
use crate::status::{Rate, State, Status};

/// What a follower is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orders {
    pub(crate) is_paused: bool,
    pub(crate) is_stopping: bool,
    /// Raised whenever somebody says that it should go on: also a receiver that is gone is then tried again.
    pub(crate) resumed: u64,
}

impl Orders {
    pub(crate) fn go(self) -> bool {
        !self.is_paused && !self.is_stopping
    }
}

/// What only the running follower knows.
#[derive(Debug, Default)]
pub(crate) struct Now {
    /// Whether the last attempt of the live course failed.
    pub(crate) is_retrying: bool,
    pub(crate) rate: Rate,
}

pub(crate) struct Shared {
    pub(crate) route: Route,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) orders: watch::Sender<Orders>,
    now: Mutex<Now>,
}

impl Shared {
    pub(crate) fn new(route: Route, log: Arc<dyn Log>, ledger: Ledger, clock: Arc<dyn Clock>, is_paused: bool) -> Shared {
        let orders = watch::Sender::new(Orders { is_paused, is_stopping: false, resumed: 0 });
        Shared { route, log, ledger, clock, orders, now: Mutex::default() }
    }

    pub(crate) fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle on a follower. Clones are handles on the same one.
#[derive(Clone)]
pub struct Control(pub(crate) Arc<Shared>);

impl Control {
    /// Sends nothing until [`Control::resume`]. What is on its way may still arrive.
    pub fn pause(&self) {
        self.0.orders.send_modify(|orders| orders.is_paused = true);
    }

    /// Goes on where it stood, also with a receiver that is gone.
    pub fn resume(&self) {
        self.0.orders.send_modify(|orders| {
            orders.is_paused = false;
            orders.resumed = orders.resumed.wrapping_add(1);
        });
    }

    /// Whether somebody paused it.
    pub fn is_paused(&self) -> bool {
        self.0.orders.borrow().is_paused
    }

    /// How it is doing.
    pub async fn status(&self) -> Result<Status, LedgerError> {
        let shared = &self.0;
        let (standing, counts) = shared.ledger.standing_with_counts(&shared.route).await?;
        let newest = shared.log.newest();
        let behind = newest.map_or(0, |newest| newest.0.saturating_add(1).saturating_sub(standing.next));
        let lag_ms = if behind == 0 { Some(0) } else { self.oldest_age(standing.cursor).await };
        let (is_retrying, per_second) = {
            let mut now = shared.now();
            (now.is_retrying, now.rate.per_second(shared.clock.now()))
        };
        let state = match () {
            () if self.is_paused() => State::Paused,
            () if standing.gone.is_some() => State::Gone,
            () if is_retrying => State::Retrying,
            () if behind == 0 => State::Idle,
            () => State::Running,
        };
        Ok(Status {
            route: standing.route,
            state,
            cursor: standing.cursor,
            newest,
            lag_events: behind,
            lag_ms,
            last_answer: standing.last_answer,
            last_delivered_at: standing.last_delivered_at,
            failing_since: standing.failing_since,
            attempts: standing.attempts,
            gone: standing.gone,
            delivered: standing.delivered,
            per_second,
            dead_letters: counts.dead_letters,
            open_gaps: counts.open_gaps,
            open_replays: counts.open_replays,
        })
    }

    async fn oldest_age(&self, cursor: Option<Index>) -> Option<u64> {
        let read = self.0.log.read(cursor, None, 1).await.ok()?;
        let Some(oldest) = read.events.first() else { return Some(0) };
        u64::try_from(self.0.clock.now().millis_since(oldest.recorded_at())).ok().or(Some(0))
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("route", &self.0.route).finish_non_exhaustive()
    }
}
