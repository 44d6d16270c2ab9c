//! Links: to set a password, to sign in, to change an address.

use std::cell::RefCell;

use access::Role;
use directory::{
    ChangedBy, Directory, DirectoryError, EmailChangeLetters, Letter, LinkRefused, Purpose, Secret, SessionRefused, User,
    UserStatus,
};
use record::Timestamp;

use crate::support::{HOUR_MS, MINUTE_MS, PASSWORD, World, dump, in_memory, new_user, now, open, take_outbox};

pub(crate) fn letter(to: &str, token: &Secret) -> Letter {
    let text = format!("https://acta.example/?token={}", token.expose());
    Letter { to: to.to_owned(), subject: "A link".to_owned(), html: text.clone(), text }
}

/// Asks for links and returns their tokens.
fn request(directory: &Directory, purpose: Purpose, email: &str, at: Timestamp) -> Vec<Secret> {
    let tokens = RefCell::new(Vec::new());
    let compose = |user: &User, organization: &str, token: &Secret| {
        assert_eq!(organization, "Analytical Engines");
        tokens.borrow_mut().push(token.clone());
        letter(&user.email, token)
    };
    let from = ChangedBy { ip: "203.0.113.7".parse().ok(), ..ChangedBy::system() };
    let sent = match purpose {
        Purpose::PasswordReset => directory.request_password_reset(&from, email, compose, at).unwrap(),
        _ => directory.request_magic_link(&from, email, compose, at).unwrap(),
    };
    let tokens = tokens.into_inner();
    assert_eq!(sent, tokens.len());
    tokens
}

fn set(directory: &Directory, token: &Secret, password: &str, at: Timestamp) -> Result<User, LinkRefused> {
    let from = ChangedBy::system();
    directory.set_password_by_link(&from, Purpose::PasswordReset, token, &Secret::new(password), at).unwrap()
}

const NEW: &str = "jacquard loom weaving 1804";

#[test]
fn a_password_is_set_by_a_link_once() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    assert_eq!(request(&directory, Purpose::PasswordReset, "nobody@example.com", now()).len(), 0);
    let tokens = request(&directory, Purpose::PasswordReset, " ADA@example.com", now());
    let [token] = &tokens[..] else { panic!("one") };
    let events = take_outbox(&directory).concat();
    assert!(events.contains("REQUEST_PASSWORD_RESET_LINK") && events.contains("203.0.113.7"), "{events}");
    assert!(!events.contains(token.expose()));

    // To look does not use it up; a password that will not do does not either; nor is it good for anything else.
    let find = |purpose| directory.find_link(purpose, token, now()).unwrap();
    assert_eq!(find(Purpose::PasswordReset).unwrap().user, world.ada);
    assert_eq!(find(Purpose::MagicLink).unwrap_err(), LinkRefused::Unknown);
    let weak = Secret::new("password1234");
    let by = ChangedBy::system();
    let answer = directory.set_password_by_link(&by, Purpose::PasswordReset, token, &weak, now());
    assert!(matches!(answer, Err(DirectoryError::Invalid { member: "password", .. })));

    assert_eq!(set(&directory, token, NEW, now()), Ok(world.ada.clone()));
    assert_eq!(set(&directory, token, NEW, now()), Err(LinkRefused::Used));
    assert_eq!(find(Purpose::PasswordReset).unwrap_err(), LinkRefused::Used);
    assert_eq!(directory.find_session(&world.token, now()).unwrap().unwrap_err(), SessionRefused::Unknown);
    assert_eq!(directory.verify_password("ada@example.com", &Secret::new(PASSWORD)).unwrap(), []);
    let ada = User { email_verified_at: Some(now()), ..world.ada };
    assert_eq!(directory.verify_password("ada@example.com", &Secret::new(NEW)).unwrap(), [ada], "she reads mail there");
    let events = take_outbox(&directory).concat();
    assert!(events.contains("CONFIRM_PASSWORD_RESET_LINK") && events.contains(r#""sessions_ended":1"#), "{events}");
}

#[test]
fn links_expire_and_a_used_one_takes_the_others_with_it() {
    let directory = in_memory();
    World::make(&directory);
    let make = |purpose| request(&directory, purpose, "ada@example.com", now()).remove(0);
    for (purpose, good_ms) in [(Purpose::PasswordReset, HOUR_MS), (Purpose::MagicLink, 15 * MINUTE_MS)] {
        let token = make(purpose);
        let find = |at| directory.find_link(purpose, &token, at).unwrap().err();
        assert_eq!(find(now().plus_millis(good_ms - 1)), None);
        assert_eq!(find(now().plus_millis(good_ms)), Some(LinkRefused::Expired));
        let late = directory.take_link(purpose, &token, now().plus_millis(good_ms)).unwrap();
        assert_eq!(late.unwrap_err(), LinkRefused::Expired);
    }
    let (first, second, sign_in) = (make(Purpose::PasswordReset), make(Purpose::PasswordReset), make(Purpose::MagicLink));
    set(&directory, &second, NEW, now()).unwrap();
    assert_eq!(set(&directory, &first, NEW, now()), Err(LinkRefused::Used));
    assert!(directory.take_link(Purpose::MagicLink, &sign_in, now()).unwrap().is_ok());
    assert_eq!(directory.purge_links(now()).unwrap(), 0);
    assert_eq!(directory.purge_links(now().plus_millis(60 * 24 * HOUR_MS)).unwrap(), 5);
    assert_eq!(directory.find_link(Purpose::PasswordReset, &first, now()).unwrap().unwrap_err(), LinkRefused::Unknown);
}

#[test]
fn of_twenty_who_use_one_link_at_once_one_gets_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directories = [open(&path, 1), open(&path, 2)];
    World::make(&directories[0]);
    let sign_in = request(&directories[0], Purpose::MagicLink, "ada@example.com", now()).remove(0);
    let reset = request(&directories[0], Purpose::PasswordReset, "ada@example.com", now()).remove(0);
    let count = |through: &(dyn Fn(&Directory) -> bool + Sync)| -> usize {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|n: usize| {
                    let directory = &directories[n % 2];
                    scope.spawn(move || usize::from(through(directory)))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        })
    };
    assert_eq!(count(&|directory| directory.take_link(Purpose::MagicLink, &sign_in, now()).unwrap().is_ok()), 1);
    assert_eq!(count(&|directory| set(directory, &reset, NEW, now()).is_ok()), 1);
}

#[test]
fn nobody_is_flooded_and_nobody_who_is_disabled_gets_a_link() {
    let directory = in_memory();
    let world = World::make(&directory);
    let requested: Vec<Secret> =
        (0..9).flat_map(|_| request(&directory, Purpose::MagicLink, "ada@example.com", now())).collect();
    assert_eq!(requested.len(), 5);
    assert!(requested.iter().all(|token| directory.find_link(Purpose::MagicLink, token, now()).unwrap().is_ok()));
    let later = now().plus_millis(16 * MINUTE_MS);
    assert_eq!(request(&directory, Purpose::MagicLink, "ada@example.com", later).len(), 1);

    let by = ChangedBy::cli();
    let grace = request(&directory, Purpose::MagicLink, "grace@example.com", now()).remove(0);
    directory.set_user_status(&by, world.org.id, &world.grace.id, UserStatus::Disabled, now()).unwrap();
    assert_eq!(request(&directory, Purpose::MagicLink, "grace@example.com", now()).len(), 0);
    let refused = directory.take_link(Purpose::MagicLink, &grace, now()).unwrap().unwrap_err();
    assert_eq!(refused, LinkRefused::Disabled);
}

#[test]
fn the_first_owner_and_whoever_is_locked_out() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (org, grace) = (world.org.id, &world.grace.id);
    take_outbox(&directory);
    let old = directory.create_first_run_link(org, grace, now()).unwrap();
    let token = directory.create_first_run_link(org, grace, now()).unwrap();
    let first_run = |token| {
        directory.set_password_by_link(&ChangedBy::system(), Purpose::FirstRun, token, &Secret::new(NEW), now()).unwrap()
    };
    assert_eq!(first_run(&old), Err(LinkRefused::Used));
    assert_eq!(first_run(&token), Ok(world.grace.clone()));
    assert_eq!(
        directory.verify_password("grace@example.com", &Secret::new(NEW)).unwrap(),
        std::slice::from_ref(&world.grace)
    );
    assert!(take_outbox(&directory).concat().contains("UPDATE_USER"));
    let token = directory.create_password_reset_link(&ChangedBy::cli(), org, grace, now()).unwrap();
    assert!(take_outbox(&directory).concat().contains("REQUEST_PASSWORD_RESET_LINK"));
    set(&directory, &token, PASSWORD, now()).unwrap();
}

#[test]
fn her_own_password_needs_the_old_one() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (_, other) = directory.create_session(crate::support::new_session(&world.ada), now()).unwrap();
    let by = ChangedBy::user(&world.ada);
    let reset = request(&directory, Purpose::PasswordReset, "ada@example.com", now()).remove(0);
    let change = |old: &str, new: &str| {
        directory.change_own_password(&by, &world.session, &Secret::new(old), &Secret::new(new), now())
    };
    assert!(!change("not it", NEW).unwrap());
    assert!(matches!(change(PASSWORD, "short"), Err(DirectoryError::Invalid { .. })));
    take_outbox(&directory);
    assert!(change(PASSWORD, NEW).unwrap());
    let events = take_outbox(&directory).concat();
    assert!(events.contains("UPDATE_USER") && events.contains(r#""field":"password""#), "{events}");
    directory.find_session(&world.token, now()).unwrap().unwrap();
    assert_eq!(directory.find_session(&other, now()).unwrap().unwrap_err(), SessionRefused::Unknown);
    assert_eq!(set(&directory, &reset, PASSWORD, now()), Err(LinkRefused::Used), "asked for before");
    assert!(directory.is_password_of(&world.ada, &Secret::new(NEW)).unwrap());
    assert!(!directory.is_password_of(&world.ada, &Secret::new(PASSWORD)).unwrap());
    assert!(!directory.is_password_of(&world.grace, &Secret::new("")).unwrap(), "she has none");
}

#[test]
fn a_new_address_counts_once_mail_to_it_was_read() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (org, ada, by) = (world.org.id, &world.ada.id, ChangedBy::user(&world.ada));
    take_outbox(&directory);
    let ask = |email: &str| {
        let mut kept = None;
        let compose = |user: &User, token: &Secret| {
            kept = Some(token.clone());
            EmailChangeLetters { to_new: letter(email, token), to_old: letter(&user.email, &Secret::new("")) }
        };
        directory.request_email_change(&by, org, ada, email, compose, now()).map(|()| kept.unwrap())
    };
    assert!(matches!(ask("GRACE@example.com"), Err(DirectoryError::Conflict { .. })));
    assert!(matches!(ask("nowhere"), Err(DirectoryError::Invalid { member: "email", .. })));
    let cyrillic = new_user("аср@example.com", "Somebody", Role::Member, None);
    directory.create_user(&ChangedBy::cli(), org, cyrillic, now()).unwrap();
    let looks_alike = ask("acp@example.com");
    assert!(matches!(looks_alike, Err(DirectoryError::Conflict { .. })), "{looks_alike:?}");
    let first = ask("countess@example.com").unwrap();
    let token = ask("Lovelace@example.com").unwrap();
    let reset = request(&directory, Purpose::PasswordReset, "ada@example.com", now()).remove(0);
    assert_eq!(directory.user(org, ada).unwrap().email, "ada@example.com", "not yet");
    let to: Vec<String> = directory.due_mails(now(), 10).unwrap().into_iter().map(|mail| mail.letter.unwrap().to).collect();
    let expected = ["countess@example.com", "ada@example.com", "Lovelace@example.com", "ada@example.com", "ada@example.com"];
    assert_eq!(to, expected);
    let confirm = |token| directory.confirm_email_change(&ChangedBy::system(), token, now()).unwrap();
    assert_eq!(confirm(&first).unwrap_err(), LinkRefused::Used, "she changed her mind");
    assert_eq!(confirm(&token).unwrap().email, "Lovelace@example.com");
    assert_eq!(confirm(&token).unwrap_err(), LinkRefused::Used);
    assert_eq!(directory.user(org, ada).unwrap().email, "Lovelace@example.com");
    assert_eq!(set(&directory, &reset, NEW, now()), Err(LinkRefused::Used), "it was mailed to the old address");
    let events = take_outbox(&directory).concat();
    for action in
        ["USER_EMAIL_CHANGE", "USER_EMAIL_VERIFICATION_SENT", "USER_EMAIL_CHANGE_NOTIFICATION_SENT", "USER_EMAIL_VERIFY"]
    {
        assert!(events.contains(&format!("\"{action}\"")), "{action}: {events}");
    }
}

#[test]
fn tokens_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    let world = World::make(&directory);
    let mut tokens = request(&directory, Purpose::PasswordReset, "ada@example.com", now());
    tokens.extend(request(&directory, Purpose::MagicLink, "ada@example.com", now()));
    tokens.push(directory.create_first_run_link(world.org.id, &world.ada.id, now()).unwrap());
    tokens.push(directory.second_factor_ticket(&world.ada, "password", now()).unwrap());
    let dump = dump(&path);
    assert!(dump.contains("mails: ") && tokens.len() == 4);
    assert!(tokens.iter().all(|token| !dump.contains(token.expose())), "mails are sealed, tokens are hashed");
}
