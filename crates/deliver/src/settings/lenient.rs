//! Reading settings so that every mistake is found, not only the first.
//!
//! serde stops at the first one. So the member at fault is noted, replaced by the sample's, and all is read again.

use serde_json::{Map, Value};

use super::{Mistake, Receiver};
use crate::secret::HIDDEN;

/// No settings have so many members that more rounds were of use.
const ROUNDS: usize = 100;

/// Reads settings.
///
/// # Errors
/// Every mistake, in the order of the members.
pub(super) fn parse<R: Receiver>(value: &Value) -> Result<R, Vec<Mistake>> {
    let Value::Object(given) = value else {
        return Err(vec![Mistake::new("", "settings must be an object")]);
    };
    let sample = R::sample();
    let mut mistakes = Vec::new();
    // `null` says that a member is not wanted.
    let mut members: Map<String, Value> =
        given.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect();
    hidden(&Value::Object(members.clone()), "", &mut mistakes);
    for _ in 0..ROUNDS {
        match serde_path_to_error::deserialize::<_, R>(Value::Object(members.clone())) {
            Ok(settings) => {
                // What the sample stands in for is not judged again.
                let judged =
                    settings.mistakes().into_iter().filter(|found| !mistakes.iter().any(|one| same_member(one, found)));
                let judged: Vec<Mistake> = judged.collect();
                mistakes.extend(judged);
                mistakes.sort_by(|a, b| a.member.cmp(&b.member));
                return if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) };
            }
            Err(error) => {
                let (name, mistake) = read(&pointer(error.path()), &error.inner().to_string());
                let known = mistakes.iter().any(|one: &Mistake| one.member == mistake.member);
                if !known {
                    mistakes.push(mistake);
                }
                let Some(name) = name else { return Err(mistakes) };
                match sample.get(&name) {
                    Some(right) => members.insert(name, right.clone()),
                    None => members.remove(&name),
                };
            }
        }
    }
    Err(mistakes)
}

/// The member of the settings that is at fault (the first part of its pointer), and the mistake.
fn read(path: &str, text: &str) -> (Option<String>, Mistake) {
    let quoted = text.split('`').nth(1).unwrap_or_default();
    let below =
        |member: &str| if path.ends_with(&format!("/{member}")) { path.to_owned() } else { format!("{path}/{member}") };
    let mistake = if text.starts_with("missing field") {
        Mistake::new(below(quoted), "is missing")
    } else if text.starts_with("unknown field") {
        let known = text.split_once(", ").map_or("", |(_, rest)| rest).replace('`', "");
        Mistake::new(below(quoted), format!("is not known here: {known}"))
    } else {
        Mistake::new(path, text)
    };
    let first = mistake.member.split('/').nth(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
    (first, mistake)
}

/// A path as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// Whether one of them is about the other's member, or one below it.
fn same_member(a: &Mistake, b: &Mistake) -> bool {
    let within = |outer: &str, inner: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
    within(&a.member, &b.member) || within(&b.member, &a.member)
}

/// Values that only stand for a secret.
fn hidden(value: &Value, at: &str, mistakes: &mut Vec<Mistake>) {
    match value {
        Value::String(text) if text == HIDDEN => {
            let text = format!(
                "must be given: {HIDDEN} only stands for a value that is not shown, and is kept only for the same receiver"
            );
            mistakes.push(Mistake::new(at, text));
        }
        Value::Object(members) => {
            for (name, value) in members {
                hidden(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), mistakes);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                hidden(value, &format!("{at}/{index}"), mistakes);
            }
        }
        _ => {}
    }
}
