//! Webhooks: what is sent, how it is signed, and what answers mean.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use deliver::{Doors, Settings};
use expect_test::expect;
use serde_json::{Value, json};

use crate::doubles::http::{Asked, Double, Receiver, Reply};
use crate::support::{NOW, deliver, doors, message_of, messages, open, peer};

/// A receiver that takes everything.
struct Takes;

impl Receiver for Takes {
    fn answer(&mut self, _: &Asked) -> Reply {
        Reply::new(204, "")
    }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BEFORE: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const KEY: &str = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn settings(double: &Double<Takes>, more: Value) -> Value {
    let mut all = json!({"url": double.url("/hook?tenant=1"), "secret": SECRET});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

#[tokio::test]
async fn a_request_is_one_event_or_many_in_an_envelope_or_bare() {
    let double = Double::start(Takes).await;
    let cef = message_of(1, "CEF:0|Acta|Acta|1|LOGIN|\"x\"|1|act=\\=");
    for more in [json!({}), json!({"batch": true}), json!({"envelope": false}), json!({"batch": true, "envelope": false})] {
        let transport = open("webhook", &settings(&double, more));
        let two = [messages(1).remove(0), cef.clone()];
        assert_eq!(deliver(&*transport, &two).await.delivered, 2);
    }
    let bodies: Vec<String> = double.asked().into_iter().map(|asked| String::from_utf8(asked.body).unwrap()).collect();
    expect![[r#"
        {"type":"LOGIN","timestamp":"2026-11-21T09:00:00.123Z","data":{"event_id":"01a1fd55-7afb-7000-8707-070707070707","n":0,"text":"plain"}}
        {"type":"LOGIN","timestamp":"2026-11-21T09:00:01.123Z","data":"CEF:0|Acta|Acta|1|LOGIN|\"x\"|1|act=\\="}
        {"type":"audit.events","timestamp":"2026-11-21T09:00:00.123Z","data":[{"event_id":"01a1fd55-7afb-7000-8707-070707070707","n":0,"text":"plain"},"CEF:0|Acta|Acta|1|LOGIN|\"x\"|1|act=\\="]}
        {"event_id":"01a1fd55-7afb-7000-8707-070707070707","n":0,"text":"plain"}
        CEF:0|Acta|Acta|1|LOGIN|"x"|1|act=\=
        [{"event_id":"01a1fd55-7afb-7000-8707-070707070707","n":0,"text":"plain"},"CEF:0|Acta|Acta|1|LOGIN|\"x\"|1|act=\\="]"#]].assert_eq(&bodies.join("\n"));
    assert!(double.asked().iter().all(|asked| asked.path == "/hook?tenant=1" && asked.method == "POST"));
}

#[tokio::test]
async fn the_id_stays_when_the_same_is_sent_again_and_the_time_is_the_attempts() {
    let double = Double::start(Takes).await;
    let transport =
        open("webhook", &settings(&double, json!({"batch": true, "headers": {"authorization": "Bearer s3cr3t-bearer"}})));
    double.script([Reply::new(503, "Bearer s3cr3t-bearer is fine, but busy"), Reply::hang_up()]);
    let done = deliver(&*transport, &messages(3)).await;
    assert_eq!((done.delivered, done.sent), (3, 3));
    assert!(done.answers[0].contains("******** is fine") && !format!("{:?}", done.answers).contains("s3cr3t"), "{done:?}");
    let asked = double.asked();
    let ids: Vec<_> = asked.iter().map(|one| one.header("webhook-id").unwrap()).collect();
    assert!(ids.windows(2).all(|two| two[0] == two[1]) && !ids[0].contains('.'), "{ids:?}");
    assert_eq!(asked[0].header("webhook-timestamp").unwrap(), (NOW / 1000).to_string());
    assert_eq!(asked[0].header("authorization"), Some("Bearer s3cr3t-bearer"));
}

#[tokio::test]
async fn what_answers_mean() {
    let double = Double::start(Takes).await;
    let transport = open("webhook", &settings(&double, json!({})));
    let mut table = String::new();
    for status in [200, 202, 204, 301, 302, 307, 400, 401, 403, 404, 408, 409, 410, 413, 422, 429, 500, 502, 503, 504] {
        double.script([Reply::new(status, "").with("retry-after", "7")]);
        let answer = transport.send(&messages(1)).await;
        table.push_str(&format!("{:?} | {}\n", answer.verdict, answer.raw));
    }
    expect![[r#"
        Delivered | HTTP 200 OK (Retry-After: 7)
        Delivered | HTTP 202 Accepted (Retry-After: 7)
        Delivered | HTTP 204 No Content (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 301 Moved Permanently (Retry-After: 7) (redirections are not followed: set the URL that is to receive)
        Retry { after: Some(7s) } | HTTP 302 Found (Retry-After: 7) (redirections are not followed: set the URL that is to receive)
        Retry { after: Some(7s) } | HTTP 307 Temporary Redirect (Retry-After: 7) (redirections are not followed: set the URL that is to receive)
        Refused | HTTP 400 Bad Request (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 401 Unauthorized (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 403 Forbidden (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 404 Not Found (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 408 Request Timeout (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 409 Conflict (Retry-After: 7)
        Gone | HTTP 410 Gone (Retry-After: 7)
        Split | HTTP 413 Payload Too Large (Retry-After: 7)
        Refused | HTTP 422 Unprocessable Entity (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 429 Too Many Requests (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 500 Internal Server Error (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 502 Bad Gateway (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 503 Service Unavailable (Retry-After: 7)
        Retry { after: Some(7s) } | HTTP 504 Gateway Timeout (Retry-After: 7)
    "#]].assert_eq(&table);
}

/// The requests that a receiver gets now, with every signature there can be; the libraries compare the time with the clock.
#[expect(clippy::disallowed_methods, reason = "the libraries that verify look at the clock themselves")]
async fn signed_now() -> Vec<Value> {
    let double = Double::start(Takes).await;
    let all = settings(&double, json!({"previous_secret": BEFORE, "key": KEY, "batch": true}));
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let doors = Doors { clock: std::sync::Arc::new(crate::support::Still(std::sync::Mutex::new(now))), ..doors() };
    let transport = Settings::parse("webhook", &all).unwrap().open(&doors).unwrap();
    for lot in messages(24).chunks(8) {
        transport.send(lot).await;
    }
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let told = |asked: Asked| {
        let headers: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), asked.header(name).unwrap().into())).collect();
        json!({"headers": headers, "body": String::from_utf8(asked.body.clone()).unwrap()})
    };
    double.asked().into_iter().map(told).collect()
}

fn verified(mut program: Command, asked: &[Value], secrets: &[&str]) -> String {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for one in asked {
        let mut one = one.clone();
        one["secrets"] = json!(secrets);
        writeln!(input, "{one}").unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn other_peoples_libraries_verify_every_signature() {
    let mut asked = signed_now().await;
    let mut tampered = asked[0].clone();
    tampered["body"] = json!(tampered["body"].as_str().unwrap().replace("Acme", "Evil").replace("\"n\":0", "\"n\":1"));
    asked.truncate(1);
    asked.push(tampered);
    if let Some(python) = peer("ACTA_PYTHON", "standardwebhooks and cryptography") {
        let mut program = Command::new(python);
        program.args(["-c", include_str!("peers/webhook.py")]);
        expect![[r#"
            whsec_MfK verified
            whsec_C2F verified
            whsk_AAEC verified
            whsec_AAA No matching signature found
            whsec_MfK No matching signature found
            whsec_C2F No matching signature found
            whsk_AAEC No matching signature found
            whsec_AAA No matching signature found
        "#]]
        .assert_eq(&verified(program, &asked, &[SECRET, BEFORE, KEY, OTHER]));
    }
    if let Some(modules) = peer("ACTA_WEBHOOK_NODE", "standardwebhooks for JavaScript") {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers/webhook.mjs");
        let mut program = Command::new("node");
        program.arg(script).arg(modules);
        expect![[r#"
            whsec_MfK verified
            whsec_C2F verified
            whsec_AAA No matching signature found
            whsec_MfK No matching signature found
            whsec_C2F No matching signature found
            whsec_AAA No matching signature found
        "#]]
        .assert_eq(&verified(program, &asked, &[SECRET, BEFORE, OTHER]));
    }
}

/// HMAC-SHA256 and Ed25519 of one request, made with other people's programs: `openssl dgst -mac HMAC`, `openssl pkeyutl
/// -sign`.
#[tokio::test]
async fn signatures_are_those_of_openssl() {
    let double = Double::start(Takes).await;
    let transport = open("webhook", &settings(&double, json!({"key": KEY})));
    transport.send(&messages(1)).await;
    let asked = double.asked().remove(0);
    let content = [asked.header("webhook-id").unwrap(), ".", asked.header("webhook-timestamp").unwrap(), "."].concat();
    let content = [content.into_bytes(), asked.body.clone()].concat();
    let sent: Vec<&str> = asked.header("webhook-signature").unwrap().split(' ').collect();

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), bytes).unwrap();
        path
    };
    let base64 = base64::engine::general_purpose::STANDARD;
    let secret = base64.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    // PKCS #8: the fixed beginning of an Ed25519 key, then its 32 bytes.
    let begin = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    let key = [&begin[..], &base64.decode(KEY.trim_start_matches("whsk_")).unwrap()].concat();
    let (content, key) = (file("content", &content), file("key", &key));
    let openssl = |arguments: &[&str]| Command::new("openssl").args(arguments).output();
    let path = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let macopt = format!("hexkey:{hex}");
    let Ok(mac) = openssl(&["dgst", "-sha256", "-mac", "HMAC", "-macopt", &macopt, "-binary", &path(&content)]) else {
        println!("not compared with openssl: it is not there; `apt-get install openssl`");
        return;
    };
    assert_eq!(sent[0], format!("v1,{}", base64.encode(mac.stdout)));
    let signed =
        openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", &path(&key), "-keyform", "DER", "-in", &path(&content)]).unwrap();
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    assert_eq!(sent[1], format!("v1a,{}", base64.encode(signed.stdout)));
}
