//! The numbers and names by which things are known.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// An organization, by the number the directory gave it. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrgId(pub u32);

impl fmt::Display for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event's place in its organization's log: dense, 0, 1, 2, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Index(pub u64);

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Acta's own name for an event: a UUID version 7 (RFC 9562 §5.7) whose time is the event's `recorded_at`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EventId([u8; 16]);

/// The text was not a UUID version 7 in its usual form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an event_id, a UUID such as 01939f3e-5b1c-7a3e-9c55-3f6c1d9e2b10")]
pub struct BadEventId;

impl EventId {
    /// Builds the UUID from its time and 74 bits (the upper six of `random[0]` are overwritten by version and variant:
    /// `sequence` fills the 12 bits of `rand_a`, so ids of one millisecond can be made to ascend).
    pub fn new(at: Timestamp, sequence: u16, random: [u8; 8]) -> EventId {
        let millis = at.as_millis().max(0).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis[2..]);
        bytes[6..8].copy_from_slice(&(0x7000 | (sequence & 0x0fff)).to_be_bytes());
        bytes[8..].copy_from_slice(&random);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        EventId(bytes)
    }

    /// The sixteen bytes, in network order.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From sixteen bytes that [`EventId::as_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> EventId {
        EventId(bytes)
    }

    /// The time inside the UUID, which is when the event was recorded.
    pub fn recorded_at(&self) -> Timestamp {
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&self.0[..6]);
        Timestamp::from_millis(i64::from_be_bytes(millis))
    }

    /// Reads the 36-character form.
    pub fn parse(text: &str) -> Result<EventId, BadEventId> {
        let raw = text.as_bytes();
        if raw.len() != 36 || [8, 13, 18, 23].iter().any(|&at| raw[at] != b'-') {
            return Err(BadEventId);
        }
        let mut bytes = [0; 16];
        let mut digits = raw.iter().filter(|&&byte| byte != b'-');
        for byte in &mut bytes {
            for _ in 0..2 {
                let digit = digits.next().and_then(|&d| char::from(d).to_digit(16)).ok_or(BadEventId)?;
                #[expect(clippy::cast_possible_truncation, reason = "a hexadecimal digit")]
                let digit = digit as u8;
                *byte = *byte << 4 | digit;
            }
        }
        if bytes[6] >> 4 != 7 || bytes[8] >> 6 != 2 {
            return Err(BadEventId);
        }
        Ok(EventId(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut out = [b'-'; 36];
        let mut at = 0;
        for (position, byte) in self.0.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                at += 1;
            }
            out[at] = HEX[usize::from(byte >> 4)];
            out[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        f.write_str(std::str::from_utf8(&out).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for EventId {
    type Error = BadEventId;
    fn try_from(text: String) -> Result<EventId, BadEventId> {
        EventId::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_reads_back_and_knows_its_time() {
        let at = Timestamp::parse("2026-11-20T22:04:30.123Z").unwrap();
        let id = EventId::new(at, 0xfff, [0xff; 8]);
        assert_eq!(id.recorded_at(), at);
        assert_eq!(EventId::parse(&id.to_string()), Ok(id));
        assert_eq!(id.to_string(), "01a1fafd-5a2b-7fff-bfff-ffffffffffff");
        assert!(EventId::new(at, 1, [0; 8]) > EventId::new(at, 0, [0xff; 8]));
    }

    #[test]
    fn other_text_is_no_event_id() {
        for text in [
            "",
            "019aa353-5b1c-4a3e-9c55-3f6c1d9e2b10",
            "019aa3535b1c7a3e9c553f6c1d9e2b10",
            "zzzzzzzz-5b1c-7a3e-9c55-3f6c1d9e2b10",
            "ä19aa35-5b1c-7a3e-9c55-3f6c1d9e2b10",
        ] {
            assert_eq!(EventId::parse(text), Err(BadEventId), "{text}");
        }
    }
}
