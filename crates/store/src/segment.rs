//! Segments: sealed, immutable, columnar files of events.
//!
//! Parquet, sorted by organization and index, one column for each member of an event, so that any Parquet reader can read
//! them. The record is not stored: it follows from the columns and the salt seed, and the sealer proves that before it lets the
//! journal go. FORMATS.md has the columns.

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
    file: Arc<dyn ReadAt>,
    footer: Arc<ParquetMetaData>,
}

impl Segment {
    /// Opens a segment of the manifest. A sidecar that is missing or damaged is made again.
    pub(crate) fn open(disk: &dyn Disk, meta: Meta) -> Result<Segment, StoreError> {
        let mut segment = Segment::open_unrepaired(disk, meta)?;
        if let Some(sidecar) = Sidecar::open(disk, &segment.meta) {
            segment.sidecar = sidecar;
            return Ok(segment);
        }
        tracing::warn!(segment = segment.meta.id.0, "sidecar missing, damaged or outdated; making it again");
        let bytes = crate::sidecar::build(segment.scan_all()?)?;
        crate::sidecar::put(disk, segment.meta.id, &bytes)?;
        let unreadable = || StoreError::corrupt(&segment.meta.id.sidecar_path(), 0, "not readable after it was written");
        segment.sidecar = Sidecar::open(disk, &segment.meta).ok_or_else(unreadable)?;
        Ok(segment)
    }

    /// Opens a segment without its sidecar.
    pub(crate) fn open_unrepaired(disk: &dyn Disk, meta: Meta) -> Result<Segment, StoreError> {
        let path = meta.id.path();
        let file = disk.open(&path).map_err(StoreError::io(&path))?;
        let len = file.len().map_err(StoreError::io(&path))?;
        if len != meta.bytes {
            return Err(StoreError::corrupt(
                &path,
                len,
                format!("the file has {len} bytes; the manifest says {}", meta.bytes),
            ));
        }
        let footer = read::footer(&path, &file)?;
        if u64::try_from(footer.file_metadata().num_rows()) != Ok(meta.rows) {
            return Err(StoreError::corrupt(&path, 0, "the file has another number of rows than the manifest says"));
        }
        Ok(Segment { sidecar: Sidecar::default(), meta, file, footer })
    }
}
