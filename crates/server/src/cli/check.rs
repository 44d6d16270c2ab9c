//! `acta check`: everything against everything.

use std::process::ExitCode;

use clap::Args;
use directory::DirectoryOptions;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Settings, data};
use crate::app::{DATABASE, Doors, open_directory};

/// Checks a stopped data directory.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    settings: Settings,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.settings.load(None)?;
        data::require(&config.data)?;
        let doors = Doors::system(&config.data)?;
        let bar =
            ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {human_pos} events checked")?);
        let mut report = store::check(&*doors.disk, &mut |events| bar.set_position(events))?;
        bar.finish_and_clear();
        if config.data.join(DATABASE).is_file() {
            let directory = open_directory(&config.data, &doors, DirectoryOptions::default());
            match directory.and_then(|directory| directory.organizations()) {
                Ok(organizations) => {
                    for org in report.logs.keys() {
                        if organizations.iter().all(|known| known.id != *org) {
                            report
                                .faults
                                .push(format!("there is a log of organization {org}, which the directory does not know"));
                        }
                    }
                }
                Err(e) => report.faults.push(e.to_string()),
            }
        } else {
            report.faults.push(format!("{DATABASE} is missing"));
        }
        for (org, (size, root)) in &report.logs {
            println!("organization {org}: {size} entries, root {root}");
        }
        println!(
            "{} events checked: {} in {} segments, {} in {} journal files",
            report.events,
            report.sealed,
            report.segments,
            report.events - report.sealed,
            report.journal_files
        );
        if report.torn_bytes > 0 {
            println!(
                "{} bytes of an unfinished batch at the journal's end; nobody was answered for them",
                report.torn_bytes
            );
        }
        for fault in &report.faults {
            println!("FAULT: {fault}");
        }
        if report.faults.is_empty() {
            println!("All is well.");
            return Ok(ExitCode::SUCCESS);
        }
        println!("{} faults.", report.faults.len());
        Ok(ExitCode::from(3))
    }
}
