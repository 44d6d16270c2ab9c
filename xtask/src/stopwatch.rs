//! How long things take, and waiting for them. The one place in `xtask` that looks at a clock.

use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Started once, read as often as wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    #[expect(clippy::disallowed_methods, reason = "chores measure real time; nothing that they test depends on it")]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Asks until the answer is there, at growing intervals, or the time is over.
pub(crate) fn wait_until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let watch = Stopwatch::start();
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if watch.elapsed() > limit {
            return None;
        }
        rest(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Lets the time pass.
pub(crate) fn rest(time: Duration) {
    // Nobody sends: the sender is kept so that the wait ends by its time and not by a closed channel.
    let (_sender, receiver) = mpsc::channel::<()>();
    let _timed_out = receiver.recv_timeout(time).is_err();
}
