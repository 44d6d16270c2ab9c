//! The promise, under every failure: what was answered for is there, once, at its place; the rest is there whole or not at all.
//!
//! A fixed workload is run over a disk that fails at step N, for every N there is; then the power goes, or the process alone;
//! then the store is opened again. `ACTA_SEED` replays one workload.

use std::collections::BTreeMap;

use fastrand::Rng;
use record::OrgId;
use record::parse::Parsed;
use store::{Answer, Idempotency, Store};
use testkit::{Fault, FaultyDisk, MemoryDisk, Setup, event, scope, seeds};

use crate::{ORG, OTHER, all, mark, place};

/// One request, which can be sent again: its events have ids, or it has a key.
struct Request {
    org: OrgId,
    events: Vec<Parsed>,
    key: Option<Idempotency>,
    answers: Option<Vec<Answer>>,
    /// Whether the process is stopped and started after it.
    restart: bool,
}

fn workload(rng: &mut Rng) -> Vec<Request> {
    let request = |number: u8, rng: &mut Rng| {
        let by_key = rng.bool();
        let mut events: Vec<Parsed> = (0..rng.u64(1..5)).map(|k| event(u64::from(number) * 10 + k)).collect();
        for (k, parsed) in events.iter_mut().enumerate() {
            parsed.event.id = (!by_key).then(|| format!("{number}-{k}").into());
        }
        let key = by_key.then_some(Idempotency { key: [number; 16], body: [number; 16] });
        Request { org: if rng.bool() { ORG } else { OTHER }, events, key, answers: None, restart: rng.u8(0..8) == 0 }
    };
    (0..14).map(|number| request(number, rng)).collect()
}

fn send(setup: &Setup, store: &Store, request: &Request) -> Option<Vec<Answer>> {
    let prepared = setup.prepare(request.org, request.events.clone());
    store.append_wait(&scope(request.org), prepared, request.key).ok()
}

fn setup(seed: u64) -> Setup {
    let mut setup = Setup::new(seed);
    setup.options.seal_events = 9;
    setup.options.merge_factor = 3;
    // Being busy is not what is tested here.
    setup.options.unsealed_files_max = usize::MAX;
    setup
}

/// Sends every request once, and waits after each until the store has nothing more to do, so that steps come in one order.
fn run(setup: &Setup, requests: &mut [Request]) {
    let Ok(mut store) = setup.try_open() else { return };
    for request in requests {
        request.answers = send(setup, &store, request);
        store.settle();
        if request.restart {
            drop(store);
            match setup.try_open() {
                Ok(opened) => store = opened,
                Err(_) => return,
            }
        }
    }
}

/// Everything that must hold of a data directory, whatever happened to it.
fn verify(setup: &Setup, disk: &MemoryDisk, requests: &[Request], what: &str) {
    let report = store::check(disk, &mut |_| {}).unwrap();
    assert_eq!(report.faults, [""; 0], "{what}");
    let store = setup.try_open().unwrap_or_else(|e| panic!("{what}: {e}"));
    let mut marks: BTreeMap<OrgId, Vec<String>> = BTreeMap::new();
    for org in [ORG, OTHER] {
        let entries = all(&store, org);
        assert!(entries.iter().zip(0..).all(|(entry, due)| entry.index.0 == due), "{what}: indexes are dense");
        assert_eq!(store.tree(&scope(org)).map_or(0, |tree| tree.size()), entries.len() as u64, "{what}");
        let root = store.tree(&scope(org)).map(|tree| tree.root().iter().map(|byte| format!("{byte:02x}")).collect());
        assert_eq!(report.logs.get(&org).map(|log| log.1.clone()), root, "{what}");
        marks.insert(org, entries.iter().map(mark).collect());
        for request in requests.iter().filter(|request| request.org == org) {
            let there = |parsed: &Parsed| {
                let wanted = parsed.event.metadata.as_ref().unwrap().as_str();
                marks[&org].iter().filter(|mark| *mark == wanted).count()
            };
            let counts: Vec<usize> = request.events.iter().map(there).collect();
            match &request.answers {
                Some(answers) => {
                    assert!(counts.iter().all(|count| *count == 1), "{what}: answered for, and there {counts:?} times");
                    for (answer, parsed) in answers.iter().zip(&request.events) {
                        let entry = &entries[usize::try_from(place(answer).index.0).unwrap()];
                        assert_eq!((entry.event_id, &entry.event), (place(answer).event_id, &parsed.event), "{what}");
                    }
                }
                None => assert!(counts == vec![counts[0]; counts.len()] && counts[0] <= 1, "{what}: not whole: {counts:?}"),
            }
        }
    }
}

/// Sends everything once more: what was answered for is a duplicate at its place, the rest is recorded now.
fn send_again(setup: &Setup, requests: &mut [Request], what: &str) {
    let store = setup.open();
    for request in requests {
        let answers = send(setup, &store, request).unwrap_or_else(|| panic!("{what}: appends do not work again"));
        for (n, answer) in answers.iter().enumerate() {
            if let Some(before) = &request.answers {
                assert_eq!(*answer, Answer::Duplicate(place(&before[n])), "{what}");
            }
            assert!(!matches!(answer, Answer::Conflict(_)), "{what}");
        }
        request.answers = Some(answers);
    }
}

/// One failure, what follows from it, and another power loss after that.
fn survive(seed: u64, number: u64, plan: impl FnOnce(MemoryDisk) -> FaultyDisk, power_loss: bool, lies: bool, what: &str) {
    let what = &format!("ACTA_SEED={seed}: step {number} {what}, power loss: {power_loss}, lies: {lies}");
    let mut rng = Rng::with_seed(seed ^ number << 20);
    let mut requests = workload(&mut Rng::with_seed(seed));
    let disk = MemoryDisk::new();
    run(&setup(seed).on(plan(disk.clone())), &mut requests);
    if lies {
        disk.forget_what_is_not_synced();
    }
    let disk = if power_loss { disk.crash(&mut rng) } else { disk };
    let again = setup(seed + 1_000).on(disk.clone());
    verify(&again, &disk, &requests, what);
    send_again(&again, &mut requests, what);
    let disk = disk.crash(&mut rng);
    verify(&setup(seed).on(disk.clone()), &disk, &requests, &format!("{what}, then again"));
}

/// How many steps the workload takes when nothing fails; which is also what the exhaustive tests rest on: each time the same.
fn steps(seed: u64) -> u64 {
    let count = || {
        let disk = MemoryDisk::new();
        let faulty = FaultyDisk::new(disk.clone(), |_| None);
        let mut requests = workload(&mut Rng::with_seed(seed));
        let setup = setup(seed).on(faulty.clone());
        run(&setup, &mut requests);
        assert!(requests.iter().all(|request| request.answers.is_some()));
        verify(&setup.clone().on(disk.clone()), &disk, &requests, "no failure");
        faulty.steps()
    };
    let steps = count();
    assert_eq!(steps, count(), "the same workload takes the same steps");
    assert!(steps > 100, "{steps}");
    steps
}

fn every_step_fails(fault: Fault) {
    for seed in seeds(2) {
        for number in 0..steps(seed) {
            let once = |disk| FaultyDisk::at(disk, number, fault);
            let from_then_on = |disk| FaultyDisk::from(disk, number, fault);
            let power_loss = (number + seed) % 2 == 0;
            survive(seed, number, once, power_loss, !power_loss, &format!("fails once, {fault:?}"));
            survive(seed, number, from_then_on, !power_loss, false, &format!("and all later ones fail, {fault:?}"));
        }
    }
}

#[test]
fn every_step_fails_without_effect() {
    every_step_fails(Fault::Before);
}

#[test]
fn every_step_fails_with_effect() {
    every_step_fails(Fault::After);
}

#[test]
fn the_disk_is_full_at_every_step() {
    every_step_fails(Fault::NoSpace);
}

/// Nothing reports an error; the power just goes. After the step nothing more reaches the disk.
#[test]
fn the_power_goes_at_every_step() {
    for seed in seeds(2) {
        for number in 0..=steps(seed) {
            survive(
                seed,
                number,
                |disk| FaultyDisk::from(disk, number, Fault::Before),
                true,
                false,
                "is the first not done",
            );
        }
    }
}
