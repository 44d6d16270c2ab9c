//! Bodies of webhooks, and their ids.

use bytes::Bytes;
use follow::Message;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// What an envelope adds to an event, at most: action identifiers have bounds far below that.
pub(super) const OVERHEAD: usize = 512;

/// The `type` of a request with several events.
const SEVERAL: &str = "audit.events";

#[derive(Serialize)]
struct Envelope<'a, T> {
    r#type: &'a str,
    timestamp: String,
    data: T,
}

/// An event as its format made it: JSON as it is, other texts as a JSON string.
#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Json(&'a RawValue),
    Text(String),
}

fn data(message: &Message) -> Data<'_> {
    match serde_json::from_slice::<&RawValue>(&message.body) {
        Ok(json) => Data::Json(json),
        Err(_) => Data::Text(String::from_utf8_lossy(&message.body).into_owned()),
    }
}

/// The body. `several`: as an array, even of one.
pub(super) fn body(batch: &[Message], several: bool, envelope: bool) -> Bytes {
    let Some(first) = batch.first() else { return Bytes::new() };
    let occurred = |message: &Message| message.recorded.event.occurred_at.to_string();
    let all = || batch.iter().map(data).collect::<Vec<_>>();
    let body = match (several, envelope) {
        (true, true) => serde_json::to_vec(&Envelope { r#type: SEVERAL, timestamp: occurred(first), data: all() }),
        (true, false) => serde_json::to_vec(&all()),
        (false, true) => {
            let action = first.recorded.event.action.as_str();
            serde_json::to_vec(&Envelope { r#type: action, timestamp: occurred(first), data: data(first) })
        }
        (false, false) => return first.body.clone(),
    };
    body.map(Bytes::from).unwrap_or_default()
}

/// The name of a request: the same whenever the same messages are sent again. Without a full stop, which separates what is signed.
pub(super) fn id(batch: &[Message]) -> String {
    match batch {
        [] => String::new(),
        [one] => one.key(),
        [first, ..] => {
            let mut hash = Sha256::new();
            for message in batch {
                hash.update(message.key());
                hash.update(b"\n");
            }
            let hash: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("{}-{}-{hash}", first.key(), batch.len())
        }
    }
}
