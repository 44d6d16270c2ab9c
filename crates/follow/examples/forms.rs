//! How many events a second one core turns into each form: `cargo run --release -p follow --example forms`.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement reads the clock and prints")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use follow::{Format, Recorded};
use record::{Action, Actor, Event, EventId, Index, Json, Kind, OrgId, Outcome, Target, TeamId, Timestamp};

/// A run of a query, as an application tells it.
fn query() -> Result<Recorded, Box<dyn std::error::Error>> {
    let at = Timestamp::parse("2026-11-20T22:04:30.123Z")?;
    let actor = Actor {
        kind: Kind::new("user")?,
        id: "u_42".into(),
        name: Some("Ada Lovelace".into()),
        email: Some("ada@example.com".into()),
    };
    let mut event = Event::new(Action::new("QUERY_RUN")?, actor, at);
    for (kind, id, name) in
        [("page", "refunds", "Refunds"), ("query", "q_7", "getOrders"), ("resource", "res_orders", "orders-db")]
    {
        let (id, name) = (Some(id.into()), Some(name.into()));
        event.targets.push(Target { kind: Kind::new(kind)?, id, name, environment: Some("production".into()) });
    }
    event.team = Some(TeamId::new("operations")?);
    event.context.ip = Some("203.0.113.7".into());
    event.context.user_agent = Some("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36".into());
    event.context.session_id = Some("s_8c1f".into());
    event.context.request_id = Some("01939f3e5b1c7a3e".into());
    event.outcome = Some(Outcome::Success);
    event.response_time_ms = Some(120);
    let metadata = r#"{"query":"select id, status, total_cents from orders where customer_id = :customer_id limit :limit",
        "params":{"customer_id":"c_1881","limit":50},"rows":17}"#;
    event.metadata = Some(Json::parse(metadata, 32)?);
    Ok(Recorded {
        organization: OrgId(1),
        organization_name: Arc::from("Fernweh Outdoor"),
        index: Index(4_711),
        event_id: EventId::new(at, 1, [9; 8]),
        event,
        key: Some("key_1".into()),
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recorded = query()?;
    for format in Format::ALL {
        let bytes: usize = format.encode(&recorded)?.iter().map(|message| message.len()).sum();
        let (mut events, start) = (0_u32, Instant::now());
        while start.elapsed() < Duration::from_secs(1) {
            for _ in 0..1_000 {
                black_box(format.encode(black_box(&recorded))?);
            }
            events += 1_000;
        }
        let each = f64::from(events) / start.elapsed().as_secs_f64();
        println!("{:12} {each:>10.0} events/s, {bytes} bytes each", format.as_str());
    }
    Ok(())
}
