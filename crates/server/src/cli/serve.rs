//! `acta serve`: the server, until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use directory::DirectoryOptions;

use super::{Settings, data, logging, runtime};
use crate::app::{App, Doors};
use crate::config::{Config, SETTINGS};
use crate::serve::{Server, end_signal};

/// Runs the server.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// The address to listen on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Write every event to stdout, one line of JSON each.
    #[arg(long)]
    log_audit_events: bool,
    /// Networks that destinations may lie in besides the public internet, separated by commas: 10.0.0.0/8; or all.
    #[arg(long, value_name = "NETWORKS")]
    destination_networks: Option<String>,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.settings.load_with(vec![
            ("listen", self.listen),
            ("log_audit_events", self.log_audit_events.then(|| "true".to_owned())),
            ("destination_networks", self.destination_networks),
        ])?;
        let events_on_stdout = config.log_audit_events;
        logging::start(&config)?;
        data::require(&config.data)?;
        let doors = Doors::system(&config.data)?;
        let (disk, clock) = (doors.disk.clone(), doors.clock.clone());
        let app = Arc::new(App::open(config, doors, DirectoryOptions::default())?);
        // Only now the data directory is locked, and ours to write a probe into.
        let latency = store::disk::sync_latency(&*disk, &*clock);
        let recovered = app.store.recovered();
        match latency {
            Ok(ns) => tracing::info!(disk_sync_us = ns / 1_000, "the disk makes a write durable in about this time"),
            Err(e) => tracing::warn!(error = %e, "the disk's sync latency could not be measured"),
        }
        tracing::info!(events = recovered.events, torn_bytes = recovered.torn_bytes, "read from the journal");
        let runtime = runtime()?;
        runtime.block_on(async {
            let server = Server::bind(app).await?;
            let address = server.address()?;
            // Where events go to stdout, nothing else does.
            if events_on_stdout {
                eprintln!("Listening on http://{address}");
            } else {
                println!("Listening on http://{address}");
            }
            server.run(end_signal()).await
        })?;
        // A query that runs on has nobody left to be answered.
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(ExitCode::SUCCESS)
    }
}

/// Lists the settings.
#[derive(Debug, Args)]
pub(super) struct ShowConfig {
    #[command(flatten)]
    settings: Settings,
}

impl ShowConfig {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config: Config = self.settings.load(None)?;
        println!(
            "# In a file: as below. In the environment: ACTA_LISTEN and so on. `--config FILE` or ACTA_CONFIG names the file."
        );
        for ((name, value), (_, meaning)) in config.values().into_iter().zip(SETTINGS) {
            println!("\n# {}\n{name} = {}", meaning.trim(), record::Json::string(&value).as_str());
        }
        Ok(ExitCode::SUCCESS)
    }
}
