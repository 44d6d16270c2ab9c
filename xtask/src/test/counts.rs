//! How many tests passed and failed, read off what cargo-nextest and `cargo test` print at the end of a run.

use std::fmt;

/// The sum so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// Adds the other sum.
    pub(crate) fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// What a line of output says of tests; nothing for all lines but the last of a run.
    pub(crate) fn of_line(line: &str) -> Counts {
        let plain = without_colours(line);
        // At the start of a line only: cargo-nextest shows what a failed test printed, indented, and such a line is in it.
        if let Some(rest) = plain.strip_prefix("test result: ") {
            // `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`
            return sum(rest.split_once(". ").map_or(rest, |(_, counts)| counts), ';');
        }
        if let Some(rest) = plain.trim().strip_prefix("Summary [") {
            // `Summary [   0.5s] 10 tests run: 9 passed (1 slow, 1 flaky), 1 failed, 0 skipped`
            return rest.split_once(" run: ").map_or(Counts::default(), |(_, counts)| sum(&without_asides(counts), ','));
        }
        Counts::default()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

fn sum(text: &str, separator: char) -> Counts {
    let mut counts = Counts::default();
    for part in text.split(separator) {
        let Some((number, word)) = part.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match word.trim() {
            "passed" => counts.passed += number,
            "failed" | "exec failed" | "timed out" => counts.failed += number,
            _ => {}
        }
    }
    counts
}

fn without_asides(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Drops `ESC [ … m`.
fn without_colours(text: &str) -> String {
    let mut kept = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().find(|c| c.is_ascii_alphabetic());
        } else {
            kept.push(c);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, passed: u64, failed: u64) {
        assert_eq!(Counts::of_line(line), Counts { passed, failed }, "{line}");
    }

    #[test]
    fn closing_lines_are_read_and_others_are_not() {
        check("     Summary [   0.041s] 27 tests run: 27 passed, 0 skipped", 27, 0);
        check("     Summary [   1.2s] 12/30 tests run: 9 passed (2 slow, 1 flaky), 2 failed, 1 timed out, 3 skipped", 9, 3);
        check("     Summary [   1.2s] 1 test run: 0 passed, 1 exec failed, 0 skipped", 0, 1);
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m passed, 0 skipped",
            2,
            0,
        );
        check("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s", 3, 0);
        check("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", 3, 2);
        check("    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 46 filtered out", 0, 0);
        check("running 5 tests", 0, 0);
        check("5 passed, 5 failed", 0, 0);
    }

    #[test]
    fn the_sum_is_one_plain_line() {
        let mut counts = Counts { passed: 3, failed: 0 };
        counts.add(Counts { passed: 4, failed: 1 });
        assert_eq!(counts.to_string(), "7 passed, 1 failed");
    }
}
