//! Reading: recent and sealed events as one log, newest first with exact totals, or in index order without gaps.

use std::ops::Range;
use std::sync::{Arc, PoisonError};

use access::Scope;
use record::{EventId, Index, OrgId};

use crate::entry::Entry;
use crate::error::StoreError;
use crate::filter::Filter;
use crate::recent::Chunk;
use crate::row::Row;
use crate::segment::{Run, Segment, Wanted};
use crate::store::{Store, View};
use crate::values::Values;

/// Which part of the matches, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to pass over.
    pub offset: u64,
    /// How many at most.
    pub limit: usize,
}

/// A part of the matches, and how many there are in all. The total is exact.
#[derive(Debug)]
pub struct Rows {
    /// The events: `occurred_at` descending, then index descending.
    pub events: Vec<Entry>,
    /// How many match.
    pub total: u64,
}

/// From where to read in index order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// The events after this index, ascending; after `None`, from the beginning.
    After(Option<Index>),
    /// The events before this index, descending.
    Before(Index),
}

/// A part of the log in index order.
#[derive(Debug)]
pub struct Slice {
    /// The matching events.
    pub events: Vec<Entry>,
    /// The index to go on from: everything up to it (in the direction of reading) has been looked at. `None` where there was
    /// nothing to look at.
    pub next: Option<Index>,
}

impl Store {
    /// One page of the events that match, newest first, with the exact total.
    pub fn query(&self, scope: &Scope, filter: &Filter, page: Page) -> Result<Rows, StoreError> {
        query(&self.shared.view(), scope, filter, page)
    }

    /// Up to `limit` events that match, in index order: for pollers and streams. Never skips and never repeats.
    pub fn slice(&self, scope: &Scope, filter: &Filter, from: Cursor, limit: usize) -> Result<Slice, StoreError> {
        slice(&self.shared.view(), scope, filter, from, limit)
    }

    /// One event by its id, if the scope sees it.
    pub fn get(&self, scope: &Scope, event_id: EventId) -> Result<Option<Entry>, StoreError> {
        let found = by_event_id(&self.shared.view(), scope.org(), event_id)?;
        Ok(found.and_then(|entry| shown(scope, entry)))
    }

    /// What the events that the scope sees can be filtered by.
    pub fn values(&self, scope: &Scope) -> Result<Values, StoreError> {
        let mut values = Values::default();
        if !scope.is_by_parts() {
            scan_values(&self.shared.view(), scope, &mut values)?;
            return Ok(values);
        }
        // The view is taken under the lock, so that what is counted as sealed is what is not counted as recent.
        let mut sealed = self.shared.sealed_values.lock().unwrap_or_else(PoisonError::into_inner);
        let view = self.shared.view();
        sealed.count(&view.segments)?.collect(scope, &mut values);
        drop(sealed);
        for recent in &view.recents {
            recent.collect_values(scope, &mut values);
        }
        Ok(values)
    }
}

/// An entry as the scope shows it. Every entry that leaves this crate for a reader comes through here.
fn shown(scope: &Scope, entry: Entry) -> Option<Entry> {
    if scope.is_whole() {
        return Some(entry);
    }
    let Entry { event, .. } = entry;
    Some(Entry { event: scope.shown(event)?, ..entry })
}

/// Counts values one event at a time, where a scope is narrower than what is counted beforehand.
fn scan_values(view: &View, scope: &Scope, values: &mut Values) -> Result<(), StoreError> {
    let mut add = |row: &Row<'_>| {
        if let Some(masks) = row.seen(scope) {
            values.add_row(row, masks);
        }
    };
    for segment in &view.segments {
        let Some(run) = segment.meta.run(scope.org()) else { continue };
        segment.rows(Wanted::Values(scope.looks_at()), run.first_row..run.first_row + run.rows, |_, row| add(row))?;
    }
    for chunk in view.recents.iter().flat_map(|recent| recent.chunks(scope.org())) {
        chunk.entries.iter().for_each(|entry| add(&Row::of(&entry.event)));
    }
    Ok(())
}

/// What orders a page: when it occurred, then where it stands.
type Key = (i64, u64);

/// The greatest `keep` keys seen, and how many were seen.
struct Best {
    keep: usize,
    keys: Vec<Key>,
    total: u64,
}

impl Best {
    fn add(&mut self, key: Key) {
        self.total += 1;
        self.keys.push(key);
        if self.keys.len() >= self.keep.saturating_mul(2).max(8_192) {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        if self.keys.len() > self.keep {
            if self.keep > 0 {
                self.keys.select_nth_unstable_by(self.keep - 1, |a, b| b.cmp(a));
            }
            self.keys.truncate(self.keep);
        }
    }

    /// Whether an event that occurred then, or earlier, could still get onto the page.
    fn wants(&mut self, occurred_at: i64) -> bool {
        self.shrink();
        // Among events of one time the later index comes first, and may be in any segment.
        self.keys.len() < self.keep || self.keys.iter().map(|key| key.0).min().is_some_and(|oldest| occurred_at >= oldest)
    }
}

fn query(view: &View, scope: &Scope, filter: &Filter, page: Page) -> Result<Rows, StoreError> {
    let offset = usize::try_from(page.offset).unwrap_or(usize::MAX);
    // A page behind all events is empty, and need not be ordered to be known.
    let keep = if page.offset < entries_of(view, scope.org()) { offset.saturating_add(page.limit) } else { 0 };
    let mut best = Best { keep, keys: Vec::new(), total: 0 };
    for recent in view.recents.iter().rev() {
        for chunk in recent.chunks(scope.org()) {
            for entry in &chunk.entries {
                if filter.matches(scope, &Row::of(&entry.event)) {
                    best.add((entry.event.occurred_at.as_millis(), entry.index.0));
                }
            }
        }
    }
    for segment in view.segments.iter().rev() {
        let Some(run) = segment.meta.run(scope.org()) else { continue };
        query_segment(segment, run, scope, filter, &mut best)?;
    }
    best.shrink();
    best.keys.sort_unstable_by(|a, b| b.cmp(a));
    let chosen = best.keys.get(offset..).unwrap_or_default();
    let indexes: Vec<Index> = chosen.iter().map(|&(_, index)| Index(index)).collect();
    let events = fetch(view, scope.org(), &indexes)?.into_iter().filter_map(|entry| shown(scope, entry)).collect();
    Ok(Rows { events, total: best.total })
}

/// How many entries an organization has in a view.
fn entries_of(view: &View, org: OrgId) -> u64 {
    let sealed = view.segments.iter().filter_map(|segment| segment.meta.run(org)).map(|run| run.rows).sum::<u64>();
    let recent = view.recents.iter().flat_map(|recent| recent.chunks(org)).map(|chunk| chunk.entries.len() as u64);
    sealed + recent.sum::<u64>()
}

fn query_segment(segment: &Segment, run: &Run, scope: &Scope, filter: &Filter, best: &mut Best) -> Result<(), StoreError> {
    if filter.from.is_some_and(|from| run.occurred_max < from) || filter.to.is_some_and(|to| run.occurred_min > to) {
        return Ok(());
    }
    let rows = run.first_row..run.first_row + run.rows;
    let whole = Filter { from: None, to: None, ..filter.clone() }.is_empty()
        && scope.is_whole()
        && filter.from.is_none_or(|from| run.occurred_min >= from)
        && filter.to.is_none_or(|to| run.occurred_max <= to);
    if whole && !best.wants(run.occurred_max.as_millis()) {
        best.total += run.rows;
        return Ok(());
    }
    let wanted = Wanted::For { filter, looks: scope.looks_at() };
    segment.rows(wanted, rows, |index, row| {
        if filter.matches(scope, row) {
            best.add((row.occurred_at, index.0));
        }
    })
}

/// The entries at these indexes, in the order given.
fn fetch(view: &View, org: OrgId, indexes: &[Index]) -> Result<Vec<Entry>, StoreError> {
    let mut found: Vec<Option<Entry>> = vec![None; indexes.len()];
    let mut in_segments: Vec<Vec<(u64, usize)>> = vec![Vec::new(); view.segments.len()];
    for (at, &index) in indexes.iter().enumerate() {
        if let Some(entry) = view.recents.iter().find_map(|recent| recent.find(org, index)) {
            if let Some(slot) = found.get_mut(at) {
                *slot = Some(entry);
            }
        } else if let Some((segment, row)) = row_of(view, org, index)
            && let Some(rows) = in_segments.get_mut(segment)
        {
            rows.push((row, at));
        }
    }
    for (segment, mut rows) in view.segments.iter().zip(in_segments) {
        rows.sort_unstable();
        let ranges: Vec<Range<u64>> = rows.iter().map(|&(row, _)| row..row + 1).collect();
        if ranges.is_empty() {
            continue;
        }
        for (entry, (_, at)) in segment.entries(&ranges)?.zip(rows) {
            let entry = entry?;
            if let Some(slot) = found.get_mut(at) {
                *slot = Some(entry);
            }
        }
    }
    let whole = found.into_iter().zip(indexes).map(|(entry, &index)| {
        let right = entry.filter(|entry| entry.org == org && entry.index == index);
        right.ok_or_else(|| {
            let at = row_of(view, org, index).and_then(|(at, _)| view.segments.get(at));
            let path = at.map_or_else(|| crate::manifest::PATH.to_owned(), |segment| segment.meta.id.path());
            StoreError::corrupt(&path, 0, format!("index {index} of organization {org} is not where it should be"))
        })
    });
    whole.collect()
}

/// Which segment holds an index, and in which row.
fn row_of(view: &View, org: OrgId, index: Index) -> Option<(usize, u64)> {
    let at = view.segments.partition_point(|segment| segment.meta.run(org).is_none_or(|run| run.end_index() <= index));
    // Segments without events of the organization may stand between; look on from the first that could hold it.
    view.segments
        .iter()
        .enumerate()
        .skip(at)
        .find_map(|(at, segment)| holds(segment, org, index).map(|row| (at, row)))
        .or_else(|| {
            view.segments.iter().enumerate().find_map(|(at, segment)| holds(segment, org, index).map(|row| (at, row)))
        })
}

fn holds(segment: &Segment, org: OrgId, index: Index) -> Option<u64> {
    let run = segment.meta.run(org)?;
    (run.first_index <= index && index < run.end_index()).then(|| run.first_row + (index.0 - run.first_index.0))
}

/// One entry by its place, which is known to be taken.
pub(crate) fn by_index(view: &View, org: OrgId, index: Index) -> Result<Entry, StoreError> {
    let entry = fetch(view, org, &[index])?.pop();
    entry.ok_or_else(|| StoreError::corrupt(crate::manifest::PATH, 0, format!("index {index} is nowhere")))
}

fn by_event_id(view: &View, org: OrgId, event_id: EventId) -> Result<Option<Entry>, StoreError> {
    if let Some(entry) = view.recents.iter().find_map(|recent| recent.find_id(org, event_id)) {
        return Ok(Some(entry));
    }
    let at = event_id.recorded_at();
    for segment in &view.segments {
        let Some(run) = segment.meta.run(org) else { continue };
        if run.recorded_min > at || run.recorded_max < at {
            continue;
        }
        let mut index = None;
        segment.event_ids(run.first_row..run.first_row + run.rows, |at, id| {
            if id == event_id.as_bytes() {
                index = Some(at);
            }
        })?;
        if let Some(index) = index {
            return by_index(view, org, index).map(Some);
        }
    }
    Ok(None)
}

/// A stretch of one organization's log that lies in one place.
enum Stretch {
    Sealed(Arc<Segment>, Run),
    Recent(Chunk),
}

impl Stretch {
    fn range(&self) -> Range<u64> {
        match self {
            Stretch::Sealed(_, run) => run.first_index.0..run.end_index().0,
            Stretch::Recent(chunk) => {
                let first = chunk.entries.first().map_or(0, |entry| entry.index.0);
                first..first + chunk.entries.len() as u64
            }
        }
    }
}

/// Rows of a segment that are looked at before the limit is checked again.
const BLOCK: u64 = 16_384;

fn slice(view: &View, scope: &Scope, filter: &Filter, from: Cursor, limit: usize) -> Result<Slice, StoreError> {
    let org = scope.org();
    let (wanted, descending) = match from {
        Cursor::After(after) => (after.map_or(0, |index| index.0.saturating_add(1))..u64::MAX, false),
        Cursor::Before(before) => (0..before.0, true),
    };
    let mut stretches: Vec<Stretch> = Vec::new();
    for segment in &view.segments {
        stretches.extend(segment.meta.run(org).map(|run| Stretch::Sealed(segment.clone(), run.clone())));
    }
    for recent in &view.recents {
        stretches.extend(recent.chunks_within(org, wanted.clone()).into_iter().map(Stretch::Recent));
    }
    if descending {
        stretches.reverse();
    }
    let mut matches: Vec<Index> = Vec::new();
    let mut next = match from {
        Cursor::After(after) => after,
        Cursor::Before(before) => Some(before),
    };
    if limit == 0 {
        return Ok(Slice { events: Vec::new(), next });
    }
    'stretches: for stretch in &stretches {
        let range = stretch.range();
        let range = range.start.max(wanted.start)..range.end.min(wanted.end);
        for block in blocks(range, descending) {
            let mut found = Vec::new();
            match_block(stretch, scope, filter, block.clone(), &mut found)?;
            if descending {
                found.reverse();
            }
            for index in found {
                matches.push(index);
                if matches.len() == limit {
                    next = Some(index);
                    break 'stretches;
                }
            }
            next = Some(Index(if descending { block.start } else { block.end - 1 }));
        }
    }
    let events = fetch(view, org, &matches)?.into_iter().filter_map(|entry| shown(scope, entry)).collect();
    Ok(Slice { events, next })
}

/// A range cut into blocks, in the direction of reading.
fn blocks(range: Range<u64>, descending: bool) -> Vec<Range<u64>> {
    let mut blocks = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min(start + BLOCK);
        blocks.push(start..end);
        start = end;
    }
    if descending {
        blocks.reverse();
    }
    blocks
}

/// The indexes in `range` whose events match, ascending.
fn match_block(
    stretch: &Stretch,
    scope: &Scope,
    filter: &Filter,
    range: Range<u64>,
    found: &mut Vec<Index>,
) -> Result<(), StoreError> {
    match stretch {
        Stretch::Recent(chunk) => {
            let inside = chunk.entries.iter().filter(|entry| range.contains(&entry.index.0));
            found.extend(inside.filter(|e| filter.matches(scope, &Row::of(&e.event))).map(|entry| entry.index));
            Ok(())
        }
        Stretch::Sealed(segment, run) => {
            let first = run.first_row + (range.start - run.first_index.0);
            let rows = first..first + (range.end - range.start);
            if filter.is_empty() && scope.is_whole() {
                found.extend(range.map(Index));
                return Ok(());
            }
            let wanted = Wanted::For { filter, looks: scope.looks_at() };
            segment.rows(wanted, rows, |index, row| {
                if filter.matches(scope, row) {
                    found.push(index);
                }
            })
        }
    }
}
