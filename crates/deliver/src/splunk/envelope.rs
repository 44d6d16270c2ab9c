//! An event as the collector wants it. Nothing but the members it knows: an object with another one it drops, and answers
//! 200.

use follow::Message;
use serde::Serialize;
use serde_json::value::RawValue;

use super::Splunk;
use crate::data::Data;

#[derive(Serialize)]
struct Envelope<'a> {
    /// Seconds with decimals. Whole milliseconds would be guessed at by their digits.
    time: &'a RawValue,
    host: &'a str,
    source: &'a str,
    sourcetype: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
    event: Data<'a>,
    fields: Fields<'a>,
}

/// Fields that are there when events are searched for, without reading them. Flat: others are refused.
#[derive(Serialize)]
struct Fields<'a> {
    event_id: String,
    event_index: u64,
    organization: &'a str,
    action: &'a str,
}

/// The objects, one a line.
pub(super) fn body(settings: &Splunk, batch: &[Message]) -> Vec<u8> {
    let mut body = Vec::new();
    for message in batch {
        let recorded = &message.recorded;
        let time = seconds(recorded.event.occurred_at.as_millis());
        let Ok(time) = serde_json::from_str::<&RawValue>(&time) else { continue };
        let envelope = Envelope {
            time,
            host: &settings.host,
            source: &settings.source,
            sourcetype: &settings.sourcetype,
            index: settings.index.as_deref(),
            event: Data::of(message),
            fields: Fields {
                event_id: recorded.event_id.to_string(),
                event_index: recorded.index.0,
                organization: &recorded.organization_name,
                action: recorded.event.action.as_str(),
            },
        };
        // Texts and numbers only: writing them into memory does not fail.
        if serde_json::to_writer(&mut body, &envelope).is_ok() {
            body.push(b'\n');
        }
    }
    body
}

fn seconds(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1000, millis % 1000)
}
