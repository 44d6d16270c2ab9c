//! A URL that somebody typed as the place where events go.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{Host, Url};

use super::error::NetError;
use super::guard::AllowedNetworks;

/// An `http` or `https` URL with a host, without user name and password. Its path and query may hold secrets: errors show the
/// [`Endpoint::origin`] only.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a text is no such URL. Does not repeat the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    /// It is no URL.
    #[error("is no URL ({0}): write it as https://host/path")]
    NoUrl(String),
    /// Another scheme.
    #[error("must begin with https://, not {0}://")]
    Scheme(String),
    /// User name or password.
    #[error("must not hold a user name or password: credentials have members of their own")]
    Credentials,
    /// What is after `#`.
    #[error("must not hold a part after #, which is never sent")]
    Fragment,
    /// Port 0.
    #[error("must not name port 0")]
    Port,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence about the member.
    pub fn parse(text: &str) -> Result<Endpoint, BadEndpoint> {
        let url = Url::parse(text.trim()).map_err(|e| BadEndpoint::NoUrl(e.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(BadEndpoint::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadEndpoint::Credentials);
        }
        if url.fragment().is_some() {
            return Err(BadEndpoint::Fragment);
        }
        if url.port() == Some(0) {
            return Err(BadEndpoint::Port);
        }
        Ok(Endpoint(url))
    }

    /// Scheme, host and port: what may be shown of a URL that is a secret.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Whether the way is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host, a name or an address.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The port, by the scheme if it is not named.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// This URL with a path below its own: `join("services/collector/ack")`; its query stays.
    pub fn below(&self, path: &str) -> Endpoint {
        let mut url = self.0.clone();
        let base = self.0.path().trim_end_matches('/');
        url.set_path(&format!("{base}/{path}"));
        Endpoint(url)
    }

    /// This URL, and one more pair in its query.
    pub fn with_query(&self, name: &str, value: &str) -> Endpoint {
        let mut url = self.0.clone();
        url.query_pairs_mut().append_pair(name, value);
        Endpoint(url)
    }

    /// What can be said before connecting: an address in the URL, `localhost`, and `http://` where it is not allowed. A name is
    /// judged by its addresses, when it is connected to.
    ///
    /// # Errors
    /// The sentence that connecting would end with.
    pub fn check(&self, allowed: &AllowedNetworks) -> Result<(), NetError> {
        let addresses = match self.0.host() {
            Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            Some(Host::Domain(name)) => super::resolve::fixed(name, allowed).unwrap_or_default(),
            None => Vec::new(),
        };
        for &address in &addresses {
            allowed.check(address).map_err(|kind| NetError::refused(&self.origin(), address, kind))?;
        }
        let plain_anyway = addresses.iter().any(|&address| !allowed.names(address));
        if !self.is_https() && (allowed.is_none() || plain_anyway) {
            return Err(NetError::Plain { origin: self.origin() });
        }
        Ok(())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Endpoint, D::Error> {
        Endpoint::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}
