//! A word, or the beginning of one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest pattern, in bytes: as long as a target's name may be.
const PATTERN_BYTES_MAX: usize = 2_048;

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// Nothing there.
    #[error("must not be empty; leave it out, and it covers everything")]
    Empty,
    /// Too long to be meant.
    #[error("is {0} bytes long; at most 2048 are allowed")]
    TooLong(usize),
    /// `*` somewhere else than at the end.
    #[error("may hold a * at its end only")]
    StarInside,
}

/// An exact text, or with a `*` at its end whatever begins so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Pattern, BadPattern> {
        match text.find('*') {
            _ if text.is_empty() => Err(BadPattern::Empty),
            _ if text.len() > PATTERN_BYTES_MAX => Err(BadPattern::TooLong(text.len())),
            Some(at) if at + 1 < text.len() => Err(BadPattern::StarInside),
            _ => Ok(Pattern(text.into())),
        }
    }

    /// Whether it covers the text. Capitals count.
    pub fn covers(&self, text: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => text.starts_with(beginning),
            None => *self.0 == *text,
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0.into()
    }
}

impl TryFrom<String> for Pattern {
    type Error = BadPattern;
    fn try_from(text: String) -> Result<Pattern, BadPattern> {
        Pattern::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_or_a_beginning() {
        let covers = |pattern: &str, text: &str| Pattern::parse(pattern).map(|pattern| pattern.covers(text));
        assert_eq!(covers("QUERY_RUN", "QUERY_RUN"), Ok(true));
        assert_eq!(covers("QUERY_RUN", "QUERY_RUNS"), Ok(false));
        assert_eq!(covers("QUERY_*", "QUERY_RUN"), Ok(true));
        assert_eq!(covers("*", "anything"), Ok(true));
        assert_eq!(covers("a*b", "aab"), Err(BadPattern::StarInside));
        assert_eq!(covers("", ""), Err(BadPattern::Empty));
    }
}
