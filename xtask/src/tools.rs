//! The workspace as cargo sees it, and starting other programs.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

/// What `cargo metadata` says.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) crates: Vec<Crate>,
}

/// One crate of ours, and what it is built from.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Its `Cargo.toml`, seen from the root.
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A line under `[dependencies]`, `[build-dependencies]` or `[dev-dependencies]`.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) dev: bool,
}

impl Workspace {
    /// Asks cargo about the workspace of the current folder.
    pub(crate) fn read() -> anyhow::Result<Workspace> {
        let text = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata did not answer with JSON")?;
        Workspace::from_metadata(&metadata).context("cargo metadata lacks a member that it always had")
    }

    fn from_metadata(metadata: &Value) -> Option<Workspace> {
        let root = PathBuf::from(metadata["workspace_root"].as_str()?);
        let mut crates = Vec::new();
        for package in metadata["packages"].as_array()? {
            let manifest = Path::new(package["manifest_path"].as_str()?);
            let mut dependencies = Vec::new();
            for one in package["dependencies"].as_array()? {
                dependencies
                    .push(Dependency { name: one["name"].as_str()?.into(), dev: one["kind"].as_str() == Some("dev") });
            }
            crates.push(Crate {
                name: package["name"].as_str()?.into(),
                manifest: manifest.strip_prefix(&root).unwrap_or(manifest).to_string_lossy().into_owned(),
                dependencies,
            });
        }
        crates.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Workspace { target: metadata["target_directory"].as_str()?.into(), root, crates })
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where a program is, if it is on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether this process may install packages and must not run as a database server.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}

/// The command as one would type it.
pub(crate) fn typed(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// Runs it to its end with our terminal; an exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("could not start `{}`", typed(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", typed(command));
    }
    Ok(())
}

/// Runs it to its end and returns what it printed; an exit code other than 0 is an error with what it complained of.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("could not start `{}`", typed(command)))?;
    if !done.status.success() {
        let complaint = String::from_utf8_lossy(&done.stderr);
        bail!("`{}` ended with {}: {}", typed(command), done.status, complaint.trim());
    }
    String::from_utf8(done.stdout).with_context(|| format!("`{}` printed no UTF-8", typed(command)))
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let mut file = File::create(path).with_context(|| format!("could not create {}", path.display()))?;
    file.write_all(text).with_context(|| format!("could not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_becomes_a_workspace() {
        let metadata = serde_json::json!({
            "workspace_root": "/there", "target_directory": "/elsewhere",
            "packages": [{"name": "store", "manifest_path": "/there/crates/store/Cargo.toml",
                "dependencies": [{"name": "record", "kind": null}, {"name": "testkit", "kind": "dev"}]}],
        });
        let workspace = Workspace::from_metadata(&metadata).unwrap();
        assert_eq!(workspace.crates[0].manifest, "crates/store/Cargo.toml");
        let dev: Vec<_> = workspace.crates[0].dependencies.iter().map(|one| (one.name.as_str(), one.dev)).collect();
        assert_eq!(dev, [("record", false), ("testkit", true)]);
    }

    #[test]
    fn what_a_program_complains_of_is_in_the_error() {
        let error = output(Command::new("sh").args(["-c", "echo no luck >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("no luck") && error.contains('3'), "{error}");
        assert_eq!(output(Command::new("sh").args(["-c", "echo fine"])).unwrap(), "fine\n");
    }
}
