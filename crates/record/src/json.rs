//! JSON text kept as it came: checked once at the door, then stored and hashed without being rewritten.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON value as text, without insignificant white space. Numbers and strings stand exactly as they were received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Box<str>);

/// Why a JSON value was refused although its grammar is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadJson {
    /// Not JSON at all.
    #[error("is not JSON: {0}")]
    Malformed(String),
    /// Objects or arrays within one another beyond the limit.
    #[error("is nested deeper than {0} levels")]
    TooDeep(usize),
    /// One object has a member twice; readers disagree about which counts, so neither may be recorded.
    #[error("has the member {0:?} twice in one object")]
    Twice(String),
    /// U+0000, which databases and C programs cut text at.
    #[error("holds a NUL character (U+0000)")]
    Nul,
    /// An escape that names no character.
    #[error("holds the escape of half a character (a lone surrogate)")]
    LoneSurrogate,
}

impl Json {
    /// Checks a value that a JSON parser has found well-formed, and drops its insignificant white space.
    pub fn check(raw: &RawValue, depth_max: usize) -> Result<Json, BadJson> {
        let mut out = String::with_capacity(raw.get().len());
        let mut names: Vec<HashSet<Cow<'_, str>>> = Vec::new();
        for token in Tokens::new(raw.get()) {
            match token {
                Token::Open(text) => {
                    names.push(HashSet::new());
                    if names.len() > depth_max {
                        return Err(BadJson::TooDeep(depth_max));
                    }
                    out.push_str(text);
                }
                Token::Close(text) => {
                    names.pop();
                    out.push_str(text);
                }
                Token::Name(text) => {
                    let name = unquote(text)?;
                    if let Some(level) = names.last_mut()
                        && !level.insert(name.clone())
                    {
                        return Err(BadJson::Twice(name.into_owned()));
                    }
                    out.push_str(text);
                }
                Token::String(text) => {
                    unquote(text)?;
                    out.push_str(text);
                }
                Token::Other(text) => out.push_str(text),
            }
        }
        Ok(Json(out.into_boxed_str()))
    }

    /// Reads and checks JSON text.
    pub fn parse(text: &str, depth_max: usize) -> Result<Json, BadJson> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|e| BadJson::Malformed(e.to_string()))?;
        Json::check(raw, depth_max)
    }

    /// Takes text that [`Json::as_str`] gave earlier, from storage.
    pub fn trusted(text: &str) -> Json {
        Json(text.into())
    }

    /// A JSON string of this text.
    pub fn string(text: &str) -> Json {
        let mut out = String::with_capacity(text.len() + 2);
        push_string(&mut out, text);
        Json(out.into_boxed_str())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Calls `each` with every member name, string, number and literal in it, unquoted, in order.
    pub fn each_text(&self, mut each: impl FnMut(&str)) {
        for token in Tokens::new(&self.0) {
            match token {
                Token::Name(text) | Token::String(text) => {
                    if let Ok(text) = unquote(text) {
                        each(&text);
                    }
                }
                Token::Other(text) if text != "," && text != ":" => each(text),
                _ => {}
            }
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // `RawValue` writes the text through; it was checked when this value was made.
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Appends `text` as a JSON string: the shortest escapes, everything else as it is. The one writer of strings into units.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// The text of a quoted JSON string.
pub(crate) fn unquote(quoted: &str) -> Result<Cow<'_, str>, BadJson> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    // The grammar was right, so all that can be wrong here is an escape of half a character.
    let text: String = serde_json::from_str(quoted).map_err(|_| BadJson::LoneSurrogate)?;
    if text.contains('\0') {
        return Err(BadJson::Nul);
    }
    Ok(Cow::Owned(text))
}

/// One JSON object's members, in order, each value unread. A member that stands twice is there twice.
#[derive(Debug)]
pub struct Members<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                #[derive(Deserialize)]
                struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
                let mut members = Vec::with_capacity(12);
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    Open(&'a str),
    Close(&'a str),
    Name(&'a str),
    String(&'a str),
    /// A number, a literal, a comma or a colon.
    Other(&'a str),
}

/// The tokens of JSON text whose grammar is known to be right.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Tokens<'a> {
        Tokens { rest: text }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (token, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let first = *self.rest.as_bytes().first()?;
        Some(match first {
            b'{' | b'[' => Token::Open(self.take(1)),
            b'}' | b']' => Token::Close(self.take(1)),
            b',' | b':' => Token::Other(self.take(1)),
            b'"' => {
                let mut escaped = false;
                let end = self.rest.bytes().skip(1).position(|byte| {
                    let closes = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    closes
                });
                let text = self.take(end.map_or(self.rest.len(), |at| at + 2));
                let after = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
                if after.starts_with(':') { Token::Name(text) } else { Token::String(text) }
            }
            _ => {
                let end = self.rest.find([',', ']', '}', ' ', '\t', '\n', '\r']);
                Token::Other(self.take(end.unwrap_or(self.rest.len())))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_numbers_and_strings_and_drops_space() {
        let json = Json::parse(" { \"a\" : [ 1.50 , 1e999 , \"x \\\" y\\u00e9\" ] , \"b\":{ } } ", 32).unwrap();
        assert_eq!(json.as_str(), r#"{"a":[1.50,1e999,"x \" y\u00e9"],"b":{}}"#);
        let mut words = Vec::new();
        json.each_text(|text| words.push(text.to_owned()));
        assert_eq!(words, ["a", "1.50", "1e999", "x \" yé", "b"]);
    }

    #[test]
    fn refuses_what_readers_would_disagree_about() {
        assert_eq!(Json::parse(r#"{"a":{"b":1,"\u0062":2}}"#, 32), Err(BadJson::Twice("b".into())));
        assert_eq!(Json::parse(r#"["\u0000"]"#, 32), Err(BadJson::Nul));
        assert_eq!(Json::parse(r#"["\ud800"]"#, 32), Err(BadJson::LoneSurrogate));
        assert_eq!(Json::parse(&"[".repeat(40), 32).map_err(|e| matches!(e, BadJson::Malformed(_))), Err(true));
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(Json::parse(&deep(32), 32).is_ok());
        assert_eq!(Json::parse(&deep(33), 32), Err(BadJson::TooDeep(32)));
        assert_eq!(Json::parse(&deep(100_000), 32), Err(BadJson::TooDeep(32)));
    }

    proptest! {
        #[test]
        fn a_string_survives(text in "\\PC*|[\\x01-\\x1f\"\\\\é]*") {
            let json = Json::string(&text);
            prop_assert_eq!(serde_json::from_str::<String>(json.as_str()).unwrap(), text.clone());
            prop_assert_eq!(unquote(json.as_str()).unwrap(), text.as_str());
        }
    }
}
