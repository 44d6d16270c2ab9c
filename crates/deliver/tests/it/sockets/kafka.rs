//! Kafka: against librdkafka's broker, and against one written here that answers as asked.

use std::path::Path;
use std::process::Command;

use deliver::Settings;
use expect_test::expect;
use follow::Verdict;
use serde_json::{Value, json};

use super::events::{messages, open, with_body};
use super::kafka_broker::{Broker, Script};
use super::peer::{Peer, folder};

/// Starts librdkafka's broker; gives its addresses, too.
fn start(packages: &Path) -> (Peer, Value) {
    let python = std::env::var_os("ACTA_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sockets/mock_kafka.py");
    let peer = Peer::start(Command::new(python).env("PYTHONPATH", packages).arg(script));
    let brokers = serde_json::from_str(&peer.line()).unwrap();
    (peer, brokers)
}

fn settings(brokers: &Value, compress: bool) -> Value {
    json!({"brokers": brokers, "topic": "audit", "plain": true, "create_topic": true, "compress": compress, "cloud_events": !compress})
}

#[tokio::test]
async fn librdkafkas_broker_has_everything_in_order() {
    let Some(packages) = folder("ACTA_KAFKA_PEER", "librdkafka's broker") else { return };
    for compress in [true, false] {
        let all = messages(0, 400);
        let (first, second) = all.split_at(300);
        let (mut peer, brokers) = start(&packages);
        let transport = open("kafka", &settings(&brokers, compress));
        for batch in first.chunks(100) {
            let told = transport.send(batch).await;
            assert_eq!(told.verdict, Verdict::Delivered, "{}", told.raw);
            assert!(told.raw.starts_with("100 records in topic audit, partition "), "{}", told.raw);
        }
        peer.say("audit 300");
        let mut lines: Vec<_> = first.iter().map(|_| peer.line()).collect();
        drop(peer);

        // It keeps nothing, and comes back elsewhere: the batch that was refused goes to the new one.
        assert!(matches!(transport.send(second).await.verdict, Verdict::Retry { .. }));
        let (mut peer, brokers) = start(&packages);
        assert_eq!(open("kafka", &settings(&brokers, compress)).send(second).await.verdict, Verdict::Delivered);
        peer.say("audit 100");
        lines.extend(second.iter().map(|_| peer.line()));

        for (line, message) in lines.iter().zip(&all) {
            let told: Value = serde_json::from_str(line).unwrap();
            assert_eq!(told["value"], std::str::from_utf8(&message.body).unwrap());
            assert_eq!((&told["key"], &told["headers"]["event-id"]), (&json!("7"), &json!(message.key())));
            let at = message.recorded.event.occurred_at.to_string();
            assert_eq!(told["headers"].get("ce_time"), (!compress).then(|| json!(at)).as_ref());
            assert_eq!(told["headers"].get("content-type"), (!compress).then(|| json!("application/json")).as_ref());
            assert_eq!(told["at"], message.recorded.recorded_at().as_millis());
            assert_eq!(told["partition"], serde_json::from_str::<Value>(&lines[0]).unwrap()["partition"]);
        }
    }
}

async fn answer(code: i16) -> (Verdict, String) {
    let broker = Broker::start(Script { produce: code, ..Script::default() }).await;
    let told = open("kafka", &settings(&json!([broker.address()]), true)).send(&messages(0, 3)).await;
    (told.verdict, told.raw.replace(&broker.address(), "broker"))
}

#[tokio::test]
async fn what_brokers_answer_is_understood() {
    let mut table = String::new();
    for code in [0, 3, 6, 10, 18, 19, 29, 32, 87, 99] {
        let (verdict, raw) = answer(code).await;
        table.push_str(&format!("{verdict:?}: {raw}\n"));
    }
    expect![[r#"
        Delivered: 3 records in topic audit, partition 0, from offset 5; all replicas
        Retry { after: None }: broker: UNKNOWN_TOPIC_OR_PARTITION (3) for 3 records, partition 0 of topic audit
        Retry { after: None }: broker: NOT_LEADER_OR_FOLLOWER (6) for 3 records, partition 0 of topic audit
        Split: broker: MESSAGE_TOO_LARGE (10) for 3 records, partition 0 of topic audit
        Split: broker: RECORD_LIST_TOO_LARGE (18) for 3 records, partition 0 of topic audit
        Retry { after: None }: broker: NOT_ENOUGH_REPLICAS (19) for 3 records, partition 0 of topic audit
        Retry { after: None }: broker: TOPIC_AUTHORIZATION_FAILED (29) for 3 records, partition 0 of topic audit
        Refused: broker: INVALID_TIMESTAMP (32) for 3 records, partition 0 of topic audit
        Refused: broker: INVALID_RECORD (87) for 3 records, partition 0 of topic audit
        Retry { after: None }: broker: error 99 for 3 records, partition 0 of topic audit
    "#]]
    .assert_eq(&table);
}

#[tokio::test]
async fn a_broker_that_the_cluster_names_is_judged_like_one_that_is_set() {
    let broker = Broker::start(Script { leader: Some(("127.0.0.2".to_owned(), 9092)), ..Script::default() }).await;
    let told = open("kafka", &settings(&json!([broker.address()]), true)).send(&messages(0, 1)).await;
    assert_eq!(told.verdict, Verdict::Retry { after: None });
    assert!(told.raw.starts_with("127.0.0.2:9092 is not allowed: 127.0.0.2 is "), "{}", told.raw);
}

#[tokio::test]
async fn passwords_are_shown_to_be_known_and_never_told() {
    let user = |mechanism: &str, password: &str, broker: &Broker| {
        let mut settings = settings(&json!([broker.address()]), true);
        settings["sasl"] = json!({"mechanism": mechanism, "user": "a,=b", "password": password});
        settings
    };
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let broker = Broker::start(Script { password: Some("péncil".to_owned()), ..Script::default() }).await;
        let told = open("kafka", &user(mechanism, "péncil", &broker)).send(&messages(0, 1)).await;
        assert_eq!(told.verdict, Verdict::Delivered, "{mechanism}: {}", told.raw);
        let told = open("kafka", &user(mechanism, "wrong", &broker)).send(&messages(0, 1)).await;
        assert!(told.raw.ends_with("SASL_AUTHENTICATION_FAILED (58): no"), "{}", told.raw);
    }
    let broker = Broker::start(Script { password: Some("x".to_owned()), forget_password: true, ..Script::default() }).await;
    let told = open("kafka", &user("SCRAM-SHA-256", "x", &broker)).send(&messages(0, 1)).await;
    assert!(told.raw.ends_with("it could not show that it knows the password"), "{}", told.raw);

    let mistakes = Settings::parse("kafka", &user("PLAIN", "x", &broker)).unwrap_err();
    assert_eq!(mistakes[0].member, "/sasl/mechanism");
    let shown = Settings::parse("kafka", &user("SCRAM-SHA-256", "hunter2", &broker)).unwrap();
    assert!(!format!("{shown:?} {}", shown.shown()).contains("hunter2"));
}

#[tokio::test]
async fn an_answer_that_is_none_is_no_delivery() {
    for garbage in
        [&b""[..], b"\0\0\0\x01x", b"\x7f\xff\xff\xff", b"\0\0\0\x08\0\0\0\x09aaaa", b"HTTP/1.1 400 Bad Request\r\n"]
    {
        let broker = Broker::start(Script { garbage: Some(garbage.to_vec()), ..Script::default() }).await;
        let told = open("kafka", &settings(&json!([broker.address()]), true)).send(&[with_body(0, "{}")]).await;
        assert_eq!(told.verdict, Verdict::Retry { after: None }, "{garbage:?}: {}", told.raw);
    }
}
