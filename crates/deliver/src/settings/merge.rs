//! Changed settings: which secrets are kept.

use serde_json::Value;

use crate::secret::HIDDEN;

/// See [`super::Settings::merged`].
pub(super) fn merged(secrets: &[&str], places: &[&str], old: &Value, new: &Value) -> Value {
    let mut all = new.clone();
    // A place that is itself secret is the same as long as it is not given anew.
    let stays = |&place: &&str| match new.pointer(place) {
        Some(Value::String(text)) if text == HIDDEN => true,
        None if secrets.contains(&place) => true,
        other => other == old.pointer(place),
    };
    if !places.iter().all(stays) {
        return all;
    }
    for secret in secrets {
        match secret.strip_suffix("/*") {
            None => keep(&mut all, secret, old.pointer(secret)),
            Some(above) => keep_below(&mut all, above, old.pointer(above)),
        }
    }
    all
}

/// Keeps a secret that is absent or hidden.
fn keep(all: &mut Value, pointer: &str, old: Option<&Value>) {
    let Some(old) = old else { return };
    match all.pointer_mut(pointer) {
        Some(value) if value == HIDDEN => value.clone_from(old),
        Some(_) => {}
        None => {
            let Some((above, name)) = pointer.rsplit_once('/') else { return };
            if let Some(Value::Object(members)) = all.pointer_mut(above) {
                members.insert(name.to_owned(), old.clone());
            }
        }
    }
}

/// Keeps those of many secrets that are hidden; all of them if their place is absent.
fn keep_below(all: &mut Value, above: &str, old: Option<&Value>) {
    match (all.pointer_mut(above), old) {
        (Some(Value::Object(members)), Some(Value::Object(old))) => {
            for (name, value) in members.iter_mut().filter(|(_, value)| *value == HIDDEN) {
                if let Some(kept) = old.get(name) {
                    value.clone_from(kept);
                }
            }
        }
        (Some(Value::Array(items)), Some(Value::Array(old))) => {
            for (index, value) in items.iter_mut().enumerate().filter(|(_, value)| *value == HIDDEN) {
                if let Some(kept) = old.get(index) {
                    value.clone_from(kept);
                }
            }
        }
        (None, Some(_)) => keep(all, above, old),
        _ => {}
    }
}
