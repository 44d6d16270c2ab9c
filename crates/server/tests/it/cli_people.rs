//! `acta organization`, `team`, `user`, `invitation`, `session`, `service-account`, `group`, `role`, `assignment`: beside a running server.

use std::path::Path;
use std::process::Output;

use directory::{ChangedBy, Confirmed, DirectoryOptions};
use record::Timestamp;
use serde_json::Value;
use server::app::{Doors, open_directory};

use crate::cli::{Process, run, set_up, stdout};

/// A data directory, and what is said to it.
struct Acta(String);

impl Acta {
    fn run(&self, arguments: &[&str]) -> Output {
        let (command, rest) = arguments.split_at(2);
        run(&[command, &["--data", &self.0], rest].concat())
    }

    fn say(&self, arguments: &[&str]) -> String {
        stdout(&self.run(arguments))
    }

    /// What a command shows as JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.say(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// The id of what a command made.
    fn make(&self, arguments: &[&str]) -> String {
        self.json(arguments)[0]["id"].as_str().unwrap().to_owned()
    }

    /// What a command that fails says.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    }
}

#[test]
fn people_are_managed_beside_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let acta = Acta(data.to_str().unwrap().to_owned());
    let server = Process::serve(&data, &[]);

    let mary = acta.make(&["user", "create", "--email", "mary@example.com", "--name", "Mary"]);
    let team = acta.make(&["team", "create", "Operations", "--id", "ops"]);
    let robot = acta.make(&["service-account", "create", "Robot"]);
    let outer = acta.make(&["group", "create", "Outer", "--description", "All."]);
    acta.make(&["group", "create", "Inner"]);
    acta.say(&["group", "add", "inner", "--user", "MARY@example.com", "--service-account", "robot"]);
    acta.say(&["group", "add", "Outer", "--group", "Inner"]);
    assert!(acta.refused(&["group", "add", "Inner", "--group", &outer]).contains("“Inner” in “Outer” in “Inner”"));
    let role = acta.make(&["role", "create", "Deployer", "--permissions", "app:view,app:release"]);
    assert_eq!(acta.json(&["role", "update", "deployer", "--name", "Releaser"])[0]["id"], role.as_str());
    assert!(acta.refused(&["role", "update", "viewer", "--name", "X"]).contains("built in"));
    let given = acta.make(&["assignment", "create", "Releaser", "--group", "Outer", "--team", &team]);
    acta.make(&["assignment", "create", "auditor", "--user", &mary, "--category", "Log", "--masked", "ip,email"]);
    assert!(acta.refused(&["assignment", "create", "viewer"]).contains("name one of --user"));

    // A running server knows of it at once.
    let reader = acta.say(&["key", "create", "--scopes", "directory:read", "--service-account", &robot]);
    let held = server.get(&reader, &format!("/v1/users/{mary}"))["roles"].clone();
    assert_eq!((&held[0]["role_name"], &held[1]["role_name"]), (&"auditor".into(), &"Releaser".into()));
    assert_eq!(held[0]["narrowing"]["masked"], serde_json::json!(["ip", "email"]));
    assert_eq!(held[1]["through"][1], outer.as_str());
    let members = acta.say(&["group", "members", "Outer", "--all"]).replace(&mary, "u_1").replace(&robot, "sa_1");
    let inner = acta.json(&["group", "list", "--q", "inner"])[0]["id"].as_str().unwrap().to_owned();
    expect_test::expect![[r#"
        TYPE             ID                   NAME   EMAIL             THROUGH
        group            g_1   Inner                    Outer
        service_account  sa_1  Robot                    Outer,Inner
        user             u_1   Mary   mary@example.com  Outer,Inner"#]]
    .assert_eq(&members.replace(&inner, "g_1"));
    let roles = acta.say(&["assignment", "list", "--team", "ops"]).replace(&given, "ra_1").replace(&outer, "g_1");
    expect_test::expect![[r#"
        ID                   ROLE      TO     TO ID               NAME   TEAM  EXPIRES AT  NARROWING
        ra_1  Releaser  group  g_1  Outer  ops"#]]
    .assert_eq(&roles);

    acta.say(&["service-account", "disable", "Robot"]);
    assert!(acta.refused(&["service-account", "delete", "Robot"]).contains("1 valid API key"));
    acta.say(&["assignment", "delete", &given]);
    acta.say(&["role", "delete", "Releaser"]);
    acta.say(&["group", "remove", "Outer", "--group", "Inner"]);
    acta.say(&["group", "delete", "Outer"]);
    acta.say(&["team", "rename", "ops", "Night"]);
    acta.say(&["team", "delete", "ops"]);
    acta.say(&["user", "update", "mary@example.com", "--role", "admin"]);
    acta.say(&["user", "archive", "mary@example.com"]);
    acta.say(&["user", "delete", "mary@example.com"]);
    assert!(acta.refused(&["user", "disable", "owner@example.com"]).contains("the last active owner"));
    acta.say(&["organization", "update", "--hide-headers", "true"]);
    let other = acta.make_organization("Other");
    assert_eq!(other, 2);
    let several = acta.refused(&["user", "list"]);
    assert!(several.contains("several organizations"), "{several}");
    acta.say(&["organization", "archive", "Other"]);
    assert!(acta.json(&["organization", "list"])[1]["archived_at"].is_string());

    // Each of it is an event; the poller waits for the last.
    let total = |action: &str| server.get(&key, &format!("/v1/events?action={action}"))["total"].as_u64().unwrap();
    assert!((0..100_000).any(|_| total("UPDATE_ORGANIZATION") == 1), "the change is an event");
    for (action, count) in [
        ("CREATE_GROUP", 2),
        ("ADD_USERS_TO_GROUP", 2),
        ("DELETE_GROUP", 1),
        ("CREATE_ROLE", 1),
        ("DELETE_ROLE", 1),
        ("MODIFY_PERMISSIONS", 4),
        ("CREATE_SERVICE_ACCOUNT", 1),
        ("DELETE_TEAM", 1),
        ("DELETE_USER", 1),
    ] {
        assert_eq!(total(action), count, "{action}");
    }
    server.end();
}

#[test]
fn invitations_sessions_and_second_factors_are_managed_beside_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = set_up(&data);
    let acta = Acta(data.to_str().unwrap().to_owned());
    let server = Process::serve(&data, &[]);
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let post = |path: &str, body: &str| {
        let request = agent.post(format!("{}{path}", server.url)).content_type("application/x-www-form-urlencoded");
        request.send(body).unwrap()
    };

    let invited = &acta.json(&["invitation", "create", "--email", "mary@example.com", "--role", "auditor"])[0];
    let (id, dead) = (invited["id"].as_str().unwrap().to_owned(), invited["link"].as_str().unwrap().to_owned());
    assert!(acta.refused(&["invitation", "create", "--email", "MARY@example.com"]).contains("is invited already"));
    let link = acta.json(&["invitation", "resend", &id])[0]["link"].as_str().unwrap().to_owned();
    let (place, token) = link.split_once("?token=").unwrap();
    assert_eq!(place, "http://127.0.0.1:8450/invitation");
    let old = agent.get(format!("{}/invitation?token={}", server.url, dead.split_once("token=").unwrap().1)).call().unwrap();
    assert_eq!(old.status(), 404, "the old link is dead");
    let come = post("/invitation", &format!("token={token}&name=Mary&password=jacquard+loom+weaving+1804"));
    assert_eq!(come.headers()["location"], "/audit");
    let second = acta.make(&["invitation", "create", "--email", "joan@example.com"]);
    assert_eq!(acta.json(&["invitation", "revoke", &second])[0]["state"], "revoked");
    assert!(acta.refused(&["invitation", "revoke", &id]).contains("was redeemed"));
    let listed = acta.json(&["invitation", "list"]);
    let mut told: Vec<String> =
        listed.as_array().unwrap().iter().map(|one| format!("{} {} {}", one["email"], one["role"], one["state"])).collect();
    told.sort();
    assert_eq!(told, [r#""joan@example.com" "member" "revoked""#, r#""mary@example.com" "auditor" "redeemed""#]);
    assert!(!listed.to_string().contains("token"));

    // She is signed in by her invitation, and twice by her password.
    for _ in 0..2 {
        let signed_in = post("/sign-in", "email=mary%40example.com&password=jacquard+loom+weaving+1804");
        assert_eq!(signed_in.headers()["location"], "/audit");
    }
    let sessions = acta.json(&["session", "list", "mary@example.com"]);
    assert_eq!(sessions.as_array().unwrap().len(), 3);
    let first = sessions[0]["id"].as_str().unwrap();
    acta.say(&["session", "revoke", first]);
    assert!(acta.refused(&["session", "revoke", first]).contains("session"));
    acta.say(&["session", "revoke", "--user", "mary@example.com"]);
    assert_eq!(acta.json(&["session", "list", "mary@example.com"]), serde_json::json!([]));
    assert_eq!(acta.run(&["session", "revoke"]).status.code(), Some(2));

    give_second_factor(&data, "mary@example.com");
    acta.say(&["user", "reset-second-factor", "mary@example.com"]);
    acta.say(&["user", "reset-second-factor", "mary@example.com"]);

    // Each of it is an event; the poller waits for the last.
    let total = |action: &str| server.get(&key, &format!("/v1/events?action={action}"))["total"].as_u64().unwrap();
    assert!((0..100_000).any(|_| total("DISABLE_TWO_FACTOR_AUTH") == 1), "the change is an event");
    for (action, count) in [("INVITE_USER", 2), ("RE_INVITE_USER", 1), ("REVOKE_INVITE", 1), ("REVOKE_SESSION", 3)] {
        assert_eq!(total(action), count, "{action}");
    }
    server.end();
}

/// She has an authenticator, as if she had set one up on her page.
fn give_second_factor(data: &Path, email: &str) {
    let directory = open_directory(data, &Doors::system(data).unwrap(), DirectoryOptions::default()).unwrap();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let user = directory.users_by_email(email).unwrap().remove(0);
    let (_, seed) = directory.begin_authenticator(user.org, &user.id, "Phone", now).unwrap();
    let by = ChangedBy::user(&user);
    let confirmed = directory.confirm_authenticator(&by, user.org, &user.id, &seed.code(now), now).unwrap();
    assert!(matches!(confirmed, Confirmed::Added { .. }));
}

impl Acta {
    fn make_organization(&self, name: &str) -> u64 {
        self.json(&["organization", "create", name])[0]["id"].as_u64().unwrap()
    }
}
