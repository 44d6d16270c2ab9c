//! Which data directory a command is about, and which organization in it. A running server may have the directory open, too: it
//! records within a second what is changed here.

use clap::Args;
use directory::{Directory, Organization};
use record::OrgId;

use super::{Settings, data};
use crate::config::{Config, Mistakes};

/// Which data directory, and which organization in it.
#[derive(Debug, Args)]
pub(super) struct Of {
    #[command(flatten)]
    settings: Settings,
    /// The organization; not needed if there is only one.
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
}

impl Of {
    /// The settings.
    pub(super) fn config(&self) -> Result<Config, Mistakes> {
        self.settings.load(None)
    }

    /// The directory of all organizations.
    pub(super) fn directory(&self) -> anyhow::Result<Directory> {
        data::existing_directory(&self.config()?.data)
    }

    /// The directory, and the organization in it.
    pub(super) fn find(&self) -> anyhow::Result<(Directory, Organization)> {
        let directory = self.directory()?;
        let organization = data::organization(&directory, self.organization.as_deref())?;
        Ok((directory, organization))
    }

    /// The same, for those who do not ask what the organization is like.
    pub(super) fn open(&self) -> anyhow::Result<(Directory, OrgId)> {
        let (directory, organization) = self.find()?;
        Ok((directory, organization.id))
    }
}
