//! What can be filtered by: the values that occur, with how often, in what a caller may see.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use access::{Masked, Masks, Scope};
use record::{Action, Catalogs, Event, OrgId, TeamId};

use crate::cancel::Reader;
use crate::error::StoreError;
use crate::hits::seen;
use crate::part::{Dictionary, Field, Near, Part, member};
use crate::row::Row;
use crate::segment::SegmentId;

/// One actor, as it last was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActorValue {
    /// Its name.
    pub name: Option<Box<str>>,
    /// Its e-mail address.
    pub email: Option<Box<str>>,
    /// How many events it did.
    pub events: u64,
}

/// The values that occur.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// Actions, with how often.
    pub actions: BTreeMap<Action, u64>,
    /// Actors by id.
    pub actors: BTreeMap<Box<str>, ActorValue>,
    /// Teams, with how many events.
    pub teams: BTreeMap<TeamId, u64>,
}

impl Values {
    fn add(&mut self, event: &Event) {
        // Nearly every value has been seen before: nothing is copied that is there already.
        match self.actions.get_mut(event.action.as_str()) {
            Some(count) => *count += 1,
            None => drop(self.actions.insert(event.action.clone(), 1)),
        }
        if let Some(team) = &event.team {
            match self.teams.get_mut(team.as_str()) {
                Some(count) => *count += 1,
                None => drop(self.teams.insert(team.clone(), 1)),
            }
        }
        let actor = &event.actor;
        match self.actors.get_mut(&*actor.id) {
            Some(known) => {
                known.events += 1;
                if actor.name.is_some() && known.name != actor.name {
                    known.name.clone_from(&actor.name);
                }
                if actor.email.is_some() && known.email != actor.email {
                    known.email.clone_from(&actor.email);
                }
            }
            None => {
                let new = ActorValue { name: actor.name.clone(), email: actor.email.clone(), events: 1 };
                self.actors.insert(actor.id.clone(), new);
            }
        }
    }

    /// Adds one row; what is hidden of it is not told.
    pub(crate) fn add_row(&mut self, row: &Row<'_>, masks: Masks) {
        if let Ok(action) = Action::new(row.action) {
            *self.actions.entry(action).or_default() += 1;
        }
        if let Some(team) = row.team.and_then(|team| TeamId::new(team).ok()) {
            *self.teams.entry(team).or_default() += 1;
        }
        let known = self.actors.entry(row.actor_id.into()).or_default();
        known.events += 1;
        if let Some(name) = row.actor_name.filter(|_| !masks.contains(Masked::Name)) {
            known.name = Some(name.into());
        }
        if let Some(email) = row.actor_email.filter(|_| !masks.contains(Masked::Email)) {
            known.email = Some(email.into());
        }
    }

    /// Adds all that others have; what is hidden of theirs is not told.
    fn merge_masked(&mut self, other: &Values, masks: Masks) {
        if masks.is_empty() {
            return self.merge(other);
        }
        let mut shown = other.clone();
        for actor in shown.actors.values_mut() {
            actor.name.take_if(|_| masks.contains(Masked::Name));
            actor.email.take_if(|_| masks.contains(Masked::Email));
        }
        self.merge(&shown);
    }

    fn merge(&mut self, other: &Values) {
        for (action, count) in &other.actions {
            *self.actions.entry(action.clone()).or_default() += count;
        }
        for (team, count) in &other.teams {
            *self.teams.entry(team.clone()).or_default() += count;
        }
        for (id, theirs) in &other.actors {
            let ours = self.actors.entry(id.clone()).or_insert_with(|| ActorValue { events: 0, ..theirs.clone() });
            ours.events += theirs.events;
            if theirs.name.is_some() {
                ours.name.clone_from(&theirs.name);
            }
            if theirs.email.is_some() {
                ours.email.clone_from(&theirs.email);
            }
        }
    }
}

/// Values kept apart by what decides whether a scope sees them: organization, team, and whether the action is one that only
/// the organization sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<Lot, Values>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Lot {
    org: OrgId,
    team: Option<TeamId>,
    organization_only: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, org: OrgId, event: &Event) {
        let organization_only = Catalogs::built_in().is_organization_only(event.action.as_str());
        self.0.entry(Lot { org, team: event.team.clone(), organization_only }).or_default().add(event);
    }

    /// Adds what `scope` may see to `values`.
    pub(crate) fn collect(&self, scope: &Scope, values: &mut Values) {
        for (lot, found) in &self.0 {
            if lot.org != scope.org() {
                continue;
            }
            if let Some(masks) = scope.sees_part(lot.team.as_ref().map(TeamId::as_str), lot.organization_only) {
                values.merge_masked(found, masks);
            }
        }
    }
}

/// Scopes whose sealed values are kept.
const KEPT: usize = 4;

/// What scopes see in the segments, each counted once: segments do not change.
#[derive(Debug, Default)]
pub(crate) struct SealedValues(Vec<Counted>);

#[derive(Debug)]
struct Counted {
    scope: Scope,
    segments: Vec<SegmentId>,
    values: Arc<Values>,
}

impl SealedValues {
    /// What was counted for a scope.
    fn take(&mut self, scope: &Scope) -> Option<Counted> {
        let at = self.0.iter().position(|counted| counted.scope == *scope)?;
        Some(self.0.remove(at))
    }

    /// Keeps what was counted, in the place of what was longest not asked for.
    fn put(&mut self, counted: Counted) {
        self.0.retain(|known| known.scope != counted.scope);
        self.0.push(counted);
        if self.0.len() > KEPT {
            self.0.remove(0);
        }
    }
}

impl Reader<'_> {
    /// What the events that the scope sees can be filtered by.
    pub fn values(&self, scope: &Scope) -> Result<Values, StoreError> {
        self.cancel.check()?;
        let shared = &self.store.shared;
        let known = || shared.sealed_values.lock().unwrap_or_else(PoisonError::into_inner);
        let view = shared.view();
        let ids: Vec<SegmentId> = view.segments.iter().map(|segment| segment.meta.id).collect();
        let counted = known().take(scope).filter(|counted| ids.starts_with(&counted.segments));
        let mut counted =
            counted.unwrap_or_else(|| Counted { scope: scope.clone(), segments: Vec::new(), values: Arc::default() });
        for segment in view.segments.iter().skip(counted.segments.len()) {
            self.cancel.check()?;
            let found = shared.noted(segment.ask(|| {
                let mut found = Values::default();
                if let Some(part) = segment.part(scope.org())? {
                    found.add_part(&part, scope)?;
                }
                Ok(found)
            }))?;
            Arc::make_mut(&mut counted.values).merge(&found);
        }
        counted.segments = ids;
        let mut values = Values::clone(&counted.values);
        known().put(counted);
        for recent in &view.recents {
            if scope.is_by_parts() {
                recent.collect_values(scope, &mut values);
            } else {
                for chunk in recent.chunks(scope.org()) {
                    for entry in &chunk.entries {
                        let row = Row::of(&entry.event);
                        if let Some(masks) = row.seen(scope) {
                            values.add_row(&row, masks);
                        }
                    }
                }
            }
        }
        Ok(values)
    }
}

/// What is known of an actor's value while a part is gone through: how many events, and the last rows in which its name and
/// its e-mail address are shown.
#[derive(Debug, Clone, Default)]
struct Last {
    events: u64,
    name: Option<u32>,
    email: Option<u32>,
}

impl Values {
    /// Adds what a scope sees in a part.
    fn add_part(&mut self, part: &Part, scope: &Scope) -> Result<(), StoreError> {
        let actors = part.dictionary(Field::Actor)?;
        let mut lasts = vec![Last::default(); actors.len()];
        // Whose latest name is to be known must be looked up where there are several.
        let id = |value: usize| actors.members(value)[member::ID];
        let ambiguous =
            |value: usize| id(value) == id(value + 1) && value + 1 < actors.len() || value > 0 && id(value) == id(value - 1);
        let ambiguous: Vec<bool> = (0..actors.len()).map(ambiguous).collect();
        for (masks, set) in seen(part, scope)? {
            let set = (!scope.is_whole()).then_some(&set);
            for (value, count) in part.counts(Field::Action, set)?.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                if let Ok(action) = Action::new(part.dictionary(Field::Action)?.text(value)) {
                    *self.actions.entry(action).or_default() += count;
                }
            }
            for (value, count) in part.counts(Field::Team, set)?.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                if let Ok(team) = TeamId::new(part.dictionary(Field::Team)?.text(value)) {
                    *self.teams.entry(team).or_default() += count;
                }
            }
            let shows = |last: &mut Last, row: u32| {
                last.name = last.name.max(Some(row).filter(|_| !masks.contains(Masked::Name)));
                last.email = last.email.max(Some(row).filter(|_| !masks.contains(Masked::Email)));
            };
            for (last, count) in lasts.iter_mut().zip(part.counts(Field::Actor, set)?) {
                last.events += count;
                if count > 0 {
                    shows(last, 0);
                }
            }
            let mut rows = Vec::new();
            part.each_position(
                Field::Actor,
                |value| ambiguous.get(value) == Some(&true),
                |value, at| {
                    if set.is_none_or(|set| set.contains(at)) {
                        rows.push((at, value));
                    }
                },
            )?;
            rows.sort_unstable();
            let mut near = Near::default();
            for (at, value) in rows {
                let row = part.row(at, &mut near)?;
                if let Some(last) = lasts.get_mut(value) {
                    shows(last, row);
                }
            }
        }
        self.add_actors(&actors, &lasts);
        Ok(())
    }

    fn add_actors(&mut self, actors: &Dictionary, lasts: &[Last]) {
        let mut value = 0;
        while value < lasts.len() {
            let Some(id) = actors.members(value)[member::ID] else { break };
            let same = (value..lasts.len()).take_while(|value| actors.members(*value)[member::ID] == Some(id));
            let (mut events, mut name, mut email) = (0, None, None);
            for one in same {
                let [_, _, its_name, its_email] = actors.members(one);
                if let Some(last) = lasts.get(one) {
                    events += last.events;
                    name = name.max(last.name.zip(its_name));
                    email = email.max(last.email.zip(its_email));
                }
                value = one + 1;
            }
            if events == 0 {
                continue;
            }
            let known = self.actors.entry(id.into()).or_default();
            known.events += events;
            if let Some((_, name)) = name {
                known.name = Some(name.into());
            }
            if let Some((_, email)) = email {
                known.email = Some(email.into());
            }
        }
    }
}
