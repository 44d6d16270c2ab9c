//! The doors to time and chance. Tests bring their own.

use record::Timestamp;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// Nanoseconds since some fixed moment; never runs backwards. For measuring how long something took.
    fn monotonic_ns(&self) -> u64;
}

/// Where random bytes come from; in production the operating system's generator.
pub trait Chance: Send + Sync {
    /// Fills the slice with bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}
