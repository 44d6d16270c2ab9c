//! Administrators of a team: what they do in it, and that they do nothing elsewhere.

use access::{KeyScope, Role};
use axum::http::StatusCode;
use directory::{ChangedBy, NewUser};
use serde_json::{Value, json};

use crate::estate::{Estate, bearer};

/// An organization with the teams `sales` and `ops`; and what the administrator of `sales` sends to be known.
async fn world() -> (Estate, String) {
    let estate = Estate::start();
    for team in ["sales", "ops"] {
        estate.made("/v1/teams", json!({"id": team, "name": team.to_uppercase()})).await;
    }
    let (tina, cookie) = estate.person("tina", Role::Member);
    let given = json!({"role": "team_admin", "user": tina.id.as_str(), "team": "sales"});
    estate.made("/v1/role-assignments", given).await;
    estate.person("cat", Role::Member);
    (estate, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn she_sees_and_renames_her_team_and_no_other() {
    let (estate, tina) = world().await;
    let directory = &estate.server.app.directory;
    let other = directory.create_organization(&ChangedBy::cli(), "Other", estate.server.app.now()).unwrap();
    estate.server.new_key_in(&other, &[KeyScope::EventsWrite], Some("abroad"));
    let (_, nobody) = estate.person("nobody", Role::Member);
    let mut table = String::new();
    for (method, path) in [
        ("GET", "/v1/teams/sales"),
        ("GET", "/v1/teams/sales/members"),
        ("PATCH", "/v1/teams/sales"),
        ("DELETE", "/v1/teams/sales"),
        ("GET", "/v1/teams/ops"),
        ("GET", "/v1/teams/ops/members"),
        ("PATCH", "/v1/teams/ops"),
        ("GET", "/v1/teams/abroad"),
        ("GET", "/v1/teams/abroad/members"),
        ("PATCH", "/v1/teams/abroad"),
        ("GET", "/v1/teams"),
        ("POST", "/v1/teams"),
        ("GET", "/v1/users?q=cat"),
        ("GET", "/v1/role-assignments"),
    ] {
        let body = match method {
            "PATCH" => json!({"name": "Renamed"}),
            "POST" => json!({"name": "New"}),
            _ => Value::Null,
        };
        let hers = estate.call(&tina, method, path, body.clone()).await.status.as_u16();
        let a_member_s = estate.call(&nobody, method, path, body).await.status.as_u16();
        table += &format!("{method} {path}: {hers} {a_member_s}\n");
    }
    expect_test::expect![[r#"
        GET /v1/teams/sales: 200 403
        GET /v1/teams/sales/members: 200 403
        PATCH /v1/teams/sales: 200 403
        DELETE /v1/teams/sales: 403 403
        GET /v1/teams/ops: 403 403
        GET /v1/teams/ops/members: 403 403
        PATCH /v1/teams/ops: 403 403
        GET /v1/teams/abroad: 404 403
        GET /v1/teams/abroad/members: 404 403
        PATCH /v1/teams/abroad: 404 403
        GET /v1/teams: 403 403
        POST /v1/teams: 403 403
        GET /v1/users?q=cat: 403 403
        GET /v1/role-assignments: 403 403
    "#]]
    .assert_eq(&table);
    assert_eq!(estate.get(&tina, "/v1/teams/sales").await.json()["name"], "Renamed");
    let members = estate.get(&tina, "/v1/teams/sales/members").await.json();
    assert_eq!((&members["total"], &members["members"][0]["role"]), (&json!(1), &json!("team_admin")));
}

#[tokio::test(flavor = "multi_thread")]
async fn she_gives_and_takes_roles_of_her_team() {
    let (estate, tina) = world().await;
    let other = &estate.server.app.directory;
    let now = estate.server.app.now();
    let other_org = other.create_organization(&ChangedBy::cli(), "Other", now).unwrap();
    let stranger = NewUser { email: "stranger@example.com", name: "Stranger", role: Role::Member, password: None };
    let stranger = other.create_user(&ChangedBy::cli(), other_org.id, stranger, now).unwrap();
    let (owner, _) = estate.person("owner", Role::Owner);
    let (gone, _) = estate.person("gone", Role::Member);
    let archive = format!("/v1/users/{}/archive", gone.id);
    assert_eq!(estate.call(&estate.admin, "POST", &archive, json!({})).await.status, StatusCode::OK);
    let own_role = estate.made("/v1/roles", json!({"name": "Own", "permissions": ["app:view"]})).await;
    let cat = "cat@example.com";
    let mut table = String::new();
    let mut given = Vec::new();
    for (what, body) in [
        ("team_member", json!({"role": "team_member", "email": "CAT@example.com", "team": "sales"})),
        ("team_admin", json!({"role": "team_admin", "email": cat, "team": "sales"})),
        ("builder", json!({"role": "builder", "email": cat, "team": "sales"})),
        ("operator", json!({"role": "operator", "email": cat, "team": "sales"})),
        ("viewer", json!({"role": "viewer", "email": cat, "team": "sales"})),
        ("auditor", json!({"role": "auditor", "email": cat, "team": "sales"})),
        ("the organization's own role", json!({"role": own_role, "email": cat, "team": "sales"})),
        ("everywhere", json!({"role": "viewer", "email": cat})),
        ("in another team", json!({"role": "viewer", "email": cat, "team": "ops"})),
        ("in a team that there is not", json!({"role": "viewer", "email": cat, "team": "nowhere"})),
        ("to somebody unknown", json!({"role": "viewer", "email": "zoe@example.com", "team": "sales"})),
        ("to somebody archived", json!({"role": "viewer", "email": "gone@example.com", "team": "sales"})),
        ("to a stranger", json!({"role": "viewer", "email": "stranger@example.com", "team": "sales"})),
        ("to a stranger by id", json!({"role": "viewer", "user": stranger.id.as_str(), "team": "sales"})),
        ("to an owner", json!({"role": "viewer", "user": owner.id.as_str(), "team": "sales"})),
        ("to two", json!({"role": "viewer", "user": owner.id.as_str(), "email": cat, "team": "sales"})),
    ] {
        let answer = estate.call(&tina, "POST", "/v1/role-assignments", body).await;
        table += &format!("{what}: {}", answer.status.as_u16());
        if answer.status == StatusCode::CREATED {
            given.push(answer.json()["id"].as_str().unwrap().to_owned());
        } else {
            table += &format!(" {}", answer.json()["detail"].as_str().unwrap());
        }
        table.push('\n');
    }
    expect_test::expect![[r#"
        team_member: 201
        team_admin: 201
        builder: 201
        operator: 201
        viewer: 201
        auditor: 403 You may not do this: your role, member, does not allow this; owners and admins may.
        the organization's own role: 403 You may not do this: your role, member, does not allow this; owners and admins may.
        everywhere: 403 You may not do this: your role, member, does not allow this; owners and admins may.
        in another team: 403 You may not do this. Nothing permits team:manage: it needs a role with this permission.
        in a team that there is not: 404 There is no such team.
        to somebody unknown: 404 There is no such user.
        to somebody archived: 404 There is no such user.
        to a stranger: 404 There is no such user.
        to a stranger by id: 404 There is no such user.
        to an owner: 403 Somebody is an owner; whoever holds less cannot change that.
        to two: 422 /user is given to exactly one of user, email, service_account and group
    "#]]
    .assert_eq(&table);
    assert_eq!(given.len(), 5);
    for id in &given {
        let answer = estate.call(&tina, "DELETE", &format!("/v1/role-assignments/{id}"), Value::Null).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    }
    let of_cat = |role: &str, team: Option<&str>| json!({"role": role, "email": cat, "team": team});
    for (body, expected) in
        [(of_cat("viewer", Some("ops")), 403), (of_cat("auditor", Some("sales")), 403), (of_cat("viewer", None), 403)]
    {
        let id = estate.made("/v1/role-assignments", body).await;
        let answer = estate.call(&tina, "DELETE", &format!("/v1/role-assignments/{id}"), Value::Null).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text());
    }
    let answer = estate.call(&tina, "DELETE", "/v1/role-assignments/ra_0123456789abcdef", Value::Null).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_administers_a_team_for_a_time_gives_nothing() {
    let (estate, _) = world().await;
    let (tom, cookie) = estate.person("tom", Role::Member);
    let end = estate.server.app.now().plus_millis(3_600_000).to_string();
    let given = json!({"role": "team_admin", "user": tom.id.as_str(), "team": "sales", "expires_at": end});
    estate.made("/v1/role-assignments", given).await;
    assert_eq!(estate.get(&cookie, "/v1/teams/sales").await.status, StatusCode::OK);
    let given = json!({"role": "viewer", "email": "cat@example.com", "team": "sales"});
    let answer = estate.call(&cookie, "POST", "/v1/role-assignments", given).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    // A key is confined to its team, and administers nothing.
    let key = bearer(&estate.server.new_key(&[KeyScope::DirectoryWrite, KeyScope::DirectoryRead], Some("sales")));
    assert_eq!(estate.get(&key, "/v1/teams/sales").await.status, StatusCode::FORBIDDEN);
}
