//! No secret is anywhere that it does not belong: not in the data directory, not in the log of events, not in the server's own log.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use server::config::Config;

use crate::support::event;
use crate::tour::Tour;
use crate::visitor::{HERS, Site};

/// What only the vault's own file may hold.
const VAULT_KEY: &str = "the vault's key";
const KEY_FILE: &str = "keys/directory.key";

/// What the server writes about itself.
#[derive(Clone, Default)]
struct ServerLog(Arc<Mutex<Vec<u8>>>);

impl Write for ServerLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl ServerLog {
    /// All that this process writes from the first call on: it is one for all tests.
    fn get() -> ServerLog {
        static LOG: OnceLock<ServerLog> = OnceLock::new();
        let start = || {
            let log = ServerLog::default();
            let to = log.clone();
            let builder = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false);
            builder.with_writer(move || to.clone()).try_init().unwrap();
            log
        };
        LOG.get_or_init(start).clone()
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Finds many texts in one pass.
struct Finder {
    /// What begins with these bytes: the whole, and what it is.
    by_start: BTreeMap<[u8; START], Vec<(Vec<u8>, String)>>,
    /// Whether anything begins with these two bytes.
    may_start: Vec<bool>,
}

const START: usize = 6;

impl Finder {
    fn of(secrets: &BTreeMap<Vec<u8>, &'static str>) -> Finder {
        let mut finder = Finder { by_start: BTreeMap::new(), may_start: vec![false; 65_536] };
        for (secret, what) in secrets {
            for (form, how) in forms(secret) {
                let start = *form.first_chunk::<START>().unwrap();
                finder.may_start[two(&form)] = true;
                finder.by_start.entry(start).or_default().push((form, format!("{what}, {how}")));
            }
        }
        finder
    }

    /// What is in these bytes.
    fn find(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(START - 1) {
            let rest = &bytes[at..];
            if !self.may_start[two(rest)] {
                continue;
            }
            for (form, what) in self.by_start.get(rest.first_chunk::<START>().unwrap()).into_iter().flatten() {
                if rest.starts_with(form) && stands_alone(bytes, at, form.len()) {
                    found.insert(what.as_str());
                }
            }
        }
        found
    }
}

fn two(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// Six digits are in many numbers; only on their own they are a code.
fn stands_alone(bytes: &[u8], at: usize, len: usize) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte));
    len > START || !(is_part(bytes.get(at.wrapping_sub(1))) || is_part(bytes.get(at + len)))
}

/// A secret as it could be written down.
fn forms(secret: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut forms: Vec<(Vec<u8>, &str)> = vec![
        (secret.to_vec(), "in clear"),
        (hex(secret).into_bytes(), "in hex"),
        (hex(secret).to_uppercase().into_bytes(), "in hex"),
        (form_urlencoded::byte_serialize(secret).collect::<String>().into_bytes(), "in a form"),
    ];
    // Within something longer it can begin at any of the bytes that four letters stand for.
    for shift in 0..3 {
        let shifted = [&[0; 3][..shift], secret].concat();
        let whole = [0, 2, 3][shift]..shifted.len() * 8 / 6;
        forms.push((STANDARD.encode(&shifted).as_bytes()[whole.clone()].to_vec(), "in base64"));
        forms.push((URL_SAFE.encode(&shifted).as_bytes()[whole].to_vec(), "in base64url"));
    }
    // A token is the hex of random bytes.
    let digits = std::str::from_utf8(secret).ok().filter(|text| text.len() == 64);
    let raw = digits.and_then(|text| (0..32).map(|n| u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()).collect());
    if let Some(raw) = raw {
        let raw: Vec<u8> = raw;
        forms.push((STANDARD.encode(&raw).trim_end_matches('=').into(), "its bytes in base64"));
        forms.push((URL_SAFE.encode(&raw).trim_end_matches('=').into(), "its bytes in base64url"));
        forms.push((raw, "its bytes"));
    }
    let mut known = BTreeSet::new();
    forms.retain(|(form, _)| form.len() >= START && known.insert(form.clone()));
    forms
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What is in a data directory that does not belong there: file and secret.
fn in_files(finder: &Finder, data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in files(data) {
        let name = file.strip_prefix(data).unwrap().display().to_string();
        // A file of the journal may be gone meanwhile: its events are in a segment.
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let whats = finder.find(&bytes);
        let rightly = |what: &&str| name == KEY_FILE && **what == format!("{VAULT_KEY}, in clear");
        found.extend(whats.into_iter().filter(|what| !rightly(what)).map(|what| format!("{name}: {what}")));
    }
    found
}

/// All events of a log, as a key sees them.
async fn all_events(tour: &Tour, key: &str) -> String {
    let (mut text, mut after) = (String::new(), -1);
    loop {
        let path = format!("/v1/events?after={after}&limit=1000");
        let slice = tour.call(key, "GET", &path, Value::Null).await;
        let next = slice["next"].as_i64().unwrap();
        text += &slice["events"].to_string();
        if next == after {
            return text;
        }
        after = next;
    }
}

#[test]
fn a_secret_is_found_in_whatever_form() {
    let secret = "0123456789abcdef".repeat(4);
    let code = b"271828".to_vec();
    let finder = Finder::of(&BTreeMap::from([(secret.clone().into_bytes(), "token"), (code, "code")]));
    let mut found = BTreeSet::new();
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{secret} and more of it");
        let raw: Vec<u8> = (0..32).map(|n| u8::from_str_radix(&secret[2 * n..2 * n + 2], 16).unwrap()).collect();
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let base64 = [STANDARD.encode(&text), URL_SAFE.encode(&text), STANDARD.encode(&raw)].join(" ");
        for bytes in [text.as_bytes(), hex.as_bytes(), base64.as_bytes(), &raw] {
            assert!(!finder.find(bytes).is_empty(), "{before:?} {}", String::from_utf8_lossy(bytes));
            found.extend(finder.find(bytes));
        }
    }
    assert!(found.contains("token, in base64") && found.contains("token, its bytes"), "{found:?}");
    assert_eq!(finder.find(b"{\"code\":\"271828\"}").len(), 1);
    assert!(finder.find(b"1271828 271828.5 x271828").is_empty() && finder.find(b"01234567").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_anywhere() {
    let log = ServerLog::get();
    let tour = Tour::make().await;
    let data = tour.site.server.app.config.data.clone();
    tour.keep(VAULT_KEY, std::fs::read(data.join(KEY_FILE)).unwrap());
    // Tokens that are no good, and pages that fail, are not told either.
    let tokens: Vec<String> = tour
        .secrets
        .borrow()
        .keys()
        .filter_map(|it| String::from_utf8(it.clone()).ok())
        .filter(|it| it.len() == 64)
        .collect();
    for token in &tokens {
        for path in ["/reset", "/welcome", "/verify-email", "/invitation", "/sign-in/by-link"] {
            tour.site.visitor(HERS).get(&format!("{path}?token={token}")).await;
        }
        tour.site.server.get_as(token, "/v1/events").await;
    }
    let finder = Finder::of(&tour.secrets.borrow());
    let kinds: BTreeSet<&str> = tour.secrets.borrow().values().copied().collect();
    expect_test::expect![[r#"
        a code
        a destination's secret
        a form's token
        a link's token
        a password
        a recovery code
        a session's token
        a ticket
        an API key
        an authenticator's seed
        the vault's key"#]]
    .assert_eq(&kinds.into_iter().collect::<Vec<_>>().join("\n"));

    // What is planted is found, so what is not found is not there.
    let planted = "hidden where it can be found";
    let only = Finder::of(&BTreeMap::from([(planted.as_bytes().to_vec(), "planted")]));
    let mut first = event("QUERY_RUN");
    first["metadata"] = json!({"note": planted});
    tour.site.server.post(first.to_string()).await;
    tracing::debug!(planted, "a line of the server's");
    assert_eq!(in_files(&only, &data).len(), 1);

    let addresses = Finder::of(&BTreeMap::from([(b"hopper@example.com".to_vec(), "address")]));
    let with_address = in_files(&addresses, &data).join(" ");
    assert!(with_address.contains("acta.db") && with_address.contains("journal/"), "{with_address}");

    // The journal holds all events yet, the database's log the last changes.
    assert_eq!(tour.site.server.app.store.stats().segments, 0);
    assert!(data.join("acta.db-wal").exists());
    assert_eq!(in_files(&finder, &data), Vec::<String>::new());
    let fillers: Vec<Value> = (0..900).map(|_| event("QUERY_RUN")).collect();
    let filled = tour.site.server.post(Value::from(fillers).to_string()).await;
    assert!(filled.status.is_success(), "{}", filled.text());
    tour.site.server.app.store.settle();
    assert!(tour.site.server.app.store.stats().segments > 0);
    assert_eq!(in_files(&finder, &data), Vec::<String>::new());

    tour.site.execute("UPDATE organizations SET archived_at = NULL");
    for (key, holds) in [(&tour.reader, 1), (&tour.other_reader, 0)] {
        let events = all_events(&tour, key).await;
        assert!(events.contains("LOGIN") && only.find(events.as_bytes()).len() == holds);
        assert_eq!(finder.find(events.as_bytes()), BTreeSet::new());
    }
    let metrics = tour.site.server.get("/metrics").await;
    assert_eq!(finder.find(&metrics.body), BTreeSet::new());
    let told = log.bytes();
    assert!(only.find(&told).len() == 1 && String::from_utf8_lossy(&told).contains("sent a mail"));
    assert_eq!(finder.find(&told), BTreeSet::new(), "in the server's log");
}

/// A mail server that lets one client try, and not in; what the client said.
fn refuse_one(listener: &TcpListener) -> String {
    let (stream, _) = listener.accept().unwrap();
    let mut said = String::new();
    (&stream).write_all(b"220 mail.example.com ESMTP\r\n").unwrap();
    for line in BufReader::new(&stream).lines() {
        let Ok(line) = line else { break };
        let answer = match line.split(' ').next().unwrap() {
            "EHLO" => "250-mail.example.com\r\n250 AUTH PLAIN LOGIN\r\n",
            "AUTH" => "535 5.7.8 Authentication failed\r\n",
            "QUIT" => "221 Bye\r\n",
            _ => "250 OK\r\n",
        };
        said += &line;
        said.push('\n');
        if (&stream).write_all(answer.as_bytes()).is_err() {
            break;
        }
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_servers_password_is_told_to_nobody_else() {
    let log = ServerLog::get();
    let password = "punched cards, in order";
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("password");
    std::fs::File::create(&file).unwrap().write_all(password.as_bytes()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = [
        ("smtp_url", Some(format!("smtp://acta@{}", listener.local_addr().unwrap()))),
        ("smtp_password_file", Some(file.display().to_string())),
        ("mail_from", Some("Acta <acta@example.com>".to_owned())),
    ];
    let site = Site::with(&settings, tempfile::tempdir().unwrap());
    site.user("ada@example.com", access::Role::Owner);
    let mut ada = site.visitor(HERS);
    ada.get("/forgot").await;
    ada.submit("/forgot", &[("email", "ada@example.com")]).await;
    site.server.app.tasks.stop().await;
    let refusing = std::thread::spawn(move || refuse_one(&listener));
    assert_eq!(server::mailing::send_due(&site.server.app).await.unwrap(), 0);
    let said = refusing.join().unwrap();
    let finder = Finder::of(&BTreeMap::from([(password.as_bytes().to_vec(), "password")]));
    assert_eq!(finder.find(said.as_bytes()).len(), 1, "it is known where it belongs: {said}");
    assert_eq!(site.total("action=MAIL_FAILED").await, 1);
    let events = site.server.get("/v1/events?action=MAIL_FAILED").await;
    assert!(events.text().contains("Authentication failed"), "{}", events.text());
    let told = log.bytes();
    assert!(String::from_utf8_lossy(&told).contains("a mail could not be sent"));
    let config: &Config = &site.server.app.config;
    for bytes in [&events.body, &told, &format!("{config:?}").into_bytes()] {
        assert_eq!(finder.find(bytes), BTreeSet::new());
    }
    assert_eq!(in_files(&finder, &config.data), Vec::<String>::new());
}
