//! From a name to its addresses.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use follow::Later;

use super::guard::AllowedNetworks;

/// Asks for a name's addresses. A parameter, so that a test can give one address now and another later.
pub trait Resolve: Send + Sync + fmt::Debug {
    /// All addresses of a name.
    fn resolve<'a>(&'a self, host: &'a str) -> Later<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver: `/etc/hosts`, DNS, whatever it is set up with.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Later<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Names that nobody is asked about (RFC 6761): `localhost` and what is below it are this machine. Of its two addresses those that
/// are allowed; if none is, both, for the guard to refuse.
pub(crate) fn fixed(name: &str, allowed: &AllowedNetworks) -> Option<Vec<IpAddr>> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name != "localhost" && !name.ends_with(".localhost") {
        return None;
    }
    let mut both = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    if both.iter().any(|&one| allowed.check(one).is_ok()) {
        both.retain(|&one| allowed.check(one).is_ok());
    }
    Some(both)
}
