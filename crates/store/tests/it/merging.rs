//! Merging: the same events in fewer files, whatever fails, and nobody who reads notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use record::Timestamp;
use store::{Entry, Filter, Page, Store};
use testkit::{Deed, Fault, FaultyDisk, MemoryDisk, Setup, event, scope};

use crate::{ORG, OTHER, all, place};

fn merging(seed: u64) -> Setup {
    let mut setup = Setup::new(seed);
    setup.options.merge_factor = 3;
    setup.options.unsealed_files_max = usize::MAX;
    setup
}

fn files(disk: &MemoryDisk, end: &str) -> Vec<String> {
    disk.paths().into_iter().filter(|path| path.ends_with(end)).collect()
}

/// Two organizations' events, with ids, in requests of a few.
fn fill(setup: &Setup, store: &Store, numbers: std::ops::Range<u64>) {
    for n in numbers {
        let mut with_id = event(n);
        with_id.event.id = Some(format!("id-{n}").into());
        setup.append(store, if n % 4 == 0 { OTHER } else { ORG }, [with_id, event(10_000 + n)]).unwrap();
    }
}

fn both(store: &Store) -> Vec<Entry> {
    [all(store, ORG), all(store, OTHER)].concat()
}

#[test]
fn small_segments_become_a_large_one_and_nothing_is_lost() {
    let disk = MemoryDisk::new();
    let setup = merging(1).on(disk.clone());
    let store = setup.open();
    fill(&setup, &store, 0..400);
    store.settle();
    let stats = store.stats();
    assert!(stats.segments < 8 && stats.merged_events > 700 && !stats.merging, "{stats:?}");
    assert_eq!(files(&disk, ".parquet").len() as u64, stats.segments, "the old files are gone");
    assert_eq!(files(&disk, ".idx").len() as u64, stats.segments);
    let entries = both(&store);
    assert_eq!(entries.len(), 802);
    // An id is known wherever it lies now.
    let mut again = event(7);
    again.event.id = Some("id-7".into());
    let answer = setup.append(&store, ORG, [again]).unwrap();
    assert!(matches!(answer[..], [store::Answer::Duplicate(_)]), "{answer:?}");
    let found = store.get(&scope(ORG), place(&answer[0]).event_id).unwrap().unwrap();
    assert_eq!(found.event.id.as_deref(), Some("id-7"));
    drop(store);
    let report = store::check(&disk, &mut |_| {}).unwrap();
    assert_eq!((report.faults, report.events), (vec![], 802));
    assert_eq!(both(&setup.open()), entries);
}

#[test]
fn what_is_merged_of_sidecars_is_what_follows_from_the_events() {
    let disk = MemoryDisk::new();
    let setup = merging(5).on(disk.clone());
    let store = setup.open();
    for n in 0..300_u64 {
        let mut one = event(n);
        // Some come late; some organizations are absent from some segments.
        let late = i64::try_from(n * 7_919 % 300_000).unwrap();
        one.event.occurred_at = Timestamp::from_millis(one.event.occurred_at.as_millis() - late);
        one.event.actor.email = (n % 3 > 0).then(|| format!("u{}@example.com", n % 17).into());
        one.event.metadata = (n % 5 > 0).then(|| {
            let text = format!(r#"{{"note":"refund {} of order {n:016x}","rare {n}":{}}}"#, n % 4, n * 1_000_003);
            record::Json::parse(&text, 32).unwrap()
        });
        setup.append(&store, if n < 90 { ORG } else { OTHER }, [one, event(1_000 + n)]).unwrap();
    }
    store.settle();
    assert!(store.stats().merged_events > 500, "{:?}", store.stats());
    drop(store);
    // The check makes each sidecar from the events and compares all bytes.
    assert_eq!(store::check(&disk, &mut |_| {}).unwrap().faults, [""; 0]);
}

#[test]
fn every_step_of_merging_may_fail_a_few_times() {
    let steps = [
        (Deed::Create, "00003.parquet"),
        (Deed::Write, "00003.parquet"),
        (Deed::Sync, "00003.parquet"),
        (Deed::Create, "00003.idx.tmp"),
        (Deed::Write, "00003.idx.tmp"),
        (Deed::Sync, "00003.idx.tmp"),
        (Deed::Rename, "00003.idx"),
        (Deed::SyncDir, "segments"),
        (Deed::Create, "manifest.json.tmp"),
        (Deed::Write, "manifest.json.tmp"),
        (Deed::Sync, "manifest.json.tmp"),
        (Deed::Rename, "manifest.json"),
        (Deed::SyncDir, ""),
        (Deed::Remove, "00001.parquet"),
        (Deed::Remove, "00002.idx"),
    ];
    for (deed, end) in steps {
        for fault in [Fault::Before, Fault::After, Fault::NoSpace] {
            let disk = MemoryDisk::new();
            let left = Arc::new(AtomicU64::new(1));
            let (mut merging_began, counting) = (false, left.clone());
            let faulty = FaultyDisk::new(disk.clone(), move |step| {
                // The first merged segment is the fourth that is written.
                merging_began |= step.path.ends_with("00003.parquet");
                let here = if end.is_empty() { step.path.is_empty() } else { step.path.ends_with(end) };
                let hit = merging_began && step.deed == deed && here;
                let hit = hit && counting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
                hit.then_some(fault)
            });
            let setup = merging(1).on(faulty);
            let store = setup.open();
            fill(&setup, &store, 0..80);
            while store.health().sealing.is_some() || store.stats().merging || store.stats().merged_events == 0 {
                store.settle();
                std::thread::yield_now();
            }
            assert_eq!(left.load(Ordering::SeqCst), 0, "{deed:?} {end}: the fault came");
            let entries = both(&store);
            assert_eq!(entries.len(), 162, "{deed:?} {end} {fault:?}");
            drop(store);
            // A power loss now, with the remains of the failed attempts lying about.
            for seed in 0..3 {
                let left = disk.crash(&mut fastrand::Rng::with_seed(seed));
                assert_eq!(store::check(&left, &mut |_| {}).unwrap().faults, [""; 0], "{deed:?} {end} {fault:?}");
                let store = merging(2).on(left.clone()).open();
                assert_eq!(both(&store), entries, "{deed:?} {end} {fault:?}");
                assert_eq!(files(&left, ".parquet").len() as u64, store.stats().segments, "the remains are swept away");
            }
        }
    }
}

/// Who began to read before a merge goes on with the files of that time, which stay as long.
#[test]
fn readers_do_not_notice() {
    let disk = MemoryDisk::new();
    let setup = merging(3).on(disk.clone());
    let store = setup.open();
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                threads.spawn(|| {
                    let mut seen = 0;
                    while !done.load(Ordering::SeqCst) {
                        let words = Filter { words: vec!["query".to_owned()], ..Filter::default() };
                        for filter in [Filter::default(), words] {
                            let rows = store.query(&scope(ORG), &filter, Page { offset: 0, limit: 5_000 }).unwrap();
                            assert_eq!(rows.events.len() as u64, rows.total);
                            assert!(filter.is_empty() || rows.total + 1 >= seen, "nothing disappears");
                            seen = if filter.is_empty() { rows.total } else { seen };
                        }
                        let entries = all(&store, ORG);
                        assert!(entries.iter().zip(0..).all(|(entry, due)| entry.index.0 == due));
                    }
                })
            })
            .collect();
        fill(&setup, &store, 0..600);
        store.settle();
        done.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    assert_eq!(store.health(), store::Health { unwritable: None, sealing: None, damaged: None });
    let segments = store.stats().segments;
    drop(store);
    assert_eq!(files(&disk, ".parquet").len() as u64, segments);
}

/// Years of history in no order: as few files as in order, and every page right.
#[test]
fn history_that_comes_in_any_order() {
    let setup = merging(4);
    let store = setup.open();
    let mut rng = fastrand::Rng::with_seed(4);
    let mut times = Vec::new();
    for n in 0..300 {
        let late = (0..3).map(|k| {
            let mut late = event(n * 3 + k);
            late.event.occurred_at = Timestamp::from_millis(rng.i64(0..1_500_000_000) * 1_000);
            late
        });
        let late: Vec<_> = late.collect();
        times.extend(late.iter().map(|parsed| parsed.event.occurred_at));
        setup.append(&store, ORG, late).unwrap();
    }
    store.settle();
    assert!(store.stats().segments < 10, "{:?}", store.stats());
    times.sort_unstable_by(|a, b| b.cmp(a));
    let filter = Filter { actions: Some(vec![record::Action::new("QUERY_RUN").unwrap()]), ..Filter::default() };
    for offset in (0..900).step_by(70) {
        let rows = store.query(&scope(ORG), &filter, Page { offset, limit: 70 }).unwrap();
        let found: Vec<_> = rows.events.iter().map(|entry| entry.event.occurred_at).collect();
        let from = usize::try_from(offset).unwrap();
        assert_eq!((rows.total, &found[..]), (900, &times[from..(from + 70).min(900)]), "from {offset} on");
    }
    let edges = [0, 500_000_000_000, 1_000_000_000_000, 1_500_000_000_000].map(Timestamp::from_millis);
    let wanted = edges.windows(2).map(|edge| times.iter().filter(|at| **at >= edge[0] && **at < edge[1]).count() as u64);
    assert_eq!(store.histogram(&scope(ORG), &filter, &edges).unwrap(), wanted.collect::<Vec<_>>());
}
