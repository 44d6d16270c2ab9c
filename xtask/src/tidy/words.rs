//! Words that say that something is unfinished, and words that say what is nobody's business outside.
//!
//! They are put together from halves, so that this file does not hold what it looks for.

use super::{Finding, Text};

/// Not in code of ours, and what to do instead.
const UNFINISHED: [(&str, &str); 6] = [
    (concat!("to", "do!"), "finish it, or return an error"),
    (concat!("db", "g!"), "it prints what was meant for one afternoon"),
    (concat!("#[ig", "nore"), "a test that is not run proves nothing"),
    (concat!("thread::", "sleep"), "wait on a channel or a condition"),
    (concat!("XX", "X"), "say what is meant"),
    (concat!("FIX", "ME"), "fix it, or say what is meant"),
];

/// Not in any file, in small letters: where and how the project is worked on.
const PRIVATE: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("iss", "ue #"),
    concat!("se", "ed 00"),
    concat!("se", "eds 00"),
    concat!("se", "eds/00"),
    concat!(".lib", "rary/"),
];

/// A folder beside the repository, which only tests and chores may read where it is there.
const BESIDE: &str = concat!("../sha", "red");

/// Checks one file.
pub(crate) fn check(text: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    let may_look_beside = text.is_test() || text.path.starts_with("xtask/");
    for (number, line) in text.lines() {
        if text.is_rust() {
            for (word, instead) in UNFINISHED {
                if line.contains(word) {
                    findings.push(text.finding(number, format!("`{word}` is not for committed code: {instead}")));
                }
            }
        }
        let small = line.to_lowercase();
        for word in PRIVATE {
            if small.contains(word) {
                findings.push(text.finding(number, format!("`{word}` says how the project is worked on; leave it out")));
            }
        }
        if !may_look_beside && small.contains(BESIDE) {
            findings.push(text.finding(number, format!("`{BESIDE}` is for files in a folder `tests` and for `xtask` only")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::{printed, text};
    use super::*;

    #[test]
    fn every_unfinished_word_is_found_in_rust_only() {
        for (word, _) in UNFINISHED {
            let found = check(&text("crates/a/tests/it/main.rs", &format!("fine\n{word}\n")));
            assert_eq!(found.len(), 1, "{word}");
            assert!(found[0].to_string().starts_with(&format!("crates/a/tests/it/main.rs:2: `{word}` ")), "{}", found[0]);
            assert!(check(&text("clippy.toml", word)).is_empty(), "{word}");
        }
    }

    #[test]
    fn every_private_word_is_found_in_all_files() {
        for word in PRIVATE {
            assert_eq!(check(&text("README.md", &word.to_uppercase())).len(), 1, "{word}");
            assert_eq!(check(&text("crates/a/tests/it/main.rs", word)).len(), 1, "{word}");
        }
        assert!(check(&text("README.md", "homework, the seed 7, an issue\n")).is_empty());
    }

    #[test]
    fn only_tests_and_chores_look_beside_the_repository() {
        let line = format!("read({BESIDE:?})");
        assert!(check(&text("crates/a/tests/golden.rs", &line)).is_empty());
        assert!(check(&text("xtask/src/main.rs", &line)).is_empty());
        assert_eq!(
            printed(&check(&text("crates/a/src/lib.rs", &line))),
            format!("crates/a/src/lib.rs:1: `{BESIDE}` is for files in a folder `tests` and for `xtask` only\n")
        );
    }
}
