//! What stands in the place of what was taken out, and the list of what was.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::event::Redaction;

/// Stands in the place of a hidden value.
pub const HIDDEN: &str = "[redacted]";
/// Redactions that one event lists; how many more there were is said in one last line.
pub const MARKS_MAX: usize = 64;

/// How a hidden value's redaction is described.
pub(super) const AS_HIDDEN: &str = "hidden";
/// How a hashed value's redaction is described.
pub(super) const AS_HASH: &str = "hash";
/// The last line of a list that is too long: by whom, and how its count begins.
const BY_LIMIT: &str = "limit";
const MORE: &str = "more:";
/// Before and after what a mark that is not plain says.
const OPEN: &str = "[redacted:";
const CLOSE: char = ']';
/// A member's pointer is cut off at so many bytes: it says where something was, and should not outweigh it.
const POINTER_BYTES_MAX: usize = 512;

/// The key under which an organization's values are hashed, so that nobody without it can try values out.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey(pub [u8; 32]);

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(hidden)")
    }
}

impl HashKey {
    /// HMAC-SHA-256 (RFC 2104) over these bytes, cut to 128 bits.
    pub fn digest(&self, bytes: &[u8]) -> [u8; 16] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(bytes);
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        short
    }
}

/// What stands in the place of a hashed value: `[redacted:hash:…]` with the key's digest of it in hexadecimal. `value` is a
/// string's own bytes, and of any other JSON value its text as it was sent.
pub fn hash_of(key: &HashKey, value: &[u8]) -> String {
    let hex: String = key.digest(value).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{OPEN}{AS_HASH}:{hex}{CLOSE}")
}

/// What stands in the place of what the scrubber found.
pub(super) fn scrubbed(what: &str) -> String {
    format!("{OPEN}{what}{CLOSE}")
}

/// Whether a text is, as a whole, one of the marks that redaction leaves. Nothing can be hidden behind what looks like one: a
/// mark holds a word of ours, or a hash.
pub fn is_mark(text: &str) -> bool {
    if text == HIDDEN {
        return true;
    }
    let Some(inner) = text.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix(CLOSE)) else { return false };
    match inner.strip_prefix("hash:") {
        Some(hex) => hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        None => WORDS.contains(&inner),
    }
}

/// What the scrubber calls what it finds.
const WORDS: [&str; 7] = ["api_key", "card", "cookie", "password", "private_key", "secret", "token"];

/// Whether a text begins with a mark.
pub(super) fn begins_with_mark(text: &str) -> bool {
    text.starts_with(HIDDEN) || text.starts_with(OPEN)
}

/// Lists a redaction, once, or counts it where the list is full.
pub(super) fn push_mark(list: &mut Vec<Redaction>, mark: Redaction) {
    if list.contains(&mark) {
        return;
    }
    let is_full = list.len() >= MARKS_MAX;
    match list.last_mut() {
        Some(last) if &*last.by == BY_LIMIT => {
            let counted: u64 = last.how.trim_start_matches(MORE).parse().unwrap_or(0);
            last.how = format!("{MORE}{}", counted.saturating_add(1)).into();
        }
        _ if is_full => list.push(Redaction::new(String::new(), BY_LIMIT, &format!("{MORE}1"))),
        _ => list.push(mark),
    }
}

impl Redaction {
    /// Notes that `member` was redacted, by what and as what. A pointer that is very long is cut off.
    pub(super) fn new(mut member: String, by: &str, how: &str) -> Redaction {
        if member.len() > POINTER_BYTES_MAX {
            member.truncate(member.floor_char_boundary(POINTER_BYTES_MAX));
            member.push('…');
        }
        Redaction { member: member.into(), by: by.into(), how: how.into() }
    }
}
