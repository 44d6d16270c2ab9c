//! How a destination is doing, for people and for metrics.

use std::collections::VecDeque;

use record::{Index, Timestamp};
use serde::Serialize;

use crate::ledger::Said;
use crate::route::Route;

/// What a route is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is something to send, and it is being sent.
    Running,
    /// The last attempt failed; it is tried again.
    Retrying,
    /// Somebody paused it.
    Paused,
    /// The receiver wants nothing any more.
    Gone,
    /// Everything has been sent.
    Idle,
}

/// How a route is doing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Which one.
    #[serde(flatten)]
    pub route: Route,
    /// What it is doing.
    pub state: State,
    /// Everything up to here has arrived or is a dead letter.
    pub cursor: Option<Index>,
    /// The newest index of the log.
    pub newest: Option<Index>,
    /// How many indexes lie between them, whether the destination wants them or not.
    pub lag_events: u64,
    /// How long ago the oldest event was recorded that is wanted and has not arrived, in milliseconds. Zero if there is none;
    /// `None` if the log cannot be read.
    pub lag_ms: Option<u64>,
    /// What the receiver said last.
    pub last_answer: Option<Said>,
    /// When something arrived last.
    pub last_delivered_at: Option<Timestamp>,
    /// Since when nothing has arrived although it was tried.
    pub failing_since: Option<Timestamp>,
    /// Attempts that have failed since then.
    pub attempts: u32,
    /// Why the receiver wants nothing any more.
    pub gone: Option<String>,
    /// Events that have arrived, replays included.
    pub delivered: u64,
    /// Events that arrived within the last minute, for each second.
    pub per_second: f64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Gaps that are open.
    pub open_gaps: u64,
    /// Replays that have not ended.
    pub open_replays: u64,
}

/// What arrived within the last minute.
#[derive(Debug, Default)]
pub(crate) struct Rate(VecDeque<(i64, u64)>);

const MINUTE: i64 = 60_000;

impl Rate {
    /// Counts what has just arrived.
    pub(crate) fn add(&mut self, now: Timestamp, events: u64) {
        let second = now.as_millis().div_euclid(1_000) * 1_000;
        match self.0.back_mut() {
            Some((at, count)) if *at == second => *count += events,
            _ => self.0.push_back((second, events)),
        }
        self.forget(now);
    }

    /// Events for each second.
    pub(crate) fn per_second(&mut self, now: Timestamp) -> f64 {
        self.forget(now);
        let sum: u64 = self.0.iter().map(|(_, count)| count).sum();
        #[expect(clippy::cast_precision_loss, reason = "shown to people with a digit or two")]
        let sum = sum as f64;
        sum / 60.0
    }

    fn forget(&mut self, now: Timestamp) {
        while self.0.front().is_some_and(|(at, _)| now.as_millis() - at >= MINUTE) {
            self.0.pop_front();
        }
    }
}
