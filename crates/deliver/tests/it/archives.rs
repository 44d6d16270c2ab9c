//! Archives: where objects lie, what manifests say, and what happens when only a part arrived. The stores
//! themselves: `stores.rs`.

use std::io::Read;
use std::sync::Arc;

use deliver::archive::s3::S3;
use deliver::archive::{Checkpoint, Checkpoints};
use deliver::{Mistake, Settings};
use expect_test::expect;
use follow::{Later, Message, Transport, Verdict};
use record::{Index, OrgId};
use serde_json::{Value, json};

use crate::doubles::bucket::Bucket;
use crate::doubles::http::Double;
use crate::support::{doors, message, messages, open};

fn settings(double: &Double<Bucket>) -> Value {
    json!({
        "endpoint": double.url(""), "region": "us-east-1", "bucket": "audit", "prefix": "acta/v=1",
        "access_key_id": "AKIA", "secret_access_key": "s3cr3t",
    })
}

fn stretch(from: u64, to: u64) -> Vec<Message> {
    (from..to).map(message).collect()
}

/// The names of what is there, manifests shortened to their ends.
fn names(double: &Double<Bucket>) -> String {
    double.see(|it| it.objects.keys().map(|key| format!("{key}\n")).collect())
}

fn manifests(double: &Double<Bucket>) -> Vec<Value> {
    let texts: Vec<Vec<u8>> = double.see(|it| {
        it.objects.iter().filter(|(key, _)| key.ends_with(".manifest.json")).map(|(_, body)| body.clone()).collect()
    });
    texts.iter().map(|text| serde_json::from_slice(text).unwrap()).collect()
}

pub(crate) fn unzipped(object: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(object).read_to_end(&mut text).unwrap();
    text
}

#[tokio::test]
async fn objects_lie_by_the_hour_and_manifests_tell_of_them() {
    let double = Double::start(Bucket::new()).await;
    let transport = open("s3", &settings(&double));
    let all = [stretch(0, 3), stretch(3_590, 3_610)].concat();
    let answer = transport.send(&all).await;
    assert_eq!(answer.verdict, Verdict::Delivered);
    expect![[r#"
        acta/v=1/org=Acme/date=2026-11-21/hour=09/000000000000-000000003599-7216663a159caf49.jsonl.gz
        acta/v=1/org=Acme/date=2026-11-21/hour=09/000000000000-000000003599-7216663a159caf49.manifest.json
        acta/v=1/org=Acme/date=2026-11-21/hour=10/000000003600-000000003609-f6539d461135c075.jsonl.gz
        acta/v=1/org=Acme/date=2026-11-21/hour=10/000000003600-000000003609-f6539d461135c075.manifest.json
    "#]]
    .assert_eq(&names(&double));
    let told = manifests(&double);
    expect![[r#"
        {
          "version": 1,
          "organization": "Acme",
          "organization_id": 1,
          "object": "acta/v=1/org=Acme/date=2026-11-21/hour=10/000000003600-000000003609-f6539d461135c075.jsonl.gz",
          "object_sha256": "f6539d461135c075be5d93f6a77d7de10c1cc0749f434369771b6134689de3dc",
          "object_bytes": 311,
          "text_sha256": "0957e9777f5d27f4a427610096057e3a943b450ec563ee24c82270ab1327f53b",
          "text_bytes": 881,
          "events": 10,
          "lines": 10,
          "first_index": 3600,
          "last_index": 3609,
          "first_event_id": "01a1fd8c-697b-7e10-8707-070707070707",
          "last_event_id": "01a1fd8c-8ca3-7e19-8707-070707070707",
          "first_recorded_at": "2026-11-21T10:00:00.123Z",
          "last_recorded_at": "2026-11-21T10:00:09.123Z",
          "previous": {
            "object": "acta/v=1/org=Acme/date=2026-11-21/hour=09/000000000000-000000003599-7216663a159caf49.jsonl.gz",
            "object_sha256": "7216663a159caf49fbf4cf7533a09f46207d4dc5033cd6cadee9af873c20ea6d"
          },
          "checkpoint": null
        }"#]]
    .assert_eq(&format!("{:#}", told[1]));
    let mut text = Vec::new();
    for manifest in &told {
        let object = double.see(|it| it.objects[manifest["object"].as_str().unwrap()].clone());
        text.extend(unzipped(&object));
    }
    let wanted: Vec<u8> = all.iter().flat_map(|message| [message.body.as_ref(), b"\n"].concat()).collect();
    assert_eq!(text, wanted);
}

#[tokio::test]
async fn a_batch_that_is_sent_again_finds_itself_there() {
    let double = Double::start(Bucket::new()).await;
    let all = messages(10);
    open("s3", &settings(&double)).send(&all).await;
    let before = double.see(|it| it.objects.clone());
    // As after a restart: nothing is remembered.
    let answer = open("s3", &settings(&double)).send(&all).await;
    assert_eq!(answer.verdict, Verdict::Delivered);
    assert!(answer.raw.ends_with("it was there before"), "{}", answer.raw);
    assert_eq!(before, double.see(|it| it.objects.clone()));
}

#[tokio::test]
async fn each_manifest_names_the_object_before_also_after_a_restart() {
    let double = Double::start(Bucket::new()).await;
    let chained = |at: usize, to: Option<usize>| {
        let told = manifests(&double);
        let previous = told[at]["previous"].clone();
        let wanted = to.map(|to| json!({ "object": told[to]["object"], "object_sha256": told[to]["object_sha256"] }));
        assert_eq!(previous, wanted.unwrap_or_default(), "{at}");
    };
    let transport = open("s3", &settings(&double));
    for (from, to) in [(0, 2), (2, 4), (4, 6)] {
        transport.send(&stretch(from, to)).await;
    }
    open("s3", &settings(&double)).send(&stretch(90_000, 90_002)).await;
    for (at, to) in [(0, None), (1, Some(0)), (2, Some(1)), (3, Some(2))] {
        chained(at, to);
    }
    // An object without its manifest is not the newest: it was never acknowledged.
    double.see(|it| it.room = 1);
    assert!(matches!(transport.send(&stretch(180_000, 180_001)).await.verdict, Verdict::Retry { .. }));
    double.see(|it| it.room = usize::MAX);
    open("s3", &settings(&double)).send(&stretch(180_000, 180_005)).await;
    chained(4, Some(3));
    // Who may not list begins anew.
    double.see(|it| it.lists = false);
    open("s3", &settings(&double)).send(&stretch(270_000, 270_001)).await;
    chained(5, None);
}

#[tokio::test]
async fn what_arrived_before_the_store_was_busy_stays_delivered() {
    let double = Double::start(Bucket::new()).await;
    let transport = open("s3", &settings(&double));
    let all = stretch(3_598, 3_602);
    double.see(|it| it.room = 2);
    let answer = transport.send(&all).await;
    expect![[r#"
        Answer {
            verdict: Each(
                [
                    Delivered,
                    Delivered,
                    Retry,
                    Retry,
                ],
            ),
            raw: "HTTP 200 OK for acta/v=1/org=Acme/date=2026-11-21/hour=09/000000003598-000000003599-3c5a5daa9ae6b1e5.jsonl.gz\nHTTP 503 Service Unavailable (Retry-After: 3): <Error><Code>SlowDown</Code></Error>",
        }"#]].assert_eq(&format!("{answer:#?}"));
    double.see(|it| it.room = 0);
    let answer = transport.send(&all[2..]).await;
    expect![[r#"Answer { verdict: Retry { after: Some(3s) }, raw: "HTTP 503 Service Unavailable (Retry-After: 3): <Error><Code>SlowDown</Code></Error>" }"#]].assert_eq(&format!("{answer:?}"));
    double.see(|it| it.room = 1);
    assert!(matches!(transport.send(&all[2..]).await.verdict, Verdict::Retry { .. }));
    double.see(|it| it.room = 9);
    assert_eq!(transport.send(&all[2..]).await.verdict, Verdict::Delivered);
    assert_eq!(double.see(|it| it.objects.len()), 4);
}

/// Says that the tree reaches a little further than the event.
struct Fixed;

impl Checkpoints for Fixed {
    fn covering(&self, _: OrgId, index: Index) -> Later<'_, Option<Checkpoint>> {
        Box::pin(async move { Some(Checkpoint { size: index.0 + 2, root: "ab".repeat(32) }) })
    }
}

#[tokio::test]
async fn a_manifest_names_the_checkpoint_that_covers_it() {
    let double = Double::start(Bucket::new()).await;
    let read: S3 = serde_json::from_value(settings(&double)).unwrap();
    let archive = read.archive(&doors()).unwrap().with_checkpoints(Arc::new(Fixed));
    assert_eq!(archive.send(&stretch(0, 5)).await.verdict, Verdict::Delivered);
    assert_eq!(manifests(&double)[0]["checkpoint"], json!({ "size": 6, "root": "ab".repeat(32) }));
}

#[test]
fn every_mistake_is_named() {
    let told = |kind: &str, value: Value| -> String {
        let mistakes = Settings::parse(kind, &value).unwrap_err();
        mistakes.iter().map(|Mistake { member, text }| format!("{member} {text}\n")).collect()
    };
    let s3 = json!({
        "endpoint": "https://s3.example/path", "region": "EU", "bucket": "a.b/c", "prefix": "../x", "access_key_id": "a b",
        "secret_access_key": "x", "kms_key_id": "k", "style": "virtual", "lock": { "mode": "compliance", "days": 0 },
        "batching": { "max_age_seconds": 0, "max_bytes": 1 },
    });
    expect![[r#"
        /access_key_id is no id of an access key
        /batching/max_age_seconds is from 1 to 3600
        /batching/max_bytes is from 1000000 to 256000000
        /bucket has 3 to 63 lower-case letters, digits, hyphens and dots
        /endpoint has no path: the bucket has a member of its own
        /kms_key_id goes with the encryption aws_kms only
        /lock/days is from 1 to 36500
        /prefix holds at most 200 of the characters A-Z a-z 0-9 . _ = - and / between folders
        /region is a name such as eu-central-1
        /style must be path for a bucket with a dot in its name, for which no certificate is good
    "#]]
    .assert_eq(&told("s3", s3));
    expect![[r#"
        /batching/max_age is not known here: expected max_age_seconds or max_bytes
        /bucket has 3 to 222 lower-case letters, digits, hyphens, underscores and dots
        /credentials is no key file of a service account: JSON with client_email, private_key and token_uri
    "#]]
    .assert_eq(&told("gcs", json!({ "bucket": "A", "credentials": "{}", "batching": { "max_age": 1 } })));
    let azure = json!({ "account": "Acme", "container": "a", "auth": "sas", "secret": "no signature" });
    expect![[r#"
        /account has 3 to 24 lower-case letters and digits
        /container has 3 to 63 lower-case letters, digits and hyphens
        /secret is no shared access signature such as sv=…&sig=…
    "#]]
    .assert_eq(&told("azure_blob", azure));
}
