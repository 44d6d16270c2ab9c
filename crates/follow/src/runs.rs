//! A set of indexes, kept as the runs that it consists of.

/// Indexes in ascending order. A stretch without holes takes one entry, however long it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs(Vec<(u64, u64)>);

impl Runs {
    /// Adds an index that is greater than all before it.
    pub(crate) fn push(&mut self, index: u64) {
        self.push_run(index, index);
    }

    /// Adds all from `first` to `last`, which are greater than all before them.
    pub(crate) fn push_run(&mut self, first: u64, last: u64) {
        match self.0.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(first) => *end = last,
            _ => self.0.push((first, last)),
        }
    }

    /// The runs, each from its first to its last index.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }

    /// The first and the last index; `None` if there is none.
    pub(crate) fn ends(&self) -> Option<(u64, u64)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// How many indexes.
    pub(crate) fn count(&self) -> u64 {
        self.runs().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether the index is in it.
    pub(crate) fn contains(&self, index: u64) -> bool {
        let at = self.0.partition_point(|&(_, last)| last < index);
        self.0.get(at).is_some_and(|&(first, _)| first <= index)
    }

    /// All but the first index in LEB128 numbers: how many follow the first of a run, how many are left out before the next one.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * 2);
        let mut before = None;
        for (first, last) in self.runs() {
            if let Some(before) = before {
                put(&mut out, first - before);
            }
            put(&mut out, last - first);
            before = Some(last);
        }
        out
    }

    /// Reads what [`Runs::to_bytes`] wrote of a set that begins with `first`.
    pub(crate) fn from_bytes(first: u64, mut bytes: &[u8]) -> Runs {
        let mut runs = Runs::default();
        let mut first = first;
        while let Some(more) = take(&mut bytes) {
            let last = first.saturating_add(more);
            runs.push_run(first, last);
            let Some(left_out) = take(&mut bytes) else { break };
            first = last.saturating_add(left_out);
        }
        runs
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0_u64, 0_u32);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_comes_back_and_knows_what_is_in_it() {
        for set in [vec![0], vec![7, 8, 9], vec![1, 3, 4, 900, 901, 100_000], (0..1_000).collect(), vec![u64::MAX - 1]] {
            let mut runs = Runs::default();
            set.iter().for_each(|&index| runs.push(index));
            assert_eq!(runs.count(), set.len() as u64);
            assert_eq!(Runs::from_bytes(set[0], &runs.to_bytes()), runs, "{set:?}");
            for index in 0..1_100 {
                assert_eq!(runs.contains(index), set.contains(&index), "{index} in {set:?}");
            }
        }
        let mut every_tenth = Runs::default();
        (0..10_000).step_by(10).for_each(|index| every_tenth.push(index));
        assert_eq!(every_tenth.to_bytes().len(), 1_999);
    }
}
