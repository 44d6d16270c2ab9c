//! Passwords at the door, and how often they may be tried.

use std::net::IpAddr;
use std::slice::from_ref;

use access::Role;
use directory::{ChangedBy, Directory, DirectoryOptions, PasswordCost, Secret, TooManyAttempts, UserStatus};
use record::Timestamp;

use crate::support::{MINUTE_MS, PASSWORD, Seeded, World, dump, in_memory, new_user, now, open, outbox};

#[test]
fn the_right_password_of_an_active_user() {
    let directory = in_memory();
    let world = World::make(&directory);
    let verify = |email: &str, password: &str| directory.verify_password(email, &Secret::new(password)).unwrap();
    assert_eq!(verify(" ADA@example.com", PASSWORD), from_ref(&world.ada));
    assert_eq!(verify("ada@example.com", "engine analytical 1844"), []);
    assert_eq!(verify("ada@example.com", ""), []);
    assert_eq!(verify("ada@example.com", &"x".repeat(1_000_000)), []);
    assert_eq!(verify("nobody@example.com", PASSWORD), []);
    assert_eq!(verify("grace@example.com", PASSWORD), [], "she has none");

    let by = ChangedBy::cli();
    directory.set_user_role(&by, world.org.id, &world.grace.id, Role::Owner, now()).unwrap();
    directory.set_user_status(&by, world.org.id, &world.ada.id, UserStatus::Disabled, now()).unwrap();
    assert_eq!(verify("ada@example.com", PASSWORD), []);
}

#[test]
fn who_is_in_two_organizations_signs_in_where_the_password_fits() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    let password = Secret::new("jacquard loom 1804");
    let twin =
        directory.create_user(&by, other, new_user("ada@example.com", "Ada", Role::Owner, Some(&password)), now()).unwrap();
    assert_eq!(directory.verify_password("ada@example.com", &password).unwrap(), from_ref(&twin));
    let same = Secret::new(PASSWORD);
    assert_eq!(directory.verify_password("ada@example.com", &same).unwrap(), from_ref(&world.ada));
    directory.set_user_password(&by, other, &twin.id, &same, now()).unwrap();
    assert_eq!(directory.verify_password("ada@example.com", &same).unwrap(), [world.ada, twin]);
}

#[test]
fn a_sign_in_renews_a_hash_with_old_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    let world = World::make(&directory);
    let events = outbox(&directory).len();
    assert!(dump(&path).contains("$argon2id$v=19$m=8,t=1,p=1$"));
    drop(directory);

    let options = DirectoryOptions { password_cost: PasswordCost::default(), ..DirectoryOptions::default() };
    let directory = Directory::open(&path, Seeded::new(2), options).unwrap();
    assert_eq!(directory.verify_password("ada@example.com", &Secret::new("engine analytical 1844")).unwrap(), []);
    assert!(dump(&path).contains("$argon2id$v=19$m=8,t=1,p=1$"), "a wrong password renews nothing");
    assert_eq!(directory.verify_password("ada@example.com", &Secret::new(PASSWORD)).unwrap(), from_ref(&world.ada));
    assert!(dump(&path).contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(directory.verify_password("ada@example.com", &Secret::new(PASSWORD)).unwrap(), [world.ada]);
    assert_eq!(outbox(&directory).len(), events);
}

fn admit(directory: &Directory, email: &str, ip: &str, at: Timestamp) -> Result<(), u32> {
    let ip: IpAddr = ip.parse().unwrap();
    directory.admit_sign_in(email, ip, at).unwrap().map_err(|TooManyAttempts { retry_after_s }| retry_after_s)
}

const HERS: &str = "198.51.100.1";
const THEIRS: &str = "203.0.113.7";

#[test]
fn five_attempts_then_wait_and_nobody_else_waits() {
    let directory = in_memory();
    for minute in 0..5 {
        assert_eq!(admit(&directory, "ada@example.com", THEIRS, now().plus_millis(minute * MINUTE_MS)), Ok(()));
    }
    let at = now().plus_millis(5 * MINUTE_MS);
    // The first of the five leaves the window fifteen minutes after it was made.
    assert_eq!(admit(&directory, "ADA@example.com ", THEIRS, at), Err(600));
    assert_eq!(admit(&directory, "ada@example.com", HERS, at), Ok(()), "the owner, elsewhere");
    assert_eq!(admit(&directory, "grace@example.com", THEIRS, at), Ok(()), "somebody else, from there");
    let later = at.plus_millis(600_000);
    assert_eq!(admit(&directory, "ada@example.com", THEIRS, later.plus_millis(-1)), Err(1));
    assert_eq!(admit(&directory, "ada@example.com", THEIRS, later), Ok(()));
    assert_eq!(admit(&directory, "ada@example.com", THEIRS, later), Err(60));
}

#[test]
fn success_forgets_the_pair_and_only_the_pair() {
    let directory = in_memory();
    for _ in 0..5 {
        admit(&directory, "ada@example.com", THEIRS, now()).unwrap();
        admit(&directory, "grace@example.com", THEIRS, now()).unwrap();
    }
    directory.record_sign_in_success("Ada@example.com", THEIRS.parse().unwrap()).unwrap();
    assert_eq!(admit(&directory, "ada@example.com", THEIRS, now()), Ok(()));
    assert_eq!(admit(&directory, "grace@example.com", THEIRS, now()), Err(900));
}

#[test]
fn thirty_attempts_from_one_network() {
    let directory = in_memory();
    for person in 0..30 {
        let ip = format!("2001:db8::{person}");
        assert_eq!(admit(&directory, &format!("{person}@example.com"), &ip, now()), Ok(()));
    }
    assert_eq!(admit(&directory, "ada@example.com", "2001:db8::ffff", now()), Err(900));
    assert_eq!(admit(&directory, "ada@example.com", "2001:db8:0:1::1", now()), Ok(()));
}

#[test]
fn an_attack_from_everywhere_slows_down_and_does_not_lock_out() {
    let directory = in_memory();
    let at = |number: i64| now().plus_millis(number);
    for number in 0..50 {
        assert_eq!(admit(&directory, "ada@example.com", &format!("203.0.113.{number}"), at(number)), Ok(()));
    }
    assert_eq!(admit(&directory, "ada@example.com", "203.0.113.9", at(50)), Err(900), "it has had its one attempt");
    assert_eq!(admit(&directory, "ada@example.com", HERS, at(51)), Ok(()));
    assert_eq!(admit(&directory, "ada@example.com", HERS, at(52)), Err(900));
    directory.record_sign_in_success("ada@example.com", HERS.parse().unwrap()).unwrap();
    assert_eq!(admit(&directory, "ada@example.com", HERS, at(53)), Ok(()));
    assert_eq!(admit(&directory, "grace@example.com", HERS, at(54)), Ok(()));
}

#[test]
fn a_restart_forgets_no_attempt_and_time_forgets_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    for seed in 0..5 {
        assert_eq!(admit(&open(&path, seed), "ada@example.com", THEIRS, now()), Ok(()));
    }
    let directory = open(&path, 9);
    assert_eq!(admit(&directory, "ada@example.com", THEIRS, now()), Err(900));
    assert!(!dump(&path).contains("example.com"), "addresses are kept as hashes");
    admit(&directory, "other@example.com", HERS, now().plus_millis(15 * MINUTE_MS)).unwrap();
    assert_eq!(dump(&path).matches("sign_in_attempts:").count(), 1);
}

#[test]
fn many_attempts_at_once_are_not_all_admitted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directories = [open(&path, 1), open(&path, 2)];
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = directories
            .iter()
            .map(|directory| {
                scope.spawn(move || (0..10).filter(|_| admit(directory, "ada@example.com", THEIRS, now()).is_ok()).count())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 5);
}
