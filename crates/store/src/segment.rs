//! Segments: sealed, immutable, columnar files of events.
//!
//! Parquet, sorted by organization and index, one column for each member of an event, so that any Parquet reader can read
//! them. The record is not stored: it follows from the columns and the salt seed, and the sealer proves that before it lets the
//! journal go. What is read is compared with the checksums that stand in the sidecar. FORMATS.md has the columns.

mod blocks;
mod columns;
mod read;
mod write;

use std::sync::Arc;

use parquet::file::metadata::ParquetMetaData;
use record::{Index, OrgId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::disk::{Disk, ReadAt};
use crate::error::StoreError;
use crate::sidecar::Sidecar;

pub(crate) use blocks::BLOCK_BYTES;
use blocks::{Blocks, checksums};
pub(crate) use read::Wanted;
pub(crate) use write::{note, write};

/// The folder.
pub const DIR: &str = "segments";
/// Rows in a row group: the unit that is skipped or read.
pub const ROW_GROUP_ROWS: usize = 16_384;

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
}

impl Meta {
    /// Where one organization's events lie.
    pub fn run(&self, org: OrgId) -> Option<&Run> {
        let at = self.runs.binary_search_by_key(&org, |run| run.org).ok()?;
        self.runs.get(at)
    }
}

/// A segment that is open for reading.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) meta: Meta,
    pub(crate) sidecar: Sidecar,
    file: Blocks,
    footer: Arc<ParquetMetaData>,
}

impl Segment {
    /// Opens a segment of the manifest. A sidecar that is missing or damaged is made again, if the segment is as it was sealed.
    pub(crate) fn open(disk: &dyn Disk, meta: Meta) -> Result<Segment, StoreError> {
        let sidecar = match Sidecar::open(disk, &meta) {
            Some(sidecar) => sidecar,
            None => {
                tracing::warn!(segment = meta.id.0, "sidecar missing, damaged or outdated; making it again");
                let checksums = checksums_of(disk, &meta)?;
                let bytes = crate::sidecar::build(&checksums, Segment::open_unchecked(disk, meta.clone())?.scan_all()?)?;
                crate::sidecar::put(disk, meta.id, &bytes)?;
                let path = meta.id.sidecar_path();
                let unreadable = || StoreError::corrupt(&path, 0, "not readable after it was written");
                Sidecar::open(disk, &meta).ok_or_else(unreadable)?
            }
        };
        let blocks = Blocks::new(file(disk, &meta)?, &meta, sidecar.checksums.clone());
        Segment::with(blocks, meta, sidecar)
    }

    /// Opens a segment that has no sidecar, or whose sidecar is in doubt. What is read is not compared with anything.
    pub(crate) fn open_unchecked(disk: &dyn Disk, meta: Meta) -> Result<Segment, StoreError> {
        let blocks = Blocks::new(file(disk, &meta)?, &meta, Arc::default());
        Segment::with(blocks, meta, Sidecar::default())
    }

    fn with(file: Blocks, meta: Meta, sidecar: Sidecar) -> Result<Segment, StoreError> {
        let path = meta.id.path();
        let footer = read::footer(&path, &file)?;
        if u64::try_from(footer.file_metadata().num_rows()) != Ok(meta.rows) {
            return Err(StoreError::corrupt(&path, 0, "the file has another number of rows than the manifest says"));
        }
        Ok(Segment { sidecar, meta, file, footer })
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
