//! Opening, making and refusing a database.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use directory::{ChangedBy, Directory, DirectoryError, DirectoryOptions};

use crate::support::{Seeded, dump, in_memory, now, open};

#[test]
fn what_was_written_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let created = open(&path, 1).create_organization(&ChangedBy::cli(), "One", now()).unwrap();
    assert_eq!(open(&path, 2).organizations().unwrap(), [created]);
}

#[test]
fn only_the_owner_may_read_the_file_and_its_companions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    directory.create_organization(&ChangedBy::cli(), "One", now()).unwrap();
    for name in ["acta.db", "acta.db-wal", "acta.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_database_of_a_newer_acta_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE later (x); PRAGMA user_version = 999").unwrap();
    let before = std::fs::read(&path).unwrap();

    let error = Directory::open(&path, Seeded::new(1), DirectoryOptions::for_tests()).unwrap_err();
    assert!(matches!(error, DirectoryError::TooNew { found: 999, .. }), "{error:?}");
    assert!(error.to_string().contains("has directory version 999, and this Acta knows versions up to"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_cannot_be_opened_says_where_it_is() {
    let error =
        Directory::open(Path::new("/nonexistent/acta.db"), Seeded::new(1), DirectoryOptions::for_tests()).unwrap_err();
    assert_eq!(error.to_string(), "cannot create /nonexistent/acta.db");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), &path).unwrap();
    let error = Directory::open(&path, Seeded::new(1), DirectoryOptions::for_tests()).unwrap_err();
    assert!(matches!(error, DirectoryError::Storage { .. }), "{error:?}");
    assert!(error.to_string().contains("acta.db"), "{error}");
}

#[test]
fn several_may_make_the_same_database_at_once() {
    for round in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acta.db");
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let directory = open(path, round * 10 + seed);
                    directory.create_organization(&ChangedBy::cli(), &format!("Organization {seed}"), now()).unwrap();
                });
            }
        });
        let directory = open(&path, 99);
        let mut ids: Vec<u32> = directory.organizations().unwrap().iter().map(|org| org.id.0).collect();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2, 3, 4]);
    }
}

#[test]
fn a_database_in_memory_is_its_own() {
    let (one, other) = (in_memory(), in_memory());
    one.create_organization(&ChangedBy::cli(), "One", now()).unwrap();
    assert_eq!(other.organizations().unwrap(), []);
}

#[test]
fn opening_twice_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    open(&path, 1).create_organization(&ChangedBy::cli(), "One", now()).unwrap();
    let before = dump(&path);
    drop(open(&path, 2));
    assert_eq!(dump(&path), before);
}
