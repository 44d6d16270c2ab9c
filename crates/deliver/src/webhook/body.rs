//! Bodies of webhooks, and their ids.

use bytes::Bytes;
use follow::Message;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::data::Data;

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

/// The body. `several`: as an array, even of one.
pub(super) fn body(batch: &[Message], several: bool, envelope: bool) -> Bytes {
    let Some(first) = batch.first() else { return Bytes::new() };
    let occurred = |message: &Message| message.recorded.event.occurred_at.to_string();
    let all = || batch.iter().map(Data::of).collect::<Vec<_>>();
    let body = match (several, envelope) {
        (true, true) => serde_json::to_vec(&Envelope { r#type: SEVERAL, timestamp: occurred(first), data: all() }),
        (true, false) => serde_json::to_vec(&all()),
        (false, true) => {
            let action = first.recorded.event.action.as_str();
            serde_json::to_vec(&Envelope { r#type: action, timestamp: occurred(first), data: Data::of(first) })
        }
        (false, false) => return first.body.clone(),
    };
    body.map(Bytes::from).unwrap_or_default()
}

/// The name of a request: the same whenever the same messages are sent again. Without a full stop, which separates what is
/// signed.
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
