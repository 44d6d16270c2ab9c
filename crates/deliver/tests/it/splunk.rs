//! Splunk: what is indexed, one bad event among good ones, acknowledgement, and codes.

use expect_test::expect;
use serde_json::{Value, json};

use crate::doubles::http::{Double, Reply};
use crate::doubles::splunk::Splunk;
use crate::support::{NASTY, deliver, http, message_of, messages, open};

const TOKEN: &str = "b0221cd8-c4b4-465a-9a3c-273e3a75aa29";

fn settings(double: &Double<Splunk>, more: Value) -> Value {
    let mut all = json!({"url": double.url(""), "token": TOKEN, "index": "audit"});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

#[tokio::test]
async fn events_are_indexed_whole_at_their_time() {
    let double = Double::start(Splunk::new(TOKEN)).await;
    let mut all = messages(2000);
    all.extend(NASTY.iter().enumerate().map(|(n, text)| message_of(2000 + n as u64, *text)));
    let done = deliver(&*open("splunk", &settings(&double, json!({}))), &all).await;
    assert_eq!((done.delivered, done.poison.len()), (all.len(), 0));
    double.see(|it| {
        assert_eq!((it.indexed.len(), it.lost), (all.len(), 0));
        for (object, message) in it.indexed.iter().zip(&all) {
            let seconds = object["time"].as_f64().unwrap();
            assert!((seconds * 1000.0 - message.recorded.event.occurred_at.as_millis() as f64).abs() < 0.5);
            let text = String::from_utf8(message.body.to_vec()).unwrap();
            let whole = if text.starts_with('{') { serde_json::from_str(&text).unwrap() } else { Value::String(text) };
            assert_eq!(object["event"], whole);
        }
        expect![[r#"
            {
              "time": 1795251601.123,
              "host": "acta",
              "source": "acta",
              "sourcetype": "acta:audit",
              "index": "audit",
              "event": {
                "event_id": "01a1fd55-7ee3-7001-8707-070707070707",
                "n": 1,
                "text": "quotes \" and \\ backslashes"
              },
              "fields": {
                "event_id": "01a1fd55-7ee3-7001-8707-070707070707",
                "event_index": 1,
                "organization": "Acme",
                "action": "LOGIN"
              }
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&it.indexed[1]).unwrap());
    });
}

#[tokio::test]
async fn any_form_of_the_collectors_url_will_do() {
    let double = Double::start(Splunk::new(TOKEN)).await;
    for path in ["", "/", "/services/collector", "/services/collector/", "/services/collector/event"] {
        let transport = open("splunk", &settings(&double, json!({"url": double.url(path)})));
        assert_eq!(deliver(&*transport, &messages(1)).await.sent, 1, "{path}");
    }
}

#[tokio::test]
async fn one_bad_event_does_not_stop_the_others_and_none_is_indexed_twice() {
    let double = Double::start(Splunk::new(TOKEN)).await;
    let mut all = messages(20);
    all[5] = message_of(5, "");
    all[19] = message_of(19, "");
    let done = deliver(&*open("splunk", &settings(&double, json!({}))), &all).await;
    assert_eq!((done.delivered, done.sent), (18, 2));
    expect![[r#"[(5, "Splunk: Event field cannot be blank"), (19, "Splunk: Event field cannot be blank")]"#]]
        .assert_eq(&format!("{:?}", done.poison));
    double.see(|it| assert_eq!(it.indexed.len(), 18));
}

#[tokio::test]
async fn with_acknowledgement_a_batch_has_arrived_when_the_indexers_have_it() {
    let mut splunk = Splunk::new(TOKEN);
    splunk.acknowledges = true;
    splunk.slow = 1;
    let double = Double::start(splunk).await;
    let transport = open("splunk", &settings(&double, json!({"acknowledge": true})));
    for lot in messages(20).chunks(10) {
        let answer = transport.send(lot).await;
        assert_eq!(answer.verdict, follow::Verdict::Delivered, "{}", answer.raw);
        assert!(answer.raw.contains("acknowledged"), "{}", answer.raw);
    }
    // One question first, then two batches, each asked about twice.
    assert_eq!(double.asked().len(), 1 + 2 * 3);
    double.see(|it| assert_eq!(it.indexed.len(), 20));
    let channels: std::collections::BTreeSet<_> =
        double.asked().iter().map(|asked| asked.header("x-splunk-request-channel").unwrap().to_owned()).collect();
    assert_eq!(channels.len(), 1);
}

#[tokio::test]
async fn what_is_not_acknowledged_is_sent_again() {
    let mut splunk = Splunk::new(TOKEN);
    splunk.acknowledges = true;
    splunk.slow = 1_000_000;
    let double = Double::start(splunk).await;
    let transport = open("splunk", &settings(&double, json!({"acknowledge": true, "acknowledge_within": 1})));
    let answer = transport.send(&messages(1)).await;
    assert_eq!(answer.verdict, follow::Verdict::Retry { after: None });
    expect![[r#"HTTP 200 OK: {"text":"Success","code":0,"ackId":0}; not acknowledged by the indexers within 1 s"#]]
        .assert_eq(&answer.raw);
    double.see(|it| it.slow = 0);
    assert_eq!(transport.send(&messages(1)).await.verdict, follow::Verdict::Delivered);
}

#[tokio::test]
async fn a_token_without_acknowledgement_is_told_before_anything_is_sent() {
    let double = Double::start(Splunk::new(TOKEN)).await;
    let answer = open("splunk", &settings(&double, json!({"acknowledge": true}))).send(&messages(1)).await;
    expect![[r#"Retry { after: None } | nothing was sent: asked whether the token acknowledges, Splunk said HTTP 400 Bad Request: {"text":"ACK is disabled","code":14}"#]].assert_eq(&format!("{:?} | {}", answer.verdict, answer.raw));
    double.see(|it| assert_eq!(it.indexed.len(), 0));
}

#[tokio::test]
async fn what_codes_mean() {
    let double = Double::start(Splunk::new(TOKEN)).await;
    let transport = open("splunk", &settings(&double, json!({})));
    let codes = [
        (403, 1),
        (401, 2),
        (401, 3),
        (403, 4),
        (400, 5),
        (400, 6),
        (400, 7),
        (500, 8),
        (503, 9),
        (400, 10),
        (400, 11),
        (400, 14),
        (400, 16),
        (503, 18),
        (503, 20),
        (503, 23),
        (200, 24),
        (200, 25),
        (429, 26),
        (429, 27),
        (413, 0),
        (415, 0),
        (404, 0),
    ];
    let mut table = String::new();
    for (status, code) in codes {
        double.script([Reply::new(status, json!({"text": "said", "code": code}).to_string())]);
        let answer = transport.send(&messages(2)).await;
        table.push_str(&format!("{code:2} {status} {:?}\n", answer.verdict));
    }
    double.script([Reply::new(400, "<html>a proxy</html>")]);
    let answer = transport.send(&messages(2)).await;
    table.push_str(&format!("{:?} | {}\n", answer.verdict, answer.raw));
    double.script([Reply::new(403, format!("token {TOKEN} unknown"))]);
    table.push_str(&transport.send(&messages(2)).await.raw);
    expect![[r#"
         1 403 Retry { after: None }
         2 401 Retry { after: None }
         3 401 Retry { after: None }
         4 403 Retry { after: None }
         5 400 Refused
         6 400 Refused
         7 400 Retry { after: None }
         8 500 Retry { after: None }
         9 503 Retry { after: None }
        10 400 Retry { after: None }
        11 400 Retry { after: None }
        14 400 Retry { after: None }
        16 400 Retry { after: None }
        18 503 Retry { after: None }
        20 503 Retry { after: None }
        23 503 Retry { after: None }
        24 200 Delivered
        25 200 Delivered
        26 429 Retry { after: None }
        27 429 Retry { after: None }
         0 413 Split
         0 415 Retry { after: None }
         0 404 Retry { after: None }
        Refused | HTTP 400 Bad Request: <html>a proxy</html>
        HTTP 403 Forbidden: token ******** unknown"#]]
    .assert_eq(&table);
}

/// The double is as strict as it should be: who knows nothing of its traps fails on each.
#[tokio::test]
async fn a_naive_sender_fails() {
    let mut splunk = Splunk::new(TOKEN);
    splunk.acknowledges = true;
    let double = Double::start(splunk).await;
    let mut table = String::new();
    let large = json!({"event": "x".repeat(1_100_000)}).to_string();
    let bodies = [
        ("no channel", r#"{"event":"x"}"#, None, TOKEN),
        ("no guid", r#"{"event":"x"}"#, Some("1"), TOKEN),
        ("wrong token", r#"{"event":"x"}"#, Some(TOKEN), "x"),
        ("array", r#"[{"event":"x"}]"#, Some(TOKEN), TOKEN),
        ("empty", " ", Some(TOKEN), TOKEN),
        ("no event", r#"{"event":"a"}{"time":1}"#, Some(TOKEN), TOKEN),
        ("null", r#"{"event":null}"#, Some(TOKEN), TOKEN),
        ("blank", r#"{"event":""}"#, Some(TOKEN), TOKEN),
        ("nested", r#"{"event":"x","fields":{"a":{"b":1}}}"#, Some(TOKEN), TOKEN),
        ("index", r#"{"event":"x","index":"other"}"#, Some(TOKEN), TOKEN),
        ("unknown member", r#"{"event":"x","event_id":"1"}"#, Some(TOKEN), TOKEN),
        ("milliseconds", r#"{"event":"x","time":1795251600000}"#, Some(TOKEN), TOKEN),
        ("too large", &large, Some(TOKEN), TOKEN),
    ];
    for (what, body, channel, token) in bodies {
        let mut request =
            http::Request::post(double.url("/services/collector/event")).header("authorization", format!("Splunk {token}"));
        if let Some(channel) = channel {
            request = request.header("x-splunk-request-channel", channel);
        }
        let answer = http().send(request.body(body.to_owned().into()).unwrap()).await.unwrap();
        let (lost, indexed) = double.see(|it| (it.lost, it.indexed.len()));
        table.push_str(&format!("{what}: {} ({indexed} indexed, {lost} lost)\n", answer.raw()));
    }
    expect![[r#"
        no channel: HTTP 400 Bad Request: {"text":"Data channel is missing","code":10} (0 indexed, 0 lost)
        no guid: HTTP 400 Bad Request: {"text":"Invalid data channel","code":11} (0 indexed, 0 lost)
        wrong token: HTTP 403 Forbidden: {"text":"Invalid token","code":4} (0 indexed, 0 lost)
        array: HTTP 400 Bad Request: {"text":"Invalid data format","code":6,"invalid-event-number":0} (0 indexed, 0 lost)
        empty: HTTP 400 Bad Request: {"text":"No data","code":5} (0 indexed, 0 lost)
        no event: HTTP 400 Bad Request: {"text":"Event field is required","code":12,"invalid-event-number":1} (1 indexed, 0 lost)
        null: HTTP 400 Bad Request: {"text":"Invalid data format","code":6,"invalid-event-number":0} (1 indexed, 0 lost)
        blank: HTTP 400 Bad Request: {"text":"Event field cannot be blank","code":13,"invalid-event-number":0} (1 indexed, 0 lost)
        nested: HTTP 400 Bad Request: {"text":"Error in handling indexed fields","code":15,"invalid-event-number":0} (1 indexed, 0 lost)
        index: HTTP 400 Bad Request: {"text":"Incorrect index","code":7,"invalid-event-number":0} (1 indexed, 0 lost)
        unknown member: HTTP 200 OK: {"text":"Success","code":0,"ackId":0} (1 indexed, 1 lost)
        milliseconds: HTTP 200 OK: {"text":"Success","code":0,"ackId":1} (2 indexed, 1 lost)
        too large: HTTP 413 Payload Too Large: Content-Length too large (2 indexed, 1 lost)
    "#]].assert_eq(&table);
    double.see(|it| assert_eq!(it.indexed.last().unwrap()["time"], 1_795_251_600.0));
    let deflated = http::Request::post(double.url("/services/collector")).header("content-encoding", "deflate");
    let deflated = deflated.header("authorization", format!("Splunk {TOKEN}")).header("x-splunk-request-channel", TOKEN);
    assert_eq!(http().send(deflated.body("x".into()).unwrap()).await.unwrap().status, 415);
}
