//! NATS JetStream: one message for each event, acknowledged by the stream that keeps it.
//!
//! A small publisher of our own, so that the address is reached by [`crate::net`] like any other and no server that the cluster names
//! is connected to behind its back. `Nats-Msg-Id` lets the server recognise what is sent again within the stream's time for that.

mod connection;
mod frame;
mod nkey;

use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Fate, Later, Limits, Message, Transport, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::doors::Doors;
use crate::net::Endpoint;
use crate::secret::Secret;
use crate::settings::{Mistake, OpenError, Receiver};
use crate::socket::{Connector, HostName, TlsSettings};
use connection::{Connection, Place};
use nkey::{BadSeed, Seed};

/// What is set of a NATS server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsSettings {
    /// Where it is.
    pub host: HostName,
    /// Its port.
    #[serde(default = "defaults::port")]
    pub port: u16,
    /// Without TLS: everybody on the way can read the events.
    #[serde(default)]
    pub plain: bool,
    /// Whom to trust, and who we are.
    #[serde(default)]
    pub tls: TlsSettings,
    /// The subject, which a stream must take. `{organization}` in it is the organization's number, `{action}` the event's action.
    pub subject: Subject,
    /// Who we are to the server, if it wants to know.
    #[serde(default)]
    pub user: User,
}

mod defaults {
    pub(super) fn port() -> u16 {
        4222
    }
}

/// Who we are to the server. At most one way of saying it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// A name, with its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// A token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// A user's seed, `SU…`, alone or with its JWT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Secret>,
    /// The user's JWT, from her `.creds` file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Secret>,
}

/// A subject to publish to: words with dots in between, no wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(String);

impl TryFrom<String> for Subject {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Subject, &'static str> {
        let plain = text.replace("{organization}", "0").replace("{action}", "0");
        let word =
            |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/'));
        if text.len() <= 200 && plain.split('.').all(word) {
            Ok(Subject(text))
        } else {
            Err("must be words of letters, digits, `-`, `_`, `/`, `{organization}` or `{action}` with dots between them")
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> String {
        subject.0
    }
}

impl Subject {
    fn of(&self, message: &Message) -> String {
        let organization = message.recorded.organization.to_string();
        // A dot in an action would make words of it that the subscriber does not expect.
        let action = message.recorded.event.action.as_str().replace('.', "_");
        self.0.replace("{organization}", &organization).replace("{action}", &action)
    }
}

impl Receiver for NatsSettings {
    const TYPE: &'static str = "nats";
    const SECRETS: &'static [&'static str] =
        &["/user/password", "/user/token", "/user/seed", "/user/jwt", "/tls/client_key"];
    const PLACES: &'static [&'static str] = &["/host", "/port", "/plain", "/tls/ca", "/tls/server_name"];

    fn sample() -> Value {
        json!({
            "host": "nats.example.com", "port": 4222, "plain": false, "tls": {}, "subject": "audit.{organization}",
            "user": {"name": "acta", "password": "…"},
        })
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut found = self.tls.mistakes();
        let User { name, password, token, seed, jwt } = &self.user;
        if name.is_some() != password.is_some() {
            found.push(Mistake::new("/user", "must have both a name and a password, or neither"));
        }
        if jwt.is_some() && seed.is_none() {
            found.push(Mistake::new("/user/seed", "must be given with a JWT"));
        }
        if [name.is_some(), token.is_some(), seed.is_some()].into_iter().filter(|way| *way).count() > 1 {
            found.push(Mistake::new(
                "/user",
                "must be a name with its password, or a token, or a seed with or without its JWT",
            ));
        }
        if self.plain && (name.is_some() || token.is_some()) {
            found.push(Mistake::new("/plain", "must be false with a password or a token, which are sent as they are"));
        }
        if seed.as_ref().is_some_and(|seed| Seed::parse(seed.reveal()).is_err()) {
            found.push(Mistake::new("/user/seed", BadSeed.to_string()));
        }
        found
    }

    fn endpoints(&self) -> Vec<(&'static str, Endpoint)> {
        self.host.endpoint(self.port).map(|at| ("/host", at)).into_iter().collect()
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let seed = self.user.seed.as_ref().map(|seed| Seed::parse(seed.reveal())).transpose();
        let seed = seed.map_err(|e| OpenError(e.to_string()))?;
        let connector = Connector::new(&doors.dial, (!self.plain).then_some(&self.tls))?;
        let place = Place { connector, host: self.host.as_str().to_owned(), port: self.port, user: self.user.clone(), seed };
        let chance = Arc::clone(&doors.chance);
        Ok(Arc::new(Nats { subject: self.subject.clone(), place, chance, kept: Mutex::new(None) }))
    }
}

struct Nats {
    subject: Subject,
    place: Place,
    chance: Arc<dyn follow::Chance>,
    kept: Mutex<Option<Connection>>,
}

impl Transport for Nats {
    fn limits(&self) -> Limits {
        // How long a message may be, the server says when we connect.
        Limits { messages: 500, bytes: 8 << 20, overhead: 512, message_bytes: usize::MAX, age: Duration::from_millis(500) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut kept = self.kept.lock().await;
            // Taken out: what is given up on the way leaves no connection behind on which answers are still to come.
            let connection = match kept.take() {
                Some(mut connection) => connection.is_alive().await.then_some(connection),
                None => None,
            };
            let connection = match connection {
                Some(connection) => Ok(connection),
                None => Connection::open(&self.place, &*self.chance).await,
            };
            let mut connection = match connection {
                Ok(connection) => connection,
                Err(e) => return Answer::retry(e),
            };
            let messages: Vec<_> = batch.iter().map(|one| (self.subject.of(one), one.key(), &one.body)).collect();
            match connection.publish(&messages).await {
                Err(e) => Answer::retry(e),
                Ok((fates, told)) => {
                    *kept = Some(connection);
                    let all = fates.iter().all(|fate| *fate == Fate::Delivered);
                    Answer::new(if all { Verdict::Delivered } else { Verdict::Each(fates) }, told)
                }
            }
        })
    }
}
