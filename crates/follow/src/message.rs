//! One event, or a part of it, in a receiver's format.

use std::sync::Arc;

use bytes::Bytes;

use crate::recorded::Recorded;

/// What a transport sends as one item. Most events are one message; some formats make several of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The event it tells of.
    pub recorded: Arc<Recorded>,
    /// Which of the event's messages it is, from 0. It arrives when all of them have.
    pub part: u32,
    /// The text in the format that was chosen, one line without a line break at its end.
    pub body: Bytes,
}

impl Message {
    /// A name for it that is the same whenever it is sent again: the event's id, and the part if there are several.
    pub fn key(&self) -> String {
        if self.part == 0 { self.recorded.event_id.to_string() } else { format!("{}-{}", self.recorded.event_id, self.part) }
    }
}
