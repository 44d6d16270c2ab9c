//! `check` finds what somebody has done to the files, and is content with what a crash leaves.

use store::{Report, StoreError};
use testkit::{MemoryDisk, Setup, event, scope};

use crate::{ORG, OTHER, all};

/// A stopped data directory with three segments and a journal of several batches.
fn directory() -> (Setup, MemoryDisk) {
    let disk = MemoryDisk::new();
    let setup = Setup::new(1).on(disk.clone());
    let store = setup.open();
    for n in 0..120 {
        let mut with_id = event(n);
        with_id.event.id = Some(format!("id-{n}").into());
        setup.append(&store, if n % 4 == 0 { OTHER } else { ORG }, [with_id, event(1_000 + n)]).unwrap();
        store.settle();
    }
    assert_eq!(store.stats().segments, 4);
    assert!(store.stats().recent_events > 20);
    drop(store);
    (setup, disk)
}

fn report(disk: &MemoryDisk) -> Report {
    store::check(disk, &mut |_| {}).unwrap()
}

fn find(disk: &MemoryDisk, end: &str) -> Vec<String> {
    disk.paths().into_iter().filter(|path| path.ends_with(end)).collect()
}

/// Copies the directory, does something to the copy, and wants to be told by `check`.
fn planted(disk: &MemoryDisk, what: &str, damage: impl FnOnce(&MemoryDisk)) -> Report {
    let copy = disk.copy();
    damage(&copy);
    let report = report(&copy);
    assert!(!report.faults.is_empty(), "not found: {what}");
    report
}

fn flip(disk: &MemoryDisk, path: &str, at: usize) {
    let mut bytes = disk.bytes(path);
    bytes[at] ^= 0x10;
    disk.tamper(path, &bytes);
}

#[test]
fn nothing_is_found_where_nothing_was_done() {
    let (setup, disk) = directory();
    let found = report(&disk);
    assert_eq!((found.faults, found.events, found.segments, found.torn_bytes), (vec![], 242, 4, 0));
    assert!(found.sealed >= 200 && found.journal_files == 1);
    let store = setup.open();
    for (org, (size, root)) in found.logs {
        let tree = store.tree(&scope(org)).unwrap();
        let hex: String = tree.root().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((tree.size(), hex), (size, root));
        assert_eq!(all(&store, org).len() as u64, size);
    }
    assert_eq!(report(&MemoryDisk::new()), Report::default(), "an empty folder is well, too");
}

#[test]
fn a_flipped_byte_in_any_region_of_a_segment() {
    let (_, disk) = directory();
    for path in &find(&disk, ".parquet")[1..3] {
        let len = disk.bytes(path).len();
        // The first bytes, every region of the pages, the footer, the last bytes.
        let places = (0..8).chain((8..len).step_by(len / 25)).chain(len - 10..len);
        for at in places {
            planted(&disk, &format!("{path} byte {at} of {len}"), |disk| flip(disk, path, at));
        }
    }
}

#[test]
fn a_flipped_byte_anywhere_in_the_journal_is_refused() {
    let (setup, disk) = directory();
    let [path] = &find(&disk, ".log")[..] else { panic!("one journal file") };
    let len = disk.bytes(path).len();
    // The last frame is the mark of an orderly stop, 16 bytes; damage to that alone cannot be told from a crash.
    for at in (0..len - 16).step_by(13) {
        let copy = disk.copy();
        flip(&copy, path, at);
        let found = report(&copy);
        assert!(!found.faults.is_empty(), "byte {at} of {len}");
        let before = copy.paths();
        let opened = setup.clone().on(copy.clone()).try_open();
        assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "byte {at} of {len}: {opened:?}");
        assert_eq!(copy.paths(), before, "nothing is removed from a damaged directory");
    }
}

/// One bad sector covers many small batches; those behind it are still there and say that it is damage.
#[test]
fn damage_to_several_batches_is_no_torn_tail() {
    let (setup, disk) = directory();
    let path = &find(&disk, ".log")[0];
    let len = disk.bytes(path).len();
    for (from, to) in [(32, len - 16), (40, len / 2), (len / 3, len - 40)] {
        let copy = disk.copy();
        let mut bytes = copy.bytes(path);
        bytes[from..to].fill(0);
        copy.tamper(path, &bytes);
        let opened = setup.clone().on(copy).try_open();
        assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{from}..{to}: {opened:?}");
    }
}

#[test]
fn a_torn_tail_is_no_damage() {
    let (setup, disk) = directory();
    let path = &find(&disk, ".log")[0];
    let whole = disk.bytes(path);
    let events = report(&disk).events;
    // Rubbish behind the end; zeros; a cut through the mark of the orderly stop, which says nothing of events.
    let tails = [[&whole[..], &[0xab; 77]].concat(), [&whole[..], &[0; 5_000]].concat(), whole[..whole.len() - 3].to_vec()];
    for (n, torn) in tails.iter().enumerate() {
        let copy = disk.copy();
        copy.tamper(path, torn);
        let found = report(&copy);
        assert_eq!((found.events, found.faults), (events, vec![]), "{n}");
        assert_eq!(found.torn_bytes, [77, 5_000, 13][n]);
        let store = setup.clone().on(copy.clone()).open();
        assert_eq!(store.recovered().torn_bytes, [77, 5_000, 13][n]);
        setup.append(&store, ORG, [event(9_999)]).unwrap();
        drop(store);
        let found = report(&copy);
        assert_eq!((found.events, found.torn_bytes, found.faults), (events + 1, 0, vec![]), "{n}");
    }
}

#[test]
fn a_flipped_byte_in_the_manifest() {
    let (setup, disk) = directory();
    let len = disk.bytes("manifest.json").len();
    for at in (0..len).step_by(11).chain(len - 10..len) {
        planted(&disk, &format!("manifest.json byte {at}"), |disk| flip(disk, "manifest.json", at));
    }
    let copy = disk.copy();
    flip(&copy, "manifest.json", 100);
    assert!(matches!(setup.on(copy).try_open(), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_removed_file() {
    let (setup, disk) = directory();
    for path in disk.paths() {
        if path.ends_with(".idx") {
            continue; // Made again at the next start; see below.
        }
        let copy = disk.copy();
        store::disk::Disk::remove(&copy, &path).unwrap();
        let found = report(&copy);
        assert!(!found.faults.is_empty(), "{path}");
        let before = copy.paths();
        let opened = setup.clone().on(copy.clone()).try_open();
        assert!(matches!(opened, Err(StoreError::Corrupt { .. } | StoreError::Io { .. })), "{path}: {opened:?}");
        assert_eq!(copy.paths(), before, "nothing more is removed");
    }
}

#[test]
fn a_removed_journal_file_between_two() {
    let disk = MemoryDisk::new();
    let setup = Setup::new(1);
    // Sealing never works here, so journal files pile up.
    let faulty =
        testkit::FaultyDisk::new(disk.clone(), |step| step.path.ends_with(".parquet").then_some(testkit::Fault::Before));
    let store = setup.clone().on(faulty).open();
    for n in 0..60 {
        setup.append(&store, ORG, [event(2 * n), event(2 * n + 1)]).unwrap();
        store.settle();
    }
    drop(store);
    let files = find(&disk, ".log");
    assert_eq!(files.len(), 3);
    assert_eq!(report(&disk).faults, [""; 0]);
    for path in &files[..2] {
        planted(&disk, path, |disk| store::disk::Disk::remove(disk, path).unwrap());
    }
    // A file that is not the last one may have no torn tail.
    planted(&disk, "a tail in the middle", |disk| {
        let mut bytes = disk.bytes(&files[0]);
        bytes.truncate(bytes.len() - 1);
        disk.tamper(&files[0], &bytes);
    });
}

/// An older manifest, put back from a backup, does not know of the newer segments. They are not taken for remains of a crash.
#[test]
fn an_older_manifest() {
    let disk = MemoryDisk::new();
    let setup = Setup::new(1).on(disk.clone());
    let store = setup.open();
    setup.append(&store, ORG, (0..60).map(event)).unwrap();
    store.settle();
    let older = disk.bytes("manifest.json");
    setup.append(&store, ORG, (60..120).map(event)).unwrap();
    store.settle();
    drop(store);
    let newer = disk.bytes("manifest.json");
    disk.tamper("manifest.json", &older);
    let before = disk.paths();
    assert!(!report(&disk).faults.is_empty());
    let opened = setup.try_open();
    assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{opened:?}");
    assert_eq!(disk.paths(), before, "nothing is removed");
    disk.tamper("manifest.json", &newer);
    assert_eq!(all(&setup.open(), ORG).len(), 121);
}

#[test]
fn swapped_files() {
    let (_, disk) = directory();
    for end in [".parquet", ".idx"] {
        let files = find(&disk, end);
        planted(&disk, end, |disk| {
            let (a, b) = (disk.bytes(&files[0]), disk.bytes(&files[1]));
            disk.tamper(&files[0], &b);
            disk.tamper(&files[1], &a);
        });
    }
}

#[test]
fn an_edited_sidecar() {
    let (setup, disk) = directory();
    let path = &find(&disk, ".idx")[1];
    for at in (0..disk.bytes(path).len()).step_by(3) {
        planted(&disk, &format!("{path} byte {at}"), |disk| flip(disk, path, at));
    }
    // One that is missing, or damaged where it is looked at, is made again.
    let good = disk.bytes(path);
    for at in [0, 20, 70, 3] {
        let copy = disk.copy();
        flip(&copy, path, at);
        if at == 3 {
            store::disk::Disk::remove(&copy, path).unwrap();
        }
        drop(setup.clone().on(copy.clone()).open());
        assert_eq!(copy.bytes(path), good);
        assert_eq!(report(&copy).faults, [""; 0]);
    }
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let (setup, disk) = directory();
    for path in ["notes.txt", "journal/notes.txt", "segments/notes.txt", "segments/backup.parquet"] {
        disk.tamper(path, b"mine");
    }
    for path in ["manifest.json.tmp", "segments/00000000000000000009.parquet", "segments/00000000000000000001.idx.tmp"] {
        disk.tamper(path, b"left by a crash");
    }
    assert_eq!(report(&disk).faults, [""; 0]);
    drop(setup.open());
    let paths = disk.paths();
    assert_eq!(paths.iter().filter(|path| path.contains("notes") || path.contains("backup")).count(), 4);
    assert!(!paths.iter().any(|path| path.ends_with(".tmp") || path.contains("0009")), "{paths:?}");
}

/// A segment that goes bad while the store runs is noticed when it is read: an error, never another event than was sealed.
#[test]
fn damage_under_a_running_store_is_noticed_when_read() {
    let (setup, disk) = directory();
    let path = &find(&disk, ".parquet")[1];
    let whole = all(&setup.open(), ORG);
    let len = disk.bytes(path).len();
    let mut noticed = 0;
    for at in (0..len).step_by(len / 40) {
        let copy = disk.copy();
        let store = setup.clone().on(copy.clone()).open();
        copy.damage(path, at);
        let page = store::Page { offset: 0, limit: 1_000 };
        match store.query(&scope(ORG), &store::Filter::default(), page) {
            Ok(rows) => assert_eq!(rows.total, whole.len() as u64, "the damage was not in the way"),
            Err(StoreError::Corrupt { path: found, .. }) if found == *path => noticed += 1,
            Err(e) => panic!("byte {at}: {e}"),
        }
    }
    assert!(noticed > 30, "{noticed}");
    // Also in the file's directory, which is read when somebody asks; and the store says so from then on.
    for at in [len - 5, len - 100] {
        let copy = disk.copy();
        copy.damage(path, at);
        let store = setup.clone().on(copy).open();
        assert_eq!(store.health().damaged, None);
        let failed = store.query(&scope(ORG), &store::Filter::default(), store::Page { offset: 0, limit: 1_000 });
        assert!(matches!(failed, Err(StoreError::Corrupt { path: ref found, .. }) if found == path), "{at}");
        assert!(store.health().damaged.is_some_and(|what| what.contains(path)));
    }
}

/// A sidecar that goes bad while the store runs is made again when that is noticed, and nobody is told anything wrong.
#[test]
fn a_sidecar_damaged_under_a_running_store_is_made_again() {
    let (setup, disk) = directory();
    let path = &find(&disk, ".idx")[1];
    let good = disk.bytes(path);
    let words = store::Filter { words: vec!["query".to_owned()], ..store::Filter::default() };
    let whole = setup.open().query(&scope(ORG), &words, store::Page { offset: 0, limit: 1_000 }).unwrap().total;
    for at in (0..good.len()).step_by(7) {
        let copy = disk.copy();
        let store = setup.clone().on(copy.clone()).open();
        copy.damage(path, at);
        let rows = store.query(&scope(ORG), &words, store::Page { offset: 0, limit: 1_000 }).unwrap();
        assert_eq!((rows.total, rows.events.len() as u64), (whole, whole), "byte {at}");
        assert_eq!(store.health().damaged, None);
    }
}
