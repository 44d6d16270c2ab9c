//! Bytes from a disk that somebody else has written to are refused, not trusted.

use record::merkle::leaf_hash;
use store::entry::{decode, encode};
use testkit::{Setup, event, json, seeds};

use crate::{ORG, all};

#[test]
fn an_entry_survives_its_bytes() {
    let setup = Setup::new(1);
    let store = setup.open();
    let mut rich = event(1);
    rich.event.id = Some("é".into());
    rich.event.context.user_agent = Some("x".repeat(300).into());
    rich.event.changes.push(record::Change { field: "f".into(), before: Some(json("null")), after: None });
    let mut redacted = event(3);
    redacted.event.redactions =
        vec![record::Redaction { member: "/metadata/n".into(), by: "red_1".into(), how: "hash".into() }];
    setup.append_once(&store, ORG, [rich, event(2), redacted], store::Idempotency { key: [1; 16], body: [2; 16] }).unwrap();
    for entry in all(&store, ORG) {
        let leaf = leaf_hash(entry.record().as_bytes());
        let mut bytes = Vec::new();
        encode(&entry, &leaf, &mut bytes);
        assert_eq!(decode(&bytes), Some((entry.clone(), leaf)));
        for len in 0..bytes.len() {
            assert_eq!(decode(&bytes[..len]), None, "cut to {len}");
        }
        assert_eq!(decode(&[&bytes[..], &[0]].concat()), None);
    }
}

#[test]
fn rubbish_is_no_entry_and_no_panic() {
    let setup = Setup::new(1);
    let store = setup.open();
    setup.append(&store, ORG, [event(1)]).unwrap();
    let entry = all(&store, ORG).remove(1);
    let mut good = Vec::new();
    encode(&entry, &entry.leaf(), &mut good);
    for seed in seeds(20_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut bytes = good.clone();
        for _ in 0..rng.usize(1..6) {
            let at = rng.usize(0..bytes.len());
            bytes[at] = if rng.bool() { 0xff } else { rng.u8(..) };
        }
        // What still decodes encodes to an entry that decodes the same.
        if let Some((entry, leaf)) = decode(&bytes) {
            let mut again = Vec::new();
            encode(&entry, &leaf, &mut again);
            assert_eq!(decode(&again), Some((entry, leaf)), "ACTA_SEED={seed}");
        }
    }
}
