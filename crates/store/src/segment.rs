//! Segments: sealed, immutable, columnar files of events.
//!
//! Parquet, sorted by organization and index, one column for each member of an event, so that any Parquet reader can read
//! them. The record is not stored: it follows from the columns and the salt seed, and the sealer proves that before it lets the
//! journal go. What is read is compared with the checksums that stand in the sidecar. FORMATS.md has the columns.

mod blocks;
pub(crate) mod columns;
mod read;
mod write;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use record::{Index, OrgId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cache::{Cache, Piece};
use crate::disk::{Disk, ReadAt};
use crate::error::StoreError;
use crate::files::Files;
use crate::part::Part;
use crate::sidecar::{IdHash, Sidecar};

use blocks::checksums;
pub(crate) use blocks::{BLOCK_BYTES, Blocks, Source};
pub(crate) use read::{Batches, changes, conform, each_place, same_rows};
use write::rows_of;
pub(crate) use write::{Effort, batches, note, runs, write};

/// The folder.
pub const DIR: &str = "segments";
/// Rows in a row group.
pub const ROW_GROUP_ROWS: usize = 16_384;
/// Rows in a page: the unit that is skipped or read.
pub const PAGE_ROWS: usize = 512;

/// Which segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentId(pub u64);

impl SegmentId {
    /// The events.
    pub fn path(self) -> String {
        format!("{DIR}/{:020}.parquet", self.0)
    }

    /// What is derived from them.
    pub fn sidecar_path(self) -> String {
        format!("{DIR}/{:020}.idx", self.0)
    }

    /// The number in the name of either file.
    pub fn of_name(name: &str) -> Option<SegmentId> {
        let digits = name.strip_suffix(".parquet").or_else(|| name.strip_suffix(".idx"))?;
        (digits.len() == 20).then(|| digits.parse().ok().map(SegmentId))?
    }
}

/// Where one organization's events lie in a segment, and between which bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Whose.
    pub org: OrgId,
    /// The first row.
    pub first_row: u64,
    /// How many rows; they hold consecutive indexes.
    pub rows: u64,
    /// The index in the first row.
    pub first_index: Index,
    /// The earliest `occurred_at`.
    pub occurred_min: Timestamp,
    /// The latest `occurred_at`.
    pub occurred_max: Timestamp,
    /// `recorded_at` of the first row.
    pub recorded_min: Timestamp,
    /// `recorded_at` of the last row.
    pub recorded_max: Timestamp,
}

impl Run {
    /// The index after the last.
    pub fn end_index(&self) -> Index {
        Index(self.first_index.0.saturating_add(self.rows))
    }
}

/// What the manifest says of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// Which.
    pub id: SegmentId,
    /// The file's length.
    pub bytes: u64,
    /// The file's SHA-256, in hexadecimal.
    pub sha256: String,
    /// Rows of all organizations.
    pub rows: u64,
    /// Each organization's rows, by organization.
    pub runs: Vec<Run>,
    /// How long the events are kept, as a class: what is kept for different times is not merged into one file. There is one
    /// class as yet, which has no name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
}

impl Meta {
    /// Where one organization's events lie.
    pub fn run(&self, org: OrgId) -> Option<&Run> {
        let at = self.runs.binary_search_by_key(&org, |run| run.org).ok()?;
        self.runs.get(at)
    }
}

/// A segment of the manifest. Its files are opened, and what they say is read, when somebody asks.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) meta: Meta,
    source: Source,
    cache: Arc<Cache>,
    /// Absent where a segment is read without one.
    sidecar: RwLock<Option<Arc<Sidecar>>>,
    /// Whether it has been superseded: its files go when nobody reads it any more.
    superseded: AtomicBool,
}

impl Segment {
    /// Opens a segment of the manifest. A sidecar that is missing or damaged is made again, if the segment is as it was sealed.
    pub(crate) fn open(files: &Arc<Files>, cache: &Arc<Cache>, meta: Meta) -> Result<Segment, StoreError> {
        file(&*files.disk, &meta)?;
        let segment = Segment {
            source: Source::Listed(files.clone()),
            cache: cache.clone(),
            sidecar: RwLock::new(Sidecar::open(files, &meta).map(Arc::new)),
            superseded: AtomicBool::new(false),
            meta,
        };
        if segment.beside().is_none() {
            segment.make_sidecar()?;
        }
        Ok(segment)
    }

    /// Opens a segment without a look at its sidecar. What is read is not compared with anything.
    pub(crate) fn open_unchecked(disk: &dyn Disk, meta: Meta) -> Result<Segment, StoreError> {
        let source = Source::Open(file(disk, &meta)?);
        let segment =
            Segment { source, cache: Arc::default(), sidecar: RwLock::default(), superseded: AtomicBool::new(false), meta };
        segment.footer()?;
        Ok(segment)
    }

    /// Makes the sidecar from the segment, and puts it in its place.
    pub(crate) fn make_sidecar(&self) -> Result<(), StoreError> {
        let Source::Listed(files) = &self.source else { return Ok(()) };
        tracing::warn!(segment = self.meta.id.0, "sidecar missing, damaged or outdated; making it again");
        let disk = &*files.disk;
        let checksums = checksums_of(disk, &self.meta)?;
        let bare = Segment::open_unchecked(disk, self.meta.clone())?;
        let bytes = crate::sidecar::build(&self.meta, &checksums, bare.scan_all()?)?;
        crate::sidecar::put(disk, self.meta.id, &bytes)?;
        let path = self.meta.id.sidecar_path();
        files.forget(&path);
        let unreadable = || StoreError::corrupt(&path, 0, "not readable after it was written");
        let sidecar = Sidecar::open(files, &self.meta).ok_or_else(unreadable)?;
        *self.sidecar.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(sidecar));
        Ok(())
    }

    /// Asks what the sidecar says; where that turns out to be damaged, it is made again, once.
    pub(crate) fn ask<T>(&self, mut ask: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
        match ask() {
            Err(StoreError::Corrupt { path, .. }) if path == self.meta.id.sidecar_path() => {
                self.make_sidecar()?;
                ask()
            }
            answer => answer,
        }
    }

    fn beside(&self) -> Option<Arc<Sidecar>> {
        self.sidecar.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the sidecar knows of an organization's events; `None` if there are none of it.
    pub(crate) fn part(&self, org: OrgId) -> Result<Option<Part>, StoreError> {
        let Ok(number) = self.meta.runs.binary_search_by_key(&org, |run| run.org) else { return Ok(None) };
        let missing = || StoreError::corrupt(&self.meta.id.sidecar_path(), 0, "the file is missing");
        let part = self.beside().ok_or_else(missing)?.part(number, &self.cache)?;
        let rows = self.meta.runs.get(number).map(|run| run.rows);
        if rows != Some(u64::from(part.rows())) {
            let what = "a part has another number of events than the manifest says";
            return Err(StoreError::corrupt(&self.meta.id.sidecar_path(), 0, what));
        }
        Ok(Some(part))
    }

    /// The rows that senders' ids may stand in, each with the id. Usually none, without a look at the disk.
    pub(crate) fn rows_of_ids(&self, hashes: &[IdHash]) -> Result<Vec<(u64, IdHash)>, StoreError> {
        self.ask(|| {
            let mut found = Vec::new();
            let Some(sidecar) = self.beside() else { return Ok(found) };
            for &hash in hashes {
                found.extend(sidecar.rows(hash)?.into_iter().map(|row| (row, hash)));
            }
            Ok(found)
        })
    }

    /// Bytes of the sidecar.
    pub(crate) fn sidecar_bytes(&self) -> u64 {
        self.beside().map_or(0, |sidecar| sidecar.bytes())
    }

    /// What was read of this segment and may be read again.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Its file, to be read.
    fn file(&self) -> Result<Blocks, StoreError> {
        let checksums = match (&self.source, self.beside()) {
            (Source::Listed(_), Some(sidecar)) => sidecar.checksums()?,
            _ => Arc::default(),
        };
        Ok(Blocks::new(self.source.clone(), &self.meta.id.path(), self.meta.bytes, BLOCK_BYTES, checksums))
    }

    /// The file's directory of row groups, columns and pages.
    fn footer(&self) -> Result<Arc<ArrowReaderMetadata>, StoreError> {
        self.cache.piece(Piece { segment: self.meta.id, sort: b'f', at: 0 }, || {
            let path = self.meta.id.path();
            let footer = self.ask(|| read::footer(&path, &self.file()?))?;
            if u64::try_from(footer.metadata().file_metadata().num_rows()) != Ok(self.meta.rows) {
                return Err(StoreError::corrupt(&path, 0, "the file has another number of rows than the manifest says"));
            }
            let bytes = footer.metadata().memory_size();
            Ok((footer, bytes))
        })
    }

    /// Says that the manifest names it no more. Its files are removed once nobody reads it.
    pub(crate) fn supersede(&self) {
        self.superseded.store(true, Ordering::SeqCst);
    }
}

impl Drop for Segment {
    /// If we crash before, the files are not in the manifest and are swept away at the next start.
    fn drop(&mut self) {
        let Source::Listed(files) = &self.source else { return };
        if !self.superseded.load(Ordering::SeqCst) {
            return;
        }
        for path in [self.meta.id.path(), self.meta.id.sidecar_path()] {
            files.forget(&path);
            if let Err(e) = files.disk.remove(&path) {
                tracing::warn!(%path, reason = %e, "a superseded file could not be removed; the next start will try again");
            }
        }
    }
}

/// The file of a segment, which must be as long as the manifest says.
fn file(disk: &dyn Disk, meta: &Meta) -> Result<Arc<dyn ReadAt>, StoreError> {
    let path = meta.id.path();
    let file = disk.open(&path).map_err(StoreError::io(&path))?;
    let len = file.len().map_err(StoreError::io(&path))?;
    if len != meta.bytes {
        let what = format!("the file has {len} bytes; the manifest says {}", meta.bytes);
        return Err(StoreError::corrupt(&path, len, what));
    }
    Ok(file)
}

/// The CRC-32 of every block of a segment's file, if the file is the one that was sealed.
pub(crate) fn checksums_of(disk: &dyn Disk, meta: &Meta) -> Result<Vec<u32>, StoreError> {
    checksums(&*file(disk, meta)?, meta)
}
