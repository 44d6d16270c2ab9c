//! A set of positions in one organization's part of a segment: one bit for each.
//!
//! A segment has at most some million rows, so a set is a few hundred kilobytes at most, and every operation on it a few
//! microseconds. How sets lie on disk is another matter: see [`crate::postings`].

use std::ops::Range;

/// A set of numbers below `len`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits {
    len: u32,
    words: Vec<u64>,
}

fn word_of(at: u32) -> usize {
    (at / 64) as usize
}

impl Bits {
    /// None of the numbers below `len`.
    pub(crate) fn none(len: u32) -> Bits {
        Bits { len, words: vec![0; (len as usize).div_ceil(64)] }
    }

    /// All of them.
    pub(crate) fn all(len: u32) -> Bits {
        Bits::range(len, 0..len)
    }

    /// Those in a range.
    pub(crate) fn range(len: u32, range: Range<u32>) -> Bits {
        let mut bits = Bits::none(len);
        let (start, end) = (range.start.min(len), range.end.min(len));
        if start < end {
            let (first, last) = (word_of(start), word_of(end - 1));
            if let Some(words) = bits.words.get_mut(first..=last) {
                words.fill(u64::MAX);
                if let Some(word) = words.first_mut() {
                    *word &= u64::MAX << (start % 64);
                }
                if let Some(word) = words.last_mut() {
                    *word &= u64::MAX >> (63 - (end - 1) % 64);
                }
            }
        }
        bits
    }

    /// How many numbers could be in it.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    pub(crate) fn insert(&mut self, at: u32) {
        if let Some(word) = self.words.get_mut(word_of(at)) {
            *word |= 1 << (at % 64);
        }
    }

    pub(crate) fn remove(&mut self, at: u32) {
        if let Some(word) = self.words.get_mut(word_of(at)) {
            *word &= !(1 << (at % 64));
        }
    }

    pub(crate) fn contains(&self, at: u32) -> bool {
        self.words.get(word_of(at)).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Takes over what a run of bytes says, the lowest bit first.
    pub(crate) fn insert_bytes(&mut self, bytes: &[u8]) {
        for (word, chunk) in self.words.iter_mut().zip(bytes.chunks(8)) {
            let mut whole = [0; 8];
            whole.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            *word |= u64::from_le_bytes(whole);
        }
    }

    pub(crate) fn and(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    pub(crate) fn or(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    pub(crate) fn without(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// How many are below `end`.
    pub(crate) fn count_below(&self, end: u32) -> u32 {
        let end = end.min(self.len);
        let whole = self.words.get(..word_of(end)).unwrap_or_default();
        let rest = self.words.get(word_of(end)).map_or(0, |word| word & !(u64::MAX << (end % 64)));
        whole.iter().map(|word| word.count_ones()).sum::<u32>() + rest.count_ones()
    }

    /// The number that has `n` smaller ones before it.
    pub(crate) fn nth(&self, mut n: u32) -> Option<u32> {
        for (at, word) in (0..).zip(&self.words) {
            let ones = word.count_ones();
            if n < ones {
                let mut word = *word;
                for _ in 0..n {
                    word &= word - 1;
                }
                return Some(at * 64 + word.trailing_zeros());
            }
            n -= ones;
        }
        None
    }

    /// All of them, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.iter_from(0)
    }

    /// Those from a number on, ascending.
    pub(crate) fn iter_from(&self, start: u32) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.words).skip(word_of(start)).flat_map(move |(at, &word): (u32, _)| {
            let mut left = if at == start / 64 { word & u64::MAX << (start % 64) } else { word };
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros();
                    left &= left - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_a_set_of_numbers(len in 1_u32..300, a in prop::collection::vec(0_u32..300, 0..80), from in 0_u32..320, to in 0_u32..320) {
            let a: BTreeSet<u32> = a.into_iter().filter(|n| *n < len).collect();
            let mut bits = Bits::none(len);
            a.iter().for_each(|n| bits.insert(*n));
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), a.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(bits.count() as usize, a.len());
            prop_assert_eq!(bits.count_below(from) as usize, a.iter().filter(|n| **n < from).count());
            for n in 0..=a.len() {
                prop_assert_eq!(bits.nth(u32::try_from(n).unwrap()), a.iter().nth(n).copied());
            }
            let range = Bits::range(len, from..to);
            prop_assert_eq!(range.iter().collect::<Vec<_>>(), (from..to.min(len)).collect::<Vec<_>>());
            let (mut and, mut or, mut without) = (bits.clone(), bits.clone(), bits);
            and.and(&range);
            or.or(&range);
            without.without(&range);
            prop_assert_eq!(and.count() + without.count(), u32::try_from(a.len()).unwrap());
            prop_assert_eq!(or.count(), without.count() + range.count());
            prop_assert!(a.iter().all(|n| and.contains(*n) == range.contains(*n)));
        }
    }
}
