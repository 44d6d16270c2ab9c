//! Files, in a folder of the test's.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deliver::Settings;
use expect_test::expect;
use follow::{Transport, Verdict};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{Hands, doors, message, messages, with_body};

struct Setup {
    folder: TempDir,
    clock: Hands,
}

impl Setup {
    fn new() -> Setup {
        Setup { folder: TempDir::new().unwrap(), clock: Hands::new() }
    }

    fn open(&self, settings: &Value) -> Arc<dyn Transport> {
        let doors = doors(&[], &self.clock).with_files(self.folder.path().to_owned());
        Settings::parse("file", settings).unwrap().open(&doors).unwrap()
    }

    /// The organization's folder.
    fn place(&self) -> PathBuf {
        self.folder.path().join("7")
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.place()).unwrap();
        let names: BTreeSet<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.into_iter().collect()
    }
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    if path.extension().is_some_and(|end| end == "gz") {
        flate2::read::GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    } else {
        File::open(path).unwrap().read_to_string(&mut text).unwrap();
    }
    text
}

#[tokio::test]
async fn full_and_old_files_are_put_aside_and_packed_and_only_so_many_kept() {
    let setup = Setup::new();
    let transport = setup.open(&json!({"name": "audit.jsonl", "rotate_bytes": 65536, "rotate_hours": 24, "keep": 2}));
    let mut sent = Vec::new();
    for index in 0..5 {
        let body = format!("{index}{}", "x".repeat(30_000));
        let told = transport.send(&[with_body(index, &body)]).await;
        assert_eq!(told.verdict, Verdict::Delivered, "{}", told.raw);
        sent.push(body);
    }
    // Two fit into each.
    expect![[r#"
        [
            "audit.jsonl",
            "audit.jsonl-20261120T220430.123Z.gz",
            "audit.jsonl-20261120T220430.124Z.gz",
        ]
    "#]]
    .assert_debug_eq(&setup.names());
    let texts: String =
        setup.names()[1..].iter().chain(&setup.names()[..1]).map(|name| read(&setup.place().join(name))).collect();
    assert_eq!(texts.lines().collect::<Vec<_>>(), sent);

    setup.clock.move_hours(23);
    transport.send(&[message(5)]).await;
    assert_eq!(setup.names().len(), 3);
    setup.clock.move_hours(1);
    transport.send(&[message(6)]).await;
    expect![[r#"
        [
            "audit.jsonl",
            "audit.jsonl-20261120T220430.124Z.gz",
            "audit.jsonl-20261121T220430.123Z.gz",
        ]
    "#]]
    .assert_debug_eq(&setup.names());
    assert_eq!(read(&setup.place().join("audit.jsonl")).lines().count(), 1);
}

#[tokio::test]
async fn a_torn_line_is_cut_off_and_half_packed_files_are_packed_again() {
    let setup = Setup::new();
    let settings = json!({"name": "audit.jsonl"});
    setup.open(&settings).send(&messages(0, 3)).await;
    let path = setup.place().join("audit.jsonl");
    let whole = read(&path);
    File::options().append(true).open(&path).unwrap().write_all(b"{\"torn\":").unwrap();
    let stamp = "audit.jsonl-20261119T000000.000Z";
    File::create(setup.place().join(stamp)).unwrap().write_all(b"old\n").unwrap();
    File::create(setup.place().join(format!("{stamp}.gz.part"))).unwrap().write_all(b"half").unwrap();

    let told = setup.open(&settings).send(&messages(3, 1)).await;
    assert_eq!(told.verdict, Verdict::Delivered, "{}", told.raw);
    assert!(read(&path).starts_with(&whole) && read(&path).lines().count() == 4);
    assert_eq!(setup.names(), ["audit.jsonl".to_owned(), format!("{stamp}.gz")]);
    assert_eq!(read(&setup.place().join(format!("{stamp}.gz"))), "old\n");
}

#[tokio::test]
async fn a_file_that_was_moved_away_is_begun_again() {
    let setup = Setup::new();
    let transport = setup.open(&json!({"name": "audit.jsonl"}));
    transport.send(&messages(0, 2)).await;
    std::fs::rename(setup.place().join("audit.jsonl"), setup.place().join("taken")).unwrap();
    transport.send(&messages(2, 3)).await;
    assert_eq!(read(&setup.place().join("taken")).lines().count(), 2);
    assert_eq!(read(&setup.place().join("audit.jsonl")).lines().count(), 3);
}

#[cfg(unix)]
#[tokio::test]
async fn others_neither_read_it_nor_write_to_it() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let setup = Setup::new();
    let first = setup.open(&json!({"name": "audit.jsonl"}));
    first.send(&messages(0, 1)).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&setup.place()), mode(&setup.place().join("audit.jsonl"))), (0o700, 0o600));

    let told = setup.open(&json!({"name": "audit.jsonl"})).send(&messages(0, 1)).await;
    assert!(matches!(told.verdict, Verdict::Retry { .. }));
    assert_eq!(told.raw, "audit.jsonl: is being written by another destination or another process");

    symlink("/dev/null", setup.place().join("link")).unwrap();
    let told = setup.open(&json!({"name": "link"})).send(&messages(0, 1)).await;
    assert_eq!(told.raw, "link: is something else than a plain file");
}

#[test]
fn a_name_leads_nowhere_else() {
    for name in
        ["", ".", "..", "../a", "a/b", "/etc/passwd", ".hidden", "a\\b", "a b", "a\u{0}", "a-20261119T000000.000Z.gz"]
    {
        let mistakes = Settings::parse("file", &json!({"name": name})).unwrap_err();
        assert_eq!(mistakes[0].member, "/name", "{name}");
    }
    let mistakes = Settings::parse("file", &json!({"name": "a", "keep": 0, "rotate_bytes": 1, "more": 1})).unwrap_err();
    let told: Vec<_> = mistakes.iter().map(|one| format!("{} {}", one.member, one.text)).collect();
    expect![[r#"
        [
            "/keep must be from 1 to 10000",
            "/more is not known here: expected one of name, rotate_bytes, rotate_hours, keep, compress",
            "/rotate_bytes must be from 65536 to 1099511627776",
        ]
    "#]]
    .assert_debug_eq(&told);
    let nowhere = Settings::parse("file", &json!({"name": "a"})).unwrap().open(&doors(&[], &Hands::new())).map(drop);
    assert!(nowhere.unwrap_err().to_string().contains("named no folder"));
}
