//! An event's text, and the one meaning of a text search.
//!
//! Every word of a query must occur, as a case-insensitive substring, somewhere in the event's text. The text is: the sender's
//! id, action, team, outcome, the actor's and the targets' members, the context's members, and every member name, string,
//! number and literal inside `changes` and `metadata`, each on a line of its own, so that no word spans two of them.
//!
//! One exception: the metadata of [`LOOK`], where Acta records the filter that somebody read the log with. Were it text, every
//! search would find itself from then on, and no total would stay what it was.

use crate::event::Event;

/// The action of Acta's own record that somebody read the log.
pub const LOOK: &str = "VIEW_AUDIT_LOGS";

/// The event's text in lower case, one value a line.
pub fn lower(event: &Event) -> String {
    let mut out = String::with_capacity(512);
    each(event, |value| {
        push_lower(&mut out, value);
        out.push('\n');
    });
    out
}

/// The words of a query, in lower case.
pub fn words(query: &str) -> Vec<String> {
    query.split_whitespace().map(str::to_lowercase).collect()
}

/// Appends a text in lower case.
pub fn push_lower(out: &mut String, value: &str) {
    if value.is_ascii() {
        let from = out.len();
        out.push_str(value);
        if let Some(added) = out.get_mut(from..) {
            added.make_ascii_lowercase();
        }
    } else {
        out.push_str(&value.to_lowercase());
    }
}

/// Calls `each` with every value of the event's text.
pub fn each(event: &Event, mut each: impl FnMut(&str)) {
    let mut maybe = |value: Option<&str>| {
        if let Some(value) = value {
            each(value);
        }
    };
    maybe(event.id.as_deref());
    maybe(Some(event.action.as_str()));
    maybe(event.team.as_ref().map(|team| team.as_str()));
    maybe(event.outcome.map(|outcome| outcome.as_str()));
    maybe(Some(event.actor.kind.as_str()));
    maybe(Some(&event.actor.id));
    maybe(event.actor.name.as_deref());
    maybe(event.actor.email.as_deref());
    for target in &event.targets {
        maybe(Some(target.kind.as_str()));
        maybe(target.id.as_deref());
        maybe(target.name.as_deref());
        maybe(target.environment.as_deref());
    }
    maybe(event.context.ip.as_deref());
    maybe(event.context.user_agent.as_deref());
    maybe(event.context.session_id.as_deref());
    maybe(event.context.request_id.as_deref());
    for change in &event.changes {
        maybe(Some(&change.field));
        for value in [&change.before, &change.after].into_iter().flatten() {
            value.each_text(|text| maybe(Some(text)));
        }
    }
    if let Some(metadata) = event.metadata.as_ref().filter(|_| event.action.as_str() != LOOK) {
        metadata.each_text(|text| maybe(Some(text)));
    }
}
