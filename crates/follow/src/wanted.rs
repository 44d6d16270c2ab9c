//! Which events a destination wants.

use record::catalog::Severity;
use record::redact::Pattern;
use record::{Catalogs, Event, Outcome, TeamId};
use serde::{Deserialize, Serialize};

/// Which events a destination wants: those that every part of it covers. A part that is absent or empty covers all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// Actions, or with a `*` at the end whatever begins so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Pattern>,
    /// Categories, as the catalogs title them, without regard to case. An action that no catalog knows is in none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Teams. An event without a team concerns none of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<TeamId>,
    /// The least severity. An action that no catalog knows counts as `info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Outcomes. An event that tells none has none of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
}

impl Wanted {
    /// Whether every event is wanted.
    pub fn is_everything(&self) -> bool {
        *self == Wanted::default()
    }

    /// Whether this event is wanted, by what the built-in catalogs say of its action.
    pub fn matches(&self, event: &Event) -> bool {
        let entry = || Catalogs::built_in().get(event.action.as_str()).map(|(_, entry)| entry);
        let in_category = |wanted: &String| entry().is_some_and(|entry| entry.category.eq_ignore_ascii_case(wanted));
        let severe = |least: Severity| entry().map_or(Severity::Info, |entry| entry.severity) >= least;
        (self.actions.is_empty() || self.actions.iter().any(|pattern| pattern.covers(event.action.as_str())))
            && (self.outcomes.is_empty() || event.outcome.is_some_and(|outcome| self.outcomes.contains(&outcome)))
            && (self.teams.is_empty() || event.team.as_ref().is_some_and(|team| self.teams.contains(team)))
            && (self.categories.is_empty() || self.categories.iter().any(in_category))
            && self.severity.is_none_or(severe)
    }
}
