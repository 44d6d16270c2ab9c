//! From other systems' events to Acta's. What becomes evidence is passed on as it stands: values are read, never rewritten.

pub mod cloudtrail;

use record::json::Members;
use serde_json::value::RawValue;

/// A format that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Acta's own: one event a line.
    Acta,
    /// AWS CloudTrail: one event a line, or files with `{"Records":[…]}`.
    Cloudtrail,
}

/// A line that holds no event, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnEvent(pub String);

impl Format {
    /// The events that a JSON value of the file stands for, each as text that can be sent. An array stands for its items.
    pub fn events(self, value: &RawValue) -> Vec<Result<String, NotAnEvent>> {
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            return items.into_iter().map(|item| self.event(item)).collect();
        }
        match self.records(value) {
            Some(records) => records.into_iter().map(|record| self.event(record)).collect(),
            None => vec![self.event(value)],
        }
    }

    /// The items of CloudTrail's `{"Records":[…]}`.
    fn records(self, value: &RawValue) -> Option<Vec<&RawValue>> {
        let Members(members) = serde_json::from_str(value.get()).ok().filter(|_| self == Format::Cloudtrail)?;
        let (_, records) = members.into_iter().find(|(name, _)| name == "Records")?;
        serde_json::from_str(records.get()).ok()
    }

    fn event(self, value: &RawValue) -> Result<String, NotAnEvent> {
        match self {
            // White space is all that is dropped: a line must not hold a line feed.
            Format::Acta => Ok(value.get().replace(['\n', '\r'], " ")),
            Format::Cloudtrail => cloudtrail::event(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(format: Format, text: &str) -> Vec<Result<String, NotAnEvent>> {
        format.events(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn values_are_not_rewritten() {
        let event = r#"{"z":1.50,"a":123456789012345678901234567890,"a":1e999}"#;
        assert_eq!(events(Format::Acta, event), [Ok(event.to_owned())]);
        assert_eq!(events(Format::Acta, "[{},\n 1]"), [Ok("{}".to_owned()), Ok("1".to_owned())]);
    }

    #[test]
    fn records_are_unpacked() {
        let told = events(Format::Cloudtrail, r#"{"Records":[{"eventName":"A"},{"eventName":"B"},7]}"#);
        assert_eq!(told.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
    }
}
