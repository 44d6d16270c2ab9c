//! `/v1/redactions`: what is taken out of events before they are recorded, and nowhere to be found afterwards.

use std::path::Path;

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use directory::{ChangedBy, NewSession, RedactionRule};
use record::redact::{How, MemberPath, When};
use serde_json::{Value, json};
use server::config::Config;

use crate::support::{Answer, Server, event};

/// A server, and a key that may do all that is needed here.
struct Site {
    server: Server,
    key: String,
}

impl Site {
    fn start(config: Config) -> Site {
        let server = Server::with(config, |disk| std::sync::Arc::new(disk));
        let scopes = [KeyScope::EventsRead, KeyScope::EventsWrite, KeyScope::DirectoryRead, KeyScope::DirectoryWrite];
        let key = server.new_key(&scopes, None);
        Site { server, key }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.server.request(method.as_str(), path, &self.key).header(header::CONTENT_TYPE, "application/json");
        self.server.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn rule(&self, name: &str, rule: Value) -> Value {
        let mut rule = rule;
        rule["name"] = name.into();
        let answer = self.send(Method::POST, "/v1/redactions", &rule).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }

    /// Records an event and reads it back.
    async fn recorded(&self, event: &Value) -> Value {
        let answer = self.server.post(event.to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let id = answer.json()["event_id"].as_str().unwrap().to_owned();
        self.server.get(&format!("/v1/events/{id}")).await.json()
    }
}

fn run(query: &str, metadata: Value) -> Value {
    let mut run = event("QUERY_RUN");
    run["targets"] = json!([{"type": "page", "name": "Refunds"}, {"type": "query", "name": query}]);
    run["metadata"] = metadata;
    run
}

/// The files below a folder that hold these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_for_one_query_takes_its_parameters_out_and_no_others() {
    let site = Site::start(Config { seal_events: 100, ..Config::default() });
    let rule =
        json!({"when": {"query": "findCustomer", "actions": ["QUERY_*"]}, "members": ["/metadata/params"], "how": "hide"});
    let rule = site.rule("No parameters", rule).await;
    let params = json!({"sql": "select 1", "params": {"name": "Zaphod Beeblebrox"}});
    let hidden = site.recorded(&run("findCustomer", params.clone())).await;
    assert_eq!(hidden["metadata"], json!({"sql": "select 1", "params": "[redacted]"}));
    assert_eq!(hidden["redactions"], json!([{"member": "/metadata/params", "by": rule["id"], "as": "hidden"}]));
    // Nothing of it has come to the disk: the journal, nor a segment, nor what is derived from one.
    for n in 0..300 {
        site.server.post(run("findCustomer", json!({"params": ["Zaphod Beeblebrox", n]})).to_string()).await;
    }
    site.server.app.store.settle();
    assert!(site.server.app.store.stats().segments > 0);
    assert_eq!(holding(&site.server.app.config.data, b"Beeblebrox"), Vec::<String>::new());
    // The search for it does not find it either; the test can fail: another query's parameters are kept.
    assert_eq!(site.server.total("q=Beeblebrox").await, 0);
    let kept = site.recorded(&run("findOrder", params.clone())).await;
    assert_eq!((&kept["metadata"], kept.get("redactions")), (&params, None));
    assert!(!holding(&site.server.app.config.data, b"Beeblebrox").is_empty());
    let sealed = site.server.get("/v1/events?action=QUERY_RUN&after=0&limit=1").await.json();
    assert_eq!(sealed["events"][0]["redactions"][0]["by"], rule["id"], "from a segment, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hashed_value_can_be_looked_up_and_is_told_to_nobody() {
    let site = Site::start(Config::default());
    site.rule("Numbers", json!({"members": ["/metadata/*/ssn", "/actor/email"], "how": "hash"})).await;
    for ssn in [json!("078-05-1120"), json!("078-05-1120"), json!("078-05-1121"), json!(4711)] {
        site.recorded(&run("find", json!({"params": {"ssn": ssn}}))).await;
    }
    let look_up = async |value: Value| {
        let answer = site.send(Method::POST, "/v1/redactions/lookup", &json!({"value": value})).await.json();
        (answer["hash"].as_str().unwrap().to_owned(), answer["total"].as_u64().unwrap())
    };
    let (hash, total) = look_up("078-05-1120".into()).await;
    assert_eq!((hash.len(), total), ("[redacted:hash:]".len() + 32, 2));
    assert_eq!(look_up("078-05-1120".into()).await, (hash.clone(), 2), "a look does not find itself");
    assert_eq!(look_up(4711.into()).await.1, 1);
    assert_eq!(look_up("ada@example.com".into()).await.1, 4);
    assert_eq!(look_up("somebody@example.com".into()).await.1, 0);
    assert_eq!(site.server.total("q=078-05-1120").await, 0);
    assert_eq!(holding(&site.server.app.config.data, b"somebody@example.com"), Vec::<String>::new());
    let looks = site.server.get("/v1/events?action=VIEW_AUDIT_LOGS").await.json().to_string();
    let encoded: String = form_urlencoded::byte_serialize(hash.as_bytes()).collect();
    assert!(looks.contains(&format!("q={encoded}")), "{looks}");
    // Another organization's hash of the same value is another.
    let other = site.server.app.directory.create_organization(&ChangedBy::cli(), "Other", site.server.app.now()).unwrap();
    let key = site.server.new_key_in(&other, &[KeyScope::EventsRead, KeyScope::DirectoryRead], None);
    let request =
        site.server.request("POST", "/v1/redactions/lookup", &key).header(header::CONTENT_TYPE, "application/json");
    let answer = site.server.send(request.body(Body::from(r#"{"value":"078-05-1120"}"#)).unwrap()).await.json();
    assert!(answer["hash"] != hash.as_str() && answer["total"] == 0, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_scrubbed_unless_asked_not_to_and_headers_if_asked_to() {
    let secret = json!({"url": "postgres://app:s3cr3t-pw@db/orders", "Headers": {"X-Tenant": "tenant-7"}, "card": "4111 1111 1111 1111"});
    let site = Site::start(Config::default());
    let scrubbed = site.recorded(&run("a", secret.clone())).await;
    assert_eq!(
        scrubbed["metadata"],
        json!({"url": "postgres://app:[redacted:password]@db/orders", "Headers": {"X-Tenant": "tenant-7"}, "card": "[redacted:card]"})
    );
    let mut marks: Vec<&str> =
        scrubbed["redactions"].as_array().unwrap().iter().map(|mark| mark["as"].as_str().unwrap()).collect();
    marks.sort_unstable();
    assert_eq!(marks, ["card", "password"]);
    // A setting holds for the very next event.
    let asked = site.send(Method::PATCH, "/v1/organization", &json!({"scrub_secrets": false})).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    assert_eq!(site.recorded(&run("a", secret.clone())).await["metadata"], secret);
    let site = Site::start(Config { hide_all_headers_in_audit_log_events: true, ..Config::default() });
    let hidden = site.recorded(&run("a", secret)).await;
    assert_eq!(hidden["metadata"]["Headers"], "[redacted]");
    let mark = json!({"member": "/metadata/Headers", "by": "headers", "as": "hidden"});
    assert!(hidden["redactions"].as_array().unwrap().contains(&mark), "{hidden}");
    // A text that somebody searched for is an event, too.
    let token = format!("ghp_{}", "a1".repeat(18));
    site.server.get(&format!("/v1/events?q={token}")).await;
    assert_eq!(holding(&site.server.app.config.data, token.as_bytes()), Vec::<String>::new());
    let listed = site.send(Method::GET, "/v1/redactions", &json!({})).await.json();
    assert_eq!(listed, json!({"redactions": [], "hide_headers": true, "scrub_secrets": true}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_tried_out_without_doing_anything() {
    let site = Site::start(Config::default());
    for n in 0..5 {
        site.recorded(&run("find", json!({"params": {"ssn": format!("078-05-112{n}"), "n": n}}))).await;
    }
    site.recorded(&run("other", json!({"params": {"ssn": "1"}}))).await;
    let before = site.server.total("action=QUERY_RUN&q=078-05-112").await;
    let rule = json!({"when": {"query": "find"}, "members": ["/metadata/params/ssn", "/actor/email"], "how": "hash"});
    let tried = site.send(Method::POST, "/v1/redactions/try", &json!({"rule": rule, "limit": 2})).await.json();
    assert_eq!((&tried["matched"], &tried["complete"]), (&json!(5), &json!(true)), "{tried}");
    assert_eq!(tried["events"].as_array().unwrap().len(), 2);
    let first = &tried["events"][0];
    let members: Vec<&str> = first["members"].as_array().unwrap().iter().map(|it| it["member"].as_str().unwrap()).collect();
    assert_eq!((first["action"].as_str(), members), (Some("QUERY_RUN"), vec!["/actor/email", "/metadata/params/ssn"]));
    let becomes = first["members"][1]["becomes"].as_str().unwrap();
    let hash = site.send(Method::POST, "/v1/redactions/lookup", &json!({"value": "078-05-1124"})).await.json();
    assert_eq!((&hash["hash"], &hash["total"]), (&json!(becomes), &json!(0)), "as the rule would make it, and not made");
    assert_eq!(site.server.total("action=QUERY_RUN&q=078-05-112").await, before);
    // Only what the caller may see is tried on.
    let team = site.server.new_key(&[KeyScope::EventsRead], Some("ops"));
    let request = site.server.request("POST", "/v1/redactions/try", &team).body(Body::from("{}")).unwrap();
    assert_eq!(site.server.send(request).await.status, StatusCode::FORBIDDEN);
    let late = json!({"rule": rule, "from": "2100-01-01T00:00:00Z"});
    let none = site.send(Method::POST, "/v1/redactions/try", &late).await.json();
    assert_eq!(none, json!({"looked_at": 0, "complete": true, "matched": 0, "events": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_made_changed_and_deleted_and_each_is_an_event() {
    let site = Site::start(Config::default());
    let made = site.rule("First", json!({"members": ["/context/ip"], "how": "hide"})).await;
    let path = format!("/v1/redactions/{}", made["id"].as_str().unwrap());
    let changed = site.send(Method::PATCH, &path, &json!({"how": "hash", "when": {"app": "Refunds"}})).await.json();
    assert_eq!((&changed["how"], &changed["name"]), (&json!("hash"), &json!("First")));
    assert_eq!(site.send(Method::GET, &path, &json!({})).await.json(), changed);
    let mut elsewhere = run("a", json!({}));
    elsewhere["context"] = json!({"ip": "203.0.113.7"});
    let hashed = site.recorded(&elsewhere).await;
    assert!(hashed["context"]["ip"].as_str().unwrap().starts_with("[redacted:hash:"), "{hashed}");
    assert_eq!(site.send(Method::DELETE, &path, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.send(Method::DELETE, &path, &json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.recorded(&elsewhere).await["context"]["ip"], "203.0.113.7", "the next event, at once");
    server::record_own::drain_outbox(&site.server.app).await.unwrap();
    for (action, changes) in [("CREATE_REDACTION", 4), ("UPDATE_REDACTION", 2), ("DELETE_REDACTION", 4)] {
        let told = site.server.get(&format!("/v1/events?action={action}")).await.json();
        assert_eq!(told["events"][0]["changes"].as_array().unwrap().len(), changes, "{told}");
        assert_eq!(told["events"][0]["targets"][0]["name"], "First");
    }
    let faults = [
        json!({"name": "x", "members": ["/actor/id"], "how": "hide"}),
        json!({"name": "x", "members": ["/context/ip", "metadata"], "how": "hide"}),
        json!({"name": "x", "members": [], "how": "hide"}),
        json!({"name": "x", "members": ["/context/ip"], "how": "drop"}),
        json!({"name": "x", "members": ["/context/ip"], "how": "hide", "when": {"actions": ["A*B"]}}),
        json!({"name": "x", "members": ["/context/ip"], "how": "hide", "when": {"page": "x"}}),
    ];
    let mut told = Vec::new();
    for fault in &faults {
        told.push(site.send(Method::POST, "/v1/redactions", fault).await.problem());
    }
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /members/0 names actor/id, which is never redacted: an event without the id of who did it proves nothing; hide the name or the address
            /members/0: names actor/id, which is never redacted: an event without the id of who did it proves nothing; hide the name or the address
        422 urn:acta:problem:invalid: /members/1 must be a path that begins with a slash, such as /metadata/params
            /members/1: must be a path that begins with a slash, such as /metadata/params
        422 urn:acta:problem:invalid: /members A rule names 1 to 64 members; this one names 0.
            /members: A rule names 1 to 64 members; this one names 0.
        422 urn:acta:problem:invalid: /how unknown variant `drop`, expected `hide` or `hash`
            /how: unknown variant `drop`, expected `hide` or `hash`
        422 urn:acta:problem:invalid: /when/actions/0 may hold a * at its end only
            /when/actions/0: may hold a * at its end only
        422 urn:acta:problem:invalid: /when/page unknown field `page`, expected one of `actions`, `app`, `query`, `resource`
            /when/page: unknown field `page`, expected one of `actions`, `app`, `query`, `resource`"#]].assert_eq(&told.join("\n"));
}

/// Whoever changes the directory beside the server (the command line does) is followed within a second, and no rule hides what
/// somebody did to the log itself.
#[tokio::test(flavor = "multi_thread")]
async fn rules_do_not_reach_events_of_actas_own_and_a_retry_stays_a_retry() {
    let site = Site::start(Config::default());
    let mut first = run("a", json!({"params": {"a": 1}}));
    first["id"] = "order-1".into();
    site.recorded(&first).await;
    site.rule("All", json!({"members": ["/metadata", "/context/*", "/changes"], "how": "hide"})).await;
    let again = site.server.post(first.to_string()).await;
    assert_eq!((again.status, again.json()["duplicate"].clone()), (StatusCode::OK, json!(true)), "{}", again.text());
    first["outcome"] = "failure".into();
    assert_eq!(site.server.post(first.to_string()).await.status, StatusCode::CONFLICT);
    server::record_own::drain_outbox(&site.server.app).await.unwrap();
    let told = site.server.get("/v1/events?action=CREATE_REDACTION").await.json();
    assert!(told["events"][0]["changes"][0]["after"] == "All" && told["events"][0].get("redactions").is_none(), "{told}");
    let refused =
        site.server.post(json!({"action": "A", "actor": {"type": "user", "id": "u"}, "redactions": []}).to_string());
    assert!(refused.await.problem().contains("/redactions: is not a member that Acta knows"));
    // The same key with the same body, under rules that changed in between.
    let (directory, org) = (&site.server.app.directory, site.server.organization.id);
    let keyed = [("content-type", "application/json"), ("idempotency-key", "k1")];
    let body = run("b", json!({"params": {"a": 1}})).to_string();
    assert_eq!(site.server.post_with(&keyed, body.clone()).await.status, StatusCode::CREATED);
    let all = directory.redactions(org).unwrap().remove(0);
    directory.delete_redaction(&ChangedBy::cli(), org, &all.id, site.server.app.now()).unwrap();
    let members = vec![MemberPath::parse("/metadata/params").unwrap()];
    let rule = RedactionRule { when: When::default(), members, how: How::Hash };
    directory.create_redaction(&ChangedBy::cli(), org, "Other", rule, site.server.app.now()).unwrap();
    site.server.app.policies.forget(org);
    assert_eq!(site.server.post_with(&keyed, body).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_an_event_says_what_was_redacted() {
    let site = Site::start(Config::default());
    site.rule("Parameters & more", json!({"members": ["/metadata/params"], "how": "hide"})).await;
    let shown = site.recorded(&run("a", json!({"params": {"a": 1}, "password": "x"}))).await;
    let user = site.server.new_user("owner@example.com", Role::Owner);
    let new = NewSession { org: site.server.organization.id, user: &user.id, ip: None, user_agent: None };
    let (_, token) = site.server.app.directory.create_session(new, site.server.app.now()).unwrap();
    let request = axum::http::Request::builder()
        .uri(format!("/audit/{}", shown["event_id"].as_str().unwrap()))
        .header(header::COOKIE, format!("acta_session={}", token.expose()));
    let page = site.server.send(request.body(Body::empty()).unwrap()).await.text();
    let section = page.split_once("<h2>Redacted</h2>").unwrap().1.split_once("</section>").unwrap().0;
    for text in ["/metadata/params", "Rule “Parameters &#38; more”", "/metadata/password", "Secrets are scrubbed"] {
        assert!(section.contains(text), "{text}: {section}");
    }
}
