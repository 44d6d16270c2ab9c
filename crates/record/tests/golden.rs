//! The record format, byte for byte, against a log that another program made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use record::merkle::{self, Tree, leaf_hash};
use record::seal::{Digest, Digests, Salt, Skeleton, disclosure, encode};
use record::{Action, Kind, Timestamp};
use serde_json::Value;

/// The fixture's folder; says so and returns nothing where it is absent.
fn fixture() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/tlog");
    if path.is_dir() {
        return Some(path);
    }
    println!("not checked: {} is absent", path.display());
    None
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn lines(path: &Path) -> Vec<String> {
    String::from_utf8(read(path)).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn seals_to_the_fixtures_bytes() {
    let Some(dir) = fixture() else { return };
    let records = lines(&dir.join("records.jsonl"));
    let disclosed = lines(&dir.join("disclosures.jsonl"));
    let mut sealed = 0;
    for (entry, (text, disclosures)) in records.iter().zip(&disclosed).enumerate() {
        let shown: Value = serde_json::from_str(text).unwrap();
        let disclosures: Vec<String> = serde_json::from_str(disclosures).unwrap();
        if shown.get("actor").is_none() {
            continue; // The log's own records: an erasure and a purge.
        }
        let mut digests = Vec::new();
        for (unit, theirs) in disclosures.iter().enumerate() {
            let inside = String::from_utf8(URL_SAFE_NO_PAD.decode(theirs).unwrap()).unwrap();
            let (salt, value) = inside.strip_suffix(']').unwrap().split_once(",\"body\",").unwrap();
            let salt = URL_SAFE_NO_PAD.decode(salt.trim_matches(['[', '"'])).unwrap();
            let ours = disclosure(&Salt(salt.try_into().unwrap()), value);
            assert_eq!(&ours, theirs, "entry {entry} unit {unit}");
            digests.push(Digest::of(&ours));
        }
        let word = |pointer: &str| shown.pointer(pointer).and_then(Value::as_str).unwrap();
        let kind = Kind::new(word("/targets/0/type")).unwrap();
        let skeleton = Skeleton {
            action: &Action::new(word("/action")).unwrap(),
            actor_kind: &Kind::new(word("/actor/type")).unwrap(),
            id: word("/id"),
            occurred_at: Timestamp::parse(word("/occurred_at")).unwrap(),
            outcome: None,
            recorded_at: Timestamp::parse(word("/recorded_at")).unwrap(),
            target_kinds: vec![&kind],
            team: None,
        };
        let mut digests = digests.into_iter();
        let digests = Digests {
            actor: digests.next().unwrap(),
            context: digests.next(),
            metadata: digests.next(),
            targets: digests.collect(),
        };
        assert_eq!(&encode(&skeleton, &digests), text, "entry {entry}");
        sealed += 1;
    }
    assert_eq!(sealed, 298);
}

#[test]
fn grows_the_fixtures_tree() {
    let Some(dir) = fixture() else { return };
    let mut tree = Tree::new();
    let mut hashes = Vec::new();
    for record in lines(&dir.join("records.jsonl")) {
        let leaf = leaf_hash(record.as_bytes());
        hashes.extend(leaf);
        tree.push(leaf);
        if tree.size() == 280 {
            let anchor = lines(&dir.join("evidence/anchor.280"));
            assert_eq!(STANDARD.encode(tree.root()), anchor[2]);
        }
    }
    let tile = [read(&dir.join("log/tile/0/000")), read(&dir.join("log/tile/0/001.p/44"))].concat();
    assert_eq!(hashes, tile);
    let mut first = Tree::new();
    hashes.chunks(32).take(256).for_each(|hash| first.push(hash.try_into().unwrap()));
    assert_eq!(first.root().to_vec(), read(&dir.join("log/tile/1/000.p/1")));
    let checkpoint = lines(&dir.join("log/checkpoint"));
    assert_eq!((tree.size().to_string(), STANDARD.encode(tree.root())), (checkpoint[1].clone(), checkpoint[2].clone()));
}

/// A record with every member, in the bytes of version 1, which are never to change.
#[test]
fn version_1_of_a_full_event() {
    let text = r#"{"id":"order-4711-refund","action":"QUERY_RUN","occurred_at":"2026-11-20T22:04:30.123Z","team":"operations",
        "actor":{"type":"user","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},
        "targets":[{"type":"page","id":"refunds","name":"Refunds"},{"type":"resource","name":"orders-db","environment":"production"}],
        "context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0","session_id":"s","request_id":"r"},
        "outcome":"success","response_time_ms":120,"changes":[{"field":"role","before":"viewer","after":"admin"}],
        "metadata":{"query":"select 1","n":1.50}}"#;
    let now = Timestamp::parse("2026-11-20T22:04:31.000Z").unwrap();
    let event = record::parse::event(text, &record::Limits::default(), now).unwrap().event;
    let seed = record::seal::Seed([7; 16]);
    let id = record::EventId::new(now, 1, [9; 8]);
    let digests = Digests::of(&event, Some("key_1"), &seed);
    let sealed = record::seal::record(&event, id, now, &digests);
    let mut shown = sealed.clone();
    for (slot, text) in record::seal::disclosures(&event, Some("key_1"), &seed) {
        shown += &format!("\n{} {}", slot.0, String::from_utf8(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap());
    }
    shown += &format!("\nleaf {}", merkle::leaf_hash(sealed.as_bytes()).map(|b| format!("{b:02x}")).concat());
    expect_test::expect![[r#"
        {"_sd_alg":"sha-256","action":"QUERY_RUN","actor":{"_sd":["_Gz81LQtOtJUqJb7hZD1doGKRfJiutt3KOIAzaQuAlk"],"type":"user"},"context":{"_sd":["NnJYBtFRH_zYqsnl1x3SQ1JDfHO8MJQPaqksVYq_ocA"]},"id":"01a1fafd-5d98-7001-8909-090909090909","metadata":{"_sd":["0tyecg5b6VgF_YCaSKrg_mABjLN5gmehA10p7xiN3f8"]},"occurred_at":"2026-11-20T22:04:30.123Z","outcome":"success","recorded_at":"2026-11-20T22:04:31.000Z","targets":[{"_sd":["DF8FCDP1lyERv_nCQxovf66Fy3Q3rljmaHAVGbSMqR0"],"type":"page"},{"_sd":["tsvE3Dxi2OUR4lAXbEcG-KzKeh5uKxPxh9v5eIdlysQ"],"type":"resource"}],"team":"operations","v":1}
        0 ["HoMnzTiungc5ochWloM4OA","body",{"email":"ada@example.com","id":"u_42","name":"Ada \"Lovelace\""}]
        1 ["do00pgA-SLV7jV-kddzUwg","body",{"ip":"203.0.113.7","request_id":"r","session_id":"s","user_agent":"Mozilla/5.0"}]
        2 ["LmM37S_Q4HCkFkkM-ENBIg","body",{"changes":[{"after":"admin","before":"viewer","field":"role"}],"id":"order-4711-refund","key":"key_1","metadata":{"query":"select 1","n":1.50},"response_time_ms":120}]
        3 ["i3YPR5yHFZ9oWwF-BMbobQ","body",{"id":"refunds","name":"Refunds"}]
        4 ["j-txlIeJCyy2zeo1g5wu5w","body",{"environment":"production","name":"orders-db"}]
        leaf a13d1421423a4f390b009ddcaadebb1d9bb2f0fb896e7d0b9b4e2a1a491cbf86"#]].assert_eq(&shown);
}

#[test]
fn the_catalogs_hold_what_the_documents_show() {
    let catalogs = record::Catalogs::built_in();
    let counts: Vec<_> = catalogs.all().iter().map(|c| (c.name.as_str(), c.actions.len())).collect();
    assert_eq!(counts, [("retool", 97), ("make", 41), ("session", 17), ("acta", 48)]);
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/seeds");
    if !seeds.is_dir() {
        println!("not checked against the documents: {} is absent", seeds.display());
        return;
    }
    let table = String::from_utf8(read(&seeds.join("001_d08f934b43d3b26f.txt"))).unwrap();
    let listed: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split_once(" |").map(|(id, _)| id.trim()))
        .filter(|id| id.len() > 4 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'))
        .collect();
    assert_eq!(listed.len(), 97);
    for id in listed {
        assert_eq!(catalogs.get(id).map(|(catalog, _)| catalog.name.as_str()), Some("retool"), "{id}");
    }
    assert!(catalogs.is_organization_only("organization_variable_created"));
    assert!(!catalogs.is_organization_only("scenario_created"));
    assert!(!catalogs.is_organization_only("nobody_knows_this"));
}
