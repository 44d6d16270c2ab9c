//! How long to wait after an attempt that failed.

use std::time::Duration;

use crate::doors::Chance;

/// The longest wait after the first failure, in milliseconds; it doubles with every further one.
const FIRST_MS: u64 = 1_000;
/// The longest wait of all, unless the receiver asks for more.
const LONGEST_MS: u64 = 5 * 60 * 1_000;
/// The longest wait that a receiver can ask for.
const ASKED_MAX: Duration = Duration::from_secs(60 * 60);
/// What a receiver asked for is not taken to be less than this.
const ASKED_MIN: Duration = Duration::from_secs(1);

/// The wait after the `attempts`th failure in a row (from 1): anything up to 1 s, 2 s, 4 s, … 5 min ("full jitter", so that many who
/// failed at once do not come back at once); what the receiver asked for, if it asked.
pub(crate) fn wait(attempts: u32, asked: Option<Duration>, chance: &dyn Chance) -> Duration {
    if let Some(asked) = asked {
        return asked.clamp(ASKED_MIN, ASKED_MAX);
    }
    let longest = FIRST_MS.checked_shl(attempts.saturating_sub(1).min(20)).unwrap_or(LONGEST_MS).min(LONGEST_MS);
    let mut bytes = [0; 8];
    chance.fill(&mut bytes);
    Duration::from_millis(u64::from_le_bytes(bytes) % (longest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Chance for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn waits_double_up_to_five_minutes_and_the_receiver_has_the_word() {
        struct Longest(u64);
        impl Chance for Longest {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.0.to_le_bytes());
            }
        }
        let longest = |attempts| {
            let cap = (0..=LONGEST_MS)
                .rev()
                .step_by(1_000)
                .find(|&ms| wait(attempts, None, &Longest(ms)).as_millis() == u128::from(ms));
            cap.unwrap() / 1_000
        };
        assert_eq!([1, 2, 3, 8, 9, 10, 1_000].map(longest), [1, 2, 4, 128, 256, 300, 300]);
        assert_eq!(wait(7, None, &Always(0)), Duration::ZERO);
        let asked = |seconds| wait(7, Some(Duration::from_secs(seconds)), &Always(9)).as_secs();
        assert_eq!([0, 30, 3_600, 100_000].map(asked), [1, 30, 3_600, 3_600]);
    }
}
