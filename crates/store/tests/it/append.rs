//! What was appended can be read: at once, sealed, after a restart.

use record::{Index, OrgId, Timestamp};
use store::{Answer, Filter, Page};
use testkit::{Setup, event, scope, team_scope};

use crate::{ORG, OTHER, all, indexes, mark, place};

#[test]
fn an_event_is_read_as_soon_as_it_is_answered_for() {
    let setup = Setup::new(1);
    let store = setup.open();
    assert_eq!(store.tree(&scope(ORG)), None);
    for n in 0..120 {
        let answers = setup.append(&store, ORG, [event(n)]).unwrap();
        let [Answer::Recorded(place)] = answers[..] else { panic!("{answers:?}") };
        assert_eq!(place.index, Index(n + 1), "index 0 is the log's own");
        let found = store.get(&scope(ORG), place.event_id).unwrap().unwrap();
        assert_eq!((found.index, found.event), (place.index, event(n).event));
        assert_eq!(store.tree(&scope(ORG)).unwrap().size(), n + 2);
        if n % 30 == 0 {
            store.settle();
        }
    }
    store.settle();
    assert!(store.stats().segments >= 2, "{:?}", store.stats());
    assert!(store.stats().recent_events > 0, "{:?}", store.stats());
}

#[test]
fn every_log_begins_with_its_policy() {
    let setup = Setup::new(1);
    let store = setup.open();
    setup.append(&store, ORG, [event(0)]).unwrap();
    let first = all(&store, ORG).remove(0);
    assert_eq!(first.event.action.as_str(), "log.policy");
    assert_eq!(mark(&first), r#"{"retention":"P12M"}"#);
    let (id, at) = (first.event_id, first.recorded_at());
    let record = format!(r#"{{"action":"log.policy","id":"{id}","recorded_at":"{at}","retention":"P12M","v":1}}"#);
    assert_eq!(first.record(), record);
}

#[test]
fn organizations_do_not_see_each_other() {
    let setup = Setup::new(2);
    let mut store = setup.open();
    for n in 0..130 {
        setup.append(&store, if n % 3 == 0 { ORG } else { OTHER }, [event(n)]).unwrap();
    }
    for sealed in [false, true] {
        if sealed {
            store.settle();
            drop(store);
            store = setup.open();
        }
        for (org, wanted) in [(ORG, 44), (OTHER, 86)] {
            let entries = all(&store, org);
            assert_eq!(indexes(&entries), (0..wanted + 1).collect::<Vec<_>>());
            assert!(entries.iter().all(|entry| entry.org == org));
            let marks: Vec<String> =
                (0..130).filter(|n| (n % 3 == 0) == (org == ORG)).map(|n| format!("{{\"n\":{n}}}")).collect();
            assert_eq!(entries[1..].iter().map(mark).collect::<Vec<_>>(), marks);
            for entry in entries {
                assert_eq!(store.get(&scope(org), entry.event_id).unwrap(), Some(entry.clone()));
                let foreign = if org == ORG { OTHER } else { ORG };
                assert_eq!(store.get(&scope(foreign), entry.event_id).unwrap(), None);
                assert_eq!(store.get(&team_scope(org, "sales"), entry.event_id).unwrap(), None, "it has no team");
            }
        }
    }
    assert!(all(&store, OrgId(99)).is_empty());
    let page = Page { offset: 0, limit: 10 };
    assert_eq!(store.query(&scope(OrgId(99)), &Filter::default(), page).unwrap().total, 0);
}

#[test]
fn a_restart_changes_nothing() {
    let setup = Setup::new(3);
    let mut before = Vec::new();
    let mut tree = None;
    for round in 0..6 {
        let store = setup.open();
        assert_eq!(all(&store, ORG), before);
        assert_eq!(store.tree(&scope(ORG)), tree);
        assert_eq!(store.recovered().torn_bytes, 0);
        for n in 0..13 {
            setup.append(&store, ORG, (0..n).map(|k| event(round * 1_000 + n * 20 + k))).unwrap();
        }
        store.settle();
        before = all(&store, ORG);
        tree = store.tree(&scope(ORG));
        assert_eq!(tree.as_ref().unwrap().size(), 1 + (round + 1) * 78);
        assert_eq!(indexes(&before), (0..before.len() as u64).collect::<Vec<_>>());
        assert!(before.is_sorted_by(|a, b| a.event_id < b.event_id), "event ids ascend with the index");
    }
}

#[test]
fn ids_ascend_whatever_the_clock_does() {
    let mut setup = Setup::new(4);
    setup.options.seal_events = 100_000;
    for (at, step_ms) in [(1_700_000_000_000, 0), (1_600_000_000_000, -5), (-10_000, 1), (1_700_000_000_001, 1)] {
        setup.clock.set(Timestamp::from_millis(at));
        setup.clock.set_step_ms(step_ms);
        let store = setup.open();
        for n in 0..3 {
            // Together more than one millisecond has room for.
            setup.append(&store, ORG, (0..1_400).map(|k| event(n * 10_000 + k))).unwrap();
        }
        let entries = all(&store, ORG);
        assert!(entries.is_sorted_by(|a, b| a.event_id < b.event_id));
        assert!(entries.is_sorted_by(|a, b| a.recorded_at() <= b.recorded_at()));
    }
    // A log that begins before 1970 cannot say so in a UUID; its ids ascend all the same.
    let setup = Setup::new(4);
    setup.clock.set(Timestamp::from_millis(-3));
    let store = setup.open();
    for n in 0..8 {
        setup.append(&store, ORG, [event(n)]).unwrap();
    }
    assert!(all(&store, ORG).is_sorted_by(|a, b| a.event_id < b.event_id));
}

#[test]
fn an_empty_request_is_answered_and_records_nothing() {
    let setup = Setup::new(5);
    let store = setup.open();
    assert_eq!(setup.append(&store, ORG, []).unwrap(), []);
    assert!(all(&store, ORG).is_empty());
    let answers = setup.append(&store, ORG, [event(0)]).unwrap();
    assert_eq!(place(&answers[0]).index, Index(1));
    assert_eq!(setup.append(&store, ORG, []).unwrap(), []);
    assert_eq!(all(&store, ORG).len(), 2);
}

#[test]
fn one_process_at_a_time() {
    let setup = Setup::new(6);
    let store = setup.open();
    assert!(matches!(setup.try_open(), Err(store::StoreError::Locked)));
    assert!(matches!(store::check(&*setup.disk, &mut |_| {}), Err(store::StoreError::Locked)));
    drop(store);
    setup.open();
}

#[test]
fn on_the_real_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(7).on(store::disk::RealDisk::open(folder.path()).unwrap());
    let mut wanted = 1;
    for _ in 0..3 {
        let store = setup.open();
        assert!(matches!(setup.try_open(), Err(store::StoreError::Locked)));
        for n in 0..40 {
            setup.append(&store, ORG, [event(n), event(n + 1)]).unwrap();
        }
        wanted += 80;
        store.settle();
        assert_eq!(all(&store, ORG).len(), wanted);
        drop(store);
        let report = store::check(&*setup.disk, &mut |_| {}).unwrap();
        assert_eq!((report.events, &report.faults), (wanted as u64, &Vec::new()));
    }
    // A torn tail on the real disk: cut off, and written over.
    let journal =
        std::fs::read_dir(folder.path().join("journal")).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend([7; 100]);
    let file = store::disk::Disk::append(&*setup.disk, &format!("journal/{}", journal.file_name().unwrap().display()), 0);
    file.unwrap().write_all(&bytes).unwrap();
    let store = setup.open();
    assert_eq!(store.recovered().torn_bytes, 100);
    setup.append(&store, ORG, [event(1_000)]).unwrap();
    drop(store);
    let report = store::check(&*setup.disk, &mut |_| {}).unwrap();
    assert_eq!((report.events, report.torn_bytes, report.faults), (wanted as u64 + 1, 0, vec![]));
}
