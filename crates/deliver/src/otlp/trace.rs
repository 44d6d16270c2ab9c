//! The trace that an event belongs to, if its sender told it in the metadata: `traceparent` (W3C Trace Context), or
//! `trace_id` and `span_id`.

use record::Json;
use serde::Deserialize;

#[derive(Deserialize)]
struct Told {
    traceparent: Option<serde_json::Value>,
    trace_id: Option<serde_json::Value>,
    span_id: Option<serde_json::Value>,
}

/// Trace and span, 16 and 8 bytes; no span is empty.
pub(super) fn of(metadata: &Json) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = metadata.as_str();
    if !text.contains("trace") {
        return None;
    }
    let told: Told = serde_json::from_str(text).ok()?;
    let string = |value: &Option<serde_json::Value>| value.as_ref().and_then(|value| value.as_str().map(str::to_owned));
    if let Some(parent) = string(&told.traceparent) {
        let mut parts = parent.split('-').skip(1);
        let trace = id(parts.next()?, 16)?;
        return Some((trace, parts.next().and_then(|span| id(span, 8)).unwrap_or_default()));
    }
    let trace = id(&string(&told.trace_id)?, 16)?;
    Some((trace, string(&told.span_id).and_then(|span| id(&span, 8)).unwrap_or_default()))
}

/// So many bytes in hexadecimal digits, not all zero.
fn id(text: &str, bytes: usize) -> Option<Vec<u8>> {
    if text.len() != bytes * 2 || !text.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok();
    let read: Vec<u8> = (0..bytes).map(byte).collect::<Option<_>>()?;
    read.iter().any(|&byte| byte != 0).then_some(read)
}
