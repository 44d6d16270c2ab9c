//! In which rows the ids of senders, and of items of requests, stand: how a retry is recognized without keeping ids in memory.

use record::OrgId;
use sha2::{Digest, Sha256};

use crate::entry::Entry;
use crate::error::StoreError;
use crate::postings::{number, put_number};
use crate::segment::Blocks;

/// Bits of the Bloom filter for each id, and how many of them are set, all within 64 bytes: one false hit in seventy.
const BLOOM_BITS_PER_ID: usize = 10;
const BLOOM_PROBES: u32 = 6;
const BLOOM_BLOCK: usize = 64;
/// Ids in a bucket of the table, about.
const IDS_PER_BUCKET: usize = 48;

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

    /// What the table is sorted by, and all that it keeps.
    #[expect(clippy::cast_possible_truncation, reason = "the upper half of 64 bits")]
    fn upper(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Which of `count` equal stretches of all hashes it is in.
    fn bucket(self, count: u64) -> u64 {
        (u64::from(self.upper()) * count) >> 32
    }
}

/// Says for certain that an id is not there, or that it may be.
#[derive(Debug, Default)]
pub(crate) struct Bloom(Vec<u8>);

impl Bloom {
    pub(crate) fn of(bytes: Vec<u8>) -> Bloom {
        Bloom(bytes)
    }

    fn sized(ids: usize) -> Bloom {
        Bloom(vec![0; (ids * BLOOM_BITS_PER_ID).div_ceil(8).next_multiple_of(BLOOM_BLOCK)])
    }

    /// The 64 bytes that an id sets bits in, and which of their bits.
    fn place(&self, hash: IdHash) -> (usize, impl Iterator<Item = (usize, u8)> + use<>) {
        let blocks = (self.0.len() / BLOOM_BLOCK) as u64;
        let block = usize::try_from(hash.bucket(blocks)).unwrap_or(0) * BLOOM_BLOCK;
        let mixed = hash.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (0..BLOOM_PROBES).map(move |probe| ((mixed >> (9 * probe + 1)) & 511) as usize);
        (block, bits.map(|bit| (bit / 8, 1 << (bit % 8))))
    }

    fn insert(&mut self, hash: IdHash) {
        let (block, bits) = self.place(hash);
        if let Some(bytes) = self.0.get_mut(block..block + BLOOM_BLOCK) {
            for (at, mask) in bits {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte |= mask;
                }
            }
        }
    }

    pub(crate) fn may_have(&self, hash: IdHash) -> bool {
        let (block, mut bits) = self.place(hash);
        let bytes = self.0.get(block..block + BLOOM_BLOCK);
        bytes.is_some_and(|bytes| bits.all(|(at, mask)| bytes.get(at).is_some_and(|byte| byte & mask != 0)))
    }
}

/// The bytes of the Bloom filter and of the table.
pub(super) fn write(mut ids: Vec<(IdHash, u32)>) -> (Vec<u8>, Vec<u8>) {
    if ids.is_empty() {
        return (Vec::new(), Vec::new());
    }
    ids.sort_unstable();
    let mut bloom = Bloom::sized(ids.len());
    ids.iter().for_each(|(hash, _)| bloom.insert(*hash));
    let buckets = ids.len().div_ceil(IDS_PER_BUCKET) as u64;
    let mut table = Vec::with_capacity(ids.len() * 6);
    table.resize((usize::try_from(buckets).unwrap_or(0) + 1) * 4, 0);
    let mut rest = &*ids;
    for bucket in 0..=buckets {
        let start = u32::try_from(table.len()).unwrap_or(u32::MAX);
        let at = usize::try_from(bucket).unwrap_or(0) * 4;
        if let Some(place) = table.get_mut(at..at + 4) {
            place.copy_from_slice(&start.to_le_bytes());
        }
        let (inside, behind) = rest.split_at(rest.partition_point(|(hash, _)| hash.bucket(buckets) <= bucket));
        let mut before = 0;
        for (hash, row) in inside {
            put_number(&mut table, u64::from(hash.upper() - before));
            put_number(&mut table, u64::from(*row));
            before = hash.upper();
        }
        rest = behind;
    }
    (bloom.0, table)
}

/// The rows that an id may stand in, by the table that begins at `at`.
pub(super) fn rows(blocks: &Blocks, at: u64, table_bytes: u64, hash: IdHash) -> Result<Vec<u64>, StoreError> {
    let corrupt = || blocks.corrupt(at, "the table of ids is malformed");
    let start_of = |bytes: &[u8]| bytes.first_chunk().copied().map(u32::from_le_bytes).map(u64::from);
    // The first bucket begins behind the starts of all of them, which tells how many there are.
    let first = start_of(&blocks.read(at..at + 4)?).filter(|first| *first >= 8 && *first <= table_bytes);
    let buckets = first.ok_or_else(corrupt)? / 4 - 1;
    let place = at + hash.bucket(buckets) * 4;
    let bounds = blocks.read(place..place + 8)?;
    let (start, end) = start_of(&bytes_at(&bounds, 0)).zip(start_of(&bytes_at(&bounds, 4))).ok_or_else(corrupt)?;
    if start > end || end > table_bytes {
        return Err(corrupt());
    }
    let bucket = blocks.read(at + start..at + end)?;
    let mut input = &*bucket;
    let mut rows = Vec::new();
    let mut upper = 0;
    while !input.is_empty() {
        upper += number(&mut input).ok_or_else(corrupt)?;
        let row = number(&mut input).ok_or_else(corrupt)?;
        if upper == u64::from(hash.upper()) {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn bytes_at(bytes: &[u8], at: usize) -> Vec<u8> {
    bytes.get(at..at + 4).unwrap_or_default().to_vec()
}
