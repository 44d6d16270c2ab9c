//! Merging: several small segments become a larger one, so that a question to many events asks few files.
//!
//! The sealer's thread does it when nothing waits to be sealed, and stops for what comes to be sealed meanwhile. Entries are read,
//! written in the new order and indexed one by one, so that it takes the memory of one sidecar. The new segment is compared
//! with what was read before the manifest names it in the place of the old ones; their files go when nobody reads them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use record::OrgId;
use sha2::{Digest, Sha256};

use crate::entry::{self, Entry};
use crate::error::StoreError;
use crate::manifest::Manifest;
use crate::segment::{self, Effort, Meta, Segment, SegmentId};
use crate::sidecar;
use crate::store::{Options, Shared, View};

/// Rows after which it is looked whether something waits to be sealed.
const PAUSE_ROWS: u64 = 4_096;

/// Which of some segments, in the order of their events, are to be merged next.
///
/// They must be neighbours, so that each organization's indexes stay consecutive; of one retention class; and about equally
/// large, so that an event is rewritten once for each time that segments grow by the factor.
pub(crate) fn due<'m>(segments: impl Iterator<Item = &'m Meta>, options: &Options) -> Option<Range<usize>> {
    let segments: Vec<&Meta> = segments.collect();
    let alike = |a: &Meta, b: &Meta| a.class == b.class && tier(a.rows, options) == tier(b.rows, options);
    let mut start = 0;
    for group in segments.chunk_by(|a, b| alike(a, b)) {
        let mut rows = 0;
        let fits = |meta: &&&Meta| {
            rows += meta.rows;
            rows <= options.merge_rows_max
        };
        let count = group.iter().take(options.merge_factor).take_while(fits).count();
        if group.len() >= options.merge_factor && count >= 2 {
            return Some(start..start + count);
        }
        start += group.len();
    }
    None
}

/// How often segments of this size have grown.
fn tier(rows: u64, options: &Options) -> u32 {
    let factor = (options.merge_factor as u64).max(2);
    let mut limit = options.seal_events.saturating_mul(factor) / 2;
    let mut tier = 0;
    while rows >= limit.max(1) && limit < u64::MAX / factor {
        limit *= factor;
        tier += 1;
    }
    tier
}

/// Merges what is due. `pause` is called now and then; what it fails with ends the attempt.
pub(crate) fn merge(
    shared: &Shared,
    manifest: &mut Manifest,
    pause: &mut dyn FnMut(&mut Manifest) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let view = shared.view();
    let Some(due) = due(view.segments.iter().map(|segment| &segment.meta), &shared.options) else { return Ok(()) };
    let group: Vec<Arc<Segment>> = view.segments.get(due).unwrap_or_default().to_vec();
    drop(view);
    let id = manifest.next_segment;
    // A number is used once, even if the attempt fails: the file of a failed attempt may be in an unknown state.
    manifest.next_segment = SegmentId(id.0 + 1);
    let merged = write(shared, id, &group, &mut || pause(manifest))?;

    let mut next = manifest.clone();
    next.generation += 1;
    let first = group.first().map(|segment| segment.meta.id);
    let at = next.segments.iter().position(|meta| Some(meta.id) == first);
    let at = at.ok_or_else(|| StoreError::corrupt(crate::manifest::PATH, 0, "a segment that was merged is not in it"))?;
    next.segments.splice(at..at + group.len(), [merged.meta.clone()]);
    next.save(&*shared.disk)?;
    // If we crash here, the old files are not in the manifest and are swept away at the next start.
    *manifest = next;
    shared.counters.merged_events.fetch_add(merged.meta.rows, Ordering::Relaxed);
    group.iter().for_each(|segment| segment.supersede());
    let merged = Arc::new(merged);
    shared.change_view(|view| replaced(view, &group, &merged));
    Ok(())
}

fn replaced(view: &View, group: &[Arc<Segment>], merged: &Arc<Segment>) -> View {
    let first = group.first().map(|segment| segment.meta.id);
    let at = view.segments.iter().position(|segment| Some(segment.meta.id) == first).unwrap_or(0);
    let mut segments = view.segments.clone();
    segments.splice(at..at + group.len(), [merged.clone()]);
    View { segments, recents: view.recents.clone() }
}

/// Writes the merged segment and its sidecar, and proves that it holds what the others hold.
fn write(
    shared: &Shared,
    id: SegmentId,
    group: &[Arc<Segment>],
    pause: &mut dyn FnMut() -> Result<(), StoreError>,
) -> Result<Segment, StoreError> {
    let disk = &*shared.disk;
    let mut builder = sidecar::Builder::default();
    let mut wanted = Digesting::default();
    let mut rows = 0;
    let mut meta = {
        let mut entries = entries(group);
        let each = std::iter::from_fn(|| {
            rows += 1;
            if rows % PAUSE_ROWS == 0
                && let Err(e) = pause()
            {
                return Some(Err(e));
            }
            let entry = entries.next()?;
            if let Ok(entry) = &entry {
                builder.add(entry);
                wanted.add(entry);
            }
            Some(entry)
        });
        segment::write(disk, id, Effort::Thorough, each)?
    };
    meta.class = group.first().map(|segment| segment.meta.class.clone()).unwrap_or_default();
    let bytes = builder.finish(&meta, &segment::checksums_of(disk, &meta)?);
    pause()?;
    // Makes the names of both files durable. If we crash here, they are not in the manifest and are swept away.
    sidecar::put(disk, id, &bytes)?;
    drop(bytes);
    let merged = Segment::open(&shared.files, &shared.cache, meta)?;
    let mut found = Digesting::default();
    for (row, entry) in (1..).zip(merged.scan_all()?) {
        found.add(&entry?);
        if row % PAUSE_ROWS == 0 {
            pause()?;
        }
    }
    if found.0.finalize() != wanted.0.finalize() {
        return Err(StoreError::corrupt(&id.path(), 0, "it does not read back as what was merged into it"));
    }
    Ok(merged)
}

/// A hash of everything that entries hold.
#[derive(Default)]
struct Digesting(Sha256, Vec<u8>);

impl Digesting {
    fn add(&mut self, entry: &Entry) {
        self.1.clear();
        entry::encode(entry, &[0; 32], &mut self.1);
        self.0.update((self.1.len() as u64).to_le_bytes());
        self.0.update(&self.1);
    }
}

/// The entries of segments, by organization and index.
fn entries(group: &[Arc<Segment>]) -> impl Iterator<Item = Result<Entry, StoreError>> + '_ {
    let orgs: std::collections::BTreeSet<OrgId> =
        group.iter().flat_map(|segment| &segment.meta.runs).map(|run| run.org).collect();
    let runs = orgs
        .into_iter()
        .flat_map(move |org| group.iter().filter_map(move |segment| segment.meta.run(org).map(|run| (segment, run))));
    runs.flat_map(|(segment, run)| -> Box<dyn Iterator<Item = Result<Entry, StoreError>> + '_> {
        match segment.entries(std::slice::from_ref(&(run.first_row..run.first_row + run.rows))) {
            Ok(entries) => Box::new(entries),
            Err(e) => Box::new(std::iter::once(Err(e))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seals segments of `seal_events` and merges as long as something is due: the sizes that come of it, and how often each
    /// event was rewritten.
    fn grown(count: usize, factor: usize, rows_max: u64) -> (Vec<u64>, f64) {
        let options = Options { seal_events: 10, merge_factor: factor, merge_rows_max: rows_max, ..Options::default() };
        let meta =
            |rows| Meta { id: SegmentId(0), bytes: 0, sha256: String::new(), rows, runs: Vec::new(), class: String::new() };
        let (mut segments, mut rewritten) = (Vec::new(), 0);
        for _ in 0..count {
            segments.push(meta(10));
            while let Some(due) = due(segments.iter(), &options) {
                let rows = segments[due.clone()].iter().map(|meta| meta.rows).sum();
                rewritten += rows;
                segments.splice(due, [meta(rows)]);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let each = rewritten as f64 / (count * 10) as f64;
        (segments.iter().map(|meta| meta.rows).collect(), each)
    }

    #[test]
    fn segments_grow_by_the_factor_up_to_the_limit() {
        assert_eq!(grown(3, 4, 1_000).0, [10, 10, 10]);
        assert_eq!(grown(4, 4, 1_000).0, [40]);
        assert_eq!(grown(16, 4, 1_000).0, [160]);
        assert_eq!(grown(23, 4, 1_000).0, [160, 40, 10, 10, 10]);
        let (sizes, each) = grown(1_000, 4, 1_000);
        assert!(sizes.len() < 25 && sizes.iter().all(|rows| *rows <= 1_000), "{sizes:?}");
        assert!(each < 3.1, "each event was rewritten {each} times");
        let (sizes, each) = grown(320, 32, 320);
        assert_eq!((sizes, each), (vec![320; 10], 1.0), "with one step, once");
    }

    #[test]
    fn classes_do_not_mix() {
        let options = Options { seal_events: 10, merge_factor: 2, merge_rows_max: 1_000, ..Options::default() };
        let meta = |class: &str| Meta {
            id: SegmentId(0),
            bytes: 0,
            sha256: String::new(),
            rows: 10,
            runs: Vec::new(),
            class: class.to_owned(),
        };
        assert_eq!(due([meta("a"), meta("b"), meta("a")].iter(), &options), None);
        assert_eq!(due([meta("a"), meta("b"), meta("b")].iter(), &options), Some(1..3));
    }
}
