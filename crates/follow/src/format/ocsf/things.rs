//! Objects of OCSF that several classes have.

use std::net::IpAddr;

use record::{Event, Target};

use crate::format::json::Object;
use crate::format::known::{Known, is_kind};

/// What stands where the schema wants a name and nothing is known.
const UNKNOWN: &str = "unknown";

/// An IP address in its usual form; what else senders put in its place is none.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.trim().parse().ok()
}

/// Whether the schema takes it for an e-mail address: ASCII, and a dot in the domain.
pub(super) fn is_email(text: &str) -> bool {
    let domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let local = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+,-./=?^_`{|}~".contains(c);
    text.split_once('@').is_some_and(|(before, after)| {
        let labels = after.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && !rest.is_empty());
        !before.is_empty() && before.chars().all(local) && labels && after.chars().all(domain)
    })
}

/// `uid` and `name`, of which the schema wants one.
pub(super) fn named(o: &mut Object<'_>, id: Option<&str>, name: Option<&str>) {
    o.maybe("uid", id);
    o.maybe("name", name.or(if id.is_none() { Some(UNKNOWN) } else { None }));
}

/// Who did it: `user`, and the session.
pub(super) fn actor(o: &mut Object<'_>, event: &Event) {
    o.object("user", |o| acting_user(o, event));
    if let Some(session) = event.context.session_id.as_deref() {
        o.object("session", |o| o.text("uid", session));
    }
}

fn acting_user(o: &mut Object<'_>, event: &Event) {
    let actor = &event.actor;
    named(o, Some(&actor.id), actor.name.as_deref());
    user_type(o, actor.kind.as_str());
    o.maybe("email_addr", actor.email.as_deref().filter(|email| is_email(email)));
}

/// The members of a user: of this one, or of whoever did it.
pub(super) fn user(o: &mut Object<'_>, event: &Event, target: Option<&Target>) {
    let Some(target) = target else { return acting_user(o, event) };
    named(o, target.id.as_deref(), target.name.as_deref());
    user_type(o, target.kind.as_str());
    // A user who does something to herself is known better as the actor.
    let herself = target.id.as_deref() == Some(&*event.actor.id) && target.kind == event.actor.kind;
    if herself {
        o.maybe("email_addr", event.actor.email.as_deref().filter(|email| is_email(email)));
    }
}

fn user_type(o: &mut Object<'_>, kind: &str) {
    let id = match kind {
        "user" => 1,
        "system" => 3,
        _ if is_kind(kind, &["service_account", "service", "api_key", "access_token", "application", "workflow", "bot"]) => {
            4
        }
        _ => 99,
    };
    o.bare("type_id", id);
    o.text("type", kind);
}

/// The members of a thing of any sort: `managed_entity`.
pub(super) fn entity(o: &mut Object<'_>, known: Known<'_>, target: Option<&Target>, organization: (&str, &str)) {
    let kind = target.map(|target| target.kind.as_str()).or(known.about()).unwrap_or(UNKNOWN);
    match target {
        Some(target) => named(o, target.id.as_deref(), target.name.as_deref()),
        // What is done to the organization does not always say so.
        None if kind == "organization" => named(o, Some(organization.0), Some(organization.1)),
        None => named(o, None, None),
    }
    let id = match kind {
        "device" => 1,
        "user" => 2,
        "group" => 3,
        "organization" => 4,
        "policy" => 5,
        "mail" | "email" => 6,
        _ => 99,
    };
    o.bare("type_id", id);
    o.text("type", kind);
}

/// The members of `resource_details` and of `web_resource`.
pub(super) fn resource(o: &mut Object<'_>, target: &Target) {
    named(o, target.id.as_deref(), target.name.as_deref());
    o.text("type", target.kind.as_str());
    if let Some(environment) = &target.environment {
        o.texts("labels", [&*format!("environment:{environment}")]);
    }
}

/// `src_endpoint`. Some classes must have one even when nothing is known.
pub(super) fn source(o: &mut Object<'_>, event: &Event, needed: bool) {
    let ip = event.context.ip.as_deref();
    if ip.is_none() && !needed {
        return;
    }
    o.object("src_endpoint", |o| match ip.map(|ip| (ip, address(ip))) {
        Some((_, Some(address))) => o.plain("ip", address),
        Some((host, None)) if is_host(host) => o.text("hostname", host),
        Some((other, None)) => o.text("name", other),
        None => o.text("name", UNKNOWN),
    });
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.len() <= 253 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// `http_request`.
pub(super) fn request(o: &mut Object<'_>, event: &Event) {
    let context = &event.context;
    if context.user_agent.is_some() || context.request_id.is_some() {
        o.object("http_request", |o| {
            o.maybe("uid", context.request_id.as_deref());
            o.maybe("user_agent", context.user_agent.as_deref());
        });
    }
}
