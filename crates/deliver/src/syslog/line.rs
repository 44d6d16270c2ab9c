//! One event as an RFC 5424 message in its frame.

use follow::Message;
use record::catalog::{Catalogs, Severity};
use serde::{Deserialize, Serialize};

use super::shorten::shorten;

/// How messages are told apart on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// The length goes before each (RFC 5425; RFC 6587, 3.4.1).
    #[default]
    OctetCounting,
    /// A line feed ends each (RFC 6587, 3.4.2).
    Lf,
}

/// What all messages have in common.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) facility: u8,
    pub(super) hostname: String,
    pub(super) app_name: String,
    pub(super) process: String,
    pub(super) enterprise: u32,
    pub(super) framing: Framing,
}

impl Header {
    /// Appends the message in its frame. Without the frame it has at most `max` bytes.
    pub(super) fn write(&self, message: &Message, max: usize, to: &mut Vec<u8>) {
        let text = self.message(message, max);
        match self.framing {
            Framing::OctetCounting => {
                to.extend_from_slice(format!("{} ", text.len()).as_bytes());
                to.extend_from_slice(text.as_bytes());
            }
            Framing::Lf => {
                to.extend_from_slice(text.as_bytes());
                to.push(b'\n');
            }
        }
    }

    fn message(&self, message: &Message, max: usize) -> String {
        let event = &message.recorded.event;
        let priority = u16::from(self.facility) * 8 + u16::from(severity(event.action.as_str()));
        let Header { hostname, app_name, process, .. } = self;
        let (at, id) = (event.occurred_at, message_id(event.action.as_str()));
        let mut text = format!("<{priority}>1 {at} {hostname} {app_name} {process} {id} ");
        self.structured_data(message, &mut text);
        // No byte order mark, and nothing that ends a line: receivers disagree about both.
        let body = without_controls(&String::from_utf8_lossy(&message.body));
        // `] ` follows.
        let room = max.saturating_sub(text.len() + 2);
        if body.len() <= room {
            text.push_str("] ");
            text.push_str(&body);
            return text;
        }
        parameter(&mut text, "truncated", &message.body.len().to_string());
        text.push_str("] ");
        let room = max.saturating_sub(text.len());
        text.push_str(&shorten(&body, room));
        text
    }

    /// All but the bracket that closes it.
    fn structured_data(&self, message: &Message, text: &mut String) {
        let recorded = &message.recorded;
        text.push_str("[audit@");
        text.push_str(&self.enterprise.to_string());
        parameter(text, "org", &recorded.organization.to_string());
        parameter(text, "orgName", &recorded.organization_name);
        parameter(text, "index", &recorded.index.to_string());
        parameter(text, "eventId", &recorded.event_id.to_string());
        parameter(text, "action", recorded.event.action.as_str());
        if message.part > 0 {
            parameter(text, "part", &message.part.to_string());
        }
    }
}

/// RFC 5424, 6.3.3: `"`, `\` and `]` are escaped.
fn parameter(text: &mut String, name: &str, value: &str) {
    text.push(' ');
    text.push_str(name);
    text.push_str("=\"");
    for c in value.chars() {
        match c {
            '"' | '\\' | ']' => {
                text.push('\\');
                text.push(c);
            }
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text.push('"');
}

/// RFC 5424, 6.2.1: critical, error, warning, notice, informational; the catalogs say which. Unknown actions inform.
fn severity(action: &str) -> u8 {
    match Catalogs::built_in().get(action).map(|(_, entry)| entry.severity) {
        Some(Severity::Critical) => 2,
        Some(Severity::High) => 3,
        Some(Severity::Medium) => 4,
        Some(Severity::Low) => 5,
        Some(Severity::Info) | None => 6,
    }
}

/// MSGID has at most 32 characters; the whole action stands in the structured data.
fn message_id(action: &str) -> String {
    action.chars().take(32).map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect()
}

/// Tabs stay: LEEF has them between its members.
fn without_controls(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    for c in body.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']).chars() {
        match c {
            '\n' | '\r' => text.push(' '),
            c if c.is_control() && c != '\t' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::expect;
    use follow::Recorded;
    use record::event::Actor;
    use record::{Event, EventId, Index, OrgId, Timestamp};

    use super::*;

    fn message(action: &str, body: &str) -> Message {
        let at = Timestamp::from_millis(1_795_212_270_123);
        let actor = Actor { kind: "user".to_owned().try_into().unwrap(), id: "u1".into(), name: None, email: None };
        let recorded = Recorded {
            organization: OrgId(7),
            organization_name: "Ada \"&\" Söhne [\\x]\n".into(),
            index: Index(42),
            event_id: EventId::new(at, 1, [2; 8]),
            event: Event::new(action.to_owned().try_into().unwrap(), actor, at),
            key: None,
        };
        Message { recorded: Arc::new(recorded), part: 0, body: body.to_owned().into() }
    }

    fn header(framing: Framing) -> Header {
        Header {
            facility: 13,
            hostname: "acta".into(),
            app_name: "acta".into(),
            process: "99".into(),
            enterprise: 32_473,
            framing,
        }
    }

    fn written(framing: Framing, message: &Message, max: usize) -> String {
        let mut bytes = Vec::new();
        header(framing).write(message, max, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_message_has_header_structured_data_and_one_line() {
        let text = written(Framing::OctetCounting, &message("LOGIN", "\u{feff}{\"a\":\"ü\"}\n"), 8_192);
        expect![[r#"
            191 <110>1 2026-11-20T22:04:30.123Z acta acta 99 LOGIN
            [audit@32473 org="7" orgName="Ada \"&\" Söhne [\\x\] " index="42" eventId="01a1fafd-5a2b-7001-8202-020202020202" action="LOGIN"]
            {"a":"ü"}"#]]
        .assert_eq(&text.replace(" [audit", "\n[audit").replace("] {", "]\n{"));
        let (len, rest) = text.split_once(' ').unwrap();
        assert_eq!(len.parse::<usize>().unwrap(), rest.len());
        let with_feeds = written(Framing::Lf, &message("LOGIN", "a\nb\r\u{1}\n"), 8_192);
        assert!(with_feeds.ends_with("] a b \\u0001\n"), "{with_feeds}");
    }

    #[test]
    fn what_is_too_long_is_shortened_and_says_so() {
        let body = format!("{{\"query\":\"{}\"}}", "x".repeat(5_000));
        let text = written(Framing::Lf, &message(&"A".repeat(64), &body), 2_048);
        assert!(
            text.len() <= 2_049 && text.contains(&format!(" truncated=\"{}\"] {{\"query\":\"xxx", body.len())),
            "{text}"
        );
        assert!(text.contains(&format!(" 99 {} [", "A".repeat(32))));
        let body: serde_json::Value = serde_json::from_str(text.split_once("\"] ").unwrap().1).unwrap();
        assert!(body["query"].as_str().unwrap().ends_with('…'));
    }

    #[test]
    fn severities_are_those_of_the_catalogs() {
        let expected = [("LOGIN", 6), ("nobody-knows-this", 6)];
        for (action, expected) in expected {
            assert_eq!(severity(action), expected, "{action}");
        }
        for one in Catalogs::built_in().all().iter().flat_map(|catalog| &catalog.actions) {
            assert!((2..=6).contains(&severity(one.id.as_str())));
            assert_eq!(severity(one.id.as_str()) == 2, one.severity == Severity::Critical);
        }
    }
}
