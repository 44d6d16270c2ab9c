//! Organizations and their teams.

use access::Role;
use directory::{ChangedBy, DirectoryError, KeyRefused, OrganizationChange, Secret, SessionRefused};
use expect_test::expect;
use record::{OrgId, TeamId};

use crate::support::{PASSWORD, World, in_memory, new_session, new_user, now, take_outbox, told};

#[test]
fn an_organization_has_a_number_and_an_opaque_log_id() {
    let directory = in_memory();
    let one = directory.create_organization(&ChangedBy::cli(), "  Analytical Engines ", now()).unwrap();
    let other = directory.create_organization(&ChangedBy::cli(), "Looms", now()).unwrap();
    assert_eq!((one.id, other.id), (OrgId(1), OrgId(2)));
    assert_eq!(one.name, "Analytical Engines");
    assert_eq!(one.log_id.len(), 16);
    assert!(one.log_id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(one.log_id, other.log_id);
    assert_eq!(directory.organization(one.id).unwrap(), one);
    assert_eq!(directory.organization_by_name("analytical ENGINES").unwrap(), one);
    assert_eq!(directory.organizations().unwrap(), [one, other]);
}

#[test]
fn a_name_is_there_and_short_and_taken_once() {
    let directory = in_memory();
    let create =
        |name: &str| directory.create_organization(&ChangedBy::cli(), name, now()).map_err(|error| error.to_string());
    assert_eq!(create(" ").unwrap_err(), "A name has 1 to 100 characters; this one has 0.");
    assert_eq!(create(&"ä".repeat(101)).unwrap_err(), "A name has 1 to 100 characters; this one has 101.");
    assert_eq!(create("two\nlines").unwrap_err(), "A name holds no line breaks or other control characters.");
    create(&"ä".repeat(100)).unwrap();
    assert_eq!(
        create(&"Ä".repeat(100)).unwrap_err(),
        format!("There is already an organization named “{}”.", "Ä".repeat(100))
    );
    // What was refused has left nothing behind.
    assert_eq!(directory.organizations().unwrap().len(), 1);
    assert_eq!(directory.outbox_after(None, 10).unwrap().len(), 1);
}

#[test]
fn what_is_not_there_is_not_found() {
    let directory = in_memory();
    assert!(matches!(directory.organization(OrgId(1)), Err(DirectoryError::NotFound { what: "organization" })));
    assert!(matches!(directory.organization_by_name("x"), Err(DirectoryError::NotFound { what: "organization" })));
    let error = directory.create_team(&ChangedBy::cli(), OrgId(1), None, "Operations", now()).unwrap_err();
    assert!(matches!(error, DirectoryError::NotFound { what: "organization" }));
}

#[test]
fn teams_belong_to_one_organization() {
    let directory = in_memory();
    let by = ChangedBy::cli();
    let one = directory.create_organization(&by, "One", now()).unwrap().id;
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    let sales = directory.create_team(&by, one, None, "Sales", now()).unwrap();
    let operations = directory.create_team(&by, one, TeamId::new("ops").ok(), "Operations", now()).unwrap();
    assert!(sales.id.as_str().starts_with("team_"));
    assert_eq!(operations.id.as_str(), "ops");
    // The same words again are fine in another organization, and only there.
    directory.create_team(&by, other, TeamId::new("ops").ok(), "Operations", now()).unwrap();
    for (id, name) in [(TeamId::new("ops").ok(), "Another"), (None, "OPERATIONS")] {
        let error = directory.create_team(&by, one, id, name, now()).unwrap_err();
        assert!(matches!(error, DirectoryError::Conflict { what: "team", .. }), "{error:?}");
    }
    assert_eq!(directory.teams(one).unwrap(), [operations, sales.clone()]);
    assert_eq!(directory.team(one, &sales.id).unwrap(), sales);
    assert!(matches!(directory.team(other, &sales.id), Err(DirectoryError::NotFound { what: "team" })));
}

#[test]
fn settings_change_with_before_and_after_and_some_are_for_owners() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (org, admin) = (world.org.id, new_user("admin@example.com", "Adele", Role::Admin, None));
    let admin = directory.create_user(&ChangedBy::cli(), org, admin, now()).unwrap();
    take_outbox(&directory);
    let strict = OrganizationChange { second_factor_required: Some(true), ..OrganizationChange::default() };
    let error = directory.update_organization(&ChangedBy::user(&admin), org, strict, now()).unwrap_err();
    assert_eq!(error.to_string(), "Whether everybody shows a second factor is for owners.");
    let change = OrganizationChange { name: Some("Engines"), hide_headers: Some(true), ..OrganizationChange::default() };
    directory.update_organization(&ChangedBy::user(&admin), org, change, now()).unwrap();
    let settings = directory.update_organization(&ChangedBy::user(&world.ada), org, strict, now()).unwrap().settings;
    assert!(settings.second_factor_required && settings.hide_headers && settings.scrub_secrets);
    // What is so already is no change, whoever asks for it.
    directory.update_organization(&ChangedBy::user(&admin), org, strict, now()).unwrap();
    assert_eq!(directory.organization_by_name("ENGINES").unwrap().settings, settings);
    expect![[r#"
        UPDATE_ORGANIZATION: organization 1 “Engines” [name: "Analytical Engines" → "Engines"] [hide_headers: false → true]
        UPDATE_ORGANIZATION: organization 1 “Engines” [second_factor_required: false → true]"#]]
    .assert_eq(&told(&take_outbox(&directory)));
}

#[test]
fn an_archived_organization_lets_nobody_in() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (org, ada) = (world.org.id, ChangedBy::user(&world.ada));
    take_outbox(&directory);
    let refused = directory.archive_organization(&ChangedBy::user(&world.grace), org, "Analytical Engines", now());
    assert!(matches!(refused, Err(DirectoryError::Forbidden { .. })));
    let wrong = directory.archive_organization(&ada, org, "Engines", now());
    assert!(matches!(wrong, Err(DirectoryError::Invalid { member: "name", .. })));
    directory.find_session(&world.token, now()).unwrap().unwrap();

    let archived = directory.archive_organization(&ada, org, " analytical engines", now()).unwrap();
    assert_eq!(archived.archived_at, Some(now()));
    assert_eq!(directory.find_session(&world.token, now()).unwrap().unwrap_err(), SessionRefused::Unknown);
    assert_eq!(directory.find_api_key(&world.key_secret, now()).unwrap(), Err(KeyRefused::Archived));
    assert_eq!(directory.verify_password("ada@example.com", &Secret::new(PASSWORD)).unwrap(), []);
    assert!(matches!(directory.create_session(new_session(&world.ada), now()), Err(DirectoryError::Conflict { .. })));
    expect![[r#"ARCHIVE_ORGANIZATION: organization 1 “Analytical Engines” [archived_at: null → "2026-11-20T22:04:30.123Z"] {"sessions_ended":1}"#]].assert_eq(&told(&take_outbox(&directory)));
}
