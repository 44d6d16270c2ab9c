//! Finding one page among the events that match, wherever they are: newest first, in bounded memory, however far back.
//!
//! Each segment, and the recent events together, are a *source*: a sequence ordered by time, then index, that can say how many of
//! its matches come before a moment. So the beginning of a page is found by halving: the moment that as many matches come after as
//! are to be passed over. A source is asked only where its times leave a doubt; the others say how many they are.

use std::cell::OnceCell;

use access::Scope;
use memchr::memmem::Finder;
use record::{Index, OrgId};
use sha2::{Digest, Sha256};

use crate::bits::Bits;
use crate::cache::Question;
use crate::cancel::Cancel;
use crate::entry::Entry;
use crate::error::StoreError;
use crate::filter::Filter;
use crate::hits::Asked;
use crate::part::{Near, Part};
use crate::recent::Leaved;
use crate::row::Row;
use crate::segment::{Run, Segment};
use crate::store::View;

/// What orders a page: when it occurred, then where it stands.
pub(crate) type Key = (i64, u64);

/// Matches that are looked up at once.
const AHEAD: u32 = 64;

/// A question to a view of the store.
#[derive(Debug)]
pub(crate) struct Asking<'v> {
    pub(crate) view: &'v View,
    pub(crate) scope: &'v Scope,
    pub(crate) filter: &'v Filter,
    pub(crate) cancel: &'v Cancel,
    /// The filter without its times: segments that lie within them are asked this, so that the answer serves other times.
    timeless: Filter,
    question: Question,
    timeless_question: Question,
}

fn hash(scope: &Scope, filter: &Filter) -> Question {
    let hash: [u8; 32] = Sha256::digest(format!("{scope:?} {filter:?}")).into();
    hash.first_chunk().copied().unwrap_or_default()
}

impl<'v> Asking<'v> {
    pub(crate) fn new(view: &'v View, scope: &'v Scope, filter: &'v Filter, cancel: &'v Cancel) -> Asking<'v> {
        let timeless = Filter { from: None, to: None, ..filter.clone() };
        let (question, timeless_question) = (hash(scope, filter), hash(scope, &timeless));
        Asking { view, scope, filter, cancel, timeless, question, timeless_question }
    }

    pub(crate) fn org(&self) -> OrgId {
        self.scope.org()
    }

    /// The segments that may have matches, the latest first.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = Sealed<'_>> {
        let Filter { from, to, .. } = self.filter;
        self.view.segments.iter().rev().filter_map(move |segment| {
            let run = segment.meta.run(self.org())?;
            let outside = from.is_some_and(|from| run.occurred_max < from) || to.is_some_and(|to| run.occurred_min > to);
            let within = from.is_none_or(|from| run.occurred_min >= from) && to.is_none_or(|to| run.occurred_max <= to);
            let (filter, question) =
                if within { (&self.timeless, self.timeless_question) } else { (self.filter, self.question) };
            (!outside).then(|| Sealed {
                asking: self,
                segment,
                run,
                filter,
                question,
                part: OnceCell::new(),
                matches: OnceCell::new(),
            })
        })
    }

    /// The order of the recent events that match, ascending.
    pub(crate) fn recent_keys(&self) -> Result<Vec<Key>, StoreError> {
        let mut keys = Vec::new();
        self.each_recent(|entry| keys.push((entry.event.occurred_at.as_millis(), entry.index.0)))?;
        keys.sort_unstable();
        Ok(keys)
    }

    /// Calls `each` with the recent events that match, in the order of their indexes.
    pub(crate) fn each_recent(&self, mut each: impl FnMut(&Entry)) -> Result<(), StoreError> {
        for chunk in self.view.recents.iter().flat_map(|recent| recent.chunks(self.org())) {
            self.cancel.check()?;
            let has_words = self.have_words(&chunk);
            for (at, entry) in chunk.entries.iter().enumerate() {
                if has_words.get(at).is_none_or(|has| *has) && self.filter.matches(self.scope, &Row::of(&entry.event)) {
                    each(entry);
                }
            }
        }
        Ok(())
    }
}

impl Asking<'_> {
    /// Which events of a chunk have all the words, where nothing is hidden of them; empty where that must be asked one by one.
    fn have_words(&self, chunk: &Leaved) -> Vec<bool> {
        if self.filter.words.is_empty() || !self.scope.is_whole() {
            return Vec::new();
        }
        let finders: Vec<Finder<'_>> = self.filter.words.iter().map(Finder::new).collect();
        let has_all = |text: &str| finders.iter().all(|finder| finder.find(text.as_bytes()).is_some());
        chunk.texts().iter().map(|text| has_all(text)).collect()
    }
}

/// One segment's answer to a question, worked out as far as it is needed.
#[derive(Debug)]
pub(crate) struct Sealed<'a> {
    asking: &'a Asking<'a>,
    pub(crate) segment: &'a Segment,
    pub(crate) run: &'a Run,
    filter: &'a Filter,
    question: Question,
    part: OnceCell<Part>,
    matches: OnceCell<Matches>,
}

/// The positions that match.
#[derive(Debug)]
enum Matches {
    /// All of them.
    All(u32),
    Some(Bits),
}

impl Matches {
    fn count_below(&self, end: u32) -> u32 {
        match self {
            Matches::All(len) => end.min(*len),
            Matches::Some(set) => set.count_below(end),
        }
    }

    /// Up to `AHEAD` positions, ascending: those that end before the `end`th.
    fn before(&self, end: u32) -> Vec<u32> {
        let start = end.saturating_sub(AHEAD);
        match self {
            Matches::All(_) => (start..end).collect(),
            Matches::Some(set) => {
                let Some(first) = set.nth(start) else { return Vec::new() };
                set.iter_from(first).take((end - start) as usize).collect()
            }
        }
    }
}

impl Sealed<'_> {
    pub(crate) fn part(&self) -> Result<&Part, StoreError> {
        if let Some(part) = self.part.get() {
            return Ok(part);
        }
        let missing = || StoreError::corrupt(&self.segment.meta.id.sidecar_path(), 0, "a part is missing");
        let part = self.segment.part(self.asking.org())?.ok_or_else(missing)?;
        Ok(self.part.get_or_init(|| part))
    }

    /// The question, as far as the segment needs to answer it.
    pub(crate) fn asked(&self) -> Result<Asked<'_>, StoreError> {
        let Asking { scope, cancel, .. } = *self.asking;
        Ok(Asked { segment: self.segment, run: self.run, part: self.part()?, scope, filter: self.filter, cancel })
    }

    /// Whether every event matches, and nothing of it is hidden.
    pub(crate) fn is_all(&self) -> bool {
        self.filter.is_empty() && self.asking.scope.is_whole()
    }

    fn matches(&self) -> Result<&Matches, StoreError> {
        if let Some(matches) = self.matches.get() {
            return Ok(matches);
        }
        let matches = match self.is_all() {
            true => Matches::All(self.part()?.rows()),
            false => Matches::Some(self.segment.ask(|| self.asked()?.all_hits(None))?),
        };
        Ok(self.matches.get_or_init(|| matches))
    }

    /// How many match.
    pub(crate) fn total(&self) -> Result<u64, StoreError> {
        if self.is_all() {
            return Ok(self.run.rows);
        }
        let (cache, id) = (self.segment.cache(), self.segment.meta.id);
        if let Some(count) = cache.count(id, self.question) {
            return Ok(count);
        }
        self.asking.cancel.check()?;
        let count = match self.segment.ask(|| self.asked()?.known_count())? {
            Some(count) => count,
            None => match self.matches()? {
                Matches::All(len) => u64::from(*len),
                Matches::Some(set) => u64::from(set.count()),
            },
        };
        cache.counted(id, self.question, count);
        Ok(count)
    }

    /// The events at some positions.
    pub(crate) fn fetch(&self, positions: &Bits) -> Result<Vec<Entry>, StoreError> {
        let rows = self.segment.ask(|| self.part()?.rows_of(positions))?;
        let indexes: Vec<Index> = rows.iter().map(|row| Index(self.run.first_index.0 + u64::from(row))).collect();
        crate::query::fetch(self.asking.view, self.asking.org(), &indexes)
    }

    /// How many of the matches occurred before a time.
    pub(crate) fn before_time(&self, time: i64) -> Result<u64, StoreError> {
        let matches = self.matches()?;
        let at = self.segment.ask(|| self.part()?.first_from(time))?;
        Ok(u64::from(matches.count_below(at)))
    }

    /// How many of the matches come before a key.
    fn before(&self, key: Key) -> Result<u32, StoreError> {
        let matches = self.matches()?;
        let row = key.1.saturating_sub(self.run.first_index.0).min(self.run.rows);
        let at = self.segment.ask(|| self.part()?.before(key.0, u32::try_from(row).unwrap_or(u32::MAX)))?;
        Ok(matches.count_below(at))
    }

    /// The keys of the last matches before the `end`th, ascending.
    fn keys_before(&self, end: u32) -> Result<Vec<Key>, StoreError> {
        let positions = self.matches()?.before(end);
        self.segment.ask(|| {
            let mut near = Near::default();
            let key = |at: u32| {
                let part = self.part()?;
                Ok((part.time(at, &mut near)?, self.run.first_index.0 + u64::from(part.row(at, &mut near)?)))
            };
            positions.iter().copied().map(key).collect()
        })
    }
}

/// What a page is taken from.
struct Source<'a> {
    of: Of<'a>,
    /// All its matches lie between these keys.
    first: Key,
    last: Key,
    /// And all their indexes before this one.
    end_index: u64,
    total: u64,
    /// How many of its matches are not passed over or taken.
    left: u64,
    /// The last of those, ascending, as far as they were looked up.
    ahead: Vec<Key>,
}

enum Of<'a> {
    Sealed(&'a Sealed<'a>),
    Recent(&'a [Key]),
}

impl Source<'_> {
    /// How many of its matches come before a key.
    fn before(&self, key: Key) -> Result<u64, StoreError> {
        if self.total == 0 || key <= self.first {
            return Ok(0);
        }
        if key > self.last {
            return Ok(self.total);
        }
        match &self.of {
            Of::Sealed(sealed) => sealed.before(key).map(u64::from),
            Of::Recent(keys) => Ok(keys.partition_point(|its| *its < key) as u64),
        }
    }

    /// The greatest key that is left; `None` if none is. Where it has not been looked up, a key that is not smaller.
    fn peek(&self) -> Option<Key> {
        (self.left > 0).then(|| self.ahead.last().copied().unwrap_or(self.last))
    }

    /// Looks up the keys that are to be taken next.
    fn look_ahead(&mut self) -> Result<(), StoreError> {
        self.ahead = match &self.of {
            Of::Sealed(sealed) => sealed.keys_before(u32::try_from(self.left).unwrap_or(u32::MAX))?,
            Of::Recent(keys) => {
                let end = usize::try_from(self.left).unwrap_or(usize::MAX);
                keys.get(end.saturating_sub(AHEAD as usize)..end).unwrap_or_default().to_vec()
            }
        };
        Ok(())
    }
}

/// How many match, and the indexes of one page of them.
pub(crate) fn page(asking: &Asking<'_>, offset: u64, limit: usize) -> Result<(u64, Vec<Index>), StoreError> {
    let recent = asking.recent_keys()?;
    let sealed: Vec<Sealed<'_>> = asking.sealed().collect();
    let mut sources = Vec::with_capacity(sealed.len() + 1);
    for one in &sealed {
        let Run { first_index, rows, occurred_min, occurred_max, .. } = one.run;
        let first = (occurred_min.as_millis(), first_index.0);
        let last = (occurred_max.as_millis(), first_index.0 + rows - 1);
        let (total, end_index) = (one.total()?, first_index.0 + rows);
        sources.push(Source { of: Of::Sealed(one), first, last, end_index, total, left: total, ahead: Vec::new() });
    }
    if let (Some(&first), Some(&last)) = (recent.first(), recent.last()) {
        let total = recent.len() as u64;
        let end_index = recent.iter().map(|(_, index)| index + 1).max().unwrap_or(0);
        sources.push(Source { of: Of::Recent(&recent), first, last, end_index, total, left: total, ahead: Vec::new() });
    }
    let total: u64 = sources.iter().map(|source| source.total).sum();
    sources.retain(|source| source.total > 0);
    if offset >= total || limit == 0 {
        return Ok((total, Vec::new()));
    }
    pass_over(&mut sources, offset, total)?;
    let mut indexes = Vec::new();
    while indexes.len() < limit {
        asking.cancel.check()?;
        let best = sources.iter_mut().filter_map(|source| Some((source.peek()?, source))).max_by_key(|(key, _)| *key);
        let Some((_, source)) = best else { break };
        match source.ahead.pop() {
            Some((_, index)) => {
                indexes.push(Index(index));
                source.left -= 1;
            }
            None => source.look_ahead()?,
        }
    }
    Ok((total, indexes))
}

/// Leaves in each source what comes after the `offset` newest of all.
fn pass_over(sources: &mut [Source<'_>], offset: u64, total: u64) -> Result<(), StoreError> {
    if offset == 0 {
        return Ok(());
    }
    let keep = total - offset;
    let before = |key: Key| -> Result<u64, StoreError> {
        let mut sum = 0;
        for source in &*sources {
            sum += source.before(key)?;
        }
        Ok(sum)
    };
    // The latest time that no more than `keep` matches come before; then, within it, the index likewise. Keys are different, so
    // there is one that exactly so many come before.
    let mut low = sources.iter().map(|source| source.first.0).min().unwrap_or(0);
    let mut high = sources.iter().map(|source| source.last.0).max().unwrap_or(0);
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if before((middle, 0))? <= keep { low = middle } else { high = middle - 1 }
    }
    let time = low;
    let (mut low, mut high) = (0, sources.iter().map(|source| source.end_index).max().unwrap_or(0));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if before((time, middle))? <= keep { low = middle } else { high = middle - 1 }
    }
    for source in sources {
        source.left = source.before((time, low))?;
    }
    Ok(())
}
