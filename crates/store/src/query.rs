//! Reading: recent and sealed events as one log, newest first with exact totals, or in index order without gaps.

use std::ops::Range;
use std::sync::Arc;

use access::Scope;
use record::{EventId, Index, OrgId};

use crate::bits::Bits;
use crate::cancel::{Cancel, Reader};
use crate::entry::Entry;
use crate::error::StoreError;
use crate::filter::Filter;
use crate::hits::Asked;
use crate::page::{Asking, page};
use crate::part::MARK_ROWS;
use crate::part::build::mark;
use crate::recent::Chunk;
use crate::row::Row;
use crate::segment::{self, ROW_GROUP_ROWS, Run, Segment};
use crate::store::{Store, View};

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
    /// One event by its id, if the scope sees it.
    pub fn get(&self, scope: &Scope, event_id: EventId) -> Result<Option<Entry>, StoreError> {
        let found = self.shared.noted(by_event_id(&self.shared.view(), scope.org(), event_id))?;
        Ok(found.and_then(|entry| shown(scope, entry)))
    }
}

impl Reader<'_> {
    /// One page of the events that match, newest first, with the exact total.
    pub fn query(&self, scope: &Scope, filter: &Filter, page: Page) -> Result<Rows, StoreError> {
        self.cancel.check()?;
        let shared = &self.store.shared;
        shared.noted(query(&shared.view(), scope, filter, page, &self.cancel))
    }

    /// Up to `limit` events that match, in index order: for pollers and streams. Never skips and never repeats.
    pub fn slice(&self, scope: &Scope, filter: &Filter, from: Cursor, limit: usize) -> Result<Slice, StoreError> {
        self.cancel.check()?;
        let shared = &self.store.shared;
        shared.noted(slice(&shared.view(), scope, filter, from, limit, &self.cancel))
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

fn query(view: &View, scope: &Scope, filter: &Filter, wanted: Page, cancel: &Cancel) -> Result<Rows, StoreError> {
    let asking = Asking::new(view, scope, filter, cancel);
    let (total, indexes) = page(&asking, wanted.offset, wanted.limit)?;
    let mut events = Vec::with_capacity(indexes.len().min(1_000));
    for some in indexes.chunks(FETCHED_AT_ONCE) {
        cancel.check()?;
        events.extend(fetch(view, scope.org(), some)?.into_iter().filter_map(|entry| shown(scope, entry)));
    }
    Ok(Rows { events, total })
}

/// Entries that are fetched before it is looked again whether anybody waits for them.
const FETCHED_AT_ONCE: usize = 1_000;

/// More than a page are not read again soon.
const REMEMBERED_AT_ONCE: usize = 200;
/// About what an entry takes in memory.
const ENTRY_BYTES: usize = 1_200;

/// The entries at these indexes, in the order given.
pub(crate) fn fetch(view: &View, org: OrgId, indexes: &[Index]) -> Result<Vec<Entry>, StoreError> {
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
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for (segment, mut rows) in view.segments.iter().zip(in_segments) {
        rows.sort_unstable();
        // Whoever turns pages back and forth, or asks again, is shown what was just read.
        rows.retain(|&(row, at)| {
            let held = segment.cache().held::<Entry>(segment.remembered(row));
            if let Some((held, slot)) = held.as_ref().zip(found.get_mut(at)) {
                *slot = Some(Entry::clone(held));
            }
            held.is_none()
        });
        wanted.extend(rows.into_iter().map(|(row, at)| Wanted { segment, row, at }));
    }
    // Neighbours are in one page; what lies apart is the work.
    let far_apart = wanted.windows(2).filter(|two| matches!(two, [a, b] if a.is_far_from(b))).count();
    let (first, second) = wanted.split_at(if far_apart < APART_FOR_TWO { 0 } else { wanted.len() / 2 });
    let (first, second) = std::thread::scope(|threads| {
        let other = (!first.is_empty()).then(|| threads.spawn(|| read(first)));
        let second = read(second);
        let unread = || Err(StoreError::corrupt(segment::DIR, 0, "the reader panicked over it"));
        (other.map_or(Ok(Vec::new()), |other| other.join().unwrap_or_else(|_| unread())), second)
    });
    for (at, entry) in first?.into_iter().chain(second?) {
        if let Some(slot) = found.get_mut(at) {
            *slot = Some(entry);
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

/// So many rows that lie in different row groups are read by two threads: each costs the dictionaries of its row group.
const APART_FOR_TWO: usize = 4;

/// A row that is to be read, and its place in the answer.
#[derive(Debug)]
struct Wanted<'v> {
    segment: &'v Arc<Segment>,
    row: u64,
    at: usize,
}

impl Wanted<'_> {
    fn is_far_from(&self, next: &Wanted<'_>) -> bool {
        !Arc::ptr_eq(self.segment, next.segment) || next.row - self.row > ROW_GROUP_ROWS as u64
    }
}

/// Reads rows, which come segment by segment, ascending; each with its place in the answer.
fn read(wanted: &[Wanted<'_>]) -> Result<Vec<(usize, Entry)>, StoreError> {
    let few = wanted.len() <= REMEMBERED_AT_ONCE;
    let mut read = Vec::with_capacity(wanted.len());
    for rows in wanted.chunk_by(|a, b| Arc::ptr_eq(a.segment, b.segment)) {
        let Some(Wanted { segment, .. }) = rows.first() else { continue };
        let ranges: Vec<Range<u64>> = rows.iter().map(|wanted| wanted.row..wanted.row + 1).collect();
        for (entry, wanted) in segment.entries(&ranges)?.zip(rows) {
            let entry = entry?;
            if few {
                segment.cache().keep(segment.remembered(wanted.row), Arc::new(entry.clone()), ENTRY_BYTES);
            }
            read.push((wanted.at, entry));
        }
    }
    Ok(read)
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
        let row = segment.ask(|| {
            let Some(part) = segment.part(org)? else { return Ok(None) };
            // The rows from the last mark that is not after the id, up to the next.
            let marks = part.marks()?;
            let Some(block) = marks.partition_point(|its| *its <= mark(event_id.as_bytes())).checked_sub(1) else {
                return Ok(None);
            };
            let start = run.first_row + block as u64 * u64::from(MARK_ROWS);
            let end = (start + u64::from(MARK_ROWS)).min(run.first_row + run.rows);
            segment.row_of_event_id(start..end, event_id.as_bytes())
        })?;
        if let Some(row) = row {
            return by_index(view, org, Index(run.first_index.0 + (row - run.first_row))).map(Some);
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

fn slice(
    view: &View,
    scope: &Scope,
    filter: &Filter,
    from: Cursor,
    limit: usize,
    cancel: &Cancel,
) -> Result<Slice, StoreError> {
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
    for stretch in &stretches {
        cancel.check()?;
        let range = stretch.range();
        let range = range.start.max(wanted.start)..range.end.min(wanted.end);
        if range.is_empty() {
            continue;
        }
        let room = limit - matches.len();
        let found = match_stretch(stretch, scope, filter, range.clone(), descending, room, cancel)?;
        matches.extend(&found);
        if matches.len() == limit {
            next = matches.last().copied();
            break;
        }
        next = Some(Index(if descending { range.start } else { range.end - 1 }));
    }
    let events = fetch(view, org, &matches)?.into_iter().filter_map(|entry| shown(scope, entry)).collect();
    Ok(Slice { events, next })
}

/// The first `limit` indexes in `range` whose events match, in the direction of reading.
fn match_stretch(
    stretch: &Stretch,
    scope: &Scope,
    filter: &Filter,
    range: Range<u64>,
    descending: bool,
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<Index>, StoreError> {
    let directed = |indexes: &mut dyn DoubleEndedIterator<Item = u64>| -> Vec<Index> {
        if descending { indexes.rev().take(limit).map(Index).collect() } else { indexes.take(limit).map(Index).collect() }
    };
    match stretch {
        Stretch::Recent(chunk) => {
            let inside = chunk.entries.iter().filter(|entry| range.contains(&entry.index.0));
            Ok(directed(&mut inside.filter(|e| filter.matches(scope, &Row::of(&e.event))).map(|entry| entry.index.0)))
        }
        Stretch::Sealed(..) if filter.is_empty() && scope.is_whole() => Ok(directed(&mut range.clone())),
        Stretch::Sealed(segment, run) => {
            let row = |index: u64| u32::try_from(index - run.first_index.0).unwrap_or(u32::MAX);
            let rows: Bits = segment.ask(|| {
                let Some(part) = segment.part(scope.org())? else { return Ok(Bits::none(0)) };
                let wanted = row(range.start)..row(range.end);
                let asked = Asked { segment, run, part: &part, scope, filter, cancel };
                // Where texts may have to be read, no others than those in the range.
                let within = if filter.words.is_empty() { None } else { Some(part.positions_of(&wanted)?) };
                let mut rows = part.rows_of(&asked.all_hits(within.as_ref())?)?;
                rows.and(&Bits::range(part.rows(), wanted));
                Ok(rows)
            })?;
            let first = run.first_index.0;
            if descending {
                let rows: Vec<u32> = rows.iter().collect();
                return Ok(directed(&mut rows.into_iter().map(|row| first + u64::from(row))));
            }
            Ok(rows.iter().take(limit).map(|row| Index(first + u64::from(row))).collect())
        }
    }
}
