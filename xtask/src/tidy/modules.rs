//! Arrows between the modules of one crate, which the compiler does not know.

use super::{Finding, Text};

/// Inside the source folder of a crate, a module may not name another of the same crate.
struct Ban {
    source: &'static str,
    module: &'static str,
    others: &'static [&'static str],
}

const BANS: [Ban; 4] = [
    Ban { source: "crates/server/src/", module: "api", others: &["ui", "cli"] },
    Ban { source: "crates/server/src/", module: "ui", others: &["api", "cli"] },
    Ban { source: "crates/store/src/", module: "segment", others: &["journal"] },
    Ban { source: "crates/store/src/", module: "journal", others: &["segment"] },
];

/// The one door to files, and the crate in which it is one.
const FILES_BELOW: &str = "crates/store/src/";
const FILES_DOOR: &str = "crates/store/src/disk/";

/// Checks one file.
pub(crate) fn check(text: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !text.is_rust() {
        return findings;
    }
    for ban in &BANS {
        let Some(place) = text.path.strip_prefix(ban.source) else { continue };
        if top_module(place) != ban.module {
            continue;
        }
        for (line, name) in crate_names(text) {
            if ban.others.contains(&name.as_str()) {
                findings.push(text.finding(line, format!("`{}` may not use `crate::{name}`", ban.module)));
            }
        }
    }
    if text.path.starts_with(FILES_BELOW) && !text.path.starts_with(FILES_DOOR) {
        for (line, code) in code_lines(text) {
            if names_in(code, "std::").any(|name| name == "fs") {
                findings.push(text.finding(line, format!("only files below {FILES_DOOR} may name `std::fs`")));
            }
        }
    }
    findings
}

/// `segment/read.rs` and `segment.rs` belong to `segment`.
fn top_module(place: &str) -> &str {
    place.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn code_lines(text: &Text) -> impl Iterator<Item = (usize, &str)> {
    text.lines().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The names that follow `crate::`, also those in braces: `use crate::{disk::Disk, journal};`, over several lines too.
fn crate_names(text: &Text) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // How many braces are open since `crate::{`.
    let mut depth = 0_usize;
    for (number, line) in code_lines(text) {
        if depth > 0 {
            let (names, left) = names_in_braces(line, depth);
            found.extend(names.into_iter().map(|name| (number, name)));
            depth = left;
            continue;
        }
        found.extend(names_in(line, "crate::").map(|name| (number, name.to_owned())));
        if let Some((_, rest)) = line.split_once("crate::{") {
            let (names, left) = names_in_braces(rest, 1);
            found.extend(names.into_iter().map(|name| (number, name)));
            depth = left;
        }
    }
    found
}

/// The first name after each `prefix` of the line.
fn names_in<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.split(prefix).skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap_or_default())
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The first names at depth 1, and how many braces are open at the end of the line.
fn names_in_braces(line: &str, mut depth: usize) -> (Vec<String>, usize) {
    let mut names = Vec::new();
    let mut name = String::new();
    // Only the first name of a path counts: not `b` in `a::b`.
    let mut in_path = false;
    for c in line.chars().chain(['\n']) {
        if depth == 1 && !in_path && is_name(c) {
            name.push(c);
            continue;
        }
        if !name.is_empty() {
            names.push(std::mem::take(&mut name));
        }
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ':' => in_path = true,
            ',' if depth == 1 => in_path = false,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    (names, depth)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{printed, text};
    use super::*;

    #[track_caller]
    fn check_file(path: &str, code: &str, expected: &str) {
        assert_eq!(printed(&check(&text(path, code))), expected);
    }

    #[test]
    fn the_door_to_files_is_the_only_one() {
        let expected = "crates/store/src/query.rs:2: only files below crates/store/src/disk/ may name `std::fs`\n";
        check_file("crates/store/src/query.rs", "//! No std::fs here.\nuse std::fs::File;\n", expected);
        check_file("crates/store/src/disk/real.rs", "use std::fs::File;\n", "");
        check_file("crates/server/src/cli/init.rs", "use std::fs::File;\n", "");
    }

    #[test]
    fn segments_and_the_journal_do_not_know_each_other() {
        check_file(
            "crates/store/src/segment/read.rs",
            "use crate::segment::Run;\nuse crate::journaling::X;\n// crate::journal\n",
            "",
        );
        check_file(
            "crates/store/src/segment/read.rs",
            "let x = crate::journal::read();\n",
            "crates/store/src/segment/read.rs:1: `segment` may not use `crate::journal`\n",
        );
        check_file(
            "crates/store/src/journal.rs",
            "use crate::disk::Disk;\nuse crate::segment;\n",
            "crates/store/src/journal.rs:2: `journal` may not use `crate::segment`\n",
        );
        check_file("crates/store/src/sealer.rs", "use crate::{journal, segment};\n", "");
    }

    #[test]
    fn interfaces_do_not_use_each_other() {
        check_file("crates/server/src/cli/serve.rs", "use crate::api;\nuse crate::ui;\n", "");
        check_file("crates/server/src/ui/page.rs", "use crate::{permit::ui, state::{api, State}};\n", "");
        check_file(
            "crates/server/src/api.rs",
            "use crate::{permit, ui};\nuse crate::{\n    state::{State, ui},\n    cli::Options,\n};\nuse crate::ui::page;\n",
            "crates/server/src/api.rs:1: `api` may not use `crate::ui`\n\
             crates/server/src/api.rs:4: `api` may not use `crate::cli`\n\
             crates/server/src/api.rs:6: `api` may not use `crate::ui`\n",
        );
    }
}
