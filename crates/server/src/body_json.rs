//! Request bodies of the directory's API: JSON into a struct, with the member at fault named.

use std::fmt::Display;
use std::str::FromStr;

use axum::body::Body;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::app::App;
use crate::body;
use crate::problem::{FieldError, Problem};

/// A body of the directory's API, in bytes, at most.
const BYTES_MAX: usize = 256 * 1024;

/// Reads a body. The struct says with `deny_unknown_fields` that nothing is to be lost quietly.
pub async fn read<T: DeserializeOwned>(app: &App, headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    parse(&body::read(app, headers, body, BYTES_MAX).await?)
}

/// The same where a body may be left out.
pub async fn read_or_default<T: DeserializeOwned + Default>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    let bytes = body::read(app, headers, body, BYTES_MAX).await?;
    if bytes.is_empty() { Ok(T::default()) } else { parse(&bytes) }
}

/// A member that may be absent, `null` or a value: `Option<Option<T>>` with `#[serde(default, deserialize_with = "body_json::given")]`.
pub fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Deserialize::deserialize(deserializer).map(Some)
}

/// A member that stands as text for something that the program has a type for: an id, a role, a scope.
#[derive(Debug, Clone)]
pub struct Parsed<T>(pub T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Parsed<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Parsed).map_err(|error: T::Err| serde::de::Error::custom(error))
    }
}

/// The values of such members.
pub fn values<T, C: FromIterator<T>>(parsed: Vec<Parsed<T>>) -> C {
    parsed.into_iter().map(|Parsed(value)| value).collect()
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            let text = inner.to_string();
            // Where in the text it stands, a program does not need: the pointer says which member.
            let detail = text.split(" at line ").next().unwrap_or_default().to_owned();
            return Problem::invalid(vec![FieldError { pointer: Some(pointer(error.path())), parameter: None, detail }]);
        }
        Problem::bad_request("json", format!("The body is not JSON: {inner}."))
    })?;
    json.end().map_err(|error| Problem::bad_request("json", format!("The body is more than one JSON value: {error}.")))?;
    Ok(value)
}

/// Where a mistake stands, as RFC 6901 writes it.
pub fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer += &format!("/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer += &key.replace('~', "~0").replace('/', "~1");
            }
            Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "names")]
        _names: Vec<String>,
        #[serde(default, deserialize_with = "given")]
        team: Option<Option<String>>,
    }

    fn told(text: &str) -> String {
        let problem = parse::<Sample>(text.as_bytes()).unwrap_err();
        format!(
            "{} {} {}",
            problem.status,
            problem.detail,
            problem.errors.first().and_then(|e| e.pointer.clone()).unwrap_or_default()
        )
    }

    #[test]
    fn the_member_at_fault_is_named() {
        expect_test::expect![[r#"422 /names/1 invalid type: integer `1`, expected a string /names/1"#]]
            .assert_eq(&told(r#"{"names":["a",1]}"#));
        expect_test::expect![[r#"422 /nmes unknown field `nmes`, expected `names` or `team` /nmes"#]]
            .assert_eq(&told(r#"{"nmes":[]}"#));
        expect_test::expect![[r#"422 missing field `names` "#]].assert_eq(&told("{}"));
        expect_test::expect![[r#"400 The body is not JSON: EOF while parsing a value at line 1 column 0. "#]]
            .assert_eq(&told(""));
        assert!(told(r#"{"names":[]} {}"#).starts_with("400"));
    }

    #[test]
    fn absent_and_null_are_two_things() {
        let team = |text: &str| parse::<Sample>(text.as_bytes()).unwrap().team;
        assert_eq!(team(r#"{"names":[]}"#), None);
        assert_eq!(team(r#"{"names":[],"team":null}"#), Some(None));
        assert_eq!(team(r#"{"names":[],"team":"ops"}"#), Some(Some("ops".to_owned())));
    }
}
