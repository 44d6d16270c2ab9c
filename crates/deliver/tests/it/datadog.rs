//! Datadog: limits, codes, and the log that would be cut without a word.

use expect_test::expect;
use serde_json::{Value, json};

use crate::doubles::datadog::Datadog;
use crate::doubles::http::{Double, Reply};
use crate::support::{NASTY, deliver, http, message_of, messages, open};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn settings(double: &Double<Datadog>) -> Value {
    json!({"url": double.url("/api/v2/logs"), "api_key": KEY, "tags": ["env:production", "team:é"], "hostname": "acta.example"})
}

#[tokio::test]
async fn events_arrive_with_the_attributes_that_datadog_knows() {
    let double = Double::start(Datadog::new(KEY)).await;
    let all = messages(2500);
    let done = deliver(&*open("datadog", &settings(&double)), &all).await;
    assert_eq!((done.delivered, done.sent), (2500, 3));
    double.see(|it| {
        assert_eq!((it.logs.len(), it.cut), (2500, 0));
        for (log, message) in it.logs.iter().zip(&all) {
            assert_eq!(log["message"].as_str().unwrap().as_bytes(), &message.body[..]);
            assert_eq!(log["acta"]["event_id"], message.recorded.event_id.to_string());
        }
        assert_eq!(it.logs[3]["usr"]["name"], NASTY[3]);
        expect![[r#"
            {
              "message": "{\"event_id\":\"01a1fd55-82cb-7002-8707-070707070707\",\"n\":2,\"text\":\"line\\nbreak\\r\\nand\\ttab\"}",
              "ddsource": "acta",
              "ddtags": "env:production,team:é",
              "hostname": "acta.example",
              "service": "acta-audit",
              "timestamp": "2026-11-21T09:00:02.123Z",
              "status": "warning",
              "usr": {
                "id": "u_2",
                "name": "line\nbreak\r\nand\ttab",
                "email": "ada@example.com"
              },
              "network": {
                "client": {
                  "ip": "198.51.100.7"
                }
              },
              "http": {
                "useragent": "line\nbreak\r\nand\ttab"
              },
              "evt": {
                "name": "LOGIN",
                "outcome": "failure",
                "category": "Sign-in"
              },
              "duration": 12000000,
              "acta": {
                "event_id": "01a1fd55-82cb-7002-8707-070707070707",
                "index": 2,
                "organization": "Acme"
              }
            }"#]].assert_eq(&serde_json::to_string_pretty(&it.logs[2]).unwrap());
    });
}

#[tokio::test]
async fn a_log_that_would_be_cut_is_shortened_and_says_so() {
    let double = Double::start(Datadog::new(KEY)).await;
    let long = format!("{{\"text\":\"{}\"}}", "\\\"é\\u0001x".repeat(200_000));
    let all = [message_of(1, "{\"n\":1}"), message_of(2, long.clone()), message_of(3, "{\"n\":3}")];
    let done = deliver(&*open("datadog", &settings(&double)), &all).await;
    assert_eq!(done.delivered, 3);
    double.see(|it| {
        assert_eq!((it.logs.len(), it.cut), (3, 0));
        let (kept, note) = (it.logs[1]["message"].as_str().unwrap(), &it.logs[1]["acta"]["shortened"]);
        assert!(long.starts_with(kept) && kept.len() > 500_000);
        assert_eq!(
            (note["message_bytes"].as_u64(), note["kept_bytes"].as_u64()),
            (Some(long.len() as u64), Some(kept.len() as u64))
        );
        assert!((999_900..=1_000_000).contains(&it.logs[1].to_string().len()), "{}", it.logs[1].to_string().len());
        assert!(it.logs[0]["acta"].get("shortened").is_none());
    });
}

#[tokio::test]
async fn the_largest_batch_fits_whatever_is_in_it() {
    let double = Double::start(Datadog::new(KEY)).await;
    let transport = open("datadog", &settings(&double));
    let body = format!("[{}]", "\"\",".repeat(900));
    let all: Vec<_> = (0..1000).map(|n| message_of(n, body.clone())).collect();
    let done = deliver(&*transport, &all).await;
    assert_eq!((done.delivered, done.poison.len()), (1000, 0));
    assert!(!done.answers.iter().any(|said| said.contains("413")), "{:?}", done.answers);
}

#[tokio::test]
async fn what_answers_mean() {
    let double = Double::start(Datadog::new("another")).await;
    let transport = open("datadog", &settings(&double));
    let mut table = String::new();
    for status in [0, 400, 403, 408, 413, 429, 500, 503] {
        if status != 0 {
            double.script([Reply::new(status, format!("no: {KEY}"))]);
        }
        let answer = transport.send(&messages(2)).await;
        table.push_str(&format!("{:?} | {}\n", answer.verdict, answer.raw));
    }
    expect![[r#"
        Retry { after: None } | HTTP 403 Forbidden: {"errors":[{"status":"403","title":"Forbidden"}]}
        Refused | HTTP 400 Bad Request: no: ********
        Retry { after: None } | HTTP 403 Forbidden: no: ********
        Retry { after: None } | HTTP 408 Request Timeout: no: ********
        Split | HTTP 413 Payload Too Large: no: ********
        Retry { after: None } | HTTP 429 Too Many Requests: no: ********
        Retry { after: None } | HTTP 500 Internal Server Error: no: ********
        Retry { after: None } | HTTP 503 Service Unavailable: no: ********
    "#]]
    .assert_eq(&table);
}

/// The double is as strict as it should be: who knows nothing of the limits fails on each.
#[tokio::test]
async fn a_naive_sender_fails() {
    let double = Double::start(Datadog::new(KEY)).await;
    let post = async |key: &str, body: String| {
        let request = http::Request::post(double.url("/api/v2/logs")).header("dd-api-key", key);
        let request = request.header("content-type", "application/json").body(body.into()).unwrap();
        http().send(request).await.unwrap().status.as_u16()
    };
    let logs = |count: usize, text: &str| json!(vec![json!({"message": text}); count]).to_string();
    let answers = [
        post("wrong", logs(1, "x")).await,
        post(KEY, logs(1001, "x")).await,
        post(KEY, logs(10, &"x".repeat(600_000))).await,
        post(KEY, json!([{"text": "no message"}]).to_string()).await,
        post(KEY, logs(1, &"x".repeat(1_100_000))).await,
    ];
    // The last was taken, and is not whole.
    assert_eq!(answers, [403, 413, 413, 400, 202]);
    double.see(|it| assert_eq!((it.cut, it.logs[0]["message"].as_str().unwrap().len()), (1, 1000)));
}
