//! What one destination must not be told although it is in the log.
//!
//! Members are named, and taken out, as the log's own redaction does it (`record::redact`): the mark `[redacted]` stands in the
//! place, and the event's `redactions` list it, here as made [`BY_DESTINATION`]. So a receiver can tell what is not in the log
//! from what only it does not get.

use std::sync::Arc;

use record::redact::{BadMember, HashKey, How, MemberPath, Policy, Rule, When};

use crate::recorded::Recorded;

/// What a redaction that a destination's settings made is told to be `by`.
pub const BY_DESTINATION: &str = "destination";

/// The members that a destination does not get.
#[derive(Debug, Clone)]
pub struct Hide {
    policy: Policy,
}

impl Hide {
    /// Hides nothing.
    pub fn nothing() -> Hide {
        Hide::members(Vec::new())
    }

    /// Hides these members.
    pub fn members(members: Vec<MemberPath>) -> Hide {
        let rule =
            Rule { id: BY_DESTINATION.into(), name: BY_DESTINATION.into(), when: When::default(), members, how: How::Hide };
        // No hash is made under a rule that hides, so the key is never used.
        let policy = Policy { rules: vec![rule], headers: false, scrubber: None, hash_key: HashKey([0; 32]) };
        Hide { policy }
    }

    /// Reads pointers (RFC 6901, with `*` for any one member or element); the first wrong one with what is wrong about it.
    pub fn parse<T: AsRef<str>>(pointers: &[T]) -> Result<Hide, (usize, BadMember)> {
        let read = pointers.iter().enumerate();
        let members = read.map(|(at, text)| MemberPath::parse(text.as_ref()).map_err(|bad| (at, bad)));
        Ok(Hide::members(members.collect::<Result<_, _>>()?))
    }

    /// The event as the destination gets it.
    pub fn apply(&self, recorded: Arc<Recorded>) -> Arc<Recorded> {
        if self.policy.rules.iter().all(|rule| rule.members.is_empty()) {
            return recorded;
        }
        let mut shown = Recorded::clone(&recorded);
        if record::redact::apply(&mut shown.event, &self.policy) { Arc::new(shown) } else { recorded }
    }
}
