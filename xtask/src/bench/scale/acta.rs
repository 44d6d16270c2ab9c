//! Acta under measurement at scale: the release binary, spoken to over HTTP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::super::acta::{log_of, start};
use super::super::http::Connection;
use super::super::numbers::percentile_ms;
use super::super::process;
use super::answer;
use super::asking::{self, Answers, Times};
use super::question::{KEY_TEAM, Line, Question, Wanted, lines};
use super::sending::{self, Ingest};
use super::story::{self, BLOCK, ORGANIZATIONS, Story};
use crate::stopwatch::{Stopwatch, rest};
use crate::tools;

/// Readers at once, for the most memory and the rate.
const READERS: usize = 4;
/// They stop after so long, even if not everything was asked.
const READING: Duration = Duration::from_secs(60);
/// How often it is looked whether the questions may begin.
const WAIT: Duration = Duration::from_secs(1);
/// Blocks that are sent before the server is killed.
const TAIL_BLOCKS: usize = 100;

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) ingest: Ingest,
    pub(crate) bytes: u64,
    pub(crate) times: Vec<Times>,
    pub(crate) mixed: Mixed,
    /// The most memory while questions were asked.
    pub(crate) peak_bytes: u64,
    pub(crate) asking_cpu_seconds: f64,
    /// From starting the process until it is ready, in seconds.
    pub(crate) start_seconds: f64,
    /// And until the first page is answered.
    pub(crate) first_page_seconds: f64,
    /// From starting it after a kill until it is ready, and how many events were sent just before.
    pub(crate) killed_seconds: f64,
    pub(crate) killed_events: usize,
    /// How long `acta check` took.
    pub(crate) check_seconds: Option<f64>,
}

/// Every question once more, by several readers at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mixed {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// A data directory with all organizations and their keys.
struct Folder {
    binary: PathBuf,
    folder: PathBuf,
    data: PathBuf,
    /// One for each organization.
    keys: Vec<String>,
}

/// Who asks.
struct Asker {
    connection: Connection,
    key: String,
    team_key: Option<String>,
    /// Acta's ids of the events that are asked for.
    ids: HashMap<usize, String>,
}

/// Records the story and asks everything; tells the lines that could be asked, and the answers for comparing.
///
/// Between the two it waits until the file `wait_for` exists, if that is wanted.
pub(crate) fn measure(
    binary: &Path,
    folder: &Path,
    story: &Story,
    wait_for: Option<&Path>,
) -> anyhow::Result<(Measured, Vec<Line>, Answers)> {
    println!("acta: making {ORGANIZATIONS} organizations");
    let folder = Folder::make(binary, folder)?;
    let (server, address) = start(&folder.binary, &folder.folder, &folder.data)?;
    let told = || log_of(&folder.folder);
    let ingest = sending::send(&server, address, &folder.keys, story, 0..story.blocks(), true).with_context(told)?;
    let bytes = process::folder_bytes(&folder.data)?;

    if let Some(file) = wait_for {
        println!("loaded; the questions wait for {}", file.display());
        while !file.exists() {
            rest(WAIT);
        }
    }

    let team_key = folder.team_key(address)?;
    let mut asker = Asker {
        connection: Connection::open(address, &folder.keys[0])?,
        key: folder.keys[0].clone(),
        team_key,
        ids: HashMap::new(),
    };
    let mut lines = lines(story, &organization_only(&mut asker.connection)?);
    if asker.team_key.is_none() {
        lines.retain(|line| !line.questions.iter().any(Question::is_teams));
    }
    let before = process::cpu_seconds(server.pid())?;
    process::forget_peak(server.pid())?;
    let (times, answers) = asking::all("acta", &lines, None, |question| asker.ask(question)).with_context(told)?;
    let asking_cpu_seconds = process::cpu_seconds(server.pid())? - before;
    let mixed = mixed(address, &folder.keys[0], &asker, &lines).with_context(told)?;
    let peak_bytes = process::peak_bytes(server.pid())?;

    server.stop("TERM").with_context(told)?;
    let watch = Stopwatch::start();
    let (server, address) = start(&folder.binary, &folder.folder, &folder.data)?;
    let start_seconds = watch.elapsed().as_secs_f64();
    total(address, &folder.keys[0], story)?;
    let first_page_seconds = watch.elapsed().as_secs_f64();
    println!("acta: ready {start_seconds:.2} s after the start, first page after {first_page_seconds:.2} s");

    // A tail that is not in segments yet, and the kill in the midst of it all.
    let tail = story.blocks()..story.blocks() + TAIL_BLOCKS;
    let longer = Story::new(story.seed, story.blocks() * BLOCK + TAIL_BLOCKS * BLOCK, story.newest_ms);
    let earlier = total(address, &folder.keys[0], story)?;
    sending::send(&server, address, &folder.keys, &longer, tail.clone(), false).with_context(told)?;
    server.kill()?;
    let watch = Stopwatch::start();
    let (server, address) = start(&folder.binary, &folder.folder, &folder.data)?;
    let killed_seconds = watch.elapsed().as_secs_f64();
    let sent = tail.clone().filter(|&block| longer.org_of_block(block) == 0).map(|block| longer.block(block).len());
    let (found, expected) = (total(address, &folder.keys[0], story)?, earlier + sent.sum::<usize>() as u64);
    if found != expected {
        bail!("{found} events are there after a kill, {expected} were answered for");
    }
    println!("acta: ready {killed_seconds:.2} s after a kill, and nothing is lost");
    server.stop("TERM").with_context(told)?;
    let check_seconds = folder.check(story.count)?;
    let measured = Measured {
        ingest,
        bytes,
        times,
        mixed,
        peak_bytes,
        asking_cpu_seconds,
        start_seconds,
        first_page_seconds,
        killed_seconds,
        killed_events: tail.len() * BLOCK,
        check_seconds,
    };
    Ok((measured, lines, answers))
}

impl Folder {
    fn make(binary: &Path, folder: &Path) -> anyhow::Result<Folder> {
        let data = folder.join("data");
        std::fs::create_dir_all(folder)?;
        let password = folder.join("password");
        tools::write(&password, b"correct horse battery staple\n")?;
        let mut made = Folder { binary: binary.to_owned(), folder: folder.to_owned(), data: data.clone(), keys: Vec::new() };
        for org in 0..ORGANIZATIONS {
            let name = story::organization(org);
            let mut init = Command::new(binary);
            init.arg("init").arg("--data").arg(&data).args(["--organization", &name]);
            init.args(["--admin-email", &format!("owner@org{org:02}.example.net"), "--admin-password-file"]);
            tools::output(init.arg(&password))?;
            let key = made.key(org, &["--scopes", "events:write,events:read"])?;
            made.keys.push(key);
        }
        Ok(made)
    }

    fn key(&self, org: usize, arguments: &[&str]) -> anyhow::Result<String> {
        let mut create = Command::new(&self.binary);
        create.args(["key", "create", "--data"]).arg(&self.data).args(["--organization", &story::organization(org)]);
        Ok(tools::output(create.args(arguments))?.trim().to_owned())
    }

    /// A key that sees one team of the first organization; none where this Acta cannot make teams by its API.
    fn team_key(&self, address: SocketAddr) -> anyhow::Result<Option<String>> {
        let admin = self.key(0, &["--scopes", "directory:read,directory:write"])?;
        let id = story::team(KEY_TEAM);
        let body = serde_json::json!({"id": id, "name": format!("Team {KEY_TEAM:02}")}).to_string();
        let answer = Connection::open(address, &admin)?.post("/v1/teams", body.as_bytes())?;
        if !(200..300).contains(&answer.status) {
            println!("acta: a team could not be made (status {}); what its key sees is left out", answer.status);
            return Ok(None);
        }
        self.key(0, &["--scopes", "events:read", "--team", &id]).map(Some)
    }

    /// Everything against everything, where that does not take all day.
    fn check(&self, events: usize) -> anyhow::Result<Option<f64>> {
        if events > 20_000_000 {
            return Ok(None);
        }
        println!("acta: checking the data directory");
        let watch = Stopwatch::start();
        let mut check = Command::new(&self.binary);
        tools::output(check.arg("check").arg("--data").arg(&self.data)).context("acta check found damage")?;
        Ok(Some(watch.elapsed().as_secs_f64()))
    }
}

impl Asker {
    fn ask(&mut self, question: &Question) -> anyhow::Result<(f64, Value)> {
        let key = if question.is_teams() { self.team_key.as_deref().unwrap_or_default() } else { &self.key };
        self.connection.use_key(key);
        let paths = match &question.wanted {
            Wanted::One { number, .. } => vec![format!("/v1/events/{}", self.event_id(*number, question)?)],
            _ => question.paths(),
        };
        let watch = Stopwatch::start();
        let mut bodies = Vec::new();
        for path in &paths {
            bodies.push(self.connection.get(path)?);
        }
        let ms = watch.elapsed().as_secs_f64() * 1_000.0;
        let mut answers = Vec::new();
        for (path, answer) in paths.iter().zip(bodies) {
            if answer.status != 200 {
                bail!("GET {path}: status {}, {}", answer.status, String::from_utf8_lossy(&answer.body));
            }
            answers.push(serde_json::from_slice(&answer.body).with_context(|| format!("GET {path} gave no JSON"))?);
        }
        Ok((ms, answer::of_acta(question, &answers)?))
    }

    /// Found by its request's id.
    fn event_id(&mut self, number: usize, question: &Question) -> anyhow::Result<String> {
        if let Some(known) = self.ids.get(&number) {
            return Ok(known.clone());
        }
        let path = question.paths().pop().unwrap_or_default();
        let list: Value = serde_json::from_slice(&self.connection.get(&path)?.body)?;
        let id = list["events"][0]["event_id"].as_str();
        let id = id.with_context(|| format!("GET {path} finds nothing: {list}"))?.to_owned();
        self.ids.insert(number, id.clone());
        Ok(id)
    }
}

/// The actions that no team's key sees, as the catalog has them.
fn organization_only(connection: &mut Connection) -> anyhow::Result<Vec<String>> {
    let answer: Value = serde_json::from_slice(&connection.get("/v1/catalog")?.body)?;
    let mut hidden = Vec::new();
    for catalog in answer["catalogs"].as_array().context("the catalogs are missing")? {
        let actions = catalog["action"].as_array().or(catalog["actions"].as_array());
        for action in actions.context("a catalog has no actions")? {
            if action["visibility"] == "organization" {
                hidden.extend(action["id"].as_str().map(str::to_owned));
            }
        }
    }
    if hidden.is_empty() {
        bail!("the catalogs name no action that only the organization sees");
    }
    Ok(hidden)
}

/// How many events were sent by the first organization: Acta's own are newer.
fn total(address: SocketAddr, key: &str, story: &Story) -> anyhow::Result<u64> {
    let to = super::super::events::rfc3339(story.newest_ms);
    let answer = Connection::open(address, key)?.get(&format!("/v1/events?page=1&per_page=50&to={to}"))?;
    let list: Value = serde_json::from_slice(&answer.body)?;
    list["total"].as_u64().with_context(|| format!("no total: {list}"))
}

/// Every question once more, by several readers at once.
fn mixed(address: SocketAddr, key: &str, asker: &Asker, lines: &[Line]) -> anyhow::Result<Mixed> {
    let whole = lines.iter().flat_map(|line| line.questions.iter().skip(1)).filter(|question| !question.is_teams());
    let paths: Vec<String> = whole
        .flat_map(|question| match &question.wanted {
            Wanted::One { number, .. } => asker.ids.get(number).map(|id| format!("/v1/events/{id}")).into_iter().collect(),
            _ => question.paths(),
        })
        .collect();
    let watch = Stopwatch::start();
    let read = |reader: usize| -> anyhow::Result<Vec<Duration>> {
        let mut connection = Connection::open(address, key)?;
        let mut times = Vec::new();
        // Each reader begins elsewhere, so that different questions meet.
        for at in (0..paths.len()).take_while(|_| watch.elapsed() < READING) {
            let path = &paths[(at * 7 + reader * paths.len() / READERS) % paths.len()];
            let watch = Stopwatch::start();
            let answer = connection.get(path)?;
            times.push(watch.elapsed());
            if answer.status != 200 {
                bail!("GET {path}: status {}, {}", answer.status, String::from_utf8_lossy(&answer.body));
            }
        }
        Ok(times)
    };
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|reader| scope.spawn(move || read(reader))).collect();
        for reader in readers {
            match reader.join() {
                Ok(done) => times.extend(done?),
                Err(_) => bail!("a reader panicked"),
            }
        }
        Ok(())
    })?;
    let per_second = times.len() as f64 / watch.elapsed().as_secs_f64();
    Ok(Mixed { per_second, p50_ms: percentile_ms(&mut times, 50), p99_ms: percentile_ms(&mut times, 99) })
}
