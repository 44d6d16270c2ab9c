//! The scrubber: finds keys, tokens, passwords and card numbers in text by their shape, and takes out these, not the rest.

use std::ops::Range;
use std::sync::LazyLock;

use super::{card, known_tokens, mark, pair};

/// Looks for what nobody wants to have recorded. What it looks for is fixed, so that the same text always becomes the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scrubber;

/// A text that something was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbed {
    /// The text, a mark such as `[redacted:token]` in the place of each thing that was found.
    pub text: String,
    /// What was found, each sort once.
    pub what: Vec<&'static str>,
}

/// A part of a text that is to be taken out, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) what: &'static str,
}

/// What a byte may be the beginning of. Most bytes of most texts begin nothing, and are passed over by one look at a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Nothing,
    /// A known token, at the beginning of a word only.
    Token,
    /// A card number, at the beginning of a number only.
    Digits,
    /// The end of a name: a pair of name and value, or the beginning of an address with a password.
    Pair,
    /// A block of a PEM file.
    Dashes,
}

static BEGINS: LazyLock<[Begins; 256]> = LazyLock::new(|| {
    let mut table = [Begins::Nothing; 256];
    for (byte, begins) in (0..=u8::MAX).zip(&mut table) {
        *begins = match byte {
            b'0'..=b'9' => Begins::Digits,
            b':' | b'=' => Begins::Pair,
            b'-' => Begins::Dashes,
            _ if known_tokens::begins(byte) => Begins::Token,
            _ => Begins::Nothing,
        };
    }
    table
});

/// How often a text in which something was found is looked at again. Each time there is less in it; twice is rare.
const PASSES_MAX: usize = 8;

impl Scrubber {
    /// The text without what was found in it; `None` if nothing was.
    pub fn scrub(self, text: &str) -> Option<Scrubbed> {
        let mut scrubbed = self.once(text)?;
        // Where something was taken out, what stands beside it may show its shape only now. What is given back holds nothing
        // that would be found in it.
        for _ in 0..PASSES_MAX {
            let Some(more) = self.once(&scrubbed.text) else { break };
            let known = &scrubbed.what;
            let new: Vec<_> = more.what.into_iter().filter(|what| !known.contains(what)).collect();
            scrubbed.what.extend(new);
            scrubbed.text = more.text;
        }
        Some(scrubbed)
    }

    fn once(self, text: &str) -> Option<Scrubbed> {
        let bytes = text.as_bytes();
        let table = &*BEGINS;
        let mut scrubbed = Scrubbed { text: String::new(), what: Vec::new() };
        let (mut at, mut copied) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            let found = match table.get(usize::from(byte)).copied().unwrap_or(Begins::Nothing) {
                Begins::Nothing => None,
                Begins::Token if begins_word(bytes, at) => known_tokens::find(bytes, at),
                Begins::Digits if begins_word(bytes, at) => card::find(bytes, at),
                Begins::Pair => pair::find(text, at),
                Begins::Dashes => known_tokens::pem(text, at),
                _ => None,
            };
            let Some(Found { range, what }) = found else {
                at += 1;
                continue;
            };
            scrubbed.text.push_str(text.get(copied..range.start)?);
            scrubbed.text.push_str(&mark::scrubbed(what));
            if !scrubbed.what.contains(&what) {
                scrubbed.what.push(what);
            }
            copied = range.end;
            at = range.end;
        }
        if copied == 0 {
            return None;
        }
        scrubbed.text.push_str(text.get(copied..)?);
        Some(scrubbed)
    }
}

/// Whether a word can begin here: no letter, digit or underscore stands before.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| bytes.get(before)).is_none_or(|&before| !is_word(before))
}

/// A letter, a digit, an underscore, or a part of a letter outside of ASCII.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}
