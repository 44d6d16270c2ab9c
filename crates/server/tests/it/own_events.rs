//! Acta's own acts are events: changes of the directory, and looks at the log.

use server::record_own::drain_outbox;

use crate::support::{Server, event};

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_directory_become_events_once() {
    let server = Server::start();
    assert!(drain_outbox(&server.app).await.unwrap() >= 2);
    assert_eq!(drain_outbox(&server.app).await.unwrap(), 0);
    let listed = server.get("/v1/events?action=ACCESS_TOKEN_CREATED").await.json();
    assert_eq!(listed["total"], 1);
    assert_eq!(listed["events"][0]["actor"]["id"], "acta-cli");
    assert!(!listed.to_string().contains(&server.key), "the secret is nowhere");
    assert_eq!(server.total("action=CREATE_ORGANIZATION").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_the_log_is_an_event_once_for_each_filter() {
    let server = Server::start();
    server.post(event("A").to_string()).await;
    for query in ["q=secret", "q=secret&page=2", "q=secret&per_page=3", "q=other"] {
        server.get(&format!("/v1/events?{query}")).await;
    }
    let looks = server.get("/v1/events?action=VIEW_AUDIT_LOGS").await.json();
    // Two filters, and this look itself.
    assert_eq!(looks["total"], 3, "{looks}");
    let filters: Vec<_> =
        looks["events"].as_array().unwrap().iter().map(|e| e["metadata"]["filter"].as_str().unwrap()).collect();
    assert_eq!(filters, ["action=VIEW_AUDIT_LOGS", "q=other", "q=secret"]);
    assert_eq!(looks["events"][0]["actor"]["type"], "api_key");
}
