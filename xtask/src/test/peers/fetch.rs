//! Fetching other people's packages: what is fetched is told, and what cannot be is no failure.

use std::path::Path;
use std::process::Command;

use crate::tools;

/// `pip install` in a Python, with what else the place needs.
pub(super) fn pip(python: &Path, options: &[&str], packages: &[&str]) -> anyhow::Result<()> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(options).args(packages);
    println!("$ {}", tools::typed(&pip));
    tools::output(&mut pip).map(drop)
}

/// `npm install` below a folder. Scripts of packages are not run.
pub(super) fn npm(folder: &Path, package: &str) -> anyhow::Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix"]).arg(folder);
    npm.arg(package);
    println!("$ {}", tools::typed(&npm));
    tools::output(&mut npm).map(drop)
}

/// What could not be fetched is told, and is no failure.
pub(super) fn report(done: anyhow::Result<()>) {
    if let Err(e) = done {
        println!("{e:#}");
    }
}
