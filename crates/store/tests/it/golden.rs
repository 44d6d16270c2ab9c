//! Data directories that earlier versions wrote stay readable for ever: `golden/<version>` are files as they were written.

use record::{Index, Timestamp};
use store::{Facet, Filter, Page};
use testkit::{MemoryDisk, Setup, event, scope};

use crate::{ORG, all, indexes, mark};

/// Twenty entries in a segment of version 1, with a sidecar of version 1, and five in the journal.
fn version_1() -> MemoryDisk {
    let disk = MemoryDisk::new();
    for dir in ["journal", "segments", ""] {
        store::disk::Disk::create_dir(&disk, dir).unwrap();
    }
    disk.tamper("manifest.json", include_bytes!("golden/1/manifest.json"));
    disk.tamper("journal/00000000000000000001.log", include_bytes!("golden/1/00000000000000000001.log"));
    disk.tamper("segments/00000000000000000000.parquet", include_bytes!("golden/1/00000000000000000000.parquet"));
    disk.tamper("segments/00000000000000000000.idx", include_bytes!("golden/1/00000000000000000000.idx"));
    disk
}

#[test]
fn a_directory_of_version_1_is_read_and_goes_on() {
    let disk = version_1();
    let report = store::check(&disk, &mut |_| {}).unwrap();
    assert_eq!((report.faults, report.events, report.sealed), (vec![], 25, 20), "an outdated sidecar is no fault");
    let mut setup = Setup::new(9).on(disk.clone());
    setup.options.seal_events = 20;
    setup.options.merge_factor = 2;
    let store = setup.open();
    let before = all(&store, ORG);
    assert_eq!(indexes(&before), (0..25).collect::<Vec<_>>());
    assert!((0..24).all(|n| mark(&before[n + 1]) == format!("{{\"n\":{n}}}")));
    let eighth = &before[9].event;
    assert_eq!(eighth.id.as_deref(), Some("id-8"));
    assert_eq!(eighth.targets[0].id.as_deref(), Some("p\"1"));
    assert_eq!(eighth.targets[1].environment.as_deref(), Some("production"));
    let page = Page { offset: 0, limit: 10 };
    let words = Filter { words: vec!["ünal".to_owned()], ..Filter::default() };
    assert_eq!(store.query(&scope(ORG), &words, page).unwrap().total, 6);
    let environments = store.facets(&scope(ORG), &Filter::default(), &[Facet::Environment], 3).unwrap();
    assert_eq!(environments[0].values, [("production".to_owned(), 3)]);
    assert_eq!(disk.bytes("segments/00000000000000000000.idx")[8], 3, "the sidecar was made again");

    // It is merged with what comes, and then is of this version; nothing of it changes.
    setup.append(&store, ORG, (100..120).map(event)).unwrap();
    store.settle();
    assert!(store.stats().merged_events >= 20, "{:?}", store.stats());
    assert_eq!(all(&store, ORG)[..25], before);
    drop(store);
    assert_eq!(store::check(&disk, &mut |_| {}).unwrap().faults, [""; 0]);
    let first = &all(&setup.open(), ORG)[0];
    assert_eq!((first.index, first.event.occurred_at > Timestamp::from_millis(0)), (Index(0), true));
}
