//! The outcome of a decision: what this caller may touch of the log.
//!
//! A caller may see the log in several ways at once: as an auditor of some categories, as the admin of a team, and what is
//! recorded about herself. An event is seen if one of them shows it, and of an event that several show, only that is hidden
//! which all of them hide.

use std::collections::BTreeSet;

use record::{Catalogs, Event, Json, OrgId, TeamId};

use crate::narrowing::{Masked, Narrowing};

/// What a caller may read, or write, of one organization's log. Made by [`crate::decide()`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    org: OrgId,
    views: Vec<View>,
}

/// One way to see a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// The teams whose events are shown, without those that only the organization sees; `None`: all events.
    pub(crate) teams: Option<BTreeSet<TeamId>>,
    /// Only what one person did, and what was done to her.
    pub(crate) about: Option<About>,
    /// How far it goes.
    pub(crate) narrowing: Narrowing,
}

/// The person whose own events are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    /// Her id.
    pub(crate) user: Box<str>,
    /// Her address, if she has shown that it is hers; in lower case.
    pub(crate) email: Option<Box<str>>,
}

/// What of an event decides whether it is seen.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a, T> {
    /// Its team.
    pub team: Option<&'a str>,
    /// Its action.
    pub action: &'a str,
    /// When it occurred, in milliseconds since 1970.
    pub occurred_at: i64,
    /// Its actor's id.
    pub actor: &'a str,
    /// Its actor's e-mail address.
    pub email: Option<&'a str>,
    /// Whether it has a target of the type `user` with this id.
    pub has_target: T,
}

/// One of the ways in which a scope sees its log, for who answers for many events at once. An event is seen this way if every
/// part fits it.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Its team is one of these, and its action is not one that only the organization sees; `None`: any.
    pub teams: Option<&'a BTreeSet<TeamId>>,
    /// The id and the address (in lower case) of whom it is about; `None`: anybody. It is about her if she is its actor by
    /// id, or by address without regard to case, or if it has her as a target of the type `user`.
    pub about: Option<(&'a str, Option<&'a str>)>,
    /// Categories and time; what is hidden is said by `masks`.
    pub narrowing: &'a Narrowing,
    /// What is hidden of it, as far as this way goes.
    pub masks: Masks,
}

/// What is hidden of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Masks(u8);

impl Masks {
    const EVERYTHING: Masks = Masks(u8::MAX);

    fn of(masked: &BTreeSet<Masked>) -> Masks {
        Masks(masked.iter().fold(0, |bits, one| bits | 1 << *one as u8))
    }

    /// What both hide: what is hidden of an event that is seen in two ways.
    #[must_use]
    pub fn both(self, other: Masks) -> Masks {
        Masks(self.0 & other.0)
    }

    /// Whether nothing is hidden.
    pub fn is_empty(self) -> bool {
        self == Masks::default()
    }

    /// Whether this is hidden.
    pub fn contains(self, one: Masked) -> bool {
        self.0 & (1 << one as u8) != 0
    }

    /// Puts [`MASK`] in the place of everything that is hidden.
    pub fn apply(self, event: &mut Event) {
        if self.is_empty() {
            return;
        }
        let hide = |one, text: &mut Option<Box<str>>| {
            if let Some(text) = text.as_mut().filter(|_| self.contains(one)) {
                *text = MASK.into();
            }
        };
        hide(Masked::Ip, &mut event.context.ip);
        hide(Masked::UserAgent, &mut event.context.user_agent);
        hide(Masked::Email, &mut event.actor.email);
        hide(Masked::Name, &mut event.actor.name);
        for target in &mut event.targets {
            hide(Masked::Name, &mut target.name);
        }
        if self.contains(Masked::Changes) {
            for value in event.changes.iter_mut().flat_map(|change| [&mut change.before, &mut change.after]) {
                *value = value.is_some().then(|| Json::string(MASK));
            }
        }
        if self.contains(Masked::Metadata) && event.metadata.is_some() {
            event.metadata = Some(Json::string(MASK));
        }
    }
}

/// What stands where something is hidden from the reader.
pub const MASK: &str = "[masked]";

/// What a scope looks at, besides the time, to say whether an event is seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looks {
    /// Team and action.
    pub parts: bool,
    /// Actor and targets.
    pub people: bool,
}

impl Scope {
    pub(crate) fn whole(org: OrgId) -> Scope {
        Scope { org, views: vec![View::default()] }
    }

    pub(crate) fn team(org: OrgId, team: TeamId) -> Scope {
        Scope::of(org, vec![View { teams: Some(BTreeSet::from([team])), ..View::default() }])
    }

    pub(crate) fn of(org: OrgId, views: Vec<View>) -> Scope {
        if views.contains(&View::default()) { Scope::whole(org) } else { Scope { org, views } }
    }

    /// The one organization whose log this is about.
    pub fn org(&self) -> OrgId {
        self.org
    }

    /// The ways in which the log is seen. An event is visible if one of them shows it.
    pub fn sights(&self) -> impl Iterator<Item = Sight<'_>> {
        self.views.iter().map(|view| Sight {
            teams: view.teams.as_ref(),
            about: view.about.as_ref().map(|about| (&*about.user, about.email.as_deref())),
            narrowing: &view.narrowing,
            masks: Masks::of(&view.narrowing.masked),
        })
    }

    /// The one team whose events are visible; `None` when there is no such one.
    pub fn only_team(&self) -> Option<&TeamId> {
        match self.views.as_slice() {
            [View { teams: Some(teams), about: None, .. }] if teams.len() == 1 => teams.first(),
            _ => None,
        }
    }

    /// Whether every event of the organization's log is visible, so that stored totals may be used as they are.
    pub fn is_whole(&self) -> bool {
        self.views.first() == Some(&View::default())
    }

    /// Whether team and action alone say if an event is visible.
    pub fn is_by_parts(&self) -> bool {
        self.views.iter().all(|view| {
            let Narrowing { categories, from, to, masked: _ } = &view.narrowing;
            view.about.is_none() && categories.is_empty() && from.is_none() && to.is_none()
        })
    }

    /// What has to be known of an event to say whether it is visible.
    pub fn looks_at(&self) -> Looks {
        Looks { parts: !self.is_whole(), people: self.views.iter().any(|view| view.about.is_some()) }
    }

    /// Whether an event is visible, and what is hidden of it.
    pub fn sees(&self, facts: &Facts<'_, impl Fn(&str) -> bool>) -> Option<Masks> {
        if self.is_whole() {
            return Some(Masks::default());
        }
        let seeing = self.views.iter().filter(|view| view.shows(facts));
        seeing.map(|view| Masks::of(&view.narrowing.masked)).reduce(|a, b| Masks(a.0 & b.0))
    }

    /// The same for all events of one team and one visibility, where [`Scope::is_by_parts`]. `organization_only` is what the
    /// catalogs say of their actions.
    pub fn sees_part(&self, team: Option<&str>, organization_only: bool) -> Option<Masks> {
        let seeing = self.views.iter().filter(|view| view.shows_part(team, organization_only));
        seeing.map(|view| Masks::of(&view.narrowing.masked)).reduce(|a, b| Masks(a.0 & b.0))
    }

    /// What an event shows of itself: nothing if it is not visible.
    #[must_use]
    pub fn shown(&self, mut event: Event) -> Option<Event> {
        if !self.is_whole() {
            let masks = {
                let is_target = |id: &str| {
                    event.targets.iter().any(|target| target.kind.as_str() == "user" && target.id.as_deref() == Some(id))
                };
                self.sees(&Facts {
                    team: event.team.as_ref().map(TeamId::as_str),
                    action: event.action.as_str(),
                    occurred_at: event.occurred_at.as_millis(),
                    actor: &event.actor.id,
                    email: event.actor.email.as_deref(),
                    has_target: is_target,
                })?
            };
            masks.apply(&mut event);
        }
        Some(event)
    }

    /// What is visible, in words for whoever sees not all: one line for each way in which she sees it.
    pub fn told(&self) -> Vec<String> {
        if self.is_whole() { Vec::new() } else { self.views.iter().map(View::told).collect() }
    }

    /// What is hidden of everything that is visible.
    pub fn always_masked(&self) -> Masks {
        self.views.iter().fold(Masks::EVERYTHING, |masks, view| Masks(masks.0 & Masks::of(&view.narrowing.masked).0))
    }
}

impl View {
    fn told(&self) -> String {
        let list = |words: &mut dyn Iterator<Item = &str>| words.collect::<Vec<_>>().join(", ");
        let mut told = match (&self.about, &self.teams) {
            (Some(_), _) => "what is recorded about you".to_owned(),
            (None, None) => "the organization's events".to_owned(),
            (None, Some(teams)) => format!("the events of the team {}", list(&mut teams.iter().map(TeamId::as_str))),
        };
        let Narrowing { categories, from, to, masked } = &self.narrowing;
        if !categories.is_empty() {
            told += &format!(", of the categories {}", list(&mut categories.iter().map(String::as_str)));
        }
        for (word, time) in [("from", from), ("to", to)] {
            told += &time.map_or_else(String::new, |time| format!(", {word} {time}"));
        }
        if !masked.is_empty() {
            told += &format!(", without {}", list(&mut masked.iter().map(|one| one.as_words())));
        }
        told
    }

    fn shows(&self, facts: &Facts<'_, impl Fn(&str) -> bool>) -> bool {
        self.shows_part(facts.team, Catalogs::built_in().is_organization_only(facts.action))
            && self.narrowing.shows(facts.action, facts.occurred_at)
            && self.about.as_ref().is_none_or(|about| about.is_in(facts))
    }

    /// A team's view leaves out what only the organization sees (as in Make's table of what is available for a team).
    fn shows_part(&self, team: Option<&str>, organization_only: bool) -> bool {
        match &self.teams {
            None => true,
            Some(teams) => !organization_only && team.is_some_and(|team| teams.contains(team)),
        }
    }
}

impl About {
    fn is_in(&self, facts: &Facts<'_, impl Fn(&str) -> bool>) -> bool {
        facts.actor == &*self.user
            || self.email.as_deref().is_some_and(|own| facts.email.is_some_and(|email| email.to_lowercase() == own))
            || (facts.has_target)(&self.user)
    }
}
