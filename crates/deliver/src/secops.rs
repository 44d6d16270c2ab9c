//! Google SecOps (Chronicle): raw logs, by `logs:import`. A parser there makes UDM of them; UDM is not made here.
//!
//! It drops a batch that it has had, if it is the same to the byte; a repeat with other neighbours is told by `event_id`.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use follow::{Answer, Later, Limits, Message, Transport, Verdict};
use http::StatusCode;
use record::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::net::{Endpoint, HttpAnswer, NetError};
use crate::oauth::{ServiceAccount, Tokens};
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Bytes of a request.
const BYTES: usize = 1_000_000;
/// Base64 makes four bytes of three, and then there is the frame.
const BODY_BYTES: usize = BYTES / 4 * 3 - 1_000;
/// What stands around each log.
const OVERHEAD: usize = 400;

/// An instance, and a type of log in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecOps {
    /// `https://<location>-chronicle.googleapis.com` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The version of the API.
    #[serde(default = "version")]
    pub version: String,
    /// The Google Cloud project, by id or number.
    pub project: String,
    /// Where the instance is: `us`, `eu`, `europe-west3`, …
    pub location: String,
    /// The customer id: a UUID.
    pub instance: String,
    /// The type of log, as there is a parser for.
    pub log_type: String,
    /// The forwarder's id: a UUID.
    pub forwarder: String,
    /// The namespace that assets are known in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The service account's key file: its JSON text. The account needs the permission `chronicle.logs.import`.
    pub credentials: Secret,
}

fn version() -> String {
    "v1alpha".to_owned()
}

impl SecOps {
    fn origin(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.origin(),
            None => format!("https://{}-chronicle.googleapis.com", self.location),
        }
    }

    fn instance_name(&self) -> String {
        format!("projects/{}/locations/{}/instances/{}", self.project, self.location, self.instance)
    }
}

impl Receiver for SecOps {
    const TYPE: &'static str = "google_secops";
    const SECRETS: &'static [&'static str] = &["/credentials"];
    const PLACES: &'static [&'static str] = &["/endpoint"];

    fn sample() -> Value {
        json!({
            "endpoint": "https://eu-chronicle.googleapis.com/",
            "version": version(),
            "project": "acme-security",
            "location": "eu",
            "instance": "0e1d2c3b-4a59-4687-9786-a5b4c3d2e1f0",
            "log_type": "ACTA_AUDIT",
            "forwarder": "7b0c9d8e-1f2a-4b3c-8d4e-5f6a7b8c9d0e",
            "namespace": "production",
            "credentials": ServiceAccount::SAMPLE,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        // They become parts of a path, and the location one of a host name.
        let word = |text: &str, more: &str| {
            (1..=100).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let mut mistakes = Vec::new();
        let members = [
            ("/version", &self.version, "", "is a version such as v1alpha"),
            ("/project", &self.project, "-.:", "is a project's id or number"),
            ("/location", &self.location, "-", "is a location such as us or europe-west3"),
            ("/instance", &self.instance, "-", "is a customer id, a UUID"),
            ("/log_type", &self.log_type, "_", "is a type of log such as ACTA_AUDIT"),
            ("/forwarder", &self.forwarder, "-", "is a forwarder's id, a UUID"),
        ];
        for (member, value, more, text) in members {
            if !word(value, more) {
                mistakes.push(Mistake::new(member, text));
            }
        }
        if let Err(text) = ServiceAccount::parse(&self.credentials) {
            mistakes.push(Mistake::new("/credentials", text));
        }
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        let api = Endpoint::parse(&self.origin()).ok().map(|at| ("/endpoint", at));
        let token = ServiceAccount::parse(&self.credentials).ok().map(|account| ("/credentials", account.token_uri));
        api.into_iter().chain(token).collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let account = ServiceAccount::parse(&self.credentials).map_err(OpenError)?;
        let instance = self.instance_name();
        let url = format!("{}/{}/{instance}/logTypes/{}/logs:import", self.origin(), self.version, self.log_type);
        Ok(Arc::new(Import {
            tokens: Tokens::for_account(doors, account, SCOPE),
            doors: doors.clone(),
            url,
            forwarder: format!("{instance}/forwarders/{}", self.forwarder),
            namespace: self.namespace.clone(),
        }))
    }
}

/// The way there.
struct Import {
    tokens: Tokens,
    doors: Doors,
    url: String,
    forwarder: String,
    namespace: Option<String>,
}

impl Import {
    fn body(&self, batch: &[Message]) -> String {
        let now = self.doors.now();
        let logs: Vec<Value> = batch.iter().map(|message| self.log(message, now)).collect();
        json!({ "inline_source": { "logs": logs, "forwarder": self.forwarder } }).to_string()
    }

    fn log(&self, message: &Message, now: Timestamp) -> Value {
        let at = message.recorded.event.occurred_at;
        let mut log = json!({
            "data": STANDARD.encode(&message.body),
            "log_entry_time": at,
            // It must not lie before the entry: a sender's clock may be ahead of ours.
            "collection_time": now.max(at),
            "labels": { "event_id": { "value": message.recorded.event_id.to_string() } },
        });
        if let Some(namespace) = &self.namespace {
            log["environment_namespace"] = json!(namespace);
        }
        log
    }
}

impl Transport for Import {
    fn limits(&self) -> Limits {
        let message_bytes = BODY_BYTES - OVERHEAD;
        Limits { messages: 1_000, bytes: BODY_BYTES, overhead: OVERHEAD, message_bytes, age: Duration::from_secs(5) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let body = Bytes::from(self.body(batch));
            if body.len() > BYTES {
                return Answer::new(Verdict::Split, format!("not sent: {} bytes are more than {BYTES}", body.len()));
            }
            let request = || {
                let request = http::Request::post(&self.url).header("content-type", "application/json");
                request.body(body.clone()).map_err(|e| NetError::Material(e.to_string()))
            };
            match self.tokens.send(&self.doors.http, request).await {
                Ok(answer) => answer.meaning(meaning(&answer, self.doors.now())),
                Err(answer) => answer,
            }
        })
    }
}

fn meaning(answer: &HttpAnswer, now: Timestamp) -> Verdict {
    // Google's front says 400 where others say 413.
    let said = String::from_utf8_lossy(&answer.body);
    if answer.status == StatusCode::BAD_REQUEST && said.contains("payload size exceeds") {
        return Verdict::Split;
    }
    answer.usual(now)
}
