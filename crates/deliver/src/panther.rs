//! Panther: an HTTP source, with any of its ways to show who sends.
//!
//! Events go as lines. A source keeps each line as an event, whatever its schema says of it: what does not fit shows up in
//! Panther as a classification failure, not in an answer to us. It drops no repeats; `event_id` tells them.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use follow::{Answer, Later, Limits, Message, Transport};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::doors::Doors;
use crate::net::{Endpoint, gzip};
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};

/// Bytes of a request. The source takes 1 MB with headers; older ones took half of that.
const BYTES: usize = 480_000;
/// The most that a request may be set to.
const BYTES_MAX: usize = 980_000;

/// An HTTP source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panther {
    /// The source's URL, as Panther shows it.
    pub url: Endpoint,
    /// How we show who we are.
    pub auth: Auth,
    /// The header for `shared_secret` and `hmac`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The name for `basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The shared secret, the key of the HMAC, the token or the password.
    pub secret: Secret,
    /// Bytes of a request, before compression; up to 980,000.
    #[serde(default = "bytes")]
    pub max_bytes: usize,
}

fn bytes() -> usize {
    BYTES
}

/// How a source knows its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// The secret in a header.
    SharedSecret,
    /// HMAC-SHA256 of the body in a header, in hexadecimal.
    Hmac,
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
}

impl Panther {
    fn header_name(&self) -> Option<HeaderName> {
        match self.auth {
            Auth::SharedSecret | Auth::Hmac => HeaderName::try_from(self.header.as_deref()?).ok(),
            Auth::Bearer | Auth::Basic => Some(http::header::AUTHORIZATION),
        }
    }

    /// The header's value for this body.
    fn header_value(&self, body: &[u8]) -> Option<HeaderValue> {
        let secret = self.secret.reveal();
        let text = match self.auth {
            Auth::SharedSecret => secret.to_owned(),
            Auth::Bearer => format!("Bearer {secret}"),
            Auth::Basic => format!("Basic {}", STANDARD.encode(format!("{}:{secret}", self.username.as_deref()?))),
            Auth::Hmac => {
                let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
                mac.update(body);
                mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
            }
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Receiver for Panther {
    const TYPE: &'static str = "panther";
    const SECRETS: &'static [&'static str] = &["/secret"];
    const PLACES: &'static [&'static str] = &["/url", "/auth"];

    fn sample() -> Value {
        json!({
            "url": "https://logs.acme.runpanther.net/http/0e1d2c3b-4a59-4687-9786-a5b4c3d2e1f0",
            "auth": "shared_secret",
            "header": "x-panther-key",
            "secret": "correct horse battery staple",
            "max_bytes": BYTES,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let wants_header = matches!(self.auth, Auth::SharedSecret | Auth::Hmac);
        match (&self.header, wants_header) {
            (None, true) => {
                mistakes.push(Mistake::new("/header", "is missing: this way of authentication has a header of its own"))
            }
            (Some(_), false) => mistakes.push(Mistake::new("/header", "goes with shared_secret and hmac only")),
            (Some(_), true) if self.header_name().is_none() => {
                mistakes.push(Mistake::new("/header", "is no name of a header"));
            }
            _ => {}
        }
        match (&self.username, self.auth == Auth::Basic) {
            (None, true) => mistakes.push(Mistake::new("/username", "is missing: basic authentication has one")),
            (Some(_), false) => mistakes.push(Mistake::new("/username", "goes with basic only")),
            (Some(name), true) if name.contains(':') => mistakes.push(Mistake::new("/username", "must not hold a colon")),
            _ => {}
        }
        if self.secret.reveal().is_empty() || HeaderValue::try_from(self.secret.reveal()).is_err() {
            mistakes.push(Mistake::new("/secret", "must be one line, and not empty"));
        }
        if !(10_000..=BYTES_MAX).contains(&self.max_bytes) {
            mistakes.push(Mistake::new("/max_bytes", format!("is from 10000 to {BYTES_MAX}")));
        }
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        vec![("/url", self.url.clone())]
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let header = self.header_name().ok_or_else(|| OpenError("the name of the header is missing".to_owned()))?;
        Ok(Arc::new(Source { settings: self.clone(), header, doors: doors.clone() }))
    }
}

/// The way there.
struct Source {
    settings: Panther,
    header: HeaderName,
    doors: Doors,
}

impl Transport for Source {
    fn limits(&self) -> Limits {
        let bytes = self.settings.max_bytes;
        Limits { messages: 10_000, bytes, overhead: 1, message_bytes: bytes - 1, age: Duration::from_secs(2) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut body = Vec::with_capacity(self.settings.max_bytes);
            for message in batch {
                body.extend_from_slice(&message.body);
                body.push(b'\n');
            }
            let Some(value) = self.settings.header_value(&body) else {
                return Answer::retry("the secret cannot be sent in a header");
            };
            let request = http::Request::post(self.settings.url.as_str())
                .header(self.header.clone(), value)
                .header("content-type", "application/x-ndjson");
            // Which of the two bodies an HMAC is taken of would be anybody's guess, so then there is only one.
            let request = if self.settings.auth == Auth::Hmac {
                request.body(body.into())
            } else {
                request.header("content-encoding", "gzip").body(gzip(&body))
            };
            let request = match request {
                Ok(request) => request,
                Err(error) => return Answer::retry(error.to_string()),
            };
            match self.doors.http.send(request).await {
                Ok(answer) => answer.meaning(answer.usual(self.doors.now())),
                Err(error) => Answer::retry(error.to_string()),
            }
        })
    }
}
