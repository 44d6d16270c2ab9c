//! After a failed write nothing is written until a restart has looked.

use std::sync::Arc;

use store::{Answer, AppendError, StoreError};
use testkit::{Deed, Fault, FaultyDisk, MemoryDisk, Setup, event, scope};

use crate::{ORG, all, place};

#[test]
fn a_failed_sync_stops_recording_until_a_restart() {
    for (deed, fault) in [
        (Deed::Sync, Fault::Before),
        (Deed::Sync, Fault::After),
        (Deed::Write, Fault::Before),
        (Deed::Write, Fault::After),
        (Deed::Write, Fault::NoSpace),
    ] {
        let disk = MemoryDisk::new();
        let faulty = FaultyDisk::new(disk.clone(), |_| None);
        let setup = Setup::new(1).on(faulty.clone());
        let store = setup.open();
        for n in 0..10 {
            setup.append(&store, ORG, [event(n)]).unwrap();
        }
        let before = all(&store, ORG);
        let tree = store.tree(&scope(ORG));
        let mut once = true;
        faulty.replan(move |step| (step.deed == deed && std::mem::take(&mut once)).then_some(fault));
        for n in 10..13 {
            let refused = setup.append(&store, ORG, [event(n)]);
            assert!(matches!(refused, Err(AppendError::Store(StoreError::Poisoned(_)))), "{deed:?} {fault:?}: {refused:?}");
        }
        assert!(store.health().unwritable.is_some_and(|why| why.contains(".log")), "it says why");
        assert_eq!(all(&store, ORG), before, "reading goes on, and shows nothing that is not durable");
        assert_eq!(store.tree(&scope(ORG)), tree, "no tree is shown of what may be gone after a restart");
        let steps = faulty.steps();
        drop(store);
        assert_eq!(faulty.steps(), steps, "nothing is written after the failure, not even on closing");

        let store = setup.open();
        let after = all(&store, ORG);
        assert!(after.starts_with(&before));
        assert!(after.len() <= before.len() + 1, "of the three only the first can have reached the disk");
        let answers = setup.append(&store, ORG, [event(20)]).unwrap();
        assert_eq!(place(&answers[0]).index.0, after.len() as u64);
        drop(store);
        assert_eq!(store::check(&disk, &mut |_| {}).unwrap().faults, [""; 0]);
    }
}

/// What the page cache shows after a failed sync is not on the disk, and syncing again does not bring it there. An event that
/// recovery shows must be.
#[test]
fn what_a_failed_sync_left_in_the_page_cache_is_written_again() {
    let disk = MemoryDisk::new();
    let faulty = FaultyDisk::new(disk.clone(), |_| None);
    let setup = Setup::new(1).on(faulty.clone());
    let store = setup.open();
    setup.append(&store, ORG, [event(1)]).unwrap();
    faulty.replan(|step| (step.deed == Deed::Sync).then_some(Fault::Before));
    setup.append(&store, ORG, [event(2)]).unwrap_err();
    drop(store);
    disk.forget_what_is_not_synced();
    faulty.replan(|_| None);
    let store = setup.open();
    let shown = all(&store, ORG);
    assert_eq!(shown.len(), 3, "the second event can be read");
    setup.append(&store, ORG, [event(3)]).unwrap();
    let shown = all(&store, ORG);
    drop(store);
    for seed in 0..20 {
        let left = disk.crash(&mut fastrand::Rng::with_seed(seed));
        assert_eq!(all(&Setup::new(1).on(left).open(), ORG), shown);
    }
}

#[test]
fn a_file_that_cannot_be_begun_poisons_too() {
    let faulty = FaultyDisk::new(MemoryDisk::new(), |step| {
        (step.deed == Deed::Create && step.path == "journal/00000000000000000001.log").then_some(Fault::After)
    });
    let setup = Setup::new(1).on(faulty.clone());
    let store = setup.open();
    let mut recorded = 0;
    while setup.append(&store, ORG, [event(recorded)]).is_ok() {
        recorded += 1;
        store.settle();
    }
    assert_eq!(recorded, 49, "with the policy, fifty: the file is full, all of it was answered");
    assert!(store.health().unwritable.is_some());
    assert_eq!(all(&store, ORG).len(), 50);
    drop(store);
    faulty.replan(|_| None);
    let store = setup.open();
    assert_eq!(all(&store, ORG).len(), 50);
    setup.append(&store, ORG, [event(recorded)]).unwrap();
}

/// A callback that panics takes the journal's thread down. Nobody may wait for it for ever.
#[test]
fn a_panic_on_the_journals_thread_is_no_hang() {
    let setup = Setup::new(1);
    let store = setup.open();
    store.append(&scope(ORG), setup.prepare(ORG, [event(1)]), None, |_| panic!("as planned"));
    store.settle();
    let refused = setup.append(&store, ORG, [event(2)]);
    assert!(matches!(refused, Err(AppendError::Store(StoreError::Poisoned(_) | StoreError::Closing))), "{refused:?}");
    assert!(store.health().unwritable.is_some_and(|why| why.contains("panicked")));
    drop(store);
    let store = setup.open();
    assert_eq!(all(&store, ORG).len(), 2, "the event was durable before the callback");
}

/// The last reference to the store may go with a callback, on the journal's own thread.
#[test]
fn the_store_may_be_dropped_by_its_own_callback() {
    let setup = Setup::new(1);
    let store = Arc::new(setup.open());
    let (sender, receiver) = std::sync::mpsc::channel();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let own = store.clone();
    store.append(&scope(ORG), setup.prepare(ORG, [event(1)]), None, move |answers| {
        held.recv().unwrap_err(); // Until the test has let go of its reference.
        drop(own);
        sender.send(answers).unwrap();
    });
    drop(store);
    drop(hold);
    let answers = receiver.recv().unwrap().unwrap();
    assert!(matches!(answers[..], [Answer::Recorded(_)]));
}
