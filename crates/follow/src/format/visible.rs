//! Texts for forms that are lines: nothing in them may end a line, or make one look like another.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is not to be seen, and may do something to whoever prints it: control characters, what Unicode calls
/// line and paragraph separators, and what turns the direction of writing.
pub(crate) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether nothing in it is to be written out. Most texts are ASCII, and looked through by bytes.
fn is_plain(text: &str) -> bool {
    if text.is_ascii() { text.bytes().all(|byte| byte >= b' ' && byte != 0x7f) } else { !text.contains(is_control) }
}

/// The text with such characters written out: `\n`, `\r`, `\t`, `\u0007`. Everything else stands as it is, so this cannot be
/// turned back; where that matters the form escapes backslashes, too.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_control(c) => {
                // Writing to memory does not fail. All of these have four digits.
                let _written = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The text's bytes, those that may not stand as they are as `%XX`.
pub(crate) fn percent(text: &str, stands: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stands(byte) {
            out.push(char::from(byte));
        } else {
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}
