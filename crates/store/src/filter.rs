//! Which events are wanted. One meaning, whether an event is in memory or in a segment.

use std::net::IpAddr;

use access::{Masked, Masks, Scope};
use record::{Action, Kind, Outcome, TeamId, Timestamp, text};

use crate::row::Row;

/// An address, a network, or the text that stands where an address would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpFilter {
    /// A network in CIDR form, or one address.
    Net {
        /// The network's first address.
        address: IpAddr,
        /// How many leading bits count.
        prefix: u8,
    },
    /// Some services report a name in place of an address.
    Text(Box<str>),
}

/// The text is neither an address, nor a network, nor a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an address such as 203.0.113.7 or a network such as 203.0.113.0/24")]
pub struct BadIp;

impl IpFilter {
    /// Reads an address, a network (`10.0.0.0/8`), or a name.
    pub fn parse(text: &str) -> Result<IpFilter, BadIp> {
        if let Ok(address) = text.parse::<IpAddr>() {
            let address = address.to_canonical();
            return Ok(IpFilter::Net { address, prefix: bits(address) });
        }
        if let Some((address, prefix)) = text.split_once('/') {
            let address = address.parse::<IpAddr>().map_err(|_| BadIp)?;
            let prefix = prefix.parse::<u8>().map_err(|_| BadIp)?;
            if prefix > bits(address) {
                return Err(BadIp);
            }
            return Ok(IpFilter::Net { address, prefix });
        }
        // Digits, dots and colons alone are meant to be an address. Four groups of digits that are none, such as 10.0.0.07, do
        // occur in logs and can be looked for as text; anything shorter is a slip.
        let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b':');
        if text.is_empty() || numeric && text.split('.').filter(|group| !group.is_empty()).count() != 4 {
            return Err(BadIp);
        }
        Ok(IpFilter::Text(text.into()))
    }

    /// Whether an address lies in the network; never in a name.
    pub fn contains(&self, given: IpAddr) -> bool {
        match self {
            IpFilter::Text(_) => false,
            IpFilter::Net { address, prefix } => within(*address, *prefix, given.to_canonical()),
        }
    }

    pub(crate) fn matches(&self, given: &str) -> bool {
        match self {
            IpFilter::Text(text) => given.eq_ignore_ascii_case(text),
            IpFilter::Net { address, prefix } => {
                given.parse::<IpAddr>().is_ok_and(|given| within(*address, *prefix, given.to_canonical()))
            }
        }
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn within(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let drop = 32 - u32::from(prefix);
            u32::from(network).checked_shr(drop) == u32::from(address).checked_shr(drop)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let drop = 128 - u32::from(prefix);
            u128::from(network).checked_shr(drop) == u128::from(address).checked_shr(drop)
        }
        _ => false,
    }
}

/// What an event must be. Every part that is given must hold; a part with several values holds if one of them does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Its action is one of these. `Some` of nothing matches nothing: a category without actions.
    pub actions: Option<Vec<Action>>,
    /// Its outcome.
    pub outcome: Option<Outcome>,
    /// Its actor's id.
    pub actor: Option<Box<str>>,
    /// Part of its actor's e-mail address, without regard to case.
    pub email: Option<Box<str>>,
    /// Its team is one of these.
    pub teams: Vec<TeamId>,
    /// It has a target of this type.
    pub target_type: Option<Kind>,
    /// It has a target with this id or name (of `target_type`, where that is given).
    pub target: Option<Box<str>>,
    /// Its address.
    pub ip: Option<IpFilter>,
    /// It occurred at this instant or later.
    pub from: Option<Timestamp>,
    /// It occurred at this instant or earlier.
    pub to: Option<Timestamp>,
    /// Each of these, in lower case, stands somewhere in its text (see [`record::text`]).
    pub words: Vec<String>,
}

impl Filter {
    /// Whether every event matches.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether an event within the scope matches. The cheap parts first.
    ///
    /// What the scope hides of an event cannot be filtered by: a match would tell what it is.
    pub(crate) fn matches(&self, scope: &Scope, row: &Row<'_>) -> bool {
        let masks = if scope.is_whole() { Some(Masks::default()) } else { row.seen(scope) };
        let Some(masks) = masks else { return false };
        self.from.is_none_or(|from| row.occurred_at >= from.as_millis())
            && self.to.is_none_or(|to| row.occurred_at <= to.as_millis())
            && self.actions.as_ref().is_none_or(|actions| actions.iter().any(|action| action.as_str() == row.action))
            && self.outcome.is_none_or(|outcome| row.outcome == Some(outcome))
            && self.actor.as_deref().is_none_or(|actor| row.actor_id == actor)
            && (self.teams.is_empty() || self.teams.iter().any(|team| row.team == Some(team.as_str())))
            && self.email.as_deref().is_none_or(|part| {
                !masks.contains(Masked::Email) && row.actor_email.is_some_and(|email| contains(email, part))
            })
            && self
                .ip
                .as_ref()
                .is_none_or(|wanted| !masks.contains(Masked::Ip) && row.ip.is_some_and(|ip| wanted.matches(ip)))
            && (self.target_type.is_none() && self.target.is_none()
                || row.targets.any(
                    self.target_type.as_ref().map(Kind::as_str),
                    self.target.as_deref(),
                    masks.contains(Masked::Name),
                ))
            && (self.words.is_empty() || row.event.is_some_and(|event| self.has_words_masked(event, masks)))
    }

    fn has_words_masked(&self, event: &record::Event, masks: Masks) -> bool {
        if masks.is_empty() {
            return self.has_words(event);
        }
        let mut shown = event.clone();
        masks.apply(&mut shown);
        self.has_words(&shown)
    }

    fn has_words(&self, event: &record::Event) -> bool {
        let text = text::lower(event);
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

/// Whether `part` (in lower case) stands in `text`, without regard to case.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.contains(part) || text.to_lowercase().contains(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks() {
        let matches = |filter: &str, ip: &str| IpFilter::parse(filter).unwrap().matches(ip);
        assert!(matches("203.0.113.7", "203.0.113.7"));
        assert!(matches("203.0.113.7", "::ffff:203.0.113.7"));
        assert!(!matches("203.0.113.7", "203.0.113.77"));
        assert!(matches("203.0.113.0/24", "203.0.113.255"));
        assert!(!matches("203.0.113.0/24", "203.0.114.0"));
        assert!(matches("0.0.0.0/0", "1.2.3.4"));
        assert!(!matches("0.0.0.0/0", "2001:db8::1"));
        assert!(matches("2001:db8::/32", "2001:DB8:1::1"));
        assert!(matches("AWS Internal", "aws internal"));
        assert!(matches("253.252.51.07", "253.252.51.07"));
        for bad in ["", "10.0.0.0/33", "10.0.0", "10.0.0.", "a/b", "2001:db8::/129"] {
            assert_eq!(IpFilter::parse(bad), Err(BadIp), "{bad}");
        }
    }
}
