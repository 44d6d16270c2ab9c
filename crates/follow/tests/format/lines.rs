//! Readers of CEF and LEEF that allow nothing which the formats do not.

/// A line's header and its pairs.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) header: Vec<String>,
    pub(crate) pairs: Vec<(String, String)>,
}

impl Line {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let mut found = self.pairs.iter().filter(|(name, _)| name == key);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{key} stands there twice");
        value
    }
}

/// Reads CEF: seven header fields, then `key=value` pairs that are separated by one space.
pub(crate) fn cef(line: &str) -> Line {
    let rest = line.strip_prefix("CEF:0|").expect("the prefix");
    let (mut header, mut field, mut chars) = (Vec::new(), String::new(), rest.char_indices());
    let mut extension = "";
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, escaped @ ('\\' | '|'))) => field.push(escaped),
                other => panic!("bad escape {other:?} in the header"),
            },
            '|' => {
                header.push(std::mem::take(&mut field));
                if header.len() == 6 {
                    extension = &rest[at + 1..];
                    break;
                }
            }
            c => field.push(c),
        }
    }
    assert_eq!(header.len(), 6, "{line}");
    // A key is the word before an `=` that is not escaped; it ends the value before it.
    let bytes = extension.as_bytes();
    let (mut escaped, mut equals) = (false, Vec::new());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'=' && !escaped {
            equals.push(at);
        }
        escaped = *byte == b'\\' && !escaped;
    }
    let key_of = |equals: usize| extension[..equals].rfind(' ').map_or(0, |space| space + 1);
    let mut pairs = Vec::new();
    for (number, &at) in equals.iter().enumerate() {
        let key = &extension[key_of(at)..at];
        assert!(!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "key {key:?}");
        let end = equals.get(number + 1).map_or(extension.len(), |&next| key_of(next) - 1);
        pairs.push((key.to_owned(), unescape(&extension[at + 1..end])));
    }
    Line { header, pairs }
}

fn unescape(value: &str) -> String {
    let (mut out, mut chars) = (String::new(), value.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped @ ('\\' | '=')) => out.push(escaped),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                other => panic!("bad escape {other:?} in {value:?}"),
            },
            '=' => panic!("bare = in {value:?}"),
            c => out.push(c),
        }
    }
    out
}

/// Reads LEEF 2.0: five header fields and the delimiter, then `key=value` pairs. There are no escapes.
pub(crate) fn leef(line: &str) -> Line {
    let mut parts = line.splitn(7, '|');
    let header: Vec<String> = parts.by_ref().take(6).map(str::to_owned).collect();
    assert_eq!((header[0].as_str(), header[5].as_str()), ("LEEF:2.0", "x09"), "{line}");
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').expect("a pair");
        assert!(!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "key {key:?}");
        (key.to_owned(), value.to_owned())
    };
    let pairs = parts.next().expect("the attributes").split('\t').map(pair).collect();
    Line { header, pairs }
}
