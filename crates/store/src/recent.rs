//! Recent events: durable in the journal, not yet in a segment, readable at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use access::Scope;
use record::merkle::Hash;
use record::{EventId, Index, OrgId};

use crate::entry::Entry;
use crate::journal::FileNumber;
use crate::values::{Tally, Values};

/// Entries of one organization in index order, with their leaves.
#[derive(Debug, Default)]
pub(crate) struct Leaved {
    pub(crate) entries: Vec<Entry>,
    pub(crate) leaves: Vec<Hash>,
    /// The entries' texts in lower case, made when somebody searches.
    texts: OnceLock<Vec<Box<str>>>,
}

impl Leaved {
    /// The entries' texts in lower case. Not before all entries are there.
    pub(crate) fn texts(&self) -> &[Box<str>] {
        self.texts.get_or_init(|| self.entries.iter().map(|entry| record::text::lower(&entry.event).into()).collect())
    }

    /// The entry with this index.
    pub(crate) fn get(&self, index: Index) -> Option<&Entry> {
        let first = self.entries.first()?.index;
        self.entries.get(usize::try_from(index.0.checked_sub(first.0)?).ok()?)
    }
}

/// The events of one organization that one batch made durable.
pub(crate) type Chunk = Arc<Leaved>;

/// The events of one journal file. Grows while the file is written; then it is frozen until it is a segment.
///
/// The journal writer's thread alone adds to it; everybody reads. The lock is held for the time of a copy of pointers.
#[derive(Debug)]
pub(crate) struct Recent {
    pub(crate) file: FileNumber,
    orgs: RwLock<BTreeMap<OrgId, Vec<Chunk>>>,
    /// How many chunks of an organization were counted, and what was found. Made when somebody asks.
    tallies: Mutex<BTreeMap<OrgId, (usize, Tally)>>,
}

impl Recent {
    pub(crate) fn new(file: FileNumber) -> Recent {
        Recent { file, orgs: RwLock::default(), tallies: Mutex::default() }
    }

    /// Makes a durable batch readable.
    pub(crate) fn publish(&self, batch: &BTreeMap<OrgId, Chunk>) {
        let mut orgs = self.orgs.write().unwrap_or_else(PoisonError::into_inner);
        for (org, chunk) in batch {
            orgs.entry(*org).or_default().push(chunk.clone());
        }
    }

    /// The organizations that have events here, in order.
    pub(crate) fn orgs(&self) -> Vec<OrgId> {
        self.orgs.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// One organization's events as they stand now, in index order.
    pub(crate) fn chunks(&self, org: OrgId) -> Vec<Chunk> {
        self.chunks_within(org, 0..u64::MAX)
    }

    /// The chunks of one organization that hold some of these indexes.
    pub(crate) fn chunks_within(&self, org: OrgId, range: Range<u64>) -> Vec<Chunk> {
        let orgs = self.orgs.read().unwrap_or_else(PoisonError::into_inner);
        let chunks = orgs.get(&org).map(Vec::as_slice).unwrap_or_default();
        let first = |chunk: &Chunk| chunk.entries.first().map_or(0, |entry| entry.index.0);
        let from = chunks.partition_point(|chunk| first(chunk) + chunk.entries.len() as u64 <= range.start);
        let to = chunks.partition_point(|chunk| first(chunk) < range.end);
        chunks.get(from..to).unwrap_or_default().to_vec()
    }

    /// Adds the values that occur here, as far as the scope sees them. Counts only what has come since the last time.
    pub(crate) fn collect_values(&self, scope: &Scope, values: &mut Values) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let (counted, tally) = tallies.entry(scope.org()).or_default();
        let orgs = self.orgs.read().unwrap_or_else(PoisonError::into_inner);
        let chunks = orgs.get(&scope.org()).and_then(|chunks| chunks.get(*counted..)).unwrap_or_default().to_vec();
        drop(orgs);
        for entry in chunks.iter().flat_map(|chunk| &chunk.entries) {
            tally.add(entry.org, &entry.event);
        }
        *counted += chunks.len();
        tally.collect(scope, values);
    }

    /// How many events there are.
    pub(crate) fn events(&self) -> u64 {
        let orgs = self.orgs.read().unwrap_or_else(PoisonError::into_inner);
        orgs.values().flatten().map(|chunk| chunk.entries.len() as u64).sum()
    }

    /// The event with this index.
    pub(crate) fn find(&self, org: OrgId, index: Index) -> Option<Entry> {
        let orgs = self.orgs.read().unwrap_or_else(PoisonError::into_inner);
        last_not_after(orgs.get(&org)?, |first| first.index <= index)?.get(index).cloned()
    }

    /// The event with this id.
    pub(crate) fn find_id(&self, org: OrgId, event_id: EventId) -> Option<Entry> {
        let orgs = self.orgs.read().unwrap_or_else(PoisonError::into_inner);
        // Event ids ascend with the index.
        let entries = &last_not_after(orgs.get(&org)?, |first| first.event_id <= event_id)?.entries;
        entries.get(entries.binary_search_by_key(&event_id, |entry| entry.event_id).ok()?).cloned()
    }
}

/// The last of some chunks whose first entry is not after what is looked for.
fn last_not_after(chunks: &[Chunk], is_not_after: impl Fn(&Entry) -> bool) -> Option<&Chunk> {
    let after = chunks.partition_point(|chunk| chunk.entries.first().is_some_and(&is_not_after));
    chunks.get(after.checked_sub(1)?)
}
