//! Users: who is in an organization, and what becomes of them.

use access::Role;
use directory::{ChangedBy, DirectoryError, Secret, SessionRefused, UserStatus};

use crate::support::{PASSWORD, World, in_memory, new_session, new_user, now, take_outbox};

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
