//! Syslog against receivers that close, that never close, and that break.

use std::sync::Arc;
use std::time::Duration;

use deliver::Settings;
use follow::{Transport, Verdict};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::events::{Hands, doors, messages, open};

async fn listen(confirm: &str) -> (TcpListener, Arc<dyn Transport>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, open("syslog", &json!({"host": "127.0.0.1", "port": port, "plain": true, "confirm": confirm})))
}

/// The next connection; fails if there is none.
async fn accept(listener: &TcpListener) -> TcpStream {
    tokio::time::timeout(Duration::from_secs(60), listener.accept()).await.expect("nobody connects").unwrap().0
}

/// Frames as RFC 5425 has them, up to the end of the connection or so many.
async fn frames(stream: &mut TcpStream, most: usize) -> Vec<String> {
    let mut frames = Vec::new();
    while frames.len() < most {
        let mut len = 0;
        loop {
            match stream.read_u8().await {
                Ok(b' ') => break,
                Ok(digit) => len = len * 10 + usize::from(digit - b'0'),
                Err(_) => return frames,
            }
        }
        let mut frame = vec![0; len];
        stream.read_exact(&mut frame).await.unwrap();
        frames.push(String::from_utf8(frame).unwrap());
    }
    frames
}

fn index_of(frame: &str) -> u64 {
    frame.split_once(" index=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
}

/// Closes with a reset: what was not read is lost.
fn break_off(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

#[tokio::test]
async fn a_batch_is_delivered_when_the_receiver_has_closed() {
    let (listener, transport) = listen("closed").await;
    let batch = messages(0, 200);
    let receive = async {
        let mut stream = accept(&listener).await;
        frames(&mut stream, usize::MAX).await
    };
    let (told, frames) = tokio::join!(transport.send(&batch), receive);
    assert_eq!(told.verdict, Verdict::Delivered);
    assert_eq!(told.raw, "200 messages read by the receiver, which then closed the connection");
    assert_eq!(frames.iter().map(|frame| index_of(frame)).collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
    for (frame, message) in frames.iter().zip(&batch) {
        assert!(!frame.contains(['\n', '\r', '\u{0}']) && frame.len() <= 8_192);
        let body: Value = serde_json::from_str(frame.split_once("\"] ").unwrap().1).unwrap();
        assert_eq!(body, serde_json::from_slice::<Value>(&message.body).unwrap());
    }
}

#[tokio::test]
async fn a_batch_is_sent_again_when_the_receiver_breaks_off() {
    let (listener, transport) = listen("closed").await;
    let receive = async {
        let mut stream = accept(&listener).await;
        frames(&mut stream, 3).await;
        break_off(stream);
    };
    let batch = messages(0, 100);
    let (told, ()) = tokio::join!(transport.send(&batch), receive);
    assert_eq!(told.verdict, Verdict::Retry { after: None }, "{}", told.raw);
}

#[tokio::test]
async fn over_one_connection_what_was_in_flight_when_it_broke_is_written_again() {
    let (listener, transport) = listen("written").await;
    let told = transport.send(&messages(0, 2)).await;
    assert_eq!(told.raw, "2 messages written to the socket; syslog has no acknowledgement");
    let mut stream = accept(&listener).await;
    frames(&mut stream, 1).await;
    transport.send(&messages(2, 2)).await;
    break_off(stream);

    let mut told = transport.send(&messages(4, 1)).await;
    if told.verdict != Verdict::Delivered {
        // It broke while we wrote, and not before.
        told = transport.send(&messages(4, 1)).await;
    }
    assert_eq!(told.verdict, Verdict::Delivered, "{}", told.raw);
    let mut stream = accept(&listener).await;
    let seen: Vec<_> = frames(&mut stream, 5).await.iter().map(|frame| index_of(frame)).collect();
    assert_eq!(seen, [0, 1, 2, 3, 4]);

    // One that closes has read everything.
    stream.shutdown().await.unwrap();
    drop(stream);
    let mut again = transport.send(&messages(5, 1)).await;
    if again.verdict != Verdict::Delivered {
        again = transport.send(&messages(5, 1)).await;
    }
    assert_eq!(again.verdict, Verdict::Delivered, "{}", again.raw);
    let mut stream = accept(&listener).await;
    assert_eq!(index_of(frames(&mut stream, 1).await.last().unwrap()), 5);
}

#[tokio::test]
async fn addresses_that_are_not_allowed_are_refused() {
    for host in ["127.0.0.1", "localhost", "10.1.2.3", "::1", "[::ffff:127.0.0.1]", "2130706433"] {
        let settings = Settings::parse("syslog", &json!({"host": host})).unwrap();
        let told = match settings.open(&doors(&[], &Hands::new())) {
            Err(e) => e.to_string(),
            Ok(transport) => transport.send(&messages(0, 1)).await.raw,
        };
        assert!(told.contains("is not allowed: "), "{host}: {told}");
    }
    let mistakes = Settings::parse(
        "syslog",
        &json!({"host": "https://a.example/x", "facility": 24, "max_bytes": 10, "tls": {"client_key": "k"}}),
    );
    let members: Vec<_> = mistakes.unwrap_err().into_iter().map(|one| one.member).collect();
    assert_eq!(members, ["/facility", "/host", "/max_bytes", "/tls/client_certificate"]);
}
