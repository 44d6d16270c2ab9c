//! `cargo xtask tidy`: the rules of this repository that no compiler checks.
//!
//! Every rule is a pure function of texts, so that its tests need no repository: what is read is a [`Text`], what is found is
//! a [`Finding`].

mod arrows;
mod modules;
mod pages;
mod sizes;
mod texts;
mod words;

use std::fmt;

use anyhow::bail;

use crate::tools::{Crate, Workspace};

/// A file of the repository. The path is seen from the root, with `/` between its parts.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Text {
    /// Its lines with their numbers, which start at 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it stands in a folder `tests`.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/")
    }

    fn finding(&self, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, text: text.into() }
    }
}

/// A broken rule: where, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Prints every finding; one is enough for an error.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let texts = texts::read(&workspace.root)?;
    let findings = findings(&texts, &workspace.crates);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => println!("tidy: {} files, nothing found", texts.len()),
        1 => bail!("tidy found one thing"),
        many => bail!("tidy found {many} things"),
    }
    Ok(())
}

fn findings(texts: &[Text], crates: &[Crate]) -> Vec<Finding> {
    let mut findings = arrows::check(crates, texts);
    let names: Vec<&str> = crates.iter().map(|one| one.name.as_str()).collect();
    findings.extend(pages::check(texts, &names));
    for text in texts {
        findings.extend(modules::check(text));
        findings.extend(sizes::check(text));
        findings.extend(words::check(text));
    }
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is not there, for the tests of the rules.
    pub(super) fn text(path: &str, text: &str) -> Text {
        Text { path: path.into(), text: text.into() }
    }

    /// The findings as they are printed, one a line.
    pub(super) fn printed(findings: &[Finding]) -> String {
        findings.iter().map(|one| format!("{one}\n")).collect()
    }

    #[test]
    fn all_rules_are_asked_and_findings_are_in_order() {
        let texts = [
            text("crates/store/src/segment.rs", "use crate::journal::Writer;\n"),
            text("ARCHITECTURE.md", "`store` and `crates/gone/src/lib.rs`\n"),
        ];
        let crates = [Crate { name: "store".into(), manifest: "crates/store/Cargo.toml".into(), dependencies: Vec::new() }];
        let printed = printed(&findings(&texts, &crates));
        assert_eq!(
            printed,
            "ARCHITECTURE.md:1: `crates/gone/src/lib.rs` is not in the repository\n\
             crates/store/src/segment.rs:1: `segment` may not use `crate::journal`\n"
        );
    }
}
