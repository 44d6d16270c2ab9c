//! Merging: several small segments become a larger one, so that a question to many events asks few files.
//!
//! The sealer's thread does it when nothing waits to be sealed, and stops for what comes to be sealed meanwhile. Columns are copied
//! in the new order, and the new sidecar is made of the old ones, a field at a time, so that it takes little memory. The new
//! segment is compared with the old ones before the manifest names it in their place; their files go when nobody reads them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use record::OrgId;

use crate::error::StoreError;
use crate::manifest::Manifest;
use crate::part::build::mark;
use crate::part::merge::merge as merge_parts;
use crate::part::{MARK_ROWS, Part};
use crate::segment::{self, Batches, Effort, Meta, Run, Segment, SegmentId};
use crate::sidecar::{self, IdHash};
use crate::store::{Options, Shared, View};

/// Rows after which it is looked whether something waits to be sealed.
const PAUSE_ROWS: usize = 4_096;

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
    let merged = write(shared, id, &group, &mut || pause(manifest)).inspect_err(|e| mend(&group, e))?;

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

/// Makes a sidecar again that turned out to be damaged, so that the next attempt does not find it so.
fn mend(group: &[Arc<Segment>], found: &StoreError) {
    let StoreError::Corrupt { path, .. } = found else { return };
    for segment in group.iter().filter(|segment| segment.meta.id.sidecar_path() == *path) {
        if let Err(e) = segment.make_sidecar() {
            tracing::error!(%path, reason = %e, "a damaged sidecar could not be made again");
        }
    }
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
    let mut marks = Marks::default();
    let mut rows = 0;
    let each = batches(group).map(|batch| {
        pause_between(&mut rows, batch.as_ref().map_or(0, RecordBatch::num_rows), pause)?;
        let malformed = || StoreError::corrupt(&id.path(), 0, "what is to be merged into it does not hold entries");
        let batch = segment::conform(&batch?).ok_or_else(malformed)?;
        segment::each_place(&batch, |org, event_id, of_sender, item| {
            let row = marks.add(org, event_id);
            of_sender.into_iter().for_each(|text| builder.add_id(IdHash::of_id(org, text), row));
            item.into_iter().for_each(|item| builder.add_id(IdHash::of_item(org, item), row));
        })
        .ok_or_else(malformed)?;
        Ok(batch)
    });
    let mut meta = segment::write(disk, id, Effort::Thorough, merged_runs(group)?, each)?;
    meta.class = group.first().map(|segment| segment.meta.class.clone()).unwrap_or_default();
    for (org, marks) in &marks.of {
        let parts = group.iter().filter_map(|segment| segment.ask(|| segment.part(*org)).transpose());
        let parts = parts.collect::<Result<Vec<Part>, StoreError>>()?;
        builder.add_part(|out| merge_parts(&parts, marks, pause, out))?;
    }
    let bytes = builder.finish(&meta, &segment::checksums_of(disk, &meta)?);
    pause()?;
    // Makes the names of both files durable. If we crash here, they are not in the manifest and are swept away.
    sidecar::put(disk, id, &bytes)?;
    drop(bytes);
    let merged = Segment::open(&shared.files, &shared.cache, meta)?;
    // The old files are let go only for what can be read in their stead.
    let mut rows = 0;
    let theirs = batches(group).map(|batch| {
        pause_between(&mut rows, batch.as_ref().map_or(0, RecordBatch::num_rows), pause)?;
        batch
    });
    if !segment::same_rows(merged.batches_from(0)?, Box::new(theirs))? {
        return Err(StoreError::corrupt(&id.path(), 0, "it does not read back as what was merged into it"));
    }
    Ok(merged)
}

/// Pauses after every so many rows.
fn pause_between(
    rows: &mut usize,
    more: usize,
    pause: &mut dyn FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let before = *rows / PAUSE_ROWS;
    *rows += more;
    if *rows / PAUSE_ROWS > before { pause() } else { Ok(()) }
}

/// What a sidecar keeps of event ids: each organization's, while its rows go by.
#[derive(Default)]
struct Marks {
    of: Vec<(OrgId, Vec<u64>)>,
    row: u32,
    row_of_org: u32,
}

impl Marks {
    /// Takes the next row, and tells its number.
    fn add(&mut self, org: OrgId, event_id: &[u8; 16]) -> u32 {
        if self.of.last().is_none_or(|(last, _)| *last != org) {
            self.of.push((org, Vec::new()));
            self.row_of_org = 0;
        }
        if self.row_of_org.is_multiple_of(MARK_ROWS)
            && let Some((_, marks)) = self.of.last_mut()
        {
            marks.push(mark(event_id));
        }
        self.row_of_org += 1;
        self.row += 1;
        self.row - 1
    }
}

/// Where each organization's entries lie in some segments, by organization and index: which segment, and where.
fn runs(group: &[Arc<Segment>]) -> impl Iterator<Item = (usize, &Run)> {
    let orgs: BTreeSet<OrgId> = group.iter().flat_map(|segment| &segment.meta.runs).map(|run| run.org).collect();
    let of_org =
        move |org| group.iter().enumerate().filter_map(move |(at, segment)| segment.meta.run(org).map(|run| (at, run)));
    orgs.into_iter().flat_map(of_org)
}

/// Where each organization's entries lie in the merged segment.
fn merged_runs(group: &[Arc<Segment>]) -> Result<Vec<Run>, StoreError> {
    let mut merged: Vec<Run> = Vec::new();
    let mut rows = 0;
    for (_, run) in runs(group) {
        match merged.last_mut() {
            Some(last) if last.org == run.org => {
                if last.end_index() != run.first_index {
                    let what = format!("the segments of organization {} are not neighbours", run.org);
                    return Err(StoreError::corrupt(crate::manifest::PATH, 0, what));
                }
                last.rows += run.rows;
                last.occurred_min = last.occurred_min.min(run.occurred_min);
                last.occurred_max = last.occurred_max.max(run.occurred_max);
                last.recorded_max = run.recorded_max;
            }
            _ => merged.push(Run { first_row: rows, ..run.clone() }),
        }
        rows += run.rows;
    }
    Ok(merged)
}

/// A segment that is read from its beginning to its end, with pauses. What reads it takes some megabytes, and is closed in them.
struct Reader<'s> {
    segment: &'s Segment,
    open: Option<Batches<'s>>,
    /// The next row that was not read.
    row: u64,
    /// What was read and is not wanted yet.
    held: Option<RecordBatch>,
}

impl Reader<'_> {
    /// The next rows, up to so many; `None` where there are no more.
    fn next(&mut self, most: u64) -> Result<Option<RecordBatch>, StoreError> {
        let batch = match self.held.take() {
            Some(held) => held,
            None => {
                if self.open.is_none() {
                    self.open = Some(self.segment.batches_from(self.row)?);
                }
                let Some(read) = self.open.as_mut().and_then(Iterator::next).transpose()? else { return Ok(None) };
                self.row += read.num_rows() as u64;
                read
            }
        };
        let count = batch.num_rows().min(usize::try_from(most).unwrap_or(usize::MAX));
        if count < batch.num_rows() {
            self.held = Some(batch.slice(count, batch.num_rows() - count));
        }
        Ok(Some(batch.slice(0, count)))
    }
}

/// The rows of segments, by organization and index.
fn batches(group: &[Arc<Segment>]) -> Batches<'_> {
    let mut readers: Vec<Reader<'_>> =
        group.iter().map(|segment| Reader { segment, open: None, row: 0, held: None }).collect();
    let mut runs = runs(group).map(|(at, run)| (at, run.rows));
    let mut current = None;
    Box::new(std::iter::from_fn(move || {
        let (at, left) = current.take().or_else(|| runs.next())?;
        let reader = readers.get_mut(at)?;
        let batch = reader.next(left).transpose()?;
        let left = left - batch.as_ref().map_or(left, |batch| batch.num_rows() as u64);
        if left > 0 {
            current = Some((at, left));
        } else {
            reader.open = None;
        }
        Some(batch)
    }))
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
