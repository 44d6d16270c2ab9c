//! `cargo xtask test`: everything that must hold, in the order in which it is cheapest to hear of a mistake.
//!
//! The last line is always `N passed, N failed`, over all test runs, so that whoever reads only that line knows.

mod chromium;
mod counts;
mod peers;
mod tee;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use crate::stopwatch::Stopwatch;
use crate::tidy;
use crate::tools::{self, Workspace, cargo};
use counts::Counts;

/// The package whose tests need a browser.
const BROWSER: &str = "browser";

/// Runs the steps up to the first failure; tells how it went and whether it went well.
pub(crate) fn run(workspace: &Workspace, browser: bool) -> bool {
    let mut run = Run { workspace, counts: Counts::default(), steps: Vec::new() };
    let watch = Stopwatch::start();
    let done = run.all(browser);
    println!("\n== summary");
    for (title, took) in &run.steps {
        println!("{:>8.1} s  {title}", took.as_secs_f64());
    }
    println!("{:>8.1} s  in all", watch.elapsed().as_secs_f64());
    if let Err(e) = &done {
        println!("FAILED: {e:#}");
    }
    println!("{}", run.counts);
    done.is_ok() && run.counts.failed == 0
}

struct Run<'a> {
    workspace: &'a Workspace,
    counts: Counts,
    steps: Vec<(String, Duration)>,
}

impl Run<'_> {
    fn all(&mut self, browser: bool) -> anyhow::Result<()> {
        if browser {
            // Said before the first long step, not after the last one.
            chromium::check_possible(&self.workspace.target)?;
        }
        self.step("formatting", Run::formatting)?;
        self.step("lints", Run::lints)?;
        self.step("documentation", Run::documentation)?;
        self.step("tests", Run::tests)?;
        self.step("tidy", |run| tidy::run(run.workspace))?;
        if browser {
            self.step("pages in a browser", Run::pages)?;
        } else {
            println!("\n== pages in a browser: left out, as --no-browser asks");
        }
        Ok(())
    }

    fn step(&mut self, title: &str, work: impl FnOnce(&mut Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        println!("\n== {title}");
        let watch = Stopwatch::start();
        let done = work(self);
        let took = watch.elapsed();
        println!("== {title}: {} after {:.1} s", if done.is_ok() { "done" } else { "failed" }, took.as_secs_f64());
        self.steps.push((title.to_owned(), took));
        done.map_err(|e| e.context(format!("step \"{title}\"")))
    }

    fn formatting(&mut self) -> anyhow::Result<()> {
        if tools::find("cargo-fmt").is_none() {
            bail!("rustfmt is not installed; `rustup component add rustfmt` brings it");
        }
        self.stream(cargo().args(["fmt", "--all", "--check"]), "the code is not formatted; `cargo fmt --all` does it")
    }

    fn lints(&mut self) -> anyhow::Result<()> {
        if tools::find("cargo-clippy").is_none() {
            bail!("clippy is not installed; `rustup component add clippy` brings it");
        }
        let mut clippy = cargo();
        clippy.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
        self.stream(&mut clippy, "clippy has complaints")
    }

    fn documentation(&mut self) -> anyhow::Result<()> {
        let mut doc = cargo();
        doc.args(["doc", "--workspace", "--no-deps", "--document-private-items"]).env("RUSTDOCFLAGS", "-D warnings");
        self.stream(&mut doc, "rustdoc has complaints")
    }

    fn tests(&mut self) -> anyhow::Result<()> {
        self.build_acta()?;
        let peers = peers::prepare(&self.workspace.target);
        let stores = peers::stores::prepare(&self.workspace.target, peers.python.as_deref());
        let found =
            [(peers::OATHTOOL, peers.oathtool), (peers::PYTHON, peers.python), (peers::WEBHOOK_NODE, peers.webhook_node)];
        let compared = |mut command: Command| {
            command.envs(found.iter().filter_map(|(name, path)| Some((name, path.as_ref()?))));
            command.envs(stores.iter().map(|(name, path)| (name, path)));
            command
        };
        let failed = "not all tests pass";
        if !has_nextest() {
            println!("cargo-nextest is not installed; `cargo test` takes its place");
            let test = self.test_command(&["test", "--workspace", "--exclude", BROWSER, "--no-fail-fast"]);
            let mut test = compared(test);
            return self.stream(&mut test, failed);
        }
        let nextest = self.test_command(&["nextest", "run", "--workspace", "--exclude", BROWSER, "--no-fail-fast"]);
        let mut nextest = compared(nextest);
        self.stream(&mut nextest, failed)?;
        let mut doctests = self.test_command(&["test", "--doc", "--workspace", "--exclude", BROWSER, "--no-fail-fast"]);
        self.stream(&mut doctests, "not all examples in the documentation pass")
    }

    fn pages(&mut self) -> anyhow::Result<()> {
        let found = chromium::prepare(&self.workspace.target)?;
        println!("chromium: {}", found.chromium.display());
        println!("chromedriver: {}", found.chromedriver.display());
        println!("axe-core: {}", found.axe.display());
        self.build_acta()?;
        let mut tests = if has_nextest() {
            self.test_command(&["nextest", "run", "--package", BROWSER, "--no-fail-fast", "--no-tests", "pass"])
        } else {
            self.test_command(&["test", "--package", BROWSER, "--no-fail-fast"])
        };
        tests.env(chromium::CHROMIUM, &found.chromium).env(chromium::CHROMEDRIVER, &found.chromedriver);
        tests.env(chromium::AXE, &found.axe);
        self.stream(&mut tests, "not all tests of the pages pass")
    }

    /// Tests start the program itself, so it has to be there and of this source.
    fn build_acta(&mut self) -> anyhow::Result<()> {
        self.stream(cargo().args(["build", "--package", "server", "--bin", "acta"]), "the program does not build")
    }

    fn test_command(&self, arguments: &[&str]) -> Command {
        let acta: PathBuf = self.workspace.target.join("debug").join("acta");
        let mut command = cargo();
        command.args(arguments).env("ACTA_BIN", acta);
        command
    }

    /// Runs it with its output passed on and its tests counted.
    fn stream(&mut self, command: &mut Command, complaint: &str) -> anyhow::Result<()> {
        command.current_dir(&self.workspace.root);
        println!("$ {}", tools::typed(command));
        let (status, counts) = tee::run(command)?;
        self.counts.add(counts);
        if !status.success() {
            bail!("{complaint} (`{}` ended with {status})", tools::typed(command));
        }
        Ok(())
    }
}

fn has_nextest() -> bool {
    tools::find("cargo-nextest").is_some()
}
