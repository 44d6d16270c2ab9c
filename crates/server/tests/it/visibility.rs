//! Who sees what of the log, on every way to read it. Each event carries words that stand nowhere else; what a caller may not see
//! must not be in any answer, nor be found by any filter, nor be counted.

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::{HeaderName, Request, header};
use directory::NewSession;
use serde_json::{Value, json};

use crate::support::Server;

/// An event of the test, with a word in each of its members that is found nowhere else.
struct Told {
    /// What the table calls it.
    name: &'static str,
    action: &'static str,
    team: Option<&'static str>,
}

const EVENTS: [Told; 6] = [
    Told { name: "ops", action: "scenario_created", team: Some("ops") },
    Told { name: "ops-org-only", action: "organization_variable_created", team: Some("ops") },
    Told { name: "sales", action: "scenario_created", team: Some("sales") },
    Told { name: "no-team", action: "CREATE_GROUP", team: None },
    Told { name: "by-member", action: "PAGE_VIEW", team: None },
    Told { name: "elsewhere", action: "PAGE_VIEW", team: Some("ops") },
];

/// The members that a role's narrowing can hide, with the words in them.
const MEMBERS: [&str; 6] = ["ip", "user_agent", "email", "name", "changes", "metadata"];

impl Told {
    fn at(&self) -> usize {
        EVENTS.iter().position(|other| other.name == self.name).unwrap()
    }

    /// The word in a member.
    fn word(&self, member: &str) -> String {
        match member {
            "ip" => format!("198.51.100.{}", 17 + self.at()),
            "email" => format!("w{}email@example.com", self.at()),
            other => format!("w{}{}", self.at(), other.replace('_', "")),
        }
    }

    fn event(&self, actor: &str) -> Value {
        let mut event = json!({
            "action": self.action,
            "actor": {"type": "user", "id": actor, "name": self.word("name"), "email": self.word("email")},
            "targets": [{"type": "page", "id": format!("w{}target", self.at())}],
            "context": {"ip": self.word("ip"), "user_agent": self.word("user_agent")},
            "changes": [{"field": "title", "before": "x", "after": self.word("changes")}],
            "metadata": {"note": self.word("metadata")},
        });
        if let Some(team) = self.team {
            event["team"] = team.into();
        }
        event
    }
}

/// A caller, with what she is to see.
struct Seer {
    name: &'static str,
    header: (HeaderName, String),
    sees: &'static [&'static str],
    masked: &'static [&'static str],
    is_person: bool,
}

struct Test {
    server: Server,
    /// The events' ids, as in [`EVENTS`].
    ids: Vec<String>,
}

impl Test {
    async fn ask(&self, seer: &Seer, path: &str) -> (u16, String) {
        let request = Request::get(path).header(&seer.header.0, &seer.header.1).body(Body::empty()).unwrap();
        let answer = self.server.send(request).await;
        (answer.status.as_u16(), answer.text())
    }

    async fn total(&self, seer: &Seer, query: &str) -> u64 {
        let (status, text) = self.ask(seer, &format!("/v1/events?{query}")).await;
        assert_eq!(status, 200, "{}: {query}: {text}", seer.name);
        serde_json::from_str::<Value>(&text).unwrap()["total"].as_u64().unwrap()
    }

    /// No word of an answer may come from what the caller does not see.
    fn check_words(&self, seer: &Seer, path: &str, text: &str) {
        for event in &EVENTS {
            let seen = seer.sees.contains(&event.name);
            for member in MEMBERS {
                if !seen || seer.masked.contains(&member) {
                    assert!(
                        !text.contains(&event.word(member)),
                        "{}: {path} tells {}: {text}",
                        seer.name,
                        event.word(member)
                    );
                }
            }
            if !seen {
                let target = format!("w{}target", event.at());
                assert!(!text.contains(&target) && !text.contains(&self.ids[event.at()]), "{}: {path}: {text}", seer.name);
            }
        }
    }
}

/// A signed-in person.
fn person(server: &Server, name: &'static str, role: Role) -> (String, (HeaderName, String)) {
    let user = server.new_user(&format!("{}@example.net", name.replace(' ', "-")), role);
    let new = NewSession { org: user.org, user: &user.id, ip: None, user_agent: None };
    let (_, token) = server.app.directory.create_session(new, server.app.now()).unwrap();
    (user.id.to_string(), (header::COOKIE, format!("acta_session={}", token.expose())))
}

async fn given(server: &Server, key: &str, assignment: Value) {
    let request = server.request("POST", "/v1/role-assignments", key).header(header::CONTENT_TYPE, "application/json");
    let answer = server.send(request.body(Body::from(assignment.to_string())).unwrap()).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_more_than_she_may() {
    let server = Server::start();
    let admin = server.new_key(&[KeyScope::DirectoryWrite, KeyScope::DirectoryRead], None);
    let bearer = |key: String| (header::AUTHORIZATION, format!("Bearer {key}"));
    let reads = |team: Option<&'static str>| bearer(server.new_key(&[KeyScope::EventsRead], team));
    let all = &["ops", "ops-org-only", "sales", "no-team", "by-member"];
    let mut seers = Vec::new();
    let mut seer = |name, header, sees: &'static [&'static str], masked: &'static [&'static str], is_person| {
        seers.push(Seer { name, header, sees, masked, is_person });
    };
    seer("key", reads(None), all, &[], false);
    seer("key of ops", reads(Some("ops")), &["ops"], &[], false);
    seer("key of sales", reads(Some("sales")), &["sales"], &[], false);
    for (name, role) in [("owner", Role::Owner), ("admin", Role::Admin), ("auditor", Role::Auditor)] {
        seer(name, person(&server, name, role).1, all, &[], true);
    }
    let (id, header) = person(&server, "team admin", Role::Member);
    given(&server, &admin, json!({"role": "team_admin", "user": id, "team": "ops"})).await;
    seer("team admin", header, &["ops"], &[], true);
    let (id, header) = person(&server, "admin of two teams", Role::Member);
    given(&server, &admin, json!({"role": "team_admin", "user": id, "team": "ops"})).await;
    given(&server, &admin, json!({"role": "team_admin", "user": id, "team": "sales"})).await;
    seer("admin of two teams", header, &["ops", "sales"], &[], true);
    let (id, header) = person(&server, "narrowed auditor", Role::Member);
    let narrowing = json!({"masked": ["ip", "email", "metadata", "name", "changes", "user_agent"]});
    given(&server, &admin, json!({"role": "auditor", "user": id, "narrowing": narrowing})).await;
    seer("masked auditor", header, all, &MEMBERS, true);
    let (id, header) = person(&server, "auditor of a category", Role::Member);
    let category = record::Catalogs::built_in().get("scenario_created").unwrap().1.category.clone();
    let narrowing = json!({"categories": [category], "masked": ["ip", "name"]});
    given(&server, &admin, json!({"role": "auditor", "user": id, "narrowing": narrowing})).await;
    seer("auditor of a category", header, &["ops", "sales"], &["ip", "name"], true);
    let (id, header) = person(&server, "auditor of the past", Role::Member);
    given(&server, &admin, json!({"role": "auditor", "user": id, "narrowing": {"to": "2020-01-01T00:00:00Z"}})).await;
    seer("auditor of the past", header, &[], &[], true);
    let (member, own) = person(&server, "member", Role::Member);

    let mut ids = Vec::new();
    for event in &EVENTS[..5] {
        let actor = if event.name == "by-member" { member.clone() } else { format!("u_{}", event.at()) };
        let answer = server.post(event.event(&actor).to_string()).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
        ids.push(answer.json()["event_id"].as_str().unwrap().to_owned());
    }
    let by = directory::ChangedBy::cli();
    let other = server.app.directory.create_organization(&by, "Other", server.app.now()).unwrap();
    let foreign = server.new_key_in(&other, &[KeyScope::EventsWrite, KeyScope::EventsRead], None);
    let request = server.request("POST", "/v1/events", &foreign).header(header::CONTENT_TYPE, "application/json");
    let answer = server.send(request.body(Body::from(EVENTS[5].event("u_5").to_string())).unwrap()).await;
    ids.push(answer.json()["event_id"].as_str().unwrap().to_owned());
    seer("key of another organization", bearer(foreign), &["elsewhere"], &[], false);

    let test = Test { server, ids };
    let nothing = Seer { name: "member", header: own, sees: &[], masked: &[], is_person: true };
    for path in ["/v1/events", "/v1/events?after=-1", "/v1/filters", "/v1/facets?field=action", "/v1/histogram", "/audit"] {
        let (status, text) = test.ask(&nothing, path).await;
        assert_eq!(status, 403, "{path}");
        test.check_words(&nothing, path, &text);
    }
    let request = test.server.request("PATCH", "/v1/organization", &admin).header(header::CONTENT_TYPE, "application/json");
    let switch = json!({"members_see_own_events": true}).to_string();
    let answer = test.server.send(request.body(Body::from(switch)).unwrap()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    seers.push(Seer { name: "member who sees her own", sees: &["by-member"], ..nothing });

    // Before anybody has looked for a word: a look at the log is an event, and holds what was looked for.
    for seer in &seers {
        let pages: &[&str] = if seer.is_person { &["/audit", "/audit?per_page=1000"] } else { &[] };
        let lists = ["/v1/events?per_page=1000", "/v1/events?after=-1&limit=1000", "/v1/events?before=100000&limit=1000"];
        for path in lists.iter().chain(pages) {
            let (status, text) = test.ask(seer, path).await;
            assert_eq!(status, 200, "{}: {path}: {text}", seer.name);
            test.check_words(seer, path, &text);
        }
    }
    // Once with the events in memory, once with them in a segment.
    for _ in 0..2 {
        for seer in &seers {
            check(&test, seer).await;
        }
        let filler: Vec<Value> =
            (0..200).map(|n| json!({"action": "FILLER", "actor": {"type": "x", "id": n.to_string()}})).collect();
        // What the looks of before have left to be sealed is sealed first: the store takes no more while too much waits.
        test.server.app.store.settle();
        assert_eq!(test.server.post(Value::from(filler).to_string()).await.status.as_u16(), 200);
        test.server.app.store.settle();
    }
    assert!(test.server.app.store.stats().segments > 0);
}

async fn check(test: &Test, seer: &Seer) {
    let of_ours = EVENTS.iter().map(|event| format!("&action={}", event.action)).collect::<String>();
    let mut paths: Vec<String> = [
        "/v1/filters",
        "/v1/facets?field=action&field=actor&field=team&field=target&field=ip&field=category&limit=1000",
        "/v1/histogram?from=2020-01-01&to=2030-01-01&buckets=10",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend(["per_page=1000", "after=-1", "before=100000"].map(|part| format!("/v1/events?{part}{of_ours}")));
    if seer.is_person {
        paths.push(format!("/audit?per_page=1000{of_ours}"));
    }
    for path in &paths {
        let (status, text) = test.ask(seer, path).await;
        assert_eq!(status, 200, "{}: {path}: {text}", seer.name);
        test.check_words(seer, path, &text);
    }
    for event in &EVENTS {
        let seen = seer.sees.contains(&event.name);
        let id = &test.ids[event.at()];
        let mut whole = vec![format!("/v1/events/{id}")];
        if seer.is_person {
            whole.extend([format!("/audit/{id}"), format!("/audit/{id}.json")]);
        }
        for path in whole {
            let (status, text) = test.ask(seer, &path).await;
            assert_eq!(status, if seen { 200 } else { 404 }, "{}: {}: {path}", seer.name, event.name);
            test.check_words(seer, &path, &text.replace(id, ""));
        }
        let mut queries = vec![
            (format!("target=w{}target", event.at()), ""),
            (format!("q=w{}target", event.at()), ""),
            (format!("email={}", event.word("email")), "email"),
            (format!("ip={}", event.word("ip")), "ip"),
        ];
        queries.extend(MEMBERS.map(|member| (format!("q={}", event.word(member)), member)));
        for (query, member) in queries {
            let found = test.total(seer, &query).await;
            assert_eq!(found, u64::from(seen && !seer.masked.contains(&member)), "{}: {}: {query}", seer.name, event.name);
            if seer.is_person && matches!(member, "" | "metadata") {
                let (status, text) = test.ask(seer, &format!("/audit?{query}")).await;
                assert_eq!(status, 200);
                // The page repeats what was typed; beyond that, only what is seen.
                let typed = query.split_once('=').unwrap().1;
                test.check_words(seer, &query, &text.replace(typed, ""));
            }
        }
    }
    // What is counted is what is seen.
    let (_, filters) = test.ask(seer, "/v1/filters").await;
    let filters: Value = serde_json::from_str(&filters).unwrap();
    for event in &EVENTS {
        let listed = filters["categories"].as_array().unwrap().iter().flat_map(|it| it["actions"].as_array().unwrap());
        let counted = listed.filter(|it| it["id"] == event.action).map(|it| it["events"].as_u64().unwrap()).sum::<u64>();
        let total = test.total(seer, &format!("action={}", event.action)).await;
        assert_eq!(counted, total, "{}: {}", seer.name, event.action);
        let seen = EVENTS.iter().filter(|other| other.action == event.action && seer.sees.contains(&other.name)).count();
        assert!(
            total >= seen as u64 && (seen > 0 || total == 0 || event.action == "CREATE_GROUP"),
            "{}: {}",
            seer.name,
            event.action
        );
    }
}
