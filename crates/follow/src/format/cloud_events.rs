//! CloudEvents 1.0.2: an envelope around Acta's own form. Structured mode is a body; binary mode is headers beside a body.

use super::json;
use super::known::Known;
use super::native::Native;
use super::visible::{percent, visible};
use crate::recorded::Recorded;

/// The media type of a body in structured mode.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// Appends it in structured mode, as one line of JSON, without a line break. The data is [`Native`].
pub fn write(recorded: &Recorded, out: &mut Vec<u8>) {
    json::object(out, |o| {
        for (name, value) in attributes(recorded) {
            o.text(name, &value);
        }
        o.object("data", |o| Native::of(recorded).members(o));
    });
}

/// The context attributes, for binary mode: a transport writes them as headers (`ce_id` in Kafka, `ce-id` in HTTP and NATS;
/// `datacontenttype` is the transport's own content type) beside a body in Acta's own form. Where headers are ASCII, as in
/// HTTP, values go through [`header_value`] first.
pub fn attributes(recorded: &Recorded) -> Vec<(&'static str, String)> {
    let event = &recorded.event;
    let mut attributes = vec![
        ("specversion", "1.0".to_owned()),
        ("id", recorded.event_id.to_string()),
        ("source", format!("/organizations/{}", percent(&recorded.organization_name, unreserved))),
        ("type", format!("acta.audit.{}", event.action)),
        ("time", event.occurred_at.to_string()),
        ("datacontenttype", "application/json".to_owned()),
    ];
    if let Some(target) = Known::of(event).target(event)
        && let Some(name) = target.id.as_deref().or(target.name.as_deref())
    {
        // An attribute may not hold control characters (§2.2 of the specification).
        attributes.push(("subject", format!("{}/{}", target.kind, visible(name))));
    }
    attributes
}

/// A value as an HTTP header holds it (HTTP binding §3.1.3.2): what is not printable ASCII, space, `"` and `%` as `%XX`.
pub fn header_value(value: &str) -> String {
    percent(value, |byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'%')
}

/// RFC 3986 §2.3.
fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
