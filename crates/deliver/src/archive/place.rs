//! Where in a bucket an object lies.

use follow::Message;
use record::Timestamp;
use serde::{Deserialize, Serialize};

/// More of an organization's name does not go into a key; S3 takes 1,024 bytes.
const NAME_BYTES_MAX: usize = 200;
/// The longest prefix, in bytes.
const PREFIX_BYTES_MAX: usize = 200;

/// What all keys begin with: folders with `/` between them, none at the ends. Empty for none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Prefix(String);

/// The text was no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("holds at most 200 of the characters A-Z a-z 0-9 . _ = - and / between folders")]
pub struct BadPrefix;

impl TryFrom<String> for Prefix {
    type Error = BadPrefix;

    fn try_from(text: String) -> Result<Prefix, BadPrefix> {
        let text = text.trim_matches('/').to_owned();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '=' | '-');
        // Stores and the programs in front of them take `..` for the folder above.
        let folder = |name: &str| !name.is_empty() && name.chars().all(allowed) && name.chars().any(|c| c != '.');
        let good = text.len() <= PREFIX_BYTES_MAX && (text.is_empty() || text.split('/').all(folder));
        good.then_some(Prefix(text)).ok_or(BadPrefix)
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> String {
        prefix.0
    }
}

impl Prefix {
    /// The organization's folder, with `/` at the end.
    pub(crate) fn folder_of(&self, message: &Message) -> String {
        let name = escaped(&message.recorded.organization_name);
        let name = if name.len() > NAME_BYTES_MAX {
            // "~." never comes from escaping, so no other name can give this.
            format!("{}~.{}", &name[..NAME_BYTES_MAX], message.recorded.organization)
        } else {
            name
        };
        if self.0.is_empty() { format!("org={name}/") } else { format!("{}/org={name}/", self.0) }
    }
}

/// Whether both go into one object: the same log, the same hour.
pub(crate) fn same_folder(a: &Message, b: &Message) -> bool {
    let place = |message: &Message| (message.recorded.organization, message.recorded.recorded_at().as_millis() / 3_600_000);
    place(a) == place(b) && a.recorded.organization_name == b.recorded.organization_name
}

/// The folders of an hour: `date=2026-11-20/hour=22/`.
pub(crate) fn hour_folder(at: Timestamp) -> String {
    let text = at.to_string();
    format!("date={}/hour={}/", &text[..10], &text[11..13])
}

/// ASCII letters, digits, `.`, `_` and `-` as they are, every other byte as `~` and two hexadecimal digits.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("~{byte:02x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_readable_and_different() {
        assert_eq!(escaped("Acme-1.eu_x"), "Acme-1.eu_x");
        assert_eq!(escaped("a/../b ~é"), "a~2f..~2fb~20~7e~c3~a9");
    }

    #[test]
    fn a_prefix_is_folders() {
        for good in ["", "audit", "audit/v=1", "/a/b/", "x.y_z-0"] {
            assert!(Prefix::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["a//b", "..", "a/../b", "a b", "ä", "a?b", &"x".repeat(201)] {
            assert_eq!(Prefix::try_from(bad.to_owned()), Err(BadPrefix), "{bad}");
        }
    }

    #[test]
    fn hours_are_of_utc() {
        assert_eq!(hour_folder(Timestamp::parse("2026-11-20T23:30:00+01:00").unwrap()), "date=2026-11-20/hour=22/");
    }
}
