//! The way to a receiver.

use std::time::Duration;

use crate::Later;
use crate::message::Message;
use crate::verdict::Answer;

/// How large a batch may be. Checked by the loop before sending; a receiver may still say that it is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages in a batch.
    pub messages: usize,
    /// Bytes in a batch, before compression: the bodies, and `overhead` for each.
    pub bytes: usize,
    /// What the transport adds to each body: envelopes, separators. An upper bound.
    pub overhead: usize,
    /// Bytes of one body. A longer one is a dead letter, unless the transport shortens it visibly by itself (then `usize::MAX`).
    pub message_bytes: usize,
    /// How long events may wait for others to come along.
    pub age: Duration,
}

/// Takes messages to a receiver and says what its answer means. One at a time; it may keep connections and tokens in between.
pub trait Transport: Send + Sync {
    /// How large a batch may be.
    fn limits(&self) -> Limits;

    /// Sends one batch, not empty, in order, and waits for the answer (if need be, for the acknowledgement that follows it), but
    /// not for ever: every transport has its own time-outs. May be dropped at any time: then nothing is known of the batch.
    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer>;
}
