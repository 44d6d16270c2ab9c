//! Elastic: each item by its own status, documents as data streams want them.

use expect_test::expect;
use serde_json::{Value, json};

use crate::doubles::elastic::Elastic;
use crate::doubles::http::{Double, Reply};
use crate::support::{deliver, http, message, message_of, messages, open};

const KEY: &str = "key-1:s3cr3t";
const SHOWN: &str = "ApiKey a2V5LTE6czNjcjN0";

fn settings(double: &Double<Elastic>) -> Value {
    json!({ "url": double.url(""), "api_key": KEY })
}

#[tokio::test]
async fn each_document_is_named_by_its_message_and_a_repeat_is_none() {
    let double = Double::start(Elastic::new(SHOWN)).await;
    let transport = open("elastic", &settings(&double));
    let all = messages(2_500);
    let done = deliver(&*transport, &all).await;
    assert_eq!((done.delivered, done.sent), (2_500, 3));
    let again = deliver(&*transport, &all).await;
    assert_eq!((again.delivered, again.sent), (2_500, 3));
    double.see(|it| {
        assert_eq!(it.documents.len(), 2_500);
        let document = &it.documents[&all[3].key()];
        assert_eq!(document["@timestamp"], all[3].recorded.event.occurred_at.to_string());
        assert_eq!(document["n"], 3);
    });
}

#[tokio::test]
async fn bodies_that_are_no_document_become_one() {
    let double = Double::start(Elastic::new(SHOWN)).await;
    let all = [
        message_of(1, "CEF:0|Acta|\"quoted\""),
        message_of(2, "[1,2]"),
        message_of(3, "{}"),
        message_of(4, "{\"@timestamp\":\"2026-01-01T00:00:00Z\",\"a\":1}"),
        message_of(5, "{ \"b\":2}"),
    ];
    assert_eq!(deliver(&*open("elastic", &settings(&double)), &all).await.delivered, 5);
    let table: String = double.see(|it| it.documents.values().map(|document| format!("{document}\n")).collect());
    expect![[r#"
        {"@timestamp":"2026-11-21T09:00:01.123Z","event":{"id":"01a1fd55-7ee3-7001-8707-070707070707"},"message":"CEF:0|Acta|\"quoted\""}
        {"@timestamp":"2026-11-21T09:00:02.123Z","event":{"id":"01a1fd55-82cb-7002-8707-070707070707"},"message":"[1,2]"}
        {"@timestamp":"2026-11-21T09:00:03.123Z"}
        {"@timestamp":"2026-01-01T00:00:00Z","a":1}
        {"@timestamp":"2026-11-21T09:00:05.123Z","b":2}
    "#]].assert_eq(&table);
}

#[tokio::test]
async fn only_what_is_refused_is_lost_and_only_what_is_left_over_comes_again() {
    let double = Double::start(Elastic::new(SHOWN)).await;
    double.see(|it| it.queue = 4);
    let mut all = messages(10);
    all[1] = message_of(1, "{\"source\":{\"ip\":\"nowhere\"}}");
    let done = deliver(&*open("elastic", &settings(&double)), &all).await;
    assert_eq!((done.delivered, done.sent), (9, 3));
    expect![[r#"
        [
            (
                1,
                "400 document_parsing_exception: failed to parse field [source.ip]: nowhere xxxxxxxxxx",
            ),
        ]"#]]
    .assert_eq(&format!("{:#?}", done.poison));
    double.see(|it| assert_eq!(it.documents.len(), 9));
}

#[tokio::test]
async fn an_answer_that_is_too_long_to_read_makes_smaller_batches() {
    let double = Double::start(Elastic::new(SHOWN)).await;
    double.see(|it| it.wordy = 3_000);
    let mut all = messages(600);
    for (n, one) in (0..).zip(&mut all).skip(200) {
        *one = message_of(n, "{\"source\":{\"ip\":\"nowhere\"}}");
    }
    let done = deliver(&*open("elastic", &settings(&double)), &all).await;
    assert_eq!((done.delivered, done.poison.len(), done.sent), (200, 400, 3));
}

#[tokio::test]
async fn whole_answers_have_their_meanings() {
    let double = Double::start(Elastic::new(SHOWN)).await;
    let transport = open("elastic", &settings(&double));
    let mut table = String::new();
    for (status, body) in [
        (413, ""),
        (429, "busy"),
        (503, "away"),
        (401, "who?"),
        (403, "no"),
        (404, "{}"),
        (400, "{}"),
        (302, ""),
        (200, "<html>"),
    ] {
        double.script([Reply::new(status, body).with("retry-after", "7")]);
        let answer = transport.send(&messages(2)).await;
        table.push_str(&format!("{status}: {:?}\n", answer.verdict));
    }
    expect![[r#"
        413: Split
        429: Retry { after: Some(7s) }
        503: Retry { after: Some(7s) }
        401: Retry { after: Some(7s) }
        403: Retry { after: Some(7s) }
        404: Retry { after: Some(7s) }
        400: Refused
        302: Retry { after: Some(7s) }
        200: Retry { after: Some(7s) }
    "#]]
    .assert_eq(&table);
    double.see(|it| it.authorization = "ApiKey other".to_owned());
    let answer = transport.send(&messages(1)).await;
    assert!(answer.raw.contains("security_exception") && !answer.raw.contains("a2V5"), "{}", answer.raw);
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let double = Double::start(Elastic::new(SHOWN)).await;
    double.script([Reply::hang_up()]);
    let done = deliver(&*open("elastic", &settings(&double)), &messages(2)).await;
    assert_eq!((done.delivered, done.sent), (2, 2));
}

#[tokio::test]
async fn a_naive_sender_fails_here() {
    let double = Double::start(Elastic::new(SHOWN)).await;
    let url = double.url("/logs-acta.audit-default/_bulk");
    let send = async |content_type: &str, body: String| {
        let request = http::Request::post(&url).header("authorization", SHOWN).header("content-type", content_type);
        let answer = http().send(request.body(body.into()).unwrap()).await.unwrap();
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).contains("\"status\":400"))
    };
    let document = "{\"@timestamp\":\"2026-01-01T00:00:00Z\"}";
    assert_eq!(send("application/json", format!("{{\"create\":{{}}}}\n{document}\n")).await.0, 406);
    assert_eq!(send("application/x-ndjson", format!("{{\"create\":{{}}}}\n{document}")).await, (400, true));
    assert_eq!(send("application/x-ndjson", format!("{{\"index\":{{}}}}\n{document}\n")).await, (200, true));
    assert_eq!(send("application/x-ndjson", "{\"create\":{}}\n{\"n\":1}\n".to_owned()).await, (200, true));
    // Without an _id a repeat is a second document.
    for _ in 0..2 {
        assert_eq!(send("application/x-ndjson", format!("{{\"create\":{{}}}}\n{document}\n")).await, (200, false));
    }
    double.see(|it| assert_eq!(it.documents.len(), 2));
    assert_eq!(message(1).key().len(), 36);
}

#[test]
fn the_template_covers_the_stream_and_refuses_no_value() {
    let template = deliver::elastic::index_template(&["logs-acta.audit-*"]);
    let settings = &template["template"]["settings"];
    assert_eq!(template["index_patterns"], json!(["logs-acta.audit-*"]));
    assert_eq!(template["data_stream"], json!({}));
    assert_eq!(settings["index.mapping.ignore_malformed"], true);
    assert_eq!(template["template"]["mappings"]["properties"]["@timestamp"]["type"], "date");
}
