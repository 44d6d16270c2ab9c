//! Every action of every catalog, and some that none knows, against the schema of OCSF by somebody else's program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use follow::{Format, Recorded};
use record::{Catalogs, Change, Json, Outcome};
use serde_json::Value;

use crate::samples::{self, target};

/// Where "one of these" is wanted, as the schema's sources have it. The compiled schema lacks it.
const CONSTRAINTS: &[(&str, &[&str])] = &[
    ("objects/user", &["account", "name", "uid"]),
    ("objects/group", &["name", "uid"]),
    ("objects/managed_entity", &["name", "uid"]),
    ("objects/resource_details", &["name", "uid"]),
    ("objects/web_resource", &["name", "uid", "url_string"]),
    ("objects/database", &["name", "uid"]),
    ("objects/query_info", &["name", "uid"]),
    ("objects/service", &["name", "uid"]),
    ("objects/product", &["name", "uid"]),
    ("objects/file", &["name"]),
    ("objects/network_endpoint", &["ip", "uid", "name", "hostname", "svc_name"]),
    ("objects/actor", &["process", "user", "invoked_by", "session", "app_name", "app_uid"]),
    ("events/authentication", &["service", "dst_endpoint"]),
    ("events/datastore_activity", &["database", "databucket", "table"]),
];

/// The action in many shapes: how it ended, from where, on what.
fn shapes(action: &str, about: &str) -> Vec<Recorded> {
    let mut shapes = Vec::new();
    for outcome in [None, Some(Outcome::Success), Some(Outcome::Failure), Some(Outcome::Denied)] {
        let mut least = samples::bare(action);
        least.event.outcome = outcome;
        shapes.push(least.clone());

        let mut most = samples::query();
        let event = &mut most.event;
        event.action = least.event.action.clone();
        event.outcome = outcome;
        event.targets = vec![
            target(about, Some("t_1"), Some("support/first.md")),
            target("group", Some("g_1"), Some("Analysts")),
            target("user", Some("u_1"), None),
            target("user", None, Some("Grace")),
            target("session", Some("s_2"), None),
            target("resource", None, Some("orders-db")),
        ];
        shapes.push(most.clone());
        most.event.targets.truncate(1);
        most.event.context.ip = Some("::ffff:255.255.255.255".into());
        most.event.changes = vec![Change { field: "level".into(), before: Some(Json::trusted("\"use\"")), after: None }];
        shapes.push(most.clone());
        most.event.targets = vec![target("thing", None, None)];
        most.event.context.ip = Some("not an address!".into());
        most.event.actor.email = Some("ada@localhost".into());
        most.event.actor.name = None;
        most.event.metadata = None;
        shapes.push(most);
    }
    shapes
}

fn everything() -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |action: &str, about: &str| {
        for recorded in shapes(action, about) {
            lines.extend(samples::encode(Format::Ocsf, &recorded));
        }
    };
    for catalog in Catalogs::built_in().all() {
        for entry in &catalog.actions {
            add(entry.id.as_str(), entry.about.as_ref().map_or("thing", |about| about.as_str()));
        }
    }
    add("door.opened", "door");
    lines.extend(
        [samples::refused(), samples::grouped(), samples::strange()].iter().flat_map(|it| samples::encode(Format::Ocsf, it)),
    );
    lines
}

#[test]
fn the_schema_allows_every_message() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/ocsf");
    let folder = std::env::var_os("ACTA_OCSF").map_or_else(beside, PathBuf::from);
    let (checker, schema) = (folder.join("ocsf_check.py"), folder.join("ocsf-1.8.0.compiled.json"));
    if !checker.is_file() || Command::new("python3").arg("--version").output().is_err() {
        eprintln!("not checked against the schema of OCSF: {} or python3 is absent", checker.display());
        return;
    }
    let work = tempfile::tempdir().unwrap();
    for (path, names) in CONSTRAINTS {
        let file = work.path().join(format!("{path}.json"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let name = path.rsplit('/').next().unwrap();
        fs::write(file, serde_json::json!({ "name": name, "constraints": { "at_least_one": names } }).to_string()).unwrap();
    }
    let lines = everything();
    let events = work.path().join("events.jsonl");
    let check = |lines: &[String]| {
        fs::write(&events, lines.join("\n")).unwrap();
        let output = Command::new("python3").arg(&checker).arg(&schema).arg(&events).arg(work.path()).output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (fine, told) = check(&lines);
    let bad: Vec<&str> = told.lines().filter(|line| !line.starts_with("ok")).take(40).collect();
    assert!(fine, "{}", bad.join("\n"));
    assert!(told.contains(&format!("{} events, 0 bad", lines.len())), "{}", bad.join("\n"));
    // That the checker looks at all.
    let (fine, told) = check(&[lines[0].replace("\"user\":{\"uid\"", "\"user\":{\"nobody\"")]);
    assert!(!fine && told.contains("unknown attribute"), "{told}");
    let (fine, told) = check(&[lines[0].replace("\"database\":{\"name\":\"unknown\",", "\"database\":{")]);
    assert!(!fine && told.contains("at least one of"), "{told}");
}

#[test]
fn members_are_one_message_each() {
    let lines = samples::encode(Format::Ocsf, &samples::grouped());
    let mut told = String::new();
    for line in lines {
        let value: Value = serde_json::from_str(&line).unwrap();
        let name = |member: &str| value[member]["name"].as_str().unwrap_or("-").to_owned();
        told += &format!(
            "{} {} {} {}, group {}, user {}, subgroup {}\n",
            value["type_uid"],
            value["activity_name"],
            value["metadata"]["uid"],
            value["metadata"]["correlation_uid"],
            name("group"),
            name("user"),
            name("subgroup"),
        );
    }
    expect_test::expect![[r#"
        300603 "Add User" "01a1fafd-5d98-7001-8909-090909090909" "01a1fafd-5d98-7001-8909-090909090909", group Analysts, user Grace, subgroup -
        300603 "Add User" "01a1fafd-5d98-7001-8909-090909090909-1" "01a1fafd-5d98-7001-8909-090909090909", group Analysts, user Alan, subgroup -
        300607 "Add Subgroup" "01a1fafd-5d98-7001-8909-090909090909-2" "01a1fafd-5d98-7001-8909-090909090909", group Analysts, user -, subgroup Interns
    "#]].assert_eq(&told);
}

#[test]
fn rights_that_are_gone_were_revoked() {
    let mut told = String::new();
    for (before, after) in [
        (None, Some("\"use\"")),
        (Some("\"use\""), None),
        (Some("\"use\""), Some("null")),
        (Some("[\"a\",\"b\"]"), Some("[\"b\"]")),
    ] {
        let mut recorded = samples::bare("MODIFY_PERMISSIONS");
        recorded.event.targets = vec![target("user", Some("u_1"), None), target("app", Some("refunds"), None)];
        let json = |text: Option<&str>| text.map(Json::trusted);
        recorded.event.changes = vec![Change { field: "level".into(), before: json(before), after: json(after) }];
        let value: Value = serde_json::from_str(&samples::encode(Format::Ocsf, &recorded)[0]).unwrap();
        told += &format!(
            "{before:?} → {after:?}: {} {} {} {}\n",
            value["type_uid"], value["user"], value["privileges"], value["resources"]
        );
    }
    expect_test::expect![[r#"
        None → Some("\"use\""): 300501 {"uid":"u_1","type_id":1,"type":"user"} ["level:use"] [{"uid":"refunds","type":"app"}]
        Some("\"use\"") → None: 300502 {"uid":"u_1","type_id":1,"type":"user"} ["level:use"] [{"uid":"refunds","type":"app"}]
        Some("\"use\"") → Some("null"): 300502 {"uid":"u_1","type_id":1,"type":"user"} ["level:use"] [{"uid":"refunds","type":"app"}]
        Some("[\"a\",\"b\"]") → Some("[\"b\"]"): 300501 {"uid":"u_1","type_id":1,"type":"user"} ["b"] [{"uid":"refunds","type":"app"}]
    "#]].assert_eq(&told);
}

/// How many actions each class has, so that a change of the catalogs is seen.
#[test]
fn classes_of_the_catalogs() {
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for entry in
        Catalogs::built_in().all().iter().filter(|catalog| catalog.name != "acta").flat_map(|catalog| &catalog.actions)
    {
        let ocsf = entry.ocsf.unwrap();
        *classes.entry(format!("{} {}", ocsf.class(), ocsf.class_name().unwrap())).or_default() += 1;
    }
    let told: String = classes.iter().map(|(class, count)| format!("{class}: {count}\n")).collect();
    expect_test::expect![[r#"
        3001 Account Change: 13
        3002 Authentication: 9
        3003 Authorize Session: 1
        3004 Entity Management: 99
        3005 User Access Management: 3
        3006 Group Management: 8
        6001 Web Resources Activity: 3
        6003 API Activity: 2
        6005 Datastore Activity: 6
        6006 File Hosting Activity: 11
    "#]]
    .assert_eq(&told);
}
