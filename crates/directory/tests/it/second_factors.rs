//! Second factors: setting one up, showing it, losing it.

use std::net::IpAddr;

use access::Role;
use directory::{AuthenticatorId, ChangedBy, Confirmed, Directory, DirectoryError, SecondFactor, Secret, Seed, User};
use record::Timestamp;

use crate::support::{MINUTE_MS, World, dump, in_memory, new_session, new_user, now, open, take_outbox};

/// An authenticator that counts, its seed, and the recovery codes, if it is the first.
fn add(directory: &Directory, user: &User, name: &str, at: Timestamp) -> (AuthenticatorId, Seed, Vec<Secret>) {
    let (begun, seed) = directory.begin_authenticator(user.org, &user.id, name, at).unwrap();
    let by = ChangedBy::user(user);
    match directory.confirm_authenticator(&by, user.org, &user.id, &seed.code(at), at).unwrap() {
        Confirmed::Added { recovery_codes } => (begun.id, seed, recovery_codes),
        Confirmed::WrongCode => panic!("a right code"),
    }
}

fn show(directory: &Directory, user: &User, given: &str, at: Timestamp) -> Option<SecondFactor> {
    directory.verify_second_factor(&ChangedBy::user(user), user.org, &user.id, given, at).unwrap()
}

#[test]
fn an_authenticator_counts_once_its_first_code_was_right() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (org, ada) = (world.org.id, &world.ada.id);
    let by = ChangedBy::user(&world.ada);
    take_outbox(&directory);
    let (_, first) = directory.begin_authenticator(org, ada, "Phone", now()).unwrap();
    let (begun, seed) = directory.begin_authenticator(org, ada, "Phone", now()).unwrap();
    assert_ne!(first.base32(), seed.base32());
    let (shown, same) = directory.begun_authenticator(org, ada).unwrap().unwrap();
    assert_eq!((&shown, same.base32()), (&begun, seed.base32()));
    assert_eq!(directory.authenticators(org, ada).unwrap(), []);
    assert!(!directory.has_second_factor(org, ada).unwrap());
    assert_eq!(show(&directory, &world.ada, &seed.code(now()), now()), None, "it does not count yet");
    for wrong in ["", "000000", &first.code(now())] {
        let answer = directory.confirm_authenticator(&by, org, ada, wrong, now()).unwrap();
        assert!(matches!(answer, Confirmed::WrongCode), "{wrong}");
    }
    assert_eq!(take_outbox(&directory).len(), 1, "only the code that was shown in vain");

    let code = seed.code(now());
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let Confirmed::Added { recovery_codes } = directory.confirm_authenticator(&by, org, ada, &spaced, now()).unwrap() else {
        panic!("a right code")
    };
    assert_eq!(recovery_codes.len(), 10);
    assert!(directory.has_second_factor(org, ada).unwrap());
    assert_eq!(directory.authenticators(org, ada).unwrap()[0].confirmed_at, Some(now()));
    assert!(directory.begun_authenticator(org, ada).unwrap().is_none());
    let events = take_outbox(&directory).concat();
    assert!(events.contains("ADD_TWO_FACTOR_AUTHENTICATOR") && events.contains("CREATE_RECOVERY_CODES"), "{events}");
    assert!(!events.contains(&code) && !events.contains(&seed.base32()));
    // A second one brings no codes.
    let (_, _, none) = add(&directory, &world.ada, "Tablet", now());
    assert_eq!(none.len(), 0);
    assert!(matches!(directory.confirm_authenticator(&by, org, ada, "123456", now()), Err(DirectoryError::NotFound { .. })));
}

#[test]
fn a_code_is_good_once_and_for_a_step_around() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (id, seed, _) = add(&directory, &world.ada, "Phone", now());
    let shown = Some(SecondFactor::Authenticator(id));
    assert_eq!(show(&directory, &world.ada, &seed.code(now()), now()), None, "setting up used it up");
    let at = now().plus_millis(10 * MINUTE_MS);
    let code = seed.code(at);
    assert_eq!(show(&directory, &world.ada, &code, at.plus_millis(-60_001)), None, "too early");
    assert_eq!(show(&directory, &world.ada, &code, at.plus_millis(60_001)), None, "too late");
    assert_eq!(show(&directory, &world.ada, &code, at.plus_millis(29_000)), shown);
    assert_eq!(show(&directory, &world.ada, &code, at.plus_millis(29_000)), None, "replayed");
    let before = seed.code(at.plus_millis(-30_000));
    assert_eq!(show(&directory, &world.ada, &before, at), None, "older than the last");
    let after = seed.code(at.plus_millis(30_000));
    assert_eq!(show(&directory, &world.ada, &after, at), shown);
    assert_eq!(show(&directory, &world.grace, &seed.code(at.plus_millis(90_000)), at.plus_millis(90_000)), None);
}

#[test]
fn of_twenty_who_show_one_code_at_once_one_gets_in() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder.path().join("acta.db"), 1);
    let world = World::make(&directory);
    let (_, seed, recovery) = add(&directory, &world.ada, "Phone", now());
    let at = now().plus_millis(MINUTE_MS);
    for given in [seed.code(at).as_str(), recovery[0].expose()] {
        let in_all: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..20).map(|_| scope.spawn(|| usize::from(show(&directory, &world.ada, given, at).is_some()))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(in_all, 1);
    }
}

#[test]
fn recovery_codes() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (org, by) = (world.org.id, ChangedBy::user(&world.ada));
    assert!(matches!(directory.new_recovery_codes(&by, org, &world.ada.id, now()), Err(DirectoryError::Conflict { .. })));
    let (_, _, codes) = add(&directory, &world.ada, "Phone", now());
    let code = codes[3].expose();
    assert_eq!(code.len(), 19);
    let typed = code.replace('-', " ").to_uppercase();
    assert_eq!(show(&directory, &world.grace, code, now()), None, "not hers");
    assert_eq!(show(&directory, &world.ada, &typed, now()), Some(SecondFactor::RecoveryCode));
    assert_eq!(show(&directory, &world.ada, code, now()), None);
    assert_eq!(directory.recovery_codes_left(org, &world.ada.id).unwrap(), 9);
    let new = directory.new_recovery_codes(&by, org, &world.ada.id, now()).unwrap();
    assert_eq!(directory.recovery_codes_left(org, &world.ada.id).unwrap(), 10);
    assert_eq!(show(&directory, &world.ada, codes[4].expose(), now()), None);
    assert_eq!(show(&directory, &world.ada, new[0].expose(), now()), Some(SecondFactor::RecoveryCode));
    let events = take_outbox(&directory);
    let of = |action: &str| events.iter().filter(|event| event.contains(&format!("\"{action}\""))).count();
    assert_eq!((of("VERIFY_2FA_SUCCESS"), of("VERIFY_2FA_FAILURE"), of("CREATE_RECOVERY_CODES")), (2, 3, 2));
    for event in &events {
        assert!(codes.iter().chain(&new).all(|code| !event.contains(code.expose())), "{event}");
    }
}

#[test]
fn the_last_authenticator_takes_the_second_factor_with_it() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (org, ada, by) = (world.org.id, &world.ada.id, ChangedBy::user(&world.ada));
    let (phone, _, codes) = add(&directory, &world.ada, "Phone", now());
    let (tablet, _, _) = add(&directory, &world.ada, "Tablet", now());
    assert!(matches!(
        directory.remove_authenticator(&by, org, &world.grace.id, &phone, now()),
        Err(DirectoryError::NotFound { .. })
    ));
    take_outbox(&directory);
    directory.remove_authenticator(&by, org, ada, &phone, now()).unwrap();
    assert!(directory.has_second_factor(org, ada).unwrap());
    assert_eq!(take_outbox(&directory).len(), 1);
    directory.remove_authenticator(&by, org, ada, &tablet, now()).unwrap();
    assert!(!directory.has_second_factor(org, ada).unwrap());
    let events = take_outbox(&directory).concat();
    assert!(events.contains("REMOVE_TWO_FACTOR_AUTHENTICATOR") && events.contains("DISABLE_TWO_FACTOR_AUTH"), "{events}");
    assert_eq!(show(&directory, &world.ada, codes[0].expose(), now()), None);

    add(&directory, &world.ada, "Phone", now());
    take_outbox(&directory);
    assert!(directory.disable_second_factor(&ChangedBy::cli(), org, ada, now()).unwrap());
    assert!(!directory.disable_second_factor(&ChangedBy::cli(), org, ada, now()).unwrap());
    assert!(!directory.has_second_factor(org, ada).unwrap());
    assert_eq!(take_outbox(&directory).len(), 1);
}

#[test]
fn attempts_at_codes_are_counted_by_themselves_and_lock_nobody_out() {
    let directory = in_memory();
    let world = World::make(&directory);
    let admit = |ip: &str| directory.admit_second_factor(&world.ada.id, ip.parse().unwrap(), now()).unwrap().is_ok();
    let (theirs, hers): (&str, &str) = ("203.0.113.7", "198.51.100.1");
    for _ in 0..5 {
        assert!(admit(theirs));
    }
    assert!(!admit(theirs));
    // A right password takes nothing back here.
    let ip: IpAddr = theirs.parse().unwrap();
    directory.record_sign_in_success("ada@example.com", ip).unwrap();
    assert!(!admit(theirs));
    assert!(directory.admit_sign_in("ada@example.com", ip, now()).unwrap().is_ok());
    for number in 0..60 {
        admit(&format!("192.0.2.{number}"));
    }
    assert!(admit(hers), "she has her attempt, whatever others do");
    directory.record_second_factor_success(&world.ada.id, hers.parse().unwrap()).unwrap();
    assert!(admit(hers));
}

#[test]
fn an_organization_that_asks_for_it_limits_sessions_without() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    let world = World::make(&directory);
    let lacks = |token: &Secret| {
        let signed_in = directory.find_session(token, now()).unwrap().unwrap();
        (signed_in.lacks_second_factor(), signed_in.has_second_factor())
    };
    assert_eq!(lacks(&world.token), (false, false));
    let sql = "UPDATE organizations SET second_factor_required = TRUE";
    rusqlite::Connection::open(&path).unwrap().execute(sql, []).unwrap();
    assert_eq!(lacks(&world.token), (true, false));
    add(&directory, &world.ada, "Phone", now());
    assert_eq!(lacks(&world.token), (true, true));
    let by = ChangedBy::user(&world.ada);
    let token = directory.renew_session(&by, &world.token, directory::Shown::SecondFactor, now()).unwrap().unwrap();
    assert_eq!(lacks(&token), (false, true));
    let (_, other) = directory.create_session(new_session(&world.ada), now()).unwrap();
    assert_eq!(lacks(&other), (true, true), "with a password alone");
}

#[test]
fn seeds_and_codes_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    let world = World::make(&directory);
    let mallory = new_user("mallory@example.com", "Mallory", Role::Member, None);
    let mallory = directory.create_user(&ChangedBy::cli(), world.org.id, mallory, now()).unwrap();
    let (_, seed, codes) = add(&directory, &world.ada, "Phone", now());
    let (theirs, _, _) = add(&directory, &mallory, "Phone", now());
    let dump = dump(&path);
    let bare = |code: &Secret| code.expose().replace('-', "");
    assert!(!dump.contains(&seed.base32()));
    assert!(codes.iter().all(|code| !dump.contains(code.expose()) && !dump.contains(&bare(code))));
    // A sealed seed that was put into another row does not open.
    let sql = "UPDATE authenticators SET secret = (SELECT secret FROM authenticators WHERE id <> ?1) WHERE id = ?1";
    rusqlite::Connection::open(&path).unwrap().execute(sql, [theirs.as_str()]).unwrap();
    let at = now().plus_millis(MINUTE_MS);
    assert_eq!(show(&directory, &mallory, &seed.code(at), at), None);
    assert!(show(&directory, &world.ada, &seed.code(at), at).is_some());
}
