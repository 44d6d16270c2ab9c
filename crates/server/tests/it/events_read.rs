//! `GET /v1/events/{event_id}`.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use directory::ChangedBy;
use serde_json::json;

use crate::support::{Server, event};

#[tokio::test(flavor = "multi_thread")]
async fn one_event_comes_with_its_record() {
    let server = Server::start();
    let mut sent = event("MODIFY_PERMISSIONS");
    sent["changes"] = json!([{"field": "role", "before": null, "after": "admin"}]);
    sent["metadata"] = json!({"deep": [1.5, {"x": "y"}]});
    sent["response_time_ms"] = 12.into();
    let answer = server.post(sent.to_string()).await.json();
    let id = answer["event_id"].as_str().unwrap();
    let whole = server.get(&format!("/v1/events/{id}")).await.json();
    assert_eq!(whole["changes"], sent["changes"]);
    assert_eq!(whole["metadata"], sent["metadata"]);
    assert_eq!(
        (&whole["response_time_ms"], &whole["severity"], &whole["kind"]),
        (&json!(12), &json!("high"), &json!("permission"))
    );
    assert_eq!(whole["standing"], json!({"state": "in_tree", "erased": []}));
    let record = whole["record"].as_str().unwrap();
    let leaf = record::merkle::leaf_hash(record.as_bytes());
    assert_eq!(whole["leaf_hash"], STANDARD.encode(leaf));
    assert!(record.contains(id) && !record.contains("Ada"), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_not_hers_is_404() {
    let server = Server::start();
    let mine = server.post(event("MINE").to_string()).await.json()["event_id"].as_str().unwrap().to_owned();
    let other = server.app.directory.create_organization(&ChangedBy::cli(), "Other", server.app.now()).unwrap();
    let stranger = server.new_key_in(&other, &[access::KeyScope::EventsRead], None);
    assert_eq!(server.get(&format!("/v1/events/{mine}")).await.status, StatusCode::OK);
    for (key, id) in [(&stranger, mine.as_str()), (&server.key, "019aa353-5b1c-7a3e-9c55-3f6c1d9e2b10"), (&server.key, "x")]
    {
        let answer = server.get_as(key, &format!("/v1/events/{id}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.problem().contains("or none that you may see"));
    }
}
