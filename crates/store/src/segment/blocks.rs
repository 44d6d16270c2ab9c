//! A file, each block of which is compared with its checksum before it is believed.
//!
//! Parquet's pages bear no checksum that its writer would write, and its reader trusts what it reads. So what it is given is
//! right, or it is given an error. Sidecars are read the same way.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use sha2::{Digest, Sha256};

use super::Meta;
use crate::disk::ReadAt;
use crate::error::StoreError;
use crate::files::Files;

/// Bytes of a segment that one checksum covers. The last block may be shorter. One row takes a page or two of each column, so that
/// larger blocks would be read for little.
pub(crate) const BLOCK_BYTES: u64 = 4_096;

/// Bytes that are read at once where the whole file is read: whole blocks.
const READ_BYTES: u64 = 64 * BLOCK_BYTES;

/// The CRC-32 of every block of a segment that is, as a whole, the file that was sealed.
pub(crate) fn checksums(file: &dyn ReadAt, meta: &Meta) -> Result<Vec<u32>, StoreError> {
    let path = meta.id.path();
    let mut whole = Sha256::new();
    let mut checksums = Vec::new();
    let mut at = 0;
    while at < meta.bytes {
        let blocks = read(file, at, READ_BYTES.min(meta.bytes - at)).map_err(StoreError::io(&path))?;
        whole.update(&blocks);
        checksums.extend(blocks.chunks(usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX)).map(crc32fast::hash));
        at += READ_BYTES;
    }
    let sha256: String = whole.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if sha256 != meta.sha256 {
        let what = format!("it is not the file that was sealed: its SHA-256 is {sha256}");
        return Err(StoreError::corrupt(&path, 0, what));
    }
    Ok(checksums)
}

fn read(file: &dyn ReadAt, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// Where a file's bytes come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// An open file.
    Open(Arc<dyn ReadAt>),
    /// One of the files that are opened when they are read.
    Listed(Arc<Files>),
}

/// A file as the Parquet reader wants it, and whoever else wants some of its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Blocks {
    source: Source,
    path: Arc<str>,
    len: u64,
    /// Bytes that one checksum covers.
    block: u64,
    /// Empty where there is nothing to compare with.
    checksums: Arc<[u32]>,
    /// Why a read failed. Parquet's errors are texts; this one says what can be done about it.
    failure: Arc<Mutex<Option<StoreError>>>,
}

impl Blocks {
    pub(crate) fn new(source: Source, path: &str, len: u64, block: u64, checksums: Arc<[u32]>) -> Blocks {
        Blocks { source, path: path.into(), len, block, checksums, failure: Arc::default() }
    }

    /// The same file, for another reader.
    pub(super) fn fresh(&self) -> Blocks {
        Blocks { failure: Arc::default(), ..self.clone() }
    }

    /// What went wrong, where the Parquet reader has reported an error.
    pub(super) fn error(&self, reported: impl ToString) -> StoreError {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.unwrap_or_else(|| StoreError::corrupt(&self.path, 0, reported.to_string()))
    }

    /// Says that what was read is not what was written, although its checksums are right.
    pub(crate) fn corrupt(&self, at: u64, what: &str) -> StoreError {
        StoreError::corrupt(&self.path, at, what)
    }

    /// Some of the file's bytes.
    pub(crate) fn read(&self, range: Range<u64>) -> Result<Bytes, StoreError> {
        let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        if len == 0 { Ok(Bytes::new()) } else { self.bytes(range.start, len) }
    }

    fn bytes(&self, start: u64, len: usize) -> Result<Bytes, StoreError> {
        let end = start.checked_add(len as u64).filter(|end| *end <= self.len);
        let end = end.ok_or_else(|| StoreError::corrupt(&self.path, start, "it points behind its end"))?;
        let listed;
        let file: &dyn ReadAt = match &self.source {
            Source::Open(file) => &**file,
            Source::Listed(files) => {
                listed = files.get(&self.path).map_err(StoreError::io(&self.path))?;
                &*listed
            }
        };
        if self.checksums.is_empty() {
            return read(file, start, end - start).map(Bytes::from).map_err(StoreError::io(&self.path));
        }
        let first = start / self.block;
        let from = first * self.block;
        let to = end.next_multiple_of(self.block).min(self.len);
        let bytes = read(file, from, to - from).map_err(StoreError::io(&self.path))?;
        for (block, content) in (first..).zip(bytes.chunks(usize::try_from(self.block).unwrap_or(usize::MAX))) {
            let wanted = usize::try_from(block).ok().and_then(|block| self.checksums.get(block));
            if wanted != Some(&crc32fast::hash(content)) {
                return Err(StoreError::corrupt(&self.path, block * self.block, "a block has a wrong checksum"));
            }
        }
        let skip = usize::try_from(start - from).unwrap_or(usize::MAX);
        Ok(Bytes::from(bytes).slice(skip..skip + len))
    }

    fn checked(&self, start: u64, len: usize) -> Result<Bytes, ParquetError> {
        self.bytes(start, len).map_err(|e| {
            let text = e.to_string();
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
            ParquetError::General(text)
        })
    }
}

impl Length for Blocks {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Blocks {
    type T = Cursor;

    fn get_read(&self, start: u64) -> Result<Cursor, ParquetError> {
        Ok(Cursor { blocks: self.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.checked(start, length)
    }
}

/// A file read from a place on.
#[derive(Debug)]
pub(crate) struct Cursor {
    blocks: Blocks,
    at: u64,
}

impl io::Read for Cursor {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.blocks.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = left.min(out.len());
        let bytes = self.blocks.checked(self.at, count).map_err(io::Error::other)?;
        if let Some(out) = out.get_mut(..count) {
            out.copy_from_slice(&bytes);
        }
        self.at += count as u64;
        Ok(count)
    }
}
