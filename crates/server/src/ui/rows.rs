//! The list's rows.

use record::{Catalogs, Outcome};
use store::Entry;

use super::zone::{Shown, Zone};
use super::{links, summary};
use crate::params::Given;

/// One event in the list.
#[derive(Debug)]
pub(super) struct Row {
    /// The event's own page.
    pub(super) url: String,
    pub(super) title: String,
    /// Its identifier, where that is not the title.
    pub(super) action: String,
    pub(super) severity: Option<(&'static str, &'static str)>,
    pub(super) is_system: bool,
    pub(super) user: String,
    /// Her address; for what is no person, what it is.
    pub(super) user_more: String,
    pub(super) ip: String,
    pub(super) details: String,
    /// How it ended, if not well: the class and the word.
    pub(super) outcome: Option<(&'static str, &'static str)>,
    pub(super) took: String,
    pub(super) time: Shown,
}

impl Row {
    /// Shows an entry.
    pub(super) fn new(entry: &Entry, given: &Given, zone: &Zone) -> Row {
        let event = &entry.event;
        let action = event.action.as_str();
        let title = Catalogs::built_in().title(action);
        let user = summary::actor_name(&event.actor);
        let email = event.actor.email.as_deref().filter(|email| *email != user);
        let kind = event.actor.kind.as_str();
        let sort = if kind == "user" { String::new() } else { summary::words(kind) };
        Row {
            url: links::event(entry.event_id, given),
            title: title.to_owned(),
            action: if title == action { String::new() } else { action.to_owned() },
            severity: summary::severity(action),
            is_system: kind == "system",
            user: user.to_owned(),
            user_more: email.map_or(sort, str::to_owned),
            ip: event.context.ip.as_deref().unwrap_or_default().to_owned(),
            details: summary::line(event),
            outcome: event.outcome.filter(|one| *one != Outcome::Success).map(|one| (one.as_str(), summary::outcome(one))),
            took: event.response_time_ms.map(summary::took).unwrap_or_default(),
            time: zone.show(event.occurred_at),
        }
    }
}
