//! What is derived from a segment and kept beside it, so that it need not be read to be asked: the checksums of its blocks,
//! which senders' ids are in it (for retries), and a [`Part`] for each organization. Versioned, each block with a checksum,
//! made again when it is missing, outdated or damaged.

pub(crate) mod ids;

use std::borrow::Borrow;
use std::sync::{Arc, OnceLock};

use record::OrgId;

use crate::cache::Cache;
use crate::disk::{self, Disk};
use crate::entry::Entry;
use crate::error::StoreError;
use crate::files::Files;
use crate::part::Part;
use crate::part::build::PartBuilder;
use crate::segment::{BLOCK_BYTES, Blocks, DIR, Meta, SegmentId, Source};

use ids::Bloom;
pub(crate) use ids::IdHash;

const MAGIC: &[u8; 8] = b"ACTAIDX\0";
const VERSION: u32 = 3;
const HEADER_BYTES: usize = 104;
/// Bytes of a sidecar that one checksum covers.
const OWN_BLOCK_BYTES: u64 = 4_096;

/// The sidecar's bytes, made from a segment's entries in file order.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    rows: u32,
    ids: Vec<(IdHash, u32)>,
    parts: Vec<u8>,
    /// Where each part begins, and where the last ends.
    starts: Vec<u64>,
    part: Option<(OrgId, PartBuilder)>,
}

impl Builder {
    /// Adds the entry in the next row.
    pub(crate) fn add(&mut self, entry: &Entry) {
        if self.part.as_ref().is_none_or(|(org, _)| *org != entry.org) {
            self.end_part();
            self.starts.push(self.parts.len() as u64);
            self.part = Some((entry.org, PartBuilder::default()));
        }
        if let Some((_, part)) = &mut self.part {
            part.add(entry);
        }
        self.ids.extend(IdHash::of(entry).map(|hash| (hash, self.rows)));
        self.rows += 1;
    }

    /// Adds the rows of an organization whose part is there, or can be made from others.
    pub(crate) fn add_part(&mut self, make: impl FnOnce(&mut Vec<u8>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.end_part();
        self.starts.push(self.parts.len() as u64);
        make(&mut self.parts)
    }

    /// Adds a hash under which the entry in a row is to be found.
    pub(crate) fn add_id(&mut self, hash: IdHash, row: u32) {
        self.ids.push((hash, row));
    }

    fn end_part(&mut self) {
        if let Some((_, part)) = self.part.take() {
            part.finish(&mut self.parts);
        }
    }

    /// The file's bytes. `checksums` are those of the blocks of the segment.
    pub(crate) fn finish(mut self, meta: &Meta, checksums: &[u32]) -> Vec<u8> {
        self.end_part();
        self.starts.push(self.parts.len() as u64);
        let (bloom, ids) = ids::write(std::mem::take(&mut self.ids));
        let checksums: Vec<u8> = checksums.iter().flat_map(|crc| crc.to_le_bytes()).collect();
        let starts: Vec<u8> = self.starts.iter().flat_map(|start| start.to_le_bytes()).collect();
        let sections = [&checksums, &bloom, &ids, &starts, &self.parts];
        let mut out = header(meta);
        sections.iter().for_each(|section| out.extend((section.len() as u64).to_le_bytes()));
        out.extend(crc32fast::hash(&out).to_le_bytes());
        out.resize(HEADER_BYTES, 0);
        sections.iter().for_each(|section| out.extend(*section));
        let table: Vec<u8> = out
            .chunks(usize::try_from(OWN_BLOCK_BYTES).unwrap_or(usize::MAX))
            .flat_map(|block| crc32fast::hash(block).to_le_bytes())
            .collect();
        out.extend(&table);
        out.extend(crc32fast::hash(&table).to_le_bytes());
        out
    }
}

/// The sidecar's bytes for a segment: the checksums of its blocks, and its entries in file order.
pub(crate) fn build<E: Borrow<Entry>>(
    meta: &Meta,
    checksums: &[u32],
    entries: impl Iterator<Item = Result<E, StoreError>>,
) -> Result<Vec<u8>, StoreError> {
    let mut builder = Builder::default();
    for entry in entries {
        builder.add(entry?.borrow());
    }
    Ok(builder.finish(meta, checksums))
}

/// The beginning of the header: which format, made by which compressor, for which segment.
fn header(meta: &Meta) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    // Another version of the library may compress to other bytes.
    out.extend(zstd::zstd_safe::version_number().to_le_bytes());
    out.extend(meta.rows.to_le_bytes());
    // What distinguishes segments: the first half of the file's hash, as it stands in the manifest.
    let name = meta.sha256.as_bytes();
    out.extend((0..32).map(|at| name.get(at).copied().unwrap_or(0)));
    out
}

/// Puts a sidecar in its place. Only whole ones ever stand there.
pub(crate) fn put(disk: &dyn Disk, id: SegmentId, bytes: &[u8]) -> Result<(), StoreError> {
    let path = id.sidecar_path();
    let name = path.strip_prefix(DIR).and_then(|name| name.strip_prefix('/')).unwrap_or(&path);
    disk::replace(disk, DIR, name, bytes).map_err(StoreError::io(&path))
}

/// Whether a sidecar was made by another version.
pub(crate) fn is_outdated(bytes: &[u8]) -> bool {
    let small = |at: usize| bytes.get(at..at + 4).and_then(|n| n.try_into().ok()).map(u32::from_le_bytes);
    // The header of version 1 was shorter.
    let whole = |len: usize| bytes.get(..len).map(crc32fast::hash).is_some_and(|crc| small(len) == Some(crc));
    let (version, zstd) = (small(8), small(12));
    bytes.get(..8) == Some(MAGIC)
        && (version == Some(1) && whole(68)
            || version == Some(2) && whole(HEADER_LEN)
            || version == Some(VERSION) && whole(HEADER_LEN) && zstd != Some(zstd::zstd_safe::version_number()))
}

/// Bytes of the header before its checksum.
const HEADER_LEN: usize = 8 + 4 + 4 + 8 + 32 + 5 * 8;

/// A sidecar that is there. What it says is read when it is asked for.
#[derive(Debug)]
pub(crate) struct Sidecar {
    id: SegmentId,
    files: Arc<Files>,
    path: Box<str>,
    bytes: u64,
    /// Where each section begins, and where the last ends.
    starts: [u64; 6],
    blocks: OnceLock<Blocks>,
    checksums: OnceLock<Arc<[u32]>>,
    bloom: OnceLock<Bloom>,
}

const CHECKSUMS: usize = 0;
const BLOOM: usize = 1;
const IDS: usize = 2;
const STARTS: usize = 3;
const PARTS: usize = 4;

impl Sidecar {
    /// Opens the sidecar of a segment; `None` if it is missing, of another version, of another segment, or its header damaged.
    pub(crate) fn open(files: &Arc<Files>, meta: &Meta) -> Option<Sidecar> {
        let path = meta.id.sidecar_path();
        let file = files.disk.open(&path).ok()?;
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact_at(&mut bytes, 0).ok()?;
        let wanted = header(meta);
        let crc = bytes.get(HEADER_LEN..HEADER_LEN + 4)?.try_into().ok().map(u32::from_le_bytes)?;
        if bytes.get(..wanted.len())? != wanted || crc32fast::hash(bytes.get(..HEADER_LEN)?) != crc {
            return None;
        }
        let mut starts = [HEADER_BYTES as u64; 6];
        let mut at = HEADER_BYTES as u64;
        for (section, start) in starts.iter_mut().skip(1).enumerate() {
            let from = wanted.len() + section * 8;
            at = at.checked_add(u64::from_le_bytes(bytes.get(from..from + 8)?.try_into().ok()?))?;
            *start = at;
        }
        let table = at.div_ceil(OWN_BLOCK_BYTES) * 4 + 4;
        let len = file.len().ok()?;
        // A checksum for each block of the segment, and the table of its own checksums behind everything.
        let fits = starts.get(1)? - starts.first()? == meta.bytes.div_ceil(BLOCK_BYTES) * 4 && len == at + table;
        fits.then(|| Sidecar {
            id: meta.id,
            files: files.clone(),
            path: path.into(),
            bytes: len,
            starts,
            blocks: OnceLock::new(),
            checksums: OnceLock::new(),
            bloom: OnceLock::new(),
        })
    }

    /// Its length in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn start(&self, section: usize) -> u64 {
        self.starts.get(section).copied().unwrap_or(0)
    }

    /// Its bytes, compared with the checksums at its end.
    fn blocks(&self) -> Result<&Blocks, StoreError> {
        if let Some(blocks) = self.blocks.get() {
            return Ok(blocks);
        }
        let end = self.start(5);
        let corrupt = || StoreError::corrupt(&self.path, end, "the table of checksums is damaged");
        let mut table = vec![0; usize::try_from(self.bytes - end).map_err(|_| corrupt())?];
        let file = self.files.get(&self.path).map_err(StoreError::io(&self.path))?;
        file.read_exact_at(&mut table, end).map_err(StoreError::io(&self.path))?;
        let (table, crc) = table.split_last_chunk().ok_or_else(corrupt)?;
        if crc32fast::hash(table) != u32::from_le_bytes(*crc) {
            return Err(corrupt());
        }
        let checksums = table.chunks_exact(4).filter_map(|crc| crc.try_into().ok()).map(u32::from_le_bytes).collect();
        let blocks = Blocks::new(Source::Listed(self.files.clone()), &self.path, end, OWN_BLOCK_BYTES, checksums);
        Ok(self.blocks.get_or_init(|| blocks))
    }

    /// The checksums of the segment's blocks.
    pub(crate) fn checksums(&self) -> Result<Arc<[u32]>, StoreError> {
        if let Some(checksums) = self.checksums.get() {
            return Ok(checksums.clone());
        }
        let bytes = self.blocks()?.read(self.start(CHECKSUMS)..self.start(BLOOM))?;
        let checksums: Arc<[u32]> =
            bytes.chunks_exact(4).filter_map(|crc| crc.try_into().ok()).map(u32::from_le_bytes).collect();
        Ok(self.checksums.get_or_init(|| checksums).clone())
    }

    /// The rows that an id may stand in.
    pub(crate) fn rows(&self, hash: IdHash) -> Result<Vec<u64>, StoreError> {
        let (bloom_at, at, end) = (self.start(BLOOM), self.start(IDS), self.start(STARTS));
        if at == end {
            return Ok(Vec::new());
        }
        let bloom = match self.bloom.get() {
            Some(bloom) => bloom,
            None => {
                let bytes = self.blocks()?.read(bloom_at..at)?;
                self.bloom.get_or_init(|| Bloom::of(bytes.to_vec()))
            }
        };
        if bloom.may_have(hash) { ids::rows(self.blocks()?, at, end - at, hash) } else { Ok(Vec::new()) }
    }

    /// The part of the organization that is the `number`th in the segment.
    pub(crate) fn part(&self, number: usize, cache: &Arc<Cache>) -> Result<Part, StoreError> {
        let blocks = self.blocks()?;
        let at = self.start(STARTS) + number as u64 * 8;
        let bytes = blocks.read(at..at + 16)?;
        let bound = |at: usize| bytes.get(at..at + 8).and_then(|n| n.try_into().ok()).map_or(0, u64::from_le_bytes);
        let (start, end) = (self.start(PARTS) + bound(0), self.start(PARTS) + bound(8));
        Part::open(self.id, cache.clone(), blocks.clone(), start..end)
    }
}
