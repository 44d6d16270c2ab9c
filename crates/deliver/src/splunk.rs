//! Splunk: the HTTP Event Collector, with and without acknowledgement by the indexers.
//!
//! A batch is JSON objects one after the other. If Splunk dislikes one, those before it are indexed already and it says
//! which one it is, so the rest is sent again without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use follow::{Answer, Later, Limits, Message, Transport, Verdict};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Doors;
use crate::headers;
use crate::net::{Endpoint, Http, HttpAnswer, NetError, gzip};
use crate::secret::{Secret, scrubbed};
use crate::settings::{Mistake, OpenError, Receiver};

mod answer;
mod envelope;

use answer::Said;

/// Where and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splunk {
    /// The collector: `https://splunk.example:8088`, with or without its path.
    pub url: Endpoint,
    /// The token.
    pub token: Secret,
    /// The index, if it is not the token's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// `host` of the events.
    #[serde(default = "acta")]
    pub host: String,
    /// `source` of the events.
    #[serde(default = "acta")]
    pub source: String,
    /// `sourcetype` of the events.
    #[serde(default = "source_type")]
    pub sourcetype: String,
    /// Wait until the indexers have written a batch. The token must have acknowledgement switched on; Splunk Cloud has none.
    #[serde(default)]
    pub acknowledge: bool,
    /// Seconds that an acknowledgement may take. Then the batch is sent again.
    #[serde(default = "within")]
    pub acknowledge_within: u32,
    /// Bytes of a request before compression. Splunk Cloud takes 1 MB; Splunk Enterprise as much as it is set to.
    #[serde(default = "bytes")]
    pub max_bytes: u32,
    /// Certificates, as PEM, to trust besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

fn acta() -> String {
    "acta".to_owned()
}

fn source_type() -> String {
    "acta:audit".to_owned()
}

/// Splunk tells of an acknowledgement once and forgets it: if that answer is lost, there is nothing to wait for.
fn within() -> u32 {
    300
}

fn bytes() -> u32 {
    900_000
}

/// The first wait before asking; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Splunk {
    /// The collector's own URL, without the path of its endpoints.
    fn collector(&self) -> Endpoint {
        self.url.without(&["services", "collector", "event"])
    }
}

impl Receiver for Splunk {
    const TYPE: &'static str = "splunk";
    const SECRETS: &'static [&'static str] = &["/token"];
    const PLACES: &'static [&'static str] = &["/url"];

    fn sample() -> Value {
        json!({
            "url": "https://splunk.example:8088",
            "token": "b0221cd8-c4b4-465a-9a3c-273e3a75aa29",
            "index": "audit",
            "host": "acta",
            "source": "acta",
            "sourcetype": "acta:audit",
            "acknowledge": false,
            "acknowledge_within": 300,
            "max_bytes": 900_000,
            "ca": null,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes: Vec<Mistake> = headers::credential("/token", &self.token).into_iter().collect();
        let words = [
            ("/index", self.index.as_deref()),
            ("/host", Some(self.host.as_str())),
            ("/source", Some(self.source.as_str())),
            ("/sourcetype", Some(self.sourcetype.as_str())),
        ];
        mistakes.extend(words.into_iter().filter_map(|(member, text)| headers::word(member, text)));
        if !(1..=3600).contains(&self.acknowledge_within) {
            mistakes.push(Mistake::new("/acknowledge_within", "must be from 1 to 3600 seconds"));
        }
        if !(10_000..=100_000_000).contains(&self.max_bytes) {
            mistakes.push(Mistake::new("/max_bytes", "must be from 10000 to 100000000"));
        }
        mistakes.extend(crate::net::tls::mistake("/ca", self.ca.as_deref()));
        mistakes
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        vec![("/url", self.url.clone())]
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        Ok(Arc::new(Sender {
            events: self.collector().below("services/collector/event"),
            channel: doors.uuid(),
            acknowledges: AtomicBool::new(false),
            http: doors.http.trusting(self.ca.as_deref())?,
            doors: doors.clone(),
            settings: self.clone(),
        }))
    }
}

struct Sender {
    settings: Splunk,
    events: Endpoint,
    /// Splunk counts acknowledgements by channel; ours is new with each start.
    channel: String,
    /// Whether we know by now that the token has acknowledgement switched on.
    acknowledges: AtomicBool,
    http: Http,
    doors: Doors,
}

impl Transport for Sender {
    fn limits(&self) -> Limits {
        let bytes = usize::try_from(self.settings.max_bytes).unwrap_or(usize::MAX);
        // A body that is no JSON goes into a string, where it takes up to twice its bytes: what is too large then is split.
        Limits { messages: 1000, bytes, overhead: 1600, message_bytes: bytes - 1600, age: Duration::from_secs(1) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let answer = self.sent(batch).await.unwrap_or_else(|answer| answer);
            scrubbed(answer, [self.settings.token.reveal()])
        })
    }
}

impl Sender {
    /// `Err`: the answer, too, when there was no way on.
    async fn sent(&self, batch: &[Message]) -> Result<Answer, Answer> {
        let acknowledge = self.settings.acknowledge;
        if acknowledge && !self.acknowledges.load(Ordering::Relaxed) {
            self.token_acknowledges().await?;
        }
        let body = envelope::body(&self.settings, batch);
        let answer = self.post(&self.events, gzip(&body), true).await.map_err(failed)?;
        let said = Said::of(&answer);
        match (answer.status.is_success(), said.ack_id) {
            (true, Some(id)) if acknowledge => Ok(self.acknowledged(id, &answer).await),
            _ => Ok(answer.meaning(said.verdict(&answer, batch.len(), acknowledge, self.doors.now()))),
        }
    }

    async fn post(&self, to: &Endpoint, body: Bytes, gzipped: bool) -> Result<HttpAnswer, NetError> {
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(to.as_str())
            .header("authorization", format!("Splunk {}", self.settings.token.reveal()))
            .header("x-splunk-request-channel", &self.channel)
            .header("content-type", "application/json");
        if gzipped {
            request = request.header("content-encoding", "gzip");
        }
        let request = request.body(body).map_err(|e| NetError::Http { host: to.origin(), why: e.to_string() })?;
        self.http.send(request).await
    }

    async fn ask(&self, id: u64) -> Result<HttpAnswer, NetError> {
        let to = self.settings.collector().below("services/collector/ack").with_query("channel", &self.channel);
        self.post(&to, Bytes::from(json!({"acks": [id]}).to_string()), false).await
    }

    /// Asked before the first batch: without acknowledgement each repetition would be indexed once more, for ever.
    async fn token_acknowledges(&self) -> Result<(), Answer> {
        let answer = self.ask(0).await.map_err(failed)?;
        if answer.status.is_success() {
            self.acknowledges.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let raw = format!("nothing was sent: asked whether the token acknowledges, Splunk said {}", answer.raw());
        Err(Answer::new(answer.retry(self.doors.now()), raw))
    }

    /// Asks until the indexers have it.
    async fn acknowledged(&self, id: u64, sent: &HttpAnswer) -> Answer {
        let asking = async {
            let mut wait = FIRST_WAIT;
            loop {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
                // An answer that is lost or says that Splunk is busy is asked for again: the batch itself was taken.
                let Ok(answer) = self.ask(id).await else { continue };
                if answer.json().is_some_and(|said| said["acks"][id.to_string()] == true) {
                    return Answer::delivered(format!("{}; acknowledged: {}", sent.raw(), answer.raw()));
                }
            }
        };
        let within = self.settings.acknowledge_within;
        let late = || Answer::retry(format!("{}; not acknowledged by the indexers within {within} s", sent.raw()));
        tokio::time::timeout(Duration::from_secs(u64::from(within)), asking).await.unwrap_or_else(|_| late())
    }
}

fn failed(error: NetError) -> Answer {
    Answer::new(Verdict::Retry { after: None }, error.to_string())
}
