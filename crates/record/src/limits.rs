//! How large an event may be. Defaults; the process may be configured to allow less or more.

/// Sizes and counts beyond which an event is refused with a clear fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// One event's JSON text, in bytes.
    pub event_bytes: usize,
    /// Nesting of `metadata` and of a change's values, in levels of objects and arrays.
    pub metadata_depth: usize,
    /// Targets of one event.
    pub targets: usize,
    /// Entries in `changes`.
    pub changes: usize,
    /// The sender's `id`, a session's or a request's id, an environment, in bytes.
    pub id_bytes: usize,
    /// A name, an e-mail address, an actor's or target's id, a user agent, an address, in bytes.
    pub text_bytes: usize,
    /// How far `occurred_at` may lie ahead of the server's clock, in milliseconds.
    pub ahead_ms: i64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            event_bytes: 256 * 1024,
            metadata_depth: 32,
            targets: 64,
            changes: 256,
            id_bytes: 256,
            text_bytes: 2_048,
            ahead_ms: 24 * 60 * 60 * 1_000,
        }
    }
}

impl Limits {
    /// No limits: for reading back what was once accepted under limits that may have been wider than today's.
    pub fn none() -> Limits {
        Limits {
            event_bytes: usize::MAX,
            metadata_depth: usize::MAX,
            targets: usize::MAX,
            changes: usize::MAX,
            id_bytes: usize::MAX,
            text_bytes: usize::MAX,
            ahead_ms: i64::MAX,
        }
    }
}
