//! The authorization table: every route, asked by every sort of caller, about what is hers, another team's, and another
//! organization's. The routes come from the router itself: a new one is in the table, or the test fails.

use std::collections::BTreeMap;

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::{HeaderName, Method, Request, header};
use directory::{ChangedBy, NewSession, Organization};
use serde_json::{Value, json};

use crate::support::{Server, event};

/// The name of everything that belongs to the organization of the table begins so; nothing else's does.
const OURS: &str = "ours-";

struct Caller {
    name: String,
    header: (HeaderName, String),
    /// Of another organization: whatever she is told, it is nothing of ours.
    is_foreign: bool,
}

struct World {
    server: Server,
    /// May create everything.
    admin: String,
    number: u32,
}

impl World {
    fn person(&self, org: &Organization, name: &str, role: Role) -> (String, (HeaderName, String)) {
        let email = format!("{}@example.com", name.replace(' ', "-"));
        let user = self.server.new_user_in(org, &email, role);
        (user.id.to_string(), (header::COOKIE, self.session(org, &user.id).1))
    }

    /// A session of a user: its id and its cookie.
    fn session(&self, org: &Organization, user: &directory::UserId) -> (String, String) {
        let new = NewSession { org: org.id, user, ip: None, user_agent: None };
        let (session, token) = self.server.app.directory.create_session(new, self.server.app.now()).unwrap();
        (session.id.to_string(), format!("acta_session={}", token.expose()))
    }

    async fn made(&self, path: &str, body: Value) -> String {
        let request = self.server.request("POST", path, &self.admin).header(header::CONTENT_TYPE, "application/json");
        let answer = self.server.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.status.as_u16(), 201, "{path}: {}", answer.text());
        let answer = answer.json();
        let id = ["id", "event_id"].iter().find_map(|member| answer[member].as_str());
        id.or(answer["key"]["id"].as_str())
            .or(answer["invitation"]["id"].as_str())
            .unwrap_or_else(|| panic!("{path}: {answer}"))
            .to_owned()
    }

    /// The path with something new for each of its parameters, in this team where things have one.
    async fn path(&mut self, path: &str, team: &str) -> String {
        let mut out = path.to_owned();
        while let Some((before, rest)) = out.split_once('{') {
            let (parameter, after) = rest.split_once('}').unwrap();
            let id = self.thing(parameter, team).await;
            out = format!("{before}{id}{after}");
        }
        out
    }

    async fn thing(&mut self, parameter: &str, team: &str) -> String {
        self.number += 1;
        let name = format!("{OURS}{}", self.number);
        let email = format!("{name}@example.com");
        let org = self.server.organization.id;
        match parameter {
            "event_id" => {
                let mut event = event(&format!("TABLE_{}", self.number));
                event["team"] = team.into();
                let answer = self.server.post(event.to_string()).await;
                answer.json()["event_id"].as_str().unwrap().to_owned()
            }
            // The team itself; a new one would be nobody's.
            "team_id" => team.to_owned(),
            "user_id" => self.made("/v1/users", json!({"email": email, "name": name, "role": "member"})).await,
            "account_id" => self.made("/v1/service-accounts", json!({"name": name})).await,
            "group_id" => self.made("/v1/groups", json!({"name": name})).await,
            "role_id" => self.made("/v1/roles", json!({"name": name, "permissions": ["app:view"]})).await,
            "assignment_id" => {
                let user = Box::pin(self.thing("user_id", team)).await;
                self.made("/v1/role-assignments", json!({"role": "viewer", "user": user, "team": team})).await
            }
            "key_id" => {
                let new = directory::NewApiKey {
                    team: None,
                    service_account: None,
                    name: &name,
                    scopes: [KeyScope::EventsWrite].into(),
                    expires_at: None,
                };
                let made = self.server.app.directory.create_api_key(&ChangedBy::cli(), org, new, self.server.app.now());
                made.unwrap().0.id.to_string()
            }
            "session_id" => {
                let user = self.server.new_user(&email, Role::Member);
                self.session(&self.server.organization, &user.id).0
            }
            "invitation_id" => self.made("/v1/invitations", json!({"email": email, "role": "member"})).await,
            "redaction_id" => {
                self.made("/v1/redactions", json!({"name": name, "members": ["/metadata/x"], "how": "hide"})).await
            }
            "destination_id" => {
                // There may be fifty. It lies where nothing may be sent, so nothing is.
                let (directory, by, now) = (&self.server.app.directory, ChangedBy::cli(), self.server.app.now());
                for old in directory.destinations(org).unwrap() {
                    directory.delete_destination(&by, org, &old.id, now).unwrap();
                }
                let whole = json!({"url": "https://127.0.0.1:9/", "secret": crate::receiver::SECRET});
                let settings = directory::DestinationSettings { shown: json!({"url": whole["url"]}), whole };
                let (wanted, hide, team, begins_at) = (json!({}), Vec::new(), None, 0);
                let (name, kind, format) = (name.as_str(), "webhook", "native");
                let new = directory::NewDestination { name, kind, settings, format, wanted, hide, team, begins_at };
                directory.create_destination(&by, org, new, now).unwrap().id.to_string()
            }
            "replay_id" => "1".to_owned(),
            "environment_id" => self.made("/v1/environments", json!({"name": name, "kind": "development"})).await,
            "folder_id" => self.made("/v1/folders", json!({"name": name, "team": team})).await,
            "app_id" => self.made("/v1/apps", json!({"name": name, "team": team})).await,
            "workflow_id" => self.made("/v1/workflows", json!({"name": name, "team": team})).await,
            "resource_id" => self.made("/v1/resources", json!({"name": name, "kind": "postgresql", "team": team})).await,
            "grant_id" => {
                let (user, app) = (Box::pin(self.thing("user_id", team)).await, Box::pin(self.thing("app_id", team)).await);
                self.made("/v1/grants", json!({"subject": {"user": user}, "level": "use", "object": {"app": app}})).await
            }
            "file" => "acta.css".to_owned(),
            other => panic!("the table does not know what stands for {{{other}}}"),
        }
    }
}

/// What is sent: enough to be told yes for the commonest, nothing for the rest (whoever may is told what is missing).
fn body(method: &Method, path: &str, number: u32) -> Value {
    let name = format!("sent-{number}");
    match (method.as_str(), path) {
        ("POST", "/v1/events") => event("TABLE_POST"),
        ("POST", "/v1/teams" | "/v1/groups" | "/v1/service-accounts" | "/v1/apps" | "/v1/workflows" | "/v1/folders") => {
            json!({"name": name})
        }
        ("POST", "/v1/users" | "/v1/invitations") => json!({"email": format!("{name}@example.com"), "role": "member"}),
        ("POST", "/v1/environments") => json!({"name": name, "kind": "development"}),
        ("POST", "/v1/authorize") => {
            let principal = json!({"user": "u_0000000000000000"});
            json!({"principal": principal, "permission": "team:manage", "object": {"team": "ops"}})
        }
        _ => json!({}),
    }
}

/// A list needs to be told of whom or what.
fn query(path: &str) -> &'static str {
    match path {
        "/v1/facets" => "?field=action",
        "/v1/who-can" => "?permission=team:manage&team=ops",
        // Nobody: whoever may ask about others is told that there is no such user.
        "/v1/what-can" => "?user=u_0000000000000000",
        _ => "",
    }
}

async fn callers(world: &World) -> Vec<Caller> {
    let server = &world.server;
    let bearer = |key: String| (header::AUTHORIZATION, format!("Bearer {key}"));
    let mut callers = vec![
        Caller { name: "nobody".into(), header: (header::ACCEPT, "*/*".into()), is_foreign: true },
        Caller { name: "wrong key".into(), header: bearer("acta_wrong".into()), is_foreign: true },
    ];
    let mut add = |name: String, header, is_foreign| callers.push(Caller { name, header, is_foreign });
    for scope in KeyScope::ALL {
        add(format!("key {scope}"), bearer(server.new_key(&[*scope], None)), false);
    }
    add("key of ops".into(), bearer(server.new_key(KeyScope::ALL, Some("ops"))), false);
    for role in Role::ALL {
        add(role.to_string(), world.person(&server.organization, role.as_str(), *role).1, false);
    }
    for role in access::BuiltInRole::ALL {
        for team in [None, Some("ops")] {
            if team.is_none() && role.is_for_teams() {
                continue;
            }
            let name = format!("given {role}{}", team.map_or(String::new(), |team| format!(" of {team}")));
            let (user, header) = world.person(&server.organization, &name.replace('_', "-"), Role::Member);
            world.made("/v1/role-assignments", json!({"role": role.as_str(), "user": user, "team": team})).await;
            add(name, header, false);
        }
    }
    let by = ChangedBy::cli();
    let other = server.app.directory.create_organization(&by, "Elsewhere", server.app.now()).unwrap();
    add("owner elsewhere".into(), world.person(&other, "owner elsewhere", Role::Owner).1, true);
    let all: Vec<KeyScope> = KeyScope::ALL.to_vec();
    add("key elsewhere".into(), bearer(server.new_key_in(&other, &all, None)), true);
    callers
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_for_every_caller() {
    let server = Server::start();
    let admin = server.new_key(&[KeyScope::DirectoryWrite, KeyScope::DirectoryRead], None);
    for team in ["ops", "sales"] {
        server.new_key(&[KeyScope::EventsWrite], Some(team));
    }
    let mut world = World { server, admin, number: 0 };
    let callers = callers(&world).await;
    let mut table = String::new();
    for route in server::router::routes().list() {
        // Where things have a team, once with one that some callers have to do with, once with another.
        let in_teams = [
            "{event_id}",
            "{team_id}",
            "{assignment_id}",
            "{folder_id}",
            "{app_id}",
            "{workflow_id}",
            "{resource_id}",
            "{grant_id}",
        ];
        let teams: &[&str] =
            if in_teams.iter().any(|parameter| route.path.contains(parameter)) { &["ops", "sales"] } else { &["ops"] };
        for team in teams {
            let shared = world.path(route.path, team).await;
            let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
            for caller in &callers {
                // What is changed or gone for one caller is new for the next. A team is not: what would end it is asked of nobody's.
                let path = match route.method {
                    Method::GET => shared.clone(),
                    _ => world.path(route.path, team).await,
                };
                world.number += 1;
                let body =
                    if route.method == Method::GET { Value::Null } else { body(&route.method, route.path, world.number) };
                let status = ask(&world.server, caller, &route.method, &format!("{path}{}", query(route.path)), &body).await;
                if caller.is_foreign && route.path.contains("_id}") {
                    assert!(
                        status != 200 && status != 201 && status != 204,
                        "{}: {} {path}: {status}",
                        caller.name,
                        route.method
                    );
                }
                by_status.entry(status).or_default().push(&caller.name);
            }
            let about = if teams.len() > 1 { format!(" ({team})") } else { String::new() };
            table += &format!("{} {}{about}\n", route.method, route.path);
            for (status, names) in by_status {
                table += &format!("    {status}: {}\n", names.join(", "));
            }
        }
    }
    expect_test::expect_file!["authorization.txt"].assert_eq(&table);
}

async fn ask(server: &Server, caller: &Caller, method: &Method, path: &str, body: &Value) -> u16 {
    let request = Request::builder().method(method).uri(path).header(&caller.header.0, &caller.header.1);
    let request = request.header(header::CONTENT_TYPE, "application/json").header("sec-fetch-site", "same-origin");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let answer = server.send(request.body(body).unwrap()).await;
    if caller.is_foreign {
        // The address is repeated where nothing is found; the names are not.
        let told = answer.text();
        assert!(!told.contains(OURS), "{}: {method} {path}: {told}", caller.name);
    }
    answer.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_role_is_none() {
    let server = Server::start();
    let admin = server.new_key(&[KeyScope::DirectoryWrite], None);
    let user = server.new_user("for-a-time@example.com", Role::Member);
    let new = NewSession { org: server.organization.id, user: &user.id, ip: None, user_agent: None };
    let (_, token) = server.app.directory.create_session(new, server.app.now()).unwrap();
    let look = async || {
        let request = Request::get("/v1/events").header(header::COOKIE, format!("acta_session={}", token.expose()));
        server.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    assert_eq!(look().await, 403);
    let ends = server.app.now().plus_millis(300).to_string();
    let request = server.request("POST", "/v1/role-assignments", &admin).header(header::CONTENT_TYPE, "application/json");
    let given = json!({"role": "auditor", "user": user.id.as_str(), "expires_at": ends}).to_string();
    assert_eq!(server.send(request.body(Body::from(given)).unwrap()).await.status.as_u16(), 201);
    let mut seen = vec![look().await];
    while seen.last() == Some(&200) {
        seen.push(look().await);
    }
    assert_eq!(seen.last(), Some(&403));
}
