//! Making a body fit, so that everybody sees that something is missing, and JSON stays JSON.

use serde_json::Value;

/// What stands at the place where something was cut.
const CUT: char = '…';
/// Texts are cut to this many characters, one step after the other, until everything fits.
const STEPS: [usize; 5] = [2_000, 1_000, 400, 120, 40];

/// At most `room` bytes of it.
pub(super) fn shorten(body: &str, room: usize) -> String {
    match serde_json::from_str::<Value>(body) {
        Ok(value @ Value::Object(_)) => object(value, room).unwrap_or_else(|| text(body, room)),
        _ => text(body, room),
    }
}

/// Long texts first; then whole members, the largest first.
fn object(mut value: Value, room: usize) -> Option<String> {
    for step in STEPS {
        cut_texts(&mut value, step);
        let shorter = value.to_string();
        if shorter.len() <= room {
            return Some(shorter);
        }
    }
    loop {
        let members = value.as_object_mut()?;
        let sizes = members.iter().map(|(name, member)| (member.to_string().len(), name.clone()));
        let (size, name) = sizes.max()?;
        // Quotes and the sign itself.
        if size <= CUT.len_utf8() + 2 {
            return None;
        }
        members.insert(name, Value::String(CUT.to_string()));
        let shorter = value.to_string();
        if shorter.len() <= room {
            return Some(shorter);
        }
    }
}

fn cut_texts(value: &mut Value, chars: usize) {
    match value {
        Value::String(long) => {
            if let Some((at, _)) = long.char_indices().nth(chars) {
                // What was cut before ends with the sign already, and it is cut off with the rest.
                long.truncate(at);
                long.push(CUT);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|one| cut_texts(one, chars)),
        Value::Object(members) => members.values_mut().for_each(|one| cut_texts(one, chars)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The beginning, between two characters and not in the middle of an escape.
fn text(body: &str, room: usize) -> String {
    let end = body.floor_char_boundary(room.saturating_sub(CUT.len_utf8()));
    let mut short = body.get(..end).unwrap_or_default().trim_end_matches('\\').to_owned();
    if room >= CUT.len_utf8() {
        short.push(CUT);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json() {
        let body = serde_json::json!({
            "id": "e1", "query": "SELECT ü ".repeat(900), "list": vec!["x".repeat(50); 100], "n": 7,
        })
        .to_string();
        for room in [8_000, 5_000, 600, 120, 60] {
            let short = shorten(&body, room);
            assert!(short.len() <= room, "{} > {room}", short.len());
            let value: Value = serde_json::from_str(&short).unwrap();
            assert_eq!((&value["id"], &value["n"]), (&Value::from("e1"), &Value::from(7)), "{short}");
            assert!(short.contains(CUT));
        }
    }

    #[test]
    fn what_is_no_object_is_cut_between_characters() {
        for body in
            ["CEF:0|Acta|Acta|1|üüüüüüüüüüüü\\\\\\\\\\\\", "{\"a\":\"üüüüüüüüüüüüüüüüüü", "[1,2,3,4,5,6,7,8,9,10,11,12]"]
        {
            for room in 0..body.len() {
                let short = shorten(body, room);
                assert!(short.len() <= room && !short.contains("\\…"), "{room}: {short}");
            }
        }
    }

    #[test]
    fn an_object_that_cannot_be_made_small_enough_is_cut_as_text() {
        let body = format!("{{{}}}", (0..100).map(|n| format!("\"member{n}\":{n}")).collect::<Vec<_>>().join(","));
        let short = shorten(&body, 300);
        assert!(short.len() <= 300 && short.ends_with(CUT), "{short}");
    }
}
