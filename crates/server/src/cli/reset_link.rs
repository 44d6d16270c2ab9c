//! `acta reset-link`: for somebody who is locked out, and for servers that cannot send mail.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use directory::ChangedBy;

use super::data;
use super::of::Of;

/// Prints a link by which somebody sets a new password.
#[derive(Debug, Args)]
pub(super) struct ResetLink {
    #[command(flatten)]
    of: Of,
    /// Her e-mail address.
    email: String,
}

impl ResetLink {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (directory, organization) = self.of.find()?;
        let mut users = directory.users_by_email(&self.email)?;
        users.retain(|user| user.org == organization.id);
        let Some(user) = users.pop() else { bail!("{} has no user {:?}", organization.name, self.email) };
        let token = directory.create_password_reset_link(&ChangedBy::cli(), organization.id, &user.id, data::now())?;
        println!("{}", self.of.config()?.address(&format!("/reset?token={}", token.expose())));
        eprintln!("{} opens the link once, within an hour, when the server runs. Give it to nobody else.", user.email);
        Ok(ExitCode::SUCCESS)
    }
}
