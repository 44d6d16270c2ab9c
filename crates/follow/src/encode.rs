//! The format of a destination, as the loop sees it.

use bytes::Bytes;

use crate::recorded::Recorded;

/// Turns an event into what one receiver reads.
pub trait Encode: Send + Sync {
    /// The event's messages, in order, each one line without a line break at its end; none if the format leaves the event out.
    /// The same event gives the same messages. An error says why the event cannot be told in this format; it is a dead letter then.
    fn encode(&self, recorded: &Recorded) -> Result<Vec<Bytes>, String>;
}
