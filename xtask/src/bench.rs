//! `cargo xtask bench`: Acta and PostgreSQL record the same events on the same machine in the same run, in turns.
//!
//! Read [`acta`] for what one round is, [`postgres`] for the peer, [`report`] for what is told.

mod acta;
mod decisions;
mod disk;
mod events;
mod http;
mod load;
mod machine;
mod numbers;
mod postgres;
mod process;
mod report;
mod round;
pub(crate) mod scale;
mod sections;

use std::path::Path;

use anyhow::{Context, bail};

use crate::tools::{self, Workspace, cargo};
use acta::Bodies;
use events::Events;
use machine::Machine;
use numbers::readable;
use report::Report;
use round::Round;

/// Events in a batch.
const BATCH: usize = 100;
/// Connections that send batches.
const BATCH_CONNECTIONS: usize = 8;
/// Connections that send single events.
const SINGLE_CONNECTIONS: usize = 64;
/// What the events follow from.
const SEED: u64 = 20_260_105;

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Disk,
    Acta,
    Postgres,
    Decisions,
}

impl Part {
    /// By its name on the command line.
    pub(crate) fn parse(name: &str) -> anyhow::Result<Part> {
        match name {
            "disk" => Ok(Part::Disk),
            "acta" => Ok(Part::Acta),
            "postgres" => Ok(Part::Postgres),
            "decisions" => Ok(Part::Decisions),
            other => bail!("`{other}` cannot be measured alone; disk, acta, postgres and decisions can"),
        }
    }
}

/// How much is recorded in a round.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    batch_events: usize,
    single_events: usize,
    /// Of each peer.
    rounds: usize,
}

/// Measures, prints the table, and writes the page if everything was measured at full size.
pub(crate) fn run(workspace: &Workspace, quick: bool, only: Option<Part>) -> anyhow::Result<()> {
    let page = workspace.root.join("BENCHMARKS.md");
    if only == Some(Part::Decisions) {
        let section = decisions::measure(workspace, &machine::today()?)?;
        print!("{section}");
        if !quick {
            let text = std::fs::read_to_string(&page).with_context(|| format!("could not read {}", page.display()))?;
            tools::write(&page, sections::replace(&text, "decisions", &section).as_bytes())?;
        }
        return Ok(());
    }
    let sizes = if quick {
        Sizes { batch_events: 40_000, single_events: 6_000, rounds: 3 }
    } else {
        Sizes { batch_events: 400_000, single_events: 60_000, rounds: 3 }
    };
    let folder = workspace.target.join("bench");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("could not clear {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)?;
    println!("disk: 4 KiB and fdatasync");
    let disk = disk::measure(&folder.join("disk"))?;
    println!("disk: p50 {} ms, p99 {} ms", readable(disk.p50_ms), readable(disk.p99_ms));
    if only == Some(Part::Disk) {
        return Ok(());
    }

    let mut peers = Peers::prepare(workspace, &folder, sizes, only)?;
    let (mut acta, mut postgres) = (Vec::new(), Vec::new());
    for turn in 0..sizes.rounds {
        // A P, P A, A P: whatever slows the machine down for a while hits both.
        for first in [true, false] {
            if (turn % 2 == 0) == first {
                acta.extend(peers.acta(&folder, turn, sizes.rounds)?);
            } else {
                postgres.extend(peers.postgres(turn, sizes.rounds)?);
            }
        }
    }
    let postgres_is = peers.postgres_is.clone();
    drop(peers);
    let report =
        Report { date: machine::today()?, machine: Machine::look(&folder), disk, sizes, acta, postgres, postgres_is };
    println!("\n{}", report.table());
    std::fs::remove_dir_all(&folder).with_context(|| format!("could not clear {}", folder.display()))?;
    if quick || only.is_some() {
        println!("BENCHMARKS.md is written by a whole run only.");
    } else {
        let section = decisions::measure(workspace, &report.date)?;
        let old = std::fs::read_to_string(&page).unwrap_or_default();
        let text = sections::replace(&sections::carry_over(&old, &report.page()), "decisions", &section);
        tools::write(&page, text.as_bytes())?;
        println!("BENCHMARKS.md is written.");
    }
    Ok(())
}

/// Those who are measured, with all that they will be sent.
struct Peers {
    acta: Option<(std::path::PathBuf, Bodies)>,
    postgres: Option<(postgres::Cluster, postgres::Rows)>,
    postgres_is: Result<String, String>,
}

impl Peers {
    fn prepare(workspace: &Workspace, folder: &Path, sizes: Sizes, only: Option<Part>) -> anyhow::Result<Peers> {
        let Sizes { batch_events, single_events, .. } = sizes;
        let events = Events { seed: SEED, count: batch_events + single_events, newest_ms: machine::this_hour_ms()? };
        let mut peers = Peers { acta: None, postgres: None, postgres_is: Err("it was not asked for".into()) };
        if only != Some(Part::Postgres) {
            println!("acta: building the release");
            tools::run(
                cargo().args(["build", "--release", "--package", "server", "--bin", "acta"]).current_dir(&workspace.root),
            )?;
            println!("acta: making {} requests", batch_events.div_ceil(BATCH) + single_events);
            peers.acta = Some((workspace.target.join("release").join("acta"), bodies(&events, sizes)));
        }
        if only != Some(Part::Acta) {
            match postgres::Programs::find() {
                Ok(programs) => {
                    println!("postgres: {}, making a cluster and rows", programs.version);
                    peers.postgres_is = Ok(programs.version.clone());
                    let cluster = postgres::Cluster::create(programs, folder.join("pg"))?;
                    let rows = postgres::write_rows(&folder.join("rows"), &events, batch_events, single_events)?;
                    peers.postgres = Some((cluster, rows));
                }
                Err(reason) => {
                    println!("postgres: left out: {reason}");
                    peers.postgres_is = Err(reason);
                }
            }
        }
        Ok(peers)
    }

    fn acta(&mut self, folder: &Path, turn: usize, rounds: usize) -> anyhow::Result<Option<Round>> {
        let Some((binary, bodies)) = &self.acta else { return Ok(None) };
        println!("acta: round {} of {rounds}", turn + 1);
        let folder = folder.join(format!("acta-{turn}"));
        let round = acta::round(binary, &folder, bodies)?;
        std::fs::remove_dir_all(&folder)?;
        tell("acta", &round);
        Ok(Some(round))
    }

    fn postgres(&mut self, turn: usize, rounds: usize) -> anyhow::Result<Option<Round>> {
        let Some((cluster, rows)) = &self.postgres else { return Ok(None) };
        println!("postgres: round {} of {rounds}", turn + 1);
        let round = cluster.round(rows)?;
        tell("postgres", &round);
        Ok(Some(round))
    }
}

fn tell(name: &str, round: &Round) {
    let Round { batches, singles, .. } = round;
    let (batches, singles) = (readable(batches.events_per_second), readable(singles.events_per_second));
    println!(
        "{name}: {batches} events/s in batches, {singles} events/s one by one, {:.0} bytes each",
        round.bytes_per_event()
    );
}

fn bodies(events: &Events, sizes: Sizes) -> Bodies {
    let Sizes { batch_events, single_events, .. } = sizes;
    let batch = |first: usize| {
        let batch: Vec<String> =
            (first..(first + BATCH).min(batch_events)).map(|number| events.get(number).json()).collect();
        format!("[{}]", batch.join(",")).into_bytes()
    };
    Bodies {
        batches: (0..batch_events).step_by(BATCH).map(batch).collect(),
        batch_events,
        singles: (batch_events..batch_events + single_events).map(|number| events.get(number).json().into_bytes()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_in_one_body() {
        let sizes = Sizes { batch_events: 250, single_events: 7, rounds: 1 };
        let bodies = bodies(&Events { seed: 1, count: 257, newest_ms: 0 }, sizes);
        let lengths: Vec<usize> = bodies
            .batches
            .iter()
            .map(|body| serde_json::from_slice::<Vec<serde_json::Value>>(body).unwrap().len())
            .collect();
        assert_eq!(lengths, [100, 100, 50]);
        assert_eq!(bodies.singles.len(), 7);
    }
}
