//! Who may do what, on every route: a table that a new route must be added to.

use access::{KeyScope, Role};
use axum::body::Body;
use axum::http::{Request, header};
use directory::{ChangedBy, NewSession};

use crate::support::{Server, event};

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
        ("GET", "/v1/filters".into()),
        ("GET", "/v1/catalog".into()),
        ("GET", "/openapi.json".into()),
        ("GET", "/v1/environments".into()),
        ("POST", "/v1/environments".into()),
        ("GET", "/v1/environments/env_0000000000000000".into()),
        ("PATCH", "/v1/environments/env_0000000000000000".into()),
        ("DELETE", "/v1/environments/env_0000000000000000".into()),
        ("GET", "/v1/folders".into()),
        ("POST", "/v1/folders".into()),
        ("GET", "/v1/folders/folder_0000000000000000".into()),
        ("PATCH", "/v1/folders/folder_0000000000000000".into()),
        ("DELETE", "/v1/folders/folder_0000000000000000".into()),
        ("GET", "/v1/apps".into()),
        ("POST", "/v1/apps".into()),
        ("GET", "/v1/apps/app_0000000000000000".into()),
        ("PATCH", "/v1/apps/app_0000000000000000".into()),
        ("POST", "/v1/apps/app_0000000000000000/release".into()),
        ("DELETE", "/v1/apps/app_0000000000000000".into()),
        ("GET", "/v1/workflows".into()),
        ("POST", "/v1/workflows".into()),
        ("GET", "/v1/workflows/wf_0000000000000000".into()),
        ("PATCH", "/v1/workflows/wf_0000000000000000".into()),
        ("POST", "/v1/workflows/wf_0000000000000000/release".into()),
        ("POST", "/v1/workflows/wf_0000000000000000/enable".into()),
        ("POST", "/v1/workflows/wf_0000000000000000/disable".into()),
        ("DELETE", "/v1/workflows/wf_0000000000000000".into()),
        ("GET", "/v1/resources".into()),
        ("POST", "/v1/resources".into()),
        ("GET", "/v1/resources/res_0000000000000000".into()),
        ("PATCH", "/v1/resources/res_0000000000000000".into()),
        ("DELETE", "/v1/resources/res_0000000000000000".into()),
        ("PUT", "/v1/resources/res_0000000000000000/environments/env_0000000000000000".into()),
        ("DELETE", "/v1/resources/res_0000000000000000/environments/env_0000000000000000".into()),
        ("GET", "/v1/grants".into()),
        ("POST", "/v1/grants".into()),
        ("GET", "/v1/grants/grant_0000000000000000".into()),
        ("DELETE", "/v1/grants/grant_0000000000000000".into()),
        ("POST", "/v1/authorize".into()),
        ("GET", "/v1/who-can?permission=log:read".into()),
        ("GET", "/v1/what-can?user=u_0000000000000000".into()),
        ("GET", "/healthz".into()),
        ("GET", "/readyz".into()),
        ("GET", "/metrics".into()),
        ("GET", "/audit".into()),
        ("GET", format!("/audit/{id}")),
        ("GET", format!("/audit/{id}.json")),
    ];
    let mut table = Vec::new();
    for (method, path) in &routes {
        let mut line = format!("{method} {}:", path.replace(&id, "{event_id}"));
        for (name, (header, value)) in &callers {
            let request = Request::builder().method(*method).uri(path).header(header, value);
            let request = request.header(header::CONTENT_TYPE, "application/json");
            // What is no event is refused as a body, but only to those who may.
            let body = if matches!(*method, "POST" | "PUT" | "PATCH") { event("B").to_string() } else { String::new() };
            let answer = server.send(request.body(Body::from(body)).unwrap()).await;
            line += &format!("\n    {name}: {}", answer.status.as_u16());
        }
        table.push(line);
    }
    expect_test::expect![[r#"
        POST /v1/events:
            nobody: 401
            wrong key: 401
            key events:write: 201
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 403
            revoked key: 401
            owner: 201
            admin: 201
            auditor: 403
            member: 403
        GET /v1/events:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 200
            key events:export: 403
            key directory:read: 403
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 403
        GET /v1/events/{event_id}:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 200
            key events:export: 403
            key directory:read: 403
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 403
        GET /v1/filters:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 200
            key events:export: 403
            key directory:read: 403
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 403
        GET /v1/catalog:
            nobody: 401
            wrong key: 401
            key events:write: 200
            key events:read: 200
            key events:export: 200
            key directory:read: 200
            key directory:write: 200
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        GET /openapi.json:
            nobody: 200
            wrong key: 200
            key events:write: 200
            key events:read: 200
            key events:export: 200
            key directory:read: 200
            key directory:write: 200
            revoked key: 200
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        GET /v1/environments:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 200
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        POST /v1/environments:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 403
            member: 403
        GET /v1/environments/env_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 404
            key directory:write: 403
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        PATCH /v1/environments/env_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 403
            member: 403
        DELETE /v1/environments/env_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 403
            member: 403
        GET /v1/folders:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 200
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        POST /v1/folders:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 422
            member: 422
        GET /v1/folders/folder_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 404
            key directory:write: 403
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        PATCH /v1/folders/folder_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 404
            member: 404
        DELETE /v1/folders/folder_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        GET /v1/apps:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 200
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        POST /v1/apps:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 422
            member: 422
        GET /v1/apps/app_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 404
            key directory:write: 403
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        PATCH /v1/apps/app_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 404
            member: 404
        POST /v1/apps/app_0000000000000000/release:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        DELETE /v1/apps/app_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        GET /v1/workflows:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 200
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        POST /v1/workflows:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 422
            member: 422
        GET /v1/workflows/wf_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 404
            key directory:write: 403
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        PATCH /v1/workflows/wf_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 404
            member: 404
        POST /v1/workflows/wf_0000000000000000/release:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        POST /v1/workflows/wf_0000000000000000/enable:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        POST /v1/workflows/wf_0000000000000000/disable:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        DELETE /v1/workflows/wf_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        GET /v1/resources:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 200
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        POST /v1/resources:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 422
            member: 422
        GET /v1/resources/res_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 404
            key directory:write: 403
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        PATCH /v1/resources/res_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 403
            member: 403
        DELETE /v1/resources/res_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 403
            member: 403
        PUT /v1/resources/res_0000000000000000/environments/env_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 404
            member: 404
        DELETE /v1/resources/res_0000000000000000/environments/env_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 404
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        GET /v1/grants:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 200
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 403
        POST /v1/grants:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 403
            key directory:write: 422
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 422
            member: 422
        GET /v1/grants/grant_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 404
            key directory:write: 403
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        DELETE /v1/grants/grant_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 404
            key directory:write: 403
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 404
        POST /v1/authorize:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 422
            key directory:write: 403
            revoked key: 401
            owner: 422
            admin: 422
            auditor: 422
            member: 422
        GET /v1/who-can?permission=log:read:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 200
            key directory:write: 403
            revoked key: 401
            owner: 200
            admin: 200
            auditor: 200
            member: 403
        GET /v1/what-can?user=u_0000000000000000:
            nobody: 401
            wrong key: 401
            key events:write: 403
            key events:read: 403
            key events:export: 403
            key directory:read: 404
            key directory:write: 403
            revoked key: 401
            owner: 404
            admin: 404
            auditor: 404
            member: 403
        GET /healthz:
            nobody: 200
            wrong key: 200
            key events:write: 200
            key events:read: 200
            key events:export: 200
            key directory:read: 200
            key directory:write: 200
            revoked key: 200
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        GET /readyz:
            nobody: 200
            wrong key: 200
            key events:write: 200
            key events:read: 200
            key events:export: 200
            key directory:read: 200
            key directory:write: 200
            revoked key: 200
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        GET /metrics:
            nobody: 200
            wrong key: 200
            key events:write: 200
            key events:read: 200
            key events:export: 200
            key directory:read: 200
            key directory:write: 200
            revoked key: 200
            owner: 200
            admin: 200
            auditor: 200
            member: 200
        GET /audit:
            nobody: 303
            wrong key: 303
            key events:write: 303
            key events:read: 303
            key events:export: 303
            key directory:read: 303
            key directory:write: 303
            revoked key: 303
            owner: 200
            admin: 200
            auditor: 200
            member: 403
        GET /audit/{event_id}:
            nobody: 303
            wrong key: 303
            key events:write: 303
            key events:read: 303
            key events:export: 303
            key directory:read: 303
            key directory:write: 303
            revoked key: 303
            owner: 200
            admin: 200
            auditor: 200
            member: 403
        GET /audit/{event_id}.json:
            nobody: 303
            wrong key: 303
            key events:write: 303
            key events:read: 303
            key events:export: 303
            key directory:read: 303
            key directory:write: 303
            revoked key: 303
            owner: 200
            admin: 200
            auditor: 200
            member: 403"#]]
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
