//! One connection to a NATS server: signing in, publishing, and waiting for the stream's acknowledgements.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use follow::{Chance, Fate};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::User;
use super::frame::{Frame, next};
use super::nkey::Seed;
use crate::socket::{Connector, Pulse, Socket, feel};

/// So long may a batch take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where to, and as whom.
pub(super) struct Place {
    pub(super) connector: Connector,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: User,
    pub(super) seed: Option<Seed>,
}

/// What the server says of itself, as far as we want to know.
#[derive(Debug, Deserialize)]
struct Info {
    #[serde(default)]
    tls_required: bool,
    #[serde(default)]
    tls_available: bool,
    #[serde(default)]
    headers: bool,
    max_payload: usize,
    nonce: Option<String>,
}

/// What a stream answers.
#[derive(Debug, Deserialize)]
struct Acknowledgement {
    stream: Option<String>,
    seq: Option<u64>,
    error: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    code: u16,
    #[serde(default)]
    description: String,
}

/// A connection that has been signed in on, with a subject of its own for answers.
pub(super) struct Connection {
    socket: BufReader<Socket>,
    name: String,
    max_payload: usize,
    inbox: String,
    /// Messages published so far: each answer is known by the number of what it answers.
    published: u64,
}

impl Connection {
    /// Connects and signs in.
    pub(super) async fn open(place: &Place, chance: &dyn Chance) -> Result<Connection, String> {
        let name = format!("{}:{}", place.host, place.port);
        let socket = place.connector.plain(&place.host, place.port).await.map_err(|e| e.to_string())?;
        let work = Connection::greeted(socket, place, &name, chance);
        match timeout(PATIENCE, work).await {
            Ok(done) => done,
            Err(_) => Err(late(&name)),
        }
    }

    async fn greeted(socket: Socket, place: &Place, name: &str, chance: &dyn Chance) -> Result<Connection, String> {
        let told = |e: std::io::Error| format!("{name}: {e}");
        // The server speaks first, in the clear. It says nothing more before we have answered, so nothing is left in the buffer.
        let mut socket = BufReader::new(socket);
        let info = match next(&mut socket).await.map_err(told)? {
            Frame::Info(text) => {
                serde_json::from_str::<Info>(&text).map_err(|e| format!("{name}: its INFO cannot be read: {e}"))?
            }
            Frame::Error(text) => return Err(format!("{name}: {text}")),
            _ => return Err(format!("{name} does not speak the NATS protocol")),
        };
        match (place.connector.is_encrypted(), info.tls_required, info.tls_available) {
            (false, true, _) => return Err(format!("{name} wants TLS, which the settings turn off")),
            (true, false, false) => return Err(format!("{name} has no TLS")),
            _ => {}
        }
        if !info.headers {
            return Err(format!("{name} knows no headers; NATS 2.2 or later is needed"));
        }
        let socket =
            place.connector.upgrade(socket.into_inner(), &place.host, place.port).await.map_err(|e| e.to_string())?;
        let mut random = [0; 16];
        chance.fill(&mut random);
        let inbox = format!("_INBOX.{}", URL_SAFE_NO_PAD.encode(random).replace('-', "x"));
        let mut connection = Connection {
            socket: BufReader::new(socket),
            name: name.to_owned(),
            max_payload: info.max_payload,
            inbox,
            published: 0,
        };
        let hello = connect(place, info.nonce.as_deref());
        let hello = format!("CONNECT {hello}\r\nSUB {}.* 1\r\nPING\r\n", connection.inbox);
        connection.write(hello.as_bytes()).await?;
        loop {
            match next(&mut connection.socket).await.map_err(told)? {
                Frame::Pong => return Ok(connection),
                Frame::Error(text) => return Err(format!("{name}: {text}")),
                Frame::Ping => connection.write(b"PONG\r\n").await?,
                Frame::Info(_) | Frame::Ok | Frame::Message { .. } => {}
            }
        }
    }

    /// Whether the server is still there. It asks that of us, too, from time to time.
    pub(super) async fn is_alive(&mut self) -> bool {
        let work = async {
            // What it said while we had nothing to send: PING. All of it is thrown away; ours is answered after it.
            if !matches!(feel(self.socket.get_mut()).await, Pulse::Alive) {
                return false;
            }
            if self.write(b"PONG\r\nPING\r\n").await.is_err() {
                return false;
            }
            loop {
                match next(&mut self.socket).await {
                    Ok(Frame::Pong) => return true,
                    Ok(Frame::Ping | Frame::Info(_) | Frame::Ok | Frame::Message { .. }) => {}
                    Ok(Frame::Error(_)) | Err(_) => return false,
                }
            }
        };
        timeout(PATIENCE, work).await.unwrap_or(false)
    }

    /// Publishes all of it (subject, id, body) and waits for each acknowledgement: what became of each, and what was said.
    pub(super) async fn publish(&mut self, messages: &[(String, String, &Bytes)]) -> Result<(Vec<Fate>, String), String> {
        match timeout(PATIENCE, self.published(messages)).await {
            Ok(done) => done,
            Err(_) => Err(late(&self.name)),
        }
    }

    async fn published(&mut self, messages: &[(String, String, &Bytes)]) -> Result<(Vec<Fate>, String), String> {
        let first = self.published;
        let mut waiting = 0_usize;
        let mut fates = vec![Fate::Retry; messages.len()];
        let mut bytes = Vec::new();
        for ((subject, id, body), fate) in messages.iter().zip(&mut fates) {
            let number = self.published;
            self.published += 1;
            let headers = format!("NATS/1.0\r\nNats-Msg-Id: {id}\r\n\r\n");
            let total = headers.len() + body.len();
            if total > self.max_payload {
                *fate = Fate::Poison(format!(
                    "{total} bytes are more than the server takes: max_payload is {}",
                    self.max_payload
                ));
                continue;
            }
            waiting += 1;
            bytes.extend_from_slice(
                format!("HPUB {subject} {}.{number} {} {total}\r\n{headers}", self.inbox, headers.len()).as_bytes(),
            );
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(b"\r\n");
        }
        self.write(&bytes).await?;
        let mut told = Told::default();
        while waiting > 0 {
            match next(&mut self.socket).await.map_err(|e| format!("{}: {e}", self.name))? {
                Frame::Ping => self.write(b"PONG\r\n").await?,
                Frame::Error(text) => return Err(format!("{}: {text}", self.name)),
                Frame::Info(_) | Frame::Ok | Frame::Pong => {}
                Frame::Message { subject, status, payload } => {
                    let number = subject.rsplit('.').next().and_then(|text| text.parse::<u64>().ok());
                    let place = number.and_then(|number| number.checked_sub(first)).and_then(|at| usize::try_from(at).ok());
                    let Some(fate) = place.and_then(|at| fates.get_mut(at)) else { continue };
                    *fate = told.fate(status.as_deref(), &payload);
                    waiting -= 1;
                }
            }
        }
        Ok((fates, format!("{}: {told}", self.name)))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let work = async {
            self.socket.get_mut().write_all(bytes).await?;
            self.socket.get_mut().flush().await
        };
        work.await.map_err(|e| format!("the connection to {} broke: {e}", self.name))
    }
}

fn late(name: &str) -> String {
    format!("{name} did not answer within {} s", PATIENCE.as_secs())
}

/// The JSON of CONNECT.
fn connect(place: &Place, nonce: Option<&str>) -> serde_json::Value {
    let user = &place.user;
    let mut hello = json!({
        "verbose": false, "pedantic": false, "tls_required": place.connector.is_encrypted(), "name": "acta", "lang": "rust",
        "version": env!("CARGO_PKG_VERSION"), "protocol": 1, "echo": false, "headers": true, "no_responders": true,
    });
    let reveal = |secret: &Option<crate::secret::Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
    let mut set = |name: &str, value: Option<String>| {
        if let (Some(value), Some(members)) = (value, hello.as_object_mut()) {
            members.insert(name.to_owned(), value.into());
        }
    };
    set("user", user.name.clone());
    set("pass", reveal(&user.password));
    set("auth_token", reveal(&user.token));
    set("jwt", reveal(&user.jwt));
    if let Some(seed) = &place.seed {
        // With a JWT, the server finds the key in it.
        set("nkey", user.jwt.is_none().then(|| seed.public()));
        set("sig", nonce.map(|nonce| seed.sign(nonce.as_bytes())));
    }
    hello
}

/// What the stream said, in short.
#[derive(Debug, Default)]
struct Told {
    kept: usize,
    last: Option<(String, u64)>,
    refusal: Option<String>,
}

impl Told {
    fn fate(&mut self, status: Option<&str>, payload: &[u8]) -> Fate {
        if let Some(status) = status {
            let status = if status.starts_with("503") { "no stream takes this subject (503)" } else { status };
            self.refusal = Some(status.to_owned());
            return Fate::Retry;
        }
        match serde_json::from_slice::<Acknowledgement>(payload) {
            Ok(Acknowledgement { error: Some(Refusal { code, description }), .. }) => {
                let told = format!("{description} ({code})");
                self.refusal = Some(told.clone());
                // 400 is said of the message itself; all else is the stream's state, which passes.
                if code == 400 { Fate::Poison(told) } else { Fate::Retry }
            }
            Ok(Acknowledgement { stream: Some(stream), seq: Some(seq), .. }) => {
                self.kept += 1;
                self.last = Some((stream, seq));
                Fate::Delivered
            }
            _ => {
                self.refusal = Some("what answered is no stream of JetStream".to_owned());
                Fate::Retry
            }
        }
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} kept", self.kept)?;
        if let Some((stream, seq)) = &self.last {
            write!(f, " in stream {stream}, the last with number {seq}")?;
        }
        match &self.refusal {
            Some(refusal) => write!(f, "; {refusal}"),
            None => Ok(()),
        }
    }
}
