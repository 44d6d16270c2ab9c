//! What commands need of a data directory that a server may have open.

use std::path::Path;

use anyhow::{Context, bail};
use directory::{Directory, DirectoryOptions, Organization};
use record::Timestamp;
use store::Clock;

use crate::app::{DATABASE, Doors, open_directory};
use crate::doors::SystemClock;

/// Complains if nobody has set this data directory up.
pub(super) fn require(data: &Path) -> anyhow::Result<()> {
    if !data.join(DATABASE).is_file() {
        bail!("{} is not a data directory; `acta init --data {0} …` makes one", data.display());
    }
    Ok(())
}

/// The directory of a data directory that was set up before.
pub(super) fn existing_directory(data: &Path) -> anyhow::Result<Directory> {
    require(data)?;
    let doors = Doors::system(data).with_context(|| data.display().to_string())?;
    Ok(open_directory(data, &doors, DirectoryOptions::default())?)
}

/// The organization of that name, or the only one.
pub(super) fn organization(directory: &Directory, name: Option<&str>) -> anyhow::Result<Organization> {
    if let Some(name) = name {
        return Ok(directory.organization_by_name(name)?);
    }
    let mut all = directory.organizations()?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => bail!("there is no organization yet"),
        _ => bail!("there are several organizations; name one with --organization"),
    }
}

pub(super) fn now() -> Timestamp {
    SystemClock::default().now()
}
