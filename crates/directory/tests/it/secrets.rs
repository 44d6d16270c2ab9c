//! Secrets are nowhere.

use access::Role;
use directory::{ChangedBy, DirectoryError, NewSession, Secret};

use crate::support::{PASSWORD, World, new_session, new_user, now, open};

#[test]
fn no_file_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    let world = World::make(&directory);
    let signed_in = directory.find_session(&world.token, now()).unwrap().unwrap();
    let second = Secret::new("another engine 1871");
    directory.set_user_password(&ChangedBy::cli(), world.org.id, &world.ada.id, &second, now()).unwrap();
    let (_, token) = directory.create_session(new_session(&world.ada), now()).unwrap();
    directory.verify_password("ada@example.com", &second).unwrap();
    directory.admit_sign_in("typed my secret passphrase", "203.0.113.7".parse().unwrap(), now()).unwrap().unwrap();

    let secrets = [
        PASSWORD,
        second.expose(),
        world.key_secret.expose(),
        world.token.expose(),
        token.expose(),
        signed_in.csrf.expose(),
        "typed my secret passphrase",
    ];
    let scan = |when: &str| {
        let mut seen = 0;
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                // The vault's key: no secret of anybody's.
                continue;
            }
            let bytes = std::fs::read(&file).unwrap();
            seen += usize::from(contains(&bytes, b"ada@example.com"));
            for secret in secrets {
                assert!(!contains(&bytes, secret.as_bytes()), "{when}: {} holds {secret}", file.display());
                // Nor the 32 bytes themselves.
                if let Some(raw) = from_hex(secret.trim_start_matches("acta_")) {
                    assert!(!contains(&bytes, &raw), "{when}: {} holds the bytes of {secret}", file.display());
                }
            }
        }
        assert!(seen > 0, "{when}: the scan would find what is there");
    };
    scan("open");
    drop(directory);
    scan("closed");
}

#[test]
fn what_was_deleted_is_gone_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    let world = World::make(&directory);
    let marked = NewSession { user_agent: Some("a browser nobody else has"), ..new_session(&world.ada) };
    let (_, token) = directory.create_session(marked, now()).unwrap();
    drop(directory);
    let found = || contains(&std::fs::read(&path).unwrap(), b"a browser nobody else has");
    assert!(found());
    let directory = open(&path, 2);
    directory.end_session(&token).unwrap();
    drop(directory);
    assert!(!found());
}

#[test]
fn nothing_prints_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder.path().join("acta.db"), 1);
    let world = World::make(&directory);
    let password = Secret::new(PASSWORD);
    let new = new_user("ada@example.com", "Ada", Role::Member, Some(&password));
    let conflict = directory.create_user(&ChangedBy::cli(), world.org.id, new, now()).unwrap_err();
    assert!(matches!(conflict, DirectoryError::Conflict { .. }));
    let signed_in = directory.find_session(&world.token, now()).unwrap().unwrap();
    let shown = format!(
        "{new:?} {:?} {conflict:?} {:?} {:?} {signed_in:?} {directory:?}",
        world.key, world.key_secret, world.session
    );
    for secret in [PASSWORD, world.key_secret.expose(), world.token.expose(), signed_in.csrf.expose()] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("Secret(hidden)"));
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
