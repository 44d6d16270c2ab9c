//! Redaction rules, and the events that tell of them.

use directory::{ChangedBy, DirectoryError, RedactionChange, RedactionRule};
use record::redact::{How, MemberPath, Pattern, When};

use crate::support::{in_memory, now};

fn rule(members: &[&str]) -> RedactionRule {
    let members = members.iter().map(|member| MemberPath::parse(member).unwrap()).collect();
    let when = When { query: Some(Pattern::parse("findCustomer").unwrap()), ..When::default() };
    RedactionRule { when, members, how: How::Hide }
}

#[test]
fn every_change_of_a_rule_is_an_event_with_before_and_after() {
    let directory = in_memory();
    let by = ChangedBy::cli();
    let org = directory.create_organization(&by, "One", now()).unwrap().id;
    let epoch = directory.epoch(org).unwrap();
    let made = directory.create_redaction(&by, org, " No parameters ", rule(&["/metadata/params"]), now()).unwrap();
    assert_eq!(directory.redaction(org, &made.id).unwrap(), made);
    assert!(directory.epoch(org).unwrap() > epoch, "whoever keeps rules in memory sees that they changed");
    let change = RedactionChange { how: Some(How::Hash), name: Some("Hashed".to_owned()), ..RedactionChange::default() };
    let later = now().plus_millis(5);
    let changed = directory.update_redaction(&by, org, &made.id, change.clone(), later).unwrap();
    assert_eq!((changed.rule.how, changed.updated_at, &*changed.to_rule().name), (How::Hash, later, "Hashed"));
    let again = directory.update_redaction(&by, org, &made.id, change, later).unwrap();
    assert_eq!(again, changed, "nothing to change");
    directory.delete_redaction(&by, org, &made.id, later).unwrap();
    assert!(matches!(directory.redaction(org, &made.id), Err(DirectoryError::NotFound { what: "redaction rule" })));
    let told: Vec<String> = directory
        .outbox_after(None, 10)
        .unwrap()
        .iter()
        .skip(1)
        .map(|row| {
            let event: serde_json::Value = serde_json::from_str(&row.body).unwrap();
            format!("{} {} {}", event["action"], event["targets"][0]["name"], event["changes"])
        })
        .collect();
    expect_test::expect![[r#"
        "CREATE_REDACTION" "No parameters" [{"field":"name","after":"No parameters"},{"field":"when","after":{"query":"findCustomer"}},{"field":"members","after":["/metadata/params"]},{"field":"how","after":"hide"}]
        "UPDATE_REDACTION" "Hashed" [{"field":"name","before":"No parameters","after":"Hashed"},{"field":"how","before":"hide","after":"hash"}]
        "DELETE_REDACTION" "Hashed" [{"field":"name","before":"Hashed"},{"field":"when","before":{"query":"findCustomer"}},{"field":"members","before":["/metadata/params"]},{"field":"how","before":"hash"}]"#]].assert_eq(&told.join("\n"));
}

#[test]
fn rules_have_bounds_and_names_of_their_own() {
    let directory = in_memory();
    let by = ChangedBy::cli();
    let org = directory.create_organization(&by, "One", now()).unwrap().id;
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    let create = |name: &str, rule| directory.create_redaction(&by, org, name, rule, now()).map_err(|e| e.to_string());
    let first = create("a", rule(&["/context/ip"])).unwrap();
    assert_eq!(create("A", rule(&["/context/ip"])).unwrap_err(), "The organization already has a redaction rule named “A”.");
    assert_eq!(create("b", rule(&[])).unwrap_err(), "A rule names 1 to 64 members; this one names 0.");
    directory.create_redaction(&by, other, "a", rule(&["/context/ip"]), now()).unwrap();
    assert!(directory.redaction(other, &first.id).is_err(), "another organization's rule");
    for n in 1..directory::REDACTIONS_MAX {
        create(&format!("rule {n}"), rule(&["/context/ip"])).unwrap();
    }
    assert_eq!(create("one more", rule(&["/context/ip"])).unwrap_err(), "An organization has at most 200 redaction rules.");
    assert_eq!(directory.redactions(org).unwrap().len(), directory::REDACTIONS_MAX);
}
