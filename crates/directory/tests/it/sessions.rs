//! Sessions.

use directory::{ChangedBy, DirectoryError, Method, NewSession, SecondFactor, Secret, SessionRefused, Shown};

use crate::support::{HOUR_MS, MINUTE_MS, World, in_memory, new_session, now, outbox, take_outbox};

#[test]
fn a_token_stands_for_a_session_and_a_user() {
    let directory = in_memory();
    let world = World::make(&directory);
    assert_eq!(world.token.expose().len(), 64);
    let signed_in = directory.find_session(&world.token, now()).unwrap().unwrap();
    assert_eq!(signed_in.session, world.session);
    assert_eq!(signed_in.user, world.ada);
    assert_eq!(directory.find_session(&Secret::new("x"), now()).unwrap().unwrap_err(), SessionRefused::Unknown);
    // The public handle is no token.
    let handle = Secret::new(world.session.id.as_str());
    assert_eq!(directory.find_session(&handle, now()).unwrap().unwrap_err(), SessionRefused::Unknown);
}

#[test]
fn the_csrf_value_belongs_to_the_token() {
    let directory = in_memory();
    let world = World::make(&directory);
    let csrf = |token: &Secret| directory.find_session(token, now()).unwrap().unwrap().csrf;
    let (_, other) = directory.create_session(new_session(&world.ada), now()).unwrap();
    assert!(csrf(&world.token).matches(csrf(&world.token).expose()));
    assert!(!csrf(&world.token).matches(csrf(&other).expose()));
    assert!(!csrf(&world.token).matches(world.token.expose()));
    assert!(!csrf(&world.token).matches(""));
}

#[test]
fn a_session_ends_when_idle_and_in_the_end_anyway() {
    let directory = in_memory();
    let world = World::make(&directory);
    let refused = |at| directory.find_session(&world.token, at).unwrap().err();
    let idle = now().plus_millis(12 * HOUR_MS);
    assert_eq!(refused(idle), Some(SessionRefused::Expired));
    assert_eq!(directory.sessions(world.org.id, &world.ada.id, idle).unwrap(), []);

    let mut at = now();
    for _ in 0..14 {
        at = at.plus_millis(12 * HOUR_MS - MINUTE_MS);
        assert_eq!(refused(at), None, "{at}");
    }
    let end = now().plus_millis(7 * 24 * HOUR_MS);
    assert_eq!(refused(end.plus_millis(-1)), None);
    assert_eq!(refused(end), Some(SessionRefused::Expired));
    assert_eq!(directory.purge_sessions(end.plus_millis(-1)).unwrap(), 0);
    assert_eq!(directory.purge_sessions(end).unwrap(), 1);
    assert_eq!(refused(end), Some(SessionRefused::Unknown));
}

#[test]
fn last_seen_moves_once_a_minute() {
    let directory = in_memory();
    let world = World::make(&directory);
    let seen = |at| directory.find_session(&world.token, at).unwrap().unwrap().session.last_seen_at;
    let (almost, minute) = (now().plus_millis(MINUTE_MS - 1), now().plus_millis(MINUTE_MS));
    assert_eq!(seen(almost), now());
    assert_eq!(seen(minute), minute);
    assert_eq!(seen(minute.plus_millis(1)), minute);
    assert_eq!(directory.sessions(world.org.id, &world.ada.id, minute).unwrap()[0].last_seen_at, minute);
}

#[test]
fn signing_in_and_out_are_events() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    let place = ChangedBy {
        ip: "203.0.113.7".parse().ok(),
        request_id: Some("r-1".to_owned()),
        session_id: Some("s_of_another".to_owned()),
        ..ChangedBy::system()
    };
    let shown = Some(&SecondFactor::RecoveryCode);
    let (other, token) =
        directory.begin_session(&place, world.org.id, &world.ada.id, Method::MagicLink, shown, now()).unwrap();
    assert_eq!(
        (other.method.as_str(), other.second_factor_at, other.confirmed_at),
        ("magic_link", Some(now()), Some(now()))
    );
    let by = ChangedBy::user(&world.ada);
    assert_eq!(directory.end_session(&by, &world.token, now()).unwrap(), Some(world.session));
    assert_eq!(directory.end_session(&by, &world.token, now()).unwrap(), None);
    assert_eq!(directory.sessions(world.org.id, &world.ada.id, now()).unwrap(), std::slice::from_ref(&other));
    let events = take_outbox(&directory);
    let [login, logout] = &events[..] else { panic!("{events:?}") };
    for part in [
        r#""action":"LOGIN""#,
        r#""method":"magic_link""#,
        r#""second_factor":"recovery_code""#,
        other.id.as_str(),
        r#""ip":"203.0.113.7""#,
        r#""email":"ada@example.com""#,
        r#""request_id":"r-1""#,
    ] {
        assert!(login.contains(part), "{part} is not in {login}");
    }
    assert!(logout.contains(r#""action":"LOGOUT""#) && logout.contains(r#""method":"password""#), "{logout}");
    directory.find_session(&token, now()).unwrap().unwrap();
}

#[test]
fn a_session_that_is_worth_more_has_another_token() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (by, later) = (ChangedBy::user(&world.ada), now().plus_millis(MINUTE_MS));
    take_outbox(&directory);
    let renewed = directory.renew_session(&by, &world.token, Shown::Herself, later).unwrap().unwrap();
    assert_eq!(directory.find_session(&world.token, later).unwrap().unwrap_err(), SessionRefused::Unknown);
    let session = directory.find_session(&renewed, later).unwrap().unwrap().session;
    assert_eq!((session.id, session.confirmed_at, session.second_factor_at), (world.session.id, Some(later), None));
    let again = directory.renew_session(&by, &renewed, Shown::SecondFactor, later).unwrap().unwrap();
    let again = directory.find_session(&again, later).unwrap().unwrap().session;
    assert_eq!(again.second_factor_at, Some(later));
    assert!(directory.renew_session(&by, &renewed, Shown::Herself, later).unwrap().is_none());
    assert_eq!(take_outbox(&directory).iter().filter(|event| event.contains("CONFIRM_SESSION")).count(), 2);
}

#[test]
fn all_others_end_and_this_one_stays() {
    let directory = in_memory();
    let world = World::make(&directory);
    for _ in 0..2 {
        directory.create_session(new_session(&world.ada), now()).unwrap();
    }
    take_outbox(&directory);
    let by = ChangedBy::user(&world.ada);
    assert_eq!(directory.revoke_other_sessions(&by, &world.session, now()).unwrap(), 2);
    assert_eq!(directory.revoke_other_sessions(&by, &world.session, now()).unwrap(), 0);
    assert_eq!(directory.sessions(world.org.id, &world.ada.id, now()).unwrap(), [world.session]);
    assert_eq!(take_outbox(&directory).iter().filter(|event| event.contains("REVOKE_SESSION")).count(), 2);
}

#[test]
fn an_administrator_ends_one_or_all() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    for _ in 0..3 {
        directory.create_session(new_session(&world.ada), now()).unwrap();
    }
    let (_, grace) = directory.create_session(new_session(&world.grace), now()).unwrap();
    let events = outbox(&directory).len();
    directory.revoke_session(&by, world.org.id, &world.session.id, now()).unwrap();
    assert!(matches!(
        directory.revoke_session(&by, world.org.id, &world.session.id, now()),
        Err(DirectoryError::NotFound { .. })
    ));
    assert_eq!(directory.revoke_sessions(&by, world.org.id, &world.ada.id, now()).unwrap(), 3);
    assert_eq!(directory.revoke_sessions(&by, world.org.id, &world.ada.id, now()).unwrap(), 0);
    assert_eq!(outbox(&directory).len(), events + 4);
    directory.find_session(&grace, now()).unwrap().unwrap();
}

#[test]
fn sessions_of_another_organization_are_out_of_reach() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    assert!(matches!(directory.revoke_session(&by, other, &world.session.id, now()), Err(DirectoryError::NotFound { .. })));
    assert!(matches!(directory.sessions(other, &world.ada.id, now()), Err(DirectoryError::NotFound { .. })));
    let new = NewSession { org: other, ..new_session(&world.ada) };
    assert!(matches!(directory.create_session(new, now()), Err(DirectoryError::NotFound { .. })));
    directory.find_session(&world.token, now()).unwrap().unwrap();
}

#[test]
fn what_a_browser_says_of_itself_is_cut() {
    let directory = in_memory();
    let world = World::make(&directory);
    let long = "ä\n".repeat(100_000);
    let new = NewSession { user_agent: Some(&long), ip: None, ..new_session(&world.ada) };
    let (session, _) = directory.create_session(new, now()).unwrap();
    assert_eq!(session.user_agent, Some("ä".repeat(512)));
    assert_eq!(session.ip, None);
}
