//! JSON text laid out for reading. Only white space is added: numbers and strings stay as they were recorded.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text over several lines, two spaces for each level.
pub(super) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                let mut escaped = false;
                for c in chars.by_ref() {
                    out.push(c);
                    match c {
                        _ if escaped => escaped = false,
                        '\\' => escaped = true,
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                match chars.next_if(|c| matches!(c, '}' | ']')) {
                    Some(close) => out.push(close),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// The members of an object, in the order in which they stand, each value as JSON text. `None` if it is no object.
pub(super) fn members(json: &str) -> Option<Vec<(String, String)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, String)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                members.push((name, value.get().to_owned()));
            }
            Ok(members)
        }
    }
    serde_json::Deserializer::from_str(json).deserialize_map(Members).ok()
}

/// The elements of an array, each as JSON text. `None` if it is no array.
pub(super) fn elements(json: &str) -> Option<Vec<String>> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(elements.into_iter().map(|value| value.get().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_is_added() {
        let text = r#"{"a":[1.50,-0,1e400,"x, {y}: \"z\\"],"b":{},"c":[ ],"d":{"e":null}}"#;
        expect_test::expect![[r#"
            {
              "a": [
                1.50,
                -0,
                1e400,
                "x, {y}: \"z\\"
              ],
              "b": {},
              "c": [],
              "d": {
                "e": null
              }
            }"#]]
        .assert_eq(&pretty(text));
    }

    #[test]
    fn members_keep_their_order() {
        let members = members(r#"{"z":1.0,"a":"x","m":{"k":[1, 2]}}"#).unwrap();
        let told: Vec<String> = members.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(told.join(" "), r#"z=1.0 a="x" m={"k":[1, 2]}"#);
        assert_eq!(super::members("[1]"), None);
        assert_eq!(elements("[1.0,\"x\"]"), Some(vec!["1.0".to_owned(), "\"x\"".to_owned()]));
    }
}
