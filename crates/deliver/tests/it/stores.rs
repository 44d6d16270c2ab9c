//! Archives in real stores: moto, which verifies signatures and keeps locks; an emulator of Google's; azurite. `cargo xtask
//! test` installs them where it may and names them in the environment; where one is absent, the test says so.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use deliver::{Doors, Settings};
use follow::{Answer, Message, Transport, Verdict};
use record::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::archives::unzipped;
use crate::doubles::http::{Asked, Double, Receiver, Reply};
use crate::doubles::token::Tokens;
use crate::secops::key_file;
use crate::support::{Still, doors, message, messages, peer};

/// A store and somebody who asks it in its own words.
struct Store {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Where it is and what to sign with.
    facts: Value,
}

impl Store {
    fn start(command: &mut Command) -> Store {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (commands, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut store = Store { child, commands, answers, facts: Value::Null };
        store.facts = store.answer();
        store
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("the store said {line:?}: {e}"))
    }

    fn ask(&mut self, command: &str) -> Value {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        self.answer()
    }

    fn names(&mut self, bucket: &str) -> Vec<String> {
        serde_json::from_value(self.ask(&format!("list {bucket}"))).unwrap()
    }

    fn bytes(&mut self, bucket: &str, name: &str) -> Vec<u8> {
        let said = self.ask(&format!("get {bucket} {name}"));
        STANDARD.decode(said.as_str().unwrap_or_else(|| panic!("{said}"))).unwrap()
    }

    fn manifest(&mut self, bucket: &str, at: usize) -> Value {
        let names = self.names(bucket);
        let name = names.iter().filter(|name| name.ends_with(".manifest.json")).nth(at).unwrap();
        serde_json::from_slice(&self.bytes(bucket, name)).unwrap()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The script ends with its input, and ends what it started.
        drop(self.commands.take());
        self.child.wait().ok();
    }
}

/// Doors with the machine's time: stores refuse requests from another one.
fn now() -> Doors {
    Doors { clock: Arc::new(Still(Mutex::new(jiff::Timestamp::now().as_millisecond()))), ..doors() }
}

fn open(kind: &str, settings: &Value) -> Arc<dyn Transport> {
    Settings::parse(kind, settings).unwrap().open(&now()).unwrap()
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers").join(name)
}

/// Sends as the loop does: the emulator closes connections that it said it would keep.
async fn send(transport: &dyn Transport, batch: &[Message]) -> Answer {
    for _ in 0..5 {
        let answer = transport.send(batch).await;
        if !answer.raw.contains("connection closed") {
            return answer;
        }
    }
    transport.send(batch).await
}

/// What holds of every store: what was sent is there, a repeat changes nothing, and the chain outlives a restart.
///
/// `conditional`: the store heeds the condition that there be none yet. Google's emulator does not.
async fn holds(store: &mut Store, bucket: &str, kind: &str, settings: &Value, conditional: bool) {
    let all = messages(500);
    let first = send(&*open(kind, settings), &all[..300]).await;
    assert_eq!(first.verdict, Verdict::Delivered, "{}", first.raw);
    let names = store.names(bucket);
    assert_eq!(names.len(), 2, "{names:?}");
    let text: Vec<u8> = all[..300].iter().flat_map(|message| [message.body.as_ref(), b"\n"].concat()).collect();
    let object = store.bytes(bucket, &names[0]);
    assert_eq!(unzipped(&object), text);
    let manifest = store.manifest(bucket, 0);
    let sha256: String = Sha256::digest(&object).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&manifest["object_sha256"], &manifest["events"]), (&json!(sha256), &json!(300)));

    let again = send(&*open(kind, settings), &all[..300]).await;
    assert_eq!(
        (&again.verdict, again.raw.contains("it was there before")),
        (&Verdict::Delivered, conditional),
        "{}",
        again.raw
    );
    assert_eq!(store.names(bucket), names);

    let more = send(&*open(kind, settings), &all[300..]).await;
    assert_eq!(more.verdict, Verdict::Delivered, "{}", more.raw);
    let next = store.manifest(bucket, 1);
    assert_eq!(next["previous"], json!({ "object": names[0], "object_sha256": sha256 }));
}

#[tokio::test]
async fn s3_takes_what_is_signed_and_keeps_what_is_locked() {
    let Some(python) = peer("ACTA_STORES_PYTHON", "moto (S3)") else { return };
    let mut store = Store::start(Command::new(python).arg(script("s3.py")));
    let settings = json!({
        "endpoint": store.facts["endpoint"], "region": "eu-central-1", "bucket": "plain-audit", "prefix": "acta",
        "access_key_id": store.facts["key"], "secret_access_key": store.facts["secret"], "encryption": "aes256",
    });
    holds(&mut store, "plain-audit", "s3", &settings, true).await;

    let mut locked = settings.clone();
    locked["bucket"] = json!("locked-audit");
    locked["lock"] = json!({ "mode": "compliance", "days": 30 });
    let kept = open("s3", &locked).send(&messages(3)).await;
    assert_eq!(kept.verdict, Verdict::Delivered, "{}", kept.raw);
    for name in store.names("locked-audit") {
        let head = store.ask(&format!("head locked-audit {name}"));
        let until = Timestamp::from_millis(now().now().as_millis() + 30 * 86_400_000).to_string();
        assert_eq!((&head["mode"], head["until"].as_str()), (&json!("COMPLIANCE"), Some(&until[..10])), "{head}");
        assert_eq!(head["encryption"], "AES256");
        let object = store.bytes("locked-audit", &name);
        assert_eq!(head["sha256"], STANDARD.encode(Sha256::digest(&object)));
        let deleted = store.ask(&format!("delete locked-audit {name}"));
        assert!(deleted["error"].as_str().is_some_and(|text| text.contains("AccessDenied")), "{deleted}");
    }

    let mut wrong = settings.clone();
    wrong["secret_access_key"] = json!("another-secret");
    let refused = open("s3", &wrong).send(&[message(900)]).await;
    assert!(
        matches!(refused.verdict, Verdict::Retry { .. }) && refused.raw.contains("SignatureDoesNotMatch"),
        "{}",
        refused.raw
    );
    let mut nowhere = settings;
    nowhere["bucket"] = json!("no-such-bucket");
    let refused = open("s3", &nowhere).send(&[message(900)]).await;
    assert!(matches!(refused.verdict, Verdict::Retry { .. }) && refused.raw.contains("NoSuchBucket"), "{}", refused.raw);
}

/// Gives tokens for the emulator, which wants none.
struct TokensOnly(Tokens);

impl Receiver for TokensOnly {
    fn answer(&mut self, asked: &Asked) -> Reply {
        self.0.answer(asked).unwrap_or_else(|| Reply::new(404, ""))
    }
}

#[tokio::test]
async fn google_takes_uploads() {
    let Some(python) = peer("ACTA_STORES_PYTHON", "gcp-storage-emulator") else { return };
    let mut store = Store::start(Command::new(python).arg(script("gcs.py")));
    let tokens = Tokens::google(&key_file(""), "https://www.googleapis.com/auth/devstorage.read_write").at_any_time();
    let tokens = Double::start(TokensOnly(tokens)).await;
    let settings = json!({
        "endpoint": store.facts["endpoint"], "bucket": "audit", "prefix": "acta",
        "credentials": key_file(&tokens.url("/token")).to_string(),
    });
    holds(&mut store, "audit", "gcs", &settings, false).await;
}

#[tokio::test]
async fn google_says_in_two_ways_that_there_is_one_already() {
    let double = Double::start(TokensOnly(Tokens::google(&key_file(""), ""))).await;
    let settings =
        json!({ "endpoint": double.url(""), "bucket": "audit", "credentials": key_file(&double.url("/token")).to_string() });
    let transport = open("gcs", &settings);
    let said = |status: u16| Reply::new(status, "{}");
    // A token, nothing may be listed, and both are there.
    double.script([Reply::new(200, "{\"access_token\":\"t\"}"), said(403), said(412), said(412)]);
    let answer = transport.send(&messages(2)).await;
    assert_eq!((answer.verdict, answer.raw.contains("it was there before")), (Verdict::Delivered, true), "{}", answer.raw);
    // Who may not overwrite is told only that; it is looked for, and it is there.
    double.script([said(403), said(200), said(200)]);
    assert_eq!(transport.send(&messages(3)).await.verdict, Verdict::Delivered);
    double.script([said(403), said(404)]);
    assert_eq!(transport.send(&messages(4)).await.verdict, Verdict::Retry { after: None });
    let puts: Vec<String> =
        double.asked().into_iter().filter(|asked| asked.method == "POST").map(|asked| asked.path).collect();
    assert!(puts.iter().skip(1).all(|path| path.contains("ifGenerationMatch=0")), "{puts:?}");
}

#[tokio::test]
async fn azure_takes_both_kinds_of_signature() {
    let Some(azurite) = peer("ACTA_AZURITE", "azurite (Azure Blob Storage)") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::start(Command::new("python3").arg(script("azurite.py")).arg(azurite).arg(folder.path()));
    let settings = json!({
        "endpoint": store.facts["endpoint"], "account": store.facts["account"], "container": "audit", "prefix": "acta",
        "auth": "shared_key", "secret": store.facts["key"],
    });
    holds(&mut store, "audit", "azure_blob", &settings, true).await;
    let mut other = settings.clone();
    other["container"] = json!("other");
    other["auth"] = json!("sas");
    other["secret"] = store.facts["sas"].clone();
    holds(&mut store, "other", "azure_blob", &other, true).await;

    let mut wrong = settings;
    wrong["secret"] = json!(STANDARD.encode("another key"));
    let refused = open("azure_blob", &wrong).send(&[message(900)]).await;
    assert!(
        matches!(refused.verdict, Verdict::Retry { .. }) && refused.raw.contains("AuthorizationFailure"),
        "{}",
        refused.raw
    );
    let mut wrong = other;
    wrong["secret"] = json!(store.facts["sas"].as_str().unwrap().replace("sig=", "sig=A"));
    let refused = open("azure_blob", &wrong).send(&[message(900)]).await;
    assert!(matches!(refused.verdict, Verdict::Retry { .. }) && !refused.raw.contains("sig="), "{}", refused.raw);
}
