//! What is derived from a segment and kept beside it, so that it need not be read to be asked: the checksums of its blocks, which
//! senders' ids are in it (for retries), and which values occur (for filters). Versioned, checksummed, made again when it is
//! missing.

use std::borrow::Borrow;
use std::sync::Arc;

use record::{Catalogs, OrgId};
use sha2::{Digest, Sha256};

use crate::disk::{self, Disk, ReadAt};
use crate::entry::Entry;
use crate::error::StoreError;
use crate::segment::{BLOCK_BYTES, DIR, Meta, SegmentId};
use crate::values::Tally;

const MAGIC: &[u8; 8] = b"ACTAIDX\0";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 72;
const ID_BYTES: usize = 12;
/// Bits of the Bloom filter for each id, and how many of them are set: one false hit in a hundred.
const BLOOM_BITS_PER_ID: usize = 10;
const BLOOM_PROBES: u64 = 7;

/// The first eight bytes of a SHA-256 over organization, sort and text: how ids are found without being kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IdHash(u64);

impl IdHash {
    fn new(org: OrgId, sort: u8, text: &[u8]) -> IdHash {
        let hash: [u8; 32] =
            Sha256::new().chain_update(org.0.to_le_bytes()).chain_update([sort]).chain_update(text).finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = hash;
        IdHash(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    /// Of the sender's own id.
    pub(crate) fn of_id(org: OrgId, id: &str) -> IdHash {
        IdHash::new(org, b'i', id.as_bytes())
    }

    /// Of an item of a request with an idempotency key.
    pub(crate) fn of_item(org: OrgId, item: &[u8; 16]) -> IdHash {
        IdHash::new(org, b'k', item)
    }

    /// Every hash under which an entry is to be found.
    pub(crate) fn of(entry: &Entry) -> impl Iterator<Item = IdHash> {
        let id = entry.event.id.as_deref().map(|id| IdHash::of_id(entry.org, id));
        let request = entry.request.as_ref().map(|request| IdHash::of_item(entry.org, &request.item));
        id.into_iter().chain(request)
    }
}

/// A sidecar that is open: checksums and Bloom filter in memory, the rest on disk.
#[derive(Debug, Default)]
pub(crate) struct Sidecar {
    file: Option<Arc<dyn ReadAt>>,
    /// Of the segment's blocks.
    pub(crate) checksums: Arc<[u32]>,
    bloom: Bloom,
    ids: u64,
    /// Where they begin.
    ids_at: u64,
    values_bytes: u64,
    values_crc: u32,
}

#[derive(Debug, Default)]
struct Bloom(Vec<u8>);

impl Bloom {
    fn bits(&self) -> u64 {
        self.0.len() as u64 * 8
    }

    fn places(&self, hash: IdHash) -> impl Iterator<Item = (usize, u8)> {
        let bits = self.bits().max(1);
        let step = (hash.0 >> 17) | 1;
        (0..BLOOM_PROBES).map(move |probe| {
            let bit = hash.0.wrapping_add(probe.wrapping_mul(step)) % bits;
            ((bit / 8) as usize, 1 << (bit % 8))
        })
    }

    fn insert(&mut self, hash: IdHash) {
        for (at, mask) in self.places(hash).collect::<Vec<_>>() {
            if let Some(byte) = self.0.get_mut(at) {
                *byte |= mask;
            }
        }
    }

    fn may_have(&self, hash: IdHash) -> bool {
        !self.0.is_empty() && self.places(hash).all(|(at, mask)| self.0.get(at).is_some_and(|byte| byte & mask != 0))
    }
}

/// The sidecar's bytes for a segment: the checksums of its blocks, and its entries in file order.
pub(crate) fn build<E: Borrow<Entry>>(
    checksums: &[u32],
    entries: impl Iterator<Item = Result<E, StoreError>>,
) -> Result<Vec<u8>, StoreError> {
    let mut ids: Vec<(IdHash, u32)> = Vec::new();
    let mut tally = Tally::default();
    let mut rows = 0_u32;
    for entry in entries {
        let entry = entry?;
        let entry = entry.borrow();
        ids.extend(IdHash::of(entry).map(|hash| (hash, rows)));
        tally.add(entry.org, &entry.event);
        rows += 1;
    }
    ids.sort_unstable();
    let mut bloom = Bloom(vec![0; (ids.len() * BLOOM_BITS_PER_ID).div_ceil(8)]);
    ids.iter().for_each(|(hash, _)| bloom.insert(*hash));
    let values = tally.to_json().map_err(|e| StoreError::corrupt(DIR, 0, e.to_string()))?;
    let checksums: Vec<u8> = checksums.iter().flat_map(|crc| crc.to_le_bytes()).collect();
    let ids_bytes: Vec<u8> =
        ids.iter().flat_map(|(hash, row)| [&hash.0.to_le_bytes()[..], &row.to_le_bytes()].concat()).collect();

    let mut out = Vec::with_capacity(HEADER_BYTES + bloom.0.len() + ids_bytes.len() + values.len());
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend(catalogs_crc().to_le_bytes());
    out.extend(u64::from(rows).to_le_bytes());
    for section in [&checksums, &bloom.0, &ids_bytes, &values] {
        out.extend((section.len() as u64).to_le_bytes());
    }
    for section in [&checksums, &bloom.0, &values] {
        out.extend(crc32fast::hash(section).to_le_bytes());
    }
    out.extend(crc32fast::hash(&out).to_le_bytes());
    debug_assert_eq!(out.len(), HEADER_BYTES);
    out.extend([checksums, bloom.0, ids_bytes, values].concat());
    Ok(out)
}

/// Makes a sidecar durable. If we crash before, it is made again at the next start.
pub(crate) fn put(disk: &dyn Disk, id: SegmentId, bytes: &[u8]) -> Result<(), StoreError> {
    let path = id.sidecar_path();
    let name = path.rsplit('/').next().unwrap_or_default();
    disk::replace(disk, DIR, name, bytes).map_err(StoreError::io(&path))
}

/// A mark of the catalogs in force; a sidecar made under others tells apart wrongly what a team may see, and is made again.
fn catalogs_crc() -> u32 {
    let names: Vec<String> =
        Catalogs::built_in().all().iter().map(|catalog| format!("{}={}", catalog.name, catalog.version)).collect();
    crc32fast::hash(names.join(",").as_bytes())
}

/// Whether a sidecar was made by another version, or under other catalogs.
pub(crate) fn is_outdated(bytes: &[u8]) -> bool {
    let made_now = [&VERSION.to_le_bytes()[..], &catalogs_crc().to_le_bytes()].concat();
    let header = bytes.get(..HEADER_BYTES - 4).map(crc32fast::hash);
    let right = header.is_some()
        && header == bytes.get(HEADER_BYTES - 4..HEADER_BYTES).and_then(|crc| crc.try_into().ok()).map(u32::from_le_bytes);
    right && bytes.get(8..16) != Some(&made_now)
}

impl Sidecar {
    /// Opens the sidecar of a segment; `None` if it is missing, damaged, of another version or of other catalogs.
    pub(crate) fn open(disk: &dyn Disk, meta: &Meta) -> Option<Sidecar> {
        let file = disk.open(&meta.id.sidecar_path()).ok()?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).ok()?;
        let number = |at: usize| Some(u64::from_le_bytes(header.get(at..at + 8)?.try_into().ok()?));
        let small = |at: usize| Some(u32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?));
        let right = header.get(..8)? == MAGIC
            && small(68)? == crc32fast::hash(header.get(..68)?)
            && small(8)? == VERSION
            && small(12)? == catalogs_crc()
            && number(16)? == meta.rows;
        let (checksums, bloom, ids, values) = (number(24)?, number(32)?, number(40)?, number(48)?);
        let bloom_at = (HEADER_BYTES as u64).checked_add(checksums)?;
        let ids_at = bloom_at.checked_add(bloom)?;
        let len = ids_at.checked_add(ids)?.checked_add(values)?;
        if !right || file.len().ok()? != len {
            return None;
        }
        let read = |at: u64, len: u64, crc: u32| {
            let mut bytes = vec![0; usize::try_from(len).ok()?];
            file.read_exact_at(&mut bytes, at).ok()?;
            (crc32fast::hash(&bytes) == crc).then_some(bytes)
        };
        let checksums = read(HEADER_BYTES as u64, checksums, small(56)?)?;
        let bloom = Bloom(read(bloom_at, bloom, small(60)?)?);
        let values_crc = small(64)?;
        let checksums: Arc<[u32]> =
            checksums.chunks_exact(4).filter_map(|crc| crc.try_into().ok()).map(u32::from_le_bytes).collect();
        // One for each block: otherwise it is another segment's.
        if checksums.len() as u64 != meta.bytes.div_ceil(BLOCK_BYTES) {
            return None;
        }
        let ids = ids / ID_BYTES as u64;
        Some(Sidecar { file: Some(file), checksums, bloom, ids, ids_at, values_bytes: values, values_crc })
    }

    /// The rows that an id may stand in. Usually none, without a look at the disk.
    pub(crate) fn rows(&self, hash: IdHash) -> std::io::Result<Vec<u64>> {
        let mut rows = Vec::new();
        let Some(file) = self.file.as_ref().filter(|_| self.bloom.may_have(hash)) else { return Ok(rows) };
        let (mut low, mut high) = (0, self.ids);
        while low < high {
            let middle = (low + high) / 2;
            if self.id(file, middle)?.0 < hash { low = middle + 1 } else { high = middle }
        }
        while low < self.ids {
            let (found, row) = self.id(file, low)?;
            if found != hash {
                break;
            }
            rows.push(u64::from(row));
            low += 1;
        }
        Ok(rows)
    }

    fn id(&self, file: &Arc<dyn ReadAt>, at: u64) -> std::io::Result<(IdHash, u32)> {
        let mut bytes = [0; ID_BYTES];
        file.read_exact_at(&mut bytes, self.ids_at + at * ID_BYTES as u64)?;
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        Ok((IdHash(u64::from_le_bytes([a, b, c, d, e, f, g, h])), u32::from_le_bytes([i, j, k, l])))
    }

    /// The values that occur in the segment.
    pub(crate) fn tally(&self, id: SegmentId) -> Result<Tally, StoreError> {
        let path = id.sidecar_path();
        let Some(file) = &self.file else { return Ok(Tally::default()) };
        let start = self.ids_at + self.ids * ID_BYTES as u64;
        let mut bytes = vec![0; usize::try_from(self.values_bytes).unwrap_or(0)];
        file.read_exact_at(&mut bytes, start).map_err(StoreError::io(&path))?;
        if crc32fast::hash(&bytes) != self.values_crc {
            return Err(StoreError::corrupt(&path, start, "the values have a wrong checksum"));
        }
        Tally::from_json(&bytes).map_err(|e| StoreError::corrupt(&path, start, e.to_string()))
    }
}
