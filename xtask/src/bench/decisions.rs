//! How long decisions take: a section of BENCHMARKS.md of its own, since no peer is measured beside it.

use anyhow::{Context, ensure};

use super::report::markdown;
use crate::tools::{self, Workspace, cargo};

/// How the section begins; it ends where the next one does.
const TITLE: &str = "## Decisions\n";
/// Before this section it stands.
const BEFORE: &str = "## What is measured\n";

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
        "{TITLE}\nOne organization in memory: 5,000 users in 200 nested groups, 1,000 apps in 100 folders, 300 resources in 3 \
         environments,\n5,000 grants. One thread; measured on {date} by `crates/policy/examples/decisions.rs`.\n\n{table}\n"
    ))
}

/// The page with the section in place of the one it had.
pub(crate) fn placed(page: &str, section: &str) -> anyhow::Result<String> {
    let (before, rest) = match page.split_once(TITLE) {
        Some((before, old)) => {
            let end = old.find("\n## ").context("nothing follows the section of decisions")?;
            (before, &old[end + 1..])
        }
        None => {
            let at = page.find(BEFORE).context("the page has no section “What is measured”")?;
            page.split_at(at)
        }
    };
    Ok(format!("{before}{section}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_takes_the_place_of_the_one_before() {
        let page = "# Benchmarks\n\n## What is measured\n\nAll.\n";
        let first = placed(page, &section("who\t1.0\t2.0\n", "2026-01-01").unwrap()).unwrap();
        assert!(first.starts_with("# Benchmarks\n\n## Decisions\n"), "{first}");
        assert!(first.contains("| who | 1.0 | 2.0 |\n\n## What is measured\n\nAll.\n"), "{first}");
        let second = placed(&first, &section("who\t3.0\t4.0\n", "2026-01-02").unwrap()).unwrap();
        assert_eq!(second, first.replace("1.0 | 2.0", "3.0 | 4.0").replace("01-01", "01-02"));
        assert!(section("", "").is_err());
        assert!(section("who 1", "").is_err());
    }
}
