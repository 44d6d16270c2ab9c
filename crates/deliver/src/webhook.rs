//! Any HTTP server, by Standard Webhooks 1.0.0 (<https://www.standardwebhooks.com>): signed, and with an id that stays the same
//! when a request is repeated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use follow::{Answer, Later, Limits, Message, Transport, Verdict};
use http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::net::{Endpoint, Http, HttpAnswer};
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};

mod body;
mod sign;

use sign::{Signer, Signers};

/// Where, how signed, and how much at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where requests go.
    pub url: Endpoint,
    /// `whsec_` and 24 to 64 bytes in Base64: signs with HMAC-SHA256 (`v1`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// The secret before that. While it is set, both sign, so that the receiver can change over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret: Option<Secret>,
    /// `whsk_` and an Ed25519 key in Base64: signs with it (`v1a`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
    /// The key before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key: Option<Secret>,
    /// Headers to add. Their values are secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// Several events in a request: `data` is then an array. Otherwise a request is one event.
    #[serde(default)]
    pub batch: bool,
    /// Whether events come in the envelope `{type, timestamp, data}`. Without it they come as the format made them, which is what
    /// receivers of CloudEvents want.
    #[serde(default = "yes")]
    pub envelope: bool,
    /// The body's type.
    #[serde(default = "json_type")]
    pub content_type: String,
    /// Certificates, as PEM, to trust besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

fn yes() -> bool {
    true
}

fn json_type() -> String {
    "application/json".to_owned()
}

/// Headers that we set, or that say how the request is to be read.
const OURS: [&str; 11] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];

impl Webhook {
    fn signers(&self) -> Result<Signers, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut signers = Vec::new();
        let members = [
            ("/secret", &self.secret, Signer::hmac as fn(&str) -> Result<Signer, &'static str>),
            ("/previous_secret", &self.previous_secret, Signer::hmac),
            ("/key", &self.key, Signer::ed25519),
            ("/previous_key", &self.previous_key, Signer::ed25519),
        ];
        for (member, secret, read) in members {
            match secret.as_ref().map(|secret| read(secret.reveal())) {
                Some(Ok(signer)) => signers.push(signer),
                Some(Err(text)) => mistakes.push(Mistake::new(member, text)),
                None => {}
            }
        }
        if self.secret.is_none() && self.key.is_none() {
            let text = "is missing, and so is /key: one of them must be given, so that the receiver can tell our requests";
            mistakes.push(Mistake::new("/secret", text));
        }
        if mistakes.is_empty() { Ok(Signers(signers)) } else { Err(mistakes) }
    }

    fn extra(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let member = format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
            match (HeaderName::try_from(name), HeaderValue::from_str(value.reveal())) {
                (Err(_), _) => mistakes.push(Mistake::new(member, "is no name of a header")),
                (Ok(name), _) if OURS.contains(&name.as_str()) => {
                    mistakes.push(Mistake::new(member, "cannot be set: this header is Acta's"));
                }
                (_, Err(_)) => mistakes.push(Mistake::new(member, "has a value that a header cannot have")),
                (Ok(name), Ok(mut value)) => {
                    value.set_sensitive(true);
                    headers.push((name, value));
                }
            }
        }
        if mistakes.is_empty() { Ok(headers) } else { Err(mistakes) }
    }
}

impl Receiver for Webhook {
    const TYPE: &'static str = "webhook";
    const SECRETS: &'static [&'static str] = &["/secret", "/previous_secret", "/key", "/previous_key", "/headers/*"];
    const PLACES: &'static [&'static str] = &["/url"];

    fn sample() -> Value {
        json!({
            "url": "https://receiver.example/audit",
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "previous_secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "key": "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "previous_key": "whsk_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
            "headers": {"authorization": "Bearer token"},
            "batch": false,
            "envelope": true,
            "content_type": "application/json",
            "ca": null,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = self.signers().err().unwrap_or_default();
        mistakes.extend(self.extra().err().unwrap_or_default());
        if HeaderValue::from_str(&self.content_type).is_err() || !self.content_type.contains('/') {
            mistakes.push(Mistake::new("/content_type", "is no media type: write it as application/json"));
        }
        mistakes.extend(crate::net::tls::mistake("/ca", self.ca.as_deref()));
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        vec![("/url", self.url.clone())]
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let first = |mistakes: Vec<Mistake>| {
            OpenError(mistakes.first().map(|one| format!("{} {}", one.member, one.text)).unwrap_or_default())
        };
        Ok(Arc::new(Sender {
            settings: self.clone(),
            signers: self.signers().map_err(first)?,
            headers: self.extra().map_err(first)?,
            http: doors.http.trusting(self.ca.as_deref())?,
            doors: doors.clone(),
        }))
    }
}

/// Sends to one webhook.
struct Sender {
    settings: Webhook,
    signers: Signers,
    headers: Vec<(HeaderName, HeaderValue)>,
    http: Http,
    doors: Doors,
}

/// Bytes of a request: what servers in front of receivers commonly take.
const BYTES: usize = 1_000_000;

impl Transport for Sender {
    fn limits(&self) -> Limits {
        let (messages, age) = if self.settings.batch { (500, Duration::from_secs(1)) } else { (1, Duration::ZERO) };
        Limits { messages, bytes: BYTES, overhead: body::OVERHEAD, message_bytes: BYTES - body::OVERHEAD, age }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let body = body::body(batch, self.settings.batch, self.settings.envelope);
            let request = match self.request(batch, body) {
                Ok(request) => request,
                Err(e) => return Answer::retry(format!("the request could not be made: {e}")),
            };
            match self.http.send(request).await {
                Ok(answer) => self.understood(&answer),
                Err(e) => Answer::retry(e.to_string()),
            }
        })
    }
}

impl Sender {
    fn request(&self, batch: &[Message], body: Bytes) -> Result<http::Request<Bytes>, http::Error> {
        let id = body::id(batch);
        // Of the attempt, not of the event: receivers refuse what is older than some minutes.
        let timestamp = self.doors.now().as_millis().div_euclid(1000);
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(self.settings.url.as_str())
            .header("content-type", &self.settings.content_type)
            .header("webhook-signature", self.signers.sign(&id, timestamp, &body))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(body)
    }

    fn understood(&self, answer: &HttpAnswer) -> Answer {
        match answer.status.as_u16() {
            410 => answer.meaning(Verdict::Gone),
            300..400 => {
                let raw = format!("{} (redirections are not followed: set the URL that is to receive)", answer.raw());
                Answer::new(answer.retry(self.doors.now()), raw)
            }
            _ => answer.meaning(answer.usual(self.doors.now())),
        }
    }
}
