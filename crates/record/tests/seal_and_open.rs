//! Seal, open, compare; and change one byte, and see it noticed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

use proptest::prelude::*;
use record::merkle::leaf_hash;
use record::open::open;
use record::seal::{Digests, Seed, disclosures, record as seal};
use record::{Action, Actor, Change, Context, Event, EventId, Json, Kind, Outcome, Redaction, Target, TeamId, Timestamp};

fn text() -> impl Strategy<Value = Box<str>> {
    "[^\\x00]{1,24}".prop_map(Into::into)
}

fn maybe() -> impl Strategy<Value = Option<Box<str>>> {
    proptest::option::of(text())
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[1-9][0-9]{0,3}(\\.[0-9]{1,20})?(e[0-9]{1,3})?",
        text().prop_map(|t| Json::string(&t).as_str().to_owned()),
    ];
    let nested = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            proptest::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(k, v)| format!("{k:?}: {v}")).collect();
                format!("{{ {} }}", members.join(","))
            }),
        ]
    });
    nested.prop_map(|text| Json::parse(&text, 32).unwrap())
}

prop_compose! {
    fn target()(kind in "[a-z][a-z0-9:._-]{0,9}", id in text(), name in maybe(), environment in maybe(), by_name in any::<bool>()) -> Target {
        let kind = Kind::new(&kind).unwrap();
        if by_name {
            Target { kind, id: None, name: Some(id), environment }
        } else {
            Target { kind, id: Some(id), name, environment }
        }
    }
}

prop_compose! {
    fn event()(
        (id, action, at, team) in (maybe(), "[A-Za-z0-9][A-Za-z0-9:._-]{0,63}", 0..2_000_000_000_000_i64, proptest::option::of("[a-z0-9]{1,9}")),
        (actor_id, name, email) in (text(), maybe(), maybe()),
        targets in proptest::collection::vec(target(), 0..4),
        (ip, user_agent, session_id, request_id) in (maybe(), maybe(), maybe(), maybe()),
        outcome in proptest::option::of(0..3_usize),
        took in proptest::option::of(0..100_000_u64),
        changes in proptest::collection::vec((text(), proptest::option::of(json()), proptest::option::of(json())), 0..3),
        metadata in proptest::option::of(json()),
        redactions in proptest::collection::vec((text(), text(), text()), 0..3),
    ) -> Event {
        Event {
            id,
            action: Action::new(&action).unwrap(),
            occurred_at: Timestamp::from_millis(at),
            team: team.map(|team| TeamId::new(&team).unwrap()),
            actor: Actor { kind: Kind::new("user").unwrap(), id: actor_id, name, email },
            targets,
            context: Context { ip, user_agent, session_id, request_id },
            outcome: outcome.map(|at| Outcome::ALL[at]),
            response_time_ms: took,
            changes: changes.into_iter().map(|(field, before, after)| Change { field, before, after }).collect(),
            // A bare null is the same as no metadata.
            metadata: metadata.filter(|json| json.as_str() != "null"),
            redactions: redactions.into_iter().map(|(member, by, how)| Redaction { member, by, how }).collect(),
        }
    }
}

fn sealed(event: &Event, seed: Seed) -> (String, Vec<String>) {
    let at = Timestamp::from_millis(1_795_000_000_000);
    let record = seal(event, EventId::new(at, 1, [3; 8]), at, &Digests::of(event, Some("key_1"), &seed));
    let disclosures = disclosures(event, Some("key_1"), &seed).into_iter().map(|(_, text)| text).collect();
    (record, disclosures)
}

proptest! {
    #[test]
    fn opens_to_what_was_sealed(event in event(), seed in any::<[u8; 16]>()) {
        let (record, disclosures) = sealed(&event, Seed(seed));
        prop_assert!(record.is_ascii());
        let opened = open(&record, &disclosures.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        prop_assert!(opened.closed.is_empty());
        let sent = opened.event().unwrap().unwrap();
        prop_assert_eq!(sent.event, event);
        prop_assert_eq!(sent.key.as_deref(), Some("key_1"));
    }

    #[test]
    fn a_changed_byte_is_noticed(event in event(), seed in any::<[u8; 16]>(), which in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let (record, disclosures) = sealed(&event, Seed(seed));
        let leaf = leaf_hash(record.as_bytes());
        // In the record: the leaf hash is another.
        let mut bytes = record.clone().into_bytes();
        let at = which.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert_ne!(leaf_hash(&bytes), leaf);
        // In a disclosure: it belongs to the record no longer.
        for chosen in 0..disclosures.len() {
            let mut bytes = disclosures[chosen].clone().into_bytes();
            let at = which.index(bytes.len());
            bytes[at] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let mut texts: Vec<&str> = disclosures.iter().map(String::as_str).collect();
            texts[chosen] = &changed;
            prop_assert!(open(&record, &texts).is_err());
        }
    }

    #[test]
    fn a_missing_disclosure_leaves_its_slot_closed(event in event(), seed in any::<[u8; 16]>()) {
        let (record, disclosures) = sealed(&event, Seed(seed));
        let opened = open(&record, &disclosures.iter().skip(1).map(String::as_str).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(opened.closed.iter().map(|slot| slot.0).collect::<Vec<_>>(), vec![0]);
        prop_assert!(opened.event().is_none());
    }
}
