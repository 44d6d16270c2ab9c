//! `acta service-account`: actors that are no person. `acta key create --service-account` makes their keys.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use directory::{Part, ServiceAccount, UserStatus};
use serde_json::json;

use super::place::{Line, Place};

/// What to do with service accounts.
#[derive(Debug, Subcommand)]
pub(super) enum ServiceAccountCommand {
    /// List service accounts.
    List(List),
    /// Make a service account.
    Create(Create),
    /// Give a service account another name.
    Rename(Rename),
    /// Refuse its keys from now on.
    Disable(One),
    /// Accept its keys again.
    Enable(One),
    /// Delete a service account that has no valid key.
    Delete(One),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// Part of the name.
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: Place,
    /// Its name.
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Rename {
    #[command(flatten)]
    place: Place,
    /// Its id or name.
    account: String,
    /// Its new name.
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    place: Place,
    /// Its id or name.
    account: String,
}

impl ServiceAccountCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            ServiceAccountCommand::List(List { place, q }) => {
                let opened = place.open()?;
                let accounts = opened.directory.list_service_accounts(opened.org(), q.as_deref(), Part::ALL)?;
                opened.show(&accounts.items.iter().map(line).collect::<Vec<_>>());
            }
            ServiceAccountCommand::Create(Create { place, name }) => {
                let opened = place.open()?;
                let made = opened.directory.create_service_account(&opened.by, opened.org(), &name, opened.now)?;
                opened.show(&[line(&made)]);
            }
            ServiceAccountCommand::Rename(Rename { place, account, name }) => {
                let opened = place.open()?;
                let id = opened.service_account(&account)?;
                let (by, org, now) = (&opened.by, opened.org(), opened.now);
                let renamed = opened.directory.rename_service_account(by, org, &id, &name, now)?;
                opened.show(&[line(&renamed)]);
            }
            ServiceAccountCommand::Disable(one) => one.set_status(UserStatus::Disabled)?,
            ServiceAccountCommand::Enable(one) => one.set_status(UserStatus::Active)?,
            ServiceAccountCommand::Delete(One { place, account }) => {
                let opened = place.open()?;
                let id = opened.service_account(&account)?;
                opened.directory.delete_service_account(&opened.by, opened.org(), &id, opened.now)?;
                eprintln!("{id} is deleted.");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl One {
    fn set_status(self, status: UserStatus) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let id = opened.service_account(&self.account)?;
        let (by, org, now) = (&opened.by, opened.org(), opened.now);
        let account = opened.directory.set_service_account_status(by, org, &id, status, now)?;
        opened.show(&[line(&account)]);
        Ok(())
    }
}

fn line(account: &ServiceAccount) -> Line {
    vec![
        ("id", json!(account.id.as_str())),
        ("name", json!(account.name)),
        ("status", json!(account.status.as_str())),
        ("created_at", json!(account.created_at.to_string())),
    ]
}
