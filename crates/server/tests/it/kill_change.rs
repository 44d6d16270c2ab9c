//! kill -9 between a change of the directory and its event: there is never one without the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::{Process, run, set_up, stdout};

const ROUNDS: u64 = 200;
const SENDERS: u64 = 3;

/// Groups by id: their names.
type Groups = BTreeMap<String, String>;

/// What was answered for, by the group's id: the name it was given last; `None` once it was deleted.
type Answered = BTreeMap<String, Option<String>>;

#[test]
fn a_change_and_its_event_are_one() {
    let seed = std::env::var("ACTA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("ACTA_SEED={seed} repeats this run");
    let mut chance = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    set_up(&data);
    let scopes = ["--scopes", "events:read,directory:read,directory:write", "--name", "changes"];
    let key = stdout(&run(&[&["key", "create", "--data", data.to_str().unwrap()][..], &scopes].concat()));
    let answered: Mutex<Answered> = Mutex::default();
    let (mut told, mut next) = (Groups::new(), 0);
    for round in 0..ROUNDS {
        let mut server = Process::serve(&data, &[]);
        next = verify(&server, &key, next, &mut told, &mut answered.lock().unwrap(), round);
        let die_after = chance.u64(1..25);
        let (done, stopping) = (AtomicU64::new(0), AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for worker in 0..SENDERS {
                let (url, key, answered, sender) = (server.url.clone(), &key, &answered, sender.clone());
                let (done, stopping) = (&done, &stopping);
                scope.spawn(move || {
                    let agent = agent();
                    for n in 0.. {
                        if stopping.load(Ordering::Relaxed)
                            || change(&agent, &url, key, answered, &format!("{round}-{worker}-{n}")).is_none()
                        {
                            break;
                        }
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
    }
    let server = Process::serve(&data, &[]);
    verify(&server, &key, next, &mut told, &mut answered.lock().unwrap(), ROUNDS);
    let answered = answered.lock().unwrap().len();
    println!("{ROUNDS} kills, {answered} groups answered for, each change with its event");
    assert!(answered > 500);
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(30))).build().into()
}

/// One request; `None` if the server died before it answered.
fn call(agent: &ureq::Agent, method: &str, url: &str, key: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let request = ureq::http::Request::builder().method(method).uri(url).header("authorization", format!("Bearer {key}"));
    let request = request.header("content-type", "application/json");
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut response = agent.run(request.body(body).unwrap()).ok()?;
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or_default()))
}

/// Creates a group, renames it, and deletes every third.
fn change(agent: &ureq::Agent, url: &str, key: &str, answered: &Mutex<Answered>, name: &str) -> Option<()> {
    let (status, group) = call(agent, "POST", &format!("{url}/v1/groups"), key, Some(&json!({"name": name})))?;
    assert_eq!(status, 201, "{group}");
    let id = group["id"].as_str().unwrap().to_owned();
    answered.lock().unwrap().insert(id.clone(), Some(name.to_owned()));
    let url = format!("{url}/v1/groups/{id}");
    let renamed = format!("{name} renamed");
    let (status, problem) = call(agent, "PATCH", &url, key, Some(&json!({"name": renamed})))?;
    assert_eq!(status, 200, "{problem}");
    answered.lock().unwrap().insert(id.clone(), Some(renamed));
    if is_deleted_later(name) {
        let (status, problem) = call(agent, "DELETE", &url, key, None)?;
        assert!(matches!(status, 200 | 204), "{problem}");
        answered.lock().unwrap().insert(id, None);
    }
    Some(())
}

fn is_deleted_later(name: &str) -> bool {
    name.ends_with(['0', '3', '6', '9'])
}

/// Makes one more change, which is answered after the events of all changes before it are in the log. Then what the log tells
/// and what the directory holds must be the same. Gives the index to go on from.
fn verify(server: &Process, key: &str, from: u64, told: &mut Groups, answered: &mut Answered, round: u64) -> u64 {
    let (agent, name) = (agent(), format!("marker {round}"));
    let (status, marker) =
        call(&agent, "POST", &format!("{}/v1/groups", server.url), key, Some(&json!({"name": name}))).unwrap();
    assert_eq!(status, 201, "{marker}");
    answered.insert(marker["id"].as_str().unwrap().to_owned(), Some(name));
    let mut due = from;
    loop {
        let after = i64::try_from(due).unwrap() - 1;
        let slice = server.get(key, &format!("/v1/events?after={after}&limit=1000"));
        let events = slice["events"].as_array().unwrap().clone();
        if events.is_empty() {
            break;
        }
        for event in &events {
            due = event["index"].as_u64().unwrap() + 1;
            tell(event, told);
        }
    }
    let mut held = Groups::new();
    for page in 1.. {
        let list = server.get(key, &format!("/v1/groups?per_page=1000&page={page}"));
        for group in list["groups"].as_array().unwrap() {
            held.insert(group["id"].as_str().unwrap().to_owned(), group["name"].as_str().unwrap().to_owned());
        }
        if page >= list["pages"].as_u64().unwrap() {
            break;
        }
    }
    assert_eq!(held, *told, "round {round}: the log tells another story than the directory");
    for (id, name) in answered.iter() {
        match name {
            Some(name) => {
                // A change that was on its way when the server died may have been made, too.
                let may_be_gone = name.strip_suffix(" renamed").is_some_and(is_deleted_later);
                let now = told.get(id);
                let kept = now.is_some_and(|now| now.starts_with(name.as_str())) || now.is_none() && may_be_gone;
                assert!(kept, "{id}: {name} was answered for, and it is {now:?}");
            }
            None => assert!(!told.contains_key(id), "{id}: that it was deleted was answered for"),
        }
    }
    due
}

fn tell(event: &Value, told: &mut Groups) {
    let group = |event: &Value| event["targets"][0]["id"].as_str().unwrap().to_owned();
    match event["action"].as_str().unwrap() {
        "CREATE_GROUP" => {
            let name = event["targets"][0]["name"].as_str().unwrap().to_owned();
            assert!(told.insert(group(event), name).is_none(), "told twice: {event}");
        }
        "UPDATE_GROUP" => {
            let change = event["changes"].as_array().unwrap().iter().find(|change| change["field"] == "name").unwrap();
            let before = told.insert(group(event), change["after"].as_str().unwrap().to_owned());
            assert_eq!(before.as_deref(), change["before"].as_str(), "{event}");
        }
        "DELETE_GROUP" => assert!(told.remove(&group(event)).is_some(), "told twice: {event}"),
        _ => {}
    }
}
