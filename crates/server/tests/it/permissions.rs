//! Who may do what, on every route: a table that a new route must be added to.

use std::collections::BTreeMap;

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::{Request, header};
use directory::{ChangedBy, NewSession};

use crate::support::{Server, event};

/// Each with an id of nobody and an empty body: whoever may ask is told 404 or 422.
const PEOPLE: &[(&str, &str)] = &[
    ("GET", "/v1/me"),
    ("GET", "/v1/organization"),
    ("PATCH", "/v1/organization"),
    ("GET", "/v1/organizations"),
    ("POST", "/v1/organization/archive"),
    ("GET", "/v1/teams"),
    ("POST", "/v1/teams"),
    ("GET", "/v1/teams/x"),
    ("PATCH", "/v1/teams/x"),
    ("DELETE", "/v1/teams/x"),
    ("GET", "/v1/teams/x/members"),
    ("GET", "/v1/users"),
    ("POST", "/v1/users"),
    ("GET", "/v1/users/x"),
    ("PATCH", "/v1/users/x"),
    ("DELETE", "/v1/users/x"),
    ("POST", "/v1/users/x/disable"),
    ("POST", "/v1/users/x/enable"),
    ("POST", "/v1/users/x/archive"),
    ("GET", "/v1/users/x/groups"),
    ("GET", "/v1/service-accounts"),
    ("POST", "/v1/service-accounts"),
    ("GET", "/v1/service-accounts/x"),
    ("PATCH", "/v1/service-accounts/x"),
    ("DELETE", "/v1/service-accounts/x"),
    ("POST", "/v1/service-accounts/x/disable"),
    ("POST", "/v1/service-accounts/x/enable"),
    ("GET", "/v1/groups"),
    ("POST", "/v1/groups"),
    ("GET", "/v1/groups/x"),
    ("PATCH", "/v1/groups/x"),
    ("DELETE", "/v1/groups/x"),
    ("GET", "/v1/groups/x/members"),
    ("POST", "/v1/groups/x/members"),
    ("DELETE", "/v1/groups/x/members"),
    ("GET", "/v1/roles"),
    ("POST", "/v1/roles"),
    ("GET", "/v1/roles/x"),
    ("PATCH", "/v1/roles/x"),
    ("DELETE", "/v1/roles/x"),
    ("GET", "/v1/role-assignments"),
    ("POST", "/v1/role-assignments"),
    ("GET", "/v1/role-assignments/x"),
    ("DELETE", "/v1/role-assignments/x"),
    ("GET", "/v1/api-keys"),
    ("POST", "/v1/api-keys"),
    ("GET", "/v1/api-keys/x"),
    ("DELETE", "/v1/api-keys/x"),
    ("POST", "/v1/api-keys/x/revoke"),
    ("GET", "/v1/sessions"),
    ("DELETE", "/v1/sessions/x"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_routes_and_callers() {
    let server = Server::start();
    let id = server.post(event("A").to_string()).await.json()["event_id"].as_str().unwrap().to_owned();
    let mut callers: Vec<(String, (header::HeaderName, String))> = Vec::new();
    let bearer = |key: String| (header::AUTHORIZATION, format!("Bearer {key}"));
    callers.push(("nobody".into(), (header::ACCEPT, "*/*".into())));
    callers.push(("wrong key".into(), bearer("acta_wrong".into())));
    for scope in KeyScope::ALL {
        callers.push((format!("key {scope}"), bearer(server.new_key(&[*scope], None))));
    }
    let revoked = server.new_key(&[KeyScope::EventsRead], None);
    let key =
        server.app.directory.api_keys(server.organization.id).unwrap().into_iter().max_by_key(|k| k.created_at).unwrap();
    let known: Vec<_> = server.app.directory.api_keys(server.organization.id).unwrap();
    let key = known.into_iter().find(|k| revoked.starts_with(&k.prefix)).unwrap_or(key);
    server.app.directory.revoke_api_key(&ChangedBy::cli(), server.organization.id, &key.id, server.app.now()).unwrap();
    callers.push(("revoked key".into(), bearer(revoked)));
    for role in Role::ALL {
        let user = server.new_user(&format!("{role}@example.com"), *role);
        let new = NewSession { org: server.organization.id, user: &user.id, ip: None, user_agent: None };
        let (_, token) = server.app.directory.create_session(new, server.app.now()).unwrap();
        callers.push((role.to_string(), (header::COOKIE, format!("acta_session={}", token.expose()))));
    }
    let routes: Vec<(&str, String)> = vec![
        ("POST", "/v1/events".into()),
        ("GET", "/v1/events".into()),
        ("GET", format!("/v1/events/{id}")),
        ("GET", "/v1/facets?field=action".into()),
        ("GET", "/v1/histogram".into()),
        ("GET", "/v1/filters".into()),
        ("GET", "/v1/catalog".into()),
        ("GET", "/openapi.json".into()),
        ("GET", "/healthz".into()),
        ("GET", "/readyz".into()),
        ("GET", "/metrics".into()),
        ("GET", "/audit".into()),
        ("GET", format!("/audit/{id}")),
        ("GET", format!("/audit/{id}.json")),
    ];
    let mut routes = routes;
    for (method, path) in PEOPLE {
        routes.push((method, path.to_string()));
    }
    let mut table = Vec::new();
    for (method, path) in &routes {
        let mut line = format!("{method} {}:", path.replace(&id, "{event_id}"));
        let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
        for (name, (header, value)) in &callers {
            let request = Request::builder().method(*method).uri(path).header(header, value);
            let request = request.header(header::CONTENT_TYPE, "application/json");
            let body = if *path == "/v1/events" { event("B").to_string() } else { "{}".to_owned() };
            let answer = server.send(request.body(Body::from(body)).unwrap()).await;
            by_status.entry(answer.status.as_u16()).or_default().push(name);
        }
        for (status, names) in by_status {
            line += &format!("\n    {status}: {}", names.join(", "));
        }
        table.push(line);
    }
    expect_test::expect![[r#"
        POST /v1/events:
            201: key events:write, owner, admin
            401: nobody, wrong key, revoked key
            403: key events:read, key events:export, key directory:read, key directory:write, auditor, member
        GET /v1/events:
            200: key events:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:export, key directory:read, key directory:write, member
        GET /v1/events/{event_id}:
            200: key events:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:export, key directory:read, key directory:write, member
        GET /v1/facets?field=action:
            200: key events:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:export, key directory:read, key directory:write, member
        GET /v1/histogram:
            200: key events:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:export, key directory:read, key directory:write, member
        GET /v1/filters:
            200: key events:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:export, key directory:read, key directory:write, member
        GET /v1/catalog:
            200: key events:write, key events:read, key events:export, key directory:read, key directory:write, owner, admin, auditor, member
            401: nobody, wrong key, revoked key
        GET /openapi.json:
            200: nobody, wrong key, key events:write, key events:read, key events:export, key directory:read, key directory:write, revoked key, owner, admin, auditor, member
        GET /healthz:
            200: nobody, wrong key, key events:write, key events:read, key events:export, key directory:read, key directory:write, revoked key, owner, admin, auditor, member
        GET /readyz:
            200: nobody, wrong key, key events:write, key events:read, key events:export, key directory:read, key directory:write, revoked key, owner, admin, auditor, member
        GET /metrics:
            200: nobody, wrong key, key events:write, key events:read, key events:export, key directory:read, key directory:write, revoked key, owner, admin, auditor, member
        GET /audit:
            200: owner, admin, auditor
            303: nobody, wrong key, key events:write, key events:read, key events:export, key directory:read, key directory:write, revoked key
            403: member
        GET /audit/{event_id}:
            200: owner, admin, auditor
            303: nobody, wrong key, key events:write, key events:read, key events:export, key directory:read, key directory:write, revoked key
            403: member
        GET /audit/{event_id}.json:
            200: owner, admin, auditor
            303: nobody, wrong key, key events:write, key events:read, key events:export, key directory:read, key directory:write, revoked key
            403: member
        GET /v1/me:
            200: key events:write, key events:read, key events:export, key directory:read, key directory:write, owner, admin, auditor, member
            401: nobody, wrong key, revoked key
        GET /v1/organization:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        PATCH /v1/organization:
            200: key directory:write, owner, admin
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
        GET /v1/organizations:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        POST /v1/organization/archive:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, key directory:write, admin, auditor, member
            422: owner
        GET /v1/teams:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        POST /v1/teams:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            422: key directory:write, owner, admin
        GET /v1/teams/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        PATCH /v1/teams/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            422: key directory:write, owner, admin
        DELETE /v1/teams/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        GET /v1/teams/x/members:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        GET /v1/users:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        POST /v1/users:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            422: key directory:write, owner, admin
        GET /v1/users/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        PATCH /v1/users/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        DELETE /v1/users/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        POST /v1/users/x/disable:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        POST /v1/users/x/enable:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        POST /v1/users/x/archive:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        GET /v1/users/x/groups:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        GET /v1/service-accounts:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        POST /v1/service-accounts:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            422: key directory:write, owner, admin
        GET /v1/service-accounts/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        PATCH /v1/service-accounts/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        DELETE /v1/service-accounts/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        POST /v1/service-accounts/x/disable:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        POST /v1/service-accounts/x/enable:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        GET /v1/groups:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        POST /v1/groups:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            422: key directory:write, owner, admin
        GET /v1/groups/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        PATCH /v1/groups/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        DELETE /v1/groups/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        GET /v1/groups/x/members:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        POST /v1/groups/x/members:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        DELETE /v1/groups/x/members:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        GET /v1/roles:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        POST /v1/roles:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            422: key directory:write, owner, admin
        GET /v1/roles/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        PATCH /v1/roles/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        DELETE /v1/roles/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        GET /v1/role-assignments:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        POST /v1/role-assignments:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            422: key directory:write, owner, admin
        GET /v1/role-assignments/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        DELETE /v1/role-assignments/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        GET /v1/api-keys:
            200: key directory:read, owner, admin, auditor
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
        POST /v1/api-keys:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            422: key directory:write, owner, admin
        GET /v1/api-keys/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write, member
            404: key directory:read, owner, admin, auditor
        DELETE /v1/api-keys/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        POST /v1/api-keys/x/revoke:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin
        GET /v1/sessions:
            200: owner, admin, auditor, member
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:write
            422: key directory:read
        DELETE /v1/sessions/x:
            401: nobody, wrong key, revoked key
            403: key events:write, key events:read, key events:export, key directory:read, auditor, member
            404: key directory:write, owner, admin"#]]
    .assert_eq(&table.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_cannot_write_with_the_cookie() {
    let server = Server::start();
    let user = server.new_user("admin@example.com", Role::Admin);
    let new = NewSession { org: server.organization.id, user: &user.id, ip: None, user_agent: None };
    let (_, token) = server.app.directory.create_session(new, server.app.now()).unwrap();
    let send = async |site: &str| {
        let request = Request::post("/v1/events")
            .header(header::COOKIE, format!("acta_session={}", token.expose()))
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", site)
            .body(Body::from(event("A").to_string()))
            .unwrap();
        server.send(request).await
    };
    assert_eq!(send("cross-site").await.status.as_u16(), 403);
    assert_eq!(send("same-site").await.status.as_u16(), 403);
    assert_eq!(send("same-origin").await.status.as_u16(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_believed_only_if_it_is_trusted() {
    use axum::extract::ConnectInfo;
    let trusted = server::config::Config::load(
        None,
        std::iter::empty(),
        &[("trusted_proxies", Some("10.0.0.0/8, 127.0.0.1".to_owned()))],
    );
    let server = Server::with(trusted.unwrap(), |disk| std::sync::Arc::new(disk));
    let seen = async |peer: &str, forwarded: &str, n: u32| {
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        let request =
            server.request("GET", &format!("/v1/events?q=look{n}"), &server.key).header("x-forwarded-for", forwarded);
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        server.send(request).await;
        let looks = server.get("/v1/events?action=VIEW_AUDIT_LOGS").await.json();
        let found = looks["events"].as_array().unwrap().iter().find(|e| e["metadata"]["filter"] == format!("q=look{n}"));
        found.unwrap()["context"]["ip"].as_str().unwrap().to_owned()
    };
    assert_eq!(seen("127.0.0.1:1", "6.6.6.6, 203.0.113.9, 10.1.1.1", 1).await, "203.0.113.9");
    assert_eq!(seen("198.51.100.1:1", "203.0.113.9", 2).await, "198.51.100.1");
    assert_eq!(seen("127.0.0.1:1", "not an address", 3).await, "127.0.0.1");
}
