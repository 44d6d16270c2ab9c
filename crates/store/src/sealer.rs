//! The sealer: turns a full journal file into a segment, off the path of any answer; and has segments merged when it has time.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::entry::Entry;
use crate::error::StoreError;
use crate::manifest::{Manifest, SealedLog};
use crate::recent::{Chunk, Recent};
use crate::segment::{self, Effort, Segment, SegmentId};
use crate::sequence::Sequencer;
use crate::sidecar::{self, IdHash};
use crate::store::{Shared, View};

/// Lowers this thread's priority: whoever waits for an answer comes before a segment that nobody waits for. On Linux a nice value
/// belongs to a thread, and "this process" means the calling thread (sched(7)).
fn yield_to_others() {
    if let Err(e) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(error = %e, "the sealer keeps its priority");
    }
}

/// The sealer's thread: seals until the store closes. It alone owns the manifest, which is always the last one it saved.
pub(crate) fn run(shared: &Shared, mut manifest: Manifest) {
    yield_to_others();
    let mut failed = false;
    loop {
        let mut sequencer = shared.sequencer();
        if failed {
            let retry = Duration::from_millis(shared.options.seal_retry_ms);
            let waited = shared.sealing.wait_timeout_while(sequencer, retry, |sequencer| !sequencer.closing);
            sequencer = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let nothing = |sequencer: &mut Sequencer| !sequencer.closing && !shared.is_to_seal() && !shared.is_to_merge();
        let sequencer = shared.sealing.wait_while(sequencer, nothing).unwrap_or_else(PoisonError::into_inner);
        if sequencer.closing {
            return; // What is unsealed is safe in the journal.
        }
        drop(sequencer);
        let result = match shared.is_to_seal() {
            true => seal_oldest(shared, &mut manifest),
            false => crate::merge::merge(shared, &mut manifest, &mut |manifest| seal_waiting(shared, manifest)),
        };
        if matches!(result, Err(StoreError::Closing)) {
            return;
        }
        failed = result.is_err();
        let reason = result.err().map(|e| e.to_string());
        if let Some(reason) = &reason {
            tracing::error!(%reason, "sealing or merging failed; trying again");
        }
        shared.sealing_ended(reason);
    }
}

/// Seals what has come while segments are merged; an error to stop that when the store closes.
fn seal_waiting(shared: &Shared, manifest: &mut Manifest) -> Result<(), StoreError> {
    while shared.is_to_seal() {
        if shared.sequencer().closing {
            return Err(StoreError::Closing);
        }
        seal_oldest(shared, manifest)?;
    }
    if shared.sequencer().closing { Err(StoreError::Closing) } else { Ok(()) }
}

fn seal_oldest(shared: &Shared, manifest: &mut Manifest) -> Result<(), StoreError> {
    let Some(recent) = shared.view().recents.first().cloned() else { return Ok(()) };
    let disk = &*shared.disk;
    let id = manifest.next_segment;
    // A number is used once, even if the attempt fails: the file of a failed attempt may be in an unknown state.
    manifest.next_segment = SegmentId(id.0 + 1);
    let chunks: Vec<Chunk> = recent.orgs().into_iter().flat_map(|org| recent.chunks(org)).collect();
    let entries = || chunks.iter().flat_map(|chunk| &chunk.entries);
    let meta = segment::write(disk, id, Effort::Quick, segment::runs(entries()), segment::batches(entries()))?;
    let bytes = sidecar::build(&meta, &segment::checksums_of(disk, &meta)?, entries().map(Ok))?;
    // Makes the names of both files durable. If we crash here, they are not in the manifest and are swept away.
    sidecar::put(disk, id, &bytes)?;
    let segment = Segment::open(&shared.files, &shared.cache, meta.clone())?;
    prove(&segment, entries())?;

    let mut next = manifest.clone();
    next.generation += 1;
    next.journal_from = recent.file.next();
    next.segments.push(meta);
    grow(&mut next, &chunks)?;
    next.save(disk)?;
    // If we crash here, the journal file is older than `journal_from` and is swept away at the next start.
    *manifest = next;
    shared.change_view(|view| without(view, &recent, segment));
    shared.counters.sealed_events.fetch_add(entries().count() as u64, Ordering::Relaxed);
    forget(shared, &chunks);
    let path = recent.file.path();
    if let Err(e) = disk.remove(&path) {
        tracing::warn!(%path, reason = %e, "a sealed journal file could not be removed; the next start will try again");
    }
    Ok(())
}

/// Takes the ids that can be found in a segment from now on out of memory; chunk by chunk, so that nobody waits for the lock.
fn forget(shared: &Shared, chunks: &[Chunk]) {
    for entries in chunks.iter().flat_map(|chunk| chunk.entries.chunks(1_024)) {
        let ids: Vec<_> = entries.iter().flat_map(|e| IdHash::of(e).map(|hash| (hash, e.org, e.index))).collect();
        if !ids.is_empty() {
            shared.sequencer().forget(&ids);
        }
    }
}

fn without(view: &View, recent: &Arc<Recent>, segment: Segment) -> View {
    View {
        segments: view.segments.iter().cloned().chain([Arc::new(segment)]).collect(),
        recents: view.recents.iter().filter(|other| other.file != recent.file).cloned().collect(),
    }
}

/// Reads the segment back and compares: the journal is let go only for what can be read in its stead.
fn prove<'a>(segment: &Segment, entries: impl Iterator<Item = &'a Entry>) -> Result<(), StoreError> {
    let Some(entry) = segment.first_different(entries)? else { return Ok(()) };
    let what = format!("index {} of organization {} does not read back as it was", entry.index, entry.org);
    Err(StoreError::corrupt(&segment.meta.id.path(), 0, what))
}

/// Extends the sealed trees by the leaves of these chunks.
fn grow(manifest: &mut Manifest, chunks: &[Chunk]) -> Result<(), StoreError> {
    for chunk in chunks {
        let Some(org) = chunk.entries.first().map(|entry| entry.org) else { continue };
        let at = manifest.logs.binary_search_by_key(&org, |log| log.org);
        let mut tree = match at {
            Ok(at) => manifest.logs.get(at).and_then(SealedLog::tree),
            Err(_) => Some(record::merkle::Tree::new()),
        }
        .ok_or_else(|| StoreError::corrupt(crate::manifest::PATH, 0, "a tree is malformed"))?;
        for leaf in &chunk.leaves {
            tree.push(*leaf);
        }
        let log = SealedLog::of(org, &tree);
        match at.map(|at| manifest.logs.get_mut(at)) {
            Ok(Some(place)) => *place = log,
            Ok(None) => {}
            Err(at) => manifest.logs.insert(at, log),
        }
    }
    Ok(())
}
