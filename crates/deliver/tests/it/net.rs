//! The client: what it does not follow, how much it keeps, when it gives up, what it says.

use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use record::Timestamp;

use crate::doubles::http::{Asked, Double, Receiver, Reply};
use crate::support::{NOW, http};

/// Answers what was scripted, then no.
struct No;

impl Receiver for No {
    fn answer(&mut self, _: &Asked) -> Reply {
        Reply::new(500, "nothing scripted")
    }
}

fn post(url: &str) -> http::Request<Bytes> {
    http::Request::builder().method("POST").uri(url).body(Bytes::from_static(b"body")).unwrap()
}

#[tokio::test]
async fn an_answer_is_told_in_words_and_its_wait_is_understood() {
    let double = Double::start(No).await;
    let long = "é".repeat(600);
    double.script([
        Reply::new(429, "slow\r\ndown").with("retry-after", "30"),
        Reply::new(503, "").with("retry-after", "Sat, 21 Nov 2026 09:01:30 GMT"),
        Reply::new(503, "").with("retry-after", "Sat, 21 Nov 2020 09:01:30 GMT"),
        Reply::new(503, "").with("retry-after", "999999999"),
        Reply::new(503, "").with("retry-after", "soon"),
        Reply::new(302, "").with("location", "http://127.0.0.1/elsewhere"),
        Reply::new(400, long),
    ]);
    let mut table = String::new();
    for _ in 0..7 {
        let answer = http().send(post(&double.url("/in"))).await.unwrap();
        let wait = answer.retry_after(Timestamp::from_millis(NOW));
        table.push_str(&format!(
            "{} | {wait:?} | {:?}\n",
            answer.raw().replace(&"é".repeat(500), "é × 500"),
            answer.usual(Timestamp::from_millis(NOW))
        ));
    }
    expect![[r#"
        HTTP 429 Too Many Requests (Retry-After: 30): slow  down | Some(30s) | Retry { after: Some(30s) }
        HTTP 503 Service Unavailable (Retry-After: Sat, 21 Nov 2026 09:01:30 GMT) | Some(90s) | Retry { after: Some(90s) }
        HTTP 503 Service Unavailable (Retry-After: Sat, 21 Nov 2020 09:01:30 GMT) | Some(0ns) | Retry { after: Some(0ns) }
        HTTP 503 Service Unavailable (Retry-After: 999999999) | Some(86400s) | Retry { after: Some(86400s) }
        HTTP 503 Service Unavailable (Retry-After: soon) | None | Retry { after: None }
        HTTP 302 Found | None | Retry { after: None }
        HTTP 400 Bad Request: é × 500 | None | Refused
    "#]]
    .assert_eq(&table);
    assert_eq!(double.asked().len(), 7, "a redirection was followed");
    let agent = double.asked()[0].header("user-agent").unwrap().to_owned();
    assert!(agent.starts_with("acta/"), "{agent}");
}

#[tokio::test]
async fn of_a_long_answer_the_beginning_is_kept() {
    let double = Double::start(No).await;
    double.script([Reply::new(200, vec![b'x'; 200_000]), Reply::new(200, vec![b'x'; 200_000])]);
    let answer = http().send(post(&double.url("/"))).await.unwrap();
    assert_eq!((answer.body.len(), answer.cut), (64 * 1024, true));
    let answer = http().keeping(1_000_000).send(post(&double.url("/"))).await.unwrap();
    assert_eq!((answer.body.len(), answer.cut), (200_000, false));
}

#[tokio::test]
async fn who_does_not_answer_or_is_not_there_is_told_by_name() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token-in-path", silent.local_addr().unwrap());
    let said = http().waiting(Duration::from_millis(50)).send(post(&url)).await.unwrap_err().to_string();
    assert!(said.starts_with("no complete answer from http://127.0.0.1:"), "{said}");
    drop(silent);
    let said = http().send(post(&url)).await.unwrap_err().to_string();
    assert!(said.contains("no connection to http://127.0.0.1:") && said.contains("refused"), "{said}");
    assert!(!said.contains("token-in-path"), "{said}");

    let breaking = Double::start(No).await;
    breaking.script([Reply::hang_up()]);
    let said = http().send(post(&breaking.url("/token-in-path"))).await.unwrap_err().to_string();
    assert!(said.starts_with("no answer from http://127.0.0.1:") && !said.contains("token-in-path"), "{said}");

    let said = http().send(post(&breaking.url("/").replace("http:", "https:"))).await.unwrap_err().to_string();
    assert!(said.starts_with("no TLS connection to https://127.0.0.1:"), "{said}");
}

#[tokio::test]
async fn connections_are_kept() {
    let double = Double::start(No).await;
    double.script((0..3).map(|_| Reply::new(200, "")));
    let client = http();
    for _ in 0..3 {
        client.send(post(&double.url("/"))).await.unwrap();
    }
    assert_eq!(double.connections(), 1);
}
