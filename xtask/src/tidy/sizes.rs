//! Files and lines that a person can still take in.

use super::{Finding, Text};

/// The longest file, in lines.
const FILE_LINES_MAX: usize = 1_000;
/// The longest line of Rust, in characters.
const LINE_CHARS_MAX: usize = 200;
/// Files that people write and read; others are lists, golden files and the like.
const WRITTEN: [&str; 9] = [".rs", ".md", ".toml", ".sql", ".html", ".css", ".js", ".sh", ".py"];

/// Checks one file.
pub(crate) fn check(text: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = text.text.lines().count();
    if lines > FILE_LINES_MAX && WRITTEN.iter().any(|end| text.path.ends_with(end)) {
        findings.push(text.finding(FILE_LINES_MAX + 1, format!("the file has {lines} lines; {FILE_LINES_MAX} are allowed")));
    }
    // Tests hold whole documents in one line.
    if text.is_rust() && !text.is_test() {
        for (number, line) in text.lines() {
            let chars = line.chars().count();
            if chars > LINE_CHARS_MAX {
                findings
                    .push(text.finding(number, format!("the line has {chars} characters; {LINE_CHARS_MAX} are allowed")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::{printed, text};
    use super::*;

    #[test]
    fn long_files_are_found_unless_they_are_lists() {
        let long = "x\n".repeat(1_001);
        let expected = "crates/a/src/lib.rs:1001: the file has 1001 lines; 1000 are allowed\n";
        assert_eq!(printed(&check(&text("crates/a/src/lib.rs", &long))), expected);
        assert_eq!(printed(&check(&text("Cargo.lock", &long))), "");
        assert_eq!(printed(&check(&text("crates/a/src/lib.rs", &long[2..]))), "");
    }

    #[test]
    fn long_lines_are_found_outside_of_tests() {
        let long = format!("short\n{}\n{}\n", "ü".repeat(200), "ü".repeat(201));
        let expected = "crates/a/src/lib.rs:3: the line has 201 characters; 200 are allowed\n";
        assert_eq!(printed(&check(&text("crates/a/src/lib.rs", &long))), expected);
        assert_eq!(printed(&check(&text("crates/a/tests/it/main.rs", &long))), "");
        assert_eq!(printed(&check(&text("README.md", &long))), "");
    }
}
