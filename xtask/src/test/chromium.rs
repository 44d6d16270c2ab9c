//! What the tests of the pages need: Chromium, its driver, and axe-core, which finds what keeps people from using a page.
//!
//! What is missing is installed where that is possible without asking: Debian's packages by root, axe-core by npm below
//! the target folder. Elsewhere we say what is missing and how to get it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::tools;

/// Tells the tests where Chromium is; set by hand, it tells us.
pub(crate) const CHROMIUM: &str = "ACTA_CHROMIUM";
/// Tells the tests where ChromeDriver is; set by hand, it tells us.
pub(crate) const CHROMEDRIVER: &str = "ACTA_CHROMEDRIVER";
/// Tells the tests where `axe.min.js` is; set by hand, it tells us.
pub(crate) const AXE: &str = "ACTA_AXE";

/// Where the three are.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
    pub(crate) axe: PathBuf,
}

/// What this machine has and what we may do on it.
#[derive(Debug)]
struct Machine {
    chromium: Option<PathBuf>,
    chromedriver: Option<PathBuf>,
    axe: Option<PathBuf>,
    may_install: bool,
    has_npm: bool,
}

/// An error that names everything that is missing and cannot be installed by us, if there is such a thing.
pub(crate) fn check_possible(target: &Path) -> anyhow::Result<()> {
    match Machine::look(target).hopeless() {
        None => Ok(()),
        Some(text) => bail!(text),
    }
}

/// Installs what is missing.
pub(crate) fn prepare(target: &Path) -> anyhow::Result<Found> {
    check_possible(target)?;
    let machine = Machine::look(target);
    if machine.chromium.is_none() || machine.chromedriver.is_none() {
        apt_get(&["update"])?;
        apt_get(&["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"])?;
    }
    if machine.axe.is_none() {
        fetch_axe(target)?;
    }
    let machine = Machine::look(target);
    Ok(Found {
        chromium: machine.chromium.context("chromium was installed, but is not on the PATH")?,
        chromedriver: machine.chromedriver.context("chromium-driver was installed, but chromedriver is not on the PATH")?,
        axe: machine.axe.context("axe-core was unpacked, but holds no axe.min.js")?,
    })
}

impl Machine {
    fn look(target: &Path) -> Machine {
        let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
        let axe = axe_folder(target).join("package").join("axe.min.js");
        Machine {
            chromium: named(CHROMIUM).or_else(|| tools::find("chromium")),
            chromedriver: named(CHROMEDRIVER).or_else(|| tools::find("chromedriver")),
            axe: named(AXE).or_else(|| axe.is_file().then_some(axe)),
            may_install: tools::is_root() && tools::find("apt-get").is_some(),
            has_npm: tools::find("npm").is_some(),
        }
    }

    fn hopeless(&self) -> Option<String> {
        let mut lines = Vec::new();
        if self.chromium.is_none() && !self.may_install {
            lines.push(format!("Chromium: `apt-get install chromium` as root, or set {CHROMIUM} to it"));
        }
        if self.chromedriver.is_none() && !self.may_install {
            lines.push(format!("ChromeDriver: `apt-get install chromium-driver` as root, or set {CHROMEDRIVER} to it"));
        }
        if self.axe.is_none() && !self.has_npm {
            lines.push(format!("axe-core: install npm, or set {AXE} to the axe.min.js of the npm package axe-core"));
        }
        if lines.is_empty() {
            return None;
        }
        lines.insert(0, "the tests of the pages lack what cannot be installed from here:".into());
        lines.push("or run `cargo xtask test --no-browser`, which leaves these tests out".into());
        Some(lines.join("\n  "))
    }
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["--quiet", "--quiet"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    println!("$ {}", tools::typed(&command));
    tools::run(&mut command)
}

fn axe_folder(target: &Path) -> PathBuf {
    target.join("axe")
}

fn fetch_axe(target: &Path) -> anyhow::Result<()> {
    let folder = axe_folder(target);
    std::fs::create_dir_all(&folder).with_context(|| format!("could not create {}", folder.display()))?;
    let mut pack = Command::new("npm");
    pack.args(["pack", "axe-core@4", "--silent", "--pack-destination"]).arg(&folder).current_dir(&folder);
    println!("$ npm pack axe-core@4");
    let printed = tools::output(&mut pack)?;
    let archive = printed.lines().last().map(str::trim).context("npm pack did not name the file that it wrote")?;
    tools::run(Command::new("tar").arg("-xzf").arg(folder.join(archive)).arg("-C").arg(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_way_to_get_it() {
        let bare = Machine { chromium: None, chromedriver: None, axe: None, may_install: false, has_npm: false };
        let text = bare.hopeless().unwrap();
        for part in ["apt-get install chromium`", "apt-get install chromium-driver", "npm", "--no-browser"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert_eq!(Machine { may_install: true, has_npm: true, ..bare }.hopeless(), None);
    }

    #[test]
    fn what_is_there_is_not_asked_for() {
        let there = || Some(PathBuf::from("/there"));
        let full = Machine { chromium: there(), chromedriver: there(), axe: there(), may_install: false, has_npm: false };
        assert_eq!(full.hopeless(), None);
    }
}
