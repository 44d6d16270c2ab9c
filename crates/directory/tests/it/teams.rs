//! Teams: renamed and deleted.

use std::collections::BTreeSet;

use access::{BuiltInRole, KeyScope, Narrowing};
use directory::{ApiKey, ChangedBy, DirectoryError, NewApiKey, NewAssignment, Part, Principal, RoleName};
use expect_test::expect;

use crate::support::{MINUTE_MS, World, in_memory, now, take_outbox, told};

#[test]
fn a_team_gets_another_name_and_is_found_by_a_part_of_it() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::user(&world.ada);
    let sales = directory.create_team(&by, world.org.id, None, "Sales", now()).unwrap();
    take_outbox(&directory);
    let renamed = directory.rename_team(&by, world.org.id, &sales.id, " Öffentlichkeit 100% ", now()).unwrap();
    assert_eq!(renamed.name, "Öffentlichkeit 100%");
    directory.rename_team(&by, world.org.id, &sales.id, "Öffentlichkeit 100%", now()).unwrap();
    let events = take_outbox(&directory);
    assert_eq!(events.len(), 1, "the same name again is no change");
    let with_id = told(&events).replace(sales.id.as_str(), "team_sales");
    expect![[r#"UPDATE_TEAM in team_sales: team team_sales “Öffentlichkeit 100%” [name: "Sales" → "Öffentlichkeit 100%"]"#]]
        .assert_eq(&with_id);
    let error = directory.rename_team(&by, world.org.id, &sales.id, "operations", now()).unwrap_err();
    assert!(matches!(error, DirectoryError::Conflict { what: "team", .. }), "{error}");

    let found = |text: &str| {
        let listed = directory.list_teams(world.org.id, Some(text), Part::ALL).unwrap();
        listed.items.into_iter().map(|team| team.name).collect::<Vec<_>>()
    };
    assert_eq!(found("öFF"), ["Öffentlichkeit 100%"]);
    assert_eq!(found("0%"), ["Öffentlichkeit 100%"]);
    assert_eq!(found("_"), [] as [&str; 0], "what is given is text and no pattern");
    assert_eq!(found(""), ["Operations", "Öffentlichkeit 100%"]);
    let second = directory.list_teams(world.org.id, None, Part { offset: 1, limit: 1 }).unwrap();
    assert_eq!((second.total, second.items), (2, vec![renamed]));
}

#[test]
fn a_team_goes_only_when_it_holds_nothing() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::user(&world.ada);
    let (org, team) = (world.org.id, &world.team.id);
    let make_key = |expires_at| {
        let scopes = BTreeSet::from([KeyScope::EventsWrite]);
        let new = NewApiKey { team: Some(team.clone()), service_account: None, name: "K", scopes, expires_at };
        directory.create_api_key(&by, org, new, now()).unwrap().0
    };
    let short: ApiKey = make_key(Some(now().plus_millis(MINUTE_MS)));
    let new = NewAssignment {
        role: RoleName::BuiltIn(BuiltInRole::TeamAdmin),
        principal: Principal::User(world.grace.id.clone()),
        team: Some(team.clone()),
        narrowing: Narrowing::default(),
        expires_at: None,
    };
    let given = directory.create_assignment(&by, org, new, now()).unwrap();
    let error = directory.delete_team(&by, org, team, now()).unwrap_err();
    assert_eq!(error.to_string(), "The team “Operations” holds 2 valid API keys. Remove or move that first.");
    // What was refused has changed nothing, the dead keys are still there.
    assert_eq!(directory.api_keys(org).unwrap().len(), 2);

    directory.revoke_api_key(&by, org, &world.key.id, now()).unwrap();
    take_outbox(&directory);
    directory.delete_team(&by, org, team, now().plus_millis(MINUTE_MS)).unwrap();
    let told = told(&take_outbox(&directory)).replace(team.as_str(), "team_ops");
    expect![[r#"DELETE_TEAM in team_ops: team team_ops “Operations” {"dead_keys":2,"grants":0,"role_assignments":1}"#]]
        .assert_eq(&told);
    assert!(matches!(directory.team(org, team), Err(DirectoryError::NotFound { what: "team" })));
    assert!(matches!(directory.api_key(org, &short.id), Err(DirectoryError::NotFound { .. })));
    assert!(matches!(directory.assignment(org, &given.id), Err(DirectoryError::NotFound { .. })));
    assert!(directory.find_api_key(&world.key_secret, now()).unwrap().is_err());
}
