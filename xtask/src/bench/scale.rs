//! `cargo xtask bench --only scale`: Acta with millions of events, asked as people ask, beside engines that hold the same events.
//!
//! Read [`story`] for what the events are, [`question`] for what is asked, [`acta`] and [`peer`] for how, [`report`] for what is
//! told. Whoever gives another answer than Acta ends the run.

mod acta;
pub(crate) mod answer;
pub(crate) mod asking;
mod embedded;
mod metrics;
mod options;
pub(crate) mod peer;
pub(crate) mod question;
mod report;
mod sending;
pub(crate) mod sql;
pub(crate) mod story;
mod table;
mod vocabulary;

use std::path::Path;

use anyhow::Context;

use super::machine::{self, Machine};
use super::numbers::readable;
use super::{SEED, disk, postgres, sections};
use crate::tools::{self, Workspace, cargo};
use embedded::Python;
pub(crate) use options::Options;
use peer::{Measured, Peer};
use report::Report;
use story::Story;

/// Measures, prints the tables, and writes the section if that is wanted.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    let folder = workspace.target.join("bench");
    clear(&folder)?;
    std::fs::create_dir_all(&folder)?;
    // An hour ago, so that what Acta records of itself is newer than all that is sent.
    let newest_ms = machine::this_hour_ms()? - 3_600_000;
    let story = Story::new(SEED, options.events, newest_ms);
    println!("scale: {} events", readable(options.events as f64));
    let disk = disk::measure(&folder.join("disk"))?;
    println!("acta: building the release");
    tools::run(cargo().args(["build", "--release", "--package", "server", "--bin", "acta"]).current_dir(&workspace.root))?;
    let binary = workspace.target.join("release").join("acta");
    let own = folder.join("acta");
    let (measured, lines, answers) = acta::measure(&binary, &own, &story, options.wait_for.as_deref())?;
    clear(&own)?;
    let (mut peers, mut left_out) = (Vec::new(), Vec::new());
    for peer in &options.peers {
        let place = folder.join(peer.name());
        match prepared(*peer, &workspace.target) {
            Ok(ready) => {
                let measured = ready.measure(*peer, &place, &story, &lines, &answers);
                peers.push(measured.with_context(|| format!("{} could not be measured", peer.name()))?);
            }
            Err(why) => {
                println!("{} is left out: {why}", peer.name());
                left_out.push((peer.name(), why));
            }
        }
        clear(&place)?;
    }
    let path = workspace.root.join("BENCHMARKS.md");
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    let report = Report {
        smaller: sections::find(&page, &report::section_name(options.events / 10)).map(str::to_owned),
        date: machine::today()?,
        machine: Machine::look(&folder),
        disk,
        events: options.events,
        lines,
        acta: measured,
        peers,
        left_out,
    };
    println!("\n{}", report.text());
    clear(&folder)?;
    if options.writes {
        tools::write(&path, sections::replace(&page, &report.section_name(), &report.section()).as_bytes())?;
        println!("The section is in BENCHMARKS.md.");
    }
    Ok(())
}

fn clear(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("could not clear {}", folder.display()))?;
    }
    Ok(())
}

/// A peer whose programs are there.
enum Ready {
    Server(postgres::Programs),
    Inside(Python),
}

/// Finds or installs a peer's programs; a sentence on what is missing otherwise.
fn prepared(peer: Peer, target: &Path) -> Result<Ready, String> {
    match peer {
        Peer::Postgres => postgres::Programs::find().map(Ready::Server),
        Peer::Sqlite | Peer::DuckDb | Peer::ClickHouse => Python::prepare(target, peer).map(Ready::Inside),
    }
}

impl Ready {
    fn measure(
        self,
        peer: Peer,
        folder: &Path,
        story: &Story,
        lines: &[question::Line],
        answers: &asking::Answers,
    ) -> anyhow::Result<Measured> {
        match self {
            Ready::Server(programs) => postgres::scale::measure(programs, folder, story, lines, answers),
            Ready::Inside(python) => python.measure(peer, folder, story, lines, answers),
        }
    }
}
