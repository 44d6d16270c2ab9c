//! What is known of one organization's events in a segment without reading them: which values occur, and where.
//!
//! **Positions.** Everything in here is told by position: an event's rank among the part's events by `occurred_at`, then index.
//! So a stretch of time is a range of positions, the newest events are the highest positions, and both a page far back and a
//! count between two times are counting of bits. Where events came in the order in which they occurred, positions are rows;
//! where not, a table says which row each position is.
//!
//! A part is read lazily, section by section, and what was read is kept in the store's cache. FORMATS.md has the grammar.

pub(crate) mod build;
mod dictionary;
mod field;
pub(crate) mod merge;
mod times;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
pub(crate) use dictionary::{Dictionary, member};
pub(crate) use field::{Field, OPAQUE, PRESENT};
pub(crate) use times::Near;

use crate::bits::Bits;
use crate::cache::{Cache, Piece};
use crate::error::StoreError;
use crate::postings::{self, number};
use crate::segment::{Blocks, SegmentId};
use crate::tokens::Grams;

/// Sections: times and their directory, rows and theirs, marks; then two for each field and one for each text field.
const SECTIONS: usize = 5 + 2 * Field::ALL.len() + 3;
const TIMES_DIRECTORY: usize = 0;
const TIMES: usize = 1;
const ROWS_DIRECTORY: usize = 2;
const ROWS: usize = 3;
const MARKS: usize = 4;
/// More bytes than this the head of a part never has.
const HEAD_BYTES_MAX: u64 = (1 + SECTIONS as u64) * 5;
/// Rows for each of which the beginning of an event id is kept.
pub(crate) const MARK_ROWS: u32 = 512;
/// Above so many lists of one field, they are read in one go.
const LISTS_ONE_BY_ONE: usize = 24;

/// One organization's part of a sidecar.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    segment: SegmentId,
    cache: Arc<Cache>,
    blocks: Blocks,
    /// Where it begins in the file.
    at: u64,
    head: Arc<Head>,
}

#[derive(Debug)]
struct Head {
    rows: u32,
    sections: Vec<Range<u64>>,
}

/// Numbers, each in as few bytes as the greatest needs.
#[derive(Debug)]
enum Numbers {
    Bytes(Vec<u8>),
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Numbers {
    fn zeros(len: usize, greatest: usize) -> Numbers {
        match greatest {
            0..=0xff => Numbers::Bytes(vec![0; len]),
            0x100..=0xffff => Numbers::Narrow(vec![0; len]),
            _ => Numbers::Wide(vec![0; len]),
        }
    }

    fn get(&self, at: usize) -> usize {
        match self {
            Numbers::Bytes(numbers) => numbers.get(at).map_or(0, |number| usize::from(*number)),
            Numbers::Narrow(numbers) => numbers.get(at).map_or(0, |number| usize::from(*number)),
            Numbers::Wide(numbers) => numbers.get(at).map_or(0, |number| *number as usize),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "no number is greater than the greatest")]
    fn set(&mut self, at: usize, number: usize) {
        match self {
            Numbers::Bytes(numbers) => numbers.get_mut(at).map(|place| *place = number as u8),
            Numbers::Narrow(numbers) => numbers.get_mut(at).map(|place| *place = number as u16),
            Numbers::Wide(numbers) => numbers.get_mut(at).map(|place| *place = number as u32),
        };
    }

    fn bytes(&self) -> usize {
        match self {
            Numbers::Bytes(numbers) => numbers.len(),
            Numbers::Narrow(numbers) => numbers.len() * 2,
            Numbers::Wide(numbers) => numbers.len() * 4,
        }
    }
}

/// The value of each position in a field that has at most one, as numbers of the field's dictionary plus one; 0 for none.
#[derive(Debug)]
pub(crate) struct Forward(Numbers);

impl Forward {
    pub(crate) fn get(&self, at: u32) -> Option<usize> {
        self.0.get(at as usize).checked_sub(1)
    }
}

/// Positions for each of which it is kept where the targets begin.
const TARGETS_BLOCK: usize = 64;

/// The targets of each position, as numbers of the dictionary.
#[derive(Debug)]
pub(crate) struct Targets {
    /// Where those of each block of positions begin.
    starts: Vec<u32>,
    /// How many each position has.
    counts: Numbers,
    values: Numbers,
}

impl Targets {
    pub(crate) fn of(&self, at: u32) -> impl Iterator<Item = usize> + '_ {
        let at = at as usize;
        let block = at / TARGETS_BLOCK;
        let start = self.starts.get(block).map_or(0, |start| *start as usize);
        let start = start + (block * TARGETS_BLOCK..at).map(|at| self.counts.get(at)).sum::<usize>();
        (start..start + self.counts.get(at)).map(|at| self.values.get(at))
    }
}

impl Part {
    /// The part that stands in these bytes of a sidecar.
    pub(crate) fn open(
        segment: SegmentId,
        cache: Arc<Cache>,
        blocks: Blocks,
        range: Range<u64>,
    ) -> Result<Part, StoreError> {
        let head = cache.piece(Piece { segment, sort: b'h', at: range.start }, || {
            let bytes = blocks.read(range.start..range.end.min(range.start + HEAD_BYTES_MAX))?;
            let mut input = &*bytes;
            let mut sections = Vec::with_capacity(SECTIONS);
            let rows = number(&mut input).and_then(|rows| u32::try_from(rows).ok());
            let mut at = 0;
            for _ in 0..SECTIONS {
                let len =
                    number(&mut input).ok_or_else(|| blocks.corrupt(range.start, "the head of a part is cut short"))?;
                sections.push(at..at + len);
                at += len;
            }
            let start = range.start + (bytes.len() - input.len()) as u64;
            let sections = sections.into_iter().map(|it| it.start + start..it.end + start).collect();
            let rows = rows.filter(|_| start + at == range.end);
            let rows = rows.ok_or_else(|| blocks.corrupt(range.start, "a part has another length than its sections"))?;
            Ok((Head { rows, sections }, 32 * SECTIONS))
        })?;
        Ok(Part { segment, cache, blocks, at: range.start, head })
    }

    /// How many events it has.
    pub(crate) fn rows(&self) -> u32 {
        self.head.rows
    }

    fn section(&self, section: usize) -> Range<u64> {
        self.head.sections.get(section).cloned().unwrap_or_default()
    }

    fn corrupt(&self, what: &str) -> StoreError {
        self.blocks.corrupt(self.at, what)
    }

    fn piece<T: Send + Sync + 'static>(
        &self,
        sort: u8,
        make: impl FnOnce() -> Result<(T, usize), StoreError>,
    ) -> Result<Arc<T>, StoreError> {
        self.cache.piece(Piece { segment: self.segment, sort, at: self.at }, make)
    }

    /// The values of a field.
    pub(crate) fn dictionary(&self, field: Field) -> Result<Arc<Dictionary>, StoreError> {
        self.piece(field as u8, || {
            let bytes = self.blocks.read(self.section(field.dictionary()))?;
            let dictionary = Dictionary::read(&bytes, field.is_text());
            let dictionary = dictionary.ok_or_else(|| self.corrupt("a dictionary is malformed"))?;
            let size = dictionary.bytes();
            Ok((dictionary, size))
        })
    }

    /// The values of a field and their lists, for once.
    fn uncached(&self, field: Field) -> Result<(Dictionary, Bytes), StoreError> {
        let dictionary = Dictionary::read(&self.blocks.read(self.section(field.dictionary()))?, field.is_text());
        let dictionary = dictionary.ok_or_else(|| self.corrupt("a dictionary is malformed"))?;
        Ok((dictionary, self.blocks.read(self.section(field.lists()))?))
    }

    /// Adds the positions of some of a field's values, given ascending, to a set.
    pub(crate) fn or_values(&self, field: Field, values: &[usize], set: &mut Bits) -> Result<(), StoreError> {
        if values.is_empty() {
            return Ok(());
        }
        let dictionary = self.dictionary(field)?;
        let lists = self.section(field.lists());
        let whole = if values.len() > LISTS_ONE_BY_ONE { Some(self.blocks.read(lists.clone())?) } else { None };
        for &value in values {
            let Some(entry) = dictionary.entry(value) else { continue };
            let read = match &whole {
                Some(whole) => postings::decode_into(whole.get(entry.list).unwrap_or_default(), entry.count, set),
                None => {
                    let (start, end) = (lists.start + entry.list.start as u64, lists.start + entry.list.end as u64);
                    postings::decode_into(&self.blocks.read(start..end)?, entry.count, set)
                }
            };
            read.ok_or_else(|| self.corrupt("a list is malformed"))?;
        }
        Ok(())
    }

    /// Calls `each` with the number of a value and each position that has it, for all values that are wanted.
    pub(crate) fn each_position(
        &self,
        field: Field,
        wanted: impl Fn(usize) -> bool,
        mut each: impl FnMut(usize, u32),
    ) -> Result<(), StoreError> {
        let dictionary = self.dictionary(field)?;
        let lists = self.blocks.read(self.section(field.lists()))?;
        for value in (0..dictionary.len()).filter(|value| wanted(*value)) {
            let Some(entry) = dictionary.entry(value) else { continue };
            let list = lists.get(entry.list).unwrap_or_default();
            postings::decode(list, entry.count, self.rows(), |at| each(value, at))
                .ok_or_else(|| self.corrupt("a list is malformed"))?;
        }
        Ok(())
    }

    /// The values of a field that has one at most, by position.
    pub(crate) fn forward(&self, field: Field) -> Result<Arc<Forward>, StoreError> {
        self.piece(0x40 | field as u8, || {
            let mut values = Numbers::zeros(self.rows() as usize, self.dictionary(field)?.len());
            self.each_position(field, |_| true, |value, at| values.set(at as usize, value + 1))?;
            let size = values.bytes();
            Ok((Forward(values), size))
        })
    }

    /// How often each value of a field that has one at most occurs in a set of positions, or in all.
    pub(crate) fn counts(&self, field: Field, set: Option<&Bits>) -> Result<Vec<u64>, StoreError> {
        let dictionary = self.dictionary(field)?;
        let Some(set) = set else {
            return Ok((0..dictionary.len()).map(|value| u64::from(dictionary.count(value))).collect());
        };
        let forward = self.forward(field)?;
        let mut counts = vec![0; dictionary.len()];
        for at in set.iter() {
            if let Some(count) = forward.get(at).and_then(|value| counts.get_mut(value)) {
                *count += 1;
            }
        }
        Ok(counts)
    }

    /// The targets of each position.
    pub(crate) fn targets(&self) -> Result<Arc<Targets>, StoreError> {
        self.piece(0x40 | Field::Target as u8, || {
            let rows = self.rows() as usize;
            // First how many each has, then which.
            let mut sums = vec![0_u32; rows];
            let mut most = 0;
            self.each_position(
                Field::Target,
                |_| true,
                |_, at| {
                    if let Some(sum) = sums.get_mut(at as usize) {
                        *sum += 1;
                        most = most.max(*sum);
                    }
                },
            )?;
            let mut counts = Numbers::zeros(rows, most as usize);
            let mut starts = Vec::with_capacity(rows / TARGETS_BLOCK + 1);
            let mut next = 0;
            for (at, sum) in sums.iter_mut().enumerate() {
                if at.is_multiple_of(TARGETS_BLOCK) {
                    starts.push(next);
                }
                counts.set(at, *sum as usize);
                next += std::mem::replace(sum, next);
            }
            let mut values = Numbers::zeros(next as usize, self.dictionary(Field::Target)?.len());
            self.each_position(
                Field::Target,
                |_| true,
                |value, at| {
                    if let Some(place) = sums.get_mut(at as usize) {
                        values.set(*place as usize, value);
                        *place += 1;
                    }
                },
            )?;
            let size = starts.len() * 4 + counts.bytes() + values.bytes();
            Ok((Targets { starts, counts, values }, size))
        })
    }

    /// What sequences of letters occur in tokens that have no list; `None` where that is not known, and anything may.
    pub(crate) fn grams(&self, field: Field) -> Result<Option<Arc<Grams>>, StoreError> {
        let Some(section) = field.grams() else { return Ok(None) };
        let range = self.section(section);
        if range.is_empty() {
            return Ok(None);
        }
        let grams = self.piece(0x80 | field as u8, || {
            let bytes = self.blocks.read(range)?;
            let grams = dictionary::unpack(&mut &*bytes).and_then(|bytes| Grams::read(&bytes));
            Ok((grams.ok_or_else(|| self.corrupt("a set of letters is malformed"))?, 8_192))
        })?;
        Ok(Some(grams))
    }

    /// The beginnings of the event ids of every [`MARK_ROWS`]th row, ascending.
    pub(crate) fn marks(&self) -> Result<Arc<Vec<u64>>, StoreError> {
        self.piece(b'm', || {
            let bytes = self.blocks.read(self.section(MARKS))?;
            let marks: Vec<u64> =
                bytes.chunks_exact(8).filter_map(|mark| mark.try_into().ok()).map(u64::from_le_bytes).collect();
            let size = marks.len() * 8;
            Ok((marks, size))
        })
    }
}
