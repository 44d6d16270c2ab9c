//! Microsoft Sentinel, by the Logs Ingestion API of Azure Monitor.
//!
//! The table is an administrator's to make: [`table`] and [`collection_rule`] are what to make it with. It drops no repeats,
//! so queries take one row for each `EventId`.

use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Later, Limits, Message, Transport, Verdict};
use http::StatusCode;
use record::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::net::{Endpoint, HttpAnswer, NetError, gzip};
use crate::oauth::Tokens;
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};

mod row;
mod rule;

pub use rule::{collection_rule, table};

/// Bytes of a request, compressed or not.
const BYTES: usize = 1_000_000;
/// The columns beside the event itself.
const OVERHEAD: usize = 1_000;

/// A stream of a data collection rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentinel {
    /// The logs ingestion URL of the data collection endpoint or rule.
    pub endpoint: Endpoint,
    /// The rule's immutable id: `dcr-…`.
    pub rule_id: String,
    /// The stream that the rule declares.
    #[serde(default = "stream")]
    pub stream: String,
    /// The directory (tenant), by id or domain.
    pub tenant: String,
    /// The application's (client's) id. It needs the role "Monitoring Metrics Publisher" on the rule.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Secret,
    /// Which of Microsoft's clouds.
    #[serde(default)]
    pub cloud: Cloud,
    /// Who gives tokens, if not the cloud's own: its URL without the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Endpoint>,
}

fn stream() -> String {
    rule::STREAM.to_owned()
}

/// Microsoft's clouds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    /// The one for everybody.
    #[default]
    Public,
    /// The United States' government's.
    UsGovernment,
    /// China's, by 21Vianet.
    China,
}

impl Cloud {
    fn authority(self) -> &'static str {
        match self {
            Cloud::Public => "https://login.microsoftonline.com",
            Cloud::UsGovernment => "https://login.microsoftonline.us",
            Cloud::China => "https://login.chinacloudapi.cn",
        }
    }

    fn scope(self) -> &'static str {
        match self {
            Cloud::Public => "https://monitor.azure.com/.default",
            Cloud::UsGovernment => "https://monitor.azure.us/.default",
            Cloud::China => "https://monitor.azure.cn/.default",
        }
    }
}

impl Sentinel {
    fn token_url(&self) -> Option<Endpoint> {
        let own = || Endpoint::parse(self.cloud.authority()).ok();
        let authority = self.authority.clone().or_else(own)?;
        Some(authority.below(&format!("{}/oauth2/v2.0/token", self.tenant)))
    }
}

impl Receiver for Sentinel {
    const TYPE: &'static str = "sentinel";
    const SECRETS: &'static [&'static str] = &["/client_secret"];
    const PLACES: &'static [&'static str] = &["/endpoint", "/authority", "/tenant"];

    fn sample() -> Value {
        json!({
            "endpoint": "https://acme-audit-a1b2.westeurope-1.ingest.monitor.azure.com/",
            "rule_id": "dcr-00000000000000000000000000000000",
            "stream": stream(),
            "tenant": "0e1d2c3b-4a59-4687-9786-a5b4c3d2e1f0",
            "client_id": "7b0c9d8e-1f2a-4b3c-8d4e-5f6a7b8c9d0e",
            "client_secret": "Abc8Q~dEf-GhI",
            "cloud": "public",
            "authority": "https://login.microsoftonline.com/",
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        // They become parts of a path.
        let word = |text: &str| {
            (1..=200).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
                && text != ".."
        };
        let mut mistakes = Vec::new();
        if !word(&self.rule_id) || !self.rule_id.starts_with("dcr-") {
            mistakes.push(Mistake::new("/rule_id", "is the rule's immutable id, which begins with dcr-"));
        }
        if !word(&self.stream) || !self.stream.starts_with("Custom-") {
            mistakes.push(Mistake::new("/stream", format!("is a stream of the rule such as {}", rule::STREAM)));
        }
        if !word(&self.tenant) {
            mistakes.push(Mistake::new("/tenant", "is a tenant's id or domain"));
        }
        if !word(&self.client_id) {
            mistakes.push(Mistake::new("/client_id", "is an application's id"));
        }
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        let token = self.token_url().map(|at| ("/authority", at));
        std::iter::once(("/endpoint", self.endpoint.clone())).chain(token).collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let token_url = self.token_url().ok_or_else(|| OpenError("nobody is known who gives tokens".to_owned()))?;
        let tokens = Tokens::for_client(doors, token_url, &self.client_id, self.client_secret.clone(), self.cloud.scope());
        let url = self
            .endpoint
            .below(&format!("dataCollectionRules/{}/streams/{}", self.rule_id, self.stream))
            .with_query("api-version", "2023-01-01");
        Ok(Arc::new(Stream { tokens, doors: doors.clone(), url }))
    }
}

/// The way there.
struct Stream {
    tokens: Tokens,
    doors: Doors,
    url: Endpoint,
}

impl Transport for Stream {
    fn limits(&self) -> Limits {
        Limits {
            messages: 5_000,
            bytes: BYTES,
            overhead: OVERHEAD,
            // A longer one is shortened, and says so.
            message_bytes: usize::MAX,
            age: Duration::from_secs(5),
        }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let body = row::rows(batch);
            // Quotes in a text format take more room here than there.
            if body.len() > BYTES {
                return Answer::new(Verdict::Split, format!("not sent: {} bytes are more than {BYTES}", body.len()));
            }
            let (body, id) = (gzip(&body), self.doors.uuid());
            let request = || {
                http::Request::post(self.url.as_str())
                    .header("content-type", "application/json")
                    .header("content-encoding", "gzip")
                    .header("x-ms-client-request-id", &id)
                    .body(body.clone())
                    .map_err(|e| NetError::Material(e.to_string()))
            };
            match self.tokens.send(&self.doors.http, request).await {
                Ok(answer) => answer.meaning(meaning(&answer, self.doors.now())),
                Err(answer) => answer,
            }
        })
    }
}

fn meaning(answer: &HttpAnswer, now: Timestamp) -> Verdict {
    // A stream that the rule does not declare is no fault of the events, which wait until it does.
    let code = answer.json().and_then(|said| said.pointer("/error/code")?.as_str().map(str::to_owned));
    if answer.status == StatusCode::BAD_REQUEST && code.is_some_and(|code| code.contains("Stream")) {
        return answer.retry(now);
    }
    answer.usual(now)
}
