//! `acta init`: a data directory, its first organization, its owner.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use access::Role;
use anyhow::{Context, bail};
use clap::Args;
use directory::{ChangedBy, Directory, DirectoryOptions, NewUser, Secret};

use super::Settings;
use crate::app::{Doors, open_directory};
use crate::doors::SystemChance;

/// Sets up a data directory.
#[derive(Debug, Args)]
pub(super) struct Init {
    #[command(flatten)]
    settings: Settings,
    /// The organization's name.
    #[arg(long, value_name = "NAME")]
    organization: String,
    /// The e-mail address with which its owner signs in.
    #[arg(long, value_name = "E")]
    admin_email: String,
    /// A file that holds the owner's password. Without it a link is printed by which she sets one.
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
}

impl Init {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.settings.load(None)?;
        let name = self.admin_email.split('@').next().unwrap_or_default().to_owned();
        self.rehearse(&name)?;
        let given = self.admin_password_file.as_deref().map(password_in).transpose()?;
        if let Some(password) = &given {
            directory::check_password(password, &self.admin_email)?;
        }
        let doors = Doors::system(&config.data).with_context(|| config.data.display().to_string())?;
        let directory = open_directory(&config.data, &doors, DirectoryOptions::default())?;
        let (by, now) = (ChangedBy::cli(), doors.clock.now());
        // An init that was broken off after the organization was made can be run again; one that was not, cannot.
        let organization = match directory.organization_by_name(&self.organization) {
            Ok(organization) if directory.users(organization.id)?.is_empty() => organization,
            Ok(_) => bail!("there is an organization {:?} already", self.organization),
            Err(directory::DirectoryError::NotFound { .. }) => {
                directory.create_organization(&by, &self.organization, now)?
            }
            Err(e) => return Err(e.into()),
        };
        // Until she says otherwise, she is called by the part of her address that is hers.
        let owner = NewUser { email: &self.admin_email, name: &name, role: Role::Owner, password: given.as_ref() };
        let user = directory.create_user(&by, organization.id, owner, now)?;
        println!("Organization: {}", organization.name);
        println!("E-mail: {}", user.email);
        let data = config.data.display();
        if given.is_none() {
            let token = directory.create_first_run_link(organization.id, &user.id, now)?;
            println!("Link: {}", config.address(&format!("/welcome?token={}", token.expose())));
            eprintln!("The owner opens the link once, within a day, when the server runs, and sets her password.");
        }
        eprintln!("Next: acta serve --data {data}");
        eprintln!("      acta key create --data {data} --scopes events:write,events:read");
        Ok(ExitCode::SUCCESS)
    }
}

impl Init {
    /// The same in memory: whatever is wrong with the names is told before anything is on disk.
    fn rehearse(&self, name: &str) -> anyhow::Result<()> {
        let (by, now) = (ChangedBy::cli(), super::data::now());
        let directory = Directory::in_memory(Arc::new(SystemChance), DirectoryOptions::default())?;
        let organization = directory.create_organization(&by, &self.organization, now)?;
        let owner = NewUser { email: &self.admin_email, name, role: Role::Owner, password: None };
        directory.create_user(&by, organization.id, owner, now)?;
        Ok(())
    }
}

/// The first line of a file.
pub(super) fn password_in(file: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("{} holds no password in its first line", file.display());
    }
    Ok(Secret::new(line))
}
