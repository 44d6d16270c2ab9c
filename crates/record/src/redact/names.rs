//! Names of members whose values are secrets, whatever these look like.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The data file: what a value is called, then the names.
const LIST: &str = include_str!("names.txt");
/// The longest name, folded; a longer one is none of the list.
const NAME_BYTES_MAX: usize = 32;

struct Names {
    what: HashMap<&'static [u8], &'static str>,
    /// For each first byte the lengths that a name beginning so has, a bit each: most names are none, and this tells at once.
    lengths: [u64; 256],
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names { what: HashMap::new(), lengths: [0; 256] };
    for line in LIST.lines().filter(|line| !line.starts_with('#')) {
        let Some((what, listed)) = line.split_once(": ") else { continue };
        for name in listed.split(' ').map(str::as_bytes) {
            let first = name.first().copied().unwrap_or_default();
            if let Some(lengths) = names.lengths.get_mut(usize::from(first)) {
                *lengths |= 1 << name.len().min(63);
            }
            names.what.insert(name, what);
        }
    }
    names
});

/// A name without capitals, dashes, underscores and spaces.
struct Folded {
    len: usize,
    bytes: [u8; NAME_BYTES_MAX],
}

impl Folded {
    /// Folds a name; `None` if it is too long for the list.
    fn of(name: &str) -> Option<Folded> {
        let mut folded = Folded { len: 0, bytes: [0; NAME_BYTES_MAX] };
        for byte in name.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b' ')) {
            *folded.bytes.get_mut(folded.len)? = byte.to_ascii_lowercase();
            folded.len += 1;
        }
        Some(folded)
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What a member of this name holds, if that is a secret by its name.
pub(super) fn secret(name: &str) -> Option<&'static str> {
    let folded = Folded::of(name)?;
    let folded = folded.as_bytes();
    let names = &*NAMES;
    let lengths = names.lengths.get(usize::from(*folded.first()?))?;
    if lengths & (1 << folded.len()) == 0 {
        return None;
    }
    names.what.get(folded).copied()
}

/// Whether a member of this name holds what only looks like a secret. The id of an AWS access key says which key was used, as a
/// user's id says who; each event of CloudTrail has one, and an investigation begins with it. The key's secret has other names.
pub(super) fn is_public(name: &str) -> bool {
    Folded::of(name).is_some_and(|folded| matches!(folded.as_bytes(), b"accesskeyid" | b"awsaccesskeyid"))
}

/// Whether a member of this name holds a request's or an answer's headers: `headers`, `requestHeaders`, `response_headers`, and
/// whatever else ends so. Who hides all headers would rather lose a table's than keep one of a request.
pub(super) fn is_headers(name: &str) -> bool {
    let mut end =
        name.bytes().rev().filter(|byte| !matches!(byte, b'-' | b'_' | b' ')).map(|byte| byte.to_ascii_lowercase());
    b"headers".iter().rev().all(|wanted| end.next() == Some(*wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded() {
        for name in ["password", "PASSWORD", "pass_word", "Api-Key", "x-api-key", "apiKey", "Set-Cookie", "secretAccessKey"]
        {
            assert!(secret(name).is_some(), "{name}");
        }
        for name in ["", "passwords_policy", "tokens", "nextToken", "page_token", "token_count", "keys", "cookie_banner"] {
            assert_eq!(secret(name), None, "{name}");
        }
        let all = ["headers", "Headers", "requestHeaders", "request_headers", "response-headers", "rawHeaders"];
        assert!(all.into_iter().all(is_headers));
        assert!(is_public("accessKeyId") && is_public("AWS_ACCESS_KEY_ID") && !is_public("accessKey"));
        assert!(!["header", "headers_count", "ders", ""].into_iter().any(is_headers));
    }

    /// A name that is written with a capital, or is too long, would never be met.
    #[test]
    fn the_list_is_folded() {
        for line in LIST.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (what, listed) = line.split_once(": ").unwrap();
            assert!(crate::redact::is_mark(&crate::redact::mark::scrubbed(what)), "{what}");
            for name in listed.split(' ') {
                assert_eq!(secret(name), Some(what), "{name}");
                assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
            }
        }
    }
}
