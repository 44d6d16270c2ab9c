//! Numbering: the one place where an event gets its index, its id, its time and its leaf.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use record::merkle::{Hash, Tree, leaf_hash};
use record::{EventId, Index, Json, OrgId, Timestamp, seal};

use crate::append::{Answer, AppendError, Place, Prepared};
use crate::door::{Chance, Clock};
use crate::entry::{self, Entry, Request, Source};
use crate::error::StoreError;
use crate::journal::Frame;
use crate::recent::{Chunk, Leaved};
use crate::sidecar::IdHash;

/// Called once, with what became of a request, after it is durable.
pub(crate) type Done = Box<dyn FnOnce(Result<Vec<Answer>, AppendError>) + Send>;

/// A request that waits for the next sync.
pub(crate) struct Waiting {
    pub(crate) done: Done,
    pub(crate) answers: Vec<Answer>,
}

/// What is filled while the batch before it syncs.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) frame: Frame,
    pub(crate) entries: BTreeMap<OrgId, Leaved>,
    pub(crate) waiting: Vec<Waiting>,
}

/// The state that numbering needs. One owner at a time: it stands behind the store's `sequencer` lock.
pub(crate) struct Sequencer {
    trees: HashMap<OrgId, Tree>,
    /// Ids of events that are not in segments yet, and of their requests.
    ids: HashMap<IdHash, (OrgId, Index)>,
    last: Timestamp,
    in_millisecond: u16,
    pub(crate) batch: Batch,
    /// The batch that is being synced.
    pub(crate) in_flight: BTreeMap<OrgId, Chunk>,
    /// Whether the journal's thread has something to do.
    pub(crate) busy: bool,
    pub(crate) poisoned: Option<String>,
    pub(crate) closing: bool,
}

impl Sequencer {
    pub(crate) fn new(trees: HashMap<OrgId, Tree>, last: Timestamp) -> Sequencer {
        Sequencer {
            trees,
            ids: HashMap::new(),
            last,
            in_millisecond: 0xfff, // So that the first id is of a later millisecond than any before the start.
            batch: Batch::default(),
            in_flight: BTreeMap::new(),
            busy: false,
            poisoned: None,
            closing: false,
        }
    }

    /// Takes over an entry that recovery found in the journal.
    pub(crate) fn recover(&mut self, entry: &Entry, leaf: &Hash) -> Result<(), String> {
        let tree = self.trees.entry(entry.org).or_default();
        if tree.size() != entry.index.0 {
            return Err(format!("organization {} has index {} where {} is due", entry.org, entry.index, tree.size()));
        }
        tree.push(*leaf);
        self.last = self.last.max(entry.recorded_at());
        for hash in IdHash::of(entry) {
            self.ids.insert(hash, (entry.org, entry.index));
        }
        Ok(())
    }

    /// Each log's tree, with what is not durable yet.
    pub(crate) fn trees(&self) -> &HashMap<OrgId, Tree> {
        &self.trees
    }

    /// Takes what was filled, to be made durable, and each of its logs' trees as they will be then. `empty` is filled next.
    pub(crate) fn take(&mut self, empty: Batch) -> (Batch, BTreeMap<OrgId, Chunk>, Vec<(OrgId, Tree)>) {
        let mut batch = std::mem::replace(&mut self.batch, empty);
        let chunks: BTreeMap<OrgId, Chunk> =
            std::mem::take(&mut batch.entries).into_iter().map(|(org, leaved)| (org, Arc::new(leaved))).collect();
        self.in_flight.clone_from(&chunks);
        let trees = chunks.keys().filter_map(|org| Some((*org, self.trees.get(org)?.clone()))).collect();
        (batch, chunks, trees)
    }

    /// Forgets ids that can be found in a segment from now on.
    pub(crate) fn forget(&mut self, ids: &[(IdHash, OrgId, Index)]) {
        for &(hash, org, index) in ids {
            if self.ids.get(&hash) == Some(&(org, index)) {
                self.ids.remove(&hash);
            }
        }
    }

    /// Where an id stands among the events that are not in segments yet.
    pub(crate) fn find(&self, hash: IdHash) -> Option<(OrgId, Index)> {
        self.ids.get(&hash).copied()
    }

    /// An entry of a batch that is not published yet.
    pub(crate) fn unpublished(&self, org: OrgId, index: Index) -> Option<&Entry> {
        let filling = self.batch.entries.get(&org).and_then(|leaved| leaved.get(index));
        filling.or_else(|| self.in_flight.get(&org)?.get(index))
    }

    /// Numbers an event and puts it into the batch.
    pub(crate) fn record(
        &mut self,
        clock: &dyn Clock,
        chance: &dyn Chance,
        retention: &str,
        prepared: Prepared,
        request: Option<Request>,
    ) -> Place {
        let Prepared { org, event, key, seed, digests, id, random, .. } = prepared;
        if !self.trees.contains_key(&org) {
            self.begin_log(clock, chance, retention, org);
        }
        let event_id = self.event_id(clock.now(), random);
        let leaf = leaf_hash(seal::record(&event, event_id, event_id.recorded_at(), &digests).as_bytes());
        let ids = [id, request.as_ref().map(|request| IdHash::of_item(org, &request.item))];
        let request = request.map(Box::new);
        let index =
            self.push(Entry { org, index: Index(0), event_id, event, source: Source::Sent { key, seed }, request }, leaf);
        for hash in ids.into_iter().flatten() {
            self.ids.insert(hash, (org, index));
        }
        Place { event_id, index }
    }

    /// The first entry of every log says how long its entries are kept.
    fn begin_log(&mut self, clock: &dyn Clock, chance: &dyn Chance, retention: &str, org: OrgId) {
        let mut random = [0; 8];
        chance.fill(&mut random);
        let event_id = self.event_id(clock.now(), random);
        let at = event_id.recorded_at();
        let record = seal::policy_record(event_id, at, retention);
        let metadata = Json::trusted(&format!(r#"{{"retention":"{retention}"}}"#));
        #[expect(clippy::expect_used, reason = "constant words")]
        let event = entry::log_event("log.policy", at, metadata).expect("constant words are words");
        let leaf = leaf_hash(record.as_bytes());
        let source = Source::Log { record: record.into() };
        self.push(Entry { org, index: Index(0), event_id, event, source, request: None }, leaf);
    }

    /// Gives an entry its index.
    fn push(&mut self, mut entry: Entry, leaf: Hash) -> Index {
        let tree = self.trees.entry(entry.org).or_default();
        let index = Index(tree.size());
        entry.index = index;
        tree.push(leaf);
        self.batch.frame.push(&entry, &leaf);
        let leaved = self.batch.entries.entry(entry.org).or_default();
        leaved.entries.push(entry);
        leaved.leaves.push(leaf);
        index
    }

    /// The next id: later than every one before, whatever the clock does.
    fn event_id(&mut self, now: Timestamp, random: [u8; 8]) -> EventId {
        // A UUID cannot tell of a time before 1970, which a machine without a battery may wake up in.
        let now = now.max(Timestamp::from_millis(0));
        if now > self.last {
            self.last = now;
            self.in_millisecond = 0;
        } else if self.in_millisecond >= 0xfff {
            self.last = self.last.plus_millis(1);
            self.in_millisecond = 0;
        } else {
            self.in_millisecond += 1;
        }
        EventId::new(self.last, self.in_millisecond, random)
    }
}

/// Why nothing can be recorded now.
pub(crate) fn refusal(sequencer: &Sequencer, queued_bytes_max: usize) -> Option<StoreError> {
    if let Some(reason) = &sequencer.poisoned {
        return Some(StoreError::Poisoned(reason.clone()));
    }
    if sequencer.closing {
        return Some(StoreError::Closing);
    }
    (sequencer.batch.frame.len() > queued_bytes_max).then_some(StoreError::Busy)
}
