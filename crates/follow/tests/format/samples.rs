//! Events to send.

use std::sync::Arc;

use follow::{Format, Recorded};
use record::{Action, Actor, Change, Event, EventId, Index, Json, Kind, OrgId, Outcome, Target, TeamId, Timestamp};

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) fn ada() -> Actor {
    Actor {
        kind: Kind::new("user").unwrap(),
        id: "u_42".into(),
        name: Some("Ada \"Lovelace\"".into()),
        email: Some("ada@example.com".into()),
    }
}

pub(crate) fn target(kind: &str, id: Option<&str>, name: Option<&str>) -> Target {
    Target { kind: Kind::new(kind).unwrap(), id: id.map(Into::into), name: name.map(Into::into), environment: None }
}

/// An event with an action and an actor, and nothing else.
pub(crate) fn bare(action: &str) -> Recorded {
    Recorded {
        organization: OrgId(7),
        organization_name: Arc::from("Fernweh Outdoor"),
        index: Index(4_711),
        event_id: EventId::new(at("2026-11-20T22:04:31.000Z"), 1, [9; 8]),
        event: Event::new(Action::new(action).unwrap(), ada(), at("2026-11-20T22:04:30.123Z")),
        key: None,
    }
}

/// A query, with everything that an event can have.
pub(crate) fn query() -> Recorded {
    let mut recorded = bare("QUERY_RUN");
    recorded.key = Some("key_1".into());
    let event = &mut recorded.event;
    event.id = Some("order-4711-refund".into());
    event.team = Some(TeamId::new("operations").unwrap());
    let mut resource = target("resource", Some("res_orders"), Some("orders-db"));
    resource.environment = Some("production".into());
    event.targets =
        vec![target("page", Some("refunds"), Some("Refunds")), target("query", None, Some("getOrders")), resource];
    event.context.ip = Some("203.0.113.7".into());
    event.context.user_agent = Some("Mozilla/5.0 (X11; Linux x86_64)".into());
    event.context.session_id = Some("s_1".into());
    event.context.request_id = Some("r_1".into());
    event.outcome = Some(Outcome::Success);
    event.response_time_ms = Some(120);
    event.changes = vec![Change {
        field: "total".into(),
        before: Some(Json::trusted("1.50")),
        after: Some(Json::trusted("{\"cents\":150}")),
    }];
    event.metadata = Some(Json::trusted(r#"{"query":"select *\nfrom orders where a = 'x|y'","params":{"n":1.50}}"#));
    recorded
}

/// Somebody did not get in, from a host whose address is not known.
pub(crate) fn refused() -> Recorded {
    let mut recorded = bare("LOGIN_FAILED");
    let event = &mut recorded.event;
    event.actor.name = None;
    event.context.ip = Some("bastion.example.com".into());
    event.metadata = Some(Json::trusted(r#"{"reason":"INVALID_CREDENTIALS"}"#));
    recorded
}

/// Two people and a group go into a group.
pub(crate) fn grouped() -> Recorded {
    let mut recorded = bare("ADD_USERS_TO_GROUP");
    let event = &mut recorded.event;
    event.targets = vec![
        target("group", Some("g_1"), Some("Analysts")),
        target("user", Some("u_1"), Some("Grace")),
        target("user", None, Some("Alan")),
        target("group", Some("g_2"), Some("Interns")),
    ];
    event.outcome = Some(Outcome::Denied);
    event.context.ip = Some("2001:db8::7".into());
    recorded
}

/// What no catalog knows.
pub(crate) fn strange() -> Recorded {
    let mut recorded = bare("door.opened");
    recorded.event.actor.kind = Kind::new("badge").unwrap();
    recorded.event.targets = vec![target("door", Some("d|1=\\2"), Some("Front\ndoor\u{202e}\t"))];
    recorded
}

/// The messages as texts.
pub(crate) fn encode(format: Format, recorded: &Recorded) -> Vec<String> {
    let messages = format.encode(recorded).unwrap();
    messages.into_iter().map(|message| String::from_utf8(message.to_vec()).unwrap()).collect()
}
