//! ArcSight Common Event Format, version 0 ("Implementing ArcSight CEF", revision 25).
//!
//! `CEF:0|vendor|product|version|event class id|name|severity|extension`. In the header `\` and `|` are escaped, in the
//! extension `\`, `=` and line breaks. Any other control character is written out ([`visible`](super::visible)), in the
//! header all of them.

use std::net::IpAddr;

use record::Outcome;

use super::json;
use super::known::{Known, noted, of_kind};
use super::native;
use super::visible::{is_control, visible};
use super::{PRODUCT, VERSION};
use crate::recorded::Recorded;

/// Appends it as one line, without a line break.
pub fn write(recorded: &Recorded, out: &mut Vec<u8>) {
    let event = &recorded.event;
    let known = Known::of(event);
    let mut line = String::with_capacity(1_024);
    line.push_str("CEF:0");
    for part in [PRODUCT, PRODUCT, VERSION, event.action.as_str(), known.title()] {
        line.push('|');
        header(&mut line, part);
    }
    line.extend(["|", &known.severity_of_ten().to_string(), "|"]);
    let mut extension = Extension(&mut line, true);
    extension.put("externalId", &recorded.event_id.to_string());
    extension.put("rt", &recorded.recorded_at().as_millis().to_string());
    extension.put("start", &event.occurred_at.as_millis().to_string());
    extension.maybe("cat", known.category());
    extension.put("act", event.action.as_str());
    let outcome = known.outcome(event);
    extension.maybe("outcome", outcome.map(|outcome| outcome.as_str()));
    if matches!(outcome, Some(Outcome::Failure | Outcome::Denied)) {
        extension.maybe("reason", noted(event, &["reason", "error", "code"]).as_deref());
    }
    extension.put("suid", &event.actor.id);
    extension.maybe("suser", event.actor.name.as_deref().or(event.actor.email.as_deref()));
    source(&mut extension, event.context.ip.as_deref());
    extension.maybe("requestClientApplication", event.context.user_agent.as_deref());
    if let Some(user) = of_kind(event, &["user", "service_account", "account", "member"]) {
        extension.maybe("duid", user.id.as_deref());
        extension.maybe("duser", user.name.as_deref());
    }
    if let Some(file) = of_kind(event, &["file", "folder"]) {
        extension.maybe("fname", file.name.as_deref().or(file.id.as_deref()));
    }
    labelled(&mut extension, recorded);
    out.extend_from_slice(line.as_bytes());
}

/// What has no key of its own goes into the custom ones, each with its label.
fn labelled(extension: &mut Extension<'_>, recorded: &Recorded) {
    let event = &recorded.event;
    extension.label("cn1", "index", &recorded.index.to_string());
    if let Some(millis) = event.response_time_ms {
        extension.label("cn2", "responseTimeMs", &millis.to_string());
    }
    extension.label("cs1", "organization", &recorded.organization_name);
    if let Some(team) = &event.team {
        extension.label("cs2", "team", team.as_str());
    }
    if !event.targets.is_empty() {
        extension.label("cs3", "targets", &json::list(&event.targets, native::target));
    }
    if !event.changes.is_empty() {
        extension.label("cs4", "changes", &json::list(&event.changes, native::change));
    }
    if let Some(metadata) = &event.metadata {
        extension.label("cs5", "metadata", metadata.as_str());
    }
    let mut more = Vec::new();
    json::object(&mut more, |o| {
        o.text("actor_type", event.actor.kind.as_str());
        o.maybe("actor_email", event.actor.email.as_deref());
        o.maybe("id", event.id.as_deref());
        o.maybe("key", recorded.key.as_deref());
        native::redactions(o, &event.redactions);
    });
    extension.label("cs6", "more", &String::from_utf8_lossy(&more));
    if let Some(session) = event.context.session_id.as_deref() {
        extension.label("flexString1", "session", session);
    }
    if let Some(request) = event.context.request_id.as_deref() {
        extension.label("flexString2", "request", request);
    }
}

/// `src` is for IPv4 only in version 0; IPv6 has a custom key, and what is no address is a host.
fn source(extension: &mut Extension<'_>, from: Option<&str>) {
    let Some(from) = from else { return };
    match from.trim().parse() {
        Ok(IpAddr::V4(address)) => extension.put("src", &address.to_string()),
        Ok(IpAddr::V6(address)) => extension.label("c6a2", "Source IPv6 Address", &address.to_string()),
        Err(_) => extension.put("shost", from),
    }
}

fn header(line: &mut String, text: &str) {
    for c in visible(text).chars() {
        if matches!(c, '\\' | '|') {
            line.push('\\');
        }
        line.push(c);
    }
}

/// Writes `key=value` pairs with a space between them.
struct Extension<'a>(&'a mut String, bool);

impl Extension<'_> {
    fn put(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let Extension(line, first) = self;
        if !std::mem::take(first) {
            line.push(' ');
        }
        line.push_str(key);
        line.push('=');
        let mut rest = value;
        while let Some(at) = rest.find(|c| matches!(c, '\\' | '=') || is_control(c)) {
            let (plain, from) = rest.split_at(at);
            line.push_str(plain);
            let mut chars = from.chars();
            match chars.next() {
                Some(c @ ('\\' | '=')) => line.extend(['\\', c]),
                Some('\n') => line.push_str("\\n"),
                Some('\r') => line.push_str("\\r"),
                // The backslash of what is written out is a backslash of the text, and so escaped.
                Some(c) => line.push_str(&visible(c.encode_utf8(&mut [0; 4])).replace('\\', "\\\\")),
                None => {}
            }
            rest = chars.as_str();
        }
        line.push_str(rest);
    }

    fn maybe(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn label(&mut self, key: &str, label: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let Extension(line, first) = self;
        if !std::mem::take(first) {
            line.push(' ');
        }
        // Labels are constants of the program: nothing in them needs an escape.
        line.extend([key, "Label=", label]);
        self.put(key, value);
    }
}
