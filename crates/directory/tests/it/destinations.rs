//! Destinations, and the events that tell of them.

use access::{KeyScope, Role};
use directory::{
    Authority, ChangedBy, DESTINATIONS_MAX, DestinationChange, DestinationDeed, DestinationSettings, Directory,
    DirectoryError, Letter, NewDestination,
};
use record::{OrgId, TeamId};
use serde_json::{Value, json};

use crate::support::{in_memory, new_user, now, open};

fn settings(url: &str, token: &str) -> DestinationSettings {
    DestinationSettings { shown: json!({"url": url, "token": "********"}), whole: json!({"url": url, "token": token}) }
}

fn new(name: &str) -> NewDestination<'_> {
    NewDestination {
        name,
        kind: "splunk",
        settings: settings("https://splunk.example.com", "hunter2"),
        format: "json",
        wanted: json!({}),
        hide: vec!["/context/ip".to_owned()],
        team: None,
        begins_at: 7,
    }
}

fn told(directory: &Directory) -> Vec<String> {
    let rows = directory.outbox_after(None, 1_000).unwrap();
    let events = rows.iter().map(|row| serde_json::from_str::<Value>(&row.body).unwrap());
    let about = events.filter(|event| event["targets"][0]["type"] == "destination");
    about
        .map(|event| {
            let changes = event["changes"].as_array().into_iter().flatten();
            let changes: Vec<String> =
                changes.map(|it| format!("{}: {} → {}", it["field"], it["before"], it["after"])).collect();
            format!("{} {} [{}] {}", event["action"], event["targets"][0]["name"], changes.join("; "), event["metadata"])
        })
        .collect()
}

#[test]
fn every_change_is_an_event_and_no_secret_is_in_it() {
    let directory = in_memory();
    let by = ChangedBy::cli();
    let org = directory.create_organization(&by, "One", now()).unwrap().id;
    let made = directory.create_destination(&by, org, new(" Splunk "), now()).unwrap();
    assert_eq!((directory.destination(org, &made.id).unwrap(), made.begins_at), (made.clone(), 7));
    assert_eq!(directory.destination_settings(org, &made.id).unwrap().unwrap()["token"], "hunter2");
    let change = |change| directory.update_destination(&by, org, &made.id, change, now()).unwrap();
    let other_token = Some(settings("https://splunk.example.com", "*****"));
    change(DestinationChange { settings: other_token.clone(), ..DestinationChange::default() });
    let same = change(DestinationChange { settings: other_token, ..DestinationChange::default() });
    assert_eq!(same, directory.destination(org, &made.id).unwrap(), "nothing to change");
    let elsewhere = Some(settings("https://other.example.com", "correct horse"));
    let wanted = Some(json!({"actions": ["LOGIN"]}));
    let named = Some("Other".to_owned());
    change(DestinationChange { settings: elsewhere, wanted, name: named, ..DestinationChange::default() });
    assert_eq!(directory.destination_settings(org, &made.id).unwrap().unwrap()["token"], "correct horse");
    let paused = directory.pause_destination(&by, org, &made.id, Some("410 Gone"), now()).unwrap();
    assert_eq!((paused.paused_at, paused.paused_why.as_deref()), (Some(now()), Some("410 Gone")));
    directory.pause_destination(&by, org, &made.id, None, now()).unwrap();
    directory.resume_destination(&by, org, &made.id, true, now()).unwrap();
    directory.resume_destination(&by, org, &made.id, true, now()).unwrap_err();
    for deed in [
        DestinationDeed::Replay { from: 3, to: 9 },
        DestinationDeed::CancelReplay { replay: 1 },
        DestinationDeed::RetryDeadLetters { count: 2 },
        DestinationDeed::DiscardDeadLetters { count: 1, indexes: vec![7] },
    ] {
        directory.tell_of_destination(&by, org, &made.id, &deed, now()).unwrap();
    }
    directory.delete_destination(&by, org, &made.id, now()).unwrap();
    assert!(matches!(directory.destination(org, &made.id), Err(DirectoryError::NotFound { what: "destination" })));
    let told = told(&directory).join("\n");
    for secret in ["hunter2", "correct horse"] {
        assert!(!told.contains(secret), "{told}");
    }
    expect_test::expect![[r#"
        "CREATE_DESTINATION" "Splunk" ["name": null → "Splunk"; "type": null → "splunk"; "format": null → "json"; "filter": null → {}; "hide": null → ["/context/ip"]; "settings/token": null → "********"; "settings/url": null → "https://splunk.example.com"] {"team":null}
        "UPDATE_DESTINATION" "Splunk" ["settings/token": "********" → "********"] {"secrets_changed":["settings/token"]}
        "UPDATE_DESTINATION" "Other" ["filter": {} → {"actions":["LOGIN"]}; "name": "Splunk" → "Other"; "settings/token": "********" → "********"; "settings/url": "https://splunk.example.com" → "https://other.example.com"] {"secrets_changed":["settings/token"]}
        "PAUSE_DESTINATION" "Other" ["paused": false → true] {"reason":"410 Gone"}
        "RESUME_DESTINATION" "Other" ["paused": true → false] {"skip":true}
        "REPLAY_DESTINATION" "Other" [] {"from":3,"to":9}
        "CANCEL_REPLAY" "Other" [] {"replay":1}
        "RETRY_DEAD_LETTERS" "Other" [] {"count":2}
        "DISCARD_DEAD_LETTERS" "Other" [] {"count":1,"indexes":[7]}
        "DELETE_DESTINATION" "Other" ["name": "Other" → null; "type": "splunk" → null; "format": "json" → null; "filter": {"actions":["LOGIN"]} → null; "hide": ["/context/ip"] → null; "settings/token": "********" → null; "settings/url": "https://other.example.com" → null] null"#]].assert_eq(&told);
}

#[test]
fn it_is_told_once_that_a_destination_fails_and_once_that_it_works_again() {
    let directory = in_memory();
    let by = ChangedBy::cli();
    let org = directory.create_organization(&by, "One", now()).unwrap().id;
    let id = directory.create_destination(&by, org, new("Splunk"), now()).unwrap().id;
    let text = || "x".to_owned();
    let letters = [Letter { to: "ada@example.com".to_owned(), subject: text(), text: text(), html: text() }];
    let fails = |at| directory.destination_failing(org, &id, now(), "503 Busy", &letters, at).unwrap();
    let works = || directory.destination_recovered(org, &id, now()).unwrap();
    assert!(!works());
    assert_eq!((fails(now()), fails(now().plus_millis(1))), (true, false));
    assert_eq!(directory.destination(org, &id).unwrap().failing_told_at, Some(now()));
    assert_eq!(directory.due_mails(now(), 10).unwrap().len(), 1);
    assert_eq!((works(), works()), (true, false));
    assert!(fails(now()), "the next time is another");
    directory.pause_destination(&by, org, &id, None, now()).unwrap();
    assert!(!fails(now()), "what is paused does not fail");
    let actions: Vec<String> =
        told(&directory).iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect();
    expect_test::expect![[r#"
        "CREATE_DESTINATION"
        "DESTINATION_FAILING"
        "DESTINATION_RECOVERED"
        "DESTINATION_FAILING"
        "PAUSE_DESTINATION""#]]
    .assert_eq(&actions.join("\n"));
}

#[test]
fn destinations_have_bounds_and_names_of_their_own() {
    let directory = in_memory();
    let by = ChangedBy::cli();
    let org = directory.create_organization(&by, "One", now()).unwrap().id;
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    let first = directory.create_destination(&by, org, new("a"), now()).unwrap();
    let refused = |new| directory.create_destination(&by, org, new, now()).unwrap_err().to_string();
    assert_eq!(refused(new("A")), "The organization already has a destination named “A”.");
    let nowhere = NewDestination { team: TeamId::new("ops").ok(), ..new("b") };
    assert_eq!(refused(nowhere), "there is no such team");
    assert!(directory.destination(other, &first.id).is_err(), "another organization's destination");
    assert!(directory.destination_settings(other, &first.id).is_err());
    assert!(directory.delete_destination(&by, other, &first.id, now()).is_err());
    for n in 1..DESTINATIONS_MAX {
        directory.create_destination(&by, org, new(&format!("destination {n}")), now()).unwrap();
    }
    assert_eq!(refused(new("one more")), "An organization has at most 50 destinations.");
    assert_eq!(directory.destinations(org).unwrap().len(), DESTINATIONS_MAX);
    assert_eq!(directory.all_destinations().unwrap().len(), DESTINATIONS_MAX);
    let ops = TeamId::new("ops").unwrap();
    directory.create_team(&by, other, Some(ops.clone()), "Operations", now()).unwrap();
    directory.create_destination(&by, other, NewDestination { team: Some(ops.clone()), ..new("c") }, now()).unwrap();
    let held = directory.delete_team(&by, other, &ops, now()).unwrap_err().to_string();
    assert_eq!(held, "The team “Operations” holds 1 destination. Remove or move that first.");
}

#[test]
fn nobody_makes_a_destination_that_sees_more_than_she_may_export() {
    let directory = in_memory();
    let cli = ChangedBy::cli();
    let org: OrgId = directory.create_organization(&cli, "One", now()).unwrap().id;
    let key = |scopes: &[KeyScope]| ChangedBy {
        authority: Authority::Key { scopes: scopes.iter().copied().collect(), team: None },
        ..ChangedBy::cli()
    };
    let person = |email: &str, role| {
        let user = directory.create_user(&cli, org, new_user(email, email, role, None), now()).unwrap();
        ChangedBy::user(&user)
    };
    let who = [
        ("admin", person("admin@example.com", Role::Admin)),
        ("auditor", person("auditor@example.com", Role::Auditor)),
        ("member", person("member@example.com", Role::Member)),
        ("key directory:write", key(&[KeyScope::DirectoryWrite])),
        ("key directory:write events:export", key(&[KeyScope::DirectoryWrite, KeyScope::EventsExport])),
    ];
    let paused = directory.create_destination(&cli, org, new("paused"), now()).unwrap();
    directory.pause_destination(&cli, org, &paused.id, None, now()).unwrap();
    let mut table = String::new();
    for (name, by) in who {
        let done = |done: Result<(), DirectoryError>| if done.is_ok() { "yes" } else { "no" };
        let create = done(directory.create_destination(&by, org, new(name), now()).map(|_| ()));
        let rename = DestinationChange { name: Some(format!("by {name}")), ..DestinationChange::default() };
        let update = done(directory.update_destination(&by, org, &paused.id, rename, now()).map(|_| ()));
        let replay = DestinationDeed::Replay { from: 0, to: 1 };
        let replay = done(directory.tell_of_destination(&by, org, &paused.id, &replay, now()).map(|_| ()));
        let test = done(directory.may_use_destination(&by, org, &paused.id, now()).map(|_| ()));
        table += &format!("{name}: create {create}, update {update}, replay {replay}, test {test}\n");
    }
    expect_test::expect![[r#"
        admin: create yes, update yes, replay yes, test yes
        auditor: create yes, update yes, replay yes, test yes
        member: create no, update no, replay no, test no
        key directory:write: create no, update no, replay no, test no
        key directory:write events:export: create yes, update yes, replay yes, test yes
    "#]]
    .assert_eq(&table);
}

#[test]
fn secrets_are_not_in_the_files_and_open_in_their_row_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 7);
    let by = ChangedBy::cli();
    let org = directory.create_organization(&by, "One", now()).unwrap().id;
    let one = directory.create_destination(&by, org, new("one"), now()).unwrap();
    let two = directory.create_destination(&by, org, new("two"), now()).unwrap();
    for name in ["acta.db", "acta.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        assert!(!bytes.windows(7).any(|some| some == b"hunter2"), "{name}");
    }
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql =
        "UPDATE destinations SET settings_sealed = (SELECT settings_sealed FROM destinations WHERE id = ?1) WHERE id = ?2";
    connection.execute(sql, [one.id.as_str(), two.id.as_str()]).unwrap();
    assert!(directory.destination_settings(org, &one.id).unwrap().is_some());
    assert_eq!(directory.destination_settings(org, &two.id).unwrap(), None);
}
