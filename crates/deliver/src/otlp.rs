//! OpenTelemetry: logs by OTLP/HTTP in Protocol Buffers, which every receiver of OTLP takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Fate, Later, Limits, Message, Transport, Verdict};
use http::{HeaderName, HeaderValue, Method};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::headers;
use crate::net::{Endpoint, Http, HttpAnswer, gzip};
use crate::secret::{Secret, scrubbed};
use crate::settings::{Mistake, OpenError, Receiver};

mod records;
mod trace;
mod wire;

/// Where and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otlp {
    /// The receiver: `https://collector.example:4318`, with or without `/v1/logs`.
    pub url: Endpoint,
    /// Headers to add. Their values are secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// `service.name` of the resource.
    #[serde(default = "service")]
    pub service: String,
    /// More attributes of the resource: `deployment.environment.name`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Certificates, as PEM, to trust besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

fn service() -> String {
    "acta-audit".to_owned()
}

impl Receiver for Otlp {
    const TYPE: &'static str = "otlp";
    const SECRETS: &'static [&'static str] = &["/headers/*"];
    const PLACES: &'static [&'static str] = &["/url"];

    fn sample() -> Value {
        json!({
            "url": "https://collector.example:4318",
            "headers": {"authorization": "Bearer token"},
            "service": "acta-audit",
            "attributes": {"deployment.environment.name": "production"},
            "ca": null,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = headers::read(&self.headers).err().unwrap_or_default();
        mistakes.extend(headers::word("/service", Some(&self.service)));
        if self.attributes.len() > 64 {
            mistakes.push(Mistake::new("/attributes", "are more than 64"));
        }
        for (name, value) in &self.attributes {
            let member = format!("/attributes/{}", name.replace('~', "~0").replace('/', "~1"));
            mistakes.extend(headers::word(&member, Some(name)).or_else(|| headers::word(&member, Some(value))));
        }
        mistakes.extend(crate::net::tls::mistake("/ca", self.ca.as_deref()));
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        vec![("/url", self.url.clone())]
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let headers = headers::read(&self.headers).map_err(|mistakes| {
            OpenError(mistakes.first().map(|one| format!("{} {}", one.member, one.text)).unwrap_or_default())
        })?;
        Ok(Arc::new(Sender {
            to: self.url.without(&["v1", "logs"]).below("v1/logs"),
            headers,
            http: doors.http.trusting(self.ca.as_deref())?,
            doors: doors.clone(),
            settings: self.clone(),
        }))
    }
}

struct Sender {
    settings: Otlp,
    to: Endpoint,
    headers: Vec<(HeaderName, HeaderValue)>,
    http: Http,
    doors: Doors,
}

/// Bytes of a request before compression. Receivers commonly take 4 MB and more.
const REQUEST: usize = 4_000_000;
/// Bytes that a record adds to its body: who, from where and with what come again as attributes.
const OVERHEAD: usize = 2048;

impl Transport for Sender {
    fn limits(&self) -> Limits {
        Limits {
            messages: 1000,
            bytes: REQUEST,
            overhead: OVERHEAD,
            message_bytes: REQUEST - OVERHEAD,
            age: Duration::from_secs(1),
        }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut request = http::Request::builder()
                .method(Method::POST)
                .uri(self.to.as_str())
                .header("content-type", "application/x-protobuf")
                .header("content-encoding", "gzip");
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            let body = records::request(&self.settings, batch).encode_to_vec();
            let answer = match request.body(gzip(&body)) {
                Err(_) => Answer::retry("the request could not be made"),
                Ok(request) => match self.http.send(request).await {
                    Ok(answer) => self.understood(&answer, batch.len()),
                    Err(e) => Answer::retry(e.to_string()),
                },
            };
            scrubbed(answer, self.settings.headers.values().map(Secret::reveal))
        })
    }
}

impl Sender {
    fn understood(&self, answer: &HttpAnswer, count: usize) -> Answer {
        let text = answer.header("content-type").is_some_and(|kind| kind.contains("json"));
        if !answer.status.is_success() {
            // In Protocol Buffers it is a Status, whose message is its second member; as text it would show as noise.
            let said = if text { None } else { wire::Status::decode(&answer.body[..]).ok().map(|status| status.message) };
            let raw = match said {
                Some(said) if !said.is_empty() => HttpAnswer { body: said.into(), ..answer.clone() }.raw(),
                _ => answer.raw(),
            };
            return Answer::new(answer.usual(self.doors.now()), raw);
        }
        let (rejected, said) = if text {
            let part = answer.json().map(|body| body["partialSuccess"].clone()).unwrap_or_default();
            // Protocol Buffers as JSON write such numbers as strings.
            let number = &part["rejectedLogRecords"];
            let rejected = number.as_i64().or_else(|| number.as_str()?.parse().ok()).unwrap_or(0);
            (rejected, part["errorMessage"].as_str().unwrap_or_default().to_owned())
        } else {
            let part = wire::Response::decode(&answer.body[..]).ok().and_then(|response| response.partial_success);
            part.map(|part| (part.rejected_log_records, part.error_message)).unwrap_or_default()
        };
        let raw = HttpAnswer { body: format!("{rejected} rejected {said}").into(), ..answer.clone() }.raw();
        match usize::try_from(rejected).unwrap_or(0) {
            0 => answer.meaning(Verdict::Delivered),
            all if all >= count => {
                let poison = Fate::Poison(format!("rejected: {said}"));
                Answer::new(Verdict::Each(vec![poison; count]), raw)
            }
            // It only says how many. Halving finds out which, and what was taken comes again under the same
            // `log.record.uid`.
            _ => Answer::new(Verdict::Refused, raw),
        }
    }
}
