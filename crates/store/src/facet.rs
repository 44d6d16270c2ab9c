//! Counting what matches: the most frequent values of a member, and how many events fall into stretches of time.

use std::collections::BTreeMap;

use access::{Masked, Masks, Scope};
use record::{Catalogs, Timestamp};

use crate::cancel::Reader;
use crate::entry::Entry;
use crate::error::StoreError;
use crate::filter::Filter;
use crate::row::Row;

/// A member of events whose values can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// The action's identifier.
    Action,
    /// The title of the action's category; none where no catalog knows the action.
    Category,
    /// The actor's id.
    Actor,
    /// The team.
    Team,
    /// The outcome.
    Outcome,
    /// The types of the targets.
    TargetType,
    /// The targets: each one's id, or its name where it has none.
    Target,
    /// The environments of the targets.
    Environment,
    /// The network address, as it was sent.
    Ip,
    /// The API key's id.
    Key,
}

/// The values of one member among the events that match, each with how many of these events have it. An event with several
/// targets counts once for each different value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetCounts {
    /// Which member.
    pub facet: Facet,
    /// The most frequent values: the count descending, then the value.
    pub values: Vec<(String, u64)>,
    /// How many different values there are.
    pub distinct: u64,
    /// How many events have no value, or none that the scope shows.
    pub missing: u64,
}

impl Reader<'_> {
    /// The most frequent values of some members among the events that match: up to `limit` of each, in the order asked for.
    pub fn facets(
        &self,
        scope: &Scope,
        filter: &Filter,
        fields: &[Facet],
        limit: usize,
    ) -> Result<Vec<FacetCounts>, StoreError> {
        let mut counts: Vec<Counting> = fields.iter().map(|_| Counting::default()).collect();
        each_match(self, scope, filter, |entry, masks| {
            for (facet, counting) in fields.iter().zip(&mut counts) {
                counting.add(&values_of(*facet, entry, masks));
            }
        })?;
        Ok(fields.iter().zip(counts).map(|(facet, counting)| counting.top(*facet, limit)).collect())
    }

    /// How many of the events that match occurred in `[edge, next edge)`, for each edge but the last. Edges ascend.
    pub fn histogram(&self, scope: &Scope, filter: &Filter, edges: &[Timestamp]) -> Result<Vec<u64>, StoreError> {
        assert!(edges.is_sorted(), "the edges of a histogram ascend");
        let mut counts = vec![0; edges.len().saturating_sub(1)];
        each_match(self, scope, filter, |entry, _| {
            let at = edges.partition_point(|edge| *edge <= entry.event.occurred_at);
            if let Some(count) = at.checked_sub(1).and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        })?;
        Ok(counts)
    }
}

/// Calls `each` with every event that matches, and what is hidden of it.
fn each_match(
    reader: &Reader<'_>,
    scope: &Scope,
    filter: &Filter,
    mut each: impl FnMut(&Entry, Masks),
) -> Result<(), StoreError> {
    reader.cancel.check()?;
    let view = reader.store.shared.view();
    let mut look = |entry: &Entry| {
        let row = Row::of(&entry.event);
        if filter.matches(scope, &row) {
            each(entry, row.seen(scope).unwrap_or_default());
        }
    };
    for segment in &view.segments {
        let Some(run) = segment.meta.run(scope.org()) else { continue };
        for entry in segment.entries(std::slice::from_ref(&(run.first_row..run.first_row + run.rows)))? {
            reader.cancel.check()?;
            look(&entry?);
        }
    }
    for chunk in view.recents.iter().flat_map(|recent| recent.chunks(scope.org())) {
        chunk.entries.iter().for_each(&mut look);
    }
    Ok(())
}

/// The different values that an event shows of a member.
pub(crate) fn values_of(facet: Facet, entry: &Entry, masks: Masks) -> Vec<&str> {
    let event = &entry.event;
    let named = |name: &'_ Option<Box<str>>| !masks.contains(Masked::Name) && name.is_some();
    let mut values: Vec<&str> = match facet {
        Facet::Action => vec![event.action.as_str()],
        Facet::Category => category(event.action.as_str()).into_iter().collect(),
        Facet::Actor => vec![&event.actor.id],
        Facet::Team => event.team.iter().map(|team| team.as_str()).collect(),
        Facet::Outcome => event.outcome.iter().map(|outcome| outcome.as_str()).collect(),
        Facet::TargetType => event.targets.iter().map(|target| target.kind.as_str()).collect(),
        Facet::Target => event
            .targets
            .iter()
            .filter_map(|target| target.id.as_deref().or(target.name.as_deref().filter(|_| named(&target.name))))
            .collect(),
        Facet::Environment => event.targets.iter().filter_map(|target| target.environment.as_deref()).collect(),
        Facet::Ip => event.context.ip.as_deref().filter(|_| !masks.contains(Masked::Ip)).into_iter().collect(),
        Facet::Key => entry.key().into_iter().collect(),
    };
    values.sort_unstable();
    values.dedup();
    values
}

/// The title of an action's category.
pub(crate) fn category(action: &str) -> Option<&'static str> {
    Catalogs::built_in().get(action).map(|(_, entry)| entry.category.as_str())
}

/// Counts of one member.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    counts: BTreeMap<Box<str>, u64>,
    missing: u64,
}

impl Counting {
    /// One event with these values.
    pub(crate) fn add(&mut self, values: &[&str]) {
        for value in values {
            match self.counts.get_mut(*value) {
                Some(count) => *count += 1,
                None => drop(self.counts.insert((*value).into(), 1)),
            }
        }
        self.missing += u64::from(values.is_empty());
    }

    /// The most frequent ones.
    pub(crate) fn top(self, facet: Facet, limit: usize) -> FacetCounts {
        let distinct = self.counts.len() as u64;
        let mut values: Vec<(Box<str>, u64)> = self.counts.into_iter().collect();
        // Values of one count stay in the order of the map: by value.
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        values.truncate(limit);
        let values = values.into_iter().map(|(value, count)| (value.into(), count)).collect();
        FacetCounts { facet, values, distinct, missing: self.missing }
    }
}
