//! From where requests come: other sites' pages, proxies. Who may do what is in `authorization`.

use access::Role;
use axum::body::Body;
use axum::http::{Request, header};
use directory::NewSession;

use crate::support::{Server, event};

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
