//! Real CloudTrail events, imported, and counted by a second reader that shares no code with the importer.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::cli::{Process, acta, set_up};

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn every_line_of_a_real_file_is_accounted_for() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/aws_cloudtrail.jsonl.zst");
    if !file.is_file() {
        println!("not checked: {} is absent", file.display());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let server = Process::serve(&data, &[("ACTA_SEAL_EVENTS", "1000")]);
    let import = || {
        let mut command = acta(&["import", "cloudtrail", file.to_str().unwrap(), "--url", &server.url]);
        let output = command.env("ACTA_KEY", &key).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let zeros = "0 with the id of another event; not recorded\n0 not valid; not recorded\n";
    assert_eq!(import(), format!("3313 events read\n3313 recorded\n0 repeats of events recorded before\n{zeros}"));
    assert_eq!(import(), format!("3313 events read\n0 recorded\n3313 repeats of events recorded before\n{zeros}"));

    // The second reader.
    let text = zstd::stream::decode_all(std::fs::File::open(&file).unwrap()).unwrap();
    let records: Vec<Value> =
        text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect();
    assert_eq!(records.len(), 3_313);
    let user = |record: &Value| {
        ["arn", "principalId", "invokedBy", "accountId"]
            .iter()
            .find_map(|name| record["userIdentity"][name].as_str())
            .unwrap()
            .to_owned()
    };
    let mut counts: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for record in &records {
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        *counts.entry(("action", text("eventName"))).or_default() += 1;
        *counts.entry(("ip", text("sourceIPAddress"))).or_default() += 1;
        *counts.entry(("actor", user(record))).or_default() += 1;
    }
    assert!(counts.len() > 200);
    for ((filter, value), expected) in counts {
        let answer = server.get(&key, &format!("/v1/events?per_page=1&{filter}={}", encode(&value)));
        assert_eq!(answer["total"], expected, "{filter}={value}");
    }
    server.end();
}
