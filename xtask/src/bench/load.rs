//! Sends prepared bodies over many connections at once and times every answer.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use super::http::{Answer, Connection};
use crate::stopwatch::Stopwatch;

/// How it went.
#[derive(Debug)]
pub(crate) struct Load {
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// From a request to its answer.
    pub(crate) latencies: Vec<Duration>,
}

/// Sends every body once. The connections are open before the clock starts, and each takes the next body when it has its
/// answer. An answer that `check` complains of ends everything.
pub(crate) fn send(
    address: SocketAddr,
    key: &str,
    bodies: &[Vec<u8>],
    connections: usize,
    check: fn(&Answer) -> Result<(), String>,
) -> anyhow::Result<Load> {
    let opened: Result<Vec<Connection>, _> = (0..connections).map(|_| Connection::open(address, key)).collect();
    let opened = opened.context("could not open the connections")?;
    let next = AtomicUsize::new(0);
    let start = Barrier::new(connections + 1);
    let worker = |mut connection: Connection| {
        start.wait();
        let mut latencies = Vec::new();
        while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
            let watch = Stopwatch::start();
            let answer = connection.post("/v1/events", body)?;
            latencies.push(watch.elapsed());
            if let Err(complaint) = check(&answer) {
                // The others need not go on.
                next.store(bodies.len(), Ordering::Relaxed);
                bail!("{complaint}: status {}, {}", answer.status, String::from_utf8_lossy(&answer.body));
            }
        }
        Ok(latencies)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = opened.into_iter().map(|connection| scope.spawn(|| worker(connection))).collect();
        // Before the barrier, so that no request lies outside of it, however late this thread runs on.
        let watch = Stopwatch::start();
        start.wait();
        let mut latencies = Vec::with_capacity(bodies.len());
        for worker in workers {
            match worker.join() {
                Ok(done) => latencies.extend(done?),
                Err(_) => bail!("a connection's thread panicked"),
            }
        }
        Ok(Load { took: watch.elapsed(), latencies })
    })
}

/// A single event was recorded.
pub(crate) fn one_recorded(answer: &Answer) -> Result<(), String> {
    if answer.status == 201 { Ok(()) } else { Err("the event was not recorded".into()) }
}

/// A whole batch was recorded.
pub(crate) fn batch_recorded(answer: &Answer) -> Result<(), String> {
    let head = answer.body.get(..200).unwrap_or(&answer.body);
    let tail = answer.body.get(answer.body.len().saturating_sub(200)..).unwrap_or_default();
    let clean = b"\"rejected\":0".as_slice();
    let says_clean = |part: &[u8]| part.windows(clean.len()).any(|window| window == clean);
    let whole = answer.status == 200 && (says_clean(head) || says_clean(tail));
    if whole { Ok(()) } else { Err("the batch was not recorded as a whole".into()) }
}

#[cfg(test)]
mod tests {
    use super::super::http::tests::serve;
    use super::*;

    #[test]
    fn every_body_is_sent_once() {
        let address = serve(|_, body| {
            let status = if body == b"bad" { "422 Unprocessable" } else { "201 Created" };
            format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}")
        });
        let mut bodies: Vec<Vec<u8>> = (0..100).map(|number| format!("[{number}]").into_bytes()).collect();
        let load = send(address, "key", &bodies, 4, one_recorded).unwrap();
        assert_eq!(load.latencies.len(), 100);
        assert!(load.took >= load.latencies.iter().max().copied().unwrap());

        bodies.push(b"bad".into());
        let error = send(address, "key", &bodies, 4, one_recorded).unwrap_err();
        assert_eq!(error.to_string(), "the event was not recorded: status 422, {}");
    }

    #[test]
    fn a_batch_with_a_rejected_event_is_not_recorded() {
        let answer = |status, body: &str| Answer { status, body: body.into() };
        assert!(batch_recorded(&answer(200, r#"{"accepted":100,"rejected":0,"results":[]}"#)).is_ok());
        assert!(batch_recorded(&answer(200, r#"{"accepted":99,"rejected":1,"results":[]}"#)).is_err());
        assert!(batch_recorded(&answer(503, "")).is_err());
    }
}
