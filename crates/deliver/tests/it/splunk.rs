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
        expect![[r#""#]].assert_eq(&serde_json::to_string_pretty(&it.indexed[1]).unwrap());
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
    assert_eq!((done.delivered, done.sent), (18, 3));
    expect![[r#""#]].assert_eq(&format!("{:?}", done.poison));
    double.see(|it| assert_eq!(it.indexed.len(), 18));
}

#[tokio::test(start_paused = true)]
async fn with_acknowledgement_a_batch_has_arrived_when_the_indexers_have_it() {
    let mut splunk = Splunk::new(TOKEN);
    splunk.acknowledges = true;
    let double = Double::start(splunk).await;
    let transport = open("splunk", &settings(&double, json!({"acknowledge": true})));
    for lot in messages(30).chunks(10) {
        let answer = transport.send(lot).await;
        assert_eq!(answer.verdict, follow::Verdict::Delivered, "{}", answer.raw);
        assert!(answer.raw.contains("acknowledged"), "{}", answer.raw);
    }
    // One question first, then three batches, each asked about three times.
    assert_eq!(double.asked().len(), 1 + 3 * 4);
    double.see(|it| assert_eq!(it.indexed.len(), 30));
    let channels: std::collections::BTreeSet<_> =
        double.asked().iter().map(|asked| asked.header("x-splunk-request-channel").unwrap().to_owned()).collect();
    assert_eq!(channels.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_acknowledged_is_sent_again() {
    let mut splunk = Splunk::new(TOKEN);
    splunk.acknowledges = true;
    splunk.slow = 1_000_000;
    let double = Double::start(splunk).await;
    let transport = open("splunk", &settings(&double, json!({"acknowledge": true})));
    let answer = transport.send(&messages(1)).await;
    assert_eq!(answer.verdict, follow::Verdict::Retry { after: None });
    expect![[r#""#]].assert_eq(&answer.raw);
    let polls = double.asked().len();
    assert!((30..50).contains(&polls), "{polls} polls");
    double.see(|it| it.slow = 0);
    assert_eq!(transport.send(&messages(1)).await.verdict, follow::Verdict::Delivered);
}

#[tokio::test]
async fn a_token_without_acknowledgement_is_told_before_anything_is_sent() {
    let double = Double::start(Splunk::new(TOKEN)).await;
    let answer = open("splunk", &settings(&double, json!({"acknowledge": true}))).send(&messages(1)).await;
    expect![[r#""#]].assert_eq(&format!("{:?} | {}", answer.verdict, answer.raw));
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
    expect![[r#""#]].assert_eq(&table);
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
    expect![[r#""#]].assert_eq(&table);
    double.see(|it| assert_eq!(it.indexed.last().unwrap()["time"], 1_795_251_600.0));
    let deflated = http::Request::post(double.url("/services/collector")).header("content-encoding", "deflate");
    let deflated = deflated.header("authorization", format!("Splunk {TOKEN}")).header("x-splunk-request-channel", TOKEN);
    assert_eq!(http().send(deflated.body("x".into()).unwrap()).await.unwrap().status, 415);
}
