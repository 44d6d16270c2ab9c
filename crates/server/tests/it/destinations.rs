//! Destinations from outside: made, changed, followed, tested; what arrives, what does not, and what is told of it.

use std::sync::Arc;

use access::KeyScope;
use axum::body::Body;
use axum::http::header;
use serde_json::{Value, json};
use server::app::App;
use server::config::Config;

use crate::receiver::{HEADER, Receiver, SECRET, actions};
use crate::support::{Answer, Server, event};

/// A server that delivers, and a key that may set it up.
struct Site {
    server: Server,
    admin: String,
}

impl Site {
    fn start() -> Site {
        Site::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Site {
        let mut all = vec![("destination_networks", Some("127.0.0.0/8".to_owned())), ("mail", Some("off".to_owned()))];
        all.extend(settings.iter().map(|(name, value)| (*name, Some((*value).to_owned()))));
        let config = Config::load(None, std::iter::empty(), &all).unwrap();
        let server = Server::with(Config { seal_events: 100, ..config }, |disk| Arc::new(disk));
        server::delivering::keep_delivering(&server.app);
        let scopes = [KeyScope::DirectoryWrite, KeyScope::DirectoryRead, KeyScope::EventsExport, KeyScope::EventsRead];
        let admin = server.new_key(&scopes, None);
        Site { server, admin }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.server.request(method, path, &self.admin).header(header::CONTENT_TYPE, "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.server.send(request.body(body).unwrap()).await
    }

    /// A call that works.
    async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.call(method, path, body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    async fn webhook(&self, receiver: &Receiver, more: Value) -> String {
        let mut body = json!({"name": "Hook", "type": "webhook", "settings": receiver.settings()});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.done("POST", "/v1/destinations", body).await;
        format!("/v1/destinations/{}", made["id"].as_str().unwrap())
    }

    async fn send(&self, actions: &[&str]) {
        for action in actions {
            let answer = self.server.post(event(action).to_string()).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
    }

    fn app(&self) -> &Arc<App> {
        &self.server.app
    }

    /// The status, once it is as wanted.
    async fn status(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..3_000 {
            let status = self.done("GET", &format!("{path}/status"), Value::Null).await;
            if wanted(&status) {
                return status;
            }
            tokio::task::yield_now().await;
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        panic!("in vain: {}", self.done("GET", &format!("{path}/status"), Value::Null).await);
    }

    async fn end(self) {
        self.app().tasks.stop().await;
    }
}

/// What of the events of a test arrived.
fn ours(events: &[Value]) -> Vec<String> {
    actions(events).into_iter().filter(|action| action.starts_with("OURS_")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_mistakes_are_named() {
    let site = Site::start();
    let wrong = json!({
        "name": "Hook", "type": "webhook", "settings": {"url": "http://10.0.0.7/", "secret": "short", "color": "red"},
        "format": "morse", "filter": {"severity": "awful"}, "hide": ["no pointer"],
    });
    let mut told = vec![site.call("POST", "/v1/destinations", wrong).await.problem()];
    let literal = json!({"url": "https://2130706433/", "secret": SECRET});
    let strange = Site::with(&[("destination_networks", "10.0.0.0/8")]);
    let body = json!({"name": "Hook", "type": "webhook", "settings": literal});
    told.push(strange.call("POST", "/v1/destinations", body).await.problem());
    for body in [
        json!({"name": "Hook", "type": "pigeon", "settings": {}}),
        json!({"name": "Hook", "type": "webhook", "settings": [], "wings": 2}),
        json!({"name": " ", "type": "webhook", "settings": {"url": "https://example.com/", "secret": SECRET}}),
        json!({"name": "Hook", "type": "stdout", "settings": {}}),
        json!({"name": "Hook", "type": "file", "settings": {"name": "events.log"}}),
    ] {
        told.push(site.call("POST", "/v1/destinations", body).await.problem());
    }
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /settings/color is not known here: expected one of url, secret, previous_secret, key, previous_key, headers, batch, envelope, content_type, ca (and 4 more)
            /settings/color: is not known here: expected one of url, secret, previous_secret, key, previous_key, headers, batch, envelope, content_type, ca
            /settings/secret: must be whsec_ and 24 to 64 bytes in Base64
            /format: "morse" is none of native, retool, ocsf, ecs, cloudevents, cef, leef
            /filter/severity: unknown variant `awful`, expected one of `info`, `low`, `medium`, `high`, `critical`
            /hide/0: must be a path that begins with a slash, such as /metadata/params
        422 urn:acta:problem:invalid: /settings/url https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address. The operator can allow networks for destinations with destination_networks
            /settings/url: https://127.0.0.1 is not allowed: 127.0.0.1 is a loopback address. The operator can allow networks for destinations with destination_networks
        422 urn:acta:problem:invalid: /type "pigeon" is no type of destination; there are datadog, otlp, splunk, sumo, webhook, stdout, file, syslog, kafka, nats, elastic, sentinel, google_secops, panther, s3, gcs, azure_blob
            /type: "pigeon" is no type of destination; there are datadog, otlp, splunk, sumo, webhook, stdout, file, syslog, kafka, nats, elastic, sentinel, google_secops, panther, s3, gcs, azure_blob
        422 urn:acta:problem:invalid: /wings unknown field `wings`, expected one of `name`, `type`, `settings`, `format`, `filter`, `hide`, `team`, `begin`
            /wings: unknown field `wings`, expected one of `name`, `type`, `settings`, `format`, `filter`, `hide`, `team`, `begin`
        422 urn:acta:problem:invalid: /name A name has 1 to 100 characters; this one has 0.
            /name: A name has 1 to 100 characters; this one has 0.
        422 urn:acta:problem:invalid: /settings events may not go to standard output here: the operator has not allowed it
            /settings: events may not go to standard output here: the operator has not allowed it
        422 urn:acta:problem:invalid: /settings events may not go to files here: the operator has named no folder for them
            /settings: events may not go to files here: the operator has named no folder for them"#]].assert_eq(&told.join("\n"));
    strange.end().await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_once_and_in_order_and_it_is_known_when() {
    let site = Site::start();
    let receiver = Receiver::start().await;
    site.send(&["OURS_BEFORE"]).await;
    let path = site.webhook(&receiver, json!({})).await;
    let names: Vec<String> = (0..300).map(|n| format!("OURS_{n}")).collect();
    let batch: Vec<Value> = names.iter().map(|name| event(name)).collect();
    assert_eq!(site.server.post(Value::from(batch).to_string()).await.status, 200);
    let events = receiver.until(|events| ours(events).len() >= 300).await;
    assert_eq!(ours(&events), names, "nothing from before, everything since, in order, once");
    assert!(actions(&events).contains(&"CREATE_DESTINATION".to_owned()), "its own making is the first thing it hears of");

    let status = site.status(&path, |status| status["lag_events"] == 0).await;
    assert_eq!((&status["state"], &status["dead_letters"], &status["open_gaps"]), (&json!("idle"), &json!(0), &json!(0)));
    assert!(status["delivered"].as_u64().unwrap() >= 301, "{status}");
    let id = events.iter().find(|event| event["action"] == "OURS_7").unwrap()["event_id"].as_str().unwrap().to_owned();
    let told = site.done("GET", &format!("/v1/events/{id}/deliveries"), Value::Null).await;
    let one = &told["deliveries"][0];
    assert_eq!((&one["name"], &one["state"], &one["by"]), (&json!("Hook"), &json!("delivered"), &json!("live")), "{told}");
    assert!(one["at"].is_string() && one["answer"].as_str().unwrap().starts_with("HTTP 200"), "{told}");
    let whole = site.done("GET", &format!("/v1/events/{id}"), Value::Null).await;
    assert_eq!(whole["deliveries"], told["deliveries"]);
    // Who may not read the directory is not told what destinations are called.
    let reader = site.server.get(&format!("/v1/events/{id}")).await.json();
    assert!(reader["deliveries"].is_null());
    assert_eq!(site.server.get(&format!("/v1/events/{id}/deliveries")).await.status, 403);
    let metrics = site.server.get("/metrics").await.text();
    assert!(metrics.contains("acta_delivery_lag_events{destination=\"dest_"), "{metrics}");
    assert_eq!(site.server.get("/readyz").await.json()["deliveries"], "ok");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_shown_and_one_that_is_not_given_stays() {
    let site = Site::start();
    let receiver = Receiver::start().await;
    let path = site.webhook(&receiver, json!({})).await;
    let shown = site.done("GET", &path, Value::Null).await;
    assert_eq!(
        (&shown["settings"]["secret"], &shown["settings"]["headers"]["x-team"]),
        (&json!("********"), &json!("********"))
    );
    let settings = json!({"url": receiver.url, "batch": true, "secret": "********", "headers": {"x-team": "********"}});
    site.done("PATCH", &path, json!({"settings": settings, "name": "Other"})).await;
    site.done("PATCH", &path, json!({"settings": {"url": receiver.url, "batch": true}})).await;
    site.send(&["OURS_STILL"]).await;
    receiver.until(|events| ours(events) == ["OURS_STILL"]).await;
    let elsewhere = json!({"settings": {"url": "http://127.0.0.1:9/else", "secret": "********"}});
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /settings/secret must be given: ******** only stands for a value that is not shown, and is kept only for the same receiver
            /settings/secret: must be given: ******** only stands for a value that is not shown, and is kept only for the same receiver"#]].assert_eq(&site.call("PATCH", &path, elsewhere).await.problem());
    let list = site.done("GET", "/v1/destinations", Value::Null).await;
    let events = site.server.get("/v1/events?category=Delivery&per_page=100").await;
    for text in [shown.to_string(), list.to_string(), events.text()] {
        assert!(!text.contains(SECRET) && !text.contains(HEADER), "{text}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_passed_over_is_a_gap_until_a_replay_closes_it() {
    let site = Site::start();
    let receiver = Receiver::start().await;
    let path = site.webhook(&receiver, json!({"filter": {"actions": ["OURS_*"]}})).await;
    site.send(&["OURS_1"]).await;
    receiver.until(|events| ours(events) == ["OURS_1"]).await;

    // A pause, after which everything comes.
    assert!(site.done("POST", &format!("{path}/pause"), Value::Null).await["paused_at"].is_string());
    site.send(&["OURS_2"]).await;
    let status = site.done("GET", &format!("{path}/status"), Value::Null).await;
    assert_eq!(status["state"], "paused");
    assert!(status["lag_events"].as_u64().unwrap() >= 1, "{status}");
    site.done("POST", &format!("{path}/resume"), Value::Null).await;
    receiver.until(|events| ours(events) == ["OURS_1", "OURS_2"]).await;
    assert_eq!(site.call("POST", &format!("{path}/resume"), Value::Null).await.status, 409);

    // A pause, after which it goes on from now.
    site.done("POST", &format!("{path}/pause"), Value::Null).await;
    site.send(&["OURS_3"]).await;
    site.done("POST", &format!("{path}/resume"), json!({"skip": true})).await;
    site.send(&["OURS_4"]).await;
    receiver.until(|events| ours(events) == ["OURS_1", "OURS_2", "OURS_4"]).await;
    let gaps = site.done("GET", &format!("{path}/gaps"), Value::Null).await;
    let gap = &gaps["gaps"][0];
    assert_eq!((gaps["gaps"].as_array().unwrap().len(), &gap["kind"]), (1, &json!("skip")), "{gaps}");

    // A replay closes it, beside the live course.
    let replay = json!({"from": gap["from"], "to": gap["to"]});
    let made = site.done("POST", &format!("{path}/replays"), replay).await;
    receiver.until(|events| ours(events) == ["OURS_1", "OURS_2", "OURS_4", "OURS_3"]).await;
    site.status(&path, |status| status["open_replays"] == 0 && status["open_gaps"] == 0).await;
    let replays = site.done("GET", &format!("{path}/replays"), Value::Null).await;
    assert_eq!((&replays["replays"][0]["id"], &replays["replays"][0]["state"]), (&made["id"], &json!("done")));
    let gaps = site.done("GET", &format!("{path}/gaps"), Value::Null).await;
    assert_eq!((gaps["gaps"].as_array().unwrap().len(), gaps["closed"].as_array().unwrap().len()), (0, 1), "{gaps}");
    let id = made["id"].as_i64().unwrap();
    assert_eq!(site.call("DELETE", &format!("{path}/replays/{id}"), Value::Null).await.status, 409, "it has ended");
    assert_eq!(site.call("DELETE", &format!("{path}/replays/77"), Value::Null).await.status, 404);

    // By time: everything again, as the same events.
    site.done("POST", &format!("{path}/replays"), json!({"since": "2020-01-01T00:00:00Z"})).await;
    let events = receiver.until(|events| ours(events).len() == 8).await;
    let ids: std::collections::BTreeSet<&str> = events.iter().filter_map(|event| event["event_id"].as_str()).collect();
    assert_eq!(ids.len(), 4, "duplicates have the same id");
    let mut told = Vec::new();
    for wrong in [
        json!({}),
        json!({"from": 3, "since": "2020-01-01T00:00:00Z"}),
        json!({"from": 3, "to": 1}),
        json!({"since": "1999-01-01T00:00:00Z", "until": "2000-01-01T00:00:00Z"}),
        json!({"from": 1, "until": "2000-01-01T00:00:00Z"}),
    ] {
        told.push(site.call("POST", &format!("{path}/replays"), wrong).await.problem());
    }
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /from or /since says where to begin
            /from: or /since says where to begin
        422 urn:acta:problem:invalid: /since and /from cannot be given together
            /since: and /from cannot be given together
        422 urn:acta:problem:invalid: /from is after the last index
            /from: is after the last index
        422 urn:acta:problem:invalid: /since and /until hold nothing that was recorded
            /since: and /until hold nothing that was recorded
        422 urn:acta:problem:invalid: /until goes with /since, not with /from
            /until: goes with /since, not with /from"#]]
    .assert_eq(&told.join("\n"));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teams_destination_gets_what_the_team_may_see() {
    let site = Site::start();
    let receiver = Receiver::start().await;
    site.server.new_key(&[KeyScope::EventsWrite], Some("ops"));
    site.server.new_key(&[KeyScope::EventsWrite], Some("sales"));
    let path = site.webhook(&receiver, json!({"team": "ops", "hide": ["/actor/email"]})).await;
    for (action, team) in [
        ("OURS_1", Some("ops")),
        ("OURS_2", Some("sales")),
        ("OURS_3", None),
        ("organization_variable_created", Some("ops")),
        ("OURS_4", Some("ops")),
    ] {
        let mut event = event(action);
        event["team"] = team.into();
        assert_eq!(site.server.post(event.to_string()).await.status, 201);
    }
    let events = receiver.until(|events| ours(events).len() == 2).await;
    assert_eq!(ours(&events), ["OURS_1", "OURS_4"]);
    assert!(events.iter().all(|event| event["team"] == "ops"), "{events:?}");
    assert!(events.iter().all(|event| !event.to_string().contains("ada@example.com")), "{events:?}");
    // The team stays, and cannot be deleted meanwhile.
    assert_eq!(site.call("PATCH", &path, json!({"team": "sales"})).await.status, 422);
    assert_eq!(site.call("DELETE", "/v1/teams/ops", Value::Null).await.status, 409);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_shows_what_the_receiver_says() {
    let site = Site::start();
    let receiver = Receiver::start().await;
    let path = site.webhook(&receiver, json!({"filter": {"actions": ["NOTHING"]}})).await;
    let tested = site.done("POST", &format!("{path}/test"), Value::Null).await;
    assert_eq!((&tested["delivered"], tested["took_ms"].is_u64()), (&json!(true), true), "{tested}");
    expect_test::expect!["HTTP 200 OK: thanks"].assert_eq(tested["answer"].as_str().unwrap());
    let events = receiver.until(|events| !events.is_empty()).await;
    assert_eq!((&events[0]["action"], &events[0]["event_id"]), (&json!("TEST_DESTINATION"), &tested["event_id"]));
    receiver.answers(403, "no such token");
    let tested = site.done("POST", &format!("{path}/test"), Value::Null).await;
    assert_eq!(tested["delivered"], false);
    expect_test::expect!["HTTP 403 Forbidden: no such token"].assert_eq(tested["answer"].as_str().unwrap());
    assert_eq!(site.server.total("action=TEST_DESTINATION").await, 2);
    for _ in 2..12 {
        site.done("POST", &format!("{path}/test"), Value::Null).await;
    }
    assert_eq!(site.call("POST", &format!("{path}/test"), Value::Null).await.status, 429);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_told_once_and_what_is_refused_is_listed() {
    let site = Site::with(&[("destination_alert_after", "1s")]);
    let receiver = Receiver::start().await;
    receiver.answers(503, "later");
    let path = site.webhook(&receiver, json!({"filter": {"actions": ["OURS_*"]}})).await;
    site.send(&["OURS_1"]).await;
    receiver.refuses().await;
    let status = site.status(&path, |status| status["failing_since"].is_string()).await;
    assert_eq!((&status["state"], &status["open_gaps"]), (&json!("retrying"), &json!(1)), "{status}");
    assert_eq!(site.server.get("/readyz").await.json()["deliveries"], "1 destinations fail");
    let is_told = async |action: &str| {
        for _ in 0..3_000 {
            if site.server.total(&format!("action={action}")).await > 0 {
                return;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
        panic!("{action} was not told");
    };
    is_told("DESTINATION_FAILING").await;
    receiver.answers(200, "again");
    receiver.until(|events| ours(events) == ["OURS_1"]).await;
    is_told("DESTINATION_RECOVERED").await;
    assert_eq!(site.server.total("action=DESTINATION_FAILING").await, 1);
    // It is closed once everything has arrived that was there when things arrived again.
    site.status(&path, |status| status["open_gaps"] == 0).await;
    let gaps = site.done("GET", &format!("{path}/gaps"), Value::Null).await;
    assert_eq!((gaps["gaps"].as_array().unwrap().len(), gaps["closed"].as_array().unwrap().len()), (0, 1), "{gaps}");

    receiver.answers(400, "bad event");
    site.send(&["OURS_2"]).await;
    site.status(&path, |status| status["dead_letters"] == 1 && status["lag_events"] == 0).await;
    receiver.answers(200, "fine");
    site.send(&["OURS_3"]).await;
    receiver.until(|events| ours(events) == ["OURS_1", "OURS_3"]).await;
    let letters = site.done("GET", &format!("{path}/dead-letters"), Value::Null).await;
    let letter = &letters["dead_letters"][0];
    assert!(letter["answer"].as_str().unwrap().contains("bad event"), "{letters}");
    assert!(letter["excerpt"].as_str().unwrap().contains("OURS_2"), "{letters}");
    // Whoever may read the directory and not the log is not shown what was sent.
    let directory_only = site.server.new_key(&[KeyScope::DirectoryRead], None);
    let letters = site.server.get_as(&directory_only, &format!("{path}/dead-letters")).await.json();
    assert_eq!(letters["dead_letters"][0]["excerpt"], "");
    let ids = json!({"ids": [letter["id"]]});
    assert_eq!(site.done("POST", &format!("{path}/dead-letters/retry"), ids).await["count"], 1);
    receiver.until(|events| ours(events) == ["OURS_1", "OURS_3", "OURS_2"]).await;
    site.status(&path, |status| status["dead_letters"] == 0).await;

    receiver.answers(400, "bad again");
    site.send(&["OURS_4", "OURS_5"]).await;
    site.status(&path, |status| status["dead_letters"] == 2).await;
    assert_eq!(site.done("POST", &format!("{path}/dead-letters/discard"), json!({"all": true})).await["count"], 2);
    site.status(&path, |status| status["dead_letters"] == 0).await;
    let told = site.server.get("/v1/events?action=DISCARD_DEAD_LETTERS").await.json();
    assert_eq!(told["events"][0]["metadata"]["count"], 2);

    // A receiver that is gone pauses the destination.
    receiver.answers(410, "gone for good");
    site.send(&["OURS_6"]).await;
    is_told("PAUSE_DESTINATION").await;
    let shown = site.done("GET", &path, Value::Null).await;
    assert!(shown["paused_why"].as_str().unwrap().contains("gone for good"), "{shown}");
    receiver.answers(200, "back");
    site.done("POST", &format!("{path}/resume"), Value::Null).await;
    receiver.until(|events| ours(events).last().is_some_and(|last| last == "OURS_6")).await;
    site.done("DELETE", &path, Value::Null).await;
    assert_eq!(site.call("GET", &format!("{path}/status"), Value::Null).await.status, 404);
    assert_eq!(site.app().delivering.ledger().standings().await.unwrap(), Vec::new(), "nothing is left of it");
    site.end().await;
}
