//! Whether two events are one and the same, told under rules that changed in between.

use super::member_path::MemberPath;
use super::{Hand, HashKey, How, Policy, Rule, When};
use crate::event::{Event, Redaction};

/// Whether two events tell the same wherever neither of them was redacted.
///
/// A sender that repeats an event after the organization changed its rules sends the same event, but what is left of it is
/// another. It is taken for the same if all agrees that is told in both. Where the same members were redacted of both in the same
/// way, the rules had not changed for them, and a difference in a hash is a difference.
pub fn same_but_for_redactions(one: &Event, other: &Event) -> bool {
    if one.redactions == other.redactions {
        return one == other;
    }
    let both = || one.redactions.iter().chain(&other.redactions);
    let shared = |mark: &&Redaction| one.redactions.contains(mark) && other.redactions.contains(mark);
    let members = both().filter(|mark| !shared(mark)).filter_map(|mark| MemberPath::of_redaction(&mark.member)).collect();
    let rule = Rule { id: "".into(), name: "".into(), when: When::default(), members, how: How::Hide };
    let policy = Policy { rules: vec![rule], headers: false, scrubber: None, hash_key: HashKey([0; 32]) };
    let hidden = |event: &Event| {
        let mut event = event.clone();
        Hand { rules: policy.rules.iter().collect(), policy: &policy, over_marks: true, marks: Vec::new() }
            .event(&mut event);
        event.redactions.clear();
        event
    };
    hidden(one) == hidden(other)
}
