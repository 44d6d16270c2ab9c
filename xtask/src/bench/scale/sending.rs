//! Sends the whole story over several connections, made as it is sent, while somebody watches what the server says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};

use super::super::http::Connection;
use super::super::load::batch_recorded;
use super::super::numbers::{percentile_ms, readable};
use super::super::process::{self, Server};
use super::metrics::Figures;
use super::story::Story;
use crate::stopwatch::{Stopwatch, rest};

/// Connections that send.
pub(crate) const SENDERS: usize = 8;
/// How often somebody looks at the server.
const LOOK: Duration = Duration::from_millis(500);
/// A server that has used less than this share of a core for a while is at rest.
const REST_CPU: f64 = 0.03;
/// It never rests for longer than this.
const SETTLE_MAX: Duration = Duration::from_secs(1_800);

/// How the events came in.
#[derive(Debug, Clone)]
pub(crate) struct Ingest {
    pub(crate) events: usize,
    /// From the first request to the last answer.
    pub(crate) sent_seconds: f64,
    /// From the first request until the server was at rest: all sealed that is to be sealed, all merged.
    pub(crate) settled_seconds: f64,
    /// From a request of a batch to its answer.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
    /// How often the server asked a sender to come back later.
    pub(crate) refused: usize,
    /// The mean time of a write and sync of the journal, in milliseconds.
    pub(crate) sync_ms: f64,
    /// Events in the journal alone, after each tenth of the events.
    pub(crate) backlog: Vec<f64>,
    pub(crate) segments: f64,
}

/// Sends the blocks, and waits until the server is at rest if `settles`.
pub(crate) fn send(
    server: &Server,
    address: SocketAddr,
    keys: &[String],
    story: &Story,
    blocks: std::ops::Range<usize>,
    settles: bool,
) -> anyhow::Result<Ingest> {
    let events: usize = blocks.clone().map(|block| story.block(block).len()).sum();
    let (next, refused, sent) = (AtomicUsize::new(blocks.start), AtomicUsize::new(0), AtomicUsize::new(0));
    let over = AtomicBool::new(false);
    let before = process::cpu_seconds(server.pid())?;
    process::forget_peak(server.pid())?;
    let mut looks = Connection::open(address, "").context("could not open a connection")?;
    let first = Figures::ask(&mut looks)?;
    let watch = Stopwatch::start();
    let work = || -> anyhow::Result<Vec<Duration>> {
        let mut connection = Connection::open(address, "").context("could not open a connection")?;
        let mut times = Vec::new();
        let mut body = String::new();
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= blocks.end || over.load(Ordering::Relaxed) {
                return Ok(times);
            }
            write_block(story, block, &mut body);
            connection.use_key(keys.get(story.org_of_block(block)).map_or("", String::as_str));
            let watch = Stopwatch::start();
            loop {
                let answer = connection.post("/v1/events", body.as_bytes())?;
                if answer.status == 503 {
                    // Nothing of it was recorded; it says when to come back.
                    refused.fetch_add(1, Ordering::Relaxed);
                    rest(Duration::from_millis(50));
                    continue;
                }
                if let Err(complaint) = batch_recorded(&answer) {
                    bail!("{complaint}: status {}, {}", answer.status, String::from_utf8_lossy(&answer.body));
                }
                break;
            }
            times.push(watch.elapsed());
            sent.fetch_add(story.block(block).len(), Ordering::Relaxed);
        }
    };
    let (mut times, backlog) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..SENDERS)
            .map(|_| {
                scope.spawn(|| {
                    let done = work();
                    // The others need not go on once one has failed.
                    over.fetch_or(done.is_err(), Ordering::Relaxed);
                    done
                })
            })
            .collect();
        let mut backlog = Vec::new();
        let mut told = Stopwatch::start();
        while workers.iter().any(|worker| !worker.is_finished()) {
            rest(LOOK);
            let so_far = sent.load(Ordering::Relaxed);
            let figures = Figures::ask(&mut looks)?;
            if so_far * 10 >= events * (backlog.len() + 1) {
                backlog.push(figures.recent);
            }
            if told.elapsed() > Duration::from_secs(5) {
                told = Stopwatch::start();
                let rate = readable(so_far as f64 / watch.elapsed().as_secs_f64());
                let (so_far, recent) = (readable(so_far as f64), readable(figures.recent));
                println!("acta: {so_far} events, {rate}/s, {recent} not sealed yet, {} segments", figures.segments);
            }
        }
        let mut times = Vec::new();
        for worker in workers {
            match worker.join() {
                Ok(done) => times.extend(done?),
                Err(_) => bail!("a sender panicked"),
            }
        }
        Ok((times, backlog))
    })?;
    let sent_seconds = watch.elapsed().as_secs_f64();
    let settled_seconds = if settles { settle(server, &mut looks, watch)? } else { sent_seconds };
    let last = Figures::ask(&mut looks)?;
    Ok(Ingest {
        events,
        sent_seconds,
        settled_seconds,
        p50_ms: percentile_ms(&mut times, 50),
        p99_ms: percentile_ms(&mut times, 99),
        cpu_seconds: process::cpu_seconds(server.pid())? - before,
        peak_bytes: process::peak_bytes(server.pid())?,
        refused: refused.load(Ordering::Relaxed),
        sync_ms: (last.sync_seconds - first.sync_seconds) * 1_000.0 / (last.syncs - first.syncs).max(1.0),
        backlog,
        segments: last.segments,
    })
}

/// The body of a block's request.
fn write_block(story: &Story, block: usize, body: &mut String) {
    body.clear();
    body.push('[');
    for number in story.block(block) {
        if body.len() > 1 {
            body.push(',');
        }
        story.get(number).push_json(body);
    }
    body.push(']');
}

/// Waits until the server works no more and tells when it stopped, in seconds of the watch.
fn settle(server: &Server, looks: &mut Connection, watch: Stopwatch) -> anyhow::Result<f64> {
    let mut rested_since = watch.elapsed();
    let mut before = (process::cpu_seconds(server.pid())?, Figures::ask(looks)?);
    let mut at = watch.elapsed();
    loop {
        rest(LOOK);
        let now = (process::cpu_seconds(server.pid())?, Figures::ask(looks)?);
        let passed = (watch.elapsed() - at).as_secs_f64();
        at = watch.elapsed();
        if now.0 - before.0 > REST_CPU * passed || !now.1.is_at_rest(&before.1) {
            rested_since = at;
        }
        before = now;
        if at - rested_since > LOOK * 5 {
            println!("acta: at rest {:.1} s after the first event", rested_since.as_secs_f64());
            return Ok(rested_since.as_secs_f64());
        }
        if at > SETTLE_MAX + rested_since {
            bail!("acta serve does not come to rest");
        }
    }
}
