//! Sealing that fails: recording goes on, it is tried again, nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::{AppendError, StoreError};
use testkit::{Deed, Fault, FaultyDisk, MemoryDisk, Setup, event};

use crate::{ORG, all, indexes, mark};

/// Fails the first `times` steps of this sort on a path with this end, once sealing has begun.
fn failing(disk: &MemoryDisk, deed: Deed, end: &'static str, fault: Fault, times: u64) -> FaultyDisk {
    let left = Arc::new(AtomicU64::new(times));
    let mut sealing = false;
    FaultyDisk::new(disk.clone(), move |step| {
        sealing |= step.path.ends_with(".parquet");
        let hit =
            sealing && step.deed == deed && if end.is_empty() { step.path.is_empty() } else { step.path.ends_with(end) };
        let hit = hit && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        hit.then_some(fault)
    })
}

#[test]
fn every_step_of_sealing_may_fail_a_few_times() {
    let steps = [
        (Deed::Create, ".parquet"),
        (Deed::Write, ".parquet"),
        (Deed::Sync, ".parquet"),
        (Deed::Create, ".idx.tmp"),
        (Deed::Write, ".idx.tmp"),
        (Deed::Sync, ".idx.tmp"),
        (Deed::Rename, ".idx"),
        (Deed::SyncDir, "segments"),
        (Deed::Create, "manifest.json.tmp"),
        (Deed::Write, "manifest.json.tmp"),
        (Deed::Sync, "manifest.json.tmp"),
        (Deed::Rename, "manifest.json"),
        (Deed::SyncDir, ""),
        (Deed::Remove, ".log"),
    ];
    for (deed, end) in steps {
        for fault in [Fault::Before, Fault::After, Fault::NoSpace] {
            let disk = MemoryDisk::new();
            let setup = Setup::new(1).on(failing(&disk, deed, end, fault, 3));
            let store = setup.open();
            for n in 0..120 {
                setup.append(&store, ORG, [event(n)]).unwrap();
            }
            while store.health().sealing.is_some() || store.stats().segments < 2 {
                store.settle();
                std::thread::yield_now();
            }
            let entries = all(&store, ORG);
            assert_eq!(indexes(&entries), (0..=120).collect::<Vec<_>>(), "{deed:?} {end} {fault:?}");
            assert_eq!(
                entries[1..].iter().map(mark).collect::<Vec<_>>(),
                (0..120).map(|n| format!("{{\"n\":{n}}}")).collect::<Vec<_>>()
            );
            drop(store);
            // A power loss now, with the remains of the failed attempts lying about.
            for seed in 0..3 {
                let left = disk.crash(&mut fastrand::Rng::with_seed(seed));
                assert_eq!(store::check(&left, &mut |_| {}).unwrap().faults, [""; 0], "{deed:?} {end} {fault:?}");
                let store = Setup::new(2).on(left.clone()).open();
                assert_eq!(all(&store, ORG), entries, "{deed:?} {end} {fault:?}");
            }
        }
    }
}

#[test]
fn when_too_much_is_unsealed_the_store_is_busy_until_sealing_works() {
    let faulty = failing(&MemoryDisk::new(), Deed::Create, ".parquet", Fault::Before, u64::MAX);
    let setup = Setup::new(1).on(faulty.clone());
    let store = setup.open();
    let mut recorded = 0;
    let refused = loop {
        match setup.append(&store, ORG, [event(recorded)]) {
            Ok(_) => recorded += 1,
            Err(e) => break e,
        }
        store.settle();
        assert!(recorded < 1_000, "some time it is too much");
    };
    assert!(matches!(refused, AppendError::Store(StoreError::Busy)), "{refused}");
    assert!(store.health().unwritable.is_some_and(|why| why.contains("sealed")));
    assert!(store.health().sealing.is_some_and(|why| why.contains("failed as planned")));
    assert_eq!(all(&store, ORG).len() as u64, recorded + 1, "what was recorded can be read");

    faulty.replan(|_| None);
    while store.health().unwritable.is_some() || store.health().sealing.is_some() {
        store.settle();
        std::thread::yield_now();
    }
    store.settle();
    setup.append(&store, ORG, [event(recorded)]).unwrap();
    assert_eq!(all(&store, ORG).len() as u64, recorded + 2);
    assert_eq!(store.health(), store::Health { unwritable: None, sealing: None, damaged: None });
}

/// Closing does not wait for the next attempt to seal.
#[test]
fn closing_does_not_wait_for_the_sealer() {
    let mut setup = Setup::new(1).on(failing(&MemoryDisk::new(), Deed::Create, ".parquet", Fault::Before, u64::MAX));
    setup.options.seal_retry_ms = 3_600_000;
    let store = setup.open();
    for n in 0..60 {
        setup.append(&store, ORG, [event(n)]).unwrap();
    }
    store.settle();
    assert!(store.health().sealing.is_some());
    store.close(); // Were it to wait, the test would take an hour.
    assert!(matches!(setup.append(&store, ORG, [event(1)]), Err(AppendError::Store(StoreError::Closing))));
    assert_eq!(all(&store, ORG).len(), 61, "a closed store can be read");
}
