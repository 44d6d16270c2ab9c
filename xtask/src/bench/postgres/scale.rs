//! PostgreSQL at scale: one table with the indexes that a careful administrator would make, and every question by `psql`.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, bail};

use super::super::process;
use super::super::scale::answer::{self, Rows};
use super::super::scale::asking::{self, Answers};
use super::super::scale::peer::{Measured, write_rows};
use super::super::scale::question::Line;
use super::super::scale::sql::Dialect;
use super::super::scale::story::Story;
use super::{Cluster, Programs};
use crate::stopwatch::Stopwatch;

/// Durable as by default, with the room that this machine has.
pub(crate) const SETTINGS: [&str; 9] = [
    "listen_addresses=",
    "shared_buffers=2GB",
    "effective_cache_size=12GB",
    "maintenance_work_mem=1GB",
    "work_mem=64MB",
    "max_wal_size=8GB",
    "random_page_cost=1.1",
    "effective_io_concurrency=200",
    "max_parallel_workers_per_gather=2",
];

/// What ends an answer.
const END: &str = "@@end";

/// Loads the story and asks all lines.
pub(crate) fn measure(
    programs: Programs,
    folder: &Path,
    story: &Story,
    lines: &[Line],
    expected: &Answers,
) -> anyhow::Result<Measured> {
    let name = programs.version.clone();
    let cluster = Cluster::create(programs, folder.to_owned())?;
    let server = cluster.start_with(&SETTINGS)?;
    let before = cluster.settled_cpu_seconds(&server)?;
    let watch = Stopwatch::start();
    for statement in Dialect::Postgres.create() {
        cluster.sql(&statement)?;
    }
    copy(&cluster, story)?;
    for statement in Dialect::Postgres.finish() {
        println!("postgres: {statement}");
        cluster.sql(&statement)?;
    }
    let load_seconds = watch.elapsed().as_secs_f64();
    let loaded = cluster.settled_cpu_seconds(&server)?;
    let bytes = cluster.sql("SELECT pg_total_relation_size('audit_trail_events')")?.parse()?;
    let mut session = Session::open(&cluster)?;
    for statement in Dialect::Postgres.begin() {
        session.ask(&statement)?;
    }
    let mut peak_bytes = 0;
    let (times, _) = asking::all("postgres", lines, Some(expected), |question| {
        let (mut ms, mut answers) = (0.0, Vec::new());
        for statement in Dialect::Postgres.statements(question) {
            let (took, rows) = session.ask(&statement)?;
            ms += took;
            answers.push(rows);
        }
        peak_bytes = process::held_bytes_of_family(server.pid())?.max(peak_bytes);
        Ok((ms, answer::of_peer(question, &answers)?))
    })?;
    session.close()?;
    let asking_cpu_seconds = cluster.settled_cpu_seconds(&server)? - loaded;
    server.stop("INT")?;
    Ok(Measured { name, load_seconds, load_cpu_seconds: loaded - before, bytes, times, asking_cpu_seconds, peak_bytes })
}

/// All rows by one `COPY`.
fn copy(cluster: &Cluster, story: &Story) -> anyhow::Result<()> {
    let mut psql = cluster.psql();
    psql.args(["--command", &Dialect::Postgres.insert()]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = psql.stderr(Stdio::piped()).spawn().context("could not start psql")?;
    let mut input = BufWriter::new(child.stdin.take().context("psql has no input")?);
    let written = write_rows("postgres", story, &mut input).and_then(|()| Ok(input.flush()?));
    drop(input);
    let done = child.wait_with_output()?;
    if !done.status.success() {
        bail!("psql ended with {}: {}", done.status, String::from_utf8_lossy(&done.stderr));
    }
    written
}

/// One `psql` that answers statement by statement and tells how long each took.
struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    fn open(cluster: &Cluster) -> anyhow::Result<Session> {
        let mut psql = cluster.psql();
        psql.args(["--tuples-only", "--no-align", "--field-separator=\t", "--pset=null=\\N"]);
        let mut child = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("could not start psql")?;
        let input = child.stdin.take().context("psql has no input")?;
        let output = BufReader::new(child.stdout.take().context("psql has no output")?);
        let mut session = Session { child, input, output };
        session.input.write_all(b"\\timing on\n")?;
        Ok(session)
    }

    /// The milliseconds and the rows.
    fn ask(&mut self, statement: &str) -> anyhow::Result<(f64, Rows)> {
        self.input.write_all(format!("{statement};\n\\echo {END}\n").as_bytes())?;
        self.input.flush()?;
        let (mut took, mut rows) = (0.0, Rows::new());
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                bail!("psql ended at: {statement}");
            }
            let line = line.trim_end_matches('\n');
            if line == END {
                return Ok((took, rows));
            }
            match line.strip_prefix("Time: ").and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok()) {
                Some(ms) => took = ms,
                None if line.is_empty() || line == "SET" => {}
                None => rows.push(line.split('\t').map(str::to_owned).collect()),
            }
        }
    }

    fn close(self) -> anyhow::Result<()> {
        let Session { mut child, input, output } = self;
        drop((input, output));
        child.wait().map(drop).context("psql could not be waited for")
    }
}
