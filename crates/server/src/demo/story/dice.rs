//! Chance, drawn only from the generator that is passed in, and with whole numbers only: floating-point logarithms may
//! differ between machines, and the story may not.

use fastrand::Rng;

/// One of the items, each as likely as the next.
pub(super) fn pick<T: Copy, const N: usize>(rng: &mut Rng, items: [T; N]) -> T {
    const { assert!(N > 0) }
    items[rng.usize(..N)]
}

/// True `per_mille` times in a thousand.
pub(super) fn chance(rng: &mut Rng, per_mille: u32) -> bool {
    rng.u32(..1_000) < per_mille
}

/// A value around `median`, shaped like a log-normal with a standard deviation of about 0.6: sixteen coins, each of which
/// multiplies or divides by the same step, and then up to a sixth more or less.
pub(super) fn around(rng: &mut Rng, median: u64) -> u64 {
    let coins = rng.u32(..);
    let heads = (coins & 0xffff).count_ones();
    let mut value = median.saturating_mul(1_000);
    for _ in 8..heads {
        value = value / 100 * 136;
    }
    for _ in heads..8 {
        value = value / 136 * 100;
    }
    let jitter = 834 + u64::from((coins >> 16) % 333);
    (value / 1_000).saturating_mul(jitter) / 1_000
}

/// [`around`] for a number of things.
pub(super) fn around_count(rng: &mut Rng, median: usize) -> usize {
    let median = u64::try_from(median).unwrap_or(u64::MAX);
    usize::try_from(around(rng, median)).unwrap_or(usize::MAX)
}

/// [`around`] for a pause in milliseconds: never less than one.
pub(super) fn pause(rng: &mut Rng, median_ms: u64) -> i64 {
    i64::try_from(around(rng, median_ms)).unwrap_or(1).max(1)
}

/// So many hexadecimal digits, at most sixteen.
pub(super) fn hex(rng: &mut Rng, digits: usize) -> String {
    format!("{:0digits$x}", rng.u64(..) >> (64 - 4 * digits.clamp(1, 16)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn around_has_its_median_and_a_long_tail() {
        let mut rng = Rng::with_seed(1);
        let mut drawn: Vec<u64> = (0..10_001).map(|_| around(&mut rng, 100)).collect();
        drawn.sort_unstable();
        assert!((85..=118).contains(&drawn[5_000]), "median {}", drawn[5_000]);
        assert!(drawn[9_900] > 300, "99th percentile {}", drawn[9_900]);
        assert!(drawn[0] > 0);
    }

    #[test]
    fn hex_has_its_length() {
        let mut rng = Rng::with_seed(1);
        for digits in 1..=16 {
            assert_eq!(hex(&mut rng, digits).len(), digits);
        }
    }
}
