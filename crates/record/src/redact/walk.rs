//! A way through JSON text that leaves alone, byte for byte, what is not replaced.

use std::borrow::Cow;

use super::member_path::Step;
use crate::json::unquote;

/// Where a value stands.
pub(super) struct Place<'a> {
    /// Every step from the event to it.
    pub(super) way: &'a [Step<'a>],
    /// The name that it goes by: its member's, or the name of the array that it is in.
    pub(super) name: &'a str,
}

/// A value that the way leads by.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// A string with its quotes, a number, a literal.
    Scalar(&'a str),
    /// The text from where an object or array begins.
    Container(&'a str),
}

impl<'a> Value<'a> {
    /// The string, with its quotes, if it is one.
    pub(super) fn string(self) -> Option<&'a str> {
        match self {
            Value::Scalar(text) if text.starts_with('"') => Some(text),
            _ => None,
        }
    }

    /// The value's whole text.
    pub(super) fn whole(self) -> &'a str {
        match self {
            Value::Scalar(text) => text,
            Value::Container(rest) => rest.get(..end_of_container(rest.as_bytes())).unwrap_or(rest),
        }
    }

    /// Whether a text can be in it: it is a string, an object or an array, and not an empty one.
    pub(super) fn holds_text(self) -> bool {
        match self {
            Value::Scalar(text) => text.starts_with('"') && text != "\"\"",
            Value::Container(rest) => !rest.starts_with("{}") && !rest.starts_with("[]"),
        }
    }
}

/// Shows every value to `visit`, outer ones first. What it returns (JSON text) stands in the value's place, and what was in it is
/// not shown. Gives the new text, or `None` if nothing was replaced. The text must be JSON without white space between tokens,
/// stand at `root` and go by the name `called`.
pub(super) fn rewrite(
    text: &str,
    root: &[Step<'_>],
    called: &str,
    mut visit: impl FnMut(&Place<'_>, Value<'_>) -> Option<String>,
) -> Option<String> {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(b'}');
    let mut way: Vec<Step<'_>> = root.to_vec();
    let mut out = String::new();
    let (mut at, mut copied) = (0, 0);
    'values: loop {
        // A value begins here.
        let value = match byte(at) {
            b'{' | b'[' => Value::Container(text.get(at..)?),
            b'"' => Value::Scalar(text.get(at..end_of_string(bytes, at))?),
            _ => Value::Scalar(text.get(at..end_of_word(bytes, at))?),
        };
        let inner = way.get(root.len()..).unwrap_or_default();
        let name = inner.iter().rev().find_map(|step| if let Step::Name(name) = step { Some(&**name) } else { None });
        if let Some(replacement) = visit(&Place { way: &way, name: name.unwrap_or(called) }, value) {
            out.push_str(text.get(copied..at)?);
            out.push_str(&replacement);
            at += value.whole().len();
            copied = at;
        } else if let Value::Scalar(scalar) = value {
            at += scalar.len();
        } else {
            let is_object = byte(at) == b'{';
            at += 1;
            match (byte(at), is_object) {
                (b'}' | b']', _) => at += 1,
                (_, true) => {
                    way.push(Step::Index(0)); // Its place is taken by the member's name at once.
                    at = member(text, at, &mut way)?;
                    continue 'values;
                }
                (_, false) => {
                    way.push(Step::Index(0));
                    continue 'values;
                }
            }
        }
        // A value has ended here: a comma, or the end of what it is in.
        loop {
            if way.len() <= root.len() {
                break 'values;
            }
            let goes_on = byte(at) == b',';
            at += 1;
            match way.last_mut() {
                Some(Step::Index(place)) if goes_on => *place += 1,
                Some(_) if goes_on => at = member(text, at, &mut way)?,
                _ => {
                    way.pop();
                    continue;
                }
            }
            continue 'values;
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..)?);
    Some(out)
}

/// Reads a member's name, which becomes the last step; where its value begins.
fn member<'t>(text: &'t str, at: usize, way: &mut [Step<'t>]) -> Option<usize> {
    let end = end_of_string(text.as_bytes(), at);
    let quoted = text.get(at..end)?;
    *way.last_mut()? = Step::Name(unquote(quoted).unwrap_or(Cow::Borrowed(quoted)));
    Some(end + 1)
}

/// Where the string that begins here ends, after its closing quote.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'"' => return end + 1,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// Where the number or literal that begins here ends.
fn end_of_word(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}')).map_or(bytes.len(), |len| at + len)
}

/// How long the object or array is that begins the text.
fn end_of_container(bytes: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::member_path::pointer;
    use super::*;

    #[test]
    fn every_value_is_shown_with_its_place_and_the_rest_stays() {
        let text = r#"{"a":[1.50,{"b/c":"x\"}","d":[]},[[2]]],"":null,"e":{},"\u0066":{"g":[true]}}"#;
        let mut told = Vec::new();
        let out = rewrite(text, &[Step::Name("metadata".into())], "top", |place, value| {
            told.push(format!("{} {} {}", pointer(place.way), place.name, value.whole()));
            None
        });
        assert_eq!(out, None);
        expect_test::expect![[r#"
            /metadata top {"a":[1.50,{"b/c":"x\"}","d":[]},[[2]]],"":null,"e":{},"\u0066":{"g":[true]}}
            /metadata/a a [1.50,{"b/c":"x\"}","d":[]},[[2]]]
            /metadata/a/0 a 1.50
            /metadata/a/1 a {"b/c":"x\"}","d":[]}
            /metadata/a/1/b~1c b/c "x\"}"
            /metadata/a/1/d d []
            /metadata/a/2 a [[2]]
            /metadata/a/2/0 a [2]
            /metadata/a/2/0/0 a 2
            /metadata/  null
            /metadata/e e {}
            /metadata/f f {"g":[true]}
            /metadata/f/g g [true]
            /metadata/f/g/0 g true"#]]
        .assert_eq(&told.join("\n"));
        let out = rewrite(text, &[], "", |place, value| {
            let gone = matches!(pointer(place.way).as_str(), "/a/1" | "/a/2/0" | "/e" | "/f/g/0");
            gone.then(|| value.whole().len().to_string())
        });
        assert_eq!(out.as_deref(), Some(r#"{"a":[1.50,21,[3]],"":null,"e":2,"\u0066":{"g":[4]}}"#));
        assert_eq!(rewrite("\"x\"", &[], "", |_, _| Some("1".into())).as_deref(), Some("1"));
    }
}
