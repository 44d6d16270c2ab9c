//! What one round of one peer gives, and the medians over its rounds.

use super::numbers::median;

/// One peer, one round.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    /// Batches of 100.
    pub(crate) batches: Ingest,
    /// One event at a time.
    pub(crate) singles: Ingest,
    /// What all events of both take on the disk.
    pub(crate) bytes: u64,
    /// The most memory that the server held, where it is one process.
    pub(crate) peak_bytes: Option<u64>,
    /// Questions and the median time of their answers, in milliseconds.
    pub(crate) questions: Vec<(&'static str, f64)>,
}

/// Events that were recorded durably.
#[derive(Debug, Clone)]
pub(crate) struct Ingest {
    pub(crate) events: usize,
    pub(crate) events_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of the server, without that of whoever sends.
    pub(crate) cpu_seconds: f64,
}

impl Ingest {
    /// Processor time of the server per event, in microseconds.
    pub(crate) fn cpu_us_per_event(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.events as f64
    }
}

impl Round {
    /// Bytes on the disk per event.
    pub(crate) fn bytes_per_event(&self) -> f64 {
        self.bytes as f64 / (self.batches.events + self.singles.events) as f64
    }
}

/// The median of something over the rounds, and its range.
pub(crate) fn over(rounds: &[Round], read: impl Fn(&Round) -> f64) -> Option<Spread> {
    let values: Vec<f64> = rounds.iter().map(read).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    median(&values).map(|median| Spread { least, median, most })
}

/// How far a measurement scatters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}
