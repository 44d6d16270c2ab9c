//! Panther: each way of authentication, and the size of a request.

use expect_test::expect;
use serde_json::{Value, json};

use crate::doubles::http::{Double, Reply};
use crate::doubles::panther::Panther;
use crate::support::{deliver, http, message_of, messages, open};

const SECRET: &str = "correct horse";

fn settings(double: &Double<Panther>, auth: &str) -> Value {
    let mut settings = json!({ "url": double.url("/http/source-1"), "auth": auth, "secret": SECRET });
    match auth {
        "shared_secret" | "hmac" => settings["header"] = json!("X-Key"),
        "basic" => settings["username"] = json!("acta"),
        _ => {}
    }
    settings
}

#[tokio::test]
async fn every_way_of_authentication_is_understood() {
    for auth in ["shared_secret", "hmac", "bearer", "basic"] {
        let double = Double::start(Panther::new(auth, SECRET)).await;
        let all = messages(1_000);
        let done = deliver(&*open("panther", &settings(&double, auth)), &all).await;
        assert_eq!((done.delivered, done.sent), (1_000, 1), "{auth}");
        double.see(|it| {
            assert_eq!(it.lines.len(), 1_000);
            assert!(it.lines.iter().zip(&all).all(|(line, message)| line.as_bytes() == message.body));
            it.secret = "another";
        });
        let answer = open("panther", &settings(&double, auth)).send(&all[..1]).await;
        assert_eq!(answer.raw, "HTTP 401 Unauthorized: {\"message\":\"Unauthorized\"}", "{auth}");
    }
}

#[tokio::test]
async fn the_largest_setting_fits() {
    let double = Double::start(Panther::new("hmac", SECRET)).await;
    let mut settings = settings(&double, "hmac");
    settings["max_bytes"] = json!(980_000);
    let all: Vec<_> = (0..2_000).map(|n| message_of(n, "x".repeat(4_000))).collect();
    let done = deliver(&*open("panther", &settings), &all).await;
    assert_eq!((done.delivered, done.poison.len(), done.sent), (2_000, 0, 9));
}

#[tokio::test]
async fn answers_have_their_meanings() {
    let double = Double::start(Panther::new("bearer", SECRET)).await;
    let transport = open("panther", &settings(&double, "bearer"));
    let mut table = String::new();
    for status in [200, 202, 400, 401, 403, 404, 413, 429, 500, 503] {
        double.script([Reply::new(status, "").with("retry-after", "5")]);
        table.push_str(&format!("{status}: {:?}\n", transport.send(&messages(2)).await.verdict));
    }
    expect![[r#"
        200: Delivered
        202: Delivered
        400: Refused
        401: Retry { after: Some(5s) }
        403: Retry { after: Some(5s) }
        404: Retry { after: Some(5s) }
        413: Split
        429: Retry { after: Some(5s) }
        500: Retry { after: Some(5s) }
        503: Retry { after: Some(5s) }
    "#]]
    .assert_eq(&table);
}

#[tokio::test]
async fn a_naive_sender_fails_here() {
    let double = Double::start(Panther::new("bearer", SECRET)).await;
    let send = async |token: &str, bytes: usize| {
        let request = http::Request::post(double.url("/http/source-1")).header("authorization", token);
        http().send(request.body("x".repeat(bytes).into()).unwrap()).await.unwrap().status.as_u16()
    };
    assert_eq!(send(SECRET, 10).await, 401);
    assert_eq!(send(&format!("Bearer {SECRET}"), 1_000_000).await, 413);
    double.see(|it| assert!(it.lines.is_empty()));
}
