//! Datadog: the logs intake, version 2.
//!
//! Its limits: 5 MB before compression and 1,000 logs in a request; 1 MB a log. A longer log it takes, cuts and answers
//! 202, so we shorten it ourselves, and say so in it. Logs whose time is more than 18 hours ago it may not show by that
//! time.

use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Later, Limits, Message, Transport, Verdict};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::headers;
use crate::net::{Endpoint, Http, gzip};
use crate::secret::{Secret, scrubbed};
use crate::settings::{Mistake, OpenError, Receiver};

mod item;

/// Where and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Datadog {
    /// Datadog's site, from the address of its pages: `datadoghq.eu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The whole URL of the intake instead, for a proxy in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Endpoint>,
    /// An API key.
    pub api_key: Secret,
    /// The service that logs belong to.
    #[serde(default = "service")]
    pub service: String,
    /// `ddsource`, by which Datadog chooses a pipeline.
    #[serde(default = "source")]
    pub source: String,
    /// The host that logs belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Tags: `env:production`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

fn service() -> String {
    "acta-audit".to_owned()
}

fn source() -> String {
    "acta".to_owned()
}

/// Datadog's sites.
const SITES: [&str; 7] = [
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "datadoghq.eu",
    "ddog-gov.com",
];

/// Bytes of a request before compression: Datadog's own limit.
const REQUEST: usize = 5_000_000;

impl Datadog {
    fn endpoint(&self) -> Result<Endpoint, Mistake> {
        match (&self.url, self.site.as_deref()) {
            (Some(_), Some(_)) => Err(Mistake::new("/url", "must not be given with /site: it takes the site's place")),
            (Some(url), None) => Ok(url.clone()),
            (None, site) => {
                let site = site.unwrap_or(SITES[0]);
                if !SITES.contains(&site) {
                    return Err(Mistake::new("/site", format!("is no site of Datadog; there are {}", SITES.join(", "))));
                }
                Endpoint::parse(&format!("https://http-intake.logs.{site}/api/v2/logs"))
                    .map_err(|e| Mistake::new("/site", e.to_string()))
            }
        }
    }
}

impl Receiver for Datadog {
    const TYPE: &'static str = "datadog";
    const SECRETS: &'static [&'static str] = &["/api_key"];
    const PLACES: &'static [&'static str] = &["/site", "/url"];

    fn sample() -> Value {
        json!({
            "site": "datadoghq.eu",
            "url": null,
            "api_key": "0123456789abcdef0123456789abcdef",
            "service": "acta-audit",
            "source": "acta",
            "hostname": "acta.example",
            "tags": ["env:production"],
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes: Vec<Mistake> = self.endpoint().err().into_iter().collect();
        mistakes.extend(headers::credential("/api_key", &self.api_key));
        mistakes.extend(headers::word("/service", Some(&self.service)));
        mistakes.extend(headers::word("/source", Some(&self.source)));
        mistakes.extend(headers::word("/hostname", self.hostname.as_deref()));
        for (at, tag) in self.tags.iter().enumerate() {
            if tag.is_empty() || tag.len() > 200 || tag.contains(',') {
                mistakes.push(Mistake::new(format!("/tags/{at}"), "must be 1 to 200 bytes without a comma: env:production"));
            }
        }
        if self.tags.len() > 50 {
            mistakes.push(Mistake::new("/tags", "are more than 50"));
        }
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        self.url.iter().map(|url| ("/url", url.clone())).collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let endpoint = self.endpoint().map_err(|mistake| OpenError(format!("{} {}", mistake.member, mistake.text)))?;
        Ok(Arc::new(Sender { settings: self.clone(), endpoint, http: doors.http.clone(), doors: doors.clone() }))
    }
}

struct Sender {
    settings: Datadog,
    endpoint: Endpoint,
    http: Http,
    doors: Doors,
}

impl Transport for Sender {
    fn limits(&self) -> Limits {
        Limits {
            messages: 1000,
            // A body goes into a JSON string, in which its quotation marks take two bytes: at most twice as many.
            bytes: REQUEST / 2 - 100_000,
            overhead: 1024,
            message_bytes: usize::MAX,
            age: Duration::from_secs(1),
        }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let body = item::body(&self.settings, batch);
            if body.len() > REQUEST && batch.len() > 1 {
                return Answer::new(Verdict::Split, "not sent: more than 5 MB, which is more than Datadog takes");
            }
            let request = http::Request::builder()
                .method(Method::POST)
                .uri(self.endpoint.as_str())
                .header("dd-api-key", self.settings.api_key.reveal())
                .header("content-type", "application/json")
                .header("content-encoding", "gzip")
                .body(gzip(&body));
            let answer = match request {
                Err(e) => Answer::retry(format!("the request could not be made: {e}")),
                Ok(request) => match self.http.send(request).await {
                    Ok(answer) => answer.meaning(answer.usual(self.doors.now())),
                    Err(e) => Answer::retry(e.to_string()),
                },
            };
            scrubbed(answer, [self.settings.api_key.reveal()])
        })
    }
}
