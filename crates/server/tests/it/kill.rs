//! kill -9 at random moments under load: nothing that was answered is lost, nothing is there twice.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::{Process, run, set_up, stdout};

const ROUNDS: u64 = 200;
const SENDERS: u64 = 4;

/// What was answered: the sender's id → the index and event_id.
type Answered = BTreeMap<String, (u64, String)>;

#[test]
fn nothing_answered_is_lost() {
    let seed = std::env::var("ACTA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("ACTA_SEED={seed} repeats this run");
    let mut chance = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let answered: Mutex<Answered> = Mutex::default();
    let mut next = 0;
    for round in 0..ROUNDS {
        let mut server = Process::serve(&data, &[("ACTA_SEAL_EVENTS", "700")]);
        // What was answered in earlier rounds is there, at its index, once.
        next = verify(&server, &key, next, &answered.lock().unwrap());
        let die_after = chance.u64(1..60);
        let (done, stopping, sent) = (AtomicU64::new(0), AtomicBool::new(false), AtomicU64::new(0));
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for worker in 0..SENDERS {
                let (url, key, answered, sender) = (server.url.clone(), &key, &answered, sender.clone());
                let (done, stopping, sent) = (&done, &stopping, &sent);
                let mut chance = fastrand::Rng::with_seed(chance.u64(..));
                scope.spawn(move || {
                    let agent = agent();
                    while !stopping.load(Ordering::Relaxed) {
                        let n = sent.fetch_add(1, Ordering::Relaxed);
                        let size = if chance.bool() { 1 } else { chance.u64(2..8) };
                        let ids: Vec<String> = (0..size).map(|k| format!("{round}-{worker}-{n}-{k}")).collect();
                        let Some(places) = send(&agent, &url, key, &ids) else { break };
                        answered.lock().unwrap().extend(ids.into_iter().zip(places));
                        if done.fetch_add(1, Ordering::Relaxed) + 1 == die_after {
                            sender.send(()).unwrap();
                        }
                    }
                });
            }
            receiver.recv_timeout(Duration::from_secs(60)).expect("the server answers");
            server.child.kill().unwrap();
            stopping.store(true, Ordering::Relaxed);
        });
        server.child.wait().unwrap();
        let checked = stdout(&run(&["check", "--data", data.to_str().unwrap()]));
        assert!(checked.ends_with("All is well."), "round {round}: {checked}");
    }
    let server = Process::serve(&data, &[]);
    verify(&server, &key, 0, &answered.lock().unwrap());
    let answered = answered.lock().unwrap().len();
    println!("{ROUNDS} kills, {answered} events answered for, none lost");
    assert!(answered > 5_000);
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(30))).build().into()
}

/// Sends events and gives their places, or nothing if the server died before it answered.
fn send(agent: &ureq::Agent, url: &str, key: &str, ids: &[String]) -> Option<Vec<(u64, String)>> {
    let events: Vec<Value> = ids
        .iter()
        .map(|id| json!({"id": id, "action": "KILL_TEST", "actor": {"type": "user", "id": "u"}, "metadata": {"pad": "x".repeat(200)}}))
        .collect();
    let body = if events.len() == 1 { events[0].to_string() } else { Value::from(events).to_string() };
    let request = agent.post(format!("{url}/v1/events")).header("authorization", format!("Bearer {key}"));
    let mut response = request.header("content-type", "application/json").send(body).ok()?;
    let status = response.status().as_u16();
    let answer: Value = serde_json::from_str(&response.body_mut().read_to_string().ok()?).ok()?;
    assert!(matches!(status, 200 | 201 | 503), "{status}: {answer}");
    if status == 503 {
        return None;
    }
    let items = answer["results"].as_array().cloned().unwrap_or_else(|| vec![answer]);
    Some(items.iter().map(|item| (item["index"].as_u64().unwrap(), item["event_id"].as_str().unwrap().to_owned())).collect())
}

/// Reads the log from an index on: dense, each id once, each answered event where the answer said. Gives the index after the
/// last.
fn verify(server: &Process, key: &str, from: u64, answered: &Answered) -> u64 {
    let mut due = from;
    let mut found: BTreeMap<String, (u64, String)> = BTreeMap::new();
    loop {
        let after = i64::try_from(due).unwrap() - 1;
        let slice = server.get(key, &format!("/v1/events?after={after}&limit=1000"));
        let events = slice["events"].as_array().unwrap();
        if events.is_empty() {
            break;
        }
        for event in events {
            assert_eq!(event["index"].as_u64(), Some(due), "indexes are dense");
            due += 1;
            if event["action"] == "KILL_TEST" {
                let place = (event["index"].as_u64().unwrap(), event["event_id"].as_str().unwrap().to_owned());
                let twice = found.insert(event["id"].as_str().unwrap().to_owned(), place);
                assert!(twice.is_none(), "{} stands twice", event["id"]);
            }
        }
    }
    for (id, place) in answered.iter().filter(|(_, place)| place.0 >= from) {
        assert_eq!(found.get(id), Some(place), "{id} was answered for");
    }
    due
}
