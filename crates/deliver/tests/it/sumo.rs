//! Sumo Logic: lines, headers, and a URL that nobody gets to see.

use expect_test::expect;
use serde_json::json;

use crate::doubles::http::{Double, Reply};
use crate::doubles::sumo::Sumo;
use crate::support::{deliver, http, messages, open};

const PATH: &str = "/receiver/v1/http/ZaVnC4dhaV2XXSecretCode==";

async fn start() -> Double<Sumo> {
    Double::start(Sumo { path: PATH.to_owned(), messages: Vec::new() }).await
}

#[tokio::test]
async fn every_event_is_a_line() {
    let double = start().await;
    let settings =
        json!({"url": double.url(PATH), "category": "prod/audit", "fields": {"env": "production", "team": "a b"}});
    let all = messages(3000);
    let done = deliver(&*open("sumo", &settings), &all).await;
    assert_eq!((done.delivered, done.sent), (3000, 3));
    double.see(|it| assert!(it.messages.iter().map(String::as_bytes).eq(all.iter().map(|message| &message.body[..]))));
    let asked = double.asked().remove(0);
    let told: Vec<_> =
        asked.headers.iter().filter(|(name, _)| name.starts_with("x-sumo") || name.starts_with("content-")).collect();
    expect![[r#"[("content-type", "application/json"), ("content-encoding", "gzip"), ("x-sumo-category", "prod/audit"), ("x-sumo-fields", "env=production,team=a b"), ("content-length", "LENGTH")]"#]].assert_eq(&format!("{told:?}").replace(&asked.body.len().to_string(), "LENGTH"));
}

#[tokio::test]
async fn the_url_is_in_no_answer() {
    let double = start().await;
    let right = open("sumo", &json!({"url": double.url(PATH)}));
    let wrong = open("sumo", &json!({"url": double.url("/receiver/v1/http/AnotherSecretCode")}));
    let mut table = String::new();
    let told = |answer: follow::Answer| {
        format!("{:?} | {}\n", answer.verdict, answer.raw.replace(&double.address.to_string(), "ADDRESS"))
    };
    table.push_str(&told(wrong.send(&messages(1)).await));
    for status in [401, 408, 413, 429, 503, 504] {
        double.script([Reply::new(status, format!("no: {}", double.url(PATH)))]);
        table.push_str(&told(right.send(&messages(1)).await));
    }
    double.script([Reply::hang_up()]);
    table.push_str(&told(right.send(&messages(1)).await));
    assert!(!table.contains("SecretCode"), "{table}");
    expect![[r#"
        Retry { after: None } | HTTP 401 Unauthorized: unknown endpoint /receiver/v1/http/********
        Retry { after: None } | HTTP 401 Unauthorized: no: ********
        Retry { after: None } | HTTP 408 Request Timeout: no: ********
        Split | HTTP 413 Payload Too Large: no: ********
        Retry { after: None } | HTTP 429 Too Many Requests: no: ********
        Retry { after: None } | HTTP 503 Service Unavailable: no: ********
        Retry { after: None } | HTTP 504 Gateway Timeout: no: ********
        Retry { after: None } | no answer from http://ADDRESS: connection closed before message completed
    "#]]
    .assert_eq(&table);
}

#[tokio::test]
async fn a_naive_sender_fails() {
    let double = start().await;
    let post = async |path: &str, fields: &str, body: Vec<u8>| {
        let request = http::Request::post(double.url(path)).header("x-sumo-fields", fields).body(body.into()).unwrap();
        http().send(request).await.unwrap().status.as_u16()
    };
    let answers = [
        post("/", "", b"x".to_vec()).await,
        post(PATH, "a=b=c", b"x".to_vec()).await,
        post(PATH, "", vec![b'x'; 1_000_001]).await,
        post(PATH, "", vec![0xff]).await,
        post(PATH, "", b"{\n\"pretty\": 1\n}".to_vec()).await,
    ];
    // The last was taken, as three messages.
    assert_eq!(answers, [401, 400, 413, 400, 200]);
    double.see(|it| assert_eq!(it.messages.len(), 3));
}
