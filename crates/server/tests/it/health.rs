//! `GET /healthz`, `/readyz`, `/metrics`, and what is nowhere.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::support::{Server, event};

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_key_and_metrics_count() {
    let server = Server::start();
    server.post(event("A").to_string()).await;
    let open = async |path: &str| server.send(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(open("/healthz").await.text(), "alive\n");
    let ready = open("/readyz").await;
    assert_eq!((ready.status, ready.json()["ready"].clone()), (StatusCode::OK, true.into()));
    let metrics = open("/metrics").await.text();
    assert!(metrics.contains("acta_events_received_total{result=\"recorded\"} 1"), "{metrics}");
    assert!(metrics.contains("acta_ready 1"), "{metrics}");
    assert!(metrics.contains("route=\"/v1/events\""), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_addresses_and_methods_are_problems() {
    let server = Server::start();
    assert!(server.get("/v1/nothing").await.problem().starts_with("404 urn:acta:problem:not-found"));
    assert!(server.get("/v1/events/%ff").await.problem().starts_with("400 urn:acta:problem:malformed"));
    let request = server.request("DELETE", "/v1/events", &server.key).body(Body::empty()).unwrap();
    assert!(server.send(request).await.problem().starts_with("405 urn:acta:problem:method"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensible_request_id_is_kept() {
    let server = Server::start();
    let with = async |id: &str| {
        let request = Request::get("/healthz").header("x-request-id", id).body(Body::empty()).unwrap();
        server.send(request).await.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(with("abc-1").await, "abc-1");
    assert_ne!(with("not sensible <b>").await, "not sensible <b>");
}
