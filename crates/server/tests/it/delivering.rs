//! Delivery by the real process: killed in the middle, told by the command line, to standard output.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::cli::{Process, acta, run, set_up, stdout};
use crate::receiver::{Receiver, SECRET};

const KILLS: usize = 5;
const EVENTS_A_ROUND: usize = 400;

fn admin(data: &Path) -> String {
    let scopes = "directory:read,directory:write,events:read,events:export";
    stdout(&run(&["key", "create", "--data", data.to_str().unwrap(), "--scopes", scopes, "--name", "admin"]))
}

fn send(server: &Process, key: &str, from: usize) {
    let event = |n| format!(r#"{{"id":"n{n}","action":"OURS","actor":{{"type":"user","id":"u"}}}}"#);
    let events: Vec<String> = (from..from + EVENTS_A_ROUND).map(event).collect();
    let sent = ureq::post(format!("{}/v1/events", server.url)).header("authorization", format!("Bearer {key}"));
    let sent = sent.header("content-type", "application/x-ndjson").send(events.join("\n")).unwrap();
    assert_eq!(sent.status(), 200);
}

/// The ids of ours, in the order in which they came first, each with the event ids that it came with.
fn came(events: &[Value]) -> (Vec<String>, BTreeMap<String, BTreeSet<String>>) {
    let (mut order, mut ids) = (Vec::new(), BTreeMap::<String, BTreeSet<String>>::new());
    for event in events.iter().filter(|event| event["action"] == "OURS") {
        let id = event["id"].as_str().unwrap().to_owned();
        let known = ids.entry(id.clone()).or_default();
        if known.is_empty() {
            order.push(id);
        }
        known.insert(event["event_id"].as_str().unwrap().to_owned());
    }
    (order, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_kills_it_everything_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let admin = admin(&data);
    let receiver = Receiver::start().await;
    let secret = dir.path().join("secret");
    std::fs::File::create(&secret).unwrap().write_all(format!("{SECRET}\n").as_bytes()).unwrap();
    let settings = [("ACTA_DESTINATION_NETWORKS", "127.0.0.1"), ("ACTA_MAIL", "off"), ("ACTA_SEAL_EVENTS", "700")];
    let mut server = Process::serve(&data, &settings);
    let (set, from_file) = (format!("url={}", receiver.url), format!("secret={}", secret.display()));
    let place = ["--url", &server.url, "--key", &admin];
    let add = ["destination", "add", "--name", "Hook", "--type", "webhook", "--set", &set, "--secret", &from_file];
    let id = stdout(&run(&[&add[..], &["--set", "batch=true"], &place].concat()));
    assert!(id.starts_with("dest_"), "{id}");
    let mut sent = 0;
    for round in 0..KILLS {
        send(&server, &key, sent);
        sent += EVENTS_A_ROUND;
        // Once some of them have come; how many of the rest are on their way is anybody's guess.
        let some = sent - EVENTS_A_ROUND + 1 + round * 70;
        receiver.until(|events| came(events).0.len() >= some).await;
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        server = Process::serve(&data, &settings);
    }
    let events = receiver.until(|events| came(events).0.len() == sent).await;
    let (order, ids) = came(&events);
    assert_eq!(order, (0..sent).map(|n| format!("n{n}")).collect::<Vec<_>>(), "in order");
    assert!(ids.values().all(|ids| ids.len() == 1), "what comes twice is the same event");

    let place = ["--url", &server.url, "--key", &admin];
    let listed = stdout(&run(&[&["destination", "list"][..], &place].concat()));
    assert!(listed.contains(&id) && listed.contains("Hook") && listed.contains("active"), "{listed}");
    let tested = stdout(&run(&[&["destination", "test", "hook"][..], &place].concat()));
    assert_eq!(tested, "HTTP 200 OK: thanks");
    let shown = stdout(&run(&[&["destination", "show", "Hook"][..], &place].concat()));
    assert!(shown.contains("********") && !shown.contains(SECRET), "{shown}");
    assert!(run(&[&["destination", "pause", "Hook"][..], &place].concat()).status.success());
    let status = stdout(&run(&[&["destination", "status", "Hook"][..], &place].concat()));
    assert!(status.contains("paused"), "{status}");
    assert!(run(&[&["destination", "resume", "Hook", "--skip"][..], &place].concat()).status.success());
    let number = stdout(&run(&[&["destination", "replay", "Hook", "--from", "0", "--to", "1"][..], &place].concat()));
    assert_eq!(number, "1");
    for command in ["gaps", "dead-letters", "replay"] {
        assert!(run(&[&["destination", command, "Hook"][..], &place].concat()).status.success(), "{command}");
    }
    let wrong =
        run(&[&["destination", "add", "--name", "x", "--type", "webhook", "--set", "url=ftp://x"][..], &place].concat());
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && told.contains("/settings/url") && told.contains("/settings/secret"), "{told}");
    assert!(run(&[&["destination", "remove", "Hook"][..], &place].concat()).status.success());
    server.end();
}

#[test]
fn audit_events_go_to_stdout_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let mut command = acta(&["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    command.env("LOG_AUDIT_EVENTS", "true").env("ACTA_MAIL", "off").stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut words = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = words.find_map(|line| line.unwrap().split_once("Listening on ").map(|(_, url)| url.to_owned())).unwrap();
    // What it says about itself is read, so that it is never held up.
    let reading = std::thread::spawn(move || words.map_while(Result::ok).collect::<Vec<String>>());
    let server = Process { child, url };
    send(&server, &key, 0);
    let mut seen = 0;
    while seen < EVENTS_A_ROUND {
        let line = lines.next().expect("a line for each event").unwrap();
        let event: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        if event["actionType"] == "OURS" {
            assert_eq!((event["id"].as_str(), event["userId"].as_str()), (Some(format!("n{seen}").as_str()), Some("u")));
            seen += 1;
        }
    }
    server.end();
    drop(reading.join().unwrap());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(rest.iter().all(|line| line.starts_with('{')), "{rest:?}");
    // Another start goes on where it was.
    assert!(data.join("deliveries.db").is_file());
}
