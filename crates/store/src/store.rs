//! The store: opened, appended to, read, closed.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use access::Scope;
use record::{Index, OrgId, Timestamp};

use crate::append::{Answer, AppendError, Idempotency, Place, Prepared};
use crate::disk::Disk;
use crate::door::{Chance, Clock};
use crate::entry::{Entry, Request};
use crate::error::StoreError;
use crate::journal::{self, FileNumber, Writer, read_file};
use crate::manifest::Manifest;
use crate::recent::{Chunk, Leaved, Recent};
use crate::segment::{self, Segment};
use crate::sequence::{Batch, Sequencer, Waiting, refusal, request_of};
use crate::sidecar::IdHash;

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
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seal_events: 131_072,
            seal_bytes: 96 << 20,
            queued_bytes_max: 64 << 20,
            unsealed_files_max: 4,
            retention: "P12M".to_owned(),
            idempotency_ms: 24 * 60 * 60 * 1_000,
        }
    }
}

impl Options {
    /// Small, so that a test of a few hundred events seals several times.
    pub fn for_tests() -> Options {
        Options { seal_events: 50, ..Options::default() }
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
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) options: Options,
    view: RwLock<Arc<View>>,
    sequencer: Mutex<Sequencer>,
    /// Told when the batch is no longer empty, and on closing.
    work: Condvar,
    /// The sealer's own: the last manifest it saved.
    pub(crate) manifest: Mutex<Manifest>,
    /// Told when a journal file is full, and on closing.
    pub(crate) sealing: Condvar,
    pub(crate) counters: Counters,
    pub(crate) sealing_failed: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    recorded: AtomicU64,
    batches: AtomicU64,
    journal_bytes: AtomicU64,
    sync_ns: AtomicU64,
    sync_ns_max: AtomicU64,
    pub(crate) sealed_events: AtomicU64,
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
    /// Segments there are now.
    pub segments: u64,
    /// Rows in them.
    pub segment_rows: u64,
    /// Bytes of their files.
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
        disk.sync_dir("").map_err(StoreError::io("."))?;
        let manifest = match Manifest::load(&*disk)? {
            Some(manifest) => manifest,
            None => {
                // Durable before the first journal file: a journal without a manifest is then always damage.
                let manifest = Manifest::default();
                manifest.save(&*disk)?;
                manifest
            }
        };
        let mut segments = Vec::new();
        for meta in &manifest.segments {
            segments.push(Arc::new(Segment::open(&*disk, meta.clone())?));
        }
        sweep(&*disk, &manifest)?;
        let Journal { sequencer, recents, writer, recovered } = recover(&*disk, &manifest)?;
        let shared = Arc::new(Shared {
            disk,
            clock,
            chance,
            options,
            view: RwLock::new(Arc::new(View { segments, recents })),
            sequencer: Mutex::new(sequencer),
            work: Condvar::new(),
            manifest: Mutex::new(manifest),
            sealing: Condvar::new(),
            counters: Counters::default(),
            sealing_failed: Mutex::default(),
        });
        let threads = vec![
            spawn("journal", &shared, move |shared| write_batches(shared, writer))?,
            spawn("sealer", &shared, crate::sealer::run)?,
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

    /// Whether the store can do its work.
    pub fn health(&self) -> Health {
        let unwritable = refusal(&lock(&self.shared.sequencer), usize::MAX).map(|e| e.to_string());
        let unwritable = unwritable
            .or_else(|| self.shared.too_much_is_unsealed().then(|| "too many journal files wait to be sealed".to_owned()));
        Health { unwritable, sealing: lock(&self.shared.sealing_failed).clone() }
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
            segments: view.segments.len() as u64,
            segment_rows: view.segments.iter().map(|segment| segment.meta.rows).sum(),
            segment_bytes: view.segments.iter().map(|segment| segment.meta.bytes).sum(),
            recent_events: view.recents.iter().map(|recent| recent.events()).sum(),
        }
    }

    /// How many entries the log has that a scope is about, and its tree's root. Counts what is numbered, durable or not.
    pub fn tree(&self, scope: &Scope) -> Option<record::merkle::Tree> {
        lock(&self.shared.sequencer).tree(scope.org()).cloned()
    }

    /// Makes everything that was accepted durable, and stops. Called again, or on drop, it does nothing more.
    pub fn close(&self) {
        lock(&self.shared.sequencer).closing = true;
        self.shared.work.notify_all();
        self.shared.sealing.notify_all();
        for thread in lock(&self.threads).drain(..) {
            if thread.join().is_err() {
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

    fn too_much_is_unsealed(&self) -> bool {
        self.view().recents.len() > self.options.unsealed_files_max
    }

    fn enqueue(
        &self,
        org: OrgId,
        events: Vec<Prepared>,
        idempotency: Option<Idempotency>,
        done: Box<dyn FnOnce(Result<Vec<Answer>, AppendError>) + Send>,
    ) -> Result<(), (Box<dyn FnOnce(Result<Vec<Answer>, AppendError>) + Send>, AppendError)> {
        if self.too_much_is_unsealed() {
            return Err((done, StoreError::Busy.into()));
        }
        // The segments are asked before the lock is taken, because they may have to look at the disk.
        let before = self.view();
        let sealed = match self.in_segments(&before.segments, org, &events, idempotency) {
            Ok(sealed) => sealed,
            Err(e) => return Err((done, e.into())),
        };
        let mut sequencer = lock(&self.sequencer);
        if let Some(refusal) = refusal(&sequencer, self.options.queued_bytes_max) {
            return Err((done, refusal.into()));
        }
        let known = match self.known(&sequencer, &before, sealed, org, &events, idempotency) {
            Ok(known) => known,
            Err(e) => return Err((done, e.into())),
        };
        let answers = match self.number(&mut sequencer, org, events, idempotency, known) {
            Ok(answers) => answers,
            Err(e) => return Err((done, e)),
        };
        sequencer.batch.waiting.push(Waiting { done, answers });
        drop(sequencer);
        self.work.notify_one();
        Ok(())
    }

    /// Which of these events, and of this request, stand in segments.
    fn in_segments(
        &self,
        segments: &[Arc<Segment>],
        org: OrgId,
        events: &[Prepared],
        idempotency: Option<Idempotency>,
    ) -> Result<HashMap<IdHash, Arc<Entry>>, StoreError> {
        let mut hashes: Vec<IdHash> = events.iter().filter_map(|prepared| prepared.id).collect();
        hashes.extend(idempotency.map(|i| IdHash::of_request(org, &i.key)));
        let mut found = HashMap::new();
        for segment in segments {
            let mut rows = BTreeMap::new();
            for &hash in &hashes {
                let path = segment.meta.id.sidecar_path();
                for row in segment.sidecar.rows(hash).map_err(StoreError::io(&path))? {
                    rows.entry(row).or_insert_with(Vec::new).push(hash);
                }
            }
            if rows.is_empty() {
                continue;
            }
            let ranges = rows.keys().map(|&row| row..row + 1).collect();
            for (entry, wanted) in segment.entries(ranges)?.zip(rows.values()) {
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

    /// Everything that is known under the ids of these events and of their request, recent or sealed.
    fn known(
        &self,
        sequencer: &Sequencer,
        before: &View,
        mut sealed: HashMap<IdHash, Arc<Entry>>,
        org: OrgId,
        events: &[Prepared],
        idempotency: Option<Idempotency>,
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
            sealed.extend(self.in_segments(&newer, org, events, idempotency)?);
        }
        let request = idempotency.map(|i| IdHash::of_request(org, &i.key));
        for hash in events.iter().filter_map(|prepared| prepared.id).chain(request) {
            if let Some((org, index)) = sequencer.find(hash)
                && let Some(entry) = self.entry(sequencer, &now, org, index)?
            {
                sealed.insert(hash, entry);
            }
        }
        Ok(sealed)
    }

    /// An entry by its place, published or not.
    fn entry(&self, sequencer: &Sequencer, view: &View, org: OrgId, index: Index) -> Result<Option<Arc<Entry>>, StoreError> {
        match sequencer.unpublished(org, index) {
            Some(entry) => Ok(Some(entry)),
            None => Ok(crate::query::by_index(view, org, index)?.map(Arc::new)),
        }
    }

    /// Answers each event: recorded now, known, or in conflict with what is known.
    fn number(
        &self,
        sequencer: &mut Sequencer,
        org: OrgId,
        events: Vec<Prepared>,
        idempotency: Option<Idempotency>,
        mut known: HashMap<IdHash, Arc<Entry>>,
    ) -> Result<Vec<Answer>, AppendError> {
        let first = idempotency.and_then(|i| known.get(&IdHash::of_request(org, &i.key)).cloned());
        if let Some(first) = first
            && let Some(request) = first.request.as_deref()
            && self.clock.now().millis_since(first.recorded_at()) <= self.options.idempotency_ms
        {
            return self.answer_again(sequencer, &first, request, &events, idempotency, &known);
        }
        let mut request = request_of(idempotency, count_new(&events, &known));
        let mut answers = Vec::with_capacity(events.len());
        for prepared in events {
            let same = prepared.id.and_then(|id| known.get(&id).cloned()).filter(|e| e.event.id == prepared.event.id);
            let answer = match same {
                Some(entry) => {
                    let place = Place { event_id: entry.event_id, index: entry.index };
                    let same = prepared.tells_the_same_as(&entry.event);
                    if same { Answer::Duplicate(place) } else { Answer::Conflict(place) }
                }
                None => {
                    let id = prepared.id;
                    let retention = &self.options.retention;
                    let place = sequencer.record(&*self.clock, &*self.chance, retention, org, prepared, request.take());
                    self.counters.recorded.fetch_add(1, Ordering::Relaxed);
                    // The same id may stand again further down in this batch.
                    if let Some(id) = id
                        && let Some(entry) = sequencer.unpublished(org, place.index)
                    {
                        known.insert(id, entry);
                    }
                    Answer::Recorded(place)
                }
            };
            answers.push(answer);
        }
        Ok(answers)
    }

    /// The answers that a request with this idempotency key got the first time.
    fn answer_again(
        &self,
        sequencer: &Sequencer,
        first: &Entry,
        request: &Request,
        events: &[Prepared],
        idempotency: Option<Idempotency>,
        known: &HashMap<IdHash, Arc<Entry>>,
    ) -> Result<Vec<Answer>, AppendError> {
        if idempotency.is_none_or(|i| i.body != request.body) {
            return Err(AppendError::KeyReused);
        }
        // The first time, the events without an id of their own, and those whose id was new, got consecutive indexes.
        let view = self.view();
        let mut next = first.index;
        let mut answers = Vec::with_capacity(events.len());
        for prepared in events {
            let by_id = prepared.id.and_then(|id| known.get(&id).cloned());
            let entry = match by_id {
                Some(entry) => entry,
                None => self.entry(sequencer, &view, first.org, next)?.ok_or(StoreError::Busy)?,
            };
            if entry.index == next {
                next = Index(next.0 + 1);
            }
            let place = Place { event_id: entry.event_id, index: entry.index };
            let same = prepared.tells_the_same_as(&entry.event);
            answers.push(if same { Answer::Duplicate(place) } else { Answer::Conflict(place) });
        }
        Ok(answers)
    }
}

/// How many of these events are not known yet.
fn count_new(events: &[Prepared], known: &HashMap<IdHash, Arc<Entry>>) -> usize {
    events.iter().filter(|prepared| prepared.id.is_none_or(|id| !known.contains_key(&id))).count()
}

fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    run: impl FnOnce(&Shared) + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    let shared = shared.clone();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared)).map_err(StoreError::io("a thread"))
}

/// The journal's thread: takes what has been numbered while the last batch synced, makes it durable, shows it, answers.
fn write_batches(shared: &Shared, mut writer: Writer) {
    let mut spare = Batch::default();
    let mut events_in_file = shared.view().recents.last().map_or(0, |recent| recent.events());
    loop {
        let mut sequencer = lock(&shared.sequencer);
        while sequencer.batch.waiting.is_empty() && !sequencer.closing {
            sequencer = shared.work.wait(sequencer).unwrap_or_else(PoisonError::into_inner);
        }
        if sequencer.batch.waiting.is_empty() {
            return;
        }
        let mut batch = std::mem::replace(&mut sequencer.batch, std::mem::take(&mut spare));
        let chunks: BTreeMap<OrgId, Chunk> =
            std::mem::take(&mut batch.entries).into_iter().map(|(org, leaved)| (org, Arc::new(leaved))).collect();
        sequencer.in_flight.clone_from(&chunks);
        drop(sequencer);

        if let Err(e) = make_durable(shared, &mut writer, &mut batch) {
            poison(shared, batch, &e);
            return;
        }
        // Readable before it is answered: whoever has the answer finds the event.
        if let Some(recent) = shared.view().recents.last() {
            recent.publish(&chunks);
        }
        lock(&shared.sequencer).in_flight.clear();
        events_in_file += chunks.values().map(|chunk| chunk.entries.len() as u64).sum::<u64>();
        for Waiting { done, answers } in batch.waiting.drain(..) {
            done(Ok(answers));
        }
        batch.frame.clear();
        spare = batch;
        if events_in_file >= shared.options.seal_events || writer.len() >= shared.options.seal_bytes {
            match Writer::create(&*shared.disk, writer.number().next()) {
                Ok(next) => writer = next,
                Err(e) => {
                    poison(shared, spare, &e);
                    return;
                }
            }
            events_in_file = 0;
            let fresh = Arc::new(Recent::new(writer.number()));
            shared.change_view(|view| View {
                segments: view.segments.clone(),
                recents: view.recents.iter().cloned().chain([fresh]).collect(),
            });
            // Under the sealer's lock, so that it cannot miss this between its look and its wait.
            drop(lock(&shared.manifest));
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
fn poison(shared: &Shared, batch: Batch, error: &StoreError) {
    let reason = error.to_string();
    tracing::error!(%reason, "the journal cannot be written; no more events are taken until a restart");
    let mut sequencer = lock(&shared.sequencer);
    sequencer.poisoned = Some(reason.clone());
    let later = std::mem::take(&mut sequencer.batch);
    drop(sequencer);
    for waiting in batch.waiting.into_iter().chain(later.waiting) {
        (waiting.done)(Err(StoreError::Poisoned(reason.clone()).into()));
    }
}

/// Removes what a crash left behind: journal files whose events are sealed, files beside their place, segments that never got
/// into the manifest.
fn sweep(disk: &dyn Disk, manifest: &Manifest) -> Result<(), StoreError> {
    let remove = |path: &str| disk.remove(path).map_err(StoreError::io(path));
    for name in disk.list(journal::DIR).map_err(StoreError::io(journal::DIR))? {
        if FileNumber::of_name(&name).is_none_or(|number| number < manifest.journal_from) {
            remove(&format!("{}/{name}", journal::DIR))?;
        }
    }
    let kept: Vec<String> = manifest.segments.iter().flat_map(|meta| [meta.id.path(), meta.id.sidecar_path()]).collect();
    for name in disk.list(segment::DIR).map_err(StoreError::io(segment::DIR))? {
        let path = format!("{}/{name}", segment::DIR);
        if !kept.contains(&path) {
            remove(&path)?;
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
    writer: Writer,
    recovered: Recovered,
}

/// Reads the journal files after the segments, and opens the last for writing.
fn recover(disk: &dyn Disk, manifest: &Manifest) -> Result<Journal, StoreError> {
    let mut trees = HashMap::new();
    for log in &manifest.logs {
        let tree = log.tree().ok_or_else(|| StoreError::corrupt(crate::manifest::PATH, 0, "a tree is malformed"))?;
        trees.insert(log.org, tree);
    }
    let sealed_until = manifest.segments.iter().flat_map(|meta| &meta.runs).map(|run| run.recorded_max).max();
    let mut sequencer = Sequencer::new(trees, sealed_until.unwrap_or(Timestamp::MIN));
    let names = disk.list(journal::DIR).map_err(StoreError::io(journal::DIR))?;
    let files: Vec<FileNumber> = names.iter().filter_map(|name| FileNumber::of_name(name)).collect();
    let mut recovered = Recovered::default();
    let mut recents = Vec::new();
    let mut writer = None;
    for (at, &number) in files.iter().enumerate() {
        let due = FileNumber(manifest.journal_from.0 + at as u64);
        if number != due {
            return Err(StoreError::corrupt(&due.path(), 0, "the file is missing"));
        }
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
        if last {
            // A file without a whole header is made again.
            writer = Some(match tail.good_bytes {
                0 => Writer::create(disk, number)?,
                _ => Writer::resume(disk, number, &tail)?,
            });
        }
    }
    let writer = match writer {
        Some(writer) => writer,
        None => {
            recents.push(Arc::new(Recent::new(manifest.journal_from)));
            Writer::create(disk, manifest.journal_from)?
        }
    };
    Ok(Journal { sequencer, recents, writer, recovered })
}
