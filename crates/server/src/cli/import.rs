//! `acta import`: events from a file to a running server, every line accounted for.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use store::Chance;

use crate::doors::SystemChance;
use crate::import::Format;

/// Events in one request.
const BATCH_EVENTS: usize = 500;
/// Bytes of one request, after which no more events are put into it; with the largest event still far below the limit.
const BATCH_BYTES: usize = 4 << 20;
/// Attempts at one request that the server cannot take now.
const ATTEMPTS: u32 = 8;
/// Problems shown in full.
const PROBLEMS_SHOWN: usize = 20;

/// Sends events from a file to a running server.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file's format.
    format: Format,
    /// The file, also compressed with gzip or zstd; - for standard input.
    file: PathBuf,
    /// The server's address.
    #[arg(long, value_name = "URL", env = "ACTA_URL", default_value = "http://127.0.0.1:8450")]
    url: String,
    /// An API key with the scope events:write. Better in ACTA_KEY or a file than on the command line.
    #[arg(long, value_name = "KEY", env = "ACTA_KEY", hide_env_values = true)]
    key: Option<String>,
    /// A file that holds the key.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_file: Option<PathBuf>,
}

#[derive(Default)]
struct Tally {
    lines: u64,
    recorded: u64,
    repeats: u64,
    conflicts: u64,
    refused: u64,
    problems: Vec<String>,
}

impl Tally {
    fn problem(&mut self, line: u64, what: &str) {
        if self.problems.len() < PROBLEMS_SHOWN {
            self.problems.push(format!("line {line}: {what}"));
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    status: Option<u16>,
    detail: Option<String>,
    #[serde(default)]
    duplicate: bool,
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let sender = Sender::new(&self)?;
        let (input, bar) = open(&self.file)?;
        let mut input = BufReader::new(input);
        let mut tally = Tally::default();
        let mut batch: Vec<(u64, String)> = Vec::with_capacity(BATCH_EVENTS);
        let mut line = Vec::new();
        let (mut at, mut bytes) = (0, 0);
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line).context("cannot read the file")? == 0 {
                break;
            }
            at += 1;
            let values = match serde_json::from_slice::<&RawValue>(&line) {
                Ok(value) => self.format.events(value),
                Err(_) if line.iter().all(u8::is_ascii_whitespace) => continue,
                // A file that is one JSON document over many lines.
                Err(e) if at == 1 && e.is_eof() => {
                    input.read_to_end(&mut line).context("cannot read the file")?;
                    let value = serde_json::from_slice(&line).context("the file is neither JSON nor JSON lines")?;
                    self.format.events(value)
                }
                Err(e) => vec![Err(crate::import::NotAnEvent(format!("this is not JSON: {e}")))],
            };
            for value in values {
                tally.lines += 1;
                match value {
                    Ok(event) => {
                        bytes += event.len();
                        batch.push((at, event));
                    }
                    Err(e) => {
                        tally.refused += 1;
                        tally.problem(at, &e.0);
                    }
                }
                if batch.len() == BATCH_EVENTS || bytes > BATCH_BYTES {
                    bytes = 0;
                    sender.send(&mut batch, &mut tally)?;
                    bar.set_message(format!("{} events", tally.lines));
                }
            }
        }
        sender.send(&mut batch, &mut tally)?;
        bar.finish_and_clear();
        report(&tally);
        Ok(if tally.refused + tally.conflicts == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn report(tally: &Tally) {
    println!("{} events read", tally.lines);
    println!("{} recorded", tally.recorded);
    println!("{} repeats of events recorded before", tally.repeats);
    println!("{} with the id of another event; not recorded", tally.conflicts);
    println!("{} not valid; not recorded", tally.refused);
    for problem in &tally.problems {
        eprintln!("{problem}");
    }
    let more = (tally.refused + tally.conflicts).saturating_sub(tally.problems.len() as u64);
    if more > 0 {
        eprintln!("… and {more} more");
    }
}

/// The file's bytes, decompressed, and a bar that shows how far it has been read.
fn open(file: &Path) -> anyhow::Result<(Box<dyn Read>, ProgressBar)> {
    if file.as_os_str() == "-" {
        let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {msg}")?);
        return Ok((Box::new(std::io::stdin()), bar));
    }
    let raw = std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let style = ProgressStyle::with_template("{bar:40} {percent}% {msg}")?;
    let bar = ProgressBar::new(raw.metadata()?.len()).with_style(style);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let mut raw = BufReader::new(bar.wrap_read(raw));
    let start = raw.fill_buf().context("cannot read the file")?;
    let input: Box<dyn Read> = if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(raw)?)
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(raw))
    } else {
        Box::new(raw)
    };
    Ok((input, bar))
}

struct Sender {
    agent: ureq::Agent,
    url: String,
    key: String,
    run: String,
    sent: std::cell::Cell<u64>,
}

impl Sender {
    fn new(import: &Import) -> anyhow::Result<Sender> {
        let key = match (&import.key, &import.key_file) {
            (Some(key), _) => key.clone(),
            (None, Some(file)) => {
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
            }
            (None, None) => bail!("an API key is needed: --key, --key-file or ACTA_KEY; `acta key create` makes one"),
        };
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60)));
        let mut run = [0; 16];
        Chance::fill(&SystemChance, &mut run);
        Ok(Sender {
            agent: config.build().into(),
            url: format!("{}/v1/events", import.url.trim_end_matches('/')),
            key: key.trim().to_owned(),
            run: run.iter().map(|byte| format!("{byte:02x}")).collect(),
            sent: std::cell::Cell::new(0),
        })
    }

    /// Sends a batch until the server has taken it. The idempotency key makes a repeat safe for events without an id, too.
    fn send(&self, batch: &mut Vec<(u64, String)>, tally: &mut Tally) -> anyhow::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut body = Vec::new();
        let mut encoder = flate2::write::GzEncoder::new(&mut body, flate2::Compression::fast());
        for (_, event) in batch.iter() {
            encoder.write_all(event.as_bytes())?;
            encoder.write_all(b"\n")?;
        }
        encoder.finish()?;
        self.sent.set(self.sent.get() + 1);
        let answer = self.post(&body)?;
        if answer.results.len() != batch.len() {
            bail!("the server answered for {} events of {}", answer.results.len(), batch.len());
        }
        for ((line, _), item) in batch.drain(..).zip(answer.results) {
            match item.status {
                None if item.duplicate => tally.repeats += 1,
                None => tally.recorded += 1,
                Some(status) => {
                    if status == 409 {
                        tally.conflicts += 1
                    } else {
                        tally.refused += 1
                    }
                    tally.problem(line, item.detail.as_deref().unwrap_or("refused"));
                }
            }
        }
        Ok(())
    }

    fn post(&self, body: &[u8]) -> anyhow::Result<Answer> {
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            let sent = self
                .agent
                .post(&self.url)
                .header("authorization", format!("Bearer {}", self.key))
                .header("content-type", "application/x-ndjson")
                .header("content-encoding", "gzip")
                .header("idempotency-key", format!("import-{}-{}", self.run, self.sent.get()))
                .send(body);
            let mut response = match sent {
                Ok(response) => response,
                Err(e) => {
                    last = e.to_string();
                    wait(Duration::from_millis(250 << attempt.min(6)));
                    continue;
                }
            };
            let status = response.status().as_u16();
            if status == 200 {
                return response
                    .body_mut()
                    .with_config()
                    .limit(64 << 20)
                    .read_to_vec()
                    .map_err(anyhow::Error::from)
                    .and_then(|bytes| {
                        serde_json::from_slice(&bytes).context("the server's answer cannot be read; is this Acta?")
                    });
            }
            let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            last = problem_text(&response.body_mut().read_to_string().unwrap_or_default(), status);
            if !matches!(status, 429 | 502..=504) {
                bail!("the server refused: {last}");
            }
            wait(after.map_or(Duration::from_millis(250 << attempt.min(6)), Duration::from_secs));
        }
        bail!("gave up after {ATTEMPTS} attempts; what the server had confirmed is recorded. The last answer: {last}")
    }
}

fn problem_text(body: &str, status: u16) -> String {
    let problem: Option<Value> = serde_json::from_str(body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")).and_then(Value::as_str);
    detail.map_or_else(|| format!("status {status}"), |detail| format!("{detail} (status {status})"))
}

/// A command that waits before it tries again has nothing else to do. Waking up early does no harm.
fn wait(time: Duration) {
    std::thread::park_timeout(time);
}
