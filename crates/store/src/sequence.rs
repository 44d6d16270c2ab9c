//! Numbering: the one place where an event gets its index, its id, its time and its leaf.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use record::merkle::{Hash, Tree, leaf_hash};
use record::{Event, EventId, Index, Json, OrgId, Timestamp, seal};

use crate::append::{Answer, AppendError, Idempotency, Place, Prepared};
use crate::door::{Chance, Clock};
use crate::entry::{self, Entry, Request, Source};
use crate::error::StoreError;
use crate::journal::Frame;
use crate::recent::{Chunk, Leaved, find_in};
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
        self.remember(entry);
        Ok(())
    }

    pub(crate) fn tree(&self, org: OrgId) -> Option<&Tree> {
        self.trees.get(&org)
    }

    /// Forgets ids that can be found in a segment from now on.
    pub(crate) fn forget<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>) {
        for entry in entries {
            for hash in IdHash::of(entry) {
                if self.ids.get(&hash) == Some(&(entry.org, entry.index)) {
                    self.ids.remove(&hash);
                }
            }
        }
    }

    fn remember(&mut self, entry: &Entry) {
        for hash in IdHash::of(entry) {
            self.ids.insert(hash, (entry.org, entry.index));
        }
    }

    /// Where an id stands among the events that are not in segments yet.
    pub(crate) fn find(&self, hash: IdHash) -> Option<(OrgId, Index)> {
        self.ids.get(&hash).copied()
    }

    /// An entry of a batch that is not published yet.
    pub(crate) fn unpublished(&self, org: OrgId, index: Index) -> Option<Arc<Entry>> {
        let pending = self.batch.entries.get(&org).and_then(|leaved| {
            let first = leaved.entries.first()?.index;
            leaved.entries.get(usize::try_from(index.0.checked_sub(first.0)?).ok()?)
        });
        if let Some(entry) = pending {
            return Some(Arc::new(entry.clone()));
        }
        let (chunk, at) = find_in(std::slice::from_ref(self.in_flight.get(&org)?), index)?;
        chunk.entries.get(at).cloned().map(Arc::new)
    }

    /// Numbers an event and puts it into the batch.
    pub(crate) fn record(
        &mut self,
        clock: &dyn Clock,
        chance: &dyn Chance,
        retention: &str,
        org: OrgId,
        prepared: Prepared,
        request: Option<Request>,
    ) -> Place {
        if !self.trees.contains_key(&org) {
            self.begin_log(clock, chance, retention, org);
        }
        let event_id = self.event_id(clock, chance);
        let record = seal::record(&prepared.event, event_id, event_id.recorded_at(), &prepared.digests);
        let source = Source::Sent { key: prepared.key, seed: prepared.seed };
        self.push(org, event_id, prepared.event, source, request, leaf_hash(record.as_bytes()))
    }

    /// The first entry of every log says how long its entries are kept.
    fn begin_log(&mut self, clock: &dyn Clock, chance: &dyn Chance, retention: &str, org: OrgId) {
        let event_id = self.event_id(clock, chance);
        let at = event_id.recorded_at();
        let record = seal::policy_record(event_id, at, retention);
        let metadata = Json::trusted(&format!(r#"{{"retention":"{retention}"}}"#));
        #[expect(clippy::expect_used, reason = "constant words")]
        let event = entry::log_event("log.policy", at, metadata).expect("constant words are words");
        let leaf = leaf_hash(record.as_bytes());
        self.push(org, event_id, event, Source::Log { record: record.into() }, None, leaf);
    }

    fn push(
        &mut self,
        org: OrgId,
        event_id: EventId,
        event: Event,
        source: Source,
        request: Option<Request>,
        leaf: Hash,
    ) -> Place {
        let tree = self.trees.entry(org).or_default();
        let index = Index(tree.size());
        tree.push(leaf);
        let entry = Entry { org, index, event_id, event, source, request: request.map(Box::new) };
        self.batch.frame.push(&entry, &leaf);
        self.remember(&entry);
        let leaved = self.batch.entries.entry(org).or_default();
        leaved.entries.push(entry);
        leaved.leaves.push(leaf);
        Place { event_id, index }
    }

    /// The next id: later than every one before, whatever the clock does.
    fn event_id(&mut self, clock: &dyn Clock, chance: &dyn Chance) -> EventId {
        let now = clock.now();
        if now > self.last {
            self.last = now;
            self.in_millisecond = 0;
        } else if self.in_millisecond >= 0xfff {
            self.last = self.last.plus_millis(1);
            self.in_millisecond = 0;
        } else {
            self.in_millisecond += 1;
        }
        let mut random = [0; 8];
        chance.fill(&mut random);
        EventId::new(self.last, self.in_millisecond, random)
    }
}

/// The request that an idempotency key makes of a batch's first event.
pub(crate) fn request_of(idempotency: Option<Idempotency>, events: usize) -> Option<Request> {
    let events = u32::try_from(events).ok()?;
    idempotency.map(|Idempotency { key, body }| Request { key, body, events })
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
