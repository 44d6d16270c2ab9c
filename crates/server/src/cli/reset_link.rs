//! `acta reset-link`: for somebody who is locked out, and for servers that cannot send mail.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use directory::ChangedBy;

use super::{Settings, data};

/// Prints a link by which somebody sets a new password.
#[derive(Debug, Args)]
pub(super) struct ResetLink {
    #[command(flatten)]
    settings: Settings,
    /// The organization; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Her e-mail address.
    email: String,
}

impl ResetLink {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.settings.load(None)?;
        let directory = data::existing_directory(&config.data)?;
        let organization = data::organization(&directory, self.organization.as_deref())?;
        let mut users = directory.users_by_email(&self.email)?;
        users.retain(|user| user.org == organization.id);
        let Some(user) = users.pop() else { bail!("{} has no user {:?}", organization.name, self.email) };
        let token = directory.create_password_reset_link(&ChangedBy::cli(), organization.id, &user.id, data::now())?;
        println!("{}", config.address(&format!("/reset?token={}", token.expose())));
        eprintln!("{} opens the link once, within an hour, when the server runs. Give it to nobody else.", user.email);
        Ok(ExitCode::SUCCESS)
    }
}
