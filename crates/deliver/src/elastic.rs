//! Elasticsearch: data streams, by the bulk API.
//!
//! Every document is named by its message, so a message that is sent twice is refused the second time with 409, which is as
//! good as taken. *Only within one backing index:* a repeat after a rollover is a second document with the same `event.id`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use follow::{Answer, Fate, Later, Limits, Message, Transport, Verdict};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::net::{Endpoint, Http, HttpAnswer, gzip};
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};

mod template;

pub use template::index_template;

/// Messages in a request: the answer tells of each, and all of it is read.
const MESSAGES: usize = 1_000;
/// Bytes of a request. The server takes 100 MB, but works best with much less.
const BYTES: usize = 5_000_000;
/// Bytes that are read of an answer. One that is longer makes us send less at once.
const ANSWER_BYTES: usize = 1_000_000;
/// The line before each document, and what may be added to one.
const OVERHEAD: usize = 200;

/// A data stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elastic {
    /// The cluster's URL; what is below it, such as a proxy's path, is kept.
    pub url: Endpoint,
    /// The data stream, which exists or for which there is a template.
    #[serde(default = "data_stream")]
    pub data_stream: String,
    /// An API key that may write to it, as `id:api_key` or encoded, as the server shows it.
    pub api_key: Secret,
    /// Certificates, as PEM, to trust besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

fn data_stream() -> String {
    "logs-acta.audit-default".to_owned()
}

impl Receiver for Elastic {
    const TYPE: &'static str = "elastic";
    const SECRETS: &'static [&'static str] = &["/api_key"];
    const PLACES: &'static [&'static str] = &["/url"];

    fn sample() -> Value {
        json!({
            "url": "https://cluster.es.eu-central-1.aws.elastic.cloud/",
            "data_stream": data_stream(),
            "api_key": "VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw",
            "ca": null,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        // What names of indexes forbid, and what a URL would take for something else.
        let bad = |c: char| c.is_uppercase() || c.is_control() || c.is_whitespace() || "\\/*?\"<>|,#:%".contains(c);
        let name = &self.data_stream;
        if name.is_empty() || name.len() > 255 || name.contains(bad) || name.starts_with(['-', '_', '+', '.']) {
            let text = "is no name of a data stream: lower-case letters and digits, with - and . between them";
            mistakes.push(Mistake::new("/data_stream", text));
        }
        if self.authorization().is_none() {
            mistakes.push(Mistake::new("/api_key", "is no API key: give id:api_key, or the encoded key"));
        }
        if self.url.as_str().contains('?') {
            mistakes.push(Mistake::new("/url", "has no query"));
        }
        mistakes.extend(crate::net::tls::mistake("/ca", self.ca.as_deref()));
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        vec![("/url", self.url.clone())]
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let http = doors.http.trusting(self.ca.as_deref())?;
        let authorization = self.authorization().ok_or_else(|| OpenError("the API key is none".to_owned()))?;
        let url = self
            .url
            .below(&format!("{}/_bulk", self.data_stream))
            // Of each item only what is needed: the server would answer with more than was sent.
            .with_query("filter_path", "errors,items.*.status,items.*.error.type,items.*.error.reason");
        Ok(Arc::new(Bulk { http: http.keeping(ANSWER_BYTES), doors: doors.clone(), url, authorization }))
    }
}

impl Elastic {
    /// The header that shows the key, if it is one.
    fn authorization(&self) -> Option<http::HeaderValue> {
        let key = self.api_key.reveal().trim();
        let encoded = if key.contains(':') { STANDARD.encode(key) } else { key.to_owned() };
        let decoded = STANDARD.decode(&encoded).ok()?;
        let mut value = http::HeaderValue::try_from(format!("ApiKey {encoded}")).ok()?;
        value.set_sensitive(true);
        decoded.contains(&b':').then_some(value)
    }
}

/// The way there.
struct Bulk {
    http: Http,
    doors: Doors,
    url: Endpoint,
    authorization: http::HeaderValue,
}

impl Transport for Bulk {
    fn limits(&self) -> Limits {
        Limits {
            messages: MESSAGES,
            bytes: BYTES,
            overhead: OVERHEAD,
            message_bytes: BYTES - OVERHEAD,
            age: Duration::from_secs(2),
        }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let request = http::Request::post(self.url.as_str())
                .header("authorization", self.authorization.clone())
                .header("content-type", "application/x-ndjson")
                .header("content-encoding", "gzip")
                .body(gzip(&bulk(batch)));
            let request = match request {
                Ok(request) => request,
                Err(error) => return Answer::retry(error.to_string()),
            };
            match self.http.send(request).await {
                Ok(answer) => answer.meaning(meaning(&answer, batch.len(), self.doors.now())),
                Err(error) => Answer::retry(error.to_string()),
            }
        })
    }
}

/// The body: a line that says what to do, and the document, for each message. Data streams take `create` only.
fn bulk(batch: &[Message]) -> Bytes {
    let mut body = Vec::with_capacity(batch.iter().map(|message| message.body.len() + OVERHEAD).sum());
    for message in batch {
        body.extend_from_slice(format!("{{\"create\":{{\"_id\":\"{}\"}}}}\n", message.key()).as_bytes());
        body.extend_from_slice(&document(message));
        body.push(b'\n');
    }
    body.into()
}

/// The message as a document of a data stream: an object with `@timestamp`.
fn document(message: &Message) -> Cow<'_, [u8]> {
    #[derive(Deserialize)]
    struct Object {
        #[serde(rename = "@timestamp")]
        timestamp: Option<IgnoredAny>,
    }
    let body = message.body.as_ref();
    let at = message.recorded.event.occurred_at;
    // serde takes arrays for such a struct, too.
    let object = body.starts_with(b"{").then(|| serde_json::from_slice::<Object>(body).ok()).flatten();
    match object {
        Some(Object { timestamp: Some(_) }) => Cow::Borrowed(body),
        Some(Object { timestamp: None }) => {
            let rest = body[1..].trim_ascii_start();
            let comma = if rest.starts_with(b"}") { "" } else { "," };
            Cow::Owned([format!("{{\"@timestamp\":\"{at}\"{comma}").as_bytes(), rest].concat())
        }
        None => {
            let id = message.recorded.event_id.to_string();
            let text = String::from_utf8_lossy(body);
            Cow::Owned(json!({ "@timestamp": at, "event": { "id": id }, "message": text }).to_string().into_bytes())
        }
    }
}

/// What the answer means for each message.
fn meaning(answer: &HttpAnswer, messages: usize, now: record::Timestamp) -> Verdict {
    if answer.status != http::StatusCode::OK {
        return answer.usual(now);
    }
    // Without the whole answer nothing is known of any; in smaller batches it will be shorter. What was taken is there.
    if answer.cut {
        return Verdict::Split;
    }
    let fates = items(&answer.body).filter(|fates| fates.len() == messages);
    match fates {
        Some(fates) if fates.iter().all(|fate| *fate == Fate::Delivered) => Verdict::Delivered,
        Some(fates) => Verdict::Each(fates),
        // A proxy that answers 200 by itself, say.
        None => answer.retry(now),
    }
}

fn items(body: &[u8]) -> Option<Vec<Fate>> {
    #[derive(Deserialize)]
    struct Said {
        items: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        create: Done,
    }
    #[derive(Deserialize)]
    struct Done {
        status: u16,
        error: Option<Refusal>,
    }
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        reason: String,
    }
    let said: Said = serde_json::from_slice(body).ok()?;
    let fate = |Item { create }: Item| match create.status {
        200..300 | 409 => Fate::Delivered,
        // What is in the document is at fault: a mapping, a type.
        400 => {
            let why = create.error.map(|error| format!("{}: {}", error.kind, error.reason)).unwrap_or_default();
            Fate::Poison(format!("400 {why}").chars().take(Answer::SHOWN).collect())
        }
        // 429: too busy. 403, 404: no right, no such stream; somebody has to mend it. 5xx: a shard is away.
        _ => Fate::Retry,
    };
    Some(said.items.into_iter().map(fate).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        let body = br#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"v"}}},
            {"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}},
            {"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"no ip"}}},
            {"create":{"status":403}},{"create":{"status":503}}]}"#;
        let poison = Fate::Poison("400 document_parsing_exception: no ip".to_owned());
        assert_eq!(items(body).unwrap(), [Fate::Delivered, Fate::Delivered, Fate::Retry, poison, Fate::Retry, Fate::Retry]);
        assert_eq!(items(b"<html>"), None);
    }
}
