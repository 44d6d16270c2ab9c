//! Mails that wait to be sent.

use directory::{ChangedBy, Directory, User};

use crate::links::letter;
use crate::support::{HOUR_MS, World, dump, in_memory, now, open, take_outbox};

fn one(directory: &Directory) {
    let compose = |user: &User, _: &str, token: &directory::Secret| letter(&user.email, token);
    assert_eq!(directory.request_magic_link(&ChangedBy::system(), "ada@example.com", compose, now()).unwrap(), 1);
}

#[test]
fn a_mail_is_tried_again_later_and_later_and_given_up_after_a_day() {
    let directory = in_memory();
    World::make(&directory);
    one(&directory);
    take_outbox(&directory);
    let (mut at, mut tries) = (now(), 0);
    loop {
        let due = directory.due_mails(at, 9).unwrap();
        let [mail] = &due[..] else { panic!("one mail") };
        assert_eq!((mail.attempts, mail.letter.as_ref().unwrap().to.as_str()), (tries, "ada@example.com"));
        tries += 1;
        if directory.mail_failed(mail.id, false, "no answer", at).unwrap() {
            break;
        }
        assert_eq!(directory.due_mails(at, 9).unwrap().len(), 0, "not at once");
        while directory.due_mails(at, 9).unwrap().is_empty() {
            at = at.plus_millis(1_000);
        }
    }
    assert!(at.millis_since(now()) >= 24 * HOUR_MS && (25..40).contains(&tries), "{tries}");
    assert_eq!(directory.due_mails(at.plus_millis(999 * HOUR_MS), 9).unwrap().len(), 0);
    let events = take_outbox(&directory);
    assert!(events.len() == 1 && events[0].contains("MAIL_FAILED") && events[0].contains("no answer"), "{events:?}");
    assert!(!events[0].contains("token="), "{events:?}");
}

#[test]
fn what_is_hopeless_is_given_up_at_once_and_what_was_sent_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    World::make(&directory);
    one(&directory);
    one(&directory);
    let due = directory.due_mails(now(), 9).unwrap();
    assert!(directory.mail_failed(due[0].id, true, "no such address", now()).unwrap());
    directory.mail_sent(due[1].id).unwrap();
    assert!(!dump(&path).contains("mails: "));
    // Sealed under a key that is gone: there is nothing to send.
    one(&directory);
    drop(directory);
    std::fs::remove_dir_all(folder.path().join("keys")).unwrap();
    let directory = open(&path, 7);
    assert!(directory.due_mails(now(), 9).unwrap()[0].letter.is_none());
}
