//! What the collector says: a code of its own besides the HTTP status.

use follow::{Fate, Verdict};
use record::Timestamp;
use serde::Deserialize;

use crate::net::HttpAnswer;

/// The body of an answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    text: String,
    code: Option<u16>,
    /// From 0.
    #[serde(rename = "invalid-event-number")]
    invalid: Option<usize>,
    #[serde(rename = "ackId")]
    pub(super) ack_id: Option<u64>,
}

impl Said {
    pub(super) fn of(answer: &HttpAnswer) -> Said {
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// What became of a batch of so many. `acknowledge`: what is indexed without acknowledgement is not enough.
    pub(super) fn verdict(&self, answer: &HttpAnswer, count: usize, acknowledge: bool, now: Timestamp) -> Verdict {
        match (answer.status.as_u16(), self.code) {
            // 24 and 25 warn that it is nearly full, and come with 200.
            (200..300, _) => Verdict::Delivered,
            (413, _) => Verdict::Split,
            // Invalid data format, event missing, event blank, fields that are not flat: what is before it is indexed, the
            // rest is not.
            (400, Some(6 | 12 | 13 | 15)) => match self.invalid {
                Some(at) if at < count => Verdict::Each((0..count).map(|one| self.fate(one, at, acknowledge)).collect()),
                _ => Verdict::Refused,
            },
            // No data: the body was empty.
            (400, Some(5)) => Verdict::Refused,
            // A 400 that is not the collector's: of something in between, or of a version that we do not know.
            (400, None) => Verdict::Refused,
            // All others are about the token, the index or the channel, which people mend, or pass by themselves.
            _ => answer.retry(now),
        }
    }

    fn fate(&self, one: usize, bad: usize, acknowledge: bool) -> Fate {
        match one.cmp(&bad) {
            std::cmp::Ordering::Less if !acknowledge => Fate::Delivered,
            std::cmp::Ordering::Equal => Fate::Poison(format!("Splunk: {}", self.text)),
            _ => Fate::Retry,
        }
    }
}
