//! Why nothing was sent, or no answer came.

use std::net::IpAddr;
use std::time::Duration;

/// A connection that was refused, failed or took too long. Its text names hosts and addresses, never a path or a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The guard forbids this address.
    #[error(
        "{origin} is not allowed: {address} is {kind}. The operator can allow networks for destinations with destination_networks"
    )]
    Refused {
        /// What was to be reached: `https://host`, or `host:port`.
        origin: String,
        /// The address it has.
        address: IpAddr,
        /// What kind of address that is.
        kind: String,
    },
    /// `http://` to a host outside the networks that the operator named.
    #[error(
        "{origin} is not allowed: without https everybody on the way can read what is sent. The operator can allow it for networks \
         with destination_networks"
    )]
    Plain {
        /// What was to be reached.
        origin: String,
    },
    /// The text is neither a host name nor an address.
    #[error("{0:?} is neither a host name nor an address")]
    Host(String),
    /// The name has no address.
    #[error("no address was found for {host}: {why}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// Nobody took the connection.
    #[error("no connection to {host} ({address}): {why}")]
    Connect {
        /// Name and port.
        host: String,
        /// The address that was tried last.
        address: IpAddr,
        /// What the system said.
        why: String,
    },
    /// The other side is not who it should be, or does not speak TLS as we do.
    #[error("no TLS connection to {host}: {why}")]
    Tls {
        /// Name and port.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// A certificate or key in the settings cannot be read.
    #[error("{0}")]
    Material(String),
    /// No connection in time.
    #[error("no connection to {host} within {} s", within.as_secs())]
    ConnectTimeout {
        /// Name and port.
        host: String,
        /// The time given.
        within: Duration,
    },
    /// Connected, but the answer was not complete in time.
    #[error("no complete answer from {host} within {} s", within.as_secs())]
    AnswerTimeout {
        /// The origin.
        host: String,
        /// The time given.
        within: Duration,
    },
    /// The connection broke, or what came was no HTTP.
    #[error("no answer from {host}: {why}")]
    Http {
        /// The origin.
        host: String,
        /// What happened.
        why: String,
    },
}

impl NetError {
    pub(crate) fn refused(origin: &str, address: IpAddr, kind: String) -> NetError {
        NetError::Refused { origin: origin.to_owned(), address, kind }
    }
}
