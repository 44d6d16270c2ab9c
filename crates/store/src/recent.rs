//! Recent events: durable in the journal, not yet in a segment, readable at once.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use record::merkle::Hash;
use record::{Index, OrgId};

use crate::entry::Entry;
use crate::journal::FileNumber;

/// Entries of one organization in index order, with their leaves.
#[derive(Debug, Default)]
pub(crate) struct Leaved {
    pub(crate) entries: Vec<Entry>,
    pub(crate) leaves: Vec<Hash>,
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
}

impl Recent {
    pub(crate) fn new(file: FileNumber) -> Recent {
        Recent { file, orgs: RwLock::default() }
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
        self.orgs.read().unwrap_or_else(PoisonError::into_inner).get(&org).cloned().unwrap_or_default()
    }

    /// How many events there are.
    pub(crate) fn events(&self) -> u64 {
        let orgs = self.orgs.read().unwrap_or_else(PoisonError::into_inner);
        orgs.values().flatten().map(|chunk| chunk.entries.len() as u64).sum()
    }

    /// The chunk that holds an index, and the place in it.
    pub(crate) fn find(&self, org: OrgId, index: Index) -> Option<(Chunk, usize)> {
        find_in(self.orgs.read().unwrap_or_else(PoisonError::into_inner).get(&org)?, index)
    }
}

/// The chunk that holds an index, among chunks in index order, and the place in it.
pub(crate) fn find_in(chunks: &[Chunk], index: Index) -> Option<(Chunk, usize)> {
    let after = chunks.partition_point(|chunk| chunk.entries.first().is_some_and(|first| first.index <= index));
    let chunk = chunks.get(after.checked_sub(1)?)?;
    let first = chunk.entries.first()?.index;
    let at = usize::try_from(index.0 - first.0).ok()?;
    (at < chunk.entries.len()).then(|| (chunk.clone(), at))
}
