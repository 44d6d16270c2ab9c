//! A request can be sent again, with ids or with an idempotency key, and is recorded once.

use record::parse::Parsed;
use record::{OrgId, Timestamp};
use store::{Answer, AppendError, Idempotency, Store};
use testkit::{Setup, event, json};

use crate::{ORG, OTHER, all, place};

fn named(id: &str, n: u64) -> Parsed {
    let mut parsed = event(n);
    parsed.event.id = Some(id.into());
    parsed
}

fn key(key: u8, body: u8) -> Idempotency {
    Idempotency { key: [key; 16], body: [body; 16] }
}

/// The stages of an event's life: recent, sealed, after a restart with it recent, after a restart with it sealed.
fn stages(test: impl Fn(&Setup, &dyn Fn(Store) -> Store)) {
    let seal = |setup: &Setup, store: Store| {
        for n in 0..60 {
            setup.append(&store, OTHER, [event(1_000_000 + n)]).unwrap();
        }
        store.settle();
        assert!(store.stats().segments > 0);
        store
    };
    let restart = |setup: &Setup, store: Store| {
        drop(store);
        setup.open()
    };
    let setup = Setup::new(1);
    test(&setup, &|store| store);
    let setup = Setup::new(2);
    test(&setup, &|store| seal(&setup, store));
    let setup = Setup::new(3);
    test(&setup, &|store| restart(&setup, store));
    let setup = Setup::new(4);
    test(&setup, &|store| restart(&setup, seal(&setup, store)));
    let setup = Setup::new(5);
    test(&setup, &|store| seal(&setup, restart(&setup, seal(&setup, store))));
}

#[test]
fn the_same_id_is_recorded_once() {
    stages(|setup, later| {
        let store = setup.open();
        let first = setup.append(&store, ORG, [named("a", 1)]).unwrap();
        let [Answer::Recorded(at)] = first[..] else { panic!("{first:?}") };
        let store = later(store);
        let before = all(&store, ORG);
        assert_eq!(setup.append(&store, ORG, [named("a", 1)]).unwrap(), [Answer::Duplicate(at)]);
        assert_eq!(setup.append(&store, ORG, [named("a", 2)]).unwrap(), [Answer::Conflict(at)]);
        assert_eq!(all(&store, ORG), before);
        // Another organization's ids are its own.
        assert!(matches!(setup.append(&store, OTHER, [named("a", 1)]).unwrap()[..], [Answer::Recorded(_)]));
    });
}

#[test]
fn a_time_that_was_not_given_is_no_difference() {
    stages(|setup, later| {
        let received = |at: i64| {
            let mut parsed = named("a", 1);
            parsed.occurred_at_given = false;
            parsed.event.occurred_at = Timestamp::from_millis(at);
            parsed
        };
        let store = setup.open();
        let first = setup.append(&store, ORG, [received(1_000)]).unwrap();
        let store = later(store);
        assert_eq!(setup.append(&store, ORG, [received(2_000)]).unwrap(), [Answer::Duplicate(place(&first[0]))]);
        let mut other = received(3_000);
        other.event.metadata = Some(json("[]"));
        assert_eq!(setup.append(&store, ORG, [other]).unwrap(), [Answer::Conflict(place(&first[0]))]);
    });
}

#[test]
fn one_request_may_repeat_an_id() {
    let setup = Setup::new(1);
    let store = setup.open();
    let request = || [named("a", 1), named("b", 2), named("a", 1), named("a", 3), event(9), named("b", 2)];
    let first = setup.append(&store, ORG, request()).unwrap();
    let at: Vec<_> = first.iter().map(place).collect();
    let wanted = [
        Answer::Recorded(at[0]),
        Answer::Recorded(at[1]),
        Answer::Duplicate(at[0]),
        Answer::Conflict(at[0]),
        Answer::Recorded(at[4]),
        Answer::Duplicate(at[1]),
    ];
    assert_eq!(first, wanted);
    assert_eq!(all(&store, ORG).len(), 1 + 3);
    // Without an id an event is another one each time.
    let again = setup.append(&store, ORG, request()).unwrap();
    assert!(matches!(again[4], Answer::Recorded(_)));
    assert_eq!(all(&store, ORG).len(), 1 + 4);
}

#[test]
fn a_mixed_request_is_answered_event_by_event() {
    stages(|setup, later| {
        let store = setup.open();
        let old = place(&setup.append(&store, ORG, [named("old", 1)]).unwrap()[0]);
        let store = later(store);
        let answers = setup.append(&store, ORG, [event(5), named("old", 1), named("new", 2), named("old", 9)]).unwrap();
        assert!(matches!(answers[0], Answer::Recorded(_)));
        assert_eq!(answers[1], Answer::Duplicate(old));
        assert!(matches!(answers[2], Answer::Recorded(_)));
        assert_eq!(answers[3], Answer::Conflict(old));
    });
}

/// The answers when the same request comes again: what was recorded is now a duplicate; the rest is as it was.
fn repeated(answers: &[Answer]) -> Vec<Answer> {
    let again = |answer: &Answer| match answer {
        Answer::Recorded(place) => Answer::Duplicate(*place),
        other => other.clone(),
    };
    answers.iter().map(again).collect()
}

#[test]
fn the_same_key_is_answered_the_same() {
    stages(|setup, later| {
        let store = setup.open();
        setup.append(&store, ORG, [named("old", 1)]).unwrap();
        let request = || [named("old", 1), event(2), named("new", 3), named("old", 4), event(5), named("new", 3), event(6)];
        let first = setup.append_once(&store, ORG, request(), key(1, 1)).unwrap();
        let small = setup.append_once(&store, ORG, [event(7)], key(2, 1)).unwrap();
        setup.append(&store, ORG, [event(8)]).unwrap();
        let store = later(store);
        let before = all(&store, ORG);
        assert_eq!(setup.append_once(&store, ORG, request(), key(1, 1)).unwrap(), repeated(&first));
        assert_eq!(setup.append_once(&store, ORG, [event(7)], key(2, 1)).unwrap(), repeated(&small));
        let reused = setup.append_once(&store, ORG, [event(9)], key(2, 2));
        assert!(matches!(reused, Err(AppendError::KeyReused)), "{reused:?}");
        assert_eq!(all(&store, ORG), before);
        let elsewhere = setup.append_once(&store, OTHER, [event(7)], key(2, 1)).unwrap();
        assert!(matches!(elsewhere[..], [Answer::Recorded(_)]), "a key belongs to one organization");
    });
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    stages(|setup, later| {
        let store = setup.open();
        let first = setup.append_once(&store, ORG, [event(1)], key(1, 1)).unwrap();
        let store = later(store);
        setup.clock.set(place(&first[0]).recorded_at().plus_millis(setup.options.idempotency_ms - 100));
        assert_eq!(setup.append_once(&store, ORG, [event(1)], key(1, 1)).unwrap(), repeated(&first));
        setup.clock.advance_ms(200);
        let second = setup.append_once(&store, ORG, [event(2)], key(1, 2)).unwrap();
        assert!(matches!(second[..], [Answer::Recorded(_)]));
        let store = later(store);
        // From now on the key means the second request.
        assert_eq!(setup.append_once(&store, ORG, [event(2)], key(1, 2)).unwrap(), repeated(&second));
        assert!(matches!(setup.append_once(&store, ORG, [event(1)], key(1, 1)), Err(AppendError::KeyReused)));
    });
}

#[test]
#[should_panic(expected = "an event is appended to the log it was prepared for")]
fn an_event_prepared_for_another_log_is_a_mistake() {
    let setup = Setup::new(1);
    let store = setup.open();
    let events = setup.prepare(OrgId(1), [event(1)]);
    drop(store.append_wait(&testkit::scope(OrgId(2)), events, None));
}

/// What was redacted stays what it was through every stage, and so does who said so.
#[test]
fn a_redacted_event_is_recorded_once_whatever_the_rules_say_later() {
    let redacted = |n: u64, mark: &str, of: &str| {
        let mut parsed = named("a", n);
        parsed.event.metadata = Some(json(&format!("{{\"n\":{n},\"ssn\":\"{mark}\"}}")));
        let redaction = record::Redaction { member: "/metadata/ssn".into(), by: of.into(), how: "hidden".into() };
        parsed.event.redactions = if of.is_empty() { vec![] } else { vec![redaction] };
        parsed
    };
    stages(|setup, later| {
        let store = setup.open();
        let first = setup.append(&store, ORG, [redacted(1, "[redacted]", "red_1")]).unwrap();
        let [Answer::Recorded(at)] = first[..] else { panic!("{first:?}") };
        let store = later(store);
        let kept = all(&store, ORG).pop().unwrap().event;
        assert_eq!(kept, redacted(1, "[redacted]", "red_1").event);
        for (again, wanted) in [
            (redacted(1, "[redacted]", "red_1"), Answer::Duplicate(at)),
            (redacted(1, "078-05-1120", ""), Answer::Duplicate(at)),
            (redacted(1, "[redacted:secret]", "scrubber"), Answer::Duplicate(at)),
            (redacted(2, "078-05-1120", ""), Answer::Conflict(at)),
            (redacted(1, "078-05-1120", "red_1"), Answer::Conflict(at)),
        ] {
            assert_eq!(setup.append(&store, ORG, [again]).unwrap(), [wanted]);
        }
    });
}
