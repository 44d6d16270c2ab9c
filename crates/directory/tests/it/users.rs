//! Users: who is in an organization, and what becomes of them.

use access::Role;
use directory::{ChangedBy, DirectoryError, Part, Principal, Secret, SessionRefused, UserFilter, UserStatus};
use expect_test::expect;

use crate::support::{PASSWORD, World, in_memory, new_session, new_user, now, take_outbox, told};

#[test]
fn an_address_is_taken_once_in_an_organization() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    let again = new_user(" ADA@Example.com ", "Another Ada", Role::Member, None);
    let error = directory.create_user(&by, world.org.id, again, now()).unwrap_err();
    assert_eq!(error.to_string(), "The organization already has a user with the e-mail address ADA@Example.com.");

    let other = directory.create_organization(&by, "Other", now()).unwrap();
    let twin = directory.create_user(&by, other.id, again, now()).unwrap();
    assert_eq!(twin.email, "ADA@Example.com");
    assert_eq!(directory.users_by_email("Ada@example.com").unwrap(), [world.ada.clone(), twin.clone()]);
    assert_eq!(directory.users(world.org.id).unwrap(), [world.ada.clone(), world.grace]);
    assert_eq!(directory.user(world.org.id, &world.ada.id).unwrap(), world.ada);
    assert!(matches!(directory.user(world.org.id, &twin.id), Err(DirectoryError::NotFound { what: "user" })));
}

#[test]
fn an_address_looks_like_one() {
    let directory = in_memory();
    let world = World::make(&directory);
    let create = |email: &str| {
        directory.create_user(&ChangedBy::cli(), world.org.id, new_user(email, "Name", Role::Member, None), now())
    };
    for bad in ["", "ada", "@example.com", "ada@", "a@b@c", "ada lovelace@example.com", "ada@exam\u{a0}ple.com"] {
        assert!(matches!(create(bad), Err(DirectoryError::Invalid { member: "email", .. })), "{bad}");
    }
    assert!(create(&format!("{}@example.com", "a".repeat(243))).is_err());
    create(&format!("{}@example.com", "a".repeat(242))).unwrap();
}

#[test]
fn a_role_changes_with_before_and_after_and_only_once() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    let by = ChangedBy::user(&world.ada);
    let grace = directory.set_user_role(&by, world.org.id, &world.grace.id, Role::Admin, now()).unwrap();
    assert_eq!(grace.role, Role::Admin);
    assert_eq!(directory.user(world.org.id, &grace.id).unwrap(), grace);
    directory.set_user_role(&by, world.org.id, &world.grace.id, Role::Admin, now()).unwrap();
    let events = take_outbox(&directory);
    assert_eq!(events.len(), 1);
    assert!(events[0].contains(r#""changes":[{"field":"role","before":"auditor","after":"admin"}]"#), "{}", events[0]);
}

#[test]
fn an_organization_keeps_an_active_owner() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    let (org, ada, grace) = (world.org.id, &world.ada.id, &world.grace.id);
    let conflict = |error: DirectoryError| matches!(error, DirectoryError::Conflict { what: "user", .. });
    assert!(conflict(directory.set_user_role(&by, org, ada, Role::Admin, now()).unwrap_err()));
    assert!(conflict(directory.set_user_status(&by, org, ada, UserStatus::Disabled, now()).unwrap_err()));

    directory.set_user_role(&by, org, grace, Role::Owner, now()).unwrap();
    directory.set_user_status(&by, org, ada, UserStatus::Disabled, now()).unwrap();
    // Ada is an owner still, but not an active one.
    assert!(conflict(directory.set_user_role(&by, org, grace, Role::Member, now()).unwrap_err()));
    directory.set_user_role(&by, org, ada, Role::Member, now()).unwrap();
}

#[test]
fn disabling_a_user_ends_her_sessions_for_good() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    let (session, token) = directory.create_session(new_session(&world.grace), now()).unwrap();
    directory.set_user_status(&by, world.org.id, &world.grace.id, UserStatus::Disabled, now()).unwrap();
    assert_eq!(directory.find_session(&token, now()).unwrap().unwrap_err(), SessionRefused::Unknown);
    let error = directory.create_session(new_session(&world.grace), now()).unwrap_err();
    assert!(matches!(error, DirectoryError::Conflict { .. }));

    directory.set_user_status(&by, world.org.id, &world.grace.id, UserStatus::Active, now()).unwrap();
    assert_eq!(directory.find_session(&token, now()).unwrap().unwrap_err(), SessionRefused::Unknown);
    assert!(matches!(directory.revoke_session(&by, world.org.id, &session.id, now()), Err(DirectoryError::NotFound { .. })));
    directory.find_session(&world.token, now()).unwrap().unwrap();
}

#[test]
fn a_new_password_ends_the_sessions_and_shows_nowhere() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    let password = Secret::new("another engine 1871");
    directory.set_user_password(&ChangedBy::user(&world.ada), world.org.id, &world.ada.id, &password, now()).unwrap();
    assert_eq!(directory.find_session(&world.token, now()).unwrap().unwrap_err(), SessionRefused::Unknown);
    assert_eq!(directory.verify_password("ada@example.com", &Secret::new(PASSWORD)).unwrap(), []);
    assert_eq!(directory.verify_password("ada@example.com", &password).unwrap(), [world.ada]);
    let events = take_outbox(&directory);
    assert!(events[0].contains(r#""action":"UPDATE_USER""#), "{}", events[0]);
    assert!(events[0].contains(r#""changes":[{"field":"password"}]"#), "{}", events[0]);
}

#[test]
fn a_weak_password_is_refused_with_a_sentence() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    let grace_weak = Secret::new("grace hopper 1");
    let error = directory.set_user_password(&by, world.org.id, &world.grace.id, &grace_weak, now()).unwrap_err();
    assert_eq!(error.to_string(), "A password does not contain the name in your e-mail address.");
    let short = Secret::new("short");
    let error = directory
        .create_user(&by, world.org.id, new_user("x@example.com", "X", Role::Member, Some(&short)), now())
        .unwrap_err();
    assert!(matches!(error, DirectoryError::Invalid { member: "password", .. }));
}

#[test]
fn a_user_is_archived_and_deleted_and_leaves_nothing_behind() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (by, org, grace) = (ChangedBy::user(&world.ada), world.org.id, &world.grace.id);
    let group = directory.create_group(&by, org, "Auditors", "", now()).unwrap();
    directory.add_group_members(&by, org, &group.id, &[Principal::User(grace.clone())], now()).unwrap();
    let (_, token) = directory.create_session(new_session(&world.grace), now()).unwrap();
    take_outbox(&directory);
    let error = directory.delete_user(&by, org, grace, now()).unwrap_err();
    assert_eq!(error.to_string(), "Grace Hopper is active; only archived users are deleted. Archive her first.");
    directory.set_user_status(&by, org, grace, UserStatus::Archived, now()).unwrap();
    assert_eq!(directory.find_session(&token, now()).unwrap().unwrap_err(), SessionRefused::Unknown);
    assert!(matches!(
        directory.set_user_status(&by, org, grace, UserStatus::Disabled, now()),
        Err(DirectoryError::Conflict { .. })
    ));
    let listed = |status| {
        let filter = UserFilter { status, ..UserFilter::default() };
        directory.list_users(org, &filter, Part::ALL).unwrap().items.into_iter().map(|user| user.name).collect::<Vec<_>>()
    };
    assert_eq!(
        (listed(None), listed(Some(UserStatus::Archived))),
        (vec!["Ada Lovelace".into()], vec!["Grace Hopper".into()])
    );
    directory.set_user_status(&by, org, grace, UserStatus::Active, now()).unwrap();
    assert_eq!(
        directory.memberships(org, &Principal::User(grace.clone())).unwrap(),
        [],
        "what was taken does not come back"
    );
    directory.set_user_status(&by, org, grace, UserStatus::Archived, now()).unwrap();
    directory.delete_user(&by, org, grace, now()).unwrap();
    assert!(matches!(directory.user(org, grace), Err(DirectoryError::NotFound { what: "user" })));
    // Her address is free for somebody else, who is somebody else.
    let again = new_user("grace@example.com", "Grace", Role::Member, None);
    assert_ne!(directory.create_user(&by, org, again, now()).unwrap().id, *grace);
    let told = told(&take_outbox(&directory)).replace(grace.as_str(), "u_grace");
    expect![[r#"
        ARCHIVE_USER: user u_grace “Grace Hopper” [status: "active" → "archived"] {"grants":0,"memberships":1,"role_assignments":0,"sessions_ended":1}
        ENABLE_USER: user u_grace “Grace Hopper” [status: "archived" → "active"]
        ARCHIVE_USER: user u_grace “Grace Hopper” [status: "active" → "archived"] {"grants":0,"memberships":0,"role_assignments":0,"sessions_ended":0}
        DELETE_USER: user u_grace “Grace Hopper” {"email":"grace@example.com","role":"auditor"}"#]].assert_eq(&told[..told.rfind('\n').unwrap()]);
}

#[test]
fn nobody_does_to_herself_what_others_have_to_decide() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (by, org, ada) = (ChangedBy::user(&world.ada), world.org.id, &world.ada.id);
    directory.set_user_role(&ChangedBy::cli(), org, &world.grace.id, Role::Owner, now()).unwrap();
    for (done, sentence) in [
        (
            directory.set_user_role(&by, org, ada, Role::Admin, now()),
            "Nobody changes her own role; somebody else has to do it.",
        ),
        (
            directory.set_user_status(&by, org, ada, UserStatus::Disabled, now()),
            "Nobody disables herself; somebody else has to do it.",
        ),
        (
            directory.set_user_status(&by, org, ada, UserStatus::Archived, now()),
            "Nobody archives herself; somebody else has to do it.",
        ),
    ] {
        let error = done.unwrap_err();
        assert!(matches!(error, DirectoryError::Forbidden { .. }));
        assert_eq!(error.to_string(), sentence);
    }
    assert!(matches!(directory.delete_user(&by, org, ada, now()), Err(DirectoryError::Forbidden { .. })));
    // Her own name and password are hers.
    assert_eq!(directory.update_user(&by, org, ada, Some("Ada King"), None, now()).unwrap().name, "Ada King");
}

#[test]
fn an_address_that_looks_like_anothers_is_nobodys() {
    let directory = in_memory();
    let world = World::make(&directory);
    let add = |email: &str| {
        let new = new_user(email, "X", Role::Member, None);
        directory.create_user(&ChangedBy::cli(), world.org.id, new, now()).map(|user| user.email)
    };
    add("acp@example.com").unwrap();
    let error = add("аср@example.com").unwrap_err();
    assert!(matches!(error, DirectoryError::Conflict { what: "user", .. }));
    assert_eq!(
        error.to_string(),
        "The e-mail address looks like acp@example.com, which somebody else in the organization has."
    );
    // The other way round, too.
    add("хор@example.com").unwrap();
    assert!(add("xop@example.com").is_err());
    assert!(add("ада@example.com").is_ok(), "what looks like nobody is somebody");
    assert!(add("modem@example.com").is_ok() && add("modern@example.com").is_ok(), "plain addresses are what they are");
    assert!(add("x@bücher.example").is_ok());
    assert!(add("X@xn--bcher-kva.example").unwrap_err().to_string().contains("already has a user"));
    assert_eq!(directory.users_by_email("Ｘ@BÜCHER.example").unwrap().len(), 1);
}

#[test]
fn people_are_found_by_what_they_are() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (by, org) = (ChangedBy::cli(), world.org.id);
    let mary = new_user("mary@example.com", "Äbtissin Mary", Role::Member, None);
    let mary = directory.create_user(&by, org, mary, now()).unwrap();
    let outer = directory.create_group(&by, org, "Outer", "", now()).unwrap();
    let inner = directory.create_group(&by, org, "Inner", "", now()).unwrap();
    directory.add_group_members(&by, org, &outer.id, &[Principal::Group(inner.id.clone())], now()).unwrap();
    directory.add_group_members(&by, org, &inner.id, &[Principal::User(mary.id.clone())], now()).unwrap();
    let found = |filter: UserFilter| {
        let found = directory.list_users(org, &filter, Part::ALL).unwrap();
        found.items.iter().map(|user| user.email.split('@').next().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let text = |text: &str| UserFilter { text: Some(text.to_owned()), ..UserFilter::default() };
    assert_eq!(found(UserFilter::default()), "ada grace mary");
    assert_eq!(found(text("äBT")), "mary");
    assert_eq!(found(text("LOVE")), "ada");
    assert_eq!(found(text("@EXAMPLE")), "ada grace mary");
    assert_eq!(found(UserFilter { role: Some(Role::Owner), ..UserFilter::default() }), "ada");
    assert_eq!(found(UserFilter { group: Some(outer.id), ..UserFilter::default() }), "mary");
    let second = directory.list_users(org, &UserFilter::default(), Part { offset: 1, limit: 1 }).unwrap();
    assert_eq!((second.total, &second.items[0].name), (3, &world.grace.name));
}
