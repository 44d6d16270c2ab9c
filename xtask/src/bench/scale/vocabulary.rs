//! The words of free text, and how often each occurs: as in real text, the n-th most frequent one about 1/n as often as the
//! first.

/// How many words there are.
pub(crate) const WORDS: usize = 30_000;

/// None of them is a digit of a hexadecimal number, so that no word stands in an id.
const CONSONANTS: [&str; 16] = ["k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "gr", "kl", "pr", "st", "tr", "sh"];
const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
const SYLLABLES: usize = CONSONANTS.len() * VOWELS.len();

/// The word of that rank, the most frequent one first. Frequent words are short.
pub(crate) fn word(rank: usize) -> String {
    let syllables = match rank {
        0..100 => 2,
        100..10_000 => 3,
        _ => 4,
    };
    // Neighbours in rank are no neighbours in spelling: the multiplier shares no factor with the number of spellings.
    let spellings = SYLLABLES.pow(syllables);
    let mut left = (rank * 104_729 + 37) % spellings;
    let mut word = String::with_capacity(12);
    for _ in 0..syllables {
        let syllable = left % SYLLABLES;
        left /= SYLLABLES;
        word.push_str(CONSONANTS[syllable % CONSONANTS.len()]);
        word.push_str(VOWELS[syllable / CONSONANTS.len()]);
    }
    word
}

/// Draws ranks: the n-th with a weight of 1/n.
#[derive(Debug)]
pub(crate) struct Zipf {
    /// The sums of the weights up to each rank.
    sums: Vec<u64>,
}

impl Zipf {
    /// For so many ranks, at least one.
    pub(crate) fn new(ranks: usize) -> Zipf {
        let mut sum = 0;
        let sums = (1..=ranks.max(1) as u64).map(|rank| {
            sum += 1_000_000_000 / rank;
            sum
        });
        Zipf { sums: sums.collect() }
    }

    /// The rank that a random number stands for.
    pub(crate) fn rank(&self, random: u64) -> usize {
        let drawn = random % self.sums.last().copied().unwrap_or(1);
        self.sums.partition_point(|&sum| sum <= drawn)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_rank_has_a_word_of_its_own_that_is_no_number() {
        let words: HashSet<String> = (0..WORDS).map(word).collect();
        assert_eq!(words.len(), WORDS);
        assert!(words.iter().all(|word| word.bytes().any(|b| b.is_ascii_lowercase() && !b.is_ascii_hexdigit())));
    }

    #[test]
    fn the_first_rank_is_drawn_twice_as_often_as_the_second() {
        let zipf = Zipf::new(1_000);
        let mut counts = [0_u64; 1_000];
        let most = zipf.sums.last().copied().unwrap();
        for step in 0..1_000_000 {
            counts[zipf.rank(most / 1_000_000 * step)] += 1;
        }
        assert!(counts.iter().all(|&count| count > 0));
        assert!((19..=21).contains(&(counts[0] * 10 / counts[1])), "{} {}", counts[0], counts[1]);
    }
}
