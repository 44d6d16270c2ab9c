//! A value that is never shown: not in logs, errors, answers or debug output.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is shown in its place.
pub const HIDDEN: &str = "********";

/// A credential, or a URL that is one. Serializes as [`HIDDEN`]; what is sealed is the text that came in, before it was
/// parsed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a value.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What a receiver said, without secrets that it may have repeated. Short ones are left: they would be found in anything.
pub fn scrubbed<'a>(mut answer: follow::Answer, secrets: impl IntoIterator<Item = &'a str>) -> follow::Answer {
    for secret in secrets.into_iter().filter(|secret| secret.len() >= 8) {
        if answer.raw.contains(secret) {
            answer.raw = answer.raw.replace(secret, HIDDEN);
        }
    }
    answer
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret)
    }
}
