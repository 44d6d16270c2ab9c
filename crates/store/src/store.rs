//! The store: opened, appended to, read, closed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;

use access::Scope;
use record::merkle::Tree;
use record::{Index, OrgId, Timestamp};

use crate::append::{Answer, AppendError, Idempotency, Prepared};
use crate::cache::Cache;
use crate::disk::Disk;
use crate::door::{Chance, Clock};
use crate::entry::{Entry, Request};
use crate::error::StoreError;
use crate::files::Files;
use crate::journal::{self, FileNumber, HEADER_BYTES, Tail, Writer, read_file};
use crate::manifest::Manifest;
use crate::recent::{Leaved, Recent};
use crate::segment::{self, Segment, SegmentId};
use crate::sequence::{Batch, Done, Sequencer, Waiting, refusal};
use crate::sidecar::IdHash;
use crate::values::SealedValues;

/// The lock file.
pub(crate) const LOCK: &str = "LOCK";

/// How the store behaves. All sizes in bytes.
#[derive(Debug, Clone)]
pub struct Options {
    /// A journal file is sealed into a segment once it has this many events …
    pub seal_events: u64,
    /// … or this many bytes.
    pub seal_bytes: u64,
    /// Above so many bytes waiting for the next sync, appends are told that the store is busy.
    pub queued_bytes_max: usize,
    /// Above so many journal files waiting to be sealed, likewise.
    pub unsealed_files_max: usize,
    /// How long a new log promises to keep its entries; ISO 8601, in whole days, months or years.
    pub retention: String,
    /// How long an `Idempotency-Key` is remembered, in milliseconds.
    pub idempotency_ms: i64,
    /// How long to wait after sealing has failed before the next attempt, in milliseconds.
    pub seal_retry_ms: u64,
    /// So many segments of about one size are merged into one …
    pub merge_factor: usize,
    /// … which has so many events at most.
    pub merge_rows_max: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seal_events: 32_768,
            seal_bytes: 32 << 20,
            queued_bytes_max: 64 << 20,
            unsealed_files_max: 4,
            retention: "P12M".to_owned(),
            idempotency_ms: 24 * 60 * 60 * 1_000,
            seal_retry_ms: 5_000,
            merge_factor: 32,
            merge_rows_max: 1 << 20,
        }
    }
}

impl Options {
    /// Small, so that a test of a few hundred events seals several times. Merging is for the tests that ask for it.
    pub fn for_tests() -> Options {
        Options { seal_events: 50, seal_retry_ms: 1, merge_factor: usize::MAX, ..Options::default() }
    }
}

/// What can be read at one moment. Replaced whole, never changed; a reader keeps the one it began with.
#[derive(Debug)]
pub(crate) struct View {
    /// The sealed part, in the order of its events.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// The recent part, the oldest journal file first. The last one is being written.
    pub(crate) recents: Vec<Arc<Recent>>,
}

/// The doors and the state that the store's threads share.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) files: Arc<Files>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) options: Options,
    view: RwLock<Arc<View>>,
    /// Each log's tree, as far as it is durable. The journal's thread alone changes it.
    trees: RwLock<HashMap<OrgId, Tree>>,
    /// The one lock that is held while another is taken: the view's, the trees' or `sealing_failed`, for a moment each.
    sequencer: Mutex<Sequencer>,
    /// Told when the batch is no longer empty, and on closing.
    work: Condvar,
    /// Told when a journal file is full, and on closing.
    pub(crate) sealing: Condvar,
    /// Told when the journal's thread has nothing more to do, and after each attempt to seal.
    settled: Condvar,
    pub(crate) counters: Counters,
    /// Told after each batch.
    when_durable: OnceLock<Box<dyn Fn() + Send + Sync>>,
    sealing_failed: Mutex<Option<String>>,
    /// What reading has found to be damaged, first.
    damaged: Mutex<Option<String>>,
    pub(crate) sealed_values: Mutex<SealedValues>,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    recorded: AtomicU64,
    batches: AtomicU64,
    journal_bytes: AtomicU64,
    sync_ns: AtomicU64,
    sync_ns_max: AtomicU64,
    pub(crate) sealed_events: AtomicU64,
    pub(crate) merged_events: AtomicU64,
}

/// Figures for the metrics page, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Events recorded.
    pub recorded: u64,
    /// Batches made durable; one sync each.
    pub batches: u64,
    /// Bytes written to the journal.
    pub journal_bytes: u64,
    /// Time spent in writes and syncs of the journal, in nanoseconds.
    pub sync_ns: u64,
    /// The slowest of them.
    pub sync_ns_max: u64,
    /// Events sealed into segments.
    pub sealed_events: u64,
    /// Events in segments that were merged, counted each time.
    pub merged_events: u64,
    /// Whether segments are to be merged, or are being merged.
    pub merging: bool,
    /// Segments there are now.
    pub segments: u64,
    /// Rows in them.
    pub segment_rows: u64,
    /// Bytes of their files and of what is derived from them.
    pub segment_bytes: u64,
    /// Events that are not in segments yet.
    pub recent_events: u64,
}

/// Whether the store can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Why no event can be recorded, if none can.
    pub unwritable: Option<String>,
    /// Why the last attempt to seal failed, if it did. Recording goes on until too much is unsealed.
    pub sealing: Option<String>,
    /// What was found damaged when it was read, the first time. It is not served; `acta check` says how much it is.
    pub damaged: Option<String>,
}

/// The store of one data directory. Dropping it closes it.
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    recovered: Recovered,
    _lock: Box<dyn Send + Sync>,
}

/// What start-up found in the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Events that were not in segments.
    pub events: u64,
    /// Bytes of a batch that had not been made durable, cut off.
    pub torn_bytes: u64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("disk", &self.shared.disk).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under one of these locks has already taken its thread down; what it left is checked by the next reader.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Opens the store of a data directory, made if it is empty, and recovers what the last process left.
    pub fn open(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        options: Options,
    ) -> Result<Store, StoreError> {
        let guard = disk.lock(LOCK).map_err(|e| match e.kind() {
            std::io::ErrorKind::WouldBlock => StoreError::Locked,
            _ => StoreError::io(LOCK)(e),
        })?;
        for dir in [journal::DIR, segment::DIR] {
            disk.create_dir(dir).map_err(StoreError::io(dir))?;
        }
        // Also makes the manifest durable whose name the last process may not have lived to see durable: below, what it has
        // made superfluous is removed.
        disk.sync_dir("").map_err(StoreError::io("."))?;
        let manifest = match Manifest::load(&*disk)? {
            Some(manifest) => manifest,
            None => first_start(&*disk)?,
        };
        let (files, cache) = (Files::new(disk.clone()), Arc::<Cache>::default());
        let mut segments = Vec::new();
        for meta in &manifest.segments {
            segments.push(Arc::new(Segment::open(&files, &cache, meta.clone())?));
        }
        let Journal { sequencer, recents, last, tail, recovered } = recover(&*disk, &manifest)?;
        // Only now that everything was found to belong together, and before anything is written: it may make room.
        sweep(&*disk, &manifest)?;
        let writer = match tail.batches {
            // A file without a batch is made again: its header may never have become durable.
            0 => Writer::create(&*disk, last)?,
            _ => Writer::resume(&*disk, last, &tail)?,
        };
        let shared = Arc::new(Shared {
            disk,
            files,
            cache,
            clock,
            chance,
            options,
            view: RwLock::new(Arc::new(View { segments, recents })),
            trees: RwLock::new(sequencer.trees().clone()),
            sequencer: Mutex::new(sequencer),
            work: Condvar::new(),
            sealing: Condvar::new(),
            settled: Condvar::new(),
            counters: Counters::default(),
            when_durable: OnceLock::new(),
            sealing_failed: Mutex::default(),
            damaged: Mutex::default(),
            sealed_values: Mutex::default(),
        });
        let threads = vec![
            spawn("sealer", &shared, move |shared| crate::sealer::run(shared, manifest), Shared::sealer_panicked)?,
            spawn("journal", &shared, move |shared| write_batches(shared, writer), Shared::journal_panicked)?,
        ];
        Ok(Store { shared, threads: Mutex::new(threads), recovered, _lock: guard })
    }

    /// What start-up found in the journal.
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Records events, in order, in the log of the scope's organization.
    ///
    /// `done` is called once: with what became of each event, after all of it is durable; or with the reason why nothing was
    /// recorded. It is called on the journal's thread and must be quick.
    pub fn append(
        &self,
        scope: &Scope,
        events: Vec<Prepared>,
        idempotency: Option<Idempotency>,
        done: impl FnOnce(Result<Vec<Answer>, AppendError>) + Send + 'static,
    ) {
        if let Err((done, e)) = self.shared.enqueue(scope.org(), events, idempotency, Box::new(done)) {
            done(Err(e));
        }
    }

    /// [`Store::append`], waited for.
    pub fn append_wait(
        &self,
        scope: &Scope,
        events: Vec<Prepared>,
        idempotency: Option<Idempotency>,
    ) -> Result<Vec<Answer>, AppendError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.append(scope, events, idempotency, move |answers| {
            // The receiver waits below; it cannot be gone.
            drop(sender.send(answers));
        });
        receiver.recv().unwrap_or(Err(StoreError::Closing.into()))
    }

    /// Has `told` called each time that events have become durable, readable, and were answered for. It is called on the
    /// journal's thread and must be quick. Only the first one that is given is told.
    pub fn when_durable(&self, told: impl Fn() + Send + Sync + 'static) {
        drop(self.shared.when_durable.set(Box::new(told)));
    }

    /// The index of the newest durable event of a log, whoever sees it.
    pub fn newest(&self, org: OrgId) -> Option<Index> {
        let trees = self.shared.trees.read().unwrap_or_else(PoisonError::into_inner);
        trees.get(&org).and_then(|tree| tree.size().checked_sub(1)).map(Index)
    }

    /// Whether the store can do its work.
    pub fn health(&self) -> Health {
        let unwritable = refusal(&lock(&self.shared.sequencer), usize::MAX).map(|e| e.to_string());
        let unwritable = unwritable
            .or_else(|| self.shared.too_much_is_unsealed().then(|| "too many journal files wait to be sealed".to_owned()));
        let (sealing, damaged) = (lock(&self.shared.sealing_failed).clone(), lock(&self.shared.damaged).clone());
        Health { unwritable, sealing, damaged }
    }

    /// Waits until what was accepted is durable, every full journal file is a segment, and no segments are to be merged; or,
    /// where that fails, until it has failed.
    pub fn settle(&self) {
        let shared = &self.shared;
        let unsettled = |sequencer: &mut Sequencer| {
            let to_write = sequencer.poisoned.is_none() && (sequencer.busy || !sequencer.batch.waiting.is_empty());
            let to_seal = lock(&shared.sealing_failed).is_none() && (shared.is_to_seal() || shared.is_to_merge());
            !sequencer.closing && (to_write || to_seal)
        };
        drop(shared.settled.wait_while(lock(&shared.sequencer), unsettled));
    }

    /// Figures for the metrics page.
    pub fn stats(&self) -> Stats {
        let view = self.shared.view();
        let counters = &self.shared.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            recorded: get(&counters.recorded),
            batches: get(&counters.batches),
            journal_bytes: get(&counters.journal_bytes),
            sync_ns: get(&counters.sync_ns),
            sync_ns_max: get(&counters.sync_ns_max),
            sealed_events: get(&counters.sealed_events),
            merged_events: get(&counters.merged_events),
            merging: self.shared.is_to_merge(),
            segments: view.segments.len() as u64,
            segment_rows: view.segments.iter().map(|segment| segment.meta.rows).sum(),
            segment_bytes: view.segments.iter().map(|segment| segment.meta.bytes + segment.sidecar_bytes()).sum(),
            recent_events: view.recents.iter().map(|recent| recent.events()).sum(),
        }
    }

    /// The tree over every durable entry of the log that a scope is about; `None` before the first. What it says can be signed:
    /// no crash makes it untrue.
    pub fn tree(&self, scope: &Scope) -> Option<Tree> {
        self.shared.trees.read().unwrap_or_else(PoisonError::into_inner).get(&scope.org()).cloned()
    }

    /// Makes everything that was accepted durable, and stops. Called again, or on drop, it does nothing more.
    pub fn close(&self) {
        lock(&self.shared.sequencer).closing = true;
        self.shared.work.notify_all();
        self.shared.sealing.notify_all();
        self.shared.settled.notify_all();
        for thread in lock(&self.threads).drain(..) {
            // An answer that held the last reference to the store drops it on the journal's thread, which ends by itself.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    pub(crate) fn view(&self) -> Arc<View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn sequencer(&self) -> MutexGuard<'_, Sequencer> {
        lock(&self.sequencer)
    }

    /// Replaces the view. The journal's and the sealer's threads both do; each changes its own part.
    pub(crate) fn change_view(&self, change: impl FnOnce(&View) -> View) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        *view = Arc::new(change(&view));
    }

    /// Says how an attempt to seal ended.
    pub(crate) fn sealing_ended(&self, failed: Option<String>) {
        *lock(&self.sealing_failed) = failed;
        // Under the lock, so that nobody misses it between a look and a wait.
        drop(self.sequencer());
        self.settled.notify_all();
    }

    /// Passes on what reading came to, and remembers damage.
    pub(crate) fn noted<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(e @ StoreError::Corrupt { .. }) = &read {
            tracing::error!(reason = %e, "a read found damage");
            lock(&self.damaged).get_or_insert_with(|| e.to_string());
        }
        read
    }

    fn sealer_panicked(&self) {
        self.sealing_ended(Some("the sealer's thread panicked; restart".to_owned()));
    }

    fn journal_panicked(&self) {
        poison(self, Batch::default(), "the journal's thread panicked");
    }

    /// Whether a journal file is full and not a segment yet.
    pub(crate) fn is_to_seal(&self) -> bool {
        // Without a copy of the view: the files of its segments could not go as long as somebody has one.
        self.view.read().unwrap_or_else(PoisonError::into_inner).recents.len() > 1
    }

    /// Whether segments are to be merged.
    pub(crate) fn is_to_merge(&self) -> bool {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        crate::merge::due(view.segments.iter().map(|segment| &segment.meta), &self.options).is_some()
    }

    fn too_much_is_unsealed(&self) -> bool {
        self.view().recents.len() > self.options.unsealed_files_max
    }

    fn enqueue(
        &self,
        org: OrgId,
        events: Vec<Prepared>,
        idempotency: Option<Idempotency>,
        done: Done,
    ) -> Result<(), (Done, AppendError)> {
        for prepared in &events {
            assert_eq!(prepared.org, org, "an event is appended to the log it was prepared for");
        }
        if self.too_much_is_unsealed() {
            return Err((done, StoreError::Busy.into()));
        }
        // The segments are asked before the lock is taken, because they may have to look at the disk.
        let before = self.view();
        let items = items(&events, idempotency);
        let hashes = hashes(org, &events, &items);
        let sealed = match in_segments(&before.segments, &hashes) {
            Ok(sealed) => sealed,
            Err(e) => return Err((done, e.into())),
        };
        if self.sequencer.is_poisoned() {
            // Somebody panicked while numbering: the tree may be ahead of the batch.
            let reason = "a thread panicked while it numbered events".to_owned();
            return Err((done, StoreError::Poisoned(reason).into()));
        }
        let mut sequencer = lock(&self.sequencer);
        if let Some(refusal) = refusal(&sequencer, self.options.queued_bytes_max) {
            return Err((done, refusal.into()));
        }
        let known = match self.known(&sequencer, &before, sealed, &hashes) {
            Ok(known) => known,
            Err(e) => return Err((done, e.into())),
        };
        let answers = match self.number(&mut sequencer, org, events, &items, &known) {
            Ok(answers) => answers,
            Err(e) => return Err((done, e)),
        };
        sequencer.batch.waiting.push(Waiting { done, answers });
        drop(sequencer);
        self.work.notify_one();
        Ok(())
    }

    /// Everything that is known under the ids of these events and of their request, recent or sealed.
    fn known(
        &self,
        sequencer: &Sequencer,
        before: &View,
        mut sealed: HashMap<IdHash, Arc<Entry>>,
        hashes: &[IdHash],
    ) -> Result<HashMap<IdHash, Arc<Entry>>, StoreError> {
        let now = self.view();
        // Between the look at the segments and the lock, recent events may have become a segment, and have left the recent
        // ids. Rare, so it may look at the disk under the lock.
        let newer: Vec<Arc<Segment>> = now
            .segments
            .iter()
            .filter(|segment| before.segments.iter().all(|old| old.meta.id != segment.meta.id))
            .cloned()
            .collect();
        if !newer.is_empty() {
            sealed.extend(in_segments(&newer, hashes)?);
        }
        for &hash in hashes {
            if let Some((org, index)) = sequencer.find(hash) {
                sealed.insert(hash, self.entry(sequencer, &now, org, index)?);
            }
        }
        Ok(sealed)
    }

    /// An entry by its place, published or not.
    fn entry(&self, sequencer: &Sequencer, view: &View, org: OrgId, index: Index) -> Result<Arc<Entry>, StoreError> {
        match sequencer.unpublished(org, index) {
            Some(entry) => Ok(Arc::new(entry.clone())),
            None => crate::query::by_index(view, org, index).map(Arc::new),
        }
    }

    /// Answers each event: recorded now, known, or in conflict with what is known.
    fn number(
        &self,
        sequencer: &mut Sequencer,
        org: OrgId,
        events: Vec<Prepared>,
        items: &[Option<Request>],
        known: &HashMap<IdHash, Arc<Entry>>,
    ) -> Result<Vec<Answer>, AppendError> {
        // Before anything is numbered: another body under this key refuses all of it.
        if items.iter().flatten().any(|item| self.earlier(org, item, known).is_some_and(|(_, body)| body != item.body)) {
            return Err(AppendError::KeyReused);
        }
        let mut answers = Vec::with_capacity(events.len());
        for (prepared, item) in events.into_iter().zip(items) {
            // Known before, or recorded a moment ago: the same id may stand twice in one request.
            let same = prepared.id.and_then(|id| match known.get(&id) {
                Some(entry) => Some(&**entry),
                None => sequencer.find(id).and_then(|(org, index)| sequencer.unpublished(org, index)),
            });
            let same = same.filter(|entry| entry.org == org && entry.event.id == prepared.event.id);
            let earlier = || self.earlier(org, item.as_ref()?, known).map(|(entry, _)| entry);
            let again = same.or_else(earlier).map(|entry| prepared.answer_again(entry));
            answers.push(again.unwrap_or_else(|| {
                let retention = &self.options.retention;
                let place = sequencer.record(&*self.clock, &*self.chance, retention, prepared, *item);
                self.counters.recorded.fetch_add(1, Ordering::Relaxed);
                Answer::Recorded(place)
            }));
        }
        Ok(answers)
    }

    /// What this item of a request was recorded as not long ago, and the hash of the body that it stood in.
    fn earlier<'k>(
        &self,
        org: OrgId,
        item: &Request,
        known: &'k HashMap<IdHash, Arc<Entry>>,
    ) -> Option<(&'k Entry, [u8; 16])> {
        let entry = known.get(&IdHash::of_item(org, &item.item))?;
        let its = entry.request.as_deref().filter(|its| entry.org == org && its.item == item.item)?;
        let fresh = self.clock.now().millis_since(entry.recorded_at()) <= self.options.idempotency_ms;
        fresh.then_some((&**entry, its.body))
    }
}

/// What is kept with each of these events, if their request has an idempotency key.
fn items(events: &[Prepared], idempotency: Option<Idempotency>) -> Vec<Option<Request>> {
    let place = |(at, prepared): (u32, &Prepared)| idempotency.map(|key| key.item(prepared.position.unwrap_or(at)));
    (0..).zip(events).map(place).collect()
}

/// Every hash under which these events may be known.
fn hashes(org: OrgId, events: &[Prepared], items: &[Option<Request>]) -> Vec<IdHash> {
    let ids = events.iter().filter_map(|prepared| prepared.id);
    ids.chain(items.iter().flatten().map(|item| IdHash::of_item(org, &item.item))).collect()
}

/// What segments hold under these hashes; where several have it, the latest.
fn in_segments(segments: &[Arc<Segment>], hashes: &[IdHash]) -> Result<HashMap<IdHash, Arc<Entry>>, StoreError> {
    let mut found = HashMap::new();
    for segment in segments {
        let mut rows: BTreeMap<u64, Vec<IdHash>> = BTreeMap::new();
        for (row, hash) in segment.rows_of_ids(hashes)? {
            rows.entry(row).or_default().push(hash);
        }
        if rows.is_empty() {
            continue;
        }
        let ranges: Vec<_> = rows.keys().map(|&row| row..row + 1).collect();
        for (entry, wanted) in segment.entries(&ranges)?.zip(rows.values()) {
            let entry = Arc::new(entry?);
            for &hash in wanted {
                if IdHash::of(&entry).any(|its| its == hash) {
                    found.insert(hash, entry.clone());
                }
            }
        }
    }
    Ok(found)
}

/// A thread of the store. Should it panic, `panicked` sees to it that nobody waits for it.
fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    run: impl FnOnce(&Shared) + Send + 'static,
    panicked: fn(&Shared),
) -> Result<JoinHandle<()>, StoreError> {
    let shared = shared.clone();
    // What the thread alone changes is not looked at any more after a panic; what it shares is replaced whole.
    let run = move || {
        if catch_unwind(AssertUnwindSafe(|| run(&shared))).is_err() {
            panicked(&shared);
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(StoreError::io("a thread"))
}

/// The journal's thread: takes what has been numbered while the last batch synced, makes it durable, shows it, answers.
fn write_batches(shared: &Shared, mut writer: Writer) {
    let mut spare = Batch::default();
    let mut events_in_file = shared.view().recents.last().map_or(0, |recent| recent.events());
    loop {
        let mut sequencer = lock(&shared.sequencer);
        sequencer.busy = !sequencer.batch.waiting.is_empty();
        if !sequencer.busy {
            shared.settled.notify_all();
        }
        while sequencer.batch.waiting.is_empty() && !sequencer.closing {
            sequencer = shared.work.wait(sequencer).unwrap_or_else(PoisonError::into_inner);
        }
        if sequencer.batch.waiting.is_empty() {
            drop(sequencer);
            if let Err(e) = writer.close() {
                tracing::warn!(reason = %e, "the journal could not be marked as closed; all events in it are durable");
            }
            return;
        }
        sequencer.busy = true;
        let (mut batch, chunks, trees) = sequencer.take(std::mem::take(&mut spare));
        drop(sequencer);

        if let Err(e) = make_durable(shared, &mut writer, &mut batch) {
            poison(shared, batch, &e.to_string());
            return;
        }
        // Readable before it is answered: whoever has the answer finds the event.
        if let Some(recent) = shared.view().recents.last() {
            recent.publish(&chunks);
        }
        shared.trees.write().unwrap_or_else(PoisonError::into_inner).extend(trees);
        lock(&shared.sequencer).in_flight.clear();
        events_in_file += chunks.values().map(|chunk| chunk.entries.len() as u64).sum::<u64>();
        for Waiting { done, answers } in batch.waiting.drain(..) {
            done(Ok(answers));
        }
        if let Some(told) = shared.when_durable.get() {
            told();
        }
        batch.frame.clear();
        spare = batch;
        if events_in_file >= shared.options.seal_events || writer.len() >= shared.options.seal_bytes {
            match Writer::create(&*shared.disk, writer.number().next()) {
                Ok(next) => writer = next,
                Err(e) => {
                    poison(shared, spare, &e.to_string());
                    return;
                }
            }
            events_in_file = 0;
            let fresh = Arc::new(Recent::new(writer.number()));
            shared.change_view(|view| View {
                segments: view.segments.clone(),
                recents: view.recents.iter().cloned().chain([fresh]).collect(),
            });
            // Under the lock, so that the sealer cannot miss this between its look and its wait.
            drop(lock(&shared.sequencer));
            shared.sealing.notify_one();
        }
    }
}

fn make_durable(shared: &Shared, writer: &mut Writer, batch: &mut Batch) -> Result<(), StoreError> {
    if batch.frame.is_empty() {
        return Ok(()); // Nothing new: only repeats of what is durable already.
    }
    let started = shared.clock.monotonic_ns();
    writer.write(&mut batch.frame)?;
    writer.sync()?;
    let took = shared.clock.monotonic_ns().saturating_sub(started);
    let counters = &shared.counters;
    counters.batches.fetch_add(1, Ordering::Relaxed);
    counters.journal_bytes.fetch_add(batch.frame.len() as u64, Ordering::Relaxed);
    counters.sync_ns.fetch_add(took, Ordering::Relaxed);
    counters.sync_ns_max.fetch_max(took, Ordering::Relaxed);
    Ok(())
}

/// After a failed write or sync nobody knows what is on disk, and a second sync would lie (the page cache forgets the error).
/// So nothing is written any more; what was waiting is told; a restart reads what is there.
fn poison(shared: &Shared, batch: Batch, reason: &str) {
    tracing::error!(%reason, "the journal cannot be written; no more events are taken until a restart");
    let mut sequencer = lock(&shared.sequencer);
    sequencer.poisoned = Some(reason.to_owned());
    let later = std::mem::take(&mut sequencer.batch);
    drop(sequencer);
    shared.settled.notify_all();
    for waiting in batch.waiting.into_iter().chain(later.waiting) {
        (waiting.done)(Err(StoreError::Poisoned(reason.to_owned()).into()));
    }
}

/// The first manifest of an empty data directory. The first journal file is durable before it: where there is a manifest, there
/// is a journal, and that either is missing beside the other's content is damage.
fn first_start(disk: &dyn Disk) -> Result<Manifest, StoreError> {
    nothing_is_recorded(disk)?;
    Writer::create(disk, FileNumber(0))?;
    let manifest = Manifest::default();
    manifest.save(disk)?;
    Ok(manifest)
}

/// An error if there are events, which without a manifest is damage. A first start that crashed leaves less than that.
pub(crate) fn nothing_is_recorded(disk: &dyn Disk) -> Result<(), StoreError> {
    let names = |dir| disk.list(dir).map_err(StoreError::io(dir));
    let missing = || StoreError::corrupt(crate::manifest::PATH, 0, "the file is missing, and there are events");
    let names = |dir| match names(dir) {
        Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names,
    };
    for name in names(journal::DIR)? {
        let path = format!("{}/{name}", journal::DIR);
        let len = disk.open(&path).and_then(|file| file.len()).map_err(StoreError::io(&path))?;
        if FileNumber::of_name(&name).is_some_and(|number| number != FileNumber(0) || len > HEADER_BYTES as u64) {
            return Err(missing());
        }
    }
    if names(segment::DIR)?.iter().any(|name| SegmentId::of_name(name).is_some()) {
        return Err(missing());
    }
    Ok(())
}

/// Removes what a crash left behind: journal files whose events are sealed, files beside their place, segments that never got
/// into the manifest. What has not one of our names is somebody else's and stays.
fn sweep(disk: &dyn Disk, manifest: &Manifest) -> Result<(), StoreError> {
    let remove = |path: &str| disk.remove(path).map_err(StoreError::io(path));
    for name in disk.list(journal::DIR).map_err(StoreError::io(journal::DIR))? {
        if FileNumber::of_name(&name).is_some_and(|number| number < manifest.journal_from) {
            remove(&format!("{}/{name}", journal::DIR))?;
        }
    }
    let kept: BTreeSet<SegmentId> = manifest.segments.iter().map(|meta| meta.id).collect();
    for name in disk.list(segment::DIR).map_err(StoreError::io(segment::DIR))? {
        let beside = name.ends_with(".tmp");
        if SegmentId::of_name(name.trim_end_matches(".tmp")).is_some_and(|id| beside || !kept.contains(&id)) {
            remove(&format!("{}/{name}", segment::DIR))?;
        }
    }
    for name in disk.list("").map_err(StoreError::io("."))? {
        if name == format!("{}.tmp", crate::manifest::PATH) {
            remove(&name)?;
        }
    }
    Ok(())
}

struct Journal {
    sequencer: Sequencer,
    recents: Vec<Arc<Recent>>,
    /// The file to go on with, and how it ended.
    last: FileNumber,
    tail: Tail,
    recovered: Recovered,
}

/// Reads the journal files after the segments.
fn recover(disk: &dyn Disk, manifest: &Manifest) -> Result<Journal, StoreError> {
    let mut trees = HashMap::new();
    for log in &manifest.logs {
        let tree = log.tree().ok_or_else(|| StoreError::corrupt(crate::manifest::PATH, 0, "a tree is malformed"))?;
        trees.insert(log.org, tree);
    }
    let sealed_until = manifest.segments.iter().flat_map(|meta| &meta.runs).map(|run| run.recorded_max).max();
    let mut sequencer = Sequencer::new(trees, sealed_until.unwrap_or(Timestamp::MIN));
    let files = journal::files(disk, manifest)?;
    let mut recovered = Recovered::default();
    let mut recents = Vec::new();
    let mut end = None;
    for (at, &number) in files.iter().enumerate() {
        let last = at + 1 == files.len();
        let mut orgs: BTreeMap<OrgId, Leaved> = BTreeMap::new();
        let tail = read_file(disk, number, last, |entry, leaf| {
            sequencer.recover(&entry, &leaf).map_err(|what| StoreError::corrupt(&number.path(), 0, what))?;
            recovered.events += 1;
            let leaved = orgs.entry(entry.org).or_default();
            leaved.entries.push(entry);
            leaved.leaves.push(leaf);
            Ok(())
        })?;
        recovered.torn_bytes += tail.torn_bytes;
        let recent = Recent::new(number);
        recent.publish(&orgs.into_iter().map(|(org, leaved)| (org, Arc::new(leaved))).collect());
        recents.push(Arc::new(recent));
        end = Some((number, tail));
    }
    let missing = || StoreError::corrupt(&manifest.journal_from.path(), 0, "the file is missing");
    let (last, tail) = end.ok_or_else(missing)?;
    Ok(Journal { sequencer, recents, last, tail, recovered })
}
