//! Syslog: RFC 5424 over TLS (RFC 5425) or TCP (RFC 6587), one message for each event.
//!
//! The protocol has no acknowledgement. What it has instead is the end of a connection: who closes a socket with bytes in it that were
//! not read makes a reset of it, so a receiver that answers our end with its own has read everything. By default each batch is
//! confirmed in this way. A receiver that never closes can be served over one connection; then "delivered" means written.

mod confirm;
mod line;
mod shorten;

use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Later, Limits, Message, Transport};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::doors::Doors;
use crate::net::Endpoint;
use crate::settings::{Mistake, OpenError, Receiver};
use crate::socket::{Connector, HostName, TlsSettings};
use confirm::Line;
pub use line::Framing;
use line::Header;

/// So long may writing a batch, or waiting for the receiver's end of the connection, take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is set of a syslog receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogSettings {
    /// Where it is.
    pub host: HostName,
    /// Its port: 6514 by default, RFC 5425's.
    #[serde(default = "defaults::port")]
    pub port: u16,
    /// Without TLS: everybody on the way can read the events.
    #[serde(default)]
    pub plain: bool,
    /// Whom to trust, and who we are.
    #[serde(default)]
    pub tls: TlsSettings,
    /// How messages are told apart.
    #[serde(default)]
    pub framing: Framing,
    /// When a batch counts as delivered.
    #[serde(default)]
    pub confirm: Confirm,
    /// The facility: 13 is the audit log (RFC 5424, 6.2.1).
    #[serde(default = "defaults::facility")]
    pub facility: Facility,
    /// HOSTNAME of the messages.
    #[serde(default = "defaults::acta")]
    pub hostname: HeaderWord,
    /// APP-NAME of the messages.
    #[serde(default = "defaults::acta")]
    pub app_name: HeaderWord,
    /// The private enterprise number in the name of the structured data, `audit@32473`. This one is set aside for examples (RFC 5612);
    /// who has a number of her own sets it.
    #[serde(default = "defaults::enterprise")]
    pub enterprise: u32,
    /// The longest message in bytes. A longer one is shortened, and has the parameter `truncated` with its body's true length.
    #[serde(default = "defaults::max_bytes")]
    pub max_bytes: MaxBytes,
}

mod defaults {
    use super::{Facility, HeaderWord, MaxBytes};

    pub(super) fn port() -> u16 {
        6514
    }
    pub(super) fn facility() -> Facility {
        Facility(13)
    }
    pub(super) fn acta() -> HeaderWord {
        HeaderWord("acta".to_owned())
    }
    pub(super) fn enterprise() -> u32 {
        32_473
    }
    pub(super) fn max_bytes() -> MaxBytes {
        MaxBytes(8_192)
    }
}

/// When a batch counts as delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// When the receiver has closed the connection after we have: each batch has its own.
    #[default]
    Closed,
    /// When it is written to the socket. What was in flight when a connection broke is written again, as far as we know.
    Written,
}

/// From 0 to 23.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Facility(u8);

impl TryFrom<u8> for Facility {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Facility, &'static str> {
        if number < 24 { Ok(Facility(number)) } else { Err("must be from 0 to 23") }
    }
}

/// A word for the header: 1 to 48 printable ASCII characters without a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HeaderWord(String);

impl TryFrom<String> for HeaderWord {
    type Error = &'static str;

    fn try_from(text: String) -> Result<HeaderWord, &'static str> {
        let fits = (1..=48).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(HeaderWord(text)) } else { Err("must be 1 to 48 printable ASCII characters without spaces") }
    }
}

impl From<HeaderWord> for String {
    fn from(word: HeaderWord) -> String {
        word.0
    }
}

/// From 2,048, which every receiver should take (RFC 5424, 6.1), to a mebibyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "usize")]
pub struct MaxBytes(usize);

impl TryFrom<usize> for MaxBytes {
    type Error = &'static str;

    fn try_from(bytes: usize) -> Result<MaxBytes, &'static str> {
        if (2_048..=1 << 20).contains(&bytes) { Ok(MaxBytes(bytes)) } else { Err("must be from 2048 to 1048576") }
    }
}

impl Receiver for SyslogSettings {
    const TYPE: &'static str = "syslog";
    const SECRETS: &'static [&'static str] = &["/tls/client_key"];
    const PLACES: &'static [&'static str] = &["/host", "/port"];

    fn sample() -> Value {
        json!({
            "host": "syslog.example.com", "port": 6514, "plain": false, "tls": {}, "framing": "octet_counting", "confirm": "closed",
            "facility": 13, "hostname": "acta", "app_name": "acta", "enterprise": 32_473, "max_bytes": 8_192,
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        self.tls.mistakes()
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        self.host.endpoint(self.port).map(|at| ("/host", at)).into_iter().collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let connector = Connector::new(&doors.dial, (!self.plain).then_some(&self.tls))?;
        let line = Line::new(connector, self.host.as_str().to_owned(), self.port, self.confirm, PATIENCE);
        Ok(Arc::new(Syslog { header: self.header(std::process::id()), max: self.max_bytes.0, line: Mutex::new(line) }))
    }
}

impl SyslogSettings {
    fn header(&self, process: u32) -> Header {
        Header {
            facility: self.facility.0,
            hostname: self.hostname.0.clone(),
            app_name: self.app_name.0.clone(),
            process: process.to_string(),
            enterprise: self.enterprise,
            framing: self.framing,
        }
    }
}

struct Syslog {
    header: Header,
    max: usize,
    line: Mutex<Line>,
}

impl Transport for Syslog {
    fn limits(&self) -> Limits {
        Limits { messages: 1_000, bytes: 1 << 20, overhead: 512, message_bytes: usize::MAX, age: Duration::from_secs(1) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut bytes = Vec::new();
            for message in batch {
                self.header.write(message, self.max, &mut bytes);
            }
            let many = if batch.len() == 1 { "1 message".to_owned() } else { format!("{} messages", batch.len()) };
            match self.line.lock().await.send(bytes.into()).await {
                Ok(told) => Answer::delivered(format!("{many} {told}")),
                Err(told) => Answer::retry(told),
            }
        })
    }
}
