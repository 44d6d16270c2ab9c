//! Rows for PostgreSQL: durable batches with `psql` and `COPY`, durable single rows with `pgbench`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};

use super::super::events::{ACTORS, Events, TEAMS, names};
use super::super::numbers::percentile_ms;
use super::super::round::Ingest;
use super::super::{BATCH, BATCH_CONNECTIONS, SINGLE_CONNECTIONS};
use super::Cluster;
use crate::stopwatch::Stopwatch;
use crate::tools;

const COLUMNS: &str = r#""createdAt", "actionType", "userId", "ipAddress", "responseTimeMs", "pageName", "queryName", "resourceName", metadata"#;

/// What the clients are fed with, made before any clock starts.
#[derive(Debug)]
pub(crate) struct Rows {
    /// One script for each connection: `COPY` after `COPY`, each its own transaction.
    copies: Vec<PathBuf>,
    batch_events: usize,
    /// The script of `pgbench`.
    insert: PathBuf,
    single_events: usize,
}

/// Writes the scripts: the first `batch_events` of the events in batches, and as many single rows as wanted.
pub(crate) fn write_rows(folder: &Path, events: &Events, batch_events: usize, single_events: usize) -> anyhow::Result<Rows> {
    std::fs::create_dir_all(folder)?;
    let mut copies = Vec::new();
    for connection in 0..BATCH_CONNECTIONS {
        let path = folder.join(format!("copy-{connection}.sql"));
        let mut file = BufWriter::new(File::create(&path)?);
        file.write_all(b"\\timing on\n")?;
        for first in (connection * BATCH..batch_events).step_by(BATCH_CONNECTIONS * BATCH) {
            writeln!(file, "COPY audit_trail_events ({COLUMNS}) FROM STDIN;")?;
            for number in first..(first + BATCH).min(batch_events) {
                file.write_all(events.get(number).copy_row().as_bytes())?;
            }
            file.write_all(b"\\.\n")?;
        }
        file.flush()?;
        copies.push(path);
    }
    let insert = folder.join("insert.sql");
    tools::write(&insert, insert_script().as_bytes())?;
    Ok(Rows { copies, batch_events, insert, single_events })
}

/// All batches, over as many connections as there are scripts.
pub(super) fn batches(cluster: &Cluster, rows: &Rows) -> anyhow::Result<Ingest> {
    let watch = Stopwatch::start();
    let mut clients = Vec::new();
    for script in &rows.copies {
        let mut psql = cluster.psql();
        psql.arg("--file").arg(script).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        clients.push(psql.spawn().context("could not start psql")?);
    }
    // What a client prints fits into its pipe only if somebody reads it: each has a reader.
    let readers: Vec<_> = clients.into_iter().map(|client| std::thread::spawn(|| client.wait_with_output())).collect();
    let mut latencies = Vec::new();
    for reader in readers {
        let Ok(done) = reader.join() else { bail!("the reader of a psql panicked") };
        let done = done?;
        if !done.status.success() {
            bail!("psql ended with {}: {}", done.status, String::from_utf8_lossy(&done.stderr));
        }
        latencies.extend(timings(&String::from_utf8_lossy(&done.stdout)));
    }
    let took = watch.elapsed();
    if latencies.len() != rows.batch_events.div_ceil(BATCH) {
        bail!("psql told the times of {} batches out of {}", latencies.len(), rows.batch_events.div_ceil(BATCH));
    }
    Ok(Ingest {
        events: rows.batch_events,
        events_per_second: rows.batch_events as f64 / took.as_secs_f64(),
        p50_ms: percentile_ms(&mut latencies, 50),
        p99_ms: percentile_ms(&mut latencies, 99),
        cpu_seconds: 0.0,
    })
}

/// All single rows, each its own transaction, by `pgbench`.
pub(super) fn singles(cluster: &Cluster, rows: &Rows) -> anyhow::Result<Ingest> {
    let each = rows.single_events / SINGLE_CONNECTIONS;
    let folder = cluster.folder.join("pgbench");
    std::fs::create_dir_all(&folder)?;
    let mut pgbench = cluster.client("pgbench");
    pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--log"]);
    pgbench.arg("--log-prefix").arg(folder.join("log")).arg("--file").arg(&rows.insert);
    pgbench.args(["--client", &SINGLE_CONNECTIONS.to_string(), "--transactions", &each.to_string(), "postgres"]);
    let printed = tools::output(&mut pgbench)?;
    let events_per_second = rate(&printed).with_context(|| format!("pgbench told no rate: {printed}"))?;
    let mut latencies = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        latencies.extend(logged(&std::fs::read_to_string(entry?.path())?));
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(Ingest {
        events: each * SINGLE_CONNECTIONS,
        events_per_second,
        p50_ms: percentile_ms(&mut latencies, 50),
        p99_ms: percentile_ms(&mut latencies, 99),
        cpu_seconds: 0.0,
    })
}

/// `Time: 12.345 ms`, and `Time: 1234.567 ms (00:01.235)` where it took long.
fn timings(printed: &str) -> Vec<Duration> {
    let number = |line: &str| line.strip_prefix("Time: ")?.split(' ').next()?.parse::<f64>().ok();
    printed.lines().filter_map(number).map(|ms| Duration::from_secs_f64(ms / 1_000.0)).collect()
}

/// `tps = 1234.567890 (without initial connection time)`.
fn rate(printed: &str) -> Option<f64> {
    printed.lines().find_map(|line| line.strip_prefix("tps = "))?.split(' ').next()?.parse().ok()
}

/// A line for each transaction; the third word is its time in microseconds.
fn logged(log: &str) -> Vec<Duration> {
    log.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok()).map(Duration::from_micros).collect()
}

/// A row like those of [`Events`], with what `pgbench` can throw dice for; the server puts the texts together.
fn insert_script() -> String {
    let list = |values: &[&str]| values.iter().map(|value| format!("'{value}'")).collect::<Vec<_>>().join(",");
    let mut script = format!("\\set user random_exponential(0, {}, 4.0)\n", ACTORS - 1);
    for (name, values) in [("action", names::ACTIONS.len()), ("page", names::PAGES.len()), ("query", names::QUERIES.len())] {
        script.push_str(&format!("\\set {name} random_exponential(1, {values}, 3.0)\n"));
    }
    script.push_str(&format!("\\set resource random(1, {})\n", names::RESOURCES.len()));
    script.push_str("\\set took random_exponential(3, 900, 3.0)\n");
    script.push_str("\\set request random(0, 9000000000000000000)\n");
    script.push_str("\\set customer random(0, 999999)\n");
    let agent = names::AGENTS[0];
    let who = r#"{"team":"team_%s","name":"Ada Lovelace","email":"u%s@example.com","environment":"production","#;
    let what = r#""request_id":"%s","outcome":"success","query":"call get_orders($1)","id":%s}"#;
    let metadata = format!(r#"{who}"user_agent":"{agent}",{what}"#);
    script.push_str(&format!(
        "INSERT INTO audit_trail_events ({COLUMNS}) VALUES (now(), (ARRAY[{}])[:action::int], 'u_' || :user::int, \
         format('10.%s.%s.%s', :user::int % 7, :user::int / 250 % 250, :user::int % 250 + 1), :took::int, \
         (ARRAY[{}])[:page::int], (ARRAY[{}])[:query::int], (ARRAY[{}])[:resource::int], \
         format('{metadata}', :user::int % {TEAMS}, :user::int, to_hex(:request::bigint), :customer::int)::jsonb);\n",
        list(&names::ACTIONS),
        list(&names::PAGES),
        list(&names::QUERIES),
        list(&names::RESOURCES),
    ));
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_clients_print_is_read() {
        let times = timings("Time: 1.500 ms\nsomething else\nTime: 1234.567 ms (00:01.235)\n");
        assert_eq!(times, [Duration::from_micros(1_500), Duration::from_micros(1_234_567)]);
        assert_eq!(rate("scaling factor: 1\ntps = 1234.5 (without initial connection time)\n"), Some(1234.5));
        assert_eq!(rate("nothing"), None);
        assert_eq!(logged("0 1 2500 0 1690000000 123456\n"), [Duration::from_micros(2_500)]);
    }

    #[test]
    fn every_event_is_in_one_script_once() {
        let folder = std::env::temp_dir().join(format!("acta-bench-rows-{}", std::process::id()));
        let events = Events { seed: 1, count: 2_050, newest_ms: 0 };
        let rows = write_rows(&folder, &events, 2_050, 10).unwrap();
        let mut copies = 0;
        let mut lines = 0;
        for path in &rows.copies {
            let text = std::fs::read_to_string(path).unwrap();
            copies += text.lines().filter(|line| line.starts_with("COPY ")).count();
            lines += text.lines().filter(|line| line.contains('\t')).count();
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!((rows.copies.len(), copies, lines), (BATCH_CONNECTIONS, 21, 2_050));
    }
}
