//! Stores that the tests of archives put objects into: moto (an S3 that verifies signatures) and gcp-storage-emulator in a Python of
//! their own, and azurite from npm. All below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::fetch::{self, report};
use crate::tools;

/// Tells the tests where a Python is that has moto and gcp-storage-emulator; set by hand, it tells us.
pub(crate) const PYTHON: &str = "ACTA_STORES_PYTHON";
/// Tells the tests where azurite's program for blobs is; set by hand, it tells us.
pub(crate) const AZURITE: &str = "ACTA_AZURITE";

const PYTHON_PACKAGES: [&str; 2] = ["moto[server]>=5.2,<6", "gcp-storage-emulator>=2026.7.19"];
const NODE_PACKAGE: &str = "azurite@3";
const PROGRAM: &str = "node_modules/azurite/dist/src/blob/main.js";

/// Finds them, and fetches what is missing if we can. Gives the variables for the tests; says what is missing.
pub(crate) fn prepare(target: &Path, python: Option<&Path>) -> Vec<(&'static str, PathBuf)> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    let (stores, azurite) = (target.join("peers").join("stores"), target.join("peers").join("azurite"));
    let (python_now, azurite_now) = (named(PYTHON).or_else(|| ready(&stores)), named(AZURITE).or_else(|| program(&azurite)));
    // Both take a quarter of a minute, and most of it is waiting for somebody else.
    std::thread::scope(|scope| {
        if azurite_now.is_none() {
            scope.spawn(|| report(fetch::npm(&azurite, NODE_PACKAGE)));
        }
        if python_now.is_none() {
            report(fetch_python(&stores, python));
        }
    });
    let mut found = Vec::new();
    match python_now.or_else(|| ready(&stores)) {
        Some(path) => found.push((PYTHON, path)),
        None => println!(
            "not put into S3 and Google's storage: set {PYTHON} to a python3 with moto[server] and gcp-storage-emulator"
        ),
    }
    match azurite_now.or_else(|| program(&azurite)) {
        Some(path) => found.push((AZURITE, path)),
        None => println!("not put into Azure's storage: `npm install {NODE_PACKAGE}`, and set {AZURITE} to its {PROGRAM}"),
    }
    found
}

/// The Python with both packages, if it was made before.
fn ready(folder: &Path) -> Option<PathBuf> {
    let python = folder.join("bin").join("python");
    let both = tools::output(Command::new(&python).args(["-c", "import gcp_storage_emulator, moto, flask"]));
    both.is_ok().then_some(python)
}

fn program(folder: &Path) -> Option<PathBuf> {
    Some(folder.join(PROGRAM)).filter(|path| path.is_file())
}

fn fetch_python(folder: &Path, python: Option<&Path>) -> anyhow::Result<()> {
    let python = python.unwrap_or(Path::new("python3"));
    println!("$ python3 -m venv {}", folder.display());
    tools::output(Command::new(python).args(["-m", "venv"]).arg(folder))?;
    // Compiling what is installed takes as long as installing it, and little of it is ever loaded.
    fetch::pip(&folder.join("bin").join("python"), &["--no-compile"], &PYTHON_PACKAGES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_found() {
        let nowhere = Path::new("/nowhere/at/all");
        assert_eq!((ready(nowhere), program(nowhere)), (None, None));
    }
}
