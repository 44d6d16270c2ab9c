//! Events as log records, with the attributes that OpenTelemetry has names for.

use follow::{Message, Recorded};

use super::Otlp;
use super::trace;
use super::wire::{AnyValue, KeyValue, LogRecord, Request, Resource, ResourceLogs, Scope, ScopeLogs, Value};
use crate::data::{self, Level};

/// The request for a batch: one resource, one scope.
pub(super) fn request(settings: &Otlp, batch: &[Message]) -> Request {
    let own = std::iter::once(text("service.name", &settings.service));
    let more = settings.attributes.iter().map(|(name, value)| text(name, value));
    let scope = Scope { name: "acta".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let log_records = batch.iter().map(record).collect();
    let scope_logs = vec![ScopeLogs { scope: Some(scope), log_records }];
    Request {
        resource_logs: vec![ResourceLogs { resource: Some(Resource { attributes: own.chain(more).collect() }), scope_logs }],
    }
}

fn record(message: &Message) -> LogRecord {
    let recorded = &*message.recorded;
    let event = &recorded.event;
    let (severity_number, severity_text) = match Level::of(recorded) {
        Level::Info => (9, "INFO"),
        Level::Warning => (13, "WARN"),
        Level::Error => (17, "ERROR"),
        Level::Critical => (21, "FATAL"),
    };
    let (trace_id, span_id) = event.metadata.as_ref().and_then(trace::of).unwrap_or_default();
    LogRecord {
        time_unix_nano: nanoseconds(event.occurred_at),
        observed_time_unix_nano: nanoseconds(recorded.recorded_at()),
        severity_number,
        severity_text: severity_text.to_owned(),
        body: Some(AnyValue { value: Some(Value::Text(data::text(message).to_owned())) }),
        attributes: attributes(message, recorded),
        trace_id,
        span_id,
        event_name: format!("audit.{}", event.action.as_str().to_ascii_lowercase()),
    }
}

/// What is known of the event. `log.record.uid` is the same whenever it is sent again.
fn attributes(message: &Message, recorded: &Recorded) -> Vec<KeyValue> {
    let event = &recorded.event;
    let mut all = vec![
        text("log.record.uid", &message.key()),
        text("acta.event_id", &recorded.event_id.to_string()),
        number("acta.index", i64::try_from(recorded.index.0).unwrap_or(i64::MAX)),
        text("acta.organization", &recorded.organization_name),
        text("acta.action", event.action.as_str()),
        text("user.id", &event.actor.id),
    ];
    let known = [
        ("acta.category", data::category(recorded)),
        ("acta.outcome", event.outcome.map(record::Outcome::as_str)),
        ("user.name", event.actor.name.as_deref()),
        ("user.email", event.actor.email.as_deref()),
        ("client.address", event.context.ip.as_deref()),
        ("user_agent.original", event.context.user_agent.as_deref()),
        ("session.id", event.context.session_id.as_deref()),
    ];
    all.extend(known.into_iter().filter_map(|(name, value)| value.map(|value| text(name, value))));
    all
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Value::Text(value.to_owned())) }) }
}

fn number(key: &str, value: i64) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Value::Number(value)) }) }
}

/// Since 1970. What is before, or after 2554, is told as unknown (0): the protocol has no number for it.
fn nanoseconds(at: record::Timestamp) -> u64 {
    u64::try_from(at.as_millis()).ok().and_then(|millis| millis.checked_mul(1_000_000)).unwrap_or(0)
}
