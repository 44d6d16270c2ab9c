//! Secrets that stand behind their names within a text: `password=…`, `"token": "…"`, and the password of an address.

use super::mark::begins_with_mark;
use super::names;
use super::scrub::{Found, is_word};

/// A value without quotes that goes on for longer is looked at no further, and taken for one that goes on to the end: so that a
/// long text of many names costs no more than its length.
const VALUE_BYTES_MAX: usize = 1_024;

/// What a pair of name and value whose `=` or `:` stands here gives away.
pub(super) fn find(text: &str, at: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    match bytes.get(at)? {
        b':' if bytes.get(at + 1..at + 3) == Some(b"//") => address(text, at),
        b':' => quoted(text, at),
        _ => assigned(text, at),
    }
}

/// The password in `scheme://user:password@host` (RFC 3986 §3.2.1).
fn address(text: &str, at: usize) -> Option<Found> {
    let from = at + 3;
    let rest = text.get(from..)?;
    let authority = rest.split([' ', '\t', '\n', '\r', '/', '?', '#', '"', '\'', '<', '>', '`']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    if password.is_empty() || begins_with_mark(password) || is_placeholder(password) {
        return None;
    }
    let from = from + name.len() + 1;
    Some(Found { range: from..from + password.len(), what: "password" })
}

/// `"name": "value"`, as in JSON that stands in a text, also where that stands in another: `\"name\": \"value\"`.
fn quoted(text: &str, at: usize) -> Option<Found> {
    let before = text.get(..at)?.trim_end_matches(' ');
    let quote = before.bytes().last().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let inside = before.get(..before.len() - 1)?;
    let name = inside.trim_end_matches('\\');
    let what = names::secret(last_word(name))?;
    let value = text.get(at + 1..)?.trim_start_matches(' ');
    let escapes = inside.get(name.len()..)?;
    let value = value.strip_prefix(escapes)?.strip_prefix(char::from(quote))?;
    if !escapes.is_empty() {
        let closes = value.find(&format!("{escapes}{}", char::from(quote))).unwrap_or(value.len());
        return found(text, value, closes, what);
    }
    found(text, value, inside_quotes(value, quote), what)
}

/// `name=value`, to the next sign that ends a value; or `name = 'value'`.
fn assigned(text: &str, at: usize) -> Option<Found> {
    let before = text.get(..at)?;
    let after = text.get(at + 1..)?;
    let value = after.trim_start_matches(' ');
    if let Some(quote) = value.bytes().next().filter(|byte| matches!(byte, b'"' | b'\'')) {
        let what = names::secret(last_word(before.trim_end_matches([' ', '"', '`', ']'])))?;
        let value = value.get(1..)?;
        return found(text, value, inside_quotes(value, quote), what);
    }
    let what = names::secret(last_word(before))?;
    let ends = |byte: u8| byte.is_ascii_whitespace() || b"&;,)\"'<>|`".contains(&byte);
    let looked_at = after.as_bytes().get(..VALUE_BYTES_MAX).unwrap_or(after.as_bytes());
    let value = after.get(..looked_at.iter().position(|byte| ends(*byte)).unwrap_or(after.len()))?;
    // A call, a comparison, a place for a parameter: no value.
    let is_value = value.len() >= 4
        && !value.starts_with(['=', '?', ':', '$', '@', '~', '('])
        && !value.bytes().take(VALUE_BYTES_MAX).any(|byte| byte == b'(');
    if is_value && !matches!(value, "null" | "true" | "false" | "NULL" | "undefined") {
        found(text, after, value.len(), what)
    } else {
        None
    }
}

/// The first `len` bytes of `value`, which is a part of `text` to its end.
fn found(text: &str, value: &str, len: usize, what: &'static str) -> Option<Found> {
    let shown = value.get(..len)?;
    if shown.trim_matches(['*', '•', ' ']).is_empty() || begins_with_mark(shown) || is_placeholder(shown) {
        return None;
    }
    let from = text.len() - value.len();
    Some(Found { range: from..from + len, what })
}

/// How far the value goes before its closing quote, which a backslash hides.
fn inside_quotes(value: &str, quote: u8) -> usize {
    let mut escaped = false;
    let closes = value.bytes().position(|byte| {
        let closes = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    closes.unwrap_or(value.len())
}

/// What a template puts a value in place of.
fn is_placeholder(value: &str) -> bool {
    value.starts_with("{{") || value.starts_with("${") || value.starts_with("<%") || value.starts_with("%(")
}

/// The word at the end of a text, dashes included: a name such as `x-api-key`.
fn last_word(text: &str) -> &str {
    let from = text.bytes().rposition(|byte| !(is_word(byte) || byte == b'-')).map_or(0, |at| at + 1);
    text.get(from..).unwrap_or_default()
}
