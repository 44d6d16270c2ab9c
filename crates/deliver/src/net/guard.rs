//! Which addresses may be reached: what is public, and what the operator allows besides.
//!
//! An administrator of an organization types where events go. Without this she could have Acta ask the machines beside it, or the
//! cloud's metadata service, and read the answer (SSRF). Names are not judged here: only the addresses that they turn out to have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The networks that destinations may reach besides the public internet. The operator sets them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedNetworks {
    all: bool,
    networks: Vec<IpNet>,
}

/// A word for a network that is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no network: write it as 10.0.0.0/8 or fd00::/8, a single address as 10.1.2.3, or everything as all")]
pub struct BadNetwork(pub String);

impl AllowedNetworks {
    /// The public internet only.
    pub fn none() -> AllowedNetworks {
        AllowedNetworks::default()
    }

    /// Everything, the machine itself included.
    pub fn all() -> AllowedNetworks {
        AllowedNetworks { all: true, networks: Vec::new() }
    }

    /// These networks besides the public internet.
    pub fn of(networks: impl IntoIterator<Item = IpNet>) -> AllowedNetworks {
        AllowedNetworks { all: false, networks: networks.into_iter().collect() }
    }

    /// Networks as an operator writes them: CIDRs, single addresses, or the word `all`.
    ///
    /// # Errors
    /// The first word that is none of these.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<AllowedNetworks, BadNetwork> {
        let mut allowed = AllowedNetworks::none();
        for word in words.into_iter().map(str::trim) {
            if word == "all" {
                allowed.all = true;
            } else if let Ok(network) = word.parse::<IpNet>() {
                allowed.networks.push(network);
            } else if let Ok(address) = word.parse::<IpAddr>() {
                allowed.networks.push(IpNet::from(address));
            } else {
                return Err(BadNetwork(word.to_owned()));
            }
        }
        Ok(allowed)
    }

    /// Whether the operator named a network with this address in it. Only there is `http://`, which anybody on the way can read,
    /// not refused.
    pub fn names(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.all || self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether the operator allows anything besides the public internet.
    pub fn is_none(&self) -> bool {
        !self.all && self.networks.is_empty()
    }

    /// Whether this address may be connected to.
    ///
    /// # Errors
    /// What kind of address it is, as the end of a sentence: "a loopback address".
    pub fn check(&self, address: IpAddr) -> Result<(), String> {
        if self.names(address) {
            return Ok(());
        }
        match address.to_canonical() {
            IpAddr::V4(address) => special_v4(address).map_or(Ok(()), |kind| Err(kind.to_owned())),
            IpAddr::V6(address) => {
                if let Some(kind) = special_v6(address) {
                    return Err(kind.to_owned());
                }
                match embedded(address) {
                    Some((way, inside)) => self.check(IpAddr::V4(inside)).map_err(|kind| format!("{way} {inside}, {kind}")),
                    None => Ok(()),
                }
            }
        }
    }
}

/// IPv4 addresses that are not the public internet (IANA's registry of special-purpose addresses, and one of a cloud's own).
const SPECIAL_V4: [(Ipv4Addr, u8, &str); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an unspecified address"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private address"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "an address shared behind a carrier's NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "a loopback address"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "an address of the cloud's own services"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "a link-local address"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private address"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "a reserved address"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a reserved address"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private address"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "an address for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "a multicast address"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "the broadcast address"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "a reserved address"),
];

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let within = |&(network, length, _): &(Ipv4Addr, u8, &str)| Ipv4Net::new_assert(network, length).contains(&address);
    SPECIAL_V4.iter().find(|row| within(row)).map(|&(_, _, kind)| kind)
}

/// IPv6 addresses that are not the public internet. What is left of `2000::/3` is; so are IPv4 addresses in an IPv6 coat, if they are.
const SPECIAL_V6: [(Ipv6Addr, u8, &str); 13] = [
    (Ipv6Addr::UNSPECIFIED, 128, "an unspecified address"),
    (Ipv6Addr::LOCALHOST, 128, "a loopback address"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "a private address"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "an address that leads nowhere"),
    (Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0), 48, "an address for benchmarks"),
    (Ipv6Addr::new(0x2001, 0x10, 0, 0, 0, 0, 0, 0), 27, "a reserved address"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "an address for documentation"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "an address for documentation"),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, "a reserved address"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "a private address"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "a link-local address"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "a private address"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "a multicast address"),
];

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let within = |network: Ipv6Addr, length: u8| Ipv6Net::new_assert(network, length).contains(&address);
    if let Some(&(_, _, kind)) = SPECIAL_V6.iter().find(|&&(network, length, _)| within(network, length)) {
        return Some(kind);
    }
    let public = within(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    (!public && embedded(address).is_none()).then_some("a reserved address")
}

/// The IPv4 address that packets to this IPv6 address may end at, and by which way.
fn embedded(address: Ipv6Addr) -> Option<(&'static str, Ipv4Addr)> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0) => Some(("IPv4-compatible", v4(g, h))),
        (0, 0, 0, 0, 0xffff, 0) => Some(("translated to", v4(g, h))),
        (0x64, 0xff9b, 0, 0, 0, 0) => Some(("translated (NAT64) to", v4(g, h))),
        (0x2002, ..) => Some(("a tunnel (6to4) to", v4(b, c))),
        // The address of a Teredo client is written inverted.
        (0x2001, 0, ..) => Some(("a tunnel (Teredo) to", v4(!g, !h))),
        (.., 0 | 0x200, 0x5efe) => Some(("a tunnel (ISATAP) to", v4(g, h))),
        _ => None,
    }
}
