//! What a receiver's answer means: the only outcomes that the loop knows.

use std::time::Duration;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is there (or was there before).
    Delivered,
    /// It is to be sent again.
    Retry,
    /// It will never be taken, for this reason. It goes to the dead letters.
    Poison(String),
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All of it arrived.
    Delivered,
    /// None of it is known to have arrived; send all of it again, not before this long if the receiver said so. This is the
    /// outcome for whatever may pass by itself or by somebody's doing: no connection, no answer in time, 429, 5xx, also a
    /// refused credential. Nothing is lost by it.
    Retry {
        /// How long the receiver asks us to wait.
        after: Option<Duration>,
    },
    /// Too large: send it in halves. A batch of one that is too large is a dead letter.
    Split,
    /// It was refused for what is in it, and the receiver does not say which message: the loop finds out by halving. A batch of
    /// one that is refused is a dead letter.
    Refused,
    /// One fate for each message, in order.
    Each(Vec<Fate>),
    /// The receiver wants nothing any more (410): the destination is to be paused, and people told.
    Gone,
}

/// A receiver's answer, for the loop and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it means.
    pub verdict: Verdict,
    /// What the receiver said, in its own words as far as there are any: a status line and the beginning of the body, or the
    /// error of the connection. Without secrets. At most [`Answer::SHOWN`] characters.
    pub raw: String,
}

impl Answer {
    /// More of an answer is not kept.
    pub const SHOWN: usize = 2_000;

    /// An answer; what was said is shortened.
    pub fn new(verdict: Verdict, raw: impl Into<String>) -> Answer {
        let raw: String = raw.into();
        let raw = if raw.chars().count() > Answer::SHOWN { raw.chars().take(Answer::SHOWN).collect() } else { raw };
        Answer { verdict, raw }
    }

    /// It arrived.
    pub fn delivered(raw: impl Into<String>) -> Answer {
        Answer::new(Verdict::Delivered, raw)
    }

    /// It is to be sent again, after the usual wait.
    pub fn retry(raw: impl Into<String>) -> Answer {
        Answer::new(Verdict::Retry { after: None }, raw)
    }
}
