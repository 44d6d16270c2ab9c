//! From other systems' events to Acta's.

pub mod cloudtrail;

use serde_json::Value;

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
    /// The events that a JSON value of the file stands for, each ready to be sent.
    pub fn events(self, value: Value) -> Vec<Result<Value, NotAnEvent>> {
        match (self, value) {
            (Format::Acta, value) => vec![Ok(value)],
            (Format::Cloudtrail, Value::Object(mut object)) => match object.remove("Records") {
                Some(Value::Array(records)) => records.into_iter().map(cloudtrail::event).collect(),
                Some(_) => vec![Err(NotAnEvent("\"Records\" is not an array".to_owned()))],
                None => vec![cloudtrail::event(Value::Object(object))],
            },
            (Format::Cloudtrail, _) => vec![Err(NotAnEvent("this is not an object".to_owned()))],
        }
    }
}
