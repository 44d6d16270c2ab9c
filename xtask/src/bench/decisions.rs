//! How long decisions take: a section of BENCHMARKS.md of its own, since no peer is measured beside it.

use anyhow::{Context, ensure};

use super::report::markdown;
use crate::tools::{self, Workspace, cargo};

/// Builds and runs the example that measures, and returns the section.
pub(crate) fn measure(workspace: &Workspace, date: &str) -> anyhow::Result<String> {
    println!("decisions: building and running the release");
    let example = ["run", "--release", "--package", "policy", "--example", "decisions"];
    let lines = tools::output(cargo().args(example).current_dir(&workspace.root))?;
    section(&lines, date)
}

/// The section, from lines of a name, a median and a 99th percentile.
fn section(lines: &str, date: &str) -> anyhow::Result<String> {
    let mut rows = vec![["question".to_owned(), "p50, ms".to_owned(), "p99, ms".to_owned()]];
    for line in lines.lines() {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        rows.push(<[String; 3]>::try_from(cells).ok().with_context(|| format!("`{line}` is no line of three"))?);
    }
    ensure!(rows.len() > 1, "the example printed nothing");
    let table = markdown(&rows);
    Ok(format!(
        "## Decisions\n\nOne organization in memory: 5,000 users in 200 nested groups, 1,000 apps in 100 folders, 300 resources in 3 \
         environments,\n5,000 grants. One thread; measured on {date} by `crates/policy/examples/decisions.rs`.\n\n{table}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_row() {
        let section = section("who\t1.0\t2.0\n", "2026-01-01").unwrap();
        assert!(section.contains("| who | 1.0 | 2.0 |") && section.contains("2026-01-01"), "{section}");
        assert!(super::section("", "").is_err());
        assert!(super::section("who 1", "").is_err());
    }
}
