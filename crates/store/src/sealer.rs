//! The sealer: turns a full journal file into a segment, off the path of any answer.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::entry::Entry;
use crate::error::StoreError;
use crate::manifest::{Manifest, SealedLog};
use crate::recent::{Chunk, Recent};
use crate::segment::{self, Segment, SegmentId};
use crate::sidecar;
use crate::store::{Shared, View};

/// How long to wait after a failure before the next attempt.
const RETRY: Duration = Duration::from_secs(5);

/// The sealer's thread: seals until the store closes.
pub(crate) fn run(shared: &Shared) {
    let mut failed = false;
    loop {
        let mut manifest = shared.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        while (failed || shared.view().recents.len() < 2) && !shared.sequencer().closing {
            let waited = shared.sealing.wait_timeout(manifest, RETRY).unwrap_or_else(PoisonError::into_inner);
            manifest = waited.0;
            failed = false;
        }
        if shared.sequencer().closing {
            return; // What is unsealed is safe in the journal.
        }
        let result = seal_oldest(shared, &mut manifest);
        drop(manifest);
        failed = result.is_err();
        let reason = result.err().map(|e| e.to_string());
        if let Some(reason) = &reason {
            tracing::error!(%reason, "sealing failed; trying again");
        }
        *shared.sealing_failed.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

fn seal_oldest(shared: &Shared, manifest: &mut Manifest) -> Result<(), StoreError> {
    let Some(recent) = shared.view().recents.first().cloned() else { return Ok(()) };
    let disk = &*shared.disk;
    let id = manifest.next_segment;
    // A number is used once, even if the attempt fails: the file of a failed attempt may be in an unknown state.
    manifest.next_segment = SegmentId(id.0 + 1);
    let chunks: Vec<Chunk> = recent.orgs().into_iter().flat_map(|org| recent.chunks(org)).collect();
    let entries = || chunks.iter().flat_map(|chunk| &chunk.entries);
    let meta = segment::write(disk, id, entries())?;
    let bytes = sidecar::build(entries().cloned().map(Ok))?;
    // Makes the names of both files durable. If we crash here, they are not in the manifest and are swept away.
    sidecar::put(disk, id, &bytes)?;
    let segment = Segment::open(disk, meta.clone())?;
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
    shared.sequencer().forget(entries());
    let path = recent.file.path();
    disk.remove(&path).map_err(StoreError::io(&path))?;
    shared.counters.sealed_events.fetch_add(entries().count() as u64, Ordering::Relaxed);
    Ok(())
}

fn without(view: &View, recent: &Arc<Recent>, segment: Segment) -> View {
    View {
        segments: view.segments.iter().cloned().chain([Arc::new(segment)]).collect(),
        recents: view.recents.iter().filter(|other| other.file != recent.file).cloned().collect(),
    }
}

/// Reads the segment back and compares: the journal is let go only for what can be read in its stead.
fn prove<'a>(segment: &Segment, entries: impl Iterator<Item = &'a Entry>) -> Result<(), StoreError> {
    let mut read = segment.scan_all()?;
    for entry in entries {
        if read.next().transpose()?.as_ref() != Some(entry) {
            let what = format!("index {} of organization {} does not read back as it was", entry.index, entry.org);
            return Err(StoreError::corrupt(&segment.meta.id.path(), 0, what));
        }
    }
    Ok(())
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
