//! Every identifier that Acta produces itself is produced by really doing it, and tells who did what to what, from where.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::tour::Tour;
use crate::visitor::{AGENT, HERS, THEIRS};

const ALL: &[&str] = &[
    "LOGIN",
    "LOGIN_FAILED",
    "LOGOUT",
    "SIGN_UP",
    "CREATE_USER",
    "INVITE_USER",
    "RE_INVITE_USER",
    "REDEEM_INVITE",
    "DISABLE_USER",
    "ENABLE_USER",
    "ARCHIVE_USER",
    "DELETE_USER",
    "REQUEST_PASSWORD_RESET_LINK",
    "CONFIRM_PASSWORD_RESET_LINK",
    "REQUEST_PASSWORDLESS_LOGIN",
    "SEND_MAGIC_LOGIN",
    "VERIFY_2FA_SUCCESS",
    "VERIFY_2FA_FAILURE",
    "DISABLE_TWO_FACTOR_AUTH",
    "REMOVE_TWO_FACTOR_AUTHENTICATOR",
    "USER_EMAIL_CHANGE",
    "USER_EMAIL_VERIFY",
    "USER_NAME_CHANGE",
    "CREATE_GROUP",
    "UPDATE_GROUP",
    "DELETE_GROUP",
    "ADD_USERS_TO_GROUP",
    "REMOVE_USERS_FROM_GROUP",
    "CREATE_ROLE",
    "UPDATE_ROLE",
    "DELETE_ROLE",
    "MODIFY_PERMISSIONS",
    "ADD_PAGE_TO_GROUP",
    "REMOVE_PAGE_FROM_GROUP",
    "DIRECTLY_SHARE_PAGE_WITH_USER",
    "CREATE_RESOURCE",
    "UPDATE_RESOURCE",
    "DELETE_RESOURCE",
    "ACCESS_TOKEN_CREATED",
    "ACCESS_TOKEN_REVOKED",
    "UPDATE_ORGANIZATION",
    "VIEW_AUDIT_LOGS",
    "DOWNLOAD_AUDIT_LOGS",
    "VIEW_PERMISSIONS",
    "CREATE_REDACTION",
    "UPDATE_REDACTION",
    "DELETE_REDACTION",
    "CREATE_DESTINATION",
    "UPDATE_DESTINATION",
    "DELETE_DESTINATION",
    "PAUSE_DESTINATION",
    "RESUME_DESTINATION",
    "TEST_DESTINATION",
    "REPLAY_DESTINATION",
    "CANCEL_REPLAY",
    "RETRY_DEAD_LETTERS",
    "DISCARD_DEAD_LETTERS",
];

/// What is done by somebody who is not signed in, or not yet.
const WITHOUT_SESSION: &[&str] = &[
    "CONFIRM_PASSWORD_RESET_LINK",
    "CREATE_USER",
    "LOGIN_FAILED",
    "MODIFY_PERMISSIONS",
    "REDEEM_INVITE",
    "REQUEST_PASSWORDLESS_LOGIN",
    "REQUEST_PASSWORD_RESET_LINK",
    "SEND_MAGIC_LOGIN",
    "SIGN_UP",
    "USER_EMAIL_VERIFY",
    "VERIFY_2FA_FAILURE",
    "VERIFY_2FA_SUCCESS",
];

/// What an event tells, in a line; ids are left out of it.
fn told(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let targets = event["targets"].as_array().into_iter().flatten();
    let targets: Vec<String> = targets.map(|it| format!("{} {}", text(&it["type"]), it["name"])).collect();
    let changes = event["changes"].as_array().into_iter().flatten();
    let changes =
        changes.map(|it| format!("{}: {} → {}", text(&it["field"]), timeless(&it["before"]), timeless(&it["after"])));
    let changes = changes.collect::<Vec<_>>().join("; ");
    let in_session = if event["context"]["session_id"].is_string() { ", session" } else { "" };
    let (actor, outcome) = (&event["actor"], text(&event["outcome"]));
    let by = format!("{} {}{in_session}", text(&actor["type"]), actor["name"]);
    format!("{} by {by}: {} [{changes}] {outcome}", text(&event["action"]), targets.join(", "))
}

/// A value; a time stands as `T`.
fn timeless(value: &Value) -> String {
    let is_time = value.as_str().is_some_and(|text| record::Timestamp::parse(text).is_ok());
    if is_time { "T".to_owned() } else { value.to_string() }
}

/// Who is in which session, by the sign-ins.
fn sessions(logins: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    logins.iter().map(|it| (text(&it["context"]["session_id"]), text(&it["actor"]["id"]))).collect()
}

/// What holds for every event that a request made.
fn check(event: &Value, sessions: &BTreeMap<String, String>) {
    let (actor, context) = (&event["actor"], &event["context"]);
    let (action, id) = (event["action"].as_str().unwrap(), actor["id"].as_str().unwrap());
    let prefix = match actor["type"].as_str().unwrap() {
        "user" => "u_",
        "api_key" => "key_",
        other => panic!("{other}: {event}"),
    };
    assert!(id.starts_with(prefix) || (action, id) == ("LOGIN_FAILED", "unknown"), "{event}");
    let from = if prefix == "u_" { HERS } else { THEIRS };
    assert_eq!((context["ip"].as_str(), context["user_agent"].as_str()), (Some(from), Some(AGENT)), "{event}");
    assert!(context["request_id"].is_string() && event["response_time_ms"].is_u64(), "{event}");
    match context["session_id"].as_str() {
        Some(session) => assert_eq!(sessions[session], id, "{event}"),
        None => assert!(prefix == "key_" || WITHOUT_SESSION.contains(&action), "{event}"),
    }
    let outcome = if matches!(action, "LOGIN_FAILED" | "VERIFY_2FA_FAILURE") { "failure" } else { "success" };
    assert_eq!(event["outcome"], outcome, "{event}");
    for target in event["targets"].as_array().into_iter().flatten() {
        assert!(target["type"].is_string() && target["id"].is_string(), "{event}");
    }
    for change in event["changes"].as_array().into_iter().flatten() {
        let secret = change["field"] == "password";
        assert!(secret == (change["before"].is_null() && change["after"].is_null()), "{event}");
        // What is shown of a secret is the same before and after.
        let hidden = change["before"] == "********";
        assert!(change["before"] != change["after"] || secret || hidden, "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_identifier_is_produced_by_doing_it() {
    let tour = Tour::make().await;
    let (mut lines, mut missing) = (BTreeSet::new(), Vec::new());
    let known = sessions(&tour.events("action=LOGIN&per_page=100").await);
    assert!(known.len() >= 6, "{known:?}");
    for action in ALL {
        let mut events = tour.events(&format!("action={action}&per_page=100")).await;
        // What was there before anybody could make a request was set up at the command line.
        events.retain(|event| event["actor"]["type"] != "system");
        if events.is_empty() {
            missing.push(*action);
        }
        for event in events {
            check(&event, &known);
            lines.insert(told(&event));
        }
    }
    assert_eq!(missing, Vec::<&str>::new(), "never produced");
    let looks = tour.events("action=VIEW_AUDIT_LOGS&per_page=100").await;
    let interfaces: BTreeSet<&str> = looks.iter().filter_map(|look| look["metadata"]["interface"].as_str()).collect();
    assert_eq!(interfaces, BTreeSet::from(["api", "page"]));
    // The same file twice is two downloads, and one look.
    let downloads = tour.events("action=DOWNLOAD_AUDIT_LOGS").await;
    let filters: Vec<&Value> = downloads.iter().map(|download| &download["metadata"]["filter"]).collect();
    assert!(filters.len() == 2 && filters[0] == filters[1], "{filters:?}");
    assert_eq!(looks.iter().filter(|look| look["metadata"]["filter"] == *filters[0]).count(), 1);

    // An archived organization's keys are refused: its log is read once somebody has taken that back.
    tour.site.execute("UPDATE organizations SET archived_at = NULL");
    let known = sessions(&tour.events_with(&tour.other_reader, "action=LOGIN").await);
    let archived = tour.events_with(&tour.other_reader, "action=ARCHIVE_ORGANIZATION").await;
    assert_eq!(archived.len(), 1);
    check(&archived[0], &known);
    lines.insert(told(&archived[0]));
    expect_test::expect![[r#"
        ACCESS_TOKEN_CREATED by user "Owner", session: access_token "Deployer" [] success
        ACCESS_TOKEN_CREATED by user "Owner", session: access_token "Old" [] success
        ACCESS_TOKEN_CREATED by user "Owner", session: access_token "Reader" [] success
        ACCESS_TOKEN_REVOKED by user "Owner", session: access_token "Old" [revoked_at: null → T] success
        ADD_PAGE_TO_GROUP by user "Owner", session: app "Refunds", group "Analysts" [level: null → "use"] success
        ADD_USERS_TO_GROUP by user "Owner", session: group "Analysts", user "Mary Somerville" [] success
        ARCHIVE_ORGANIZATION by user "Owner", session: organization "Second" [archived_at: null → T] success
        ARCHIVE_USER by api_key "Deployer": user "Temp" [status: "active" → "archived"] success
        CANCEL_REPLAY by user "Owner", session: destination "Loom" [] success
        CONFIRM_PASSWORD_RESET_LINK by user "Grace Hopper": user "Grace Hopper" [password: null → null] success
        CREATE_DESTINATION by user "Owner", session: destination "Hook" [name: null → "Hook"; type: null → "webhook"; format: null → "native"; filter: null → {}; hide: null → []; settings/batch: null → false; settings/content_type: null → "application/json"; settings/envelope: null → true; settings/headers: null → {"x-cards":"********"}; settings/secret: null → "********"; settings/url: null → "http://127.0.0.1:9/"] success
        CREATE_GROUP by user "Owner", session: group "Analysts" [] success
        CREATE_REDACTION by user "Owner", session: redaction "Numbers" [name: null → "Numbers"; when: null → {}; members: null → ["/metadata/ssn"]; how: null → "hide"] success
        CREATE_RESOURCE by api_key "Deployer": resource "Ledger" [name: null → "Ledger"; kind: null → "postgresql"] success
        CREATE_ROLE by user "Owner", session: role "Deploying" [permissions: [] → ["app:view"]] success
        CREATE_USER by api_key "Deployer": user "Temp" [] success
        CREATE_USER by user "Mary Somerville": user "Mary Somerville" [] success
        CREATE_USER by user "Owner", session: user "Grace" [] success
        DELETE_DESTINATION by user "Owner", session: destination "Loom" [name: "Loom" → null; type: "webhook" → null; format: "native" → null; filter: {} → null; hide: [] → null; settings/batch: false → null; settings/content_type: "application/json" → null; settings/envelope: true → null; settings/headers: {"x-cards":"********"} → null; settings/secret: "********" → null; settings/url: "http://127.0.0.1:9/" → null] success
        DELETE_GROUP by user "Owner", session: group "Analysts" [] success
        DELETE_REDACTION by user "Owner", session: redaction "Numbers" [name: "Numbers" → null; when: {} → null; members: ["/metadata/ssn"] → null; how: "hash" → null] success
        DELETE_RESOURCE by api_key "Deployer": resource "Books" [] success
        DELETE_ROLE by user "Owner", session: role "Deploying" [permissions: ["app:view","app:release"] → []] success
        DELETE_USER by api_key "Deployer": user "Temp" [] success
        DIRECTLY_SHARE_PAGE_WITH_USER by user "Owner", session: app "Refunds", user "Mary Somerville" [level: null → "use"] success
        DISABLE_TWO_FACTOR_AUTH by user "Grace Hopper", session: user "Grace Hopper" [second_factor: true → false] success
        DISABLE_USER by api_key "Deployer": user "Temp" [status: "active" → "disabled"] success
        DISCARD_DEAD_LETTERS by user "Owner", session: destination "Loom" [] success
        DOWNLOAD_AUDIT_LOGS by user "Owner", session:  [] success
        ENABLE_USER by api_key "Deployer": user "Temp" [status: "disabled" → "active"] success
        INVITE_USER by user "Owner", session: invitation "mary@example.com" [] success
        LOGIN by user "Grace Hopper", session:  [] success
        LOGIN by user "Mary Somerville", session:  [] success
        LOGIN by user "Owner", session:  [] success
        LOGIN_FAILED by user "Grace Hopper", session:  [] failure
        LOGIN_FAILED by user "Grace Hopper":  [] failure
        LOGIN_FAILED by user null:  [] failure
        LOGOUT by user "Grace Hopper", session: user "Grace Hopper" [] success
        LOGOUT by user "Owner", session: user "Owner" [] success
        MODIFY_PERMISSIONS by user "Mary Somerville": user "Mary Somerville", team "Operations" [team_role: null → "team_member"] success
        MODIFY_PERMISSIONS by user "Owner", session: user "Grace Hopper" [role: "member" → "auditor"] success
        MODIFY_PERMISSIONS by user "Owner", session: user "Mary Somerville", role "Deploying" [role:Deploying: null → {"expires_at":null,"narrowing":null,"team":null}] success
        MODIFY_PERMISSIONS by user "Owner", session: user "Mary Somerville", role "Deploying" [role:Deploying: {"expires_at":null,"narrowing":null,"team":null} → null] success
        PAUSE_DESTINATION by user "Owner", session: destination "Loom" [paused: false → true] success
        REDEEM_INVITE by user "Mary Somerville": invitation "mary@example.com", user "Mary Somerville" [] success
        REMOVE_PAGE_FROM_GROUP by user "Owner", session: app "Refunds", group "Analysts" [level: "use" → null] success
        REMOVE_TWO_FACTOR_AUTHENTICATOR by user "Grace Hopper", session: user "Grace Hopper", authenticator "Tablet" [] success
        REMOVE_USERS_FROM_GROUP by user "Owner", session: group "Analysts", user "Mary Somerville" [] success
        REPLAY_DESTINATION by user "Owner", session: destination "Loom" [] success
        REQUEST_PASSWORDLESS_LOGIN by user "Grace Hopper": user "Grace Hopper" [] success
        REQUEST_PASSWORD_RESET_LINK by user "Grace Hopper": user "Grace Hopper" [] success
        RESUME_DESTINATION by user "Owner", session: destination "Loom" [paused: true → false] success
        RETRY_DEAD_LETTERS by user "Owner", session: destination "Loom" [] success
        RE_INVITE_USER by user "Owner", session: invitation "mary@example.com" [] success
        SEND_MAGIC_LOGIN by user "Grace Hopper": user "Grace Hopper" [] success
        SIGN_UP by user "Mary Somerville": user "Mary Somerville" [] success
        TEST_DESTINATION by user "Owner", session: destination "Loom" [] success
        UPDATE_DESTINATION by user "Owner", session: destination "Loom" [name: "Hook" → "Loom"; settings/secret: "********" → "********"] success
        UPDATE_GROUP by user "Owner", session: group "Analysts" [description: "Those who look." → "Those who look closely."] success
        UPDATE_ORGANIZATION by user "Owner", session: organization "Engines" [name: "Test" → "Engines"; members_see_own_events: false → true] success
        UPDATE_REDACTION by user "Owner", session: redaction "Numbers" [how: "hide" → "hash"] success
        UPDATE_RESOURCE by api_key "Deployer": resource "Books" [environment: null → "development"; sensitive: null → true] success
        UPDATE_RESOURCE by api_key "Deployer": resource "Books" [name: "Ledger" → "Books"] success
        UPDATE_ROLE by user "Owner", session: role "Deploying" [permissions: ["app:view"] → ["app:view","app:release"]] success
        USER_EMAIL_CHANGE by user "Grace Hopper", session: user "Grace Hopper" [email: "grace@example.com" → "hopper@example.com"] success
        USER_EMAIL_VERIFY by user "Grace Hopper": user "Grace Hopper" [email: "grace@example.com" → "hopper@example.com"] success
        USER_NAME_CHANGE by user "Owner", session: user "Grace Hopper" [name: "Grace" → "Grace Hopper"] success
        VERIFY_2FA_FAILURE by user "Grace Hopper", session: user "Grace Hopper" [] failure
        VERIFY_2FA_FAILURE by user "Grace Hopper": user "Grace Hopper" [] failure
        VERIFY_2FA_SUCCESS by user "Grace Hopper", session: user "Grace Hopper" [] success
        VERIFY_2FA_SUCCESS by user "Grace Hopper": user "Grace Hopper", authenticator "Phone" [] success
        VIEW_AUDIT_LOGS by api_key "Reader":  [] success
        VIEW_AUDIT_LOGS by user "Owner", session:  [] success
        VIEW_PERMISSIONS by user "Owner", session:  [] success"#]].assert_eq(&lines.into_iter().collect::<Vec<_>>().join("\n"));
}
