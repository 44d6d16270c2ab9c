//! The parts of an event that filters look at, wherever the event comes from.

use access::{Facts, Masks, Scope};
use record::{Event, Outcome, TeamId};

/// One event, as far as a filter needs it. A member that was not read from a segment is absent here.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row<'a> {
    pub(crate) occurred_at: i64,
    pub(crate) action: &'a str,
    pub(crate) team: Option<&'a str>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) actor_id: &'a str,
    pub(crate) actor_name: Option<&'a str>,
    pub(crate) actor_email: Option<&'a str>,
    pub(crate) ip: Option<&'a str>,
    pub(crate) targets: Targets<'a>,
    /// The whole event, where text is searched.
    pub(crate) event: Option<&'a Event>,
}

/// Its targets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Targets<'a> {
    #[default]
    None,
    Read(&'a [record::Target]),
}

impl<'a> Row<'a> {
    pub(crate) fn of(event: &'a Event) -> Row<'a> {
        Row {
            occurred_at: event.occurred_at.as_millis(),
            action: event.action.as_str(),
            team: event.team.as_ref().map(TeamId::as_str),
            outcome: event.outcome,
            actor_id: &event.actor.id,
            actor_name: event.actor.name.as_deref(),
            actor_email: event.actor.email.as_deref(),
            ip: event.context.ip.as_deref(),
            targets: Targets::Read(&event.targets),
            event: Some(event),
        }
    }

    /// Whether the scope sees the event, and what it hides of it. What [`Scope::looks_at`] names must have been read.
    pub(crate) fn seen(&self, scope: &Scope) -> Option<Masks> {
        scope.sees(&Facts {
            team: self.team,
            action: self.action,
            occurred_at: self.occurred_at,
            actor: self.actor_id,
            email: self.actor_email,
            has_target: |id: &str| self.targets.has_user(id),
        })
    }
}

/// A target as the segment's `targets` column writes it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct TargetText<'a> {
    #[serde(borrow, default)]
    pub(crate) environment: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) name: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: std::borrow::Cow<'a, str>,
}

impl Targets<'_> {
    /// Whether some target is of this type and has this id or name; each only where asked for. Where names are hidden, only ids
    /// are compared.
    pub(crate) fn any(&self, kind: Option<&str>, id_or_name: Option<&str>, names_hidden: bool) -> bool {
        self.has(|its_kind, id, name| {
            kind.is_none_or(|kind| its_kind == kind)
                && id_or_name.is_none_or(|wanted| id == Some(wanted) || !names_hidden && name == Some(wanted))
        })
    }

    fn has_user(&self, user: &str) -> bool {
        self.has(|kind, id, _| kind == "user" && id == Some(user))
    }

    fn has(&self, fits: impl Fn(&str, Option<&str>, Option<&str>) -> bool) -> bool {
        match self {
            Targets::None => false,
            Targets::Read(targets) => targets.iter().any(|t| fits(t.kind.as_str(), t.id.as_deref(), t.name.as_deref())),
        }
    }
}
