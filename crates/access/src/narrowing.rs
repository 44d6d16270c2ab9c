//! How far a role's view of the log goes: some categories only, some time only, some members hidden.

use std::collections::BTreeSet;

use record::{Catalogs, Timestamp};
use serde::{Deserialize, Serialize};

use crate::named::named;

/// A part of events that can be hidden from a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Masked {
    /// Network addresses.
    Ip,
    /// Client programs.
    UserAgent,
    /// The actor's e-mail address.
    Email,
    /// The actor's and the targets' names.
    Name,
    /// The values before and after a change.
    Changes,
    /// The metadata.
    Metadata,
}

named! { Masked {
    Ip = "ip", UserAgent = "user_agent", Email = "email", Name = "name", Changes = "changes", Metadata = "metadata",
} }

impl Masked {
    /// What is hidden, for people.
    pub(crate) fn as_words(self) -> &'static str {
        match self {
            Masked::Ip => "IP addresses",
            Masked::UserAgent => "client programs",
            Masked::Email => "e-mail addresses",
            Masked::Name => "names",
            Masked::Changes => "changed values",
            Masked::Metadata => "metadata",
        }
    }
}

/// What of the log a role shows, where that is not all. The default shows all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Narrowing {
    /// The titles of the categories that are shown; all if there are none here.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<String>,
    /// Nothing is shown that occurred before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Nothing is shown that occurred after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// What is hidden of the events that are shown.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub masked: BTreeSet<Masked>,
}

/// A narrowing that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNarrowing {
    /// No catalog has the category.
    #[error("{0:?} is not a category of any catalog")]
    Category(String),
    /// The end is before the beginning.
    #[error("`from` is later than `to`, so that nothing would be shown")]
    Nothing,
}

impl Narrowing {
    /// Whether all is shown.
    pub fn is_nothing(&self) -> bool {
        *self == Narrowing::default()
    }

    /// Refuses what would show nothing by mistake.
    pub fn check(&self) -> Result<(), BadNarrowing> {
        for category in &self.categories {
            let known = Catalogs::built_in().in_category(category).next().is_some();
            if !known {
                return Err(BadNarrowing::Category(category.clone()));
            }
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from > to => Err(BadNarrowing::Nothing),
            _ => Ok(()),
        }
    }

    /// Whether an event is shown, by its action and its time.
    pub(crate) fn shows(&self, action: &str, occurred_at: i64) -> bool {
        self.from.is_none_or(|from| occurred_at >= from.as_millis())
            && self.to.is_none_or(|to| occurred_at <= to.as_millis())
            && (self.categories.is_empty()
                || Catalogs::built_in().get(action).is_some_and(|(_, it)| self.categories.contains(&it.category)))
    }
}
