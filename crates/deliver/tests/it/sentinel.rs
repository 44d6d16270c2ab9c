//! Sentinel: tokens, columns, and two limits that cut without a word.

use expect_test::expect;
use serde_json::{Value, json};

use crate::doubles::http::{Double, Reply};
use crate::doubles::sentinel::Sentinel;
use crate::support::{deliver, http, message_of, messages, open};

/// A rule as [`deliver::sentinel::collection_rule`] declares it.
async fn start() -> Double<Sentinel> {
    let rule = deliver::sentinel::collection_rule("westeurope", "/subscriptions/s/workspaces/w");
    let columns = rule["properties"]["streamDeclarations"]["Custom-ActaAudit_CL"]["columns"].as_array().unwrap().clone();
    Double::start(Sentinel::new(columns.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect())).await
}

fn settings(double: &Double<Sentinel>) -> Value {
    json!({
        "endpoint": double.url(""), "authority": double.url(""), "rule_id": "dcr-1", "tenant": "tenant-1",
        "client_id": "client-1", "client_secret": "s3cr3t~&=+",
    })
}

#[tokio::test]
async fn events_become_rows_with_one_token() {
    let double = start().await;
    let transport = open("sentinel", &settings(&double));
    let mut all = messages(3_000);
    all[1] = message_of(1, "CEF:0|Acta|\\|");
    let done = deliver(&*transport, &all).await;
    assert_eq!((done.delivered, done.poison.len()), (3_000, 0));
    double.see(|it| {
        assert_eq!((it.rows.len(), it.cut, it.lost, it.tokens.given), (3_000, 0, 0, 1));
        expect![[r#"
            {
              "TimeGenerated": "2026-11-21T09:00:00.123Z",
              "EventId": "01a1fd55-7afb-7000-8707-070707070707",
              "Part": 0,
              "LogIndex": 0,
              "Organization": "Acme",
              "Action": "LOGIN",
              "Outcome": "success",
              "Event": {
                "event_id": "01a1fd55-7afb-7000-8707-070707070707",
                "n": 0,
                "text": "plain"
              },
              "Shortened": false
            }
            {
              "TimeGenerated": "2026-11-21T09:00:01.123Z",
              "EventId": "01a1fd55-7ee3-7001-8707-070707070707",
              "Part": 0,
              "LogIndex": 1,
              "Organization": "Acme",
              "Action": "LOGIN",
              "Outcome": "success",
              "EventText": "CEF:0|Acta|\\|",
              "Shortened": false
            }"#]]
        .assert_eq(&format!("{:#}\n{:#}", json!(it.rows[0]), json!(it.rows[1])));
    });
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let double = start().await;
    let transport = open("sentinel", &settings(&double));
    assert_eq!(deliver(&*transport, &messages(1)).await.sent, 1);
    double.see(|it| it.tokens.revoked = 1);
    assert_eq!(deliver(&*transport, &messages(1)).await.sent, 1);
    double.see(|it| assert_eq!(it.tokens.given, 2));
    double.see(|it| it.tokens.revoked = usize::MAX);
    let answer = transport.send(&messages(1)).await;
    expect![[r#"Answer { verdict: Retry { after: None }, raw: "HTTP 401 Unauthorized: {\"error\":{\"code\":\"InvalidToken\",\"message\":\"…\"}}" }"#]].assert_eq(&format!("{answer:?}"));
    double.see(|it| assert_eq!(it.tokens.given, 3));
}

#[tokio::test]
async fn a_token_that_expires_is_replaced_before() {
    let double = start().await;
    double.see(|it| it.tokens.expires_in = 0);
    let transport = open("sentinel", &settings(&double));
    for _ in 0..2 {
        assert_eq!(deliver(&*transport, &messages(1)).await.sent, 1);
    }
    double.see(|it| assert_eq!(it.tokens.given, 2));
}

#[tokio::test]
async fn what_is_too_long_is_shortened_by_us_and_says_so() {
    let double = start().await;
    let all: Vec<_> =
        (0..40).map(|n| message_of(n, json!({ "query": "é\"".repeat(200_000), "n": n }).to_string())).collect();
    let done = deliver(&*open("sentinel", &settings(&double)), &all).await;
    assert_eq!((done.delivered, done.poison.len()), (40, 0));
    double.see(|it| {
        assert_eq!((it.rows.len(), it.cut), (40, 0));
        assert!(it.rows.iter().all(|row| row["Shortened"] == true && row["Event"]["n"].is_u64()));
    });
}

#[tokio::test]
async fn text_that_grows_is_sent_in_halves() {
    let double = start().await;
    let all: Vec<_> = (0..30).map(|n| message_of(n, "\"\u{1}".repeat(15_000))).collect();
    let done = deliver(&*open("sentinel", &settings(&double)), &all).await;
    assert_eq!((done.delivered, done.poison.len()), (30, 0));
    assert!(done.answers[0].starts_with("not sent: "), "{}", done.answers[0]);
}

#[tokio::test]
async fn answers_have_their_meanings_and_hold_no_secret() {
    let double = start().await;
    let transport = open("sentinel", &settings(&double));
    deliver(&*transport, &messages(1)).await;
    let mut table = String::new();
    for (status, code) in [
        (413, "ContentLengthLimitExceeded"),
        (429, "Throttled"),
        (503, ""),
        (403, "OperationFailed"),
        (404, "NotFound"),
        (400, "InvalidStream"),
        (400, "InvalidPayload"),
    ] {
        let body = json!({ "error": { "code": code } }).to_string();
        double.script([Reply::new(status, body).with("retry-after", "30")]);
        table.push_str(&format!("{status} {code}: {:?}\n", transport.send(&messages(2)).await.verdict));
    }
    expect![[r#"
        413 ContentLengthLimitExceeded: Split
        429 Throttled: Retry { after: Some(30s) }
        503 : Retry { after: Some(30s) }
        403 OperationFailed: Retry { after: Some(30s) }
        404 NotFound: Retry { after: Some(30s) }
        400 InvalidStream: Retry { after: Some(30s) }
        400 InvalidPayload: Refused
    "#]]
    .assert_eq(&table);
    let mut wrong = settings(&double);
    wrong["client_secret"] = json!("wrong-s3cr3t");
    let answer = open("sentinel", &wrong).send(&messages(1)).await;
    assert!(answer.raw.contains("no token from http://127.0.0.1") && !answer.raw.contains("s3cr3t"), "{}", answer.raw);
}

#[tokio::test]
async fn a_naive_sender_fails_here() {
    let double = start().await;
    deliver(&*open("sentinel", &settings(&double)), &messages(1)).await;
    let send = async |token: &str, rows: Value| {
        let request =
            http::Request::post(double.url("/dataCollectionRules/dcr-1/streams/Custom-ActaAudit_CL?api-version=2023-01-01"))
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json");
        http().send(request.body(rows.to_string().into()).unwrap()).await.unwrap().status.as_u16()
    };
    assert_eq!(send("token-0", json!([{}])).await, 401);
    assert_eq!(send("token-1", json!({})).await, 400);
    let many: Vec<Value> = (0..2_000).map(|n| json!({ "Event": "x".repeat(1_000), "n": n })).collect();
    assert_eq!(send("token-1", json!(many)).await, 413);
    // Both are taken, and half of them is gone.
    assert_eq!(send("token-1", json!([{ "Event": "x".repeat(70_000) }, { "actor": "ada" }])).await, 204);
    double.see(|it| assert_eq!((it.cut, it.lost), (1, 1)));
}
