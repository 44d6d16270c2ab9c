//! `/v1/organization`, `/teams`, `/users`, `/service-accounts`, `/groups`, `/roles`, `/role-assignments`, `/api-keys`,
//! `/sessions`, `/me`: through the router, with real sessions and keys.

use std::sync::Arc;

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::{Request, header};
use directory::{ChangedBy, NewSession, User};
use serde_json::{Value, json};
use server::config::Config;
use testkit::{Fault, FaultyDisk};

use crate::support::{Answer, Server};

/// Somebody who asks.
struct Client<'a> {
    server: &'a Server,
    header: (header::HeaderName, String),
}

impl Client<'_> {
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path).header(&self.header.0, &self.header.1);
        let request = request.header("user-agent", "test/1");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.server.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask("PATCH", path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None).await
    }

    /// Makes something and gives its id.
    async fn make(&self, path: &str, body: Value) -> String {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

fn sign_in<'a>(server: &'a Server, user: &User) -> Client<'a> {
    let new = NewSession { org: user.org, user: &user.id, ip: None, user_agent: None };
    let (_, token) = server.app.directory.create_session(new, server.app.now()).unwrap();
    Client { server, header: (header::COOKIE, format!("acta_session={}", token.expose())) }
}

fn with_key<'a>(server: &'a Server, scopes: &[KeyScope]) -> Client<'a> {
    let key = server.new_key(scopes, None);
    Client { server, header: (header::AUTHORIZATION, format!("Bearer {key}")) }
}

/// The last event of an action: actor, targets, changes, and where it came from.
async fn last(client: &Client<'_>, action: &str) -> String {
    let found = client.get(&format!("/v1/events?action={action}&per_page=1")).await.json();
    let event = &found["events"][0];
    assert!(event["context"]["request_id"].is_string() && event["context"]["user_agent"] == "test/1", "{event}");
    assert!(event["response_time_ms"].is_u64(), "{event}");
    let targets = event["targets"].as_array().unwrap().iter();
    let targets = targets.map(|it| format!("{} {}", it["type"].as_str().unwrap(), it["name"])).collect::<Vec<_>>();
    let changes = event["changes"].as_array().into_iter().flatten();
    let changes: Vec<String> =
        changes.map(|it| format!("{}: {} → {}", it["field"].as_str().unwrap(), it["before"], it["after"])).collect();
    format!("{action} by {}: {} [{}]", event["actor"]["name"], targets.join(", "), changes.join("; "))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_and_its_teams() {
    let server = Server::start();
    let owner = sign_in(&server, &server.new_user("owner@example.com", Role::Owner));
    let admin = sign_in(&server, &server.new_user("admin@example.com", Role::Admin));
    let shown = owner.get("/v1/organization").await.json();
    assert_eq!((&shown["name"], &shown["scrub_secrets"]), (&json!("Test"), &json!(true)));
    assert_eq!(owner.get("/v1/organizations").await.json()["organizations"], json!([shown]));

    let changed = admin.patch("/v1/organization", json!({"name": "Engines", "hide_headers": true})).await;
    assert_eq!(changed.json()["hide_headers"], true);
    expect_test::expect![[
        r#"UPDATE_ORGANIZATION by "Somebody": organization "Engines" [name: "Test" → "Engines"; hide_headers: false → true]"#
    ]]
    .assert_eq(&last(&owner, "UPDATE_ORGANIZATION").await);
    let refused = admin.patch("/v1/organization", json!({"second_factor_required": true})).await;
    expect_test::expect![
        "403 urn:acta:problem:denied: You may not do this: your role, admin, does not allow this; owners may."
    ]
    .assert_eq(&refused.problem());
    let unknown = admin.patch("/v1/organization", json!({"nme": "X"})).await;
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /nme unknown field `nme`, expected one of `name`, `second_factor_required`, `members_see_own_events`, `hide_headers`, `scrub_secrets`
            /nme: unknown field `nme`, expected one of `name`, `second_factor_required`, `members_see_own_events`, `hide_headers`, `scrub_secrets`"#]].assert_eq(&unknown.problem());

    let team = owner.make("/v1/teams", json!({"id": "ops", "name": "Operations"})).await;
    assert_eq!(team, "ops");
    assert_eq!(owner.post("/v1/teams", json!({"name": "operations"})).await.status.as_u16(), 409);
    assert_eq!(owner.patch("/v1/teams/ops", json!({"name": "Night"})).await.json()["name"], "Night");
    expect_test::expect![[r#"UPDATE_TEAM by "Somebody": team "Night" [name: "Operations" → "Night"]"#]]
        .assert_eq(&last(&owner, "UPDATE_TEAM").await);
    assert_eq!(owner.get("/v1/teams/ops").await.json()["name"], "Night");
    assert_eq!(owner.get("/v1/teams?q=igh").await.json()["total"], 1);
    assert_eq!(owner.get("/v1/teams?q=day").await.json()["total"], 0);
    assert_eq!(owner.get("/v1/teams?nme=x").await.status.as_u16(), 422);
    let user = server.new_user("member@example.com", Role::Member);
    let given = json!({"role": "team_admin", "user": user.id.as_str(), "team": "ops"});
    owner.make("/v1/role-assignments", given).await;
    let members = owner.get("/v1/teams/ops/members").await.json();
    assert_eq!(members["members"][0]["subject"]["id"], user.id.as_str());
    server.new_key(&[KeyScope::EventsRead], Some("ops"));
    expect_test::expect![
        "409 urn:acta:problem:conflict: The team “Night” holds 1 valid API key. Remove or move that first."
    ]
    .assert_eq(&owner.delete("/v1/teams/ops").await.problem());
    let keys = owner.get("/v1/api-keys").await.json();
    let key = keys["api_keys"].as_array().unwrap().iter().find(|key| key["team"] == "ops").unwrap().clone();
    let revoke = format!("/v1/api-keys/{}/revoke", key["id"].as_str().unwrap());
    assert!(owner.post(&revoke, json!({})).await.json()["revoked_at"].is_string());
    assert_eq!(owner.delete("/v1/teams/ops").await.status.as_u16(), 204);
    for path in ["/v1/teams/ops", "/v1/teams/ops/members", "/v1/teams/%20", "/v1/teams/nowhere"] {
        assert_eq!(owner.get(path).await.status.as_u16(), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_organization_refuses_everybody() {
    let server = Server::start();
    let owner = sign_in(&server, &server.new_user("owner@example.com", Role::Owner));
    let admin = sign_in(&server, &server.new_user("admin@example.com", Role::Admin));
    let archive = async |client: &Client<'_>, name: &str| {
        client.post("/v1/organization/archive", json!({"name": name})).await.status.as_u16()
    };
    assert_eq!(archive(&admin, "Test").await, 403);
    assert_eq!(archive(&with_key(&server, KeyScope::ALL), "Test").await, 403);
    assert_eq!(archive(&owner, "Best").await, 422);
    assert_eq!(server.get("/v1/events").await.status.as_u16(), 200);
    assert_eq!(archive(&owner, "Test").await, 200);
    assert_eq!(owner.get("/v1/me").await.status.as_u16(), 401);
    // The key was used a moment ago, and is refused all the same.
    expect_test::expect!["401 urn:acta:problem:unauthenticated: This API key's organization is archived."]
        .assert_eq(&server.get("/v1/events").await.problem());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_change_and_go() {
    let server = Server::start();
    let owner = sign_in(&server, &server.new_user("owner@example.com", Role::Owner));
    let new = json!({"email": "Mary@example.com", "name": "Mary", "role": "member", "password": "engine analytical 1843"});
    let mary = owner.make("/v1/users", new.clone()).await;
    assert_eq!(owner.post("/v1/users", new).await.status.as_u16(), 409);
    let bad = json!({"email": "x@example.com", "name": "X", "role": "boss"});
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /role unknown variant `boss`, expected one of `owner`, `admin`, `auditor`, `member`
            /role: unknown variant `boss`, expected one of `owner`, `admin`, `auditor`, `member`"#]]
    .assert_eq(&owner.post("/v1/users", bad).await.problem());
    let weak = json!({"email": "x@example.com", "name": "X", "role": "member", "password": "short"});
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /password A password has at least 12 characters; this one has 5.
            /password: A password has at least 12 characters; this one has 5."#]]
    .assert_eq(&owner.post("/v1/users", weak).await.problem());
    let path = format!("/v1/users/{mary}");
    let changed = owner.patch(&path, json!({"name": "Mary Somerville", "role": "auditor"})).await.json();
    assert_eq!((&changed["name"], &changed["role"]), (&json!("Mary Somerville"), &json!("auditor")));
    let mut told = format!("{}\n{}\n", last(&owner, "USER_NAME_CHANGE").await, last(&owner, "MODIFY_PERMISSIONS").await);
    let list = async |query: &str| owner.get(&format!("/v1/users?{query}")).await.json()["total"].as_u64().unwrap();
    assert_eq!((list("q=somer").await, list("role=auditor").await, list("status=disabled").await), (1, 1, 0));
    assert_eq!(owner.get("/v1/users?status=gone").await.status.as_u16(), 422);

    let act = async |what: &str| owner.post(&format!("{path}/{what}"), json!({})).await;
    assert_eq!(act("disable").await.json()["status"], "disabled");
    told += &format!("{}\n", last(&owner, "DISABLE_USER").await);
    assert_eq!(act("enable").await.json()["status"], "active");
    told += &format!("{}\n", last(&owner, "ENABLE_USER").await);
    expect_test::expect![
        "409 urn:acta:problem:conflict: Mary Somerville is active; only archived users are deleted. Archive her first."
    ]
    .assert_eq(&owner.delete(&path).await.problem());
    assert_eq!(act("archive").await.json()["status"], "archived");
    told += &format!("{}\n", last(&owner, "ARCHIVE_USER").await);
    assert_eq!((list("").await, list("status=archived").await), (1, 1));
    assert_eq!(owner.delete(&path).await.status.as_u16(), 204);
    told += &last(&owner, "DELETE_USER").await;
    assert_eq!(owner.get(&path).await.status.as_u16(), 404);
    assert_eq!(owner.get("/v1/users/nobody").await.status.as_u16(), 404);
    expect_test::expect![[r#"
        USER_NAME_CHANGE by "Somebody": user "Mary Somerville" [name: "Mary" → "Mary Somerville"]
        MODIFY_PERMISSIONS by "Somebody": user "Mary Somerville" [role: "member" → "auditor"]
        DISABLE_USER by "Somebody": user "Mary Somerville" [status: "active" → "disabled"]
        ENABLE_USER by "Somebody": user "Mary Somerville" [status: "disabled" → "active"]
        ARCHIVE_USER by "Somebody": user "Mary Somerville" [status: "active" → "archived"]
        DELETE_USER by "Somebody": user "Mary Somerville" []"#]]
    .assert_eq(&told);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_does_what_is_above_her() {
    let server = Server::start();
    let boss = server.new_user("owner@example.com", Role::Owner);
    let owner = sign_in(&server, &boss);
    let admin_user = server.new_user("admin@example.com", Role::Admin);
    let admin = sign_in(&server, &admin_user);
    let key = with_key(&server, &[KeyScope::DirectoryWrite]);
    let other = server.new_user("other@example.com", Role::Member);
    let mut table = String::new();
    for (name, client) in [("admin", &admin), ("key", &key)] {
        let of_owner = format!("/v1/users/{}", boss.id);
        let new = |role: &str| json!({"email": format!("{name}-{role}@example.com"), "name": "N", "role": role});
        let scopes = |scopes: &[&str]| json!({"name": "K", "scopes": scopes});
        let answers = [
            ("create an owner", client.post("/v1/users", new("owner")).await),
            ("create an admin", client.post("/v1/users", new("admin")).await),
            ("rename an owner", client.patch(&of_owner, json!({"name": "X"})).await),
            ("demote an owner", client.patch(&of_owner, json!({"role": "member"})).await),
            ("disable an owner", client.post(&format!("{of_owner}/disable"), json!({})).await),
            ("archive an owner", client.post(&format!("{of_owner}/archive"), json!({})).await),
            ("delete an owner", client.delete(&of_owner).await),
            ("make an owner", client.patch(&format!("/v1/users/{}", other.id), json!({"role": "owner"})).await),
            ("change its own role", client.patch(&format!("/v1/users/{}", admin_user.id), json!({"role": "member"})).await),
            (
                "give an owner a role",
                client.post("/v1/role-assignments", json!({"role": "viewer", "user": boss.id.as_str()})).await,
            ),
            ("make a key that reads", client.post("/v1/api-keys", scopes(&["events:read"])).await),
            ("make a key like itself", client.post("/v1/api-keys", scopes(&["directory:write"])).await),
        ];
        for (what, answer) in answers {
            table += &format!("{name}: {what}: {}", answer.status.as_u16());
            if answer.status.as_u16() == 403 {
                table += &format!(" {}", answer.json()["detail"].as_str().unwrap());
            }
            table.push('\n');
        }
        // The key has made a member of the admin; that is undone.
        server
            .app
            .directory
            .set_user_role(&ChangedBy::cli(), admin_user.org, &admin_user.id, Role::Admin, server.app.now())
            .unwrap();
    }
    expect_test::expect![[r#"
        admin: create an owner: 403 You may not do this: your role, admin, does not allow this; owners may.
        admin: create an admin: 201
        admin: rename an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        admin: demote an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        admin: disable an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        admin: archive an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        admin: delete an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        admin: make an owner: 403 You may not do this: your role, admin, does not allow this; owners may.
        admin: change its own role: 403 Nobody changes her own role; somebody else has to do it.
        admin: give an owner a role: 403 Somebody is an owner; whoever holds less cannot change that.
        admin: make a key that reads: 201
        admin: make a key like itself: 201
        key: create an owner: 403 You may not do this: an API key cannot do this; an owner can, signed in.
        key: create an admin: 201
        key: rename an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        key: demote an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        key: disable an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        key: archive an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        key: delete an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        key: make an owner: 403 You may not do this: an API key cannot do this; an owner can, signed in.
        key: change its own role: 200
        key: give an owner a role: 403 Somebody is an owner; whoever holds less cannot change that.
        key: make a key that reads: 403 The scope events:read permits more than you hold; nobody gives more than she holds.
        key: make a key like itself: 201
    "#]]
    .assert_eq(&table);
    // The last owner stays, and does nothing to herself.
    let own = format!("/v1/users/{}", boss.id);
    for answer in [
        owner.patch(&own, json!({"role": "member"})).await,
        owner.post(&format!("{own}/disable"), json!({})).await,
        owner.delete(&own).await,
    ] {
        assert_eq!(answer.status.as_u16(), 403, "{}", answer.text());
    }
    assert_eq!(owner.patch(&own, json!({"name": "Herself"})).await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dangerous_needs_a_confirmation() {
    let server = Server::start();
    let user = server.new_user("owner@example.com", Role::Owner);
    let new = NewSession { org: user.org, user: &user.id, ip: None, user_agent: None };
    let long_ago = server.app.now().plus_millis(-11 * 60_000);
    let (_, token) = server.app.directory.create_session(new, long_ago).unwrap();
    let owner = Client { server: &server, header: (header::COOKIE, format!("acta_session={}", token.expose())) };
    for (method, path, body) in [
        ("POST", "/v1/organization/archive", json!({"name": "Test"})),
        ("PATCH", "/v1/organization", json!({"second_factor_required": true})),
        ("POST", "/v1/users", json!({"email": "x@example.com", "name": "X", "role": "owner"})),
        ("POST", "/v1/api-keys", json!({"name": "K", "scopes": ["directory:write"]})),
    ] {
        let problem = owner.ask(method, path, Some(body)).await.problem();
        assert!(problem.starts_with("403 urn:acta:problem:confirmation-needed"), "{path}: {problem}");
    }
    assert_eq!(owner.post("/v1/api-keys", json!({"name": "K", "scopes": ["events:write"]})).await.status.as_u16(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn service_accounts_and_their_keys() {
    let server = Server::start();
    let owner = sign_in(&server, &server.new_user("owner@example.com", Role::Owner));
    let robot = owner.make("/v1/service-accounts", json!({"name": "Robot"})).await;
    let path = format!("/v1/service-accounts/{robot}");
    assert_eq!(owner.patch(&path, json!({"name": "Deployer"})).await.json()["name"], "Deployer");
    let new = json!({"name": "Pipeline", "scopes": ["events:write"], "service_account": robot});
    let made = owner.post("/v1/api-keys", new).await.json();
    let secret = made["secret"].as_str().unwrap();
    let listed = owner.get(&format!("/v1/api-keys?service_account={robot}")).await;
    assert_eq!(listed.json()["total"], 1);
    assert!(!listed.text().contains(secret), "shown once");
    let send = async || {
        let request = server.request("POST", "/v1/events", secret).header("content-type", "application/json");
        server.send(request.body(Body::from(crate::support::event("A").to_string())).unwrap()).await
    };
    assert_eq!(send().await.status.as_u16(), 201);
    assert_eq!(owner.post(&format!("{path}/disable"), json!({})).await.json()["status"], "disabled");
    expect_test::expect!["401 urn:acta:problem:unauthenticated: This API key's service account is disabled."]
        .assert_eq(&send().await.problem());
    assert_eq!(owner.post(&format!("{path}/enable"), json!({})).await.json()["status"], "active");
    assert_eq!(send().await.status.as_u16(), 201);
    let key = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(owner.delete(&path).await.status.as_u16(), 409);
    assert_eq!(owner.get(&key).await.json()["name"], "Pipeline");
    assert_eq!(owner.delete(&key).await.status.as_u16(), 204);
    assert_eq!(send().await.status.as_u16(), 401);
    assert_eq!(owner.delete(&path).await.status.as_u16(), 204);
    assert_eq!(owner.get(&path).await.status.as_u16(), 404);
    assert_eq!(owner.get("/v1/service-accounts?q=deploy").await.json()["total"], 0);
    let mut told = String::new();
    for act in ["CREATE", "UPDATE", "DISABLE", "ENABLE", "DELETE"] {
        told += &format!("{}\n", last(&owner, &format!("{act}_SERVICE_ACCOUNT")).await);
    }
    expect_test::expect![[r#"
        CREATE_SERVICE_ACCOUNT by "Somebody": service_account "Robot" []
        UPDATE_SERVICE_ACCOUNT by "Somebody": service_account "Deployer" [name: "Robot" → "Deployer"]
        DISABLE_SERVICE_ACCOUNT by "Somebody": service_account "Deployer" [status: "active" → "disabled"]
        ENABLE_SERVICE_ACCOUNT by "Somebody": service_account "Deployer" [status: "disabled" → "active"]
        DELETE_SERVICE_ACCOUNT by "Somebody": service_account "Deployer" []
    "#]]
    .assert_eq(&told);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_in_groups() {
    let server = Server::start();
    let owner = sign_in(&server, &server.new_user("owner@example.com", Role::Owner));
    let member = server.new_user("member@example.com", Role::Member);
    let outer = owner.make("/v1/groups", json!({"name": "Outer", "description": "All."})).await;
    let inner = owner.make("/v1/groups", json!({"name": "Inner"})).await;
    let members = |group: &str| format!("/v1/groups/{group}/members");
    let user = member.id.as_str();
    assert_eq!(owner.post(&members(&inner), json!({"users": [user]})).await.json()["changed"], 1);
    assert_eq!(owner.post(&members(&outer), json!({"groups": [inner]})).await.json()["changed"], 1);
    let mut told = format!("{}\n", last(&owner, "ADD_USERS_TO_GROUP").await);
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /groups “Outer” cannot be in “Inner”: then “Inner” in “Outer” in “Inner”.
            /groups: “Outer” cannot be in “Inner”: then “Inner” in “Outer” in “Inner”."#]]
    .assert_eq(&owner.post(&members(&inner), json!({"groups": [outer]})).await.problem());
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /users/1 is not an id of the form u_0123456789abcdef
            /users/1: is not an id of the form u_0123456789abcdef"#]]
    .assert_eq(&owner.post(&members(&inner), json!({"users": [user, "x"]})).await.problem());
    assert_eq!(owner.post(&members(&inner), json!({"users": ["u_0123456789abcdef"]})).await.status.as_u16(), 404);

    assert_eq!(owner.get(&members(&outer)).await.json()["total"], 1);
    let all = owner.get(&format!("{}?all=true", members(&outer))).await.json();
    assert_eq!(all["total"], 2);
    assert_eq!(all["members"][1]["email"], "member@example.com");
    assert_eq!(all["members"][1]["through"][1]["name"], "Inner");
    let groups = owner.get(&format!("/v1/users/{user}/groups")).await.json();
    assert_eq!((&groups["groups"][0]["direct"], &groups["groups"][1]["direct"]), (&json!(true), &json!(false)));
    assert_eq!(owner.get(&format!("/v1/users?group={outer}")).await.json()["total"], 1);

    let path = format!("/v1/groups/{outer}");
    assert_eq!(owner.patch(&path, json!({"description": "Everybody."})).await.json()["name"], "Outer");
    told += &format!("{}\n", last(&owner, "UPDATE_GROUP").await);
    owner.make("/v1/role-assignments", json!({"role": "viewer", "group": outer})).await;
    let whole = owner.get(&path).await.json();
    assert_eq!((&whole["groups"], &whole["role_assignments"], &whole["users"]), (&json!(1), &json!(1), &json!(0)));
    let held = owner.get(&format!("/v1/users/{user}")).await.json();
    assert_eq!((&held["roles"][0]["role"], &held["roles"][0]["through"]), (&json!("viewer"), &json!([inner, outer])));
    let removed = owner.ask("DELETE", &members(&outer), Some(json!({"groups": [inner]}))).await;
    assert_eq!(removed.json()["changed"], 1);
    told += &format!("{}\n", last(&owner, "REMOVE_USERS_FROM_GROUP").await);
    assert_eq!(owner.delete(&path).await.status.as_u16(), 204);
    told += &last(&owner, "DELETE_GROUP").await;
    assert_eq!(owner.get(&path).await.status.as_u16(), 404);
    assert_eq!(owner.get("/v1/groups?q=nne").await.json()["total"], 1);
    expect_test::expect![[r#"
        ADD_USERS_TO_GROUP by "Somebody": group "Outer", group "Inner" []
        UPDATE_GROUP by "Somebody": group "Outer" [description: "All." → "Everybody."]
        REMOVE_USERS_FROM_GROUP by "Somebody": group "Outer", group "Inner" []
        DELETE_GROUP by "Somebody": group "Outer" []"#]]
    .assert_eq(&told);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_who_has_them() {
    let server = Server::start();
    let owner = sign_in(&server, &server.new_user("owner@example.com", Role::Owner));
    let member = server.new_user("member@example.com", Role::Member);
    let user = member.id.as_str();
    let new = |permissions: Value| json!({"name": "Deployer", "permissions": permissions});
    for permissions in [json!(["app:fly"]), json!(["app:view", "resource:query"]), json!(["organization:manage"]), json!([])]
    {
        assert_eq!(owner.post("/v1/roles", new(permissions)).await.status.as_u16(), 422);
    }
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /permissions/1 invalid type: integer `1`, expected a string
            /permissions/1: invalid type: integer `1`, expected a string"#]]
    .assert_eq(&owner.post("/v1/roles", new(json!(["app:view", 1]))).await.problem());
    let role = owner.make("/v1/roles", new(json!(["app:view", "app:release"]))).await;
    let path = format!("/v1/roles/{role}");
    owner.patch(&path, json!({"permissions": ["app:view", "log:read"]})).await;
    let mut told = format!("{}\n", last(&owner, "UPDATE_ROLE").await);
    assert_eq!(owner.get(&path).await.json()["permissions"], json!(["app:view", "log:read"]));
    let built_in = owner.get("/v1/roles/team_admin").await.json();
    assert_eq!((&built_in["built_in"], &built_in["only_in_teams"]), (&json!(true), &json!(true)));
    assert_eq!(owner.get("/v1/roles").await.json()["total"], 7);
    assert_eq!(owner.get("/v1/roles?q=DEP").await.json()["roles"][0]["id"], role.as_str());
    assert_eq!(owner.delete("/v1/roles/viewer").await.status.as_u16(), 404);

    let narrowing = json!({"categories": ["Log"], "from": "2026-01-01T00:00:00.000Z", "masked": ["ip"]});
    let given = json!({"role": role, "user": user, "narrowing": narrowing});
    let assignment = owner.make("/v1/role-assignments", given.clone()).await;
    told += &format!("{}\n", last(&owner, "MODIFY_PERMISSIONS").await);
    assert_eq!(owner.post("/v1/role-assignments", given).await.status.as_u16(), 409);
    assert_eq!(owner.get(&format!("/v1/role-assignments/{assignment}")).await.json()["narrowing"]["masked"], json!(["ip"]));
    for (filter, total) in [
        (format!("user={user}"), 1),
        (format!("role={role}"), 1),
        ("role=viewer".to_owned(), 0),
        ("team=ops".to_owned(), 0),
        ("group=g_0123456789abcdef".to_owned(), 0),
    ] {
        let listed = owner.get(&format!("/v1/role-assignments?{filter}")).await.json();
        assert_eq!(listed["total"], total, "{filter}");
    }
    let mut refused = String::new();
    for body in [
        json!({"role": "viewer"}),
        json!({"role": "viewer", "user": user, "group": "g_0123456789abcdef"}),
        json!({"role": "boss", "user": user}),
        json!({"role": "team_admin", "user": user}),
        json!({"role": "viewer", "user": user, "narrowing": {"masked": ["ip"]}}),
        json!({"role": "auditor", "user": user, "narrowing": {"masked": ["shoe_size"]}}),
        json!({"role": "viewer", "user": user, "expires_at": "2020-01-01T00:00:00Z"}),
    ] {
        refused += &format!("{}\n", owner.post("/v1/role-assignments", body).await.problem());
    }
    expect_test::expect![[r#"
        422 urn:acta:problem:invalid: /user is given to exactly one of user, email, service_account and group
            /user: is given to exactly one of user, email, service_account and group
        422 urn:acta:problem:invalid: /user is given to exactly one of user, email, service_account and group
            /user: is given to exactly one of user, email, service_account and group
        422 urn:acta:problem:invalid: /role A role is one of auditor, team_admin, team_member, builder, operator, viewer, or the id of a role, role_0123456789abcdef.
            /role: A role is one of auditor, team_admin, team_member, builder, operator, viewer, or the id of a role, role_0123456789abcdef.
        422 urn:acta:problem:invalid: /team The role team_admin is given in a team: name it with `team`.
            /team: The role team_admin is given in a team: name it with `team`.
        422 urn:acta:problem:invalid: /narrowing The role viewer does not read the log, so there is nothing to narrow.
            /narrowing: The role viewer does not read the log, so there is nothing to narrow.
        422 urn:acta:problem:invalid: /narrowing/masked/0 unknown variant `shoe_size`, expected one of `ip`, `user_agent`, `email`, `name`, `changes`, `metadata`
            /narrowing/masked/0: unknown variant `shoe_size`, expected one of `ip`, `user_agent`, `email`, `name`, `changes`, `metadata`
        422 urn:acta:problem:invalid: /expires_at A role expires in the future.
            /expires_at: A role expires in the future.
    "#]].assert_eq(&refused);
    expect_test::expect!["409 urn:acta:problem:conflict: The role “Deployer” is given 1 time. Take it away first."]
        .assert_eq(&owner.delete(&path).await.problem());
    // The member reads as much of the log as she was given.
    let reader = sign_in(&server, &member);
    assert_eq!(reader.get("/v1/events").await.status.as_u16(), 200);
    assert_eq!(reader.get("/v1/users").await.status.as_u16(), 403);
    assert_eq!(owner.delete(&format!("/v1/role-assignments/{assignment}")).await.status.as_u16(), 204);
    told += &format!("{}\n", last(&owner, "MODIFY_PERMISSIONS").await);
    assert_eq!(reader.get("/v1/events").await.status.as_u16(), 403);
    assert_eq!(owner.delete(&path).await.status.as_u16(), 204);
    told += &last(&owner, "DELETE_ROLE").await;
    expect_test::expect![[r#"
        UPDATE_ROLE by "Somebody": role "Deployer" [permissions: ["app:view","app:release"] → ["app:view","log:read"]]
        MODIFY_PERMISSIONS by "Somebody": user "Somebody", role "Deployer" [role:Deployer: null → {"expires_at":null,"narrowing":{"categories":["Log"],"from":"2026-01-01T00:00:00.000Z","masked":["ip"]},"team":null}]
        MODIFY_PERMISSIONS by "Somebody": user "Somebody", role "Deployer" [role:Deployer: {"expires_at":null,"narrowing":{"categories":["Log"],"from":"2026-01-01T00:00:00.000Z","masked":["ip"]},"team":null} → null]
        DELETE_ROLE by "Somebody": role "Deployer" [permissions: ["app:view","log:read"] → []]"#]].assert_eq(&told);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_who_i_am() {
    let server = Server::start();
    let owner = sign_in(&server, &server.new_user("owner@example.com", Role::Owner));
    let member_user = server.new_user("member@example.com", Role::Member);
    let (member, elsewhere) = (sign_in(&server, &member_user), sign_in(&server, &member_user));
    let own = member.get("/v1/sessions").await.json();
    assert_eq!(own["total"], 2);
    let session = |json: &Value, current: bool| {
        let mut all = json["sessions"].as_array().unwrap().iter();
        all.find(|session| session["current"] == current).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let of_member = owner.get(&format!("/v1/sessions?user={}", member_user.id)).await.json();
    assert_eq!(of_member["total"], 2);
    let of_owner = session(&owner.get("/v1/sessions").await.json(), true);
    // She sees and ends her own, and is not told of others'.
    let owner_id = owner.get("/v1/me").await.json()["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(member.get(&format!("/v1/sessions?user={owner_id}")).await.status.as_u16(), 403);
    for id in [of_owner.as_str(), "s_0123456789abcdef", "x"] {
        assert_eq!(member.delete(&format!("/v1/sessions/{id}")).await.status.as_u16(), 403);
    }
    assert_eq!(owner.delete("/v1/sessions/s_0123456789abcdef").await.status.as_u16(), 404);
    assert_eq!(member.delete(&format!("/v1/sessions/{}", session(&own, false))).await.status.as_u16(), 204);
    assert_eq!(elsewhere.get("/v1/me").await.status.as_u16(), 401);
    expect_test::expect![[r#"REVOKE_SESSION by "Somebody": session null, user "Somebody" []"#]]
        .assert_eq(&last(&owner, "REVOKE_SESSION").await);
    assert_eq!(owner.delete(&format!("/v1/sessions/{}", session(&own, true))).await.status.as_u16(), 204);
    assert_eq!(member.get("/v1/me").await.status.as_u16(), 401);

    let member = sign_in(&server, &member_user);
    server.new_key(&[KeyScope::EventsRead], Some("ops"));
    let given = json!({"role": "team_member", "user": member_user.id.as_str(), "team": "ops"});
    owner.make("/v1/role-assignments", given).await;
    let me = member.get("/v1/me").await.json();
    assert_eq!((&me["user"]["role"], &me["permissions"]), (&json!("member"), &json!([])));
    assert_eq!(me["teams"], json!([{"id": "ops", "permissions": ["app:view", "workflow:view", "folder:view"]}]));
    assert_eq!((&me["session"]["current"], &me["organization"]["name"]), (&json!(true), &json!("Test")));
    let (user, at) = (&me["user"], &me["session"]["created_at"]);
    assert_eq!((&user["has_second_factor"], &user["email_verified_at"]), (&json!(false), &Value::Null));
    assert_eq!(&user["last_sign_in_at"], at, "{me}");
    let key = with_key(&server, &[KeyScope::EventsRead]);
    let me = key.get("/v1/me").await.json();
    assert_eq!((&me["permissions"], &me["user"]), (&json!(["log:read"]), &Value::Null));
    assert_eq!(key.get("/v1/sessions").await.status.as_u16(), 403);
    assert_eq!(with_key(&server, &[KeyScope::DirectoryRead]).get("/v1/sessions").await.status.as_u16(), 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_organization_is_there() {
    let server = Server::start();
    let here = sign_in(&server, &server.new_user("owner@example.com", Role::Owner));
    let other = server.app.directory.create_organization(&ChangedBy::cli(), "Other", server.app.now()).unwrap();
    let scopes = [KeyScope::DirectoryRead, KeyScope::DirectoryWrite, KeyScope::EventsWrite];
    let key = server.new_key_in(&other, &scopes, None);
    let abroad = Client { server: &server, header: (header::AUTHORIZATION, format!("Bearer {key}")) };
    let user = here.make("/v1/users", json!({"email": "m@example.com", "name": "M", "role": "member"})).await;
    let group = here.make("/v1/groups", json!({"name": "G"})).await;
    let role = here.make("/v1/roles", json!({"name": "R", "permissions": ["app:view"]})).await;
    let account = here.make("/v1/service-accounts", json!({"name": "S"})).await;
    let given = here.make("/v1/role-assignments", json!({"role": role, "user": user})).await;
    let made = here.make("/v1/api-keys", json!({"name": "K", "scopes": ["events:write"]})).await;
    here.make("/v1/teams", json!({"id": "ops", "name": "T"})).await;
    for (method, path, body) in [
        ("GET", format!("/v1/users/{user}"), None),
        ("PATCH", format!("/v1/users/{user}"), Some(json!({"name": "X"}))),
        ("DELETE", format!("/v1/users/{user}"), None),
        ("POST", format!("/v1/users/{user}/disable"), None),
        ("GET", format!("/v1/users/{user}/groups"), None),
        ("GET", format!("/v1/sessions?user={user}"), None),
        ("GET", format!("/v1/groups/{group}"), None),
        ("PATCH", format!("/v1/groups/{group}"), Some(json!({"name": "X"}))),
        ("GET", format!("/v1/groups/{group}/members"), None),
        ("POST", format!("/v1/groups/{group}/members"), Some(json!({"users": [user]}))),
        ("DELETE", format!("/v1/groups/{group}"), None),
        ("GET", format!("/v1/roles/{role}"), None),
        ("PATCH", format!("/v1/roles/{role}"), Some(json!({"name": "X"}))),
        ("DELETE", format!("/v1/roles/{role}"), None),
        ("GET", format!("/v1/role-assignments/{given}"), None),
        ("DELETE", format!("/v1/role-assignments/{given}"), None),
        ("POST", "/v1/role-assignments".to_owned(), Some(json!({"role": "viewer", "user": user}))),
        ("GET", format!("/v1/service-accounts/{account}"), None),
        ("PATCH", format!("/v1/service-accounts/{account}"), Some(json!({"name": "X"}))),
        ("POST", format!("/v1/service-accounts/{account}/disable"), None),
        ("DELETE", format!("/v1/service-accounts/{account}"), None),
        ("GET", format!("/v1/api-keys/{made}"), None),
        ("POST", format!("/v1/api-keys/{made}/revoke"), None),
        ("DELETE", format!("/v1/api-keys/{made}"), None),
        ("POST", "/v1/api-keys".to_owned(), Some(json!({"name": "K", "scopes": ["events:write"], "team": "ops"}))),
        ("GET", "/v1/teams/ops".to_owned(), None),
        ("PATCH", "/v1/teams/ops".to_owned(), Some(json!({"name": "X"}))),
        ("DELETE", "/v1/teams/ops".to_owned(), None),
    ] {
        let answer = abroad.ask(method, &path, body).await;
        assert_eq!(answer.status.as_u16(), 404, "{method} {path}: {}", answer.text());
    }
    for path in ["users", "groups", "service-accounts", "role-assignments", "teams"] {
        assert_eq!(abroad.get(&format!("/v1/{path}")).await.json()["total"], 0, "{path}");
    }
    assert_eq!(abroad.get("/v1/organizations").await.json()["organizations"][0]["name"], "Other");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_that_cannot_be_recorded() {
    let mut faulty = None;
    let server = Server::with(Config::default(), |disk| {
        let disk = FaultyDisk::new(disk, |_| None);
        faulty = Some(disk.clone());
        Arc::new(disk)
    });
    let user = server.new_user("owner@example.com", Role::Owner);
    let owner = sign_in(&server, &user);
    owner.make("/v1/groups", json!({"name": "Before"})).await;
    // The disk fails under the event of a change: the change stands, and is answered as what it is.
    faulty.unwrap().replan(|_| Some(Fault::Before));
    owner.make("/v1/groups", json!({"name": "Meanwhile"})).await;
    // From then on nothing is changed.
    let refused = owner.post("/v1/groups", json!({"name": "After"})).await;
    expect_test::expect!["503 urn:acta:problem:cannot-record: The server cannot record events now, and nothing is changed that is not recorded. Send this again once the server is well. It needs its operator: see /readyz."].assert_eq(&refused.problem());
    assert!(refused.headers.contains_key("retry-after"));
    let names = owner.get("/v1/groups").await.json();
    let names: Vec<&str> = names["groups"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["Before", "Meanwhile"]);
}
