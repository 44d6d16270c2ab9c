//! The numbers for people: tables on the terminal and a section of BENCHMARKS.md, with what should be reached.

use super::super::disk::Latency;
use super::super::machine::Machine;
use super::super::numbers::readable;
use super::super::postgres::scale::SETTINGS;
use super::acta;
use super::asking::Times;
use super::peer::Measured;
use super::question::{Line, VALUES};
use super::sending::SENDERS;
use super::story::{BLOCK, ORGANIZATIONS, PEOPLE, TEAMS};
use super::table::{aligned, markdown};
use super::vocabulary::WORDS;

/// What the bytes of an event may come to, all in.
const BYTES_BAR: f64 = 110.0;
/// What the server may hold while it is asked, in MiB.
const MEMORY_BAR_MIB: f64 = 400.0;
/// What must be recorded in a second, until the server is at rest.
const INGEST_BAR: f64 = 60_000.0;
/// How long a start may take, in seconds.
const START_BAR_S: f64 = 2.0;

/// At ten times the events, a page with its total may take so many times as long.
const GROWTH_BAR: f64 = 2.0;

/// All that was measured in one run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) disk: Latency,
    pub(crate) events: usize,
    pub(crate) lines: Vec<Line>,
    pub(crate) acta: acta::Measured,
    pub(crate) peers: Vec<Measured>,
    /// Who was left out, and why.
    pub(crate) left_out: Vec<(&'static str, String)>,
    /// The section of a tenth of the events, where the page has one.
    pub(crate) smaller: Option<String>,
}

/// A figure that has a bar.
struct Barred {
    title: String,
    value: f64,
    bar: f64,
    more_is_better: bool,
    unit: &'static str,
}

impl Barred {
    fn is_met(&self) -> bool {
        if self.more_is_better { self.value >= self.bar } else { self.value <= self.bar }
    }

    fn missed_by(&self) -> f64 {
        if self.more_is_better { self.bar / self.value } else { self.value / self.bar }
    }
}

impl Report {
    /// Titles, bars, medians of everybody, and how Acta stands to the fastest peer.
    fn question_rows(&self) -> Vec<Vec<String>> {
        let mut head = vec!["p50 in ms".to_owned(), "bar".into(), "Acta".into()];
        head.extend(self.peers.iter().map(|peer| peer.name.clone()));
        head.push("Acta beside the fastest".into());
        // Only behind everything else: what is read of another section stands in its third column.
        if self.smaller.is_some() {
            head.push("Acta beside a tenth of the events".into());
        }
        let mut rows = vec![head];
        for (at, line) in self.lines.iter().enumerate() {
            let earlier = [self.earlier(line.title, 0), self.earlier(line.title, 1)];
            type Read = fn(&Times) -> Option<f64>;
            let first: Read = |times| times.medians().map(|(first, _)| first);
            let again: Read = |times| times.medians().map(|(_, again)| again);
            for (title, bar, read, earlier) in [
                (line.title.to_owned(), Some(line.bar_ms), first, earlier[0]),
                ("… the same again".to_owned(), line.bar_again_ms, again, earlier[1]),
            ] {
                let of = |times: &[Times]| times.get(at).and_then(read);
                let acta = of(&self.acta.times);
                let peers: Vec<Option<f64>> = self.peers.iter().map(|peer| of(&peer.times)).collect();
                let mut row = vec![title, bar.map_or_else(String::new, |bar| format!("≤ {bar}")), cell(acta)];
                row.extend(peers.iter().copied().map(cell));
                let fastest = peers.into_iter().flatten().fold(f64::INFINITY, f64::min);
                row.push(beside(acta, fastest));
                if self.smaller.is_some() {
                    let ratio = acta.zip(earlier).map(|(now, earlier)| format!("{:.1} times the time", now / earlier));
                    row.push(ratio.unwrap_or_else(|| "–".into()));
                }
                rows.push(row);
            }
        }
        rows
    }

    fn figure_rows(&self) -> Vec<Vec<String>> {
        let mut head = vec![String::new(), "bar".into(), "Acta".into()];
        head.extend(self.peers.iter().map(|peer| peer.name.clone()));
        let mut rows = vec![head];
        let events = self.events as f64;
        let ingest = &self.acta.ingest;
        let mut row = |title: &str, bar: &str, acta: f64, peer: &dyn Fn(&Measured) -> f64| {
            let mut row = vec![title.to_owned(), bar.to_owned(), readable(acta)];
            row.extend(self.peers.iter().map(|one| readable(peer(one))));
            rows.push(row);
        };
        row("events/s until all is at rest and indexed", "≥ 60,000", events / ingest.settled_seconds, &|peer| {
            events / peer.load_seconds
        });
        row("CPU of recording, µs per event", "", ingest.cpu_seconds * 1e6 / events, &|peer| {
            peer.load_cpu_seconds * 1e6 / events
        });
        row("bytes per event, all in", "≤ 110", self.acta.bytes as f64 / events, &|peer| peer.bytes as f64 / events);
        row("most memory while asked, MiB", "≤ 400", mebibytes(self.acta.peak_bytes), &|peer| mebibytes(peer.peak_bytes));
        row("CPU of all questions, s", "", self.acta.asking_cpu_seconds, &|peer| peer.asking_cpu_seconds);
        rows
    }

    fn acta_rows(&self) -> Vec<Vec<String>> {
        let ingest = &self.acta.ingest;
        let backlog: Vec<String> = ingest.backlog.iter().map(|events| readable(*events / 1_000.0)).collect();
        let mixed = self.acta.mixed;
        let rows = [
            ("events/s while they are sent", readable(ingest.events as f64 / ingest.sent_seconds)),
            ("seconds from the last answer until all is at rest", readable(ingest.settled_seconds - ingest.sent_seconds)),
            ("a batch of 500, p50 and p99 in ms", format!("{} and {}", readable(ingest.p50_ms), readable(ingest.p99_ms))),
            ("a write and sync of the journal, mean in ms", readable(ingest.sync_ms)),
            ("batches that were asked to come later", readable(ingest.refused as f64)),
            ("thousands of events not sealed yet, after each tenth", backlog.join(", ")),
            ("segments in the end", readable(ingest.segments)),
            ("most memory while recording, MiB", readable(mebibytes(ingest.peak_bytes))),
            (
                "all questions again by four readers at once: questions/s, p50 and p99 in ms",
                format!("{}, {} and {}", readable(mixed.per_second), readable(mixed.p50_ms), readable(mixed.p99_ms)),
            ),
            ("start until ready, s (bar: 2)", readable(self.acta.start_seconds)),
            ("start until the first page, s", readable(self.acta.first_page_seconds)),
            (
                "start after a kill until ready, s",
                format!(
                    "{} with {} events just sent",
                    readable(self.acta.killed_seconds),
                    readable(self.acta.killed_events as f64)
                ),
            ),
            ("`acta check` of everything, s", self.acta.check_seconds.map_or_else(|| "not run".to_owned(), readable)),
        ];
        let head = vec!["Acta alone".to_owned(), String::new()];
        std::iter::once(head).chain(rows.map(|(title, value)| vec![title.to_owned(), value])).collect()
    }

    fn barred(&self) -> Vec<Barred> {
        let events = self.events as f64;
        let less = |title: String, value: f64, bar: f64, unit| Barred { title, value, bar, more_is_better: false, unit };
        let mut all = Vec::new();
        for (line, times) in self.lines.iter().zip(&self.acta.times) {
            let Some((first, again)) = times.medians() else { continue };
            all.push(less(line.title.to_owned(), first, line.bar_ms, "ms"));
            all.extend(line.bar_again_ms.map(|bar| less(format!("{}, the same again", line.title), again, bar, "ms")));
        }
        for (line, times) in self.lines.iter().zip(&self.acta.times).filter(|(line, _)| line.bar_again_ms.is_some()) {
            if let (Some((first, _)), Some(earlier)) = (times.medians(), self.earlier(line.title, 0)) {
                let title = format!("{}, beside a tenth of the events", line.title);
                all.push(less(title, first, earlier * GROWTH_BAR, "ms"));
            }
        }
        all.push(less("bytes per event".into(), self.acta.bytes as f64 / events, BYTES_BAR, "bytes"));
        all.push(less("most memory while asked".into(), mebibytes(self.acta.peak_bytes), MEMORY_BAR_MIB, "MiB"));
        all.push(less("start until ready".into(), self.acta.start_seconds, START_BAR_S, "s"));
        let rate = events / self.acta.ingest.settled_seconds;
        let (title, unit) = ("recording until all is at rest".into(), "events/s");
        all.push(Barred { title, value: rate, bar: INGEST_BAR, more_is_better: true, unit });
        all
    }

    /// What a line took Acta with a tenth of the events, in milliseconds; `behind` is 1 for "the same again", the row behind it.
    fn earlier(&self, title: &str, behind: usize) -> Option<f64> {
        let rows = self.smaller.as_deref()?.lines().map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
        let cells = rows.skip_while(|cells| cells.get(1) != Some(&title)).nth(behind)?;
        cells.get(3)?.replace(',', "").parse().ok().filter(|ms| *ms > 0.0)
    }

    /// Which bars are met, and by how much the others are not.
    fn bars(&self) -> String {
        let all = self.barred();
        let met = all.iter().filter(|one| one.is_met()).count();
        let mut text = format!("{met} of {} bars are met.\n", all.len());
        for one in all.iter().filter(|one| !one.is_met()) {
            let Barred { title, value, bar, unit, .. } = one;
            let (value, bar, times) = (readable(*value), readable(*bar), one.missed_by());
            text.push_str(&format!("- Not met: {title}: {value} {unit} where {bar} are wanted, {times:.1} times off.\n"));
        }
        text
    }

    fn left_out_text(&self) -> String {
        self.left_out.iter().map(|(name, why)| format!("- {name} was left out: {why}\n")).collect()
    }

    /// For the terminal.
    pub(crate) fn text(&self) -> String {
        let tables = [self.question_rows(), self.figure_rows(), self.acta_rows()].map(|rows| aligned(&rows)).join("\n");
        format!("{}\n{}\n\n{tables}\n{}{}", self.machine, disk(self.disk), self.bars(), self.left_out_text())
    }

    /// The section's name in the page.
    pub(crate) fn section_name(&self) -> String {
        section_name(self.events)
    }

    /// The section.
    pub(crate) fn section(&self) -> String {
        let events = readable(self.events as f64);
        let size = match self.events {
            100_000_000 => "--large".to_owned(),
            events if events % 1_000_000 == 0 => format!("--events {}m", events / 1_000_000),
            events => format!("--events {events}"),
        };
        let settings: Vec<String> =
            SETTINGS.iter().filter(|one| !one.ends_with('=')).map(|one| format!("`{one}`")).collect();
        format!(
            r#"## At scale: {events} events

Measured on {date}. Machine: {machine}. Disk: {disk}. Everybody has the same events and gave the same answers to every
question, or the run would have failed.

{questions}
{figures}
{alone}
{bars}{left_out}
**Events.** {ORGANIZATIONS} organizations, of which the first has four fifths of the events and is the one that is asked; {people} people in it, few of whom do
most; {TEAMS} teams; 80 actions, the n-th as frequent as 1/n; three to eight words of free text out of {words}; JSON metadata; three years, in the
order of time but for one in a hundred that is up to two days late and one in a thousand that is up to two years late. About 590
bytes of JSON each, made by `xtask/src/bench/scale/story.rs` while they are sent.

**Recording.** Acta: `POST /v1/events` with {BLOCK} events a request over {SENDERS} connections; an answer means stable storage, and the time counts
until sealing and merging have come to rest. The peers take the rows in bulk, which they may lose until the end, and index
them afterwards; so their rate is no rate of durable recording.

**Questions.** {VALUES} values for each line, one after the other over one connection, after another value has warmed up; medians. Fewer
values where a line took longer than 45 seconds. Acta over HTTP with authentication, permissions, the record of who looked, and the exact total
in every answer; the peers by `psql` over a socket or inside their own process, with a count of its own where a line says so. The newest 50 alone are
asked of the peers without a total. "The same again" is the same request once more.

**Peers.** One table with the indexes that its administrator would make: PostgreSQL with five indexes over organization, column and time and two of
`pg_trgm`, {settings}; SQLite with the same and an FTS5 table of trigrams; DuckDB with an index of ids; ClickHouse ordered by organization and
time, with skip indexes and a text index. Text is looked for in the message alone, where Acta looks at the whole event.

**Memory.** Acta: the most that the process held (`VmHWM`) while it was asked everything, by one and by four readers. PostgreSQL: all its processes,
shared pages once. The others: their process with Python.

```
cargo xtask bench --only scale {size}
```

It needs `python3` for the engines inside a process; DuckDB and ClickHouse (`duckdb`, `chdb`) are installed from PyPI below the target folder.
"#,
            date = self.date,
            machine = self.machine,
            disk = disk(self.disk),
            questions = markdown(&self.question_rows()),
            figures = markdown(&self.figure_rows()),
            alone = markdown(&self.acta_rows()),
            bars = self.bars(),
            left_out = self.left_out_text(),
            people = readable(PEOPLE as f64),
            words = readable(WORDS as f64),
            settings = settings.join(", "),
        )
    }
}

/// The section of a run with so many events.
pub(crate) fn section_name(events: usize) -> String {
    format!("scale {events}")
}

fn disk(Latency { p50_ms, p99_ms }: Latency) -> String {
    format!("4 KiB and fdatasync: p50 {} ms, p99 {} ms", readable(p50_ms), readable(p99_ms))
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), readable)
}

/// `3.0 times faster`, as the reader wants it.
fn beside(acta: Option<f64>, fastest: f64) -> String {
    let Some(acta) = acta.filter(|acta| *acta > 0.0 && fastest.is_finite()) else { return "–".into() };
    match fastest / acta {
        times if (0.95..1.05).contains(&times) => "about equal".into(),
        times if times >= 1.0 => format!("{times:.1} times faster"),
        times => format!("{:.1} times slower", 1.0 / times),
    }
}

#[cfg(test)]
mod tests {
    use super::super::acta::Mixed;
    use super::super::question::lines;
    use super::super::sending::Ingest;
    use super::super::story::Story;
    use super::*;

    fn report() -> Report {
        let lines = lines(&Story::new(1, 100_000, 1_795_212_270_123), &["LOGIN".into()]);
        let times = |ms: f64| vec![Times { first: vec![ms; 3], again: vec![ms / 2.0; 3] }; lines.len()];
        let ingest = Ingest {
            events: 10_000_000,
            sent_seconds: 100.0,
            settled_seconds: 125.0,
            p50_ms: 5.0,
            p99_ms: 9.0,
            cpu_seconds: 150.0,
            peak_bytes: 300 << 20,
            refused: 0,
            sync_ms: 0.4,
            backlog: vec![100_000.0, 131_000.0],
            segments: 9.0,
        };
        let acta = acta::Measured {
            ingest,
            bytes: 1_200_000_000,
            times: times(4.0),
            mixed: Mixed { per_second: 900.0, p50_ms: 3.0, p99_ms: 30.0 },
            peak_bytes: 350 << 20,
            asking_cpu_seconds: 12.0,
            start_seconds: 0.3,
            first_page_seconds: 0.4,
            killed_seconds: 0.9,
            killed_events: 50_000,
            check_seconds: None,
        };
        let peer = Measured {
            name: "PostgreSQL 15.18".into(),
            load_seconds: 200.0,
            load_cpu_seconds: 180.0,
            bytes: 7_000_000_000,
            times: times(12.0),
            asking_cpu_seconds: 40.0,
            peak_bytes: 900 << 20,
        };
        Report {
            date: "2026-01-02".into(),
            machine: Machine::look(std::path::Path::new("/")),
            disk: Latency { p50_ms: 0.5, p99_ms: 2.0 },
            events: 10_000_000,
            lines,
            acta,
            peers: vec![peer],
            left_out: vec![("duckdb", "no python3".into())],
            smaller: None,
        }
    }

    #[test]
    fn the_section_has_medians_ratios_and_bars() {
        let section = report().section();
        for part in [
            "## At scale: 10,000,000 events",
            "| the newest 50 | ≤ 3 | 4.00 | 12.0 | 3.0 times faster |",
            "| … the same again | ≤ 5 | 2.00 | 6.00 | 3.0 times faster |",
            "| events/s until all is at rest and indexed | ≥ 60,000 | 80,000 | 50,000 |",
            "| bytes per event, all in | ≤ 110 | 120 | 700 |",
            "- Not met: the newest 50: 4.00 ms where 3.00 are wanted, 1.3 times off.",
            "- Not met: bytes per event: 120 bytes where 110 are wanted, 1.1 times off.",
            "- duckdb was left out: no python3",
            "cargo xtask bench --only scale --events 10m",
        ] {
            assert!(section.contains(part), "{part} is not in {section}");
        }
        assert!(!section.contains("Not met: recording"), "{section}");
    }

    #[test]
    fn ten_times_the_events_may_take_twice_the_time() {
        let mut larger = Report { smaller: Some(report().section()), ..report() };
        let line = "the newest 50, beside a tenth of the events";
        let section = larger.section();
        assert!(section.contains("| Acta beside a tenth of the events |"), "{section}");
        assert!(
            section.contains("| the newest 50 | ≤ 3 | 4.00 | 12.0 | 3.0 times faster | 1.0 times the time |"),
            "{section}"
        );
        assert!(!larger.bars().contains(line), "{}", larger.bars());
        larger.acta.times[0].first = vec![9.0; 3];
        let bars = larger.bars();
        assert!(bars.contains(&format!("{line}: 9.00 ms where 8.00 are wanted, 1.1 times off.")), "{bars}");
    }
}
