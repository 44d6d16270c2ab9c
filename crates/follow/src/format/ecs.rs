//! The Elastic Common Schema, 9. What it has no field for stands below `acta`, as its rules for custom fields want it.
//!
//! Two fields hold what a sender likes, so one event's text may be another's number: an index must map `acta.metadata` and
//! `acta.changes` as `flattened`, or it will refuse events.

use std::net::IpAddr;

use record::{Outcome, Target};

use super::json::{self, Object};
use super::known::{Known, is_kind, noted, of_kind};
use super::native;
use crate::recorded::Recorded;

/// The version of the schema.
pub const SCHEMA: &str = "9.4.0";

/// Appends it as one line of JSON, without a line break.
pub fn write(recorded: &Recorded, out: &mut Vec<u8>) {
    let event = &recorded.event;
    let known = Known::of(event);
    let address: Option<IpAddr> = event.context.ip.as_deref().and_then(|ip| ip.trim().parse().ok());
    json::object(out, |o| {
        o.plain("@timestamp", event.occurred_at);
        o.object("ecs", |o| o.text("version", SCHEMA));
        o.text("message", known.title());
        o.object("event", |o| members_of_event(o, recorded, known));
        o.object("organization", |o| {
            o.plain("id", recorded.organization);
            o.text("name", &recorded.organization_name);
        });
        o.object("service", |o| {
            o.text("name", "acta-audit");
            o.text("type", "acta");
        });
        o.object("user", |o| user(o, recorded));
        if let Some(group) = of_kind(event, &["group", "team"]) {
            o.object("group", |o| named(o, group));
        }
        if let Some(file) = of_kind(event, &["file", "folder"]) {
            o.object("file", |o| {
                o.maybe("path", file.name.as_deref().or(file.id.as_deref()));
                o.text("type", if file.kind.as_str() == "folder" { "dir" } else { "file" });
            });
        }
        if let Some(from) = event.context.ip.as_deref() {
            o.object("source", |o| {
                o.text("address", from);
                if let Some(address) = address {
                    o.plain("ip", address);
                }
            });
        }
        if let Some(agent) = event.context.user_agent.as_deref() {
            o.object("user_agent", |o| o.text("original", agent));
        }
        if let Some(request) = event.context.request_id.as_deref() {
            o.object("http", |o| o.object("request", |o| o.text("id", request)));
        }
        o.object("related", |o| related(o, recorded, address));
        o.object("acta", |o| acta(o, recorded, known));
    });
}

fn members_of_event(o: &mut Object<'_>, recorded: &Recorded, known: Known<'_>) {
    let event = &recorded.event;
    let (category, types) = known.ecs();
    o.plain("id", recorded.event_id);
    o.text("kind", "event");
    o.plain("action", &event.action);
    o.texts("category", category.iter().copied());
    o.texts("type", types.iter().copied());
    let outcome = known.outcome(event);
    o.text(
        "outcome",
        match outcome {
            None => "unknown",
            Some(Outcome::Success) => "success",
            Some(Outcome::Failure | Outcome::Denied) => "failure",
        },
    );
    if outcome != Some(Outcome::Success) {
        o.maybe("reason", noted(event, &["reason", "error", "code"]).as_deref());
    }
    o.text("module", "acta");
    o.text("provider", "acta");
    o.text("dataset", "acta.audit");
    o.bare("sequence", recorded.index);
    o.plain("created", recorded.recorded_at());
    o.bare("severity", known.severity_of_ten());
    if let Some(millis) = event.response_time_ms {
        // Nanoseconds; 584 years of them fit.
        o.bare("duration", millis.saturating_mul(1_000_000));
    }
}

fn named(o: &mut Object<'_>, target: &Target) {
    o.maybe("id", target.id.as_deref());
    o.maybe("name", target.name.as_deref());
}

fn user(o: &mut Object<'_>, recorded: &Recorded) {
    let event = &recorded.event;
    o.text("id", &event.actor.id);
    o.maybe("name", event.actor.name.as_deref());
    o.maybe("email", event.actor.email.as_deref());
    if let Some(target) = of_kind(event, &["user", "service_account", "account", "member"]) {
        o.object("target", |o| named(o, target));
    }
}

fn related(o: &mut Object<'_>, recorded: &Recorded, address: Option<IpAddr>) {
    let event = &recorded.event;
    if let Some(address) = address {
        o.texts("ip", [&*address.to_string()]);
    }
    let mut users = vec![&*event.actor.id];
    users.extend(event.actor.name.as_deref());
    users.extend(event.actor.email.as_deref());
    for target in event.targets.iter().filter(|target| is_kind(target.kind.as_str(), &["user", "service_account"])) {
        users.extend(target.id.as_deref());
        users.extend(target.name.as_deref());
    }
    users.sort_unstable();
    users.dedup();
    o.texts("user", users);
}

/// What ECS has no field for.
fn acta(o: &mut Object<'_>, recorded: &Recorded, known: Known<'_>) {
    let event = &recorded.event;
    o.maybe("catalog", known.found().map(|(catalog, _)| catalog.name.as_str()));
    o.maybe("category", known.category());
    o.maybe("kind", known.entry().map(|entry| native::kind(entry.kind)));
    o.maybe("severity", known.severity().map(native::severity));
    o.maybe("outcome", event.outcome.map(|outcome| outcome.as_str()));
    o.maybe("id", event.id.as_deref());
    o.maybe("team", event.team.as_ref().map(|team| team.as_str()));
    o.text("actor_type", event.actor.kind.as_str());
    o.maybe("session_id", event.context.session_id.as_deref());
    if !event.targets.is_empty() {
        native::targets(o, &event.targets);
    }
    native::changes(o, &event.changes);
    if let Some(metadata) = &event.metadata {
        o.json("metadata", metadata);
    }
    native::redactions(o, &event.redactions);
    o.maybe("key", recorded.key.as_deref());
}
