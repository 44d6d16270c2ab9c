//! Connections of receivers that do not speak HTTP, with TLS or without, all made by [`Dial`].

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;

use rustls::ClientConfig;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;

use crate::net::{ClientIdentity, Dial, Endpoint, NetError, TlsOptions};
use crate::secret::Secret;
use crate::settings::Mistake;

/// What is set of TLS: whom to trust, and who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// Certificates, as PEM, of authorities that are trusted besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The name in the receiver's certificate, if it is not the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Our certificate and those between it and its authority, as PEM, if the receiver wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
    /// The key of our certificate, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<Secret>,
}

impl TlsSettings {
    /// What is wrong, with `/tls` as the place of these settings.
    pub(crate) fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        match (&self.client_certificate, &self.client_key) {
            (Some(_), None) => found.push(Mistake::new("/tls/client_key", "must be given with a client certificate")),
            (None, Some(_)) => found.push(Mistake::new("/tls/client_certificate", "must be given with a client key")),
            _ => {}
        }
        found
    }

    fn options(&self) -> Result<TlsOptions, NetError> {
        let client = match (&self.client_certificate, &self.client_key) {
            (None, None) => None,
            (Some(certificates), Some(key)) => Some(ClientIdentity { certificates: certificates.clone(), key: key.clone() }),
            _ => {
                return Err(NetError::Material(
                    "a client certificate needs its key, and the key its certificate".to_owned(),
                ));
            }
        };
        Ok(TlsOptions { roots: self.ca.clone(), server_name: self.server_name.clone(), client, alpn: Vec::new() })
    }
}

/// A host's name or address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

impl HostName {
    /// As it was written, an IPv6 address without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The place as a URL, for those who judge places.
    pub(crate) fn endpoint(&self, port: u16) -> Option<Endpoint> {
        let host = if self.0.contains(':') { format!("[{}]", self.0) } else { self.0.clone() };
        Endpoint::parse(&format!("https://{host}:{port}")).ok()
    }
}

impl TryFrom<String> for HostName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<HostName, &'static str> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&text);
        if bare.parse::<IpAddr>().is_ok() || url::Host::parse(bare).is_ok() {
            Ok(HostName(bare.to_owned()))
        } else {
            Err("must be the name or the address of a host, without a scheme and without a port")
        }
    }
}

impl From<HostName> for String {
    fn from(host: HostName) -> String {
        host.0
    }
}

/// Bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// A connection, encrypted or not.
pub(crate) type Socket = Box<dyn Duplex>;

/// Connects, always in the same manner.
#[derive(Clone)]
pub(crate) struct Connector {
    dial: Dial,
    tls: Option<(TlsOptions, Arc<ClientConfig>)>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("dial", &self.dial).field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Connector {
    /// Reads the certificates, once: so sessions of TLS are resumed.
    pub(crate) fn new(dial: &Dial, tls: Option<&TlsSettings>) -> Result<Connector, NetError> {
        let tls = match tls {
            None => None,
            Some(settings) => {
                let options = settings.options()?;
                let config = dial.tls_config(&options)?;
                Some((options, config))
            }
        };
        Ok(Connector { dial: dial.clone(), tls })
    }

    /// A connection that is ready to be used.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<Socket, NetError> {
        let Some((options, config)) = &self.tls else { return self.plain(host, port).await };
        let origin = format!("{host}:{port}");
        let work = self.dial.encrypted(host, port, &origin, options, Arc::clone(config));
        Ok(Box::new(self.dial.in_time(&origin, work).await?))
    }

    /// A connection without TLS, whatever is set: for protocols that begin in the clear.
    pub(crate) async fn plain(&self, host: &str, port: u16) -> Result<Socket, NetError> {
        Ok(Box::new(self.dial.tcp(host, port).await?))
    }

    /// Whether TLS is set.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Goes on with TLS, if it is set.
    pub(crate) async fn upgrade(&self, socket: Socket, host: &str, port: u16) -> Result<Socket, NetError> {
        let Some((options, config)) = &self.tls else { return Ok(socket) };
        let origin = format!("{host}:{port}");
        let name = options.name(host)?;
        let work = async {
            let encrypted = TlsConnector::from(Arc::clone(config)).connect(name, socket).await;
            encrypted.map_err(|e| NetError::Tls { host: origin.clone(), why: e.to_string() })
        };
        Ok(Box::new(self.dial.in_time(&origin, work).await?))
    }
}

/// What can be known of a connection without waiting.
#[derive(Debug)]
pub(crate) enum Pulse {
    /// Nothing speaks against it.
    Alive,
    /// The other side has closed it, after it had read everything: unread bytes would have made a reset of it.
    Closed,
    /// It broke; what was written last may be lost.
    Broken(std::io::Error),
}

/// Looks whether the other side is still there. What it has to say is taken out and thrown away.
pub(crate) async fn feel(socket: &mut Socket) -> Pulse {
    let mut bytes = [0; 512];
    loop {
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = std::future::poll_fn(|cx| {
            Poll::Ready(match std::pin::Pin::new(&mut *socket).poll_read(cx, &mut buffer) {
                Poll::Pending => None,
                Poll::Ready(done) => Some(done),
            })
        })
        .await;
        match read {
            None => return Pulse::Alive,
            Some(Ok(())) if buffer.filled().is_empty() => return Pulse::Closed,
            Some(Ok(())) => {}
            Some(Err(e)) => return if is_end(&e) { Pulse::Closed } else { Pulse::Broken(e) },
        }
    }
}

/// TLS calls it an error when the other side closes without saying so first. Many receivers do.
pub(crate) fn is_end(e: &std::io::Error) -> bool {
    e.kind() == std::io::ErrorKind::UnexpectedEof
}
