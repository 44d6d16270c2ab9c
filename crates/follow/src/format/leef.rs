//! IBM Log Event Extended Format 2.0 ("LEEF Format Guide").
//!
//! `LEEF:2.0|vendor|product|version|event id|x09|` and pairs `key=value` with tabs between them. The format has no escapes:
//! a value holds anything but the tab, and ends where the next one begins. So values stand exactly as they are, but for
//! control characters, which are written out ([`visible`](super::visible)). What stands in the header can hold neither
//! those nor a bar.

use std::net::IpAddr;

use record::Outcome;

use super::json;
use super::known::{Known, noted, of_kind};
use super::native;
use super::visible::visible;
use super::{PRODUCT, VERSION};
use crate::recorded::Recorded;

/// Appends it as one line, without a line break.
pub fn write(recorded: &Recorded, out: &mut Vec<u8>) {
    let event = &recorded.event;
    let known = Known::of(event);
    let action = event.action.as_str();
    let mut line = format!("LEEF:2.0|{PRODUCT}|{PRODUCT}|{VERSION}|{action}|x09|");
    let mut pairs = Pairs(&mut line, true);
    // IBM's patterns are Java's: `Z` is an offset such as +0000 there.
    pairs.put("devTime", &event.occurred_at.to_string().replace('Z', "+0000"));
    pairs.put("devTimeFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSZ");
    pairs.maybe("cat", known.category());
    // From 1 to 10 here.
    pairs.put("sev", &known.severity_of_ten().max(1).to_string());
    pairs.maybe("usrName", event.actor.name.as_deref().or(event.actor.email.as_deref()).or(Some(&event.actor.id)));
    let from = event.context.ip.as_deref();
    match from.map(|from| (from, from.trim().parse::<IpAddr>())) {
        Some((_, Ok(address))) => pairs.put("src", &address.to_string()),
        Some((host, Err(_))) => pairs.put("srcHost", host),
        None => {}
    }
    let resource = known.target(event);
    pairs.maybe("resource", resource.and_then(|target| target.name.as_deref().or(target.id.as_deref())));
    if let Some(account) = of_kind(event, &["user", "service_account", "account", "member"]) {
        pairs.maybe("accountName", account.name.as_deref().or(account.id.as_deref()));
    }
    pairs.put("eventId", &recorded.event_id.to_string());
    pairs.put("index", &recorded.index.to_string());
    pairs.put("organization", &recorded.organization_name);
    pairs.put("title", known.title());
    pairs.put("recordedAt", &recorded.recorded_at().to_string());
    let outcome = known.outcome(event);
    pairs.maybe("outcome", outcome.map(|outcome| outcome.as_str()));
    if matches!(outcome, Some(Outcome::Failure | Outcome::Denied)) {
        pairs.maybe("reason", noted(event, &["reason", "error", "code"]).as_deref());
    }
    pairs.put("actorType", event.actor.kind.as_str());
    pairs.put("actorId", &event.actor.id);
    pairs.maybe("actorEmail", event.actor.email.as_deref());
    rest(&mut pairs, recorded);
    out.extend_from_slice(line.as_bytes());
}

fn rest(pairs: &mut Pairs<'_>, recorded: &Recorded) {
    let event = &recorded.event;
    pairs.maybe("senderId", event.id.as_deref());
    pairs.maybe("team", event.team.as_ref().map(|team| team.as_str()));
    pairs.maybe("sessionId", event.context.session_id.as_deref());
    pairs.maybe("requestId", event.context.request_id.as_deref());
    pairs.maybe("userAgent", event.context.user_agent.as_deref());
    pairs.maybe("responseTimeMs", event.response_time_ms.map(|millis| millis.to_string()).as_deref());
    pairs.list("targets", &event.targets, native::target);
    pairs.list("changes", &event.changes, native::change);
    pairs.maybe("metadata", event.metadata.as_ref().map(|metadata| metadata.as_str()));
    pairs.list("redactions", &event.redactions, native::redaction);
    pairs.maybe("key", recorded.key.as_deref());
}

/// Writes `key=value` pairs with a tab between them.
struct Pairs<'a>(&'a mut String, bool);

impl Pairs<'_> {
    fn put(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let Pairs(line, first) = self;
        if !std::mem::take(first) {
            line.push('\t');
        }
        line.push_str(key);
        line.push('=');
        line.push_str(&visible(value));
    }

    fn maybe(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// A JSON array, if there is anything in it.
    fn list<T>(&mut self, key: &str, items: &[T], fill: impl Fn(&mut json::Object<'_>, &T)) {
        if !items.is_empty() {
            self.put(key, &json::list(items, fill));
        }
    }
}
