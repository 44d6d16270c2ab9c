use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use record::Timestamp;

/// A clock that moves only when it is looked at, or told to. Clones show the same time.
#[derive(Debug, Clone)]
pub struct SeededClock {
    millis: Arc<AtomicI64>,
    step_ms: Arc<AtomicI64>,
    monotonic_ns: Arc<AtomicU64>,
}

impl SeededClock {
    /// A clock that shows `start` and moves on by a millisecond at every look.
    pub fn new(start: Timestamp) -> SeededClock {
        SeededClock {
            millis: Arc::new(AtomicI64::new(start.as_millis())),
            step_ms: Arc::new(AtomicI64::new(1)),
            monotonic_ns: Arc::default(),
        }
    }

    /// How far it moves at every look; may be zero, or negative for a clock that is being set back.
    pub fn set_step_ms(&self, step_ms: i64) {
        self.step_ms.store(step_ms, Ordering::SeqCst);
    }

    /// Moves it, forwards or backwards.
    pub fn advance_ms(&self, millis: i64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets it.
    pub fn set(&self, at: Timestamp) {
        self.millis.store(at.as_millis(), Ordering::SeqCst);
    }
}

impl Default for SeededClock {
    /// The evening of the demo's story.
    fn default() -> SeededClock {
        SeededClock::new(Timestamp::from_millis(1_795_212_270_123))
    }
}

impl store::Clock for SeededClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.fetch_add(self.step_ms.load(Ordering::SeqCst), Ordering::SeqCst))
    }

    fn monotonic_ns(&self) -> u64 {
        self.monotonic_ns.fetch_add(1_000, Ordering::SeqCst)
    }
}
