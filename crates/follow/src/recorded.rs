//! An event as a follower gets it.

use std::sync::Arc;

use record::{Event, EventId, Index, OrgId, Timestamp};

/// An event with its place in the log, as far as the reader may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Whose log.
    pub organization: OrgId,
    /// That organization's name.
    pub organization_name: Arc<str>,
    /// Its place in the log.
    pub index: Index,
    /// Acta's name for it; receivers that see it twice know by this that it is the same.
    pub event_id: EventId,
    /// What happened.
    pub event: Event,
    /// The API key it came with.
    pub key: Option<Box<str>>,
}

impl Recorded {
    /// When it was recorded.
    pub fn recorded_at(&self) -> Timestamp {
        self.event_id.recorded_at()
    }
}
