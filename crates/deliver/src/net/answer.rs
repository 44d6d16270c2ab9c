//! An HTTP answer, and what most receivers mean by it.

use std::time::Duration;

use bytes::Bytes;
use follow::{Answer, Verdict};
use http::{HeaderMap, StatusCode, header};
use record::Timestamp;

/// What came back.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: Bytes,
    /// Whether the body went on.
    pub cut: bool,
}

/// Characters of a body that are shown.
const SHOWN: usize = 500;

impl HttpAnswer {
    /// The answer in words: `HTTP 429 Too Many Requests (Retry-After: 30): <the first 500 characters of the body>`. Characters
    /// that are not for showing become spaces.
    pub fn raw(&self) -> String {
        let mut text = format!("HTTP {}", self.status.as_u16());
        if let Some(reason) = self.status.canonical_reason() {
            text.push(' ');
            text.push_str(reason);
        }
        if let Some(after) = self.header("retry-after") {
            text.push_str(&format!(" (Retry-After: {after})"));
        }
        let body = String::from_utf8_lossy(&self.body);
        let body: String = body.trim().chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if !body.is_empty() {
            text.push_str(": ");
            text.push_str(&body);
        }
        text
    }

    /// A header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// How long the receiver asks us to wait: seconds or a date (RFC 9110, 10.2.3). At most a day: what is more is a mistake.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        let seconds = match text.parse::<u64>() {
            Ok(seconds) => seconds,
            Err(_) => {
                let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
                let millis = at.as_millisecond().saturating_sub(now.as_millis());
                u64::try_from(millis).unwrap_or(0).div_ceil(1000)
            }
        };
        Some(Duration::from_secs(seconds.min(86_400)))
    }

    /// It is to be sent again, when the receiver says.
    pub fn retry(&self, now: Timestamp) -> Verdict {
        Verdict::Retry { after: self.retry_after(now) }
    }

    /// What a status means unless a receiver has meanings of its own: 2xx arrived; 413 is too large; 400 and 422 are for
    /// what is in it; all others (redirections, which are not followed, and refused credentials too) may pass or be mended.
    pub fn usual(&self, now: Timestamp) -> Verdict {
        match self.status.as_u16() {
            200..300 => Verdict::Delivered,
            413 => Verdict::Split,
            400 | 422 => Verdict::Refused,
            _ => self.retry(now),
        }
    }

    /// This answer, understood so.
    pub fn meaning(&self, verdict: Verdict) -> Answer {
        Answer::new(verdict, self.raw())
    }
}
