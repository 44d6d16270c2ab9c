//! `acta init`: a data directory, its first organization, its owner.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use access::Role;
use anyhow::{Context, bail};
use clap::Args;
use directory::{Chance, ChangedBy, Directory, DirectoryOptions, NewUser, Secret};

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
    /// A file that holds the owner's password. Without it one is made up and printed once.
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
}

impl Init {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.settings.load(None)?;
        let name = self.admin_email.split('@').next().unwrap_or_default().to_owned();
        self.rehearse(&name)?;
        let given = self.admin_password_file.as_deref().map(password_in).transpose()?;
        let password = given.clone().unwrap_or_else(made_up_password);
        directory::check_password(&password, &self.admin_email)?;
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
        let owner = NewUser { email: &self.admin_email, name: &name, role: Role::Owner, password: Some(&password) };
        let user = directory.create_user(&by, organization.id, owner, now)?;
        println!("Organization: {}", organization.name);
        println!("E-mail: {}", user.email);
        if given.is_none() {
            println!("Password: {}", password.expose());
            eprintln!("The password is shown this once. Keep it.");
        }
        let data = config.data.display();
        eprintln!("Next: acta key create --data {data} --scopes events:write,events:read");
        eprintln!("      acta serve --data {data}");
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

/// 25 characters that nobody confuses with one another: 125 bits.
pub(super) fn made_up_password() -> Secret {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567892";
    let mut bytes = [0; 25];
    SystemChance.fill(&mut bytes);
    let mut text = String::with_capacity(29);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Secret::new(text)
}
