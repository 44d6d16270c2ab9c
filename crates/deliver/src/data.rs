//! An event's text inside somebody else's JSON, and what of an event has a place of its own there.

use follow::{Message, Recorded};
use record::catalog::Severity;
use record::{Catalogs, Outcome};
use serde::Serialize;
use serde_json::value::RawValue;

/// A message's body as a JSON value.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Data<'a> {
    /// A JSON object, as the format made it.
    Object(&'a RawValue),
    /// Any other text, as a string: CEF, LEEF.
    Text(&'a str),
}

impl Data<'_> {
    pub(crate) fn of(message: &Message) -> Data<'_> {
        let text = text(message);
        match serde_json::from_str::<&RawValue>(text) {
            Ok(json) if json.get().starts_with('{') => Data::Object(json),
            _ => Data::Text(text),
        }
    }
}

/// A message's body. Formats make UTF-8 only.
pub(crate) fn text(message: &Message) -> &str {
    std::str::from_utf8(&message.body).unwrap_or_default()
}

/// How serious an event is, by the catalogs; at least a warning if it did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
    Critical,
}

impl Level {
    pub(crate) fn of(recorded: &Recorded) -> Level {
        let known = Catalogs::built_in().get(recorded.event.action.as_str()).map(|(_, entry)| entry.severity);
        let level = match known {
            None | Some(Severity::Info | Severity::Low) => Level::Info,
            Some(Severity::Medium) => Level::Warning,
            Some(Severity::High) => Level::Error,
            Some(Severity::Critical) => Level::Critical,
        };
        let failed = matches!(recorded.event.outcome, Some(Outcome::Failure | Outcome::Denied));
        if failed { level.max(Level::Warning) } else { level }
    }
}

/// The category in the catalogs.
pub(crate) fn category(recorded: &Recorded) -> Option<&'static str> {
    Catalogs::built_in().get(recorded.event.action.as_str()).map(|(_, entry)| entry.category.as_str())
}
