//! The different values of one field: sorted, with how many events have each and where their list lies.

use std::ops::Range;
use std::sync::OnceLock;

use memchr::memmem::Finder;

use crate::postings::{number, put_number};

/// The compression of dictionaries. The library's version stands in the sidecar's header, so that the bytes stay comparable.
const ZSTD_LEVEL: i32 = 3;
/// Larger than any dictionary is.
const BYTES_MAX: u64 = 1 << 31;

/// The members of an actor's or a target's value, in order.
pub(crate) mod member {
    /// Its id.
    pub(crate) const ID: usize = 0;
    /// Its type.
    pub(crate) const KIND: usize = 1;
    /// Its name.
    pub(crate) const NAME: usize = 2;
    /// An actor's e-mail address, a target's environment.
    pub(crate) const LAST: usize = 3;
}

/// Appends a value of several members.
pub(crate) fn put_members(out: &mut Vec<u8>, members: [Option<&str>; 4]) {
    for member in members {
        match member {
            None => out.push(0),
            Some(text) => {
                put_number(out, text.len() as u64 + 1);
                out.extend(text.as_bytes());
            }
        }
    }
}

/// The members of a value again. What cannot be read is absent.
pub(crate) fn members(mut value: &[u8]) -> [Option<&str>; 4] {
    let mut next = || {
        let len = usize::try_from(number(&mut value)?.checked_sub(1)?).ok()?;
        let (text, rest) = value.split_at_checked(len)?;
        value = rest;
        std::str::from_utf8(text).ok()
    };
    [next(), next(), next(), next()]
}

/// A dictionary in memory.
#[derive(Debug)]
pub(crate) struct Dictionary {
    values: Vec<u8>,
    /// Where each value begins, and where the last ends.
    starts: Vec<u32>,
    counts: Vec<u32>,
    /// Where each list begins, and where the last ends.
    lists: Vec<u32>,
    lines: OnceLock<Lines>,
}

/// What a dictionary says of one value.
#[derive(Debug)]
pub(crate) struct Listed {
    /// How many events have it.
    pub(crate) count: u32,
    /// Where its list lies in the field's section.
    pub(crate) list: Range<usize>,
}

/// The values in lower case, a line for each member.
#[derive(Debug, Default)]
struct Lines {
    text: String,
    /// Where each line ends, whose it is, and which member.
    lines: Vec<(u32, u32, u8)>,
}

impl Dictionary {
    /// The bytes of sorted values, each with its count and its list's length.
    pub(crate) fn write(values: &[(&[u8], u32, usize)]) -> Vec<u8> {
        let (mut heads, mut texts) = (Vec::new(), Vec::<u8>::new());
        put_number(&mut heads, values.len() as u64);
        let mut before: &[u8] = &[];
        for (value, _, _) in values {
            let shared = before.iter().zip(*value).take_while(|(a, b)| a == b).count();
            put_number(&mut heads, shared as u64);
            put_number(&mut heads, (value.len() - shared) as u64);
            texts.extend(value.get(shared..).unwrap_or_default());
            before = value;
        }
        values.iter().for_each(|(_, count, _)| put_number(&mut heads, u64::from(*count)));
        values.iter().for_each(|(_, _, len)| put_number(&mut heads, *len as u64));
        heads.extend(texts);
        pack(&heads)
    }

    /// Reads what [`Dictionary::write`] wrote.
    pub(crate) fn read(mut bytes: &[u8]) -> Option<Dictionary> {
        let raw = unpack(&mut bytes)?;
        let mut input = &*raw;
        let len = usize::try_from(number(&mut input)?).ok()?;
        if len > raw.len() {
            return None;
        }
        let mut shapes = Vec::with_capacity(len);
        for _ in 0..len {
            shapes.push((usize::try_from(number(&mut input)?).ok()?, usize::try_from(number(&mut input)?).ok()?));
        }
        let mut counts = Vec::with_capacity(len);
        for _ in 0..len {
            counts.push(u32::try_from(number(&mut input)?).ok()?);
        }
        let mut lists = Vec::with_capacity(len + 1);
        let mut at = 0_u32;
        for _ in 0..len {
            lists.push(at);
            at = at.checked_add(u32::try_from(number(&mut input)?).ok()?)?;
        }
        lists.push(at);
        let mut starts = Vec::with_capacity(len + 1);
        let mut values: Vec<u8> = Vec::with_capacity(input.len() * 2);
        let mut before = 0;
        for (shared, rest) in shapes {
            let start = values.len();
            starts.push(u32::try_from(start).ok()?);
            if before + shared > start {
                return None;
            }
            values.extend_from_within(before..before + shared);
            let (text, behind) = input.split_at_checked(rest)?;
            values.extend(text);
            input = behind;
            before = start;
        }
        starts.push(u32::try_from(values.len()).ok()?);
        Some(Dictionary { values, starts, counts, lists, lines: OnceLock::new() })
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.values.len() + self.counts.len() * 24
    }

    pub(crate) fn value(&self, value: usize) -> &[u8] {
        let (Some(&start), Some(&end)) = (self.starts.get(value), self.starts.get(value + 1)) else { return &[] };
        self.values.get(start as usize..end as usize).unwrap_or_default()
    }

    /// A value of one member.
    pub(crate) fn text(&self, value: usize) -> &str {
        std::str::from_utf8(self.value(value)).unwrap_or_default()
    }

    /// A value's members.
    pub(crate) fn members(&self, value: usize) -> [Option<&str>; 4] {
        members(self.value(value))
    }

    pub(crate) fn count(&self, value: usize) -> u32 {
        self.counts.get(value).copied().unwrap_or(0)
    }

    pub(crate) fn entry(&self, value: usize) -> Option<Listed> {
        let list = *self.lists.get(value)? as usize..*self.lists.get(value + 1)? as usize;
        Some(Listed { count: *self.counts.get(value)?, list })
    }

    /// Which one a value of one member is.
    pub(crate) fn find(&self, wanted: &str) -> Option<usize> {
        let at = self.first_not_below(wanted.as_bytes());
        (at < self.len() && self.value(at) == wanted.as_bytes()).then_some(at)
    }

    /// The values of several members whose first is this.
    pub(crate) fn with_id(&self, id: &str) -> Range<usize> {
        let mut prefix = Vec::new();
        put_number(&mut prefix, id.len() as u64 + 1);
        prefix.extend(id.as_bytes());
        let start = self.first_not_below(&prefix);
        let mut end = start;
        while end < self.len() && self.value(end).starts_with(&prefix) {
            end += 1;
        }
        start..end
    }

    fn first_not_below(&self, wanted: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.value(middle) < wanted { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The values in which a word in lower case stands, in a member that is `shown`; ascending.
    pub(crate) fn with_word(&self, has_members: bool, word: &str, shown: impl Fn(usize) -> bool) -> Vec<usize> {
        let lines = self.lines.get_or_init(|| self.lines(has_members));
        let finder = Finder::new(word.as_bytes());
        let text = lines.text.as_bytes();
        let mut found: Vec<usize> = Vec::new();
        let mut from = 0;
        while let Some(hit) = text.get(from..).and_then(|rest| finder.find(rest)) {
            let line = lines.lines.partition_point(|(end, ..)| *end as usize <= from + hit);
            let Some(&(end, value, member)) = lines.lines.get(line) else { break };
            if shown(usize::from(member)) && found.last() != Some(&(value as usize)) {
                found.push(value as usize);
            }
            from = end as usize;
        }
        found
    }

    fn lines(&self, has_members: bool) -> Lines {
        let mut lines = Lines { text: String::with_capacity(self.values.len() + self.len()), lines: Vec::new() };
        for value in 0..self.len() {
            let texts = if has_members { self.members(value) } else { [Some(self.text(value)), None, None, None] };
            for (member, text) in (0..).zip(texts) {
                let Some(text) = text else { continue };
                record::text::push_lower(&mut lines.text, text);
                lines.text.push('\n');
                let end = u32::try_from(lines.text.len()).unwrap_or(u32::MAX);
                lines.lines.push((end, u32::try_from(value).unwrap_or(u32::MAX), member));
            }
        }
        lines
    }
}

/// Compresses, if that makes it smaller.
pub(crate) fn pack(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(&mut out, raw.len() as u64);
    match zstd::bulk::compress(raw, ZSTD_LEVEL) {
        Ok(small) if small.len() < raw.len() => {
            out.push(1);
            out.extend(small);
        }
        _ => {
            out.push(0);
            out.extend(raw);
        }
    }
    out
}

/// Takes back what [`pack`] made; it goes to the end of the input.
pub(crate) fn unpack(input: &mut &[u8]) -> Option<Vec<u8>> {
    let len = usize::try_from(number(input).filter(|len| *len < BYTES_MAX)?).ok()?;
    let (packed, rest) = input.split_first()?;
    match packed {
        0 => Some(rest.to_vec()),
        _ => zstd::bulk::decompress(rest, len).ok(),
    }
    .filter(|raw| raw.len() == len)
}
