//! What a story promises, checked on whole stories.

use std::collections::BTreeSet;
use std::net::IpAddr;

use record::{Action, Kind, TeamId};

use super::*;

const NOW: &str = "2026-11-20T22:04:30.123Z";

fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

fn tell(seed: u64, events: usize) -> Vec<Value> {
    Story::new(seed, events, now()).events().collect()
}

fn text<'v>(event: &'v Value, pointer: &str) -> &'v str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn at(event: &Value) -> Timestamp {
    Timestamp::parse(text(event, "/occurred_at")).unwrap()
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_another() {
    assert_eq!(tell(7, 2_000), tell(7, 2_000));
    assert_ne!(tell(7, 2_000), tell(8, 2_000));
}

#[test]
fn exactly_as_many_events_as_asked_for_in_order_and_within_ninety_days() {
    let hours = [0, 1, 7, 26, 49, 77, 103, 145];
    for (seed, hours_later) in (0..).zip(hours) {
        let now = now().plus_millis(hours_later * calendar::HOUR);
        for events in [EVENTS_MIN, 777, 5_000] {
            let told: Vec<_> = Story::new(seed, events, now).events().collect();
            assert_eq!(told.len(), events);
            for pair in told.windows(2) {
                assert!(at(&pair[0]) <= at(&pair[1]));
            }
            assert!(at(&told[0]) >= now.plus_millis(-calendar::DAYS * calendar::DAY));
            assert!(at(&told[events - 1]) <= now);
        }
    }
    assert_eq!(tell(1, 3).len(), EVENTS_MIN);
}

#[test]
fn ids_are_unique() {
    let told = tell(3, 25_000);
    let ids: BTreeSet<_> = told.iter().map(|event| text(event, "/id")).collect();
    assert_eq!(ids.len(), told.len());
}

#[test]
fn the_newcomers_and_the_incident_are_whole_however_short_the_story() {
    for (seed, days_later) in (0..7).zip(0..7) {
        let now = now().plus_millis(days_later * calendar::DAY);
        let told: Vec<_> = Story::new(seed, EVENTS_MIN, now).events().collect();
        let of = |action: &str, ip: &str| {
            told.iter().filter(|event| text(event, "/action") == action && text(event, "/context/ip") == ip).count()
        };
        assert_eq!(of("LOGIN_FAILED", incident::ADDRESS), 49);
        assert_eq!(of("LOGIN", incident::ADDRESS), 1);
        assert_eq!(of("QUERY_RUN", incident::ADDRESS), 15);
        for action in
            ["DISABLE_TWO_FACTOR_AUTH", "MODIFY_PERMISSIONS", "REVEAL_RETOOLDB_CONNECTION_STRING", "DOWNLOAD_AUDIT_LOGS"]
        {
            assert_eq!(of(action, incident::ADDRESS), 1, "{action}");
        }
        let login = told
            .iter()
            .find(|event| text(event, "/action") == "LOGIN" && text(event, "/context/ip") == incident::ADDRESS)
            .unwrap();
        // An hour behind hers.
        assert!(text(login, "/occurred_at").contains("T01:40:"), "{login}");
        let days_ago = now.millis_since(at(login)) / calendar::DAY;
        assert!((9..=14).contains(&days_ago), "{days_ago} days ago");
        // Nothing that she did herself falls between the break-in and the morning.
        let disabled = told
            .iter()
            .position(|event| {
                text(event, "/action") == "DISABLE_USER" && text(event, "/targets/0/id") == people::MARGUERITE.id
            })
            .unwrap();
        let enabled = told.iter().position(|event| text(event, "/action") == "ENABLE_USER").unwrap();
        for event in &told[disabled..enabled] {
            if text(event, "/actor/id") == people::MARGUERITE.id {
                assert_eq!(text(event, "/outcome"), "denied", "{event}");
            }
        }
        for (action, times) in
            [("REDEEM_INVITE", 2), ("CREATE_USER", 2), ("ARCHIVE_USER", 1), ("RESET_RETOOLDB_PASSWORD", 1)]
        {
            assert_eq!(told.iter().filter(|event| text(event, "/action") == action).count(), times, "{action}");
        }
    }
}

#[test]
fn nobody_works_before_their_first_day_or_after_their_last() {
    let told = tell(5, 20_000);
    for person in [&people::HANA, &people::KWAME] {
        let first = told.iter().find(|event| text(event, "/actor/id") == person.id).unwrap();
        assert_eq!(text(first, "/action"), "REDEEM_INVITE");
    }
    let disabled = told
        .iter()
        .position(|event| text(event, "/action") == "DISABLE_USER" && text(event, "/targets/0/id") == people::SAMUEL.id)
        .unwrap();
    for event in told[disabled..].iter().filter(|event| text(event, "/actor/id") == people::SAMUEL.id) {
        assert_eq!(text(event, "/outcome"), "denied", "{event}");
    }
}

#[test]
fn all_addresses_are_for_documentation_and_the_thief_has_a_network_to_himself() {
    for event in tell(9, 20_000) {
        let ip: IpAddr = text(&event, "/context/ip").parse().unwrap();
        let documentation = match ip {
            IpAddr::V4(v4) => matches!(v4.octets(), [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _]),
            IpAddr::V6(v6) => v6.segments()[..2] == [0x2001, 0xdb8],
        };
        assert!(documentation, "{ip}");
        let email = text(&event, "/actor/email");
        assert!(email.is_empty() || email.ends_with("@example.com"), "{email}");
        if ip.to_string().starts_with("192.0.2.") {
            assert_eq!(ip.to_string(), incident::ADDRESS);
        }
    }
}

#[test]
fn only_members_that_an_event_may_have() {
    let check = |value: &Value, allowed: &[&str], whole: &Value| {
        for key in value.as_object().unwrap().keys() {
            assert!(allowed.contains(&key.as_str()), "{key} in {whole}");
        }
    };
    for event in tell(11, 20_000) {
        let members = [
            "id",
            "action",
            "occurred_at",
            "team",
            "actor",
            "targets",
            "context",
            "outcome",
            "response_time_ms",
            "changes",
            "metadata",
        ];
        check(&event, &members, &event);
        check(&event["actor"], &["type", "id", "name", "email"], &event);
        check(&event["context"], &["ip", "user_agent", "session_id", "request_id"], &event);
        assert!(Action::new(text(&event, "/action")).is_ok(), "{event}");
        assert!(Kind::new(text(&event, "/actor/type")).is_ok(), "{event}");
        assert!(event.get("team").is_none_or(|team| TeamId::new(team.as_str().unwrap()).is_ok()), "{event}");
        assert!(["success", "failure", "denied"].contains(&text(&event, "/outcome")), "{event}");
        for target in event.get("targets").and_then(Value::as_array).into_iter().flatten() {
            check(target, &["type", "id", "name", "environment"], &event);
            assert!(Kind::new(text(target, "/type")).is_ok(), "{event}");
        }
        for change in event.get("changes").and_then(Value::as_array).into_iter().flatten() {
            check(change, &["field", "before", "after"], &event);
        }
    }
}

#[test]
fn weeks_look_like_weeks_and_nights_like_nights() {
    let told = tell(13, 25_000);
    let mut by_weekday = [0_u32; 7];
    for event in told.iter().filter(|event| text(event, "/actor/type") == "user") {
        let day = at(event).as_millis().div_euclid(calendar::DAY) + 3;
        by_weekday[usize::try_from(day.rem_euclid(7)).unwrap()] += 1;
    }
    assert!(by_weekday[5] * 4 < by_weekday[1], "{by_weekday:?}");
    let failed = told.iter().filter(|event| text(event, "/outcome") != "success").count();
    assert!((300..1_500).contains(&failed), "{failed} of 25,000 did not succeed");
}

#[test]
fn a_long_story_is_told_a_day_at_a_time() {
    let mut telling = Telling::new(1, 300_000, now().as_millis());
    let mut told = 0;
    while telling.next().is_some() {
        told += 1;
        assert!(telling.ready.len() + telling.later.len() < 10_000);
    }
    assert_eq!(told, 300_000);
}
