//! To add somebody to a group is to grant her what the group was granted: who may.

use access::Role;
use axum::http::StatusCode;
use serde_json::json;

use crate::estate::Estate;

#[tokio::test(flavor = "multi_thread")]
async fn who_adds_to_a_group_answers_for_its_grants() {
    let estate = Estate::start();
    let production = estate.environment("production").await;
    let resource = estate.resource("Ledger", &[&production]).await;
    let app = estate.made("/v1/apps", json!({"name": "Refunds"})).await;
    let group = async |name: &str| estate.made("/v1/groups", json!({"name": name})).await;
    let (runners, analysts, own) = (group("Runners").await, group("Analysts").await, group("Own").await);
    let (ann, anns) = estate.person("ann", Role::Owner);
    let (_, bens) = estate.person("ben", Role::Admin);
    let (dora, doras) = estate.person("dora", Role::Member);
    let (cat, _) = estate.person("cat", Role::Member);
    let people = json!({"name": "People", "permissions": ["directory:read", "directory:change"]});
    let people = estate.made("/v1/roles", people).await;
    estate.made("/v1/role-assignments", json!({"role": people, "user": dora.id.as_str()})).await;
    estate.grant(json!({"group": runners}), "use", json!({"app": app})).await;
    let data = json!({"resource": resource, "environment": production});
    estate.grant(json!({"group": analysts}), "use", data).await;
    let mut lines = Vec::new();
    let mut add = async |told: &str, caller: &str, group: &str, members: serde_json::Value| {
        let answer = estate.call(caller, "POST", &format!("/v1/groups/{group}/members"), members).await;
        let told_why = if answer.status == StatusCode::OK { "200".to_owned() } else { answer.problem() };
        lines.push(format!("{told}: {told_why}"));
    };
    let (to_cat, to_ann) = (json!({"users": [cat.id.as_str()]}), json!({"users": [ann.id.as_str()]}));
    add("an owner adds herself to her own group", &anns, &own, to_ann.clone()).await;
    add("dora, who has no app, adds to its users", &doras, &runners, to_cat.clone()).await;
    estate.grant(json!({"user": dora.id.as_str()}), "use", json!({"app": app})).await;
    add("dora, who may use it, does", &doras, &runners, to_cat.clone()).await;
    add("an owner adds herself to users of an app", &anns, &runners, to_ann.clone()).await;
    add("dora adds to those who have data", &doras, &analysts, to_cat.clone()).await;
    add("an owner does", &anns, &analysts, to_cat.clone()).await;
    add("an owner adds herself", &anns, &analysts, to_ann.clone()).await;
    add("an owner adds a group that she is in", &anns, &analysts, json!({"groups": [own]})).await;
    add("an owner puts a group into it", &anns, &analysts, json!({"groups": [group("Interns").await]})).await;
    let interns = estate.get(&anns, "/v1/groups?q=interns").await.json()["groups"][0]["id"].as_str().unwrap().to_owned();
    add("an owner adds herself to that", &anns, &interns, to_ann.clone()).await;
    add("dora adds to that", &doras, &interns, to_cat).await;
    add("an admin adds the owner", &bens, &interns, to_ann).await;
    expect_test::expect![[r#"
        an owner adds herself to her own group: 200
        dora, who has no app, adds to its users: 403 urn:acta:problem:denied: The group was granted what you neither hold nor may share, so you cannot add to it.
        dora, who may use it, does: 200
        an owner adds herself to users of an app: 200
        dora adds to those who have data: 403 urn:acta:problem:denied: The group was granted what you neither hold nor may share, so you cannot add to it.
        an owner does: 200
        an owner adds herself: 403 urn:acta:problem:denied: You may not do this. Nobody grants anything to herself.
        an owner adds a group that she is in: 403 urn:acta:problem:denied: You may not do this. Nobody grants data to a group that she belongs to.
        an owner puts a group into it: 200
        an owner adds herself to that: 403 urn:acta:problem:denied: You may not do this. Nobody grants anything to herself.
        dora adds to that: 403 urn:acta:problem:denied: The group was granted what you neither hold nor may share, so you cannot add to it.
        an admin adds the owner: 200"#]].assert_eq(&lines.join("\n"));
}
