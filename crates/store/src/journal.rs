//! The journal: where an event becomes durable. One for all organizations; a file of it lives until its events are in a segment.
//!
//! A file is a header and frames. A frame is one batch: written with one write, made durable with one sync, and whole or absent
//! after a crash, because its checksum covers all of it. Only the last frame of the last file can be torn: the next is not
//! written before the last one is synced. Stopping in order adds a frame without entries, so that damage to the last batch is
//! not taken for a torn tail. FORMATS.md has the grammar.
//!
//! **Invariant:** beside a manifest stands at least one journal file, and they are numbered without gaps from `journal_from` on.

mod recovery;

use record::merkle::Hash;

use crate::disk::{Append, Disk};
use crate::entry::{self, Entry};
use crate::error::StoreError;

pub use recovery::{Tail, files, read_file};

/// The folder.
pub const DIR: &str = "journal";
/// The version of the format that is written.
pub const VERSION: u32 = 1;
/// Bytes before the first frame.
pub const HEADER_BYTES: usize = 32;
/// Bytes of a frame before its entries.
pub const FRAME_HEADER_BYTES: usize = 16;
const MAGIC: &[u8; 8] = b"ACTAJRNL";

/// Which journal file: 0, 1, 2, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct FileNumber(pub u64);

impl FileNumber {
    /// The file's path.
    pub fn path(self) -> String {
        format!("{DIR}/{:020}.log", self.0)
    }

    /// The number in a file's name.
    pub fn of_name(name: &str) -> Option<FileNumber> {
        let digits = name.strip_suffix(".log")?;
        (digits.len() == 20).then(|| digits.parse().ok().map(FileNumber))?
    }

    /// The file after this.
    #[must_use]
    pub fn next(self) -> FileNumber {
        FileNumber(self.0 + 1)
    }
}

/// A batch being filled: the bytes of one frame.
#[derive(Debug, Default)]
pub struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    /// Adds an entry.
    pub fn push(&mut self, entry: &Entry, leaf: &Hash) {
        self.begin();
        let start = self.bytes.len();
        self.bytes.extend([0; 4]);
        entry::encode(entry, leaf, &mut self.bytes);
        #[expect(clippy::cast_possible_truncation, reason = "an event's limit is far below 4 GiB")]
        let len = (self.bytes.len() - start - 4) as u32;
        if let Some(place) = self.bytes.get_mut(start..start + 4) {
            place.copy_from_slice(&len.to_le_bytes());
        }
    }

    fn begin(&mut self) {
        if self.bytes.is_empty() {
            self.bytes.resize(FRAME_HEADER_BYTES, 0);
        }
    }

    /// How many bytes it has so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Completes the frame header: length, checksum, the batch's number in the file.
    fn finish(&mut self, file: FileNumber, batch: u64) -> &[u8] {
        self.begin();
        let payload = self.bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "the queue's bound is far below 4 GiB")]
        let len = payload.len() as u32;
        let crc = checksum(file, batch, payload);
        let header = [&len.to_le_bytes()[..], &crc.to_le_bytes(), &batch.to_le_bytes()].concat();
        if let Some(place) = self.bytes.get_mut(..FRAME_HEADER_BYTES) {
            place.copy_from_slice(&header);
        }
        &self.bytes
    }
}

/// Covers the batch and its place, so that a batch of another file, or of another place, is not taken for this one: old blocks
/// of removed files can come up again in a torn tail.
fn checksum(file: FileNumber, batch: u64, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&file.0.to_le_bytes());
    crc.update(&batch.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

/// The file that is written now. Owned by the journal writer's thread.
pub(crate) struct Writer {
    number: FileNumber,
    file: Box<dyn Append>,
    batches: u64,
    len: u64,
}

impl Writer {
    /// A new file, durable with its name and its header.
    pub(crate) fn create(disk: &dyn Disk, number: FileNumber) -> Result<Writer, StoreError> {
        let path = number.path();
        let write = || {
            let mut file = disk.create(&path)?;
            file.write_all(&header(number))?;
            file.sync()?;
            disk.sync_dir(DIR)?;
            Ok(file)
        };
        let file = write().map_err(StoreError::io(&path))?;
        Ok(Writer { number, file, batches: 0, len: HEADER_BYTES as u64 })
    }

    /// Goes on with the last file.
    ///
    /// Its last batch may be one that was written and never synced, or one whose sync failed; recovery has read it, and its
    /// events are about to be shown, so it must be durable. To sync is not enough: after a failed sync the page cache holds
    /// what the disk does not, and the next sync succeeds without writing it. So the batch is written once more, over itself,
    /// which also needs no room on a full disk; a torn tail behind it is cut off. If we crash here, the same bytes are found
    /// again, or the batch had never been answered for.
    pub(crate) fn resume(disk: &dyn Disk, number: FileNumber, tail: &Tail) -> Result<Writer, StoreError> {
        let path = number.path();
        let open = || {
            let mut last = vec![0; usize::try_from(tail.good_bytes - tail.last_frame).unwrap_or(0)];
            disk.open(&path)?.read_exact_at(&mut last, tail.last_frame)?;
            let mut file = disk.append(&path, tail.last_frame)?;
            file.write_all(&last)?;
            if tail.torn_bytes > 0 {
                file.cut()?;
            }
            file.sync()?;
            // The process that made the file may have died before its name was durable.
            disk.sync_dir(DIR)?;
            Ok(file)
        };
        let file = open().map_err(StoreError::io(&path))?;
        Ok(Writer { number, file, batches: tail.batches, len: tail.good_bytes })
    }

    pub(crate) fn number(&self) -> FileNumber {
        self.number
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Writes one batch. Not durable before [`Writer::sync`].
    pub(crate) fn write(&mut self, frame: &mut Frame) -> Result<(), StoreError> {
        let bytes = frame.finish(self.number, self.batches);
        self.file.write_all(bytes).map_err(StoreError::io(&self.number.path()))?;
        self.batches += 1;
        self.len += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.file.sync().map_err(StoreError::io(&self.number.path()))
    }

    /// Says that all batches before this place were made durable. Then damage to the last one is known for what it is.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        self.write(&mut Frame::default())?;
        self.sync()
    }
}

fn header(number: FileNumber) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(number.0.to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}
