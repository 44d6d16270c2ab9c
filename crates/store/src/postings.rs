//! How a set of positions lies on disk: small, and quick to read once.
//!
//! A list of numbers is kept as the gaps between them, Rice coded: the gap's low bits as they are, the rest in unary. That
//! is within a bit or two of what the gaps hold, whatever the density, where two bytes for each number (a roaring bitmap's
//! arrays) are half as much again. What is frequent is a plain bit for each position, and what is nearly everywhere is kept as
//! the list of where it is not. FORMATS.md has the grammar.

use crate::bits::Bits;

/// From here on, what unary would be is told by this many zeros, and the number follows in 64 bits.
const ESCAPE: u64 = 23;
/// Low bits of a number at most.
const LOW_BITS_MAX: u8 = 48;
/// A list with more numbers than this share of the positions is a bit for each position.
const DENSE: u32 = 24;
const INVERTED: u8 = 0x80;
const PLAIN: u8 = 0x40;
const LOW_BITS: u8 = 0x1f;

/// Appends a list of ascending numbers below `len`. How many there are must be remembered elsewhere.
pub(crate) fn encode(list: &[u32], len: u32, out: &mut Vec<u8>) {
    let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
    if count == len {
        return;
    }
    if let [one] = list {
        put_number(out, u64::from(*one));
        return;
    }
    if (len - count) < len / DENSE {
        let mut missing = Bits::all(len);
        list.iter().for_each(|at| missing.remove(*at));
        let missing: Vec<u32> = missing.iter().collect();
        put_gaps(INVERTED, &missing, len, out);
    } else if count > len / DENSE {
        out.push(PLAIN);
        let start = out.len();
        out.resize(start + (len as usize).div_ceil(8), 0);
        for at in list {
            if let Some(byte) = out.get_mut(start + (at / 8) as usize) {
                *byte |= 1 << (at % 8);
            }
        }
    } else {
        put_gaps(0, list, len, out);
    }
}

/// Puts `count` numbers below `len` that [`encode`] wrote into a set.
pub(crate) fn decode_into(bytes: &[u8], count: u32, set: &mut Bits) -> Option<()> {
    let len = set.len();
    if count == len {
        *set = Bits::all(len);
        return Some(());
    }
    match bytes.first() {
        Some(&PLAIN) if count > 1 => set.insert_bytes(bytes.get(1..)?),
        Some(tag) if count > 1 && tag & INVERTED != 0 => {
            let mut shown = Bits::all(len);
            gaps(bytes, len - count, |at| shown.remove(at))?;
            set.or(&shown);
        }
        _ => decode(bytes, count, len, |at| set.insert(at))?,
    }
    Some(())
}

/// Calls `each` with `count` numbers below `len` that [`encode`] wrote, ascending.
pub(crate) fn decode(bytes: &[u8], count: u32, len: u32, mut each: impl FnMut(u32)) -> Option<()> {
    if count == len {
        (0..len).for_each(each);
        return Some(());
    }
    if count == 1 {
        each(u32::try_from(number(&mut &*bytes)?).ok()?);
        return Some(());
    }
    match bytes.first()? {
        tag if *tag == PLAIN || tag & INVERTED != 0 => {
            let mut set = Bits::none(len);
            decode_into(bytes, count, &mut set)?;
            set.iter().for_each(each);
        }
        _ => gaps(bytes, count, each)?,
    }
    Some(())
}

/// The number of low bits that suits gaps of this mean.
fn low_bits(count: usize, len: u32) -> u8 {
    let mean = u64::from(len) / (count as u64).max(1);
    u8::try_from(mean.max(1).ilog2()).unwrap_or(LOW_BITS).min(LOW_BITS)
}

fn put_gaps(tag: u8, list: &[u32], len: u32, out: &mut Vec<u8>) {
    let low = low_bits(list.len(), len);
    out.push(tag | low);
    let mut bits = BitWriter::new(out);
    let mut next = 0;
    for at in list {
        bits.rice(u64::from(at - next), low);
        next = at + 1;
    }
    bits.finish();
}

fn gaps(bytes: &[u8], count: u32, mut each: impl FnMut(u32)) -> Option<()> {
    let (tag, bytes) = bytes.split_first()?;
    let low = tag & LOW_BITS;
    let mut bits = BitReader::new(bytes);
    let mut next = 0_u32;
    for _ in 0..count {
        let at = next.checked_add(u32::try_from(bits.rice(low)?).ok()?)?;
        each(at);
        next = at.checked_add(1)?;
    }
    Some(())
}

/// Writes numbers bit by bit, the lowest bit first.
pub(crate) struct BitWriter<'o> {
    out: &'o mut Vec<u8>,
    held: u64,
    bits: u32,
}

impl<'o> BitWriter<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>) -> BitWriter<'o> {
        BitWriter { out, held: 0, bits: 0 }
    }

    /// A number as its low bits, after the rest in unary; if that would be long, 64 bits as they are.
    pub(crate) fn rice(&mut self, number: u64, low: u8) {
        let high = number >> low;
        if high >= ESCAPE {
            self.put(1 << ESCAPE, 24);
            self.put(number & 0xffff_ffff, 32);
            self.put(number >> 32, 32);
            return;
        }
        self.put(1 << high, u32::try_from(high).unwrap_or(0) + 1);
        let low_part = number & !(u64::MAX << low);
        self.put(low_part & 0xff_ffff, u32::from(low.min(24)));
        if low > 24 {
            self.put(low_part >> 24, u32::from(low) - 24);
        }
    }

    /// Up to 40 bits.
    fn put(&mut self, value: u64, bits: u32) {
        self.held |= value << self.bits;
        self.bits += bits;
        while self.bits >= 8 {
            #[expect(clippy::cast_possible_truncation, reason = "the lowest byte is meant")]
            self.out.push(self.held as u8);
            self.held >>= 8;
            self.bits -= 8;
        }
    }

    pub(crate) fn finish(mut self) {
        if self.bits > 0 {
            self.put(0, 8 - self.bits);
        }
    }
}

/// Reads what [`BitWriter`] wrote.
pub(crate) struct BitReader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> BitReader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> BitReader<'b> {
        BitReader { bytes, at: 0 }
    }

    /// The bits from here on: at least 57 of them, zeros behind the end.
    fn peek(&self) -> u64 {
        let byte = self.at / 8;
        let word = match self.bytes.get(byte..).and_then(<[u8]>::first_chunk) {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => {
                let mut chunk = [0; 8];
                let rest = self.bytes.get(byte..).unwrap_or_default();
                chunk.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                u64::from_le_bytes(chunk)
            }
        };
        word >> (self.at % 8)
    }

    /// A number; `None` behind the end.
    pub(crate) fn rice(&mut self, low: u8) -> Option<u64> {
        let mut word = self.peek();
        let high = u64::from(word.trailing_zeros());
        if high >= ESCAPE {
            self.at += 24;
            let lower = self.peek() & 0xffff_ffff;
            self.at += 32;
            let upper = self.peek() & 0xffff_ffff;
            self.at += 32;
            return (self.at <= self.bytes.len() * 8 && high == ESCAPE).then_some(upper << 32 | lower);
        }
        self.at += high as usize + 1;
        word >>= high + 1;
        // At least 33 bits are left of the 57.
        if low > 31 {
            word = self.peek();
        }
        self.at += usize::from(low);
        (self.at <= self.bytes.len() * 8).then(|| high << low | word & !(u64::MAX << low))
    }
}

/// The number of low bits that makes these numbers shortest.
pub(crate) fn best_low_bits(numbers: &[u64]) -> u8 {
    let bits =
        |low: u8| numbers.iter().map(|n| if n >> low >= ESCAPE { 88 } else { (n >> low) + 1 + u64::from(low) }).sum::<u64>();
    (0..=LOW_BITS_MAX).min_by_key(|low| bits(*low)).unwrap_or(0)
}

/// LEB128: seven bits a byte, the lowest first, the top bit set on all but the last.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "seven bits and the mark")]
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 128")]
    out.push(number as u8);
}

/// Takes a number off the front.
pub(crate) fn number(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn check(list: &[u32], len: u32) {
        let count = u32::try_from(list.len()).unwrap();
        let mut bytes = Vec::new();
        encode(list, len, &mut bytes);
        let mut found = Vec::new();
        decode(&bytes, count, len, |at| found.push(at)).unwrap();
        assert_eq!(found, list);
        let mut set = Bits::none(len);
        decode_into(&bytes, count, &mut set).unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), list);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(len in 2_u32..5_000, share in 0_u32..1_000, seed in 0_u64..1_000) {
            let mut rng = fastrand::Rng::with_seed(seed);
            let one = rng.u32(0..len);
            let list: BTreeSet<u32> = (0..len).filter(|at| *at == one || rng.u32(0..1_000) < share).collect();
            check(&list.into_iter().collect::<Vec<_>>(), len);
        }

        #[test]
        fn rubbish_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), count in 1_u32..50, len in 1_u32..400) {
            decode(&bytes, count.min(len), len, |_| ());
            decode_into(&bytes, count.min(len), &mut Bits::none(len));
        }

        #[test]
        fn numbers_of_any_size(list in prop::collection::vec(any::<u64>(), 1..40), low in 0_u8..=48, less in 0_u8..64) {
            let list: Vec<u64> = list.into_iter().map(|n| n >> less).collect();
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            list.iter().for_each(|n| writer.rice(*n, low));
            writer.finish();
            let mut reader = BitReader::new(&out);
            let read: Vec<u64> = list.iter().map(|_| reader.rice(low).unwrap()).collect();
            prop_assert_eq!(read, list);
        }
    }

    #[test]
    fn far_apart_and_nearly_everywhere() {
        check(&[0, 4_000_000_000], 4_000_000_001);
        check(&(1..100_000).collect::<Vec<_>>(), 100_000);
        check(&(0..100_000).step_by(2).collect::<Vec<_>>(), 100_000);
        check(&[99_999], 100_000);
        check(&[0], 1);
    }
}
