//! The numbers for people: a table on the terminal and the page BENCHMARKS.md.

use super::disk::Latency;
use super::machine::Machine;
use super::numbers::readable;
use super::round::{Round, Spread, over};
use super::{BATCH, BATCH_CONNECTIONS, SINGLE_CONNECTIONS, Sizes, postgres};

/// All that was measured in one run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) disk: Latency,
    pub(crate) sizes: Sizes,
    pub(crate) acta: Vec<Round>,
    pub(crate) postgres: Vec<Round>,
    /// `PostgreSQL 15.18`, or why it was not measured.
    pub(crate) postgres_is: Result<String, String>,
}

/// A line of the table.
struct Line {
    title: String,
    acta: Option<Spread>,
    postgres: Option<Spread>,
    /// Whether a large number is the good one; `None` where a ratio says nothing.
    more_is_better: Option<bool>,
}

impl Report {
    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut line = |title: String, more_is_better, read: &dyn Fn(&Round) -> f64| {
            lines.push(Line { title, acta: over(&self.acta, read), postgres: over(&self.postgres, read), more_is_better });
        };
        let batches = format!("batches of {BATCH}, {BATCH_CONNECTIONS} connections");
        line(format!("{batches}: events/s"), Some(true), &|round| round.batches.events_per_second);
        line(format!("{batches}: p50 of a batch, ms"), Some(false), &|round| round.batches.p50_ms);
        line(format!("{batches}: p99 of a batch, ms"), Some(false), &|round| round.batches.p99_ms);
        line(format!("{batches}: server CPU per event, µs"), Some(false), &|round| round.batches.cpu_us_per_event());
        let singles = format!("single events, {SINGLE_CONNECTIONS} connections");
        line(format!("{singles}: events/s"), Some(true), &|round| round.singles.events_per_second);
        line(format!("{singles}: p50, ms"), Some(false), &|round| round.singles.p50_ms);
        line(format!("{singles}: p99, ms"), Some(false), &|round| round.singles.p99_ms);
        line(format!("{singles}: server CPU per event, µs"), Some(false), &|round| round.singles.cpu_us_per_event());
        line("bytes on disk per event".into(), Some(false), &Round::bytes_per_event);
        let mebibytes = |round: &Round| round.peak_bytes.unwrap_or(0) as f64 / (1 << 20) as f64;
        lines.push(Line {
            title: "peak memory of the server, MiB".into(),
            acta: over(&self.acta, mebibytes),
            postgres: None,
            more_is_better: None,
        });
        lines
    }

    /// Titles and cells, the same for the terminal and the page.
    fn cells(&self) -> Vec<[String; 4]> {
        let mut rows = vec![["".into(), "Acta".into(), "PostgreSQL".into(), "Acta is".into()]];
        for Line { title, acta, postgres, more_is_better } in self.lines() {
            rows.push([title, shown(acta), shown(postgres), ratio(acta, postgres, more_is_better)]);
        }
        rows
    }

    fn question_cells(&self) -> Vec<[String; 2]> {
        let mut rows = vec![["question".into(), "Acta, p50 in ms".into()]];
        let Some(first) = self.acta.first() else { return rows };
        for (at, (title, _)) in first.questions.iter().enumerate() {
            let spread = over(&self.acta, |round| round.questions.get(at).map_or(0.0, |(_, ms)| *ms));
            rows.push([(*title).into(), shown(spread)]);
        }
        rows
    }

    /// For the terminal.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{}\n{}\n\n", self.machine, self.disk_line());
        text.push_str(&aligned(&self.cells()));
        if !self.acta.is_empty() {
            text.push('\n');
            text.push_str(&aligned(&self.question_cells()));
        }
        if let Err(reason) = &self.postgres_is {
            text.push_str(&format!("\nPostgreSQL was left out: {reason}\n"));
        }
        text
    }

    fn disk_line(&self) -> String {
        let Latency { p50_ms, p99_ms } = self.disk;
        format!("4 KiB and fdatasync: p50 {} ms, p99 {} ms", readable(p50_ms), readable(p99_ms))
    }

    /// BENCHMARKS.md.
    pub(crate) fn page(&self) -> String {
        let Sizes { batch_events, single_events, rounds } = self.sizes;
        let (batch_events, single_events) = (readable(batch_events as f64), readable(single_events as f64));
        let peer = match &self.postgres_is {
            Ok(version) => format!("{version} ran in the same run, in turns with Acta."),
            Err(reason) => format!("PostgreSQL was left out: {reason}."),
        };
        let settings = postgres::SETTINGS.iter().filter(|one| !one.ends_with('=')).map(|one| format!("`{one}`"));
        format!(
            r#"# Benchmarks

How fast Acta records and finds, beside the table that most teams start with. Written by `cargo xtask bench` on {date}; do not
edit by hand. {peer}

- Machine: {machine}.
- Disk, before the first round: {disk}. It sways with what else uses the disk.
- {rounds} rounds each, in the order A P P A A P, so that what else the machine does hits both. Cells are medians, with the least
  and the most in parentheses.

{table}
{questions}
## What is measured

**Events.** The same for both: about 540 bytes of JSON, 20,000 people of whom few do most, 80 actions, 12 teams, times over
60 days; made by `xtask/src/bench/events.rs` before any clock starts.

**Batches.** {batch_events} events, {batch} a request, over {batch_connections} connections. Acta: `POST /v1/events` with a JSON array over HTTP. PostgreSQL:
`COPY` from {batch_connections} `psql` processes over a Unix socket, a transaction for each batch. An answer means that the batch is on stable storage.

**Single events.** {single_events} events over {single_connections} connections, each answered only when it is on stable storage. Acta: one `POST` each.
PostgreSQL: prepared `INSERT`, one transaction each, by `pgbench`, with rows that it makes up with the same columns and sizes.

**PostgreSQL** has its default durability (`fsync` and `synchronous_commit` on) and more room than by default ({settings}).
Its table `audit_trail_events` has columns for what people filter by, `jsonb` for the rest, a primary key and five indexes.

**Clients run on the same cores.** The CPU time is that of the server alone; events per second include what the
clients cost.

**Bytes on disk.** Acta: the whole data folder after it was stopped. PostgreSQL: the table with its indexes, without its
write-ahead log.

**Questions** are asked right after recording, {questions_each} of a kind, one after the other over one connection. The answer to a list
holds the exact number of all matching events.

After each round `acta check` reads everything back; a round that does not check out ends the run.

## Repeating it

```
cargo xtask bench            # everything, and writes this page
cargo xtask bench --quick    # a tenth of the events; prints only
cargo xtask bench --only scale --events 10m    # ten million events, more peers; writes its section below
cargo xtask bench --only decisions    # decisions alone, and writes their section
```

It needs Linux and, for the comparison, PostgreSQL's programs (`apt-get install postgresql`).
"#,
            date = self.date,
            machine = self.machine,
            disk = self.disk_line(),
            table = markdown(&self.cells()),
            questions = if self.acta.is_empty() { String::new() } else { markdown(&self.question_cells()) + "\n" },
            batch = BATCH,
            batch_connections = BATCH_CONNECTIONS,
            single_connections = SINGLE_CONNECTIONS,
            settings = settings.collect::<Vec<_>>().join(", "),
            questions_each = super::acta::QUESTIONS,
        )
    }
}

fn shown(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "–".into(),
        |Spread { least, median, most }| format!("{} ({}–{})", readable(median), readable(least), readable(most)),
    )
}

/// `2.5 times`, as the reader wants it: above 1 is better than the peer.
fn ratio(acta: Option<Spread>, postgres: Option<Spread>, more_is_better: Option<bool>) -> String {
    let (Some(acta), Some(postgres), Some(more)) = (acta, postgres, more_is_better) else { return "–".into() };
    let times = if more { acta.median / postgres.median } else { postgres.median / acta.median };
    if !times.is_finite() {
        return "–".into();
    }
    if (0.95..1.05).contains(&times) {
        return "about equal".into();
    }
    if times >= 1.0 { format!("{times:.1} times better") } else { format!("{:.1} times worse", 1.0 / times) }
}

fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[at] - cell.chars().count());
            // Titles to the left, numbers to the right.
            text.push_str(&if at == 0 { format!("{cell}{padding}") } else { format!("  {padding}{cell}") });
        }
        text.push('\n');
    }
    text
}

pub(crate) fn markdown<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
        if at == 0 {
            text.push_str(&format!("|---{}|\n", "|--:".repeat(COLUMNS - 1)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::round::Ingest;
    use super::*;

    fn round(events_per_second: f64, question_ms: f64) -> Round {
        let ingest = Ingest { events: 1_000, events_per_second, p50_ms: 1.0, p99_ms: 2.0, cpu_seconds: 0.01 };
        let questions = vec![("the newest 50", question_ms)];
        Round { batches: ingest.clone(), singles: ingest, bytes: 200_000, peak_bytes: Some(64 << 20), questions }
    }

    fn report() -> Report {
        Report {
            date: "2026-01-02".into(),
            machine: Machine::look(std::path::Path::new("/")),
            disk: Latency { p50_ms: 0.5, p99_ms: 2.0 },
            sizes: Sizes { batch_events: 400_000, single_events: 60_000, rounds: 3 },
            acta: vec![round(90_000.0, 3.0), round(80_000.0, 1.0), round(100_000.0, 2.0)],
            postgres: vec![round(45_000.0, 0.0)],
            postgres_is: Ok("PostgreSQL 15.18".into()),
        }
    }

    #[test]
    fn the_page_has_medians_and_ratios() {
        let page = report().page();
        for part in [
            "| batches of 100, 8 connections: events/s | 90,000 (80,000–100,000) | 45,000 (45,000–45,000) | 2.0 times better |",
            "| bytes on disk per event | 100 (100–100) | 100 (100–100) | about equal |",
            "| the newest 50 | 2.00 (1.00–3.00) |",
            "| peak memory of the server, MiB | 64.0 (64.0–64.0) | – | – |",
            "`shared_buffers=1GB`, `max_wal_size=4GB`",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }

    #[test]
    fn a_peer_that_is_not_there_is_said_to_be_left_out() {
        let report = Report { postgres: Vec::new(), postgres_is: Err("no psql".into()), ..report() };
        assert!(report.table().contains("PostgreSQL was left out: no psql"));
        assert!(report.page().contains("90,000 (80,000–100,000) | – | – |"));
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [["".into(), "Acta".into()], ["µs".into(), "12".into()]];
        assert_eq!(aligned(&rows), "    Acta\nµs    12\n");
    }
}
