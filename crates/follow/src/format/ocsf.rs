//! The Open Cybersecurity Schema Framework, 1.8.0. The class and the activity are the catalogs'; what a class has besides is
//! in [`class`], the objects that several classes share in [`things`].
//!
//! Every message lists the profile `host`: the classes of category 6 have an actor only with it.

mod class;
mod things;

use record::catalog::{Ocsf, Severity};
use record::{Event, Outcome, Target};

use super::json::{self, Object};
use super::known::{Known, noted};
use super::{PRODUCT, VERSION, native};
use crate::recorded::Recorded;

/// The version of the schema.
const SCHEMA: &str = "1.8.0";

/// One message's share of an event.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    known: Known<'a>,
    ocsf: Ocsf,
    /// Whom it put into a group or took out of it.
    member: Option<&'a Target>,
}

/// The messages of an event. Putting people into a group and taking them out is one for each of them, with the event's id as
/// their common `metadata.correlation_uid`, and what has no place in the schema in the first; everything else is one.
pub fn messages(recorded: &Recorded) -> Vec<Vec<u8>> {
    let event = &recorded.event;
    let known = Known::of(event);
    let ocsf = class::activity(known, event);
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(1);
    for member in class::members(ocsf, known, event) {
        parts.push(Part { known, ocsf: class::of_member(ocsf, member), member: Some(member) });
    }
    if parts.is_empty() {
        parts.push(Part { known, ocsf, member: None });
    }
    let several = parts.len() > 1;
    let one = |(number, part): (usize, &Part<'_>)| {
        let mut out = Vec::with_capacity(2_048);
        json::object(&mut out, |o| write(o, recorded, *part, several.then_some(number)));
        out
    };
    parts.iter().enumerate().map(one).collect()
}

/// `number` says which of several messages it is.
fn write(o: &mut Object<'_>, recorded: &Recorded, part: Part<'_>, number: Option<usize>) {
    let (event, known, ocsf) = (&recorded.event, part.known, part.ocsf);
    let (class_uid, activity) = (ocsf.class(), ocsf.activity());
    o.bare("activity_id", activity);
    o.text("activity_name", ocsf.activity_name().unwrap_or(known.title()));
    o.bare("category_uid", class_uid / 1_000);
    o.text("category_name", if class_uid < 6_000 { "Identity & Access Management" } else { "Application Activity" });
    o.bare("class_uid", class_uid);
    o.maybe("class_name", ocsf.class_name());
    o.bare("type_uid", u32::from(class_uid) * 100 + u32::from(activity));
    let (severity_id, severity) = severity(known.severity());
    o.bare("severity_id", severity_id);
    o.text("severity", severity);
    status(o, known, event);
    o.bare("time", event.occurred_at.as_millis());
    if let Some(millis) = event.response_time_ms {
        o.bare("duration", millis);
    }
    o.text("message", known.title());
    o.object("metadata", |o| metadata(o, recorded, number));
    o.object("actor", |o| things::actor(o, event));
    things::source(o, event, class::needs_source(ocsf));
    things::request(o, event);
    class::members_of_class(o, recorded, part);
    o.object("unmapped", |o| {
        o.text("organization", &recorded.organization_name);
        // What is as long as the sender likes is told once: sixty-four members are not to make megabytes of it.
        if matches!(number, None | Some(0)) {
            unmapped(o, recorded, known);
        }
    });
}

/// An action that no catalog knows is of unknown severity.
fn severity(severity: Option<Severity>) -> (u8, &'static str) {
    match severity {
        None => (0, "Unknown"),
        Some(Severity::Info) => (1, "Informational"),
        Some(Severity::Low) => (2, "Low"),
        Some(Severity::Medium) => (3, "Medium"),
        Some(Severity::High) => (4, "High"),
        Some(Severity::Critical) => (5, "Critical"),
    }
}

fn status(o: &mut Object<'_>, known: Known<'_>, event: &Event) {
    let outcome = known.outcome(event);
    let (id, name) = match outcome {
        None => (0, "Unknown"),
        Some(Outcome::Success) => (1, "Success"),
        Some(Outcome::Failure | Outcome::Denied) => (2, "Failure"),
    };
    o.bare("status_id", id);
    o.text("status", name);
    if id == 2 {
        o.maybe("status_code", outcome.map(|outcome| outcome.as_str()));
        o.maybe("status_detail", noted(event, &["reason", "error", "code"]).as_deref());
    }
}

fn metadata(o: &mut Object<'_>, recorded: &Recorded, number: Option<usize>) {
    let Recorded { organization, index, event_id, event, .. } = recorded;
    o.text("version", SCHEMA);
    o.object("product", |o| {
        o.text("name", PRODUCT);
        o.text("vendor_name", PRODUCT);
        o.text("version", VERSION);
    });
    // The first message has the event's own id, as where there is only one.
    match number {
        None | Some(0) => o.plain("uid", event_id),
        Some(number) => o.plain("uid", format_args!("{event_id}-{number}")),
    }
    if number.is_some() {
        o.plain("correlation_uid", event_id);
    }
    o.plain("event_code", &event.action);
    o.bare("sequence", index);
    o.text("log_name", "audit");
    o.bare("logged_time", recorded.recorded_at().as_millis());
    o.plain("original_time", event.occurred_at);
    o.plain("tenant_uid", organization);
    o.texts("profiles", ["host"]);
}

/// What OCSF has no place for, or cannot have whole.
fn unmapped(o: &mut Object<'_>, recorded: &Recorded, known: Known<'_>) {
    let event = &recorded.event;
    o.maybe("category", known.category());
    o.maybe("kind", known.entry().map(|entry| native::kind(entry.kind)));
    o.maybe("id", event.id.as_deref());
    o.maybe("team", event.team.as_ref().map(|team| team.as_str()));
    if !event.targets.is_empty() {
        native::targets(o, &event.targets);
    }
    if let Some(ip) = event.context.ip.as_deref().filter(|ip| things::address(ip).is_none()) {
        o.text("ip", ip);
    }
    if let Some(email) = event.actor.email.as_deref().filter(|email| !things::is_email(email)) {
        o.text("email", email);
    }
    native::changes(o, &event.changes);
    if let Some(metadata) = &event.metadata {
        o.json("metadata", metadata);
    }
    native::redactions(o, &event.redactions);
    o.maybe("key", recorded.key.as_deref());
}
