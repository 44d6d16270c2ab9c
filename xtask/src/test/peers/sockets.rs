//! Receivers that the tests of delivery send to: rsyslog, syslog-ng and nats-server from Debian, and librdkafka's own broker, which
//! comes with PyPI's confluent-kafka.
//!
//! Debian's packages are unpacked below the target folder and not installed: so no daemon starts, and nobody has to be root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::fetch::{self, report};
use crate::tools;

/// Tells the tests where the packages are unpacked: a folder with `usr/sbin/rsyslogd` and so on.
pub(crate) const DEBIAN: &str = "ACTA_DEBIAN_PEERS";
/// Tells the tests where confluent-kafka is: a folder for `PYTHONPATH`.
pub(crate) const KAFKA: &str = "ACTA_KAFKA_PEER";

/// rsyslog and syslog-ng may not be installed together, so they are not asked for together.
const DEBIAN_PACKAGES: [&[&str]; 3] = [&["rsyslog", "rsyslog-openssl"], &["syslog-ng-core"], &["nats-server"]];
const PROGRAMS: [&str; 3] = ["usr/sbin/rsyslogd", "usr/sbin/syslog-ng", "usr/sbin/nats-server"];
const PYTHON_PACKAGE: &str = "confluent-kafka>=2.16,<3";

/// Finds them, and fetches what is missing if we can. Gives the variables for the tests; says what is missing.
pub(crate) fn prepare(target: &Path, python: Option<&Path>) -> Vec<(&'static str, PathBuf)> {
    let mut found = Vec::new();
    let debian = folder(target, DEBIAN, "debian");
    if !has_programs(&debian) {
        report(fetch_debian(&debian));
    }
    if has_programs(&debian) {
        found.push((DEBIAN, debian));
    } else {
        println!("not sent to rsyslog, syslog-ng and nats-server: on Debian they are fetched with apt-get; or set {DEBIAN}");
    }
    let kafka = folder(target, KAFKA, "kafka");
    if !has_kafka(&kafka) {
        report(fetch_kafka(&kafka, python));
    }
    if has_kafka(&kafka) {
        found.push((KAFKA, kafka));
    } else {
        println!("not sent to librdkafka's broker: set {KAFKA} to a folder for `pip install --target` of confluent-kafka");
    }
    found
}

/// The one that was set by hand, or ours.
fn folder(target: &Path, variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| target.join("peers").join(name), PathBuf::from)
}

fn has_programs(folder: &Path) -> bool {
    PROGRAMS.iter().all(|program| folder.join(program).is_file())
}

fn has_kafka(folder: &Path) -> bool {
    folder.join("confluent_kafka").join("__init__.py").is_file()
}

fn fetch_debian(folder: &Path) -> anyhow::Result<()> {
    let archives = folder.join("archives");
    std::fs::create_dir_all(archives.join("partial"))
        .with_context(|| format!("{} could not be made", archives.display()))?;
    if tools::is_root() {
        // Without a list of packages nothing is found. A list that is there, and cannot be renewed, will do.
        report(tools::run(Command::new("apt-get").args(["--quiet", "--quiet", "update"])));
    }
    for packages in DEBIAN_PACKAGES {
        let mut command = Command::new("apt-get");
        command.args(["--quiet", "--quiet", "--yes", "--reinstall", "--no-install-recommends", "--download-only"]);
        command.args(["-o", "Debug::NoLocking=1", "-o"]).arg(format!("Dir::Cache::archives={}", archives.display()));
        command.arg("install").args(packages);
        println!("$ {}", tools::typed(&command));
        tools::output(&mut command)?;
    }
    for entry in std::fs::read_dir(&archives)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            tools::run(Command::new("dpkg").arg("--extract").arg(&path).arg(folder))?;
        }
    }
    Ok(())
}

fn fetch_kafka(folder: &Path, python: Option<&Path>) -> anyhow::Result<()> {
    let place = folder.to_str().context("the path of the folder is no text")?;
    fetch::pip(python.unwrap_or(Path::new("python3")), &["--target", place], &[PYTHON_PACKAGE])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_found() {
        let nowhere = Path::new("/nowhere/at/all");
        assert!(!has_programs(nowhere) && !has_kafka(nowhere));
        assert_eq!(folder(Path::new("target"), "ACTA_NOBODY_SETS_THIS", "kafka"), Path::new("target/peers/kafka"));
    }
}
