//! Counting what matches: the most frequent values of a member, and how many events fall into stretches of time.

use std::collections::HashMap;

use access::{Masked, Masks, Scope};
use record::{Catalogs, Timestamp};

use crate::bits::Bits;
use crate::cancel::Reader;
use crate::entry::Entry;
use crate::error::StoreError;
use crate::filter::Filter;
use crate::page::{Asking, Sealed};
use crate::part::{Dictionary, Field, Part, member};
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
        self.cancel.check()?;
        let view = self.store.shared.view();
        let asking = Asking::new(&view, scope, filter, &self.cancel);
        let mut counts: Vec<Counting> = fields.iter().map(|_| Counting::default()).collect();
        let mut count = || {
            for sealed in asking.sealed() {
                self.cancel.check()?;
                count_sealed(&sealed, fields, &mut counts)?;
            }
            asking.each_recent(|entry| {
                let masks = Row::of(&entry.event).seen(scope).unwrap_or_default();
                for (facet, counting) in fields.iter().zip(&mut counts) {
                    counting.add_one(&values_of(*facet, entry, masks));
                }
            })
        };
        self.store.shared.noted(count())?;
        Ok(fields.iter().zip(counts).map(|(facet, counting)| counting.top(*facet, limit)).collect())
    }

    /// How many of the events that match occurred in `[edge, next edge)`, for each edge but the last. Edges ascend.
    pub fn histogram(&self, scope: &Scope, filter: &Filter, edges: &[Timestamp]) -> Result<Vec<u64>, StoreError> {
        assert!(edges.is_sorted(), "the edges of a histogram ascend");
        self.cancel.check()?;
        let view = self.store.shared.view();
        let asking = Asking::new(&view, scope, filter, &self.cancel);
        // How many occurred before each edge.
        let mut before = vec![0_u64; edges.len()];
        let mut count = || {
            for sealed in asking.sealed() {
                self.cancel.check()?;
                for (edge, before) in edges.iter().zip(&mut before) {
                    *before += match edge {
                        edge if *edge <= sealed.run.occurred_min => 0,
                        edge if *edge > sealed.run.occurred_max => sealed.total()?,
                        edge => sealed.before_time(edge.as_millis())?,
                    };
                }
            }
            let recent = asking.recent_keys()?;
            for (edge, before) in edges.iter().zip(&mut before) {
                *before += recent.partition_point(|(time, _)| *time < edge.as_millis()) as u64;
            }
            Ok(())
        };
        self.store.shared.noted(count())?;
        Ok(before.iter().zip(before.iter().skip(1)).map(|(from, to)| to - from).collect())
    }
}

/// So few events are read, rather than to look through all values for theirs: late ones of other times than the segment's.
const FEW: u32 = 24;

/// Counts the values in one segment.
fn count_sealed(sealed: &Sealed<'_>, fields: &[Facet], counts: &mut [Counting]) -> Result<(), StoreError> {
    let lots = match sealed.is_all() {
        true => None,
        false => Some(sealed.segment.ask(|| sealed.asked()?.hits(None))?),
    };
    let few = lots.as_ref().filter(|lots| lots.iter().map(|(_, set)| set.count()).sum::<u32>() <= FEW);
    if let Some(lots) = few {
        for (masks, set) in lots {
            for entry in sealed.fetch(set)? {
                for (facet, counting) in fields.iter().zip(&mut *counts) {
                    counting.add_one(&values_of(*facet, &entry, *masks));
                }
            }
        }
        return Ok(());
    }
    for (facet, counting) in fields.iter().zip(counts) {
        // Worked out before it is added, because a damaged sidecar is asked twice.
        let found = sealed.segment.ask(|| {
            let part = sealed.part()?;
            let mut found = Counting::default();
            match &lots {
                None => count_part(part, *facet, Masks::default(), None, &mut found)?,
                Some(lots) => {
                    for (masks, set) in lots {
                        count_part(part, *facet, *masks, Some(set), &mut found)?;
                    }
                }
            }
            Ok(found)
        })?;
        counting.merge(found);
    }
    Ok(())
}

/// Counts the values in some positions of a part, or in all, of which the same is hidden.
fn count_part(
    part: &Part,
    facet: Facet,
    masks: Masks,
    set: Option<&Bits>,
    counting: &mut Counting,
) -> Result<(), StoreError> {
    let of = u64::from(set.map_or(part.rows(), Bits::count));
    let single = |field| Ok::<_, StoreError>((part.dictionary(field)?, part.counts(field, set)?));
    let (field, value_of): (Field, fn(&Dictionary, usize) -> Option<&str>) = match facet {
        Facet::Action => (Field::Action, |dictionary, value| Some(dictionary.text(value))),
        Facet::Category => (Field::Action, |dictionary, value| category(dictionary.text(value))),
        Facet::Actor => (Field::Actor, |dictionary, value| dictionary.members(value)[member::ID]),
        Facet::Team => (Field::Team, |dictionary, value| Some(dictionary.text(value))),
        Facet::Outcome => (Field::Outcome, |dictionary, value| Some(dictionary.text(value))),
        Facet::Ip if masks.contains(Masked::Ip) => {
            counting.missing += of;
            return Ok(());
        }
        Facet::Ip => (Field::Ip, |dictionary, value| Some(dictionary.text(value))),
        Facet::Key => (Field::Key, |dictionary, value| Some(dictionary.text(value))),
        Facet::TargetType | Facet::Target | Facet::Environment => return count_targets(part, facet, masks, set, counting),
    };
    let (dictionary, counts) = single(field)?;
    let mut with = 0;
    for (value, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        if let Some(text) = value_of(&dictionary, value) {
            counting.add(text, *count);
            with += count;
        }
    }
    counting.missing += of - with;
    Ok(())
}

/// Events may have several targets, and several of these the same value.
fn count_targets(
    part: &Part,
    facet: Facet,
    masks: Masks,
    set: Option<&Bits>,
    counting: &mut Counting,
) -> Result<(), StoreError> {
    let dictionary = part.dictionary(Field::Target)?;
    let value_of = |value: usize| {
        let [id, kind, name, environment] = dictionary.members(value);
        match facet {
            Facet::TargetType => kind,
            Facet::Environment => environment,
            _ => id.or(name.filter(|_| !masks.contains(Masked::Name))),
        }
    };
    // Which number each target's value has.
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut texts: Vec<&str> = Vec::new();
    let number_of: Vec<Option<usize>> = (0..dictionary.len())
        .map(|value| {
            let text = value_of(value)?;
            Some(*numbers.entry(text).or_insert_with(|| {
                texts.push(text);
                texts.len() - 1
            }))
        })
        .collect();
    let mut counts = vec![0_u64; texts.len()];
    let targets = part.targets()?;
    let mut its: Vec<usize> = Vec::new();
    let mut count = |at: u32| {
        its.clear();
        its.extend(targets.of(at).filter_map(|value| number_of.get(value).copied().flatten()));
        its.sort_unstable();
        its.dedup();
        counting.missing += u64::from(its.is_empty());
        for number in &its {
            if let Some(count) = counts.get_mut(*number) {
                *count += 1;
            }
        }
    };
    match set {
        None => (0..part.rows()).for_each(&mut count),
        Some(set) => set.iter().for_each(&mut count),
    }
    for (text, count) in texts.iter().zip(counts).filter(|(_, count)| *count > 0) {
        counting.add(text, count);
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
    counts: HashMap<Box<str>, u64>,
    missing: u64,
}

impl Counting {
    fn add(&mut self, value: &str, count: u64) {
        match self.counts.get_mut(value) {
            Some(known) => *known += count,
            None => drop(self.counts.insert(value.into(), count)),
        }
    }

    /// One event with these values.
    fn add_one(&mut self, values: &[&str]) {
        values.iter().for_each(|value| self.add(value, 1));
        self.missing += u64::from(values.is_empty());
    }

    fn merge(&mut self, other: Counting) {
        self.missing += other.missing;
        if self.counts.is_empty() {
            self.counts = other.counts;
        } else {
            other.counts.into_iter().for_each(|(value, count)| *self.counts.entry(value).or_default() += count);
        }
    }

    /// The most frequent ones.
    fn top(self, facet: Facet, limit: usize) -> FacetCounts {
        let distinct = self.counts.len() as u64;
        let mut values: Vec<(Box<str>, u64)> = self.counts.into_iter().collect();
        let order = |a: &(Box<str>, u64), b: &(Box<str>, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0));
        if limit > 0 && limit < values.len() {
            values.select_nth_unstable_by(limit - 1, order);
        }
        values.truncate(limit);
        values.sort_unstable_by(order);
        let values = values.into_iter().map(|(value, count)| (value.into(), count)).collect();
        FacetCounts { facet, values, distinct, missing: self.missing }
    }
}
