//! Acta under measurement: the release binary, started on a fresh folder and spoken to over HTTP, like anybody's.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::events::{actions, words};
use super::http::{Answer, Connection};
use super::load::{self, Load};
use super::numbers::percentile_ms;
use super::process::{self, Server};
use super::round::{Ingest, Round};
use super::{BATCH_CONNECTIONS, SINGLE_CONNECTIONS};
use crate::stopwatch::{Stopwatch, wait_until};
use crate::tools;

const ORGANIZATION: &str = "Bench";
/// How often each question is asked.
pub(crate) const QUESTIONS: usize = 50;

/// The requests of one round, made before any clock starts.
#[derive(Debug)]
pub(crate) struct Bodies {
    pub(crate) batches: Vec<Vec<u8>>,
    pub(crate) batch_events: usize,
    pub(crate) singles: Vec<Vec<u8>>,
}

/// Records everything in a fresh folder, asks the questions, stops, and checks the folder.
pub(crate) fn round(binary: &Path, folder: &Path, bodies: &Bodies) -> anyhow::Result<Round> {
    let data = folder.join("data");
    let key = prepare(binary, folder, &data)?;
    let (server, address) = start(binary, folder, &data)?;
    let batches = measured(&server, bodies.batch_events, || {
        load::send(address, &key, &bodies.batches, BATCH_CONNECTIONS, load::batch_recorded)
    });
    let batches = batches.with_context(|| log_of(folder))?;
    let singles = measured(&server, bodies.singles.len(), || {
        load::send(address, &key, &bodies.singles, SINGLE_CONNECTIONS, load::one_recorded)
    });
    let singles = singles.with_context(|| log_of(folder))?;
    let questions = ask(address, &key).with_context(|| log_of(folder))?;
    let peak_bytes = process::peak_bytes(server.pid())?;
    server.stop("TERM").with_context(|| log_of(folder))?;
    let bytes = process::folder_bytes(&data)?;
    tools::output(Command::new(binary).arg("check").arg("--data").arg(&data)).context("acta check found damage")?;
    Ok(Round { batches, singles, bytes, peak_bytes: Some(peak_bytes), questions })
}

/// Makes the data folder and a key.
fn prepare(binary: &Path, folder: &Path, data: &Path) -> anyhow::Result<String> {
    std::fs::create_dir_all(folder)?;
    let password = folder.join("password");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&password)?;
    file.write_all(b"correct horse battery staple\n")?;
    let mut init = Command::new(binary);
    init.arg("init").arg("--data").arg(data).args(["--organization", ORGANIZATION]);
    init.args(["--admin-email", "bench@example.com", "--admin-password-file"]).arg(&password);
    tools::output(&mut init)?;
    let mut create = Command::new(binary);
    create.args(["key", "create", "--data"]).arg(data).args(["--organization", ORGANIZATION]);
    create.args(["--scopes", "events:write,events:read"]);
    let key = tools::output(&mut create)?.trim().to_owned();
    if key.is_empty() || key.contains(char::is_whitespace) {
        bail!("`acta key create` printed {key:?} where only the key was expected");
    }
    Ok(key)
}

/// Starts the server and waits until it is ready.
pub(super) fn start(binary: &Path, folder: &Path, data: &Path) -> anyhow::Result<(Server, SocketAddr)> {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let log = File::create(log_path(folder))?;
    let mut serve = Command::new(binary);
    serve.arg("serve").arg("--data").arg(data).args(["--listen", &address.to_string()]);
    serve.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut server = Server::start("acta serve", &mut serve)?;
    let ready = wait_until(Duration::from_secs(60), || {
        if let Some(status) = server.ended() {
            return Some(Err(format!("acta serve ended with {status}")));
        }
        let answer = Connection::open(address, "").ok()?.get("/readyz").ok()?;
        (answer.status == 200).then_some(Ok(()))
    });
    match ready {
        Some(Ok(())) => Ok((server, address)),
        Some(Err(complaint)) => bail!("{complaint}; {}", log_of(folder)),
        None => bail!("acta serve was not ready within a minute; {}", log_of(folder)),
    }
}

fn measured(server: &Server, events: usize, work: impl FnOnce() -> anyhow::Result<Load>) -> anyhow::Result<Ingest> {
    let before = process::cpu_seconds(server.pid())?;
    let Load { took, mut latencies } = work()?;
    let cpu_seconds = process::cpu_seconds(server.pid())? - before;
    Ok(Ingest {
        events,
        events_per_second: events as f64 / took.as_secs_f64(),
        p50_ms: percentile_ms(&mut latencies, 50),
        p99_ms: percentile_ms(&mut latencies, 99),
        cpu_seconds,
    })
}

/// The median time of each kind of question, in milliseconds. Every question of a kind is another one where that is possible,
/// so that no answer is remembered from the one before.
fn ask(address: SocketAddr, key: &str) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut connection = Connection::open(address, key)?;
    let newest = "/v1/events?page=1&per_page=50";
    let mut ask = |paths: &[String]| -> anyhow::Result<f64> {
        let mut times = Vec::new();
        for path in paths {
            let watch = Stopwatch::start();
            let answer = connection.get(path)?;
            times.push(watch.elapsed());
            if answer.status != 200 {
                bail!("GET {path}: status {}, {}", answer.status, String::from_utf8_lossy(&answer.body));
            }
        }
        Ok(percentile_ms(&mut times, 50))
    };
    let vary = |make: &dyn Fn(usize) -> String| (0..QUESTIONS).map(make).collect::<Vec<String>>();
    let actions = actions();
    let words = words();
    let unfiltered = ask(&vary(&|_| newest.to_owned()))?;
    let by_action = ask(&vary(&|turn| format!("{newest}&action={}", actions[turn % actions.len()])))?;
    let by_text = ask(&vary(&|turn| format!("{newest}&q={}", words[turn % words.len()].replace(' ', "%20"))))?;
    let ids = event_ids(&Connection::open(address, key)?.get(newest)?)?;
    let by_id = ask(&vary(&|turn| format!("/v1/events/{}", ids[turn % ids.len()])))?;
    Ok(vec![
        ("the newest 50", unfiltered),
        ("the newest 50 of an action", by_action),
        ("the newest 50 with a text", by_text),
        ("one event by its id", by_id),
    ])
}

fn event_ids(answer: &Answer) -> anyhow::Result<Vec<String>> {
    let list: Value = serde_json::from_slice(&answer.body).context("the list of events is no JSON")?;
    let events = list["events"].as_array().context("the list has no `events`")?;
    let ids: Vec<String> = events.iter().filter_map(|event| event["event_id"].as_str()).map(str::to_owned).collect();
    if ids.is_empty() {
        bail!("the list has no `event_id`");
    }
    Ok(ids)
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("serve.log")
}

/// The end of what the server said.
pub(super) fn log_of(folder: &Path) -> String {
    let log = std::fs::read_to_string(log_path(folder)).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let end = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n");
    format!("acta serve said last:\n{end}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_a_list() {
        let answer = |body: &str| Answer { status: 200, body: body.into() };
        assert_eq!(event_ids(&answer(r#"{"events":[{"event_id":"a"},{"event_id":"b"}]}"#)).unwrap(), ["a", "b"]);
        assert!(event_ids(&answer(r#"{"events":[]}"#)).is_err());
    }

    #[test]
    fn the_end_of_the_log_is_told() {
        let folder = std::env::temp_dir().join(format!("acta-bench-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        tools::write(&log_path(&folder), b"first\nlast\n").unwrap();
        assert!(log_of(&folder).ends_with("first\nlast\n"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(log_of(&folder).starts_with("acta serve said last"));
    }
}
