//! `GET /v1/filters`.

use access::KeyScope;
use serde_json::{Value, json};

use crate::support::{Server, event};

#[tokio::test(flavor = "multi_thread")]
async fn lists_what_occurs_in_what_the_caller_may_see() {
    let server = Server::start();
    let mut events = Vec::new();
    for (action, team, actor) in [
        ("QUERY_RUN", "ops", "ada"),
        ("QUERY_RUN", "ops", "bob"),
        ("MODIFY_PERMISSIONS", "ops", "eve"), // Organization-only: a team does not see it, nor who did it.
        ("PAGE_VIEW", "sales", "cyd"),
        ("custom.thing", "ops", "ada"),
    ] {
        let mut event = event(action);
        event["team"] = team.into();
        event["actor"]["id"] = actor.into();
        events.push(event);
    }
    server.post(Value::from(events).to_string()).await;
    server.get("/v1/filters").await;
    let all = server.get("/v1/filters").await.json();
    let looks = server.get("/v1/events?action=VIEW_AUDIT_LOGS").await.json();
    assert!(looks["events"].as_array().unwrap().iter().any(|look| look["metadata"]["filter"] == "filters=all"), "{looks}");
    let titles: Vec<_> = all["categories"].as_array().unwrap().iter().map(|c| c["title"].as_str().unwrap()).collect();
    assert!(titles.contains(&"Queries") && titles.contains(&"Other") && titles.contains(&"Log"), "{titles:?}");
    let ids = |json: &Value| {
        json["users"].as_array().unwrap().iter().map(|u| u["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&all)[0], "ada");
    assert_eq!(all["teams"], json!([{"id": "ops", "events": 4}, {"id": "sales", "events": 1}]));
    let key = server.new_key(&[KeyScope::EventsRead], Some("ops"));
    let ops = server.get_as(&key, "/v1/filters").await.json();
    assert_eq!(ids(&ops), ["ada", "bob"]);
    assert_eq!(ops["teams"], json!([{"id": "ops", "events": 3}]));
    assert!(!ops.to_string().contains("MODIFY_PERMISSIONS"));
}
