//! An event in a line, and its parts in a few words.

use record::catalog::Severity;
use record::{Actor, Catalogs, Change, Event, Json, Outcome, Target};

use super::event_json;

/// Characters of one value in a line at most.
const VALUE_CHARS_MAX: usize = 60;

/// An actor's name, or the best there is in its place.
pub(super) fn actor_name(actor: &Actor) -> &str {
    actor.name.as_deref().or(actor.email.as_deref()).unwrap_or(&actor.id)
}

/// A target's name, or its id.
pub(super) fn target_name(target: &Target) -> &str {
    target.name.as_deref().or(target.id.as_deref()).unwrap_or_else(|| target.kind.as_str())
}

/// An identifier as words: `api_key` is "api key".
pub(super) fn words(identifier: &str) -> String {
    identifier.replace(['_', '.', '-'], " ")
}

/// A mark for events that deserve attention: the class and the word. Everyday events have none.
pub(super) fn severity(action: &str) -> Option<(&'static str, &'static str)> {
    match Catalogs::built_in().get(action)?.1.severity {
        Severity::Critical => Some(("critical", "Critical")),
        Severity::High => Some(("high", "High")),
        Severity::Medium => Some(("medium", "Medium")),
        Severity::Info | Severity::Low => None,
    }
}

/// How it ended, as a word to show.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "Success",
        Outcome::Failure => "Failure",
        Outcome::Denied => "Denied",
    }
}

/// How long it took.
pub(super) fn took(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=59_999 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// What is worth a line: the targets; or what was changed; or what else is said.
pub(super) fn line(event: &Event) -> String {
    let mut parts: Vec<String> = event.targets.iter().take(4).map(target).collect();
    if event.targets.len() > 4 {
        parts.push(format!("and {} more", event.targets.len() - 4));
    }
    if parts.len() < 2 {
        parts.extend(event.changes.iter().take(2).map(change));
    }
    if parts.is_empty() {
        let members = event.metadata.iter().flat_map(|metadata| event_json::members(metadata.as_str()).unwrap_or_default());
        let told = members.filter(|(_, value)| !value.starts_with(['{', '['])).map(|(name, value)| (name, plain(&value)));
        let told = told.filter(|(_, value)| !value.is_empty()).take(2);
        parts.extend(told.map(|(name, value)| format!("{}: {}", words(&name), shortened(&value))));
    }
    parts.join(" · ")
}

fn target(target: &Target) -> String {
    let name = shortened(target_name(target));
    match &target.environment {
        Some(environment) => format!("{name} ({environment})"),
        None => name,
    }
}

fn change(change: &Change) -> String {
    let value = |value: &Option<Json>| value.as_ref().map(|value| shortened(&plain(value.as_str())));
    match (value(&change.before), value(&change.after)) {
        (Some(before), Some(after)) => format!("{}: {before} → {after}", change.field),
        (None, Some(after)) => format!("{}: {after}", change.field),
        (Some(before), None) => format!("{}: {before} removed", change.field),
        (None, None) => format!("{} changed", change.field),
    }
}

/// A JSON value as a person would write it: strings without quotes.
pub(super) fn plain(json: &str) -> String {
    if json.starts_with('"') { serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()) } else { json.to_owned() }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use record::parse;
    use record::{Limits, Timestamp};

    use super::*;

    fn of(rest: &str) -> String {
        let text = format!(r#"{{"action":"QUERY_RUN","actor":{{"type":"user","id":"u_1"}}{rest}}}"#);
        line(&parse::event(&text, &Limits::none(), Timestamp::from_millis(0)).unwrap().event)
    }

    #[test]
    fn a_line_says_what_matters_most() {
        let targets = r#","targets":[{"type":"page","name":"Refunds"},{"type":"query","name":"getOrders"},
            {"type":"resource","name":"orders-db","environment":"production"}]"#;
        let many: Vec<String> = (0..9).map(|k| format!(r#"{{"type":"file","id":"f{k}"}}"#)).collect();
        expect_test::expect![[r#"
            Refunds · getOrders · orders-db (production)
            f0 · f1 · f2 · f3 · and 5 more
            role: viewer → admin · mfa: on
            Operators · days: 30 removed
            password changed
            interface: page · filter: action=LOGIN
            "#]]
        .assert_eq(
            &[
                of(targets),
                of(&format!(r#","targets":[{}]"#, many.join(","))),
                of(r#","changes":[{"field":"role","before":"viewer","after":"admin"},{"field":"mfa","after":"on"}]"#),
                of(r#","targets":[{"type":"group","name":"Operators"}],"changes":[{"field":"days","before":30}]"#),
                of(r#","changes":[{"field":"password"}]"#),
                of(r#","metadata":{"interface":"page","deep":{"a":1},"filter":"action=LOGIN","more":1}"#),
                of(""),
            ]
            .join("\n"),
        );
        assert!(of(&format!(r#","targets":[{{"type":"page","name":"{}"}}]"#, "ü".repeat(80))).ends_with("ü…"));
    }

    #[test]
    fn times_taken_are_rounded_down() {
        assert_eq!([0, 999, 1_000, 59_999, 61_500].map(took).join(", "), "0 ms, 999 ms, 1.0 s, 59.9 s, 1 min 1 s");
    }
}
