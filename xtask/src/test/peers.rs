//! Other people's programs that the tests compare us with: oathtool; pyotp, aiosmtpd, pycef, cloudevents,
//! standardwebhooks, cryptography and opentelemetry-proto in a Python of their own below the target folder; and standardwebhooks for JavaScript.
//!
//! What is missing is installed where that is possible without asking. Elsewhere we say what is missing and how to get it,
//! and the tests go on without: they say so, too, and hold to the vectors of the standards.

mod fetch;
pub(crate) mod sockets;

pub(crate) mod stores;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools;
use fetch::report;

/// Tells the tests where oathtool is; set by hand, it tells us.
pub(crate) const OATHTOOL: &str = "ACTA_OATHTOOL";
/// Tells the tests where a Python is that has the packages; set by hand, it tells us.
pub(crate) const PYTHON: &str = "ACTA_PYTHON";

/// Tells the tests in which folder npm's package standardwebhooks is; set by hand, it tells us.
pub(crate) const WEBHOOK_NODE: &str = "ACTA_WEBHOOK_NODE";

const PACKAGES: [&str; 7] = [
    "pyotp>=2.9,<3",
    "aiosmtpd>=1.4,<2",
    "pycef>=1.11,<2",
    "cloudevents>=2,<3",
    "standardwebhooks>=1.1,<2",
    "opentelemetry-proto>=1.40,<2",
    "cryptography>=42",
];
/// What is imported to find out whether all of them are there.
const IMPORTS: &str =
    "import aiosmtpd, cloudevents.core, cryptography, opentelemetry.proto.logs.v1.logs_pb2, pycef, pyotp, standardwebhooks";

/// Where they are, as far as they are anywhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Peers {
    pub(crate) oathtool: Option<PathBuf>,
    pub(crate) python: Option<PathBuf>,
    pub(crate) webhook_node: Option<PathBuf>,
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
    let webhook_node = std::env::var_os(WEBHOOK_NODE).map(PathBuf::from).or_else(|| node_package(target));
    let peers = Peers { oathtool, python, webhook_node };
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
            let names = PACKAGES.map(|one| one.split(['>', '<']).next().unwrap_or(one));
            let how = format!("set {PYTHON} to a python3 for which `pip install {}` was done", names.join(" "));
            lines.push(format!("not compared with {}: {how}", names.join(", ")));
        }
        if self.webhook_node.is_none() {
            let how = format!(
                "install node and npm, or set {WEBHOOK_NODE} to a folder where `npm install standardwebhooks` was done"
            );
            lines.push(format!("not compared with standardwebhooks for JavaScript: {how}"));
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
    let all = tools::output(Command::new(&python).args(["-c", IMPORTS]));
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
    fetch::pip(&folder(target).join("bin").join("python"), &[], &PACKAGES)
}

/// The folder with npm's package, made if node and npm are there. They are not installed for this: one library is compared.
fn node_package(target: &Path) -> Option<PathBuf> {
    tools::find("node")?;
    tools::find("npm")?;
    let folder = target.join("peers-node");
    let package = folder.join("node_modules").join("standardwebhooks");
    if !package.is_dir() {
        report(fetch::npm(&folder, "standardwebhooks@1"));
    }
    package.is_dir().then_some(folder)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_way_to_get_it() {
        let told = Peers { oathtool: None, python: None, webhook_node: None }.missing().join("\n");
        for part in ["apt-get install oathtool", OATHTOOL, "pyotp aiosmtpd", PYTHON, "standardwebhooks", WEBHOOK_NODE] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
        let there = || Some(PathBuf::from("/there"));
        assert_eq!(Peers { oathtool: there(), python: there(), webhook_node: there() }.missing(), Vec::<String>::new());
    }
}
