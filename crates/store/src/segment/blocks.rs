//! A segment's file, each block of which is compared with its checksum before it is believed.
//!
//! Parquet's pages bear no checksum that its writer would write, and its reader trusts what it reads. So what it is given is
//! right, or it is given an error.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use sha2::{Digest, Sha256};

use super::Meta;
use crate::disk::ReadAt;
use crate::error::StoreError;

/// Bytes that one checksum covers. The last block may be shorter.
pub(crate) const BLOCK_BYTES: u64 = 16_384;

/// The CRC-32 of every block of a segment that is, as a whole, the file that was sealed.
pub(crate) fn checksums(file: &dyn ReadAt, meta: &Meta) -> Result<Vec<u32>, StoreError> {
    let path = meta.id.path();
    let mut whole = Sha256::new();
    let mut checksums = Vec::new();
    let mut at = 0;
    while at < meta.bytes {
        let block = read(file, at, BLOCK_BYTES.min(meta.bytes - at)).map_err(StoreError::io(&path))?;
        whole.update(&block);
        checksums.push(crc32fast::hash(&block));
        at += BLOCK_BYTES;
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

/// A file as the Parquet reader wants it.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    file: Arc<dyn ReadAt>,
    path: Arc<str>,
    len: u64,
    /// Empty where there is nothing to compare with.
    checksums: Arc<[u32]>,
    /// Why a read failed. Parquet's errors are texts; this one says what can be done about it.
    failure: Arc<Mutex<Option<StoreError>>>,
}

impl Blocks {
    pub(super) fn new(file: Arc<dyn ReadAt>, meta: &Meta, checksums: Arc<[u32]>) -> Blocks {
        Blocks { file, path: meta.id.path().into(), len: meta.bytes, checksums, failure: Arc::default() }
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

    fn bytes(&self, start: u64, len: usize) -> Result<Bytes, StoreError> {
        let end = start.checked_add(len as u64).filter(|end| *end <= self.len);
        let end = end.ok_or_else(|| StoreError::corrupt(&self.path, start, "it points behind its end"))?;
        if self.checksums.is_empty() {
            return read(&*self.file, start, end - start).map(Bytes::from).map_err(StoreError::io(&self.path));
        }
        let first = start / BLOCK_BYTES;
        let from = first * BLOCK_BYTES;
        let to = end.next_multiple_of(BLOCK_BYTES).min(self.len);
        let bytes = read(&*self.file, from, to - from).map_err(StoreError::io(&self.path))?;
        for (block, content) in (first..).zip(bytes.chunks(usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX))) {
            let wanted = usize::try_from(block).ok().and_then(|block| self.checksums.get(block));
            if wanted != Some(&crc32fast::hash(content)) {
                return Err(StoreError::corrupt(&self.path, block * BLOCK_BYTES, "a block has a wrong checksum"));
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
pub(super) struct Cursor {
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
