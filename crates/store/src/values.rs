//! What can be filtered by: the values that occur, with how often, in what a caller may see.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::{Masked, Masks, Scope};
use record::{Action, Catalogs, Event, OrgId, TeamId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::row::Row;
use crate::segment::{Segment, SegmentId};

/// One actor, as it last was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorValue {
    /// Its name.
    pub name: Option<Box<str>>,
    /// Its e-mail address.
    pub email: Option<Box<str>>,
    /// How many events it did.
    pub events: u64,
}

/// The values that occur.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
pub(crate) struct Tally(BTreeMap<Part, Values>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Part {
    org: OrgId,
    team: Option<TeamId>,
    organization_only: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, org: OrgId, event: &Event) {
        let organization_only = Catalogs::built_in().is_organization_only(event.action.as_str());
        self.0.entry(Part { org, team: event.team.clone(), organization_only }).or_default().add(event);
    }

    /// Adds what `scope` may see to `values`.
    pub(crate) fn collect(&self, scope: &Scope, values: &mut Values) {
        for (part, found) in &self.0 {
            if part.org != scope.org() {
                continue;
            }
            if let Some(masks) = scope.sees_part(part.team.as_ref().map(TeamId::as_str), part.organization_only) {
                values.merge_masked(found, masks);
            }
        }
    }

    fn merge(&mut self, other: Tally) {
        for (part, found) in other.0 {
            self.0.entry(part).or_default().merge(&found);
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&self.0.iter().collect::<Vec<_>>())
    }

    pub(crate) fn from_json(bytes: &[u8]) -> serde_json::Result<Tally> {
        Ok(Tally(serde_json::from_slice::<Vec<(Part, Values)>>(bytes)?.into_iter().collect()))
    }
}

/// The values of all segments, each counted once: segments do not change.
#[derive(Debug, Default)]
pub(crate) struct SealedValues {
    counted: Vec<SegmentId>,
    tally: Tally,
}

impl SealedValues {
    /// Counts the segments that have come since the last time. Begins anew where one has gone.
    pub(crate) fn count(&mut self, segments: &[Arc<Segment>]) -> Result<&Tally, StoreError> {
        let known = self.counted.len();
        if !segments.iter().take(known).map(|segment| segment.meta.id).eq(self.counted.iter().copied()) {
            *self = SealedValues::default();
        }
        for segment in segments.iter().skip(self.counted.len()) {
            self.tally.merge(segment.sidecar.tally(segment.meta.id)?);
            self.counted.push(segment.meta.id);
        }
        Ok(&self.tally)
    }
}
