//! `acta demo`: a server with something to look at.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use directory::{ChangedBy, DirectoryOptions, NewApiKey};
use indicatif::{ProgressBar, ProgressStyle};

use super::{init, logging, runtime};
use crate::app::{App, Doors};
use crate::config::Config;
use crate::demo;
use crate::serve::{Server, end_signal};

/// The event of the curl line.
const EXAMPLE: &str = concat!(
    r#"{"action":"QUERY_RUN","actor":{"type":"user","id":"u_42","name":"Ada Lovelace","email":"ada@example.com"},"#,
    r#""targets":[{"type":"query","name":"getOrders"}],"outcome":"success"}"#
);

/// Runs the server on a small company's worth of events.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where to keep the demo's data. Without it, in a temporary folder that is removed at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// The address to listen on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// How many events the story has; 500 at least.
    #[arg(long, value_name = "N", default_value_t = 25_000)]
    events: usize,
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let folder = if self.data.is_none() { Some(tempfile::Builder::new().prefix("acta-demo-").tempdir()?) } else { None };
        let data = self.data.clone().or_else(|| folder.as_ref().map(|folder| folder.path().display().to_string()));
        let flags = [("data", data), ("listen", self.listen.clone())];
        let variables = super::variables().filter(|(name, _)| name != "ACTA_DATA");
        let mut config = Config::load(None, variables, &flags)?;
        if std::env::var_os("ACTA_LOG").is_none() {
            config.log = "warn".to_owned();
        }
        logging::start(&config)?;
        let doors = Doors::system(&config.data).with_context(|| config.data.display().to_string())?;
        let app = Arc::new(App::open(config, doors, DirectoryOptions::default())?);
        let password = init::made_up_password();
        let runtime = runtime()?;
        let company = demo::set_up(&app, &password)?;
        // The founding first, so that it stands at the log's beginning.
        runtime.block_on(crate::record_own::drain_outbox(&app)).map_err(|problem| anyhow::anyhow!(problem.detail))?;
        if company.is_new {
            self.fill(&app, &company)?;
        }
        let scopes = [access::KeyScope::EventsWrite, access::KeyScope::EventsRead].into();
        let new = NewApiKey { team: None, service_account: None, name: "demo", scopes, expires_at: None };
        let (_, secret) = app.directory.create_api_key(&ChangedBy::cli(), company.organization.id, new, app.now())?;
        runtime.block_on(async {
            let server = Server::bind(app).await?;
            let address = server.address()?;
            println!("Listening on http://{address}");
            println!();
            println!("Look at       http://{address}/audit");
            println!("E-mail:       {}", demo::OWNER_EMAIL);
            println!("Password:     {}", password.expose());
            println!();
            println!("Send an event:");
            println!(
                "curl -s http://{address}/v1/events -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' -d '{EXAMPLE}'",
                secret.expose(),
            );
            println!();
            println!("Something happened to {} two weeks ago, at night. Can you find it? Ctrl-C ends the demo.", company.organization.name);
            server.run(end_signal()).await
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn fill(&self, app: &Arc<App>, company: &demo::Demo) -> anyhow::Result<()> {
        let bar = ProgressBar::new(self.events as u64)
            .with_style(ProgressStyle::with_template("Ninety days of {msg}: {bar:30} {human_pos} of {human_len} events")?);
        bar.set_message(company.organization.name.clone());
        demo::tell(app, company, self.events, &mut |durable| bar.set_position(durable))?;
        bar.finish_and_clear();
        eprintln!("Recorded {} events of {}'s last ninety days.", self.events.max(500), company.organization.name);
        Ok(())
    }
}
