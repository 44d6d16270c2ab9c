//! When the events of a part occurred, and in which row each stands.
//!
//! Both are kept in blocks of 256 positions: a directory has the first number of each block, and where its rest lies.

use std::ops::Range;
use std::sync::Arc;

use super::{Part, ROWS, ROWS_DIRECTORY, TIMES, TIMES_DIRECTORY};
use crate::bits::Bits;
use crate::error::StoreError;
use crate::postings::{BitReader, BitWriter, best_low_bits};

/// Positions in a block.
const BLOCK: usize = BLOCK_POSITIONS as usize;
const BLOCK_POSITIONS: u32 = 256;

/// The first number of each block, and where the block's rest begins; and where the last ends.
type Directory = Vec<(i64, u32)>;

/// A block that was read, so that the next position near it need not be.
#[derive(Debug, Default)]
pub(crate) struct Near {
    times: Option<(u32, Vec<i64>)>,
    rows: Option<(u32, Vec<i64>)>,
}

/// The two sections for some numbers.
pub(crate) fn write(numbers: &[i64]) -> (Vec<u8>, Vec<u8>) {
    let (mut directory, mut data) = (Vec::new(), Vec::new());
    for block in numbers.chunks(BLOCK) {
        let first = block.first().copied().unwrap_or(0);
        directory.extend(first.to_le_bytes());
        directory.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
        let gaps: Vec<u64> =
            block.iter().zip(block.iter().skip(1)).map(|(a, b)| zigzag(b.wrapping_sub(*a).wrapping_sub(1))).collect();
        let low = best_low_bits(&gaps);
        data.push(low);
        let mut bits = BitWriter::new(&mut data);
        gaps.iter().for_each(|gap| bits.rice(*gap, low));
        bits.finish();
    }
    directory.extend([0; 8]);
    directory.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    (directory, data)
}

#[expect(clippy::cast_sign_loss, reason = "the bits are meant")]
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

#[expect(clippy::cast_possible_wrap, reason = "the bits are meant")]
fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn read_block(first: i64, len: usize, bytes: &[u8]) -> Option<Vec<i64>> {
    let (low, rest) = bytes.split_first()?;
    let mut bits = BitReader::new(rest);
    let mut numbers = Vec::with_capacity(len);
    let mut last = first;
    numbers.push(last);
    for _ in 1..len {
        last = last.wrapping_add(unzigzag(bits.rice(*low)?)).wrapping_add(1);
        numbers.push(last);
    }
    Some(numbers)
}

impl Part {
    fn directory(&self, section: usize, sort: u8) -> Result<Arc<Directory>, StoreError> {
        self.piece(sort, || {
            let bytes = self.blocks.read(self.section(section))?;
            let entry = |entry: &[u8]| {
                let (first, at) = entry.split_first_chunk()?;
                Some((i64::from_le_bytes(*first), u32::from_le_bytes(at.try_into().ok()?)))
            };
            let directory: Directory = bytes.chunks_exact(12).filter_map(entry).collect();
            let size = directory.len() * 16;
            Ok((directory, size))
        })
    }

    fn block(&self, directory: &Directory, section: usize, block: u32) -> Result<Vec<i64>, StoreError> {
        let at = block as usize;
        let (Some(&(first, start)), Some(&(_, end))) = (directory.get(at), directory.get(at + 1)) else {
            return Err(self.corrupt("a directory is too short"));
        };
        let data = self.section(section).start;
        let len = (self.rows() as usize).saturating_sub(at * BLOCK).min(BLOCK);
        let bytes = self.blocks.read(data + u64::from(start)..data + u64::from(end))?;
        read_block(first, len, &bytes).ok_or_else(|| self.corrupt("a block of numbers is malformed"))
    }

    fn numbers(&self, directory: usize, section: usize, sort: u8) -> Result<Vec<i64>, StoreError> {
        let directory = self.directory(directory, sort)?;
        let mut numbers = Vec::with_capacity(self.rows() as usize);
        for block in 0..self.rows().div_ceil(BLOCK_POSITIONS) {
            numbers.extend(self.block(&directory, section, block)?);
        }
        Ok(numbers)
    }

    /// When the event at each position occurred.
    pub(super) fn all_times(&self) -> Result<Vec<i64>, StoreError> {
        self.numbers(TIMES_DIRECTORY, TIMES, b't')
    }

    /// The row of each position.
    pub(super) fn all_rows(&self) -> Result<Vec<u32>, StoreError> {
        if self.in_order() {
            return Ok((0..self.rows()).collect());
        }
        let rows = self.numbers(ROWS_DIRECTORY, ROWS, b'r')?;
        let row = |row| u32::try_from(row).ok().filter(|row| *row < self.rows());
        rows.into_iter().map(row).collect::<Option<_>>().ok_or_else(|| self.corrupt("a row is no row"))
    }

    /// Whether rows are positions.
    fn in_order(&self) -> bool {
        self.section(ROWS_DIRECTORY).is_empty()
    }

    /// When the event at a position occurred.
    pub(crate) fn time(&self, at: u32, near: &mut Near) -> Result<i64, StoreError> {
        self.number(TIMES_DIRECTORY, TIMES, b't', at, &mut near.times)
    }

    /// In which row it stands, counted within the part.
    pub(crate) fn row(&self, at: u32, near: &mut Near) -> Result<u32, StoreError> {
        if self.in_order() {
            return Ok(at);
        }
        let row = self.number(ROWS_DIRECTORY, ROWS, b'r', at, &mut near.rows)?;
        u32::try_from(row).map_err(|_| self.corrupt("a row is no row"))
    }

    fn number(
        &self,
        directory: usize,
        section: usize,
        sort: u8,
        at: u32,
        near: &mut Option<(u32, Vec<i64>)>,
    ) -> Result<i64, StoreError> {
        let block = at / BLOCK_POSITIONS;
        if near.as_ref().is_none_or(|(held, _)| *held != block) {
            *near = Some((block, self.block(&*self.directory(directory, sort)?, section, block)?));
        }
        let found = near.as_ref().and_then(|(_, numbers)| numbers.get(at as usize % BLOCK).copied());
        found.ok_or_else(|| self.corrupt("a position is behind the end"))
    }

    /// The first position that did not occur before this time.
    pub(crate) fn first_from(&self, time: i64) -> Result<u32, StoreError> {
        let directory = self.directory(TIMES_DIRECTORY, b't')?;
        let blocks = directory.len().saturating_sub(1);
        let firsts = directory.get(..blocks).unwrap_or_default();
        // The block before the first that begins at this time or later.
        let Some(block) = firsts.partition_point(|(first, _)| *first < time).checked_sub(1) else { return Ok(0) };
        let block = u32::try_from(block).unwrap_or(u32::MAX);
        let times = self.block(&directory, TIMES, block)?;
        let inside = times.partition_point(|its| *its < time);
        Ok(block * BLOCK_POSITIONS + u32::try_from(inside).unwrap_or(0))
    }

    /// The positions that occurred from the first time to the last, both included.
    pub(crate) fn between(&self, from: Option<i64>, to: Option<i64>) -> Result<Range<u32>, StoreError> {
        let start = from.map_or(Ok(0), |from| self.first_from(from))?;
        let end = match to.map(|to| to.checked_add(1)) {
            None | Some(None) => self.rows(),
            Some(Some(after)) => self.first_from(after)?,
        };
        Ok(start..end.max(start))
    }

    /// The rows of these positions.
    pub(crate) fn rows_of(&self, positions: &Bits) -> Result<Bits, StoreError> {
        if self.in_order() {
            return Ok(positions.clone());
        }
        let mut rows = Bits::none(self.rows());
        let mut near = Near::default();
        for at in positions.iter() {
            rows.insert(self.row(at, &mut near)?);
        }
        Ok(rows)
    }

    /// The positions of a range of rows.
    pub(crate) fn positions_of(&self, rows: &Range<u32>) -> Result<Bits, StoreError> {
        if self.in_order() || rows.len() == self.rows() as usize {
            return Ok(Bits::range(self.rows(), rows.clone()));
        }
        let mut positions = Bits::none(self.rows());
        let mut near = Near::default();
        for at in 0..self.rows() {
            if rows.contains(&self.row(at, &mut near)?) {
                positions.insert(at);
            }
        }
        Ok(positions)
    }

    /// How many positions come before a time and a row, in the order of positions.
    pub(crate) fn before(&self, time: i64, row: u32) -> Result<u32, StoreError> {
        let (mut low, mut high) = (self.first_from(time)?, self.between(None, Some(time))?.end);
        let mut near = Near::default();
        while low < high {
            let middle = low + (high - low) / 2;
            if self.row(middle, &mut near)? < row { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_block_reads_as_it_was_written(numbers in prop::collection::vec(any::<i64>().prop_map(|n| n >> 20), 1..300)) {
            let (directory, data) = write(&numbers);
            let mut read = Vec::new();
            for (block, entry) in directory.chunks_exact(12).take(numbers.len().div_ceil(BLOCK)).enumerate() {
                let first = i64::from_le_bytes(entry[..8].try_into().unwrap());
                let at = u32::from_le_bytes(entry[8..].try_into().unwrap()) as usize;
                read.extend(read_block(first, (numbers.len() - block * BLOCK).min(BLOCK), &data[at..]).unwrap());
            }
            prop_assert_eq!(read, numbers);
        }
    }
}
