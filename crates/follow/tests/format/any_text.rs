//! Whatever an event holds: one line, readable, and what was in it comes back.

use follow::{Format, Recorded};
use proptest::prelude::*;
use record::{Action, Actor, Change, Context, Json, Kind, Outcome, Target};
use serde_json::Value;

use crate::{lines, samples};

/// Texts that are made to end lines, fields and strings.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,12}",
        "[\u{1}-\u{1f}\u{7f}\u{85}\u{2028}\u{202e}|=\\\\\"' a-c\u{e9}]{1,16}",
        Just("CEF:0|a|b|c|d|e|9|src=1.2.3.4".to_owned()),
        Just(" suid=root\tusrName=root\r\nLEEF:2.0|".to_owned()),
        Just("\\\\|\\=\\n\\".to_owned()),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        "[A-Za-z0-9][A-Za-z0-9._:-]{0,20}".prop_map(|word| Action::new(&word).unwrap()),
        proptest::sample::select(
            record::Catalogs::built_in()
                .all()
                .iter()
                .flat_map(|catalog| &catalog.actions)
                .map(|entry| entry.id.clone())
                .collect::<Vec<_>>()
        ),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof!["[a-z0-9][a-z0-9._:-]{0,9}", Just("user".to_owned()), Just("group".to_owned()), Just("file".to_owned())]
        .prop_map(|word| Kind::new(&word).unwrap())
}

fn target() -> impl Strategy<Value = Target> {
    let maybe = || proptest::option::of(text().prop_map(String::into_boxed_str));
    (kind(), maybe(), maybe(), maybe()).prop_map(|(kind, id, name, environment)| Target { kind, id, name, environment })
}

fn json() -> impl Strategy<Value = Json> {
    prop_oneof![
        text().prop_map(|text| Json::string(&text)),
        (text(), text()).prop_map(|(name, value)| Json::trusted(&format!(
            "{{{}:[{},1.50,null]}}",
            Json::string(&name).as_str(),
            Json::string(&value).as_str()
        ))),
        text().prop_map(|value| Json::trusted(&format!("{{\"reason\":{},\"query\":{0}}}", Json::string(&value).as_str()))),
    ]
}

fn recorded() -> impl Strategy<Value = Recorded> {
    let boxed = || text().prop_map(String::into_boxed_str);
    let maybe = move || proptest::option::of(boxed());
    let actor = (kind(), boxed(), maybe(), maybe()).prop_map(|(kind, id, name, email)| Actor { kind, id, name, email });
    let context = (maybe(), maybe(), maybe(), maybe()).prop_map(|(ip, user_agent, session_id, request_id)| Context {
        ip,
        user_agent,
        session_id,
        request_id,
    });
    let change = (boxed(), proptest::option::of(json()), proptest::option::of(json()))
        .prop_map(|(field, before, after)| Change { field, before, after });
    let outcome = proptest::option::of(proptest::sample::select(Outcome::ALL.to_vec()));
    let lists = (proptest::collection::vec(target(), 0..4), proptest::collection::vec(change, 0..3));
    (action(), actor, context, lists, outcome, proptest::option::of(json()), (maybe(), maybe(), text())).prop_map(
        |(action, actor, context, (targets, changes), outcome, metadata, (id, key, organization))| {
            let mut recorded = samples::bare("x");
            recorded.organization_name = organization.into();
            recorded.key = key;
            let event = &mut recorded.event;
            (event.action, event.actor, event.context) = (action, actor, context);
            (event.targets, event.changes, event.outcome) = (targets, changes, outcome);
            (event.metadata, event.id) = (metadata, id);
            recorded
        },
    )
}

/// What LEEF shows of a text.
fn visible(text: &str) -> String {
    let hidden = |c: char| c.is_control() || "\u{2028}\u{2029}\u{202e}".contains(c);
    let show = |c: char| match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if hidden(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(show).collect()
}

/// CEF can hold the two line breaks; other control characters it shows, too.
fn visible_but_for_breaks(text: &str) -> String {
    text.split_inclusive(['\n', '\r'])
        .map(|piece| match piece.chars().last() {
            Some(last @ ('\n' | '\r')) => visible(&piece[..piece.len() - 1]) + &last.to_string(),
            _ => visible(piece),
        })
        .collect()
}

proptest! {
    #[test]
    fn every_message_is_one_line(recorded in recorded()) {
        for format in Format::ALL {
            for line in samples::encode(format, &recorded) {
                prop_assert!(!line.contains(['\n', '\r', '\0']), "{format:?} {line:?}");
                if format.is_json() {
                    let value: Result<Value, _> = serde_json::from_str(&line);
                    prop_assert!(value.as_ref().is_ok_and(Value::is_object), "{format:?} {line}");
                    let names = record::Json::parse(&line, 64);
                    prop_assert!(names.is_ok(), "{format:?} {names:?} {line}");
                } else {
                    prop_assert!(!line.contains(['\u{85}', '\u{2028}', '\u{202e}', '\u{7}']), "{format:?} {line:?}");
                }
            }
        }
    }

    #[test]
    fn native_gives_everything_back(recorded in recorded()) {
        let line = samples::encode(Format::Native, &recorded).remove(0);
        let raw: &serde_json::value::RawValue = serde_json::from_str(&line).unwrap();
        let value: Value = serde_json::from_str(raw.get()).unwrap();
        let event = &recorded.event;
        prop_assert_eq!(&value["organization"], &*recorded.organization_name);
        prop_assert_eq!(&value["actor"], &serde_json::to_value(&event.actor).unwrap());
        prop_assert_eq!(&value["targets"], &serde_json::to_value(&event.targets).unwrap());
        let context = value.get("context").cloned().unwrap_or_else(|| serde_json::json!({}));
        prop_assert_eq!(context, serde_json::to_value(&event.context).unwrap());
        let changes = value.get("changes").cloned().unwrap_or_else(|| serde_json::json!([]));
        prop_assert_eq!(changes, serde_json::to_value(&event.changes).unwrap());
        prop_assert_eq!(value.get("metadata").cloned(), event.metadata.as_ref().map(|it| serde_json::to_value(it).unwrap()));
        prop_assert_eq!(value["id"].as_str(), event.id.as_deref());
        prop_assert_eq!(value["key"].as_str(), recorded.key.as_deref());
    }

    #[test]
    fn cef_gives_texts_back(recorded in recorded()) {
        let line = samples::encode(Format::Cef, &recorded).remove(0);
        let read = lines::cef(&line);
        let event = &recorded.event;
        prop_assert_eq!(&read.header[3], event.action.as_str());
        let expected = visible_but_for_breaks(&event.actor.id);
        prop_assert_eq!(read.get("suid"), Some(expected.as_str()));
        let expected = visible_but_for_breaks(&recorded.organization_name);
        prop_assert_eq!(read.get("cs1"), Some(expected.as_str()));
        let expected = event.context.user_agent.as_deref().map(visible_but_for_breaks);
        prop_assert_eq!(read.get("requestClientApplication"), expected.as_deref());
        let expected = event.metadata.as_ref().map(|it| visible_but_for_breaks(it.as_str()));
        prop_assert_eq!(read.get("cs5"), expected.as_deref());
        for (key, _) in &read.pairs {
            read.get(key);
        }
    }

    #[test]
    fn leef_gives_texts_back(recorded in recorded()) {
        let line = samples::encode(Format::Leef, &recorded).remove(0);
        let read = lines::leef(&line);
        let event = &recorded.event;
        prop_assert_eq!(&read.header[4], event.action.as_str());
        let expected = visible(&event.actor.id);
        prop_assert_eq!(read.get("actorId"), Some(expected.as_str()));
        let expected = visible(&recorded.organization_name);
        prop_assert_eq!(read.get("organization"), Some(expected.as_str()));
        let expected = event.context.user_agent.as_deref().map(visible);
        prop_assert_eq!(read.get("userAgent"), expected.as_deref());
        let expected = event.metadata.as_ref().map(|it| visible(it.as_str()));
        prop_assert_eq!(read.get("metadata"), expected.as_deref());
        for (key, _) in &read.pairs {
            read.get(key);
        }
    }
}
