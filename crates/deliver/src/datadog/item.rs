//! An event as a log of Datadog: its text as the message, and what Datadog has standard attributes for.

use follow::Message;
use serde::Serialize;

use super::Datadog;
use crate::data::{self, Level};

/// Bytes of one log as JSON. Datadog's limit is 1 MB; what is longer it cuts without a word.
pub(super) const LOG: usize = 1_000_000;

#[derive(Serialize)]
struct Item<'a> {
    message: &'a str,
    ddsource: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    ddtags: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<&'a str>,
    service: &'a str,
    timestamp: String,
    status: &'static str,
    usr: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<Network<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Client<'a>>,
    evt: Evt<'a>,
    /// Nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    acta: Acta<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

#[derive(Serialize)]
struct Network<'a> {
    client: Address<'a>,
}

#[derive(Serialize)]
struct Address<'a> {
    ip: &'a str,
}

#[derive(Serialize)]
struct Client<'a> {
    useragent: &'a str,
}

#[derive(Serialize)]
struct Evt<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
}

#[derive(Serialize)]
struct Acta<'a> {
    event_id: String,
    index: u64,
    organization: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shortened: Option<Shortened>,
}

/// Says that the message is not whole, and that the event is in Acta.
#[derive(Serialize)]
struct Shortened {
    message_bytes: usize,
    kept_bytes: usize,
    why: &'static str,
}

/// The request's body.
pub(super) fn body(settings: &Datadog, batch: &[Message]) -> Vec<u8> {
    let tags = settings.tags.join(",");
    let mut body = b"[".to_vec();
    for message in batch {
        if body.len() > 1 {
            body.push(b',');
        }
        body.extend_from_slice(&item(settings, &tags, message));
    }
    body.push(b']');
    body
}

fn item(settings: &Datadog, tags: &str, message: &Message) -> Vec<u8> {
    let text = data::text(message);
    let whole = write(settings, tags, message, text, None);
    if whole.len() <= LOG {
        return whole;
    }
    // What is beside the text stays; the note that it was shortened comes with it.
    let note = |kept_bytes: usize| Shortened {
        message_bytes: text.len(),
        kept_bytes,
        why: "Datadog takes 1 MB a log; the whole event is in Acta under acta.event_id",
    };
    let beside = write(settings, tags, message, "", Some(note(text.len()))).len();
    let kept = beginning(text, LOG.saturating_sub(beside));
    write(settings, tags, message, kept, Some(note(kept.len())))
}

/// As much of a text as takes this many bytes inside a JSON string.
fn beginning(text: &str, room: usize) -> &str {
    let mut taken = 0;
    for (at, one) in text.char_indices() {
        taken += match one {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' => 6,
            other => other.len_utf8(),
        };
        if taken > room {
            return &text[..at];
        }
    }
    text
}

fn write(settings: &Datadog, tags: &str, message: &Message, text: &str, shortened: Option<Shortened>) -> Vec<u8> {
    let recorded = &message.recorded;
    let event = &recorded.event;
    let item = Item {
        message: text,
        ddsource: &settings.source,
        ddtags: tags,
        hostname: settings.hostname.as_deref(),
        service: &settings.service,
        timestamp: event.occurred_at.to_string(),
        status: match Level::of(recorded) {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
        },
        usr: User { id: &event.actor.id, name: event.actor.name.as_deref(), email: event.actor.email.as_deref() },
        network: event.context.ip.as_deref().map(|ip| Network { client: Address { ip } }),
        http: event.context.user_agent.as_deref().map(|useragent| Client { useragent }),
        evt: Evt {
            name: event.action.as_str(),
            outcome: event.outcome.map(record::Outcome::as_str),
            category: data::category(recorded),
        },
        duration: event.response_time_ms.map(|ms| ms.saturating_mul(1_000_000)),
        acta: Acta {
            event_id: recorded.event_id.to_string(),
            index: recorded.index.0,
            organization: &recorded.organization_name,
            shortened,
        },
    };
    // Texts and numbers only: this does not fail.
    serde_json::to_vec(&item).unwrap_or_default()
}
