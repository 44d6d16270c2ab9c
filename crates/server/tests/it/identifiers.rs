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
    "VIEW_PERMISSIONS",
    "CREATE_REDACTION",
    "UPDATE_REDACTION",
    "DELETE_REDACTION",
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
    let changes = changes.map(|it| format!("{}: {} → {}", text(&it["field"]), it["before"], it["after"]));
    let changes = changes.collect::<Vec<_>>().join("; ");
    let in_session = if event["context"]["session_id"].is_string() { ", session" } else { "" };
    let (actor, outcome) = (&event["actor"], text(&event["outcome"]));
    let by = format!("{} {}{in_session}", text(&actor["type"]), actor["name"]);
    format!("{} by {by}: {} [{changes}] {outcome}", text(&event["action"]), targets.join(", "))
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
        assert!(change["before"] != change["after"] || secret, "{event}");
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

    // An archived organization's keys are refused: its log is read once somebody has taken that back.
    tour.site.execute("UPDATE organizations SET archived_at = NULL");
    let known = sessions(&tour.events_with(&tour.other_reader, "action=LOGIN").await);
    let archived = tour.events_with(&tour.other_reader, "action=ARCHIVE_ORGANIZATION").await;
    assert_eq!(archived.len(), 1);
    check(&archived[0], &known);
    lines.insert(told(&archived[0]));
    expect_test::expect![[r#""#]].assert_eq(&lines.into_iter().collect::<Vec<_>>().join("\n"));
}
