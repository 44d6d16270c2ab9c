//! Short ways to make events and scopes.

use std::collections::BTreeSet;

use access::{Act, KeyScope, Scope, Subject, decide};
use record::parse::Parsed;
use record::{Action, Actor, Event, Json, Kind, OrgId, TeamId, Timestamp};

/// The scope of the whole organization.
pub fn scope(org: OrgId) -> Scope {
    decide(&Subject::System { org }, Act::Read).expect("the system may")
}

/// The scope of a key that is confined to one team.
pub fn team_scope(org: OrgId, team: &str) -> Scope {
    let team = TeamId::new(team).expect("a team id");
    let scopes = BTreeSet::from([KeyScope::EventsRead]);
    decide(&Subject::Key { org, team: Some(team), scopes }, Act::Read).expect("the key may")
}

/// An actor of type `user`.
pub fn actor(id: &str) -> Actor {
    Actor { kind: Kind::new("user").expect("a kind"), id: id.into(), name: None, email: None }
}

/// JSON from its text.
pub fn json(text: &str) -> Json {
    Json::parse(text, 32).expect("JSON")
}

/// The n-th of a series of events that all differ: `{"n": n}` in the metadata, one second apart, without an id.
pub fn event(n: u64) -> Parsed {
    let at = Timestamp::from_millis(1_795_212_000_000).plus_millis(i64::try_from(n).expect("a small number") * 1_000);
    let mut event = Event::new(Action::new("QUERY_RUN").expect("an action"), actor(&format!("u_{}", n % 7)), at);
    event.metadata = Some(json(&format!("{{\"n\":{n}}}")));
    Parsed { event, occurred_at_given: true }
}
