//! The real clock and the real chance: the only place in the process that asks the operating system for either.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use record::Timestamp;

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door to time")]
    fn default() -> SystemClock {
        SystemClock { started: Instant::now() }
    }
}

impl store::Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door to time")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The operating system's random generator.
#[derive(Debug, Default)]
pub struct SystemChance;

impl SystemChance {
    #[expect(clippy::disallowed_methods, reason = "this is the door to chance")]
    #[expect(clippy::expect_used, reason = "without randomness there are no secrets, and going on would be worse")]
    fn fill_from_system(bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

impl store::Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        SystemChance::fill_from_system(bytes);
    }
}

impl directory::Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        SystemChance::fill_from_system(bytes);
    }
}
