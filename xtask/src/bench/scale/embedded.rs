//! Peers that run inside a process: a Python program starts the engine and speaks lines of JSON.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::super::process::folder_bytes;
use super::answer::{self, Rows};
use super::asking::{self, Answers};
use super::peer::{Measured, Peer, write_rows};
use super::question::Line;
use super::story::Story;
use crate::stopwatch::Stopwatch;
use crate::tools;

const PROGRAM: &str = include_str!("peer.py");
/// What is installed where it is missing, and nothing else.
const PACKAGES: [(&str, &str); 2] = [("duckdb", "duckdb==2.0.0"), ("chdb", "chdb==4.4.0")];

/// A Python with the engines.
#[derive(Debug)]
pub(crate) struct Python {
    program: PathBuf,
    script: PathBuf,
}

impl Python {
    /// Finds or makes one below the target folder; a sentence on what is missing otherwise.
    pub(crate) fn prepare(target: &Path, peer: Peer) -> Result<Python, String> {
        let folder = target.join("bench-python");
        let program = folder.join("bin").join("python");
        if !program.is_file() {
            println!("{}: making {}", peer.name(), folder.display());
            tools::output(Command::new("python3").args(["-m", "venv"]).arg(&folder)).map_err(|e| e.to_string())?;
        }
        let module = match peer {
            Peer::DuckDb => "duckdb",
            Peer::ClickHouse => "chdb",
            Peer::Sqlite | Peer::Postgres => "sqlite3",
        };
        let is_there = || tools::output(Command::new(&program).args(["-c", &format!("import {module}")])).is_ok();
        if !is_there() {
            let package = PACKAGES.iter().find(|(name, _)| *name == module).map_or(module, |(_, package)| package);
            println!("{}: installing {package}", peer.name());
            let mut pip = Command::new(&program);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]);
            tools::output(&mut pip).map_err(|e| format!("{package} could not be installed: {e}"))?;
        }
        let script = folder.join("peer.py");
        tools::write(&script, PROGRAM.as_bytes()).map_err(|e| e.to_string())?;
        if is_there() { Ok(Python { program, script }) } else { Err(format!("Python has no module {module}")) }
    }

    fn start(&self, what: &str) -> anyhow::Result<Talk> {
        let mut command = Command::new(&self.program);
        command.arg(&self.script).arg(what).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("could not start python")?;
        let input = BufWriter::new(child.stdin.take().context("python has no input")?);
        let output = BufReader::new(child.stdout.take().context("python has no output")?);
        Ok(Talk { child, input: Some(input), output })
    }

    /// Loads the story and asks all lines.
    pub(crate) fn measure(
        &self,
        peer: Peer,
        folder: &Path,
        story: &Story,
        lines: &[Line],
        expected: &Answers,
    ) -> anyhow::Result<Measured> {
        std::fs::create_dir_all(folder)?;
        let dialect = peer.dialect();
        let opened = json!({
            "engine": peer.name(), "folder": folder, "create": dialect.create(), "insert": dialect.insert(),
            "finish": dialect.finish(), "begin": dialect.begin(),
        });
        let watch = Stopwatch::start();
        let loaded = self.start("load")?.load(peer, &opened, story)?;
        let load_seconds = watch.elapsed().as_secs_f64();
        let bytes = folder_bytes(folder)?;

        let mut talk = self.start("ask")?;
        talk.say(&opened)?;
        talk.hear()?;
        let (mut cpu_seconds, mut peak_bytes) = (0.0, 0);
        let (times, _) = asking::all(peer.name(), lines, Some(expected), |question| {
            talk.say(&json!(dialect.statements(question)))?;
            let told = talk.hear()?;
            cpu_seconds = told["cpu_seconds"].as_f64().unwrap_or(0.0);
            peak_bytes = told["peak_bytes"].as_u64().unwrap_or(0);
            let answers: Vec<Rows> = serde_json::from_value(told["answers"].clone()).context("rows are no texts")?;
            Ok((told["ms"].as_f64().context("no time was told")?, answer::of_peer(question, &answers)?))
        })?;
        talk.close()?;
        Ok(Measured {
            name: loaded["version"].as_str().unwrap_or(peer.name()).to_owned(),
            load_seconds,
            load_cpu_seconds: loaded["cpu_seconds"].as_f64().unwrap_or(0.0),
            bytes,
            times,
            asking_cpu_seconds: cpu_seconds,
            peak_bytes,
        })
    }
}

/// A running program.
struct Talk {
    child: Child,
    /// Closed when all is said.
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
}

impl Talk {
    fn say(&mut self, value: &Value) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("all was said")?;
        writeln!(input, "{value}")?;
        input.flush().context("python listens no more")
    }

    fn hear(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("python ended; what it complained of stands above");
        }
        serde_json::from_str(&line).with_context(|| format!("python printed {line:?}"))
    }

    /// Sends all rows, while somebody listens so that neither waits for the other.
    fn load(mut self, peer: Peer, opened: &Value, story: &Story) -> anyhow::Result<Value> {
        self.say(opened)?;
        let mut input = self.input.take().context("all was said")?;
        let last = std::thread::scope(|scope| {
            let writer = scope.spawn(move || {
                let written = write_rows(peer.name(), story, &mut input);
                written.and_then(|()| Ok(input.flush()?))
            });
            let last = loop {
                let told = self.hear()?;
                if let Some(doing) = told["doing"].as_str() {
                    println!("{}: {doing}", peer.name());
                }
                if told["done"] == true {
                    break told;
                }
            };
            match writer.join() {
                Ok(written) => written.map(|()| last),
                Err(_) => bail!("the writer of rows panicked"),
            }
        })?;
        self.close()?;
        Ok(last)
    }

    fn close(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        let status = self.child.wait()?;
        if !status.success() {
            bail!("python ended with {status}");
        }
        Ok(())
    }
}
