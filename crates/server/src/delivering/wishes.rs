//! What somebody wants of a destination, checked as a whole: every mistake is named at once.

use deliver::settings::Settings;
use directory::DestinationSettings;
use follow::format::Format;
use follow::{Hide, Wanted};
use serde_json::Value;

use crate::app::App;
use crate::problem::{FieldError, Problem};

/// Wishes that can be fulfilled.
#[derive(Debug)]
pub struct Wishes {
    /// The receiver's settings, to be shown and to be kept, if they were given.
    pub settings: Option<DestinationSettings>,
    /// The format's name.
    pub format: String,
    /// Which events.
    pub wanted: Value,
}

/// Reads what somebody wants: settings for this type of receiver, the format, which events, what is hidden of them.
pub fn read(
    app: &App,
    kind: &str,
    settings: Option<&Value>,
    format: Option<&str>,
    wanted: Option<&Value>,
    hide: &[String],
) -> Result<Wishes, Problem> {
    let mut errors = Vec::new();
    let mut note = |pointer: String, detail: String| {
        errors.push(FieldError { pointer: Some(pointer), parameter: None, detail });
    };
    let settings = settings.map(|whole| {
        let shown = shown(app, kind, whole, &mut note);
        DestinationSettings { shown, whole: whole.clone() }
    });
    let format = format.unwrap_or(Format::Native.as_str());
    if Format::parse(format).is_none() {
        let known: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
        note("/format".to_owned(), format!("{format:?} is none of {}", known.join(", ")));
    }
    let wanted = wanted.cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    if let Err(error) = serde_path_to_error::deserialize::<_, Wanted>(&wanted) {
        let pointer = crate::body_json::pointer(error.path());
        note(format!("/filter{pointer}"), error.inner().to_string());
    }
    if let Err((at, error)) = Hide::parse(hide) {
        note(format!("/hide/{at}"), error.to_string());
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    Ok(Wishes { settings, format: format.to_owned(), wanted })
}

/// What may be shown of settings; their mistakes are noted.
fn shown(app: &App, kind: &str, whole: &Value, note: &mut impl FnMut(String, String)) -> Value {
    let parsed = match Settings::parse(kind, whole) {
        Ok(parsed) => parsed,
        Err(mistakes) => {
            for mistake in mistakes {
                // A type that nobody knows is no fault of the settings.
                let is_type = mistake.member == "/type";
                note(if is_type { mistake.member } else { format!("/settings{}", mistake.member) }, mistake.text);
            }
            return Value::Null;
        }
    };
    let doors = app.delivering.doors();
    let refused = parsed.refused(doors.dial.allowed());
    if let Err(error) = parsed.open(doors)
        && refused.is_empty()
    {
        note("/settings".to_owned(), error.to_string());
    }
    for mistake in refused {
        note(format!("/settings{}", mistake.member), mistake.text);
    }
    parsed.shown()
}

/// New settings with the secrets of the old ones where the new ones leave them out.
pub fn merged(kind: &str, old: Option<&Value>, new: &Value) -> Value {
    old.map_or_else(|| new.clone(), |old| Settings::merged(kind, old, new))
}
