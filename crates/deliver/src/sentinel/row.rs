//! Messages as rows of the table.
//!
//! The receiver cuts what is longer than a field may be, and then it is JSON no more. So we shorten it first: the longest
//! texts in it, each with a note of how much is missing; the row says so, too.

use follow::Message;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Bytes of a field; the receiver keeps 64 KiB.
const FIELD_BYTES: usize = 64_000;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a> {
    time_generated: String,
    event_id: String,
    part: u32,
    log_index: u64,
    organization: &'a str,
    action: &'a str,
    outcome: Option<&'a str>,
    #[serde(flatten)]
    event: Event<'a>,
    shortened: bool,
}

/// The event in the format that was chosen.
#[derive(Serialize)]
enum Event<'a> {
    /// JSON, for a dynamic column.
    #[serde(rename = "Event")]
    Json(&'a RawValue),
    #[serde(rename = "Event")]
    Shortened(Value),
    /// Any other text.
    #[serde(rename = "EventText")]
    Text(String),
}

/// The body of a request: an array of rows.
pub(super) fn rows(batch: &[Message]) -> Vec<u8> {
    let mut body = vec![b'['];
    for message in batch {
        if body.len() > 1 {
            body.push(b',');
        }
        // Strings, numbers and JSON that was just read: this cannot fail.
        body.extend(serde_json::to_vec(&row(message)).unwrap_or_default());
    }
    body.push(b']');
    body
}

fn row(message: &Message) -> Row<'_> {
    let recorded = &message.recorded;
    let (event, shortened) = event(&message.body);
    Row {
        time_generated: recorded.event.occurred_at.to_string(),
        event_id: recorded.event_id.to_string(),
        part: message.part,
        log_index: recorded.index.0,
        organization: &recorded.organization_name,
        action: recorded.event.action.as_str(),
        outcome: recorded.event.outcome.map(|outcome| outcome.as_str()),
        event,
        shortened,
    }
}

fn event(body: &[u8]) -> (Event<'_>, bool) {
    let raw = serde_json::from_slice::<&RawValue>(body).ok().filter(|raw| raw.get().starts_with('{'));
    let Some(raw) = raw else {
        let text = String::from_utf8_lossy(body);
        let (text, shortened) = cut(&text, FIELD_BYTES);
        return (Event::Text(text), shortened);
    };
    if body.len() <= FIELD_BYTES {
        return (Event::Json(raw), false);
    }
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    for longest in [16_384, 4_096, 1_024, 256, 64] {
        shorten(&mut value, longest);
        if value.to_string().len() <= FIELD_BYTES {
            return (Event::Shortened(value), true);
        }
    }
    // So many members that it is not their length: the beginning, as a text.
    let (text, _) = cut(raw.get(), FIELD_BYTES / 2);
    (Event::Text(text), true)
}

/// Shortens every text in it that is longer.
fn shorten(value: &mut Value, longest: usize) {
    match value {
        Value::String(text) => {
            let (short, shortened) = cut(text, longest);
            if shortened {
                *text = short;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, longest)),
        Value::Object(members) => members.values_mut().for_each(|member| shorten(member, longest)),
        _ => {}
    }
}

/// A text of so many bytes at most, and whether it was longer.
fn cut(text: &str, longest: usize) -> (String, bool) {
    if text.len() <= longest {
        return (text.to_owned(), false);
    }
    let kept = &text[..text.floor_char_boundary(longest.saturating_sub(50))];
    (format!("{kept}… [{} bytes shortened by Acta]", text.len() - kept.len()), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(body: &str) -> (Value, bool) {
        let (event, shortened) = event(body.as_bytes());
        let value = serde_json::to_value(event).unwrap();
        (value.as_object().unwrap().values().next().unwrap().clone(), shortened)
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(field(r#"{"a":1}"#), (serde_json::json!({ "a": 1 }), false));
        assert_eq!(field("CEF:0|a"), (Value::from("CEF:0|a"), false));
    }

    #[test]
    fn long_texts_are_shortened_and_the_rest_stays() {
        let long = "é".repeat(100_000);
        let (value, shortened) = field(&serde_json::json!({ "id": "x", "in": [{ "query": long }] }).to_string());
        assert!(shortened);
        assert_eq!(value["id"], "x");
        let query = value["in"][0]["query"].as_str().unwrap();
        assert!(query.ends_with("… [183666 bytes shortened by Acta]"), "{}", &query[query.len() - 60..]);
        assert!(value.to_string().len() <= FIELD_BYTES);
    }

    #[test]
    fn what_has_too_many_members_becomes_text() {
        let many: Vec<u32> = (0..40_000).collect();
        let (value, shortened) = field(&serde_json::json!({ "many": many }).to_string());
        assert!(shortened && value.as_str().unwrap().len() <= FIELD_BYTES);
        let (value, shortened) = field(&"\u{e9}".repeat(40_000));
        assert!(shortened && value.as_str().unwrap().len() <= FIELD_BYTES);
    }
}
