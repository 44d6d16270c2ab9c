//! Apache Kafka, and what speaks its protocol: one record for each event, acknowledged by all replicas.
//!
//! A small producer of our own: every broker that the cluster names is connected to by [`crate::net`] like any other address, which
//! client libraries do not let us do. The key is the organization, hashed as other producers do, so that its events stay in order in
//! one partition. A batch whose answer is lost is sent again: readers tell duplicates by the header `event-id`.

mod batch;
mod cluster;
mod protocol;
mod sasl;
mod scram;

use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Later, Limits, Message, Transport, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::doors::Doors;
use crate::net::Endpoint;
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};
use crate::socket::{Connector, HostName, TlsSettings};
use batch::Records;
use cluster::Cluster;

/// What is set of a Kafka cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// Brokers that are asked for the others.
    pub brokers: Brokers,
    /// Where the records go.
    pub topic: Topic,
    /// Without TLS: everybody on the way can read the events.
    #[serde(default)]
    pub plain: bool,
    /// Whom to trust, and who we are.
    #[serde(default)]
    pub tls: TlsSettings,
    /// The user, if the cluster wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sasl: Option<Sasl>,
    /// Whether the topic is made if there is none, where the cluster does that.
    #[serde(default)]
    pub create_topic: bool,
    /// Whether batches are packed with gzip.
    #[serde(default = "defaults::compress")]
    pub compress: bool,
    /// The largest batch in bytes: the cluster's `message.max.bytes`, or the topic's `max.message.bytes`.
    #[serde(default = "defaults::max_bytes")]
    pub max_bytes: MaxBytes,
}

mod defaults {
    use super::MaxBytes;

    pub(super) fn compress() -> bool {
        true
    }
    pub(super) fn max_bytes() -> MaxBytes {
        MaxBytes(1_000_000)
    }
}

/// A user of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sasl {
    /// How the password is shown to be known.
    pub mechanism: Mechanism,
    /// Who we are.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// How a password is shown to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mechanism {
    /// It is sent as it is (RFC 4616); only with TLS.
    #[serde(rename = "PLAIN")]
    Plain,
    /// It is not sent (RFC 7677).
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// The same with a longer hash.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

/// One to twenty brokers, `host:port` each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Brokers(Vec<(HostName, u16)>);

impl TryFrom<Vec<String>> for Brokers {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Brokers, String> {
        if !(1..=20).contains(&texts.len()) {
            return Err("must be 1 to 20 brokers".to_owned());
        }
        let read = |text: &String| {
            let (host, port) = text.rsplit_once(':')?;
            let port: u16 = port.parse().ok()?;
            let host = HostName::try_from(host.to_owned()).ok()?;
            (port > 0).then_some((host, port))
        };
        let brokers = texts.iter().map(|text| read(text).ok_or_else(|| format!("{text:?} is not of the form host:port")));
        Ok(Brokers(brokers.collect::<Result<_, _>>()?))
    }
}

impl From<Brokers> for Vec<String> {
    fn from(brokers: Brokers) -> Vec<String> {
        let shown = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        brokers.0.into_iter().map(|(host, port)| format!("{}:{port}", shown(host.as_str()))).collect()
    }
}

/// 1 to 249 letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic(String);

impl TryFrom<String> for Topic {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Topic, &'static str> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let fits = (1..=249).contains(&name.len()) && name.chars().all(plain) && name != "." && name != "..";
        if fits { Ok(Topic(name)) } else { Err("must be 1 to 249 letters, digits, `.`, `_` and `-`") }
    }
}

impl From<Topic> for String {
    fn from(topic: Topic) -> String {
        topic.0
    }
}

/// From 10,000 to 100,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "usize")]
pub struct MaxBytes(usize);

impl TryFrom<usize> for MaxBytes {
    type Error = &'static str;

    fn try_from(bytes: usize) -> Result<MaxBytes, &'static str> {
        if (10_000..=100_000_000).contains(&bytes) { Ok(MaxBytes(bytes)) } else { Err("must be from 10000 to 100000000") }
    }
}

impl Receiver for KafkaSettings {
    const TYPE: &'static str = "kafka";
    const SECRETS: &'static [&'static str] = &["/sasl/password", "/tls/client_key"];
    const PLACES: &'static [&'static str] = &["/brokers", "/plain", "/tls/ca", "/tls/server_name"];

    fn sample() -> Value {
        json!({
            "brokers": ["kafka.example.com:9093"], "topic": "audit", "plain": false, "tls": {},
            "sasl": {"mechanism": "SCRAM-SHA-512", "user": "acta", "password": "…"},
            "create_topic": false, "compress": true, "max_bytes": 1_000_000,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut found = self.tls.mistakes();
        if self.plain && self.sasl.as_ref().is_some_and(|sasl| sasl.mechanism == Mechanism::Plain) {
            let text = "PLAIN sends the password as it is and needs TLS; SCRAM-SHA-256 and SCRAM-SHA-512 do without";
            found.push(Mistake::new("/sasl/mechanism", text));
        }
        found
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        self.brokers.0.iter().filter_map(|(host, port)| Some(("/brokers", host.endpoint(*port)?))).collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let connector = Connector::new(&doors.dial, (!self.plain).then_some(&self.tls))?;
        let cluster = Cluster::new(self.clone(), connector, Arc::clone(&doors.chance));
        Ok(Arc::new(Kafka { compress: self.compress, max: self.max_bytes.0, cluster: Mutex::new(cluster) }))
    }
}

struct Kafka {
    compress: bool,
    max: usize,
    cluster: Mutex<Cluster>,
}

impl Transport for Kafka {
    fn limits(&self) -> Limits {
        let overhead = batch::OVERHEAD;
        let bytes = self.max - batch::HEADER;
        Limits { messages: 5_000, bytes, overhead, message_bytes: bytes - overhead, age: Duration::from_millis(500) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut cluster = self.cluster.lock().await;
            let mut told = Answer::delivered("");
            // One organization as a rule. Those of several go one after the other; what follows a failure comes again with it.
            for part in batch.chunk_by(|one, other| one.recorded.organization == other.recorded.organization) {
                let Some(records) = Records::of(part, self.compress) else { continue };
                told = cluster.produce(&records).await;
                if told.verdict != Verdict::Delivered {
                    break;
                }
            }
            told
        })
    }
}
