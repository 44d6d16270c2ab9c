//! Words that stand in the clear in a record, checked at the door so that they cannot carry free text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest word, in bytes.
pub const WORD_BYTES_MAX: usize = 64;

/// The text was not a word of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    /// Nothing there.
    #[error("must not be empty")]
    Empty,
    /// More than [`WORD_BYTES_MAX`] bytes.
    #[error("is {0} bytes long; at most 64 are allowed")]
    TooLong(usize),
    /// A character that the word may not hold.
    #[error("holds {found:?}; allowed are {allowed}, the first a letter or digit")]
    BadCharacter {
        /// The first character at fault.
        found: char,
        /// What would have been allowed, in words.
        allowed: &'static str,
    },
}

fn check(text: &str, capitals: bool) -> Result<(), BadWord> {
    if text.is_empty() {
        return Err(BadWord::Empty);
    }
    if text.len() > WORD_BYTES_MAX {
        return Err(BadWord::TooLong(text.len()));
    }
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || (capitals && c.is_ascii_uppercase());
    for (at, c) in text.char_indices() {
        if !(letter(c) || at > 0 && matches!(c, '.' | '_' | ':' | '-')) {
            let allowed = if capitals { "letters, digits and . _ : -" } else { "lower-case letters, digits and . _ : -" };
            return Err(BadWord::BadCharacter { found: c, allowed });
        }
    }
    Ok(())
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, capitals: $capitals:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks the text and keeps it.
            pub fn new(text: &str) -> Result<$name, BadWord> {
                check(text, $capitals)?;
                Ok($name(text.into()))
            }

            /// The word itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> String {
                word.0.into()
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadWord;
            fn try_from(text: String) -> Result<$name, BadWord> {
                $name::new(&text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

word! {
    /// The event type's identifier, as the sending application writes it (`QUERY_RUN`, `scenario_created`):
    /// `[A-Za-z0-9][A-Za-z0-9._:-]{0,63}`.
    Action, capitals: true
}
word! {
    /// What sort of thing an actor or a target is (`user`, `page`, `aws::s3::bucket`): `[a-z0-9][a-z0-9._:-]{0,63}`.
    Kind, capitals: false
}
word! {
    /// A team's opaque identifier within its organization: `[A-Za-z0-9][A-Za-z0-9._:-]{0,63}`.
    TeamId, capitals: true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_hold_no_free_text() {
        assert!(Action::new("QUERY_RUN").is_ok());
        assert!(Action::new("s3:GetObject").is_ok());
        assert!(Action::new(&"a".repeat(64)).is_ok());
        assert_eq!(Action::new(&"a".repeat(65)), Err(BadWord::TooLong(65)));
        assert_eq!(Action::new(""), Err(BadWord::Empty));
        assert!(matches!(Action::new("two words"), Err(BadWord::BadCharacter { found: ' ', .. })));
        assert!(matches!(Action::new("-x"), Err(BadWord::BadCharacter { found: '-', .. })));
        assert!(matches!(Action::new("naïve"), Err(BadWord::BadCharacter { found: 'ï', .. })));
        assert!(Kind::new("user").is_ok());
        assert!(matches!(Kind::new("User"), Err(BadWord::BadCharacter { found: 'U', .. })));
    }
}
