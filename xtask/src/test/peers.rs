//! Other people's programs that the tests compare us with: oathtool, and in a Python of their own below the target folder pyotp and
//! aiosmtpd for signing in, pycef and cloudevents for what goes out to receivers.
//!
//! What is missing is installed where that is possible without asking. Elsewhere we say what is missing and how to get it, and the
//! tests go on without: they say so, too, and hold to the vectors of the standards.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools;

/// Tells the tests where oathtool is; set by hand, it tells us.
pub(crate) const OATHTOOL: &str = "ACTA_OATHTOOL";
/// Tells the tests where a Python is that has the packages; set by hand, it tells us.
pub(crate) const PYTHON: &str = "ACTA_PYTHON";

const PACKAGES: [&str; 4] = ["pyotp>=2.9,<3", "aiosmtpd>=1.4,<2", "pycef>=1.11,<2", "cloudevents>=2,<3"];
/// Fails where one of them is missing.
const IMPORT: &str = "import aiosmtpd, cloudevents.core, pycef, pyotp";

/// Where they are, as far as they are anywhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Peers {
    pub(crate) oathtool: Option<PathBuf>,
    pub(crate) python: Option<PathBuf>,
}

/// Finds them, and installs what is missing if we may.
pub(crate) fn prepare(target: &Path) -> Peers {
    let may_install = tools::is_root() && tools::find("apt-get").is_some();
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    let mut oathtool = named(OATHTOOL).or_else(|| tools::find("oathtool"));
    if oathtool.is_none() && may_install {
        report(apt_get("oathtool"));
        oathtool = tools::find("oathtool");
    }
    let mut python = named(PYTHON).or_else(|| ready(target));
    if python.is_none() {
        report(make_python(target, may_install));
        python = ready(target);
    }
    let peers = Peers { oathtool, python };
    for line in peers.missing() {
        println!("{line}");
    }
    peers
}

impl Peers {
    /// What is missing, and how to get it.
    fn missing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.oathtool.is_none() {
            lines.push(format!("not compared with oathtool: `apt-get install oathtool` as root, or set {OATHTOOL} to it"));
        }
        if self.python.is_none() {
            let how = format!("set {PYTHON} to a python3 for which `pip install pyotp aiosmtpd pycef cloudevents` was done");
            lines.push(format!("not compared with pyotp, aiosmtpd, pycef and cloudevents: {how}"));
        }
        lines
    }
}

fn folder(target: &Path) -> PathBuf {
    target.join("peers")
}

/// The Python with all packages, if it was made before.
fn ready(target: &Path) -> Option<PathBuf> {
    let python = folder(target).join("bin").join("python");
    let all = tools::output(Command::new(&python).args(["-c", IMPORT]));
    all.is_ok().then_some(python)
}

fn make_python(target: &Path, may_install: bool) -> anyhow::Result<()> {
    let make = || tools::output(Command::new("python3").args(["-m", "venv"]).arg(folder(target)));
    println!("$ python3 -m venv {}", folder(target).display());
    if let Err(e) = make() {
        if !may_install {
            return Err(e);
        }
        apt_get("python3-venv")?;
        make()?;
    }
    let mut pip = Command::new(folder(target).join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
    println!("$ pip install {}", PACKAGES.join(" "));
    tools::output(&mut pip).map(drop)
}

fn apt_get(package: &str) -> anyhow::Result<()> {
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", package]] {
        let mut command = Command::new("apt-get");
        command.args(["--quiet", "--quiet"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        println!("$ {}", tools::typed(&command));
        tools::run(&mut command)?;
    }
    Ok(())
}

/// What could not be installed is told, and is no failure.
fn report(done: anyhow::Result<()>) {
    if let Err(e) = done {
        println!("{e:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_way_to_get_it() {
        let told = Peers { oathtool: None, python: None }.missing().join("\n");
        for part in ["apt-get install oathtool", OATHTOOL, "pyotp aiosmtpd", PYTHON] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
        let there = || Some(PathBuf::from("/there"));
        assert_eq!(Peers { oathtool: there(), python: there() }.missing(), Vec::<String>::new());
    }
}
