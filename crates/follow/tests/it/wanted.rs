//! Which events a destination wants.

use expect_test::expect;
use follow::Wanted;
use record::{Action, Actor, Event, Kind, Outcome, TeamId, Timestamp};

fn event(action: &str, team: Option<&str>, outcome: Option<Outcome>) -> Event {
    let actor = Actor { kind: Kind::new("user").unwrap(), id: "u".into(), name: None, email: None };
    let mut event = Event::new(Action::new(action).unwrap(), actor, Timestamp::from_millis(0));
    event.team = team.map(|team| TeamId::new(team).unwrap());
    event.outcome = outcome;
    event
}

#[test]
fn every_part_has_to_cover_the_event() {
    let events = [
        event("LOGIN", None, Some(Outcome::Success)),
        event("LOGIN_FAILED", None, Some(Outcome::Failure)),
        event("QUERY_RUN", Some("ops"), Some(Outcome::Denied)),
        event("DELETE_USER", Some("hr"), None),
        event("nobody.knows.it", Some("ops"), None),
    ];
    let filters = [
        "{}",
        r#"{"actions":["LOGIN"]}"#,
        r#"{"actions":["LOGIN*","nobody.*"]}"#,
        r#"{"categories":["queries","QUERIES"]}"#,
        r#"{"teams":["ops"]}"#,
        r#"{"severity":"info"}"#,
        r#"{"severity":"low"}"#,
        r#"{"outcomes":["failure","denied"]}"#,
        r#"{"teams":["ops"],"outcomes":["denied"]}"#,
        r#"{"actions":[],"teams":[]}"#,
        r#"{"action":["LOGIN"]}"#,
        r#"{"severity":"loud"}"#,
        r#"{"actions":["LO*GIN"]}"#,
    ];
    let mut out = String::new();
    for filter in filters {
        let told = match serde_json::from_str::<Wanted>(filter) {
            Ok(wanted) => {
                let wants: Vec<_> =
                    events.iter().filter(|event| wanted.matches(event)).map(|event| event.action.as_str()).collect();
                let back = serde_json::from_str::<Wanted>(&serde_json::to_string(&wanted).unwrap()).unwrap();
                assert_eq!(back, wanted);
                wants.join(" ")
            }
            Err(e) => format!("refused: {e}"),
        };
        out.push_str(&format!("{filter} => {told}\n"));
    }
    expect![[r#"
        {} => LOGIN LOGIN_FAILED QUERY_RUN DELETE_USER nobody.knows.it
        {"actions":["LOGIN"]} => LOGIN
        {"actions":["LOGIN*","nobody.*"]} => LOGIN LOGIN_FAILED nobody.knows.it
        {"categories":["queries","QUERIES"]} => QUERY_RUN
        {"teams":["ops"]} => QUERY_RUN nobody.knows.it
        {"severity":"info"} => LOGIN LOGIN_FAILED QUERY_RUN DELETE_USER nobody.knows.it
        {"severity":"low"} => LOGIN_FAILED DELETE_USER
        {"outcomes":["failure","denied"]} => LOGIN_FAILED QUERY_RUN
        {"teams":["ops"],"outcomes":["denied"]} => QUERY_RUN
        {"actions":[],"teams":[]} => LOGIN LOGIN_FAILED QUERY_RUN DELETE_USER nobody.knows.it
        {"action":["LOGIN"]} => refused: unknown field `action`, expected one of `actions`, `categories`, `teams`, `severity`, `outcomes` at line 1 column 9
        {"severity":"loud"} => refused: unknown variant `loud`, expected one of `info`, `low`, `medium`, `high`, `critical` at line 1 column 18
        {"actions":["LO*GIN"]} => refused: may hold a * at its end only at line 1 column 21
    "#]].assert_eq(&out);
    assert!(Wanted::default().is_everything());
}
