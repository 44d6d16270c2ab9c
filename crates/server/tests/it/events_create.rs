//! `POST /v1/events`.

use std::io::Write;
use std::sync::Arc;

use access::KeyScope;
use axum::http::StatusCode;
use serde_json::{Value, json};
use server::config::Config;
use testkit::{Fault, FaultyDisk};

use crate::support::{Server, event};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_is_answered_with_its_place() {
    let server = Server::start();
    let answer = server.post(event("QUERY_RUN").to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let json = answer.json();
    // Index 0 is the log's policy record.
    assert_eq!(json["index"], 1);
    assert!(json["event_id"].as_str().unwrap().len() == 36 && json["recorded_at"].as_str().unwrap().ends_with('Z'));
    assert!(json.get("duplicate").is_none());
    assert!(!answer.headers["x-request-id"].is_empty());
    let listed = server.get("/v1/events?action=QUERY_RUN").await.json();
    assert_eq!(listed["total"], 1);
    assert_eq!(listed["events"][0]["event_id"], json["event_id"]);
    assert_eq!(listed["events"][0]["actor"]["name"], "Ada Lovelace");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_events_get_a_result_each_and_the_valid_ones_are_recorded() {
    let server = Server::start();
    let batch = json!([event("A"), {"action": "no actor"}, event("B")]);
    let lines = format!("{}\n\n{{\"broken\n{}\n", event("C"), event("D"));
    let array = server.post(batch.to_string()).await;
    let ndjson = server.post_with(&[("content-type", "application/x-ndjson; charset=utf-8")], lines).await;
    for (answer, rejected) in [(array, 422), (ndjson, 400)] {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let json = answer.json();
        assert_eq!((&json["accepted"], &json["rejected"]), (&json!(2), &json!(1)));
        assert!(json["results"][0]["event_id"].is_string());
        assert_eq!(json["results"][1]["status"], rejected);
        assert_eq!(json["results"][2]["index"], json["results"][0]["index"].as_u64().unwrap() + 1);
    }
    for action in ["A", "B", "C", "D"] {
        assert_eq!(server.total(&format!("action={action}")).await, 1, "{action}");
    }
    let empty = server.post("[]").await;
    assert_eq!((empty.status, empty.json()["accepted"].clone()), (StatusCode::OK, json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_bodies_are_understood() {
    let server = Server::start();
    let body = event("PACKED").to_string();
    for (encoding, bytes) in [
        ("gzip", gzip(body.as_bytes())),
        ("zstd", zstd::stream::encode_all(body.as_bytes(), 3).unwrap()),
        ("identity", body.clone().into_bytes()),
    ] {
        let answer = server.post_with(&[("content-type", "application/json"), ("content-encoding", encoding)], bytes).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{encoding}: {}", answer.text());
    }
    assert_eq!(server.total("action=PACKED").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_is_recorded_once() {
    let server = Server::start();
    let with = |id: &str, n: u32| {
        let mut event = event("ONCE");
        event["id"] = id.into();
        event["metadata"] = json!({ "n": n });
        event.to_string()
    };
    let first = server.post(with("a", 1)).await;
    let again = server.post(with("a", 1)).await;
    let other = server.post(with("a", 2)).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(again.status, StatusCode::OK);
    let mut expected = first.json();
    expected["duplicate"] = true.into();
    assert_eq!(again.json(), expected);
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert!(other.problem().contains("/id: is another event's"), "{}", other.problem());
    assert_eq!(server.total("action=ONCE").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_makes_a_request_safe() {
    let server = Server::start();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let body = json!([event("KEYED"), event("KEYED"), {"action": 1}]).to_string();
    let first = server.post_with(&headers, body.clone()).await.json();
    let again = server.post_with(&headers, body).await.json();
    assert_eq!(again["accepted"], 2);
    for at in 0..2 {
        assert_eq!(again["results"][at]["index"], first["results"][at]["index"]);
        assert_eq!(again["results"][at]["duplicate"], true);
    }
    assert_eq!(server.total("action=KEYED").await, 2);
    let reused = server.post_with(&headers, event("OTHER").to_string()).await;
    assert_eq!(reused.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Another key's owner has nothing to do with it.
    let stranger = server.new_key(&[KeyScope::EventsWrite], None);
    let request = server.request("POST", "/v1/events", &stranger).header("content-type", "application/json");
    let request = request.header("idempotency-key", "k-1").body(event("OTHER").to_string().into()).unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::CREATED);
}

/// What it is called, its headers, its body.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Vec<u8>);

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_told_what_is_wrong_and_nothing_is_recorded() {
    let server =
        Server::with(Config { batch_events_max: 3, batch_bytes_max: 300_000, ..Config::default() }, |disk| Arc::new(disk));
    let json = [("content-type", "application/json")];
    let with = |member: &str, value: Value| {
        let mut event = event("A");
        event[member] = value;
        event.to_string().into_bytes()
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut cut = gzip(event("A").to_string().as_bytes());
    cut.truncate(cut.len() - 9);
    let gzipped = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let tomorrow = server.app.now().plus_millis(25 * 3_600_000).to_string();
    let cases: [Case<'_>; 22] = [
        ("malformed", &json, b"{\"action\":".to_vec()),
        ("empty", &json, b" ".to_vec()),
        ("unknown member", &json, with("acttor", json!(1))),
        ("missing member", &json, b"{\"action\":\"A\"}".to_vec()),
        ("wrong type", &json, with("targets", json!("x"))),
        ("long action", &json, with("action", json!("a".repeat(65)))),
        ("long id", &json, with("id", json!("a".repeat(257)))),
        ("large event", &json, with("metadata", json!("x".repeat(270_000)))),
        ("large body", &json, with("metadata", json!("x".repeat(310_000)))),
        ("many events", &json, format!("[{}]", ["1"; 4].join(",")).into_bytes()),
        ("bad time", &json, with("occurred_at", json!("soon"))),
        ("not utf-8", &json, b"{\"action\":\"\xff\"}".to_vec()),
        ("nul", &json, with("id", json!("a\u{0}b"))),
        (
            "deep metadata",
            &json,
            format!(r#"{{"action":"A","actor":{{"type":"u","id":"i"}},"metadata":{deep}}}"#).into_bytes(),
        ),
        ("deep body", &json, format!("{{\"a\":{deep}").into_bytes()),
        ("truncated gzip", &gzipped, cut),
        ("gzip bomb", &gzipped, gzip(" ".repeat(50_000_000).as_bytes())),
        ("not gzip", &gzipped, b"{}".to_vec()),
        ("encoding", &[("content-type", "application/json"), ("content-encoding", "br")], b"{}".to_vec()),
        ("content type", &[("content-type", "text/plain")], b"{}".to_vec()),
        ("no content type", &[], b"{}".to_vec()),
        ("long key", &[("content-type", "application/json"), ("idempotency-key", "")], b"{}".to_vec()),
    ];
    let mut shown = Vec::new();
    for (name, headers, body) in cases {
        let answer = server.post_with(headers, body).await;
        shown.push(format!("{name}: {}", answer.problem()));
    }
    expect_test::expect![[r#"
        malformed: 400 urn:acta:problem:malformed: The event is not well-formed JSON: EOF while parsing a value at line 1 column 10.
        empty: 400 urn:acta:problem:malformed: The body is empty; send an event.
        unknown member: 422 urn:acta:problem:invalid: /acttor is not a member that Acta knows; known here are id, action, occurred_at, team, actor, targets, context, outcome, response_time_ms, changes, metadata
            /acttor: is not a member that Acta knows; known here are id, action, occurred_at, team, actor, targets, context, outcome, response_time_ms, changes, metadata
        missing member: 422 urn:acta:problem:invalid: /actor is missing
            /actor: is missing
        wrong type: 422 urn:acta:problem:invalid: /targets must be an array, not a string
            /targets: must be an array, not a string
        long action: 422 urn:acta:problem:invalid: /action is 65 bytes long; at most 64 are allowed
            /action: is 65 bytes long; at most 64 are allowed
        long id: 422 urn:acta:problem:invalid: /id is 257 bytes long; at most 256 are allowed
            /id: is 257 bytes long; at most 256 are allowed
        large event: 413 urn:acta:problem:too-large: The event is 270112 bytes long; at most 262144 are allowed.
        large body: 413 urn:acta:problem:too-large: The body is larger than 300000 bytes after decompression. Send fewer events at once.
        many events: 413 urn:acta:problem:too-large: The request holds more than 3 events. Send fewer at once.
        bad time: 422 urn:acta:problem:invalid: /occurred_at is not an RFC 3339 time such as 2026-11-20T22:04:30.123Z
            /occurred_at: is not an RFC 3339 time such as 2026-11-20T22:04:30.123Z
        not utf-8: 400 urn:acta:problem:not-utf-8: The body is not UTF-8: byte 11 is at fault.
        nul: 422 urn:acta:problem:invalid: /id holds a NUL character (U+0000)
            /id: holds a NUL character (U+0000)
        deep metadata: 422 urn:acta:problem:invalid: /metadata is nested deeper than 32 levels
            /metadata: is nested deeper than 32 levels
        deep body: 400 urn:acta:problem:malformed: The event is not well-formed JSON: EOF while parsing an object at line 1 column 200005.
        truncated gzip: 400 urn:acta:problem:encoding: The body is not whole gzip: incomplete deflate stream.
        gzip bomb: 413 urn:acta:problem:too-large: The body is larger than 300000 bytes after decompression. Send fewer events at once.
        not gzip: 400 urn:acta:problem:encoding: The body is not whole gzip: unexpected end of file.
        encoding: 415 urn:acta:problem:encoding: The Content-Encoding "br" is not known here; send gzip, zstd, or none.
        content type: 415 urn:acta:problem:content-type: The Content-Type is "text/plain"; send application/json or application/x-ndjson.
        no content type: 415 urn:acta:problem:content-type: The Content-Type is missing; send application/json or application/x-ndjson.
        long key: 422 urn:acta:problem:invalid: Idempotency-Key must have 1 to 255 characters
            Idempotency-Key: must have 1 to 255 characters"#]].assert_eq(&shown.join("\n"));
    let ahead = server.post(with("occurred_at", json!(tomorrow))).await;
    assert!(ahead.problem().contains("lies more than 24 hours ahead of the server's clock"), "{}", ahead.problem());
    assert!(server.app.store.stats().recorded == 0, "nothing was recorded");
    assert_eq!(server.post(event("A").to_string()).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_team_speaks_for_its_team_alone() {
    let server = Server::start();
    let ops = server.new_key(&[KeyScope::EventsWrite, KeyScope::EventsRead], Some("ops"));
    let send = async |team: Option<&str>| {
        let mut event = event("PAGE_VIEW");
        if let Some(team) = team {
            event["team"] = team.into();
        }
        let request = server.request("POST", "/v1/events", &ops).header("content-type", "application/json");
        server.send(request.body(event.to_string().into()).unwrap()).await
    };
    assert_eq!(send(None).await.status, StatusCode::CREATED);
    assert_eq!(send(Some("ops")).await.status, StatusCode::CREATED);
    let other = send(Some("sales")).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    assert!(other.problem().contains("/team: is sales, and this API key is confined to ops"));
    assert_eq!(server.total("team=ops").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_disk_is_admitted() {
    for fault in [Fault::Before, Fault::After, Fault::NoSpace] {
        let mut faulty = None;
        let server = Server::with(Config::default(), |disk| {
            let disk = FaultyDisk::new(disk, |_| None);
            faulty = Some(disk.clone());
            Arc::new(disk)
        });
        assert_eq!(server.post(event("BEFORE").to_string()).await.status, StatusCode::CREATED);
        assert_eq!(server.get("/readyz").await.status, StatusCode::OK);
        faulty.unwrap().replan(move |_| Some(fault));
        let answer = server.post(event("LOST").to_string()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{fault:?}");
        assert!(answer.headers.contains_key("retry-after"));
        assert!(answer.problem().contains("Nothing of this request is confirmed"), "{}", answer.problem());
        let ready = server.get("/readyz").await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(ready.json()["journal"].as_str().unwrap().contains("since a write failed"), "{}", ready.text());
        // What was recorded can still be read.
        assert_eq!(server.total("action=BEFORE").await, 1);
        assert_eq!(server.total("action=LOST").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_acta_records_about_itself_nobody_else_can() {
    let server = Server::start();
    for action in ["log.policy", "log.erase", "log.anything", "VIEW_AUDIT_LOGS"] {
        let answer = server.post(event(action).to_string()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.problem().contains("/action: is one that only Acta itself records"), "{}", answer.problem());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_is_not_told_where_another_teams_event_stands() {
    let server = Server::start();
    let mut secret = event("PAGE_VIEW");
    secret["id"] = "deal".into();
    secret["team"] = "board".into();
    let place = server.post(secret.to_string()).await.json();
    let ops = server.new_key(&[KeyScope::EventsWrite], Some("ops"));
    let mut probe = event("PAGE_VIEW");
    probe["id"] = "deal".into();
    let request = server.request("POST", "/v1/events", &ops).header("content-type", "application/json");
    let answer = server.send(request.body(probe.to_string().into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(!answer.text().contains(place["event_id"].as_str().unwrap()), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_refused_in_brief() {
    let server = Server::start();
    let unknown: Vec<String> = (0..16).map(|k| format!("\"x{k}\":1")).collect();
    let item = format!("{{{}}}", unknown.join(","));
    let answer = server.post(format!("[{}]", vec![item; 5_000].join(","))).await;
    assert_eq!(answer.json()["rejected"], 5_000);
    assert!(answer.body.len() < 3_000_000, "{}", answer.body.len());
    let bomb = gzip(format!("[{}0]", "0,".repeat(4_000_000)).as_bytes());
    let answer = server.post_with(&[("content-type", "application/json"), ("content-encoding", "gzip")], bomb).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
