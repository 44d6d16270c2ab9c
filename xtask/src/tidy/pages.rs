//! What a page says is there, is there: paths in the pages at the root, and every crate in ARCHITECTURE.md.

use super::{Finding, Text};

/// Folders at the root: what starts with one of them is a path of this repository.
const FOLDERS: [&str; 4] = ["crates/", "xtask/", ".ci/", "docs/"];
/// Endings of file names that are only written for files of this repository.
const ENDINGS: [&str; 3] = [".rs", ".toml", ".md"];
/// The page that names every crate.
const MAP: &str = "ARCHITECTURE.md";

/// Checks all pages against all files.
pub(crate) fn check(texts: &[Text], crates: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in texts.iter().filter(|text| text.path.ends_with(".md") && !text.path.contains('/')) {
        for (line, mention) in mentions(page) {
            if !exists(&mention, texts) {
                findings.push(page.finding(line, format!("`{mention}` is not in the repository")));
            }
        }
    }
    match texts.iter().find(|text| text.path == MAP) {
        Some(map) => findings.extend(unnamed(map, crates)),
        None => findings.push(Finding { path: MAP.into(), line: 1, text: "the page is missing".into() }),
    }
    findings
}

/// The paths that a page mentions: in backticks if they look like paths, and where its links lead.
fn mentions(page: &Text) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (line, text) in page.lines() {
        if text.trim_start().starts_with("```") || text.trim_start().starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        // Between backticks is every second part.
        let mut prose = String::new();
        for (at, part) in text.split('`').enumerate() {
            if at % 2 == 0 {
                prose.push_str(part);
            } else if let Some(path) = path_in(part)
                && (FOLDERS.iter().any(|folder| part.starts_with(folder)) || ENDINGS.iter().any(|end| path.ends_with(end)))
            {
                found.push((line, path));
            }
        }
        for link in prose.split("](").skip(1) {
            let target = link.split([')', ' ']).next().unwrap_or_default();
            let elsewhere = target.contains(':') || target.starts_with('#');
            if !elsewhere && let Some(path) = path_in(target) {
                found.push((line, path));
            }
        }
    }
    found
}

/// The path without what may follow it (`:12`, `#part`, `/`), if it is one and not a pattern or a command.
fn path_in(text: &str) -> Option<String> {
    let path = text.split('#').next().unwrap_or_default();
    let path = path.split_once(':').map_or(path, |(path, _)| path).trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    // An ending alone (`.rs`) is not a file's name; a path from the root of the machine is not ours.
    let ours = !path.starts_with('/') && !ENDINGS.contains(&path);
    (!path.is_empty() && path.chars().all(plain) && ours).then(|| path.to_owned())
}

/// Whether there is such a file or folder. A path that starts elsewhere than at the root (`journal/recovery.rs`) is one if
/// some file's path ends with it.
fn exists(path: &str, texts: &[Text]) -> bool {
    let path = path.strip_prefix("./").unwrap_or(path);
    let from_root = FOLDERS.iter().any(|folder| path.starts_with(folder));
    texts.iter().any(|text| {
        text.path == path
            || text.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
            || (!from_root && text.path.strip_suffix(path).is_some_and(|rest| rest.ends_with('/')))
    })
}

fn unnamed(map: &Text, crates: &[&str]) -> Vec<Finding> {
    let missing = |name: &&&str| !map.text.contains(&format!("`{name}`")) && !map.text.contains(&format!("crates/{name}"));
    crates.iter().filter(missing).map(|name| map.finding(1, format!("the crate `{name}` is not named"))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{printed, text};
    use super::*;

    #[track_caller]
    fn check_readme(readme: &str, expected: &str) {
        let texts = [
            text("README.md", readme),
            text("ARCHITECTURE.md", "`store`"),
            text("crates/store/src/journal/recovery.rs", ""),
            text("LICENSE", ""),
        ];
        assert_eq!(printed(&check(&texts, &["store"])), expected);
    }

    #[test]
    fn paths_that_are_there_are_fine() {
        check_readme("`crates/store`, `crates/store/src/`, `journal/recovery.rs:12`, `recovery.rs`", "");
        check_readme(
            "[here](crates/store/src) and [`there`](./LICENSE#terms), [a site](https://example.com/a.md), [up](#up)",
            "",
        );
    }

    #[test]
    fn what_is_no_path_of_ours_is_not_looked_for() {
        check_readme(
            "`cargo xtask test`, `a/b`, `crates/<name>/src`, `crates/*/src`, `/etc/acta/some.toml`, `*.rs`, `.rs`",
            "",
        );
        check_readme("```\ncrates/gone.rs `crates/gone.rs`\n```\n", "");
    }

    #[test]
    fn paths_that_are_gone_are_found() {
        check_readme(
            "first\n`crates/gone/`, `gone.md` and [a link](docs/gone.html)\n",
            "README.md:2: `crates/gone` is not in the repository\n\
             README.md:2: `gone.md` is not in the repository\n\
             README.md:2: `docs/gone.html` is not in the repository\n",
        );
    }

    #[test]
    fn every_crate_is_on_the_map() {
        let map = text("ARCHITECTURE.md", "`store` and crates/record; access in prose does not count");
        assert_eq!(
            printed(&check(&[map], &["access", "record", "store"])),
            "ARCHITECTURE.md:1: the crate `access` is not named\n"
        );
        assert_eq!(printed(&check(&[], &["store"])), "ARCHITECTURE.md:1: the page is missing\n");
    }
}
