//! Connecting: look up, check every address, connect to a checked one.
//!
//! There is no second look-up between the check and the connection, so a name that changes its address in between (DNS rebinding)
//! gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::error::NetError;
use super::guard::AllowedNetworks;
use super::resolve::{Resolve, fixed};
use super::tls::{TlsOptions, certificates};

/// Makes connections for every kind of destination. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dial {
    allowed: Arc<AllowedNetworks>,
    resolver: Arc<dyn Resolve>,
    roots: Arc<Vec<CertificateDer<'static>>>,
    within: Duration,
}

impl Dial {
    /// `roots`: PEM texts with certificates that are trusted besides the public ones; `within`: time for a whole connection, look-up and
    /// TLS included.
    ///
    /// # Errors
    /// A root that cannot be read.
    pub fn new(
        allowed: AllowedNetworks,
        resolver: Arc<dyn Resolve>,
        roots: &[String],
        within: Duration,
    ) -> Result<Dial, NetError> {
        let mut read = Vec::new();
        for pem in roots {
            read.extend(certificates(pem)?);
        }
        Ok(Dial { allowed: Arc::new(allowed), resolver, roots: Arc::new(read), within })
    }

    /// The networks that the operator allows.
    pub fn allowed(&self) -> &AllowedNetworks {
        &self.allowed
    }

    /// How long connecting may take.
    pub fn within(&self) -> Duration {
        self.within
    }

    /// The operator's roots and these options, as rustls wants them.
    ///
    /// # Errors
    /// Certificates or a key that cannot be read.
    pub fn tls_config(&self, options: &TlsOptions) -> Result<Arc<ClientConfig>, NetError> {
        options.config(&self.roots)
    }

    /// The addresses of a host, every one of them allowed. For those who must connect by themselves: to nothing but these.
    ///
    /// # Errors
    /// If it has none, or one of them is not allowed. There is no time limit.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NetError> {
        self.checked(host, port, &format!("{host}:{port}"), false).await
    }

    /// `plain`: it is `http://`, so the operator must have named the network.
    pub(crate) async fn checked(
        &self,
        host: &str,
        port: u16,
        origin: &str,
        plain: bool,
    ) -> Result<Vec<SocketAddr>, NetError> {
        let addresses = self.look_up(host).await?;
        for &address in &addresses {
            self.allowed.check(address).map_err(|kind| NetError::refused(origin, address, kind))?;
            if plain && !self.allowed.names(address) {
                return Err(NetError::Plain { origin: origin.to_owned() });
            }
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    /// A host in any spelling: the system would also take `0x7f.1` or `2130706433` for an address, so we read it as it does.
    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        match Host::parse(host) {
            Ok(Host::Ipv4(address)) => Ok(vec![IpAddr::V4(address)]),
            Ok(Host::Ipv6(address)) => Ok(vec![IpAddr::V6(address)]),
            Ok(Host::Domain(name)) => match fixed(&name, &self.allowed) {
                Some(addresses) => Ok(addresses),
                None => self.ask(&name).await,
            },
            Err(_) => Err(NetError::Host(host.to_owned())),
        }
    }

    async fn ask(&self, name: &str) -> Result<Vec<IpAddr>, NetError> {
        let failed = |why: String| NetError::Resolve { host: name.to_owned(), why };
        let addresses = self.resolver.resolve(name).await.map_err(|e| failed(e.to_string()))?;
        if addresses.is_empty() { Err(failed("it has none".to_owned())) } else { Ok(addresses) }
    }

    /// A TCP connection. No packet waits for another (`TCP_NODELAY`).
    ///
    /// # Errors
    /// If the host is not allowed or not there, or it takes too long.
    pub async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, NetError> {
        let origin = format!("{host}:{port}");
        self.in_time(&origin, self.connected(host, port, &origin, false)).await
    }

    /// A TLS connection.
    ///
    /// # Errors
    /// As [`Dial::tcp`], and if the certificate is not the host's or not trusted.
    pub async fn tls(&self, host: &str, port: u16, options: &TlsOptions) -> Result<TlsStream<TcpStream>, NetError> {
        let origin = format!("{host}:{port}");
        let config = self.tls_config(options)?;
        self.in_time(&origin, self.encrypted(host, port, &origin, options, config)).await
    }

    pub(crate) async fn encrypted(
        &self,
        host: &str,
        port: u16,
        origin: &str,
        options: &TlsOptions,
        config: Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, NetError> {
        let name = options.name(host)?;
        let tcp = self.connected(host, port, origin, false).await?;
        let failed = |e: std::io::Error| NetError::Tls { host: origin.to_owned(), why: e.to_string() };
        TlsConnector::from(config).connect(name, tcp).await.map_err(failed)
    }

    pub(crate) async fn connected(&self, host: &str, port: u16, origin: &str, plain: bool) -> Result<TcpStream, NetError> {
        let mut last = NetError::Host(host.to_owned());
        for address in self.checked(host, port, origin, plain).await? {
            match TcpStream::connect(address).await.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
                Ok(stream) => return Ok(stream),
                Err(e) => last = NetError::Connect { host: origin.to_owned(), address: address.ip(), why: e.to_string() },
            }
        }
        Err(last)
    }

    pub(crate) async fn in_time<T>(
        &self,
        host: &str,
        work: impl Future<Output = Result<T, NetError>>,
    ) -> Result<T, NetError> {
        let late = || NetError::ConnectTimeout { host: host.to_owned(), within: self.within };
        tokio::time::timeout(self.within, work).await.unwrap_or_else(|_| Err(late()))
    }
}
