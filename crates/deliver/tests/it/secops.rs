//! Google SecOps: signed assertions, batches within a megabyte of Base64.

use expect_test::expect;
use serde_json::{Value, json};

use crate::doubles::http::{Double, Reply};
use crate::doubles::secops::SecOps;
use crate::support::{deliver, http, message_of, messages, open};

/// The key file of the sample, with this place for tokens.
pub(crate) fn key_file(token_uri: &str) -> Value {
    let mut file: Value = serde_json::from_str(include_str!("../../src/oauth/sample.json")).unwrap();
    file["token_uri"] = json!(token_uri);
    file
}

async fn start() -> Double<SecOps> {
    Double::start(SecOps::new(&key_file(""))).await
}

fn settings(double: &Double<SecOps>) -> Value {
    json!({
        "endpoint": double.url(""), "project": "p-1", "location": "eu", "instance": "i-1", "log_type": "ACTA_AUDIT",
        "forwarder": "f-1", "namespace": "production", "credentials": key_file(&double.url("/token")).to_string(),
    })
}

#[tokio::test]
async fn logs_arrive_once_with_one_token() {
    let double = start().await;
    let transport = open("google_secops", &settings(&double));
    let all = messages(2_000);
    for _ in 0..2 {
        let done = deliver(&*transport, &all).await;
        assert_eq!((done.delivered, done.poison.len()), (2_000, 0));
    }
    double.see(|it| {
        assert_eq!((it.logs.len(), it.tokens.given), (2_000, 1));
        assert_eq!(it.logs[7].0.as_bytes(), &all[7].body[..]);
        assert_eq!(it.logs[7].1, all[7].recorded.event.occurred_at.to_string());
    });
}

#[tokio::test]
async fn the_largest_batch_and_the_largest_message_fit() {
    let double = start().await;
    let transport = open("google_secops", &settings(&double));
    let limits = transport.limits();
    let all: Vec<_> = (0..2_000).map(|n| message_of(n, "x".repeat(5_000))).collect();
    let done = deliver(&*transport, &all).await;
    assert_eq!((done.delivered, done.poison.len()), (2_000, 0));
    assert!(done.answers.iter().all(|raw| raw.starts_with("HTTP 200")));
    let one = [message_of(1, "x".repeat(limits.message_bytes))];
    assert_eq!(deliver(&*transport, &one).await.delivered, 1);
    double.see(|it| assert_eq!(it.logs.len(), 2_001));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let double = start().await;
    let transport = open("google_secops", &settings(&double));
    assert_eq!(deliver(&*transport, &messages(1)).await.sent, 1);
    double.see(|it| it.tokens.revoked = 1);
    assert_eq!(deliver(&*transport, &messages(2)).await.sent, 1);
    double.see(|it| assert_eq!((it.tokens.given, it.logs.len()), (2, 3)));
}

#[tokio::test]
async fn answers_have_their_meanings() {
    let double = start().await;
    let transport = open("google_secops", &settings(&double));
    deliver(&*transport, &messages(1)).await;
    let mut table = String::new();
    for (status, text) in [
        (400, "Request payload size exceeds the limit: 1000000 bytes."),
        (400, "Request contains an invalid argument."),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
    ] {
        double.script([Reply::new(status, text)]);
        table.push_str(&format!("{status} {text}: {:?}\n", transport.send(&messages(2)).await.verdict));
    }
    expect![[r#"
        400 Request payload size exceeds the limit: 1000000 bytes.: Split
        400 Request contains an invalid argument.: Refused
        403 PERMISSION_DENIED: Retry { after: None }
        404 NOT_FOUND: Retry { after: None }
        429 RESOURCE_EXHAUSTED: Retry { after: None }
        500 INTERNAL: Retry { after: None }
        503 UNAVAILABLE: Retry { after: None }
    "#]]
    .assert_eq(&table);
}

#[tokio::test]
async fn a_naive_sender_fails_here() {
    let double = start().await;
    let forged = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}", "e30.e30.e30");
    let request = http::Request::post(double.url("/token")).header("content-type", "application/x-www-form-urlencoded");
    let answer = http().send(request.body(forged.into()).unwrap()).await.unwrap();
    assert_eq!(answer.status.as_u16(), 401);
    deliver(&*open("google_secops", &settings(&double)), &messages(1)).await;
    let send = async |body: Value| {
        let url = double.url("/v1alpha/projects/p-1/locations/eu/instances/i-1/logTypes/ACTA_AUDIT/logs:import");
        let request = http::Request::post(url).header("authorization", "Bearer token-1");
        http().send(request.body(body.to_string().into()).unwrap()).await.unwrap().status.as_u16()
    };
    let forwarder = "projects/p-1/locations/eu/instances/i-1/forwarders/f-1";
    let log = |at: &str, data: &str| json!({ "data": data, "log_entry_time": "2026-11-21T09:00:00Z", "collection_time": at, "labels": {} });
    let body = |log: Value| json!({ "inline_source": { "logs": [log], "forwarder": forwarder } });
    assert_eq!(send(body(log("2026-11-21T08:00:00Z", "e30="))).await, 400, "collected before it happened");
    assert_eq!(send(body(log("2026-11-21T09:00:00Z", "{\"not\":\"base64\"}"))).await, 400);
    assert_eq!(send(body(log("2026-11-21T09:00:00Z", &"A".repeat(1_000_000)))).await, 400);
    assert_eq!(send(json!({ "logs": [log("2026-11-21T09:00:00Z", "e30=")] })).await, 400);
    double.see(|it| assert_eq!(it.logs.len(), 1));
}
