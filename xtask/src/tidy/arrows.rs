//! Which crate may be built from which: the table of ARCHITECTURE.md.

use super::{Finding, Text};
use crate::tools::{Crate, Dependency};

/// A crate, what it may always use, and what its tests may use besides.
struct Row {
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

const TABLE: [Row; 12] = [
    Row { name: "record", uses: &[], tests_use: &[] },
    Row { name: "access", uses: &["record"], tests_use: &[] },
    Row { name: "store", uses: &["record", "access"], tests_use: &["testkit"] },
    Row { name: "directory", uses: &["record", "access"], tests_use: &["testkit"] },
    Row { name: "policy", uses: &["record", "access"], tests_use: &[] },
    Row { name: "mail", uses: &[], tests_use: &[] },
    Row { name: "follow", uses: &["record"], tests_use: &[] },
    Row { name: "deliver", uses: &["record", "follow"], tests_use: &[] },
    Row { name: "testkit", uses: &["record", "access", "store", "directory"], tests_use: &[] },
    Row {
        name: "server",
        uses: &["record", "access", "store", "directory", "policy", "mail", "follow", "deliver"],
        tests_use: &["testkit"],
    },
    // Its tests see the program from outside; what they may borrow is what helps to set it up.
    Row { name: "browser", uses: &[], tests_use: &["record", "access", "store", "directory", "testkit", "server"] },
    Row { name: "xtask", uses: &[], tests_use: &[] },
];

/// Checks every crate against the table; the texts are there to tell the line.
pub(crate) fn check(crates: &[Crate], texts: &[Text]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours = |one: &&Dependency| crates.iter().any(|other| other.name == one.name);
    for one in crates {
        let manifest = texts.iter().find(|text| text.path == one.manifest);
        let mut found = |name: &str, text: String| {
            findings.push(Finding { path: one.manifest.clone(), line: line_of(name, manifest), text });
        };
        let Some(row) = TABLE.iter().find(|row| row.name == one.name) else {
            found("name", format!("the crate `{}` is not in the table of allowed dependencies in `xtask`", one.name));
            continue;
        };
        for other in one.dependencies.iter().filter(ours) {
            let name = other.name.as_str();
            if row.uses.contains(&name) || (other.dev && row.tests_use.contains(&name)) {
                continue;
            }
            let how = if other.dev { ", not even in tests" } else { "" };
            found(name, format!("`{}` may not depend on `{name}`{how}", one.name));
        }
    }
    findings
}

/// The line of the manifest that starts with the word.
fn line_of(word: &str, manifest: Option<&Text>) -> usize {
    let starts = |line: &str| line.strip_prefix(word).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    manifest.and_then(|text| text.lines().find(|(_, line)| starts(line))).map_or(1, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{printed, text};
    use super::*;

    fn one(name: &str, dependencies: &[(&str, bool)]) -> Crate {
        let dependencies = dependencies.iter().map(|&(name, dev)| Dependency { name: name.into(), dev }).collect();
        Crate { name: name.into(), manifest: format!("crates/{name}/Cargo.toml"), dependencies }
    }

    #[test]
    fn allowed_arrows_and_outside_crates_are_fine() {
        let crates =
            [one("record", &[("serde", false)]), one("testkit", &[]), one("store", &[("record", false), ("testkit", true)])];
        assert_eq!(printed(&check(&crates, &[])), "");
    }

    #[test]
    fn other_arrows_are_found_with_their_line() {
        let crates = [
            one("access", &[("store", false), ("server", true)]),
            one("browser", &[("server", true), ("record", false)]),
            one("record", &[]),
            one("server", &[]),
            one("store", &[("testkit", false)]),
            one("surprise", &[]),
            one("testkit", &[]),
        ];
        let manifest =
            text("crates/access/Cargo.toml", "[package]\nname = \"access\"\n[dependencies]\nstore.workspace = true\n");
        assert_eq!(
            printed(&check(&crates, &[manifest])),
            "crates/access/Cargo.toml:4: `access` may not depend on `store`\n\
             crates/access/Cargo.toml:1: `access` may not depend on `server`, not even in tests\n\
             crates/browser/Cargo.toml:1: `browser` may not depend on `record`\n\
             crates/store/Cargo.toml:1: `store` may not depend on `testkit`\n\
             crates/surprise/Cargo.toml:1: the crate `surprise` is not in the table of allowed dependencies in `xtask`\n"
        );
    }
}
