//! What the server writes about itself, to stderr.

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts writing, as the settings say.
pub(super) fn start(config: &Config) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(&config.log).map_err(|e| anyhow::anyhow!("log: {:?} is not a filter: {e}", config.log))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match config.log_format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|e| anyhow::anyhow!("cannot write a log: {e}"))
}
