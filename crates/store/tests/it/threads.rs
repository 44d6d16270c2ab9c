//! Many at once: who appends, who reads, who seals.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use store::{Answer, AppendError, Filter, Idempotency, Page, StoreError};
use testkit::{Deed, FaultyDisk, MemoryDisk, Setup, event, scope};

use crate::{ORG, OTHER, all, indexes, mark, place};

#[test]
fn eight_threads_append_while_others_read() {
    let mut setup = Setup::new(1);
    setup.options.unsealed_files_max = usize::MAX;
    let store = setup.open();
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let appending: Vec<_> = (0..8_u64)
            .map(|thread| {
                let (setup, store) = (&setup, &store);
                threads.spawn(move || {
                    let org = if thread % 2 == 0 { ORG } else { OTHER };
                    for n in 0..100 {
                        let answers = setup.append(store, org, [event(thread * 1_000 + n)]).unwrap();
                        // Whoever has the answer finds the event, wherever it is by now.
                        let at = place(&answers[0]);
                        let found = store.get(&scope(org), at.event_id).unwrap().unwrap();
                        assert_eq!((found.index, mark(&found)), (at.index, format!("{{\"n\":{}}}", thread * 1_000 + n)));
                    }
                })
            })
            .collect();
        threads.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::SeqCst) {
                let rows = store.query(&scope(ORG), &Filter::default(), Page { offset: 0, limit: 1_000 }).unwrap();
                assert_eq!(rows.events.len() as u64, rows.total, "the page and its total are of one moment");
                assert!(rows.total >= seen, "nothing that was read disappears");
                seen = rows.total;
                let entries = all(&store, OTHER);
                assert_eq!(indexes(&entries), (0..entries.len() as u64).collect::<Vec<_>>());
                assert!(store.values(&scope(ORG)).unwrap().actions.values().sum::<u64>() >= seen);
            }
        });
        for thread in appending {
            thread.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    store.settle();
    assert!(store.stats().segments > 5);
    for org in [ORG, OTHER] {
        let entries = all(&store, org);
        assert_eq!(indexes(&entries), (0..=400).collect::<Vec<_>>());
        assert!(entries.is_sorted_by(|a, b| a.event_id < b.event_id));
    }
    drop(store);
    let report = store::check(&*setup.disk, &mut |_| {}).unwrap();
    assert_eq!((report.events, report.faults), (802, vec![]));
}

/// The same ids from all threads at once, while what they name goes from the batch to the journal to a segment.
#[test]
fn the_same_id_at_the_same_time_is_recorded_once() {
    let mut setup = Setup::new(2);
    setup.options.unsealed_files_max = usize::MAX;
    let store = setup.open();
    let answers: Vec<Vec<Answer>> = std::thread::scope(|threads| {
        let send = |thread: usize| {
            let (setup, store) = (&setup, &store);
            threads.spawn(move || {
                let mut answers = Vec::new();
                for round in 0..150_u64 {
                    let mut named = event(round);
                    named.event.id = Some(format!("id-{round}").into());
                    // All threads send the same; half of them in a request with other events, half under one key.
                    let request =
                        if thread.is_multiple_of(2) { vec![named, event(round + 5_000)] } else { vec![event(round), named] };
                    let key = Idempotency { key: [u8::try_from(round).unwrap(); 16], body: [0; 16] };
                    let got = match thread % 2 {
                        0 => setup.append_once(store, ORG, request, key).unwrap().remove(0),
                        _ => setup.append(store, ORG, request).unwrap().remove(1),
                    };
                    answers.push(got);
                }
                answers
            })
        };
        let threads: Vec<_> = (0..6).map(send).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for round in 0..150 {
        let of_round: Vec<&Answer> = answers.iter().map(|thread| &thread[round]).collect();
        assert_eq!(of_round.iter().filter(|answer| matches!(answer, Answer::Recorded(_))).count(), 1, "{of_round:?}");
        assert!(of_round.iter().all(|answer| place(answer) == place(of_round[0])));
    }
    store.settle();
    let marks: Vec<String> = all(&store, ORG).iter().map(mark).collect();
    for round in 0..150 {
        let keyed = format!("{{\"n\":{}}}", round + 5_000);
        assert_eq!(marks.iter().filter(|mark| **mark == keyed).count(), 1, "a request with a key is recorded once");
    }
    drop(store);
    assert_eq!(store::check(&*setup.disk, &mut |_| {}).unwrap().faults, [""; 0]);
}

#[test]
fn every_append_is_answered_while_the_store_closes() {
    for seed in 0..30 {
        let mut setup = Setup::new(seed);
        setup.options.unsealed_files_max = usize::MAX;
        let store = setup.open();
        let recorded: u64 = std::thread::scope(|threads| {
            let append = |thread: u64| {
                let (setup, store) = (&setup, &store);
                threads.spawn(move || {
                    for n in 0.. {
                        match setup.append(store, ORG, [event(thread * 100_000 + n)]) {
                            Ok(_) => {}
                            Err(AppendError::Store(StoreError::Closing)) => return n,
                            Err(e) => panic!("{e}"),
                        }
                    }
                    unreachable!("it ends with the store")
                })
            };
            let threads_: Vec<_> = (0..3).map(append).collect();
            setup.append(&store, OTHER, [event(1)]).unwrap();
            store.close();
            threads_.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        drop(store);
        let store = setup.open();
        assert_eq!(all(&store, ORG).len() as u64, if recorded == 0 { 0 } else { recorded + 1 });
    }
}

/// A retry that comes while the first attempt is being synced waits for it, and is its duplicate.
#[test]
fn a_retry_of_what_is_in_flight_is_a_duplicate() {
    let faulty = FaultyDisk::new(MemoryDisk::new(), |_| None);
    let setup = Setup::new(3).on(faulty.clone());
    let store = setup.open();
    setup.append(&store, ORG, [event(0)]).unwrap();
    let named = || {
        let mut named = event(1);
        named.event.id = Some("a".into());
        [named]
    };
    let (reached, sync) = channel();
    let (go, wait) = channel::<()>();
    faulty.replan(move |step| {
        if step.deed == Deed::Sync && reached.send(()).is_ok() {
            wait.recv().unwrap_err(); // Until the other end is dropped.
        }
        None
    });
    let (answer, answers) = channel();
    let send = |number: u8| {
        let answer = answer.clone();
        let key = Idempotency { key: [1; 16], body: [1; 16] };
        let key = (number < 2).then_some(key);
        store.append(&scope(ORG), setup.prepare(ORG, named()), key, move |got| answer.send((number, got.unwrap())).unwrap());
    };
    send(0);
    sync.recv().unwrap();
    drop(sync);
    send(1);
    send(2);
    assert!(answers.try_recv().is_err(), "nothing is answered before the sync");
    drop(go);
    let got: Vec<(u8, Vec<Answer>)> = (0..3).map(|_| answers.recv().unwrap()).collect();
    let at = place(&got[0].1[0]);
    assert_eq!(got[0], (0, vec![Answer::Recorded(at)]));
    assert_eq!(got[1..], [(1, vec![Answer::Duplicate(at)]), (2, vec![Answer::Duplicate(at)])]);
}

/// A retry looks for its ids in the segments; before it comes to look among the recent ones, the event it is looking for has
/// gone from those into a segment that it has not looked at.
#[test]
fn a_retry_that_is_overtaken_by_the_sealer_is_a_duplicate() {
    let faulty = FaultyDisk::new(MemoryDisk::new(), |_| None);
    let setup = Setup::new(4).on(faulty.clone());
    let store = setup.open();
    let named = |id: &str, n| {
        let mut named = event(n);
        named.event.id = Some(id.into());
        named
    };
    let fill = |from: u64| {
        setup.append(&store, OTHER, (from..from + 60).map(event)).unwrap();
        store.settle();
    };
    let old = place(&setup.append(&store, ORG, [named("old", 1)]).unwrap()[0]);
    fill(1_000);
    let new = place(&setup.append(&store, ORG, [named("new", 2)]).unwrap()[0]);
    assert_eq!(store.stats().segments, 1);

    let (reached, looking) = channel();
    let (go, wait) = channel::<()>();
    let (reached, wait) = (Mutex::new(Some(reached)), Mutex::new(wait));
    faulty.before_reads(move |path| {
        let first = if path.ends_with(".idx") { reached.lock().unwrap().take() } else { None };
        if let Some(first) = first {
            first.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap_err();
        }
        Ok(())
    });
    std::thread::scope(|threads| {
        let retry = threads.spawn(|| setup.append(&store, ORG, [named("old", 1), named("new", 2)]).unwrap());
        looking.recv().unwrap(); // It reads the first segment's sidecar, because "old" is there.
        fill(2_000);
        assert_eq!(store.stats().segments, 2, "by now the second event is sealed");
        drop(go);
        assert_eq!(retry.join().unwrap(), [Answer::Duplicate(old), Answer::Duplicate(new)]);
    });
}

/// What the disk said is passed on as it is, not as damage.
#[test]
fn a_read_that_fails_is_an_error_of_the_disk() {
    let faulty = FaultyDisk::new(MemoryDisk::new(), |_| None);
    let setup = Setup::new(5).on(faulty.clone());
    let store = setup.open();
    setup.append(&store, ORG, (0..60).map(event)).unwrap();
    store.settle();
    let page = Page { offset: 0, limit: 10 };
    let before = store.query(&scope(ORG), &Filter::default(), page).unwrap();
    faulty.before_reads(|_| Err(std::io::ErrorKind::TimedOut.into()));
    let failed = store.query(&scope(ORG), &Filter::default(), page).map(|rows| rows.total);
    assert!(
        matches!(failed, Err(StoreError::Io { ref source, .. }) if source.kind() == std::io::ErrorKind::TimedOut),
        "{failed:?}"
    );
    faulty.before_reads(|_| Ok(()));
    assert_eq!(store.query(&scope(ORG), &Filter::default(), page).unwrap().events, before.events);
}
