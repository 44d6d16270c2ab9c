//! NATS JetStream, against Debian's nats-server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use deliver::Settings;
use follow::{Fate, Verdict};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::certificates::Certificates;
use super::events::{messages, open, send_until_taken, with_body};
use super::peer::{Peer, debian, free_port};

/// A user's seed and what the server knows of it: the example of NATS's own documentation.
const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

struct Server {
    home: TempDir,
    port: u16,
    certificates: Certificates,
}

impl Server {
    /// Wants a password or a key, and has TLS for who asks for it.
    fn new() -> Option<Server> {
        debian("nats-server")?;
        let home = TempDir::new().unwrap();
        let certificates = Certificates::make(home.path())?;
        let port = free_port();
        let at = |name: &str| certificates.path(name).display().to_string();
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\nlog_file: \"{}\"\nmax_payload: 100000\njetstream {{ store_dir: \"{}\" }}\nallow_non_tls: true\n\
             tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\" }}\n\
             authorization {{ users: [ {{user: acta, password: pass}}, {{nkey: {PUBLIC}}} ] }}\n",
            at("log"),
            home.path().display(),
            at("server.crt"),
            at("server.key"),
            at("ca.crt"),
        );
        std::fs::File::create(home.path().join("conf")).unwrap().write_all(text.as_bytes()).unwrap();
        Some(Server { home, port, certificates })
    }

    fn start(&self) -> Peer {
        Peer::start(debian("nats-server").unwrap().arg("-c").arg(self.home.path().join("conf")))
    }

    fn settings(&self, user: &Value) -> Value {
        json!({
            "host": "127.0.0.1", "port": self.port, "tls": self.certificates.settings(), "subject": "audit.{organization}", "user": user,
        })
    }

    /// Asks the server, in the simplest way.
    fn ask(&self, subject: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let hello = json!({"verbose": false, "user": "acta", "pass": "pass"});
        let ask = format!("CONNECT {hello}\r\nSUB answer 1\r\nPUB {subject} answer {}\r\n{body}\r\n", body.len());
        stream.write_all(ask.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = String::new();
            assert!(reader.read_line(&mut line).unwrap() > 0, "the server closed");
            if line.starts_with("MSG ") {
                let len: usize = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
                let mut body = vec![0; len];
                reader.read_exact(&mut body).unwrap();
                return serde_json::from_slice(&body).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_stream_keeps_everything_once() {
    let Some(server) = Server::new() else { return };
    let peer = server.start();
    let with_key = open("nats", &server.settings(&json!({"seed": SEED})));
    let all = messages(0, 400);
    let (first, second) = all.split_at(300);
    // Nobody takes the subject yet.
    let told = loop {
        let told = with_key.send(&first[..2]).await;
        if told.verdict != (Verdict::Retry { after: None }) {
            break told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(told.verdict, Verdict::Each(vec![Fate::Retry; 2]));
    assert!(told.raw.ends_with("0 kept; no stream takes this subject (503)"), "{}", told.raw);
    let stream =
        json!({"name": "AUDIT", "subjects": ["audit.*"], "storage": "file", "duplicate_window": 60_000_000_000_u64});
    assert_eq!(server.ask("$JS.API.STREAM.CREATE.AUDIT", &stream.to_string())["error"], Value::Null);

    for batch in first.chunks(100) {
        assert_eq!(with_key.send(batch).await.verdict, Verdict::Delivered);
    }
    // Sent again, it is known.
    let told = with_key.send(&first[..100]).await;
    assert_eq!(told.verdict, Verdict::Delivered, "{}", told.raw);
    assert_eq!(server.ask("$JS.API.STREAM.INFO.AUDIT", "")["state"]["messages"], 300);

    peer.kill();
    assert!(matches!(with_key.send(second).await.verdict, Verdict::Retry { .. }));
    let _peer = server.start();
    let with_password = open("nats", &server.settings(&json!({"name": "acta", "password": "pass"})));
    let told = send_until_taken(&*with_password, second).await;
    assert_eq!(told.verdict, Verdict::Delivered, "{}", told.raw);
    assert!(told.raw.ends_with("100 kept in stream AUDIT, the last with number 400"), "{}", told.raw);

    for (seq, message) in (1..).zip(&all) {
        let told = server.ask("$JS.API.STREAM.MSG.GET.AUDIT", &json!({"seq": seq}).to_string());
        let text =
            |member: &str| String::from_utf8(BASE64.decode(told["message"][member].as_str().unwrap()).unwrap()).unwrap();
        assert_eq!(text("data"), std::str::from_utf8(&message.body).unwrap());
        assert_eq!(text("hdrs"), format!("NATS/1.0\r\nNats-Msg-Id: {}\r\n\r\n", message.key()));
        assert_eq!(told["message"]["subject"], "audit.7");
    }

    let mut settings = server.settings(&json!({"seed": SEED}));
    settings["cloud_events"] = json!(true);
    assert_eq!(open("nats", &settings).send(&[with_body(800, "{}")]).await.verdict, Verdict::Delivered);
    let told = server.ask("$JS.API.STREAM.MSG.GET.AUDIT", &json!({"seq": 401}).to_string());
    let headers = BASE64.decode(told["message"]["hdrs"].as_str().unwrap()).unwrap();
    let expected = "ce-source: /organizations/Ada%2520%2522%2526%2522%2520S%25C3%25B6hne%2520%255B%255Cx%255D\r\n";
    assert!(String::from_utf8(headers).unwrap().contains(expected));

    // One that is too long does not keep the others from coming.
    let told = with_password.send(&[with_body(900, "{}"), with_body(901, &"x".repeat(100_000)), with_body(902, "{}")]).await;
    let Verdict::Each(fates) = told.verdict else { panic!("{}", told.raw) };
    assert_eq!((&fates[0], &fates[2]), (&Fate::Delivered, &Fate::Delivered));
    assert!(matches!(&fates[1], Fate::Poison(why) if why.contains("max_payload is 100000")), "{fates:?}");
}

#[tokio::test]
async fn who_is_not_known_is_told_so() {
    let Some(server) = Server::new() else { return };
    let peer = server.start();
    let wrong = open("nats", &server.settings(&json!({"name": "acta", "password": "wrong"})));
    let told = loop {
        let told = wrong.send(&messages(0, 1)).await;
        if !told.raw.contains("no connection") {
            break told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(told.verdict, Verdict::Retry { after: None });
    assert!(told.raw.ends_with("Authorization Violation"), "{}", told.raw);
    drop(peer);
}

#[test]
fn half_a_user_is_refused() {
    let members = |user: Value, plain: bool| -> Vec<String> {
        let settings = json!({"host": "nats.example", "subject": "audit", "user": user, "plain": plain});
        Settings::parse("nats", &settings).err().unwrap_or_default().into_iter().map(|one| one.member).collect()
    };
    assert_eq!(members(json!({}), true), Vec::<String>::new());
    assert_eq!(members(json!({"seed": SEED}), true), Vec::<String>::new());
    assert_eq!(members(json!({"name": "a"}), false), ["/user"]);
    assert_eq!(members(json!({"jwt": "j"}), false), ["/user/seed"]);
    assert_eq!(members(json!({"token": "t"}), true), ["/plain"]);
    assert_eq!(members(json!({"seed": Path::new("x")}), false), ["/user/seed"]);
    for subject in ["", "a..b", "a.*", "a.>", "a b", "a.", "a\r\nPUB x"] {
        let mistakes = Settings::parse("nats", &json!({"host": "nats.example", "subject": subject})).unwrap_err();
        assert_eq!(mistakes[0].member, "/subject", "{subject:?}");
    }
}
