//! Standard output: one line for each event, apart from the server's own messages, which go to standard error.
//!
//! The program has one [`Output`], which all destinations of this type share: lines never mix. What it writes to is a parameter.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use follow::{Answer, Later, Limits, Message, Transport};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::doors::Doors;
use crate::settings::{OpenError, Receiver};

/// So long may whoever reads standard output leave it unread before we try again.
const PATIENCE: Duration = Duration::from_secs(30);

/// There is nothing to set: the place is the process's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StdoutSettings {}

impl Receiver for StdoutSettings {
    const TYPE: &'static str = "stdout";
    const SECRETS: &'static [&'static str] = &[];
    const PLACES: &'static [&'static str] = &[];

    fn sample() -> Value {
        json!({})
    }

    fn open(&self, doors: &Doors) -> Result<Arc<dyn Transport>, OpenError> {
        let refused = "events may not go to standard output here: the operator has not allowed it";
        let output = doors.output.clone().ok_or_else(|| OpenError(refused.to_owned()))?;
        Ok(Arc::new(Stdout { output }))
    }
}

/// Lines to be written, and whom to tell.
struct Job {
    lines: Vec<u8>,
    done: oneshot::Sender<io::Result<()>>,
}

/// Where lines go. Clones write to the same place, one after the other.
///
/// The writing is done by a thread of its own, because nobody knows how long the other end of a pipe leaves it full: so neither a
/// destination nor the shutdown ever waits for that.
#[derive(Debug, Clone)]
pub struct Output {
    jobs: SyncSender<Job>,
}

impl Output {
    /// Writes to this. Fails if there can be no more threads.
    pub fn new(out: impl Write + Send + 'static) -> io::Result<Output> {
        let (jobs, waiting) = sync_channel(1);
        std::thread::Builder::new().name("acta-output".into()).spawn(move || write_all(out, &waiting))?;
        Ok(Output { jobs })
    }
}

fn write_all(mut out: impl Write, waiting: &mpsc::Receiver<Job>) {
    // After a failure nobody knows how much of a line is out. A line break of its own keeps the next one whole.
    let mut torn = false;
    for Job { lines, done } in waiting {
        let begun = if torn { out.write_all(b"\n") } else { Ok(()) };
        let written = begun.and_then(|()| out.write_all(&lines)).and_then(|()| out.flush());
        torn = written.is_err();
        // Who asked may have given up; the batch comes again then.
        drop(done.send(written));
    }
}

#[derive(Debug)]
struct Stdout {
    output: Output,
}

impl Transport for Stdout {
    fn limits(&self) -> Limits {
        Limits { messages: 1_000, bytes: 1 << 20, overhead: 1, message_bytes: usize::MAX, age: Duration::from_millis(100) }
    }

    fn send<'a>(&'a self, batch: &'a [Message]) -> Later<'a, Answer> {
        Box::pin(async move {
            let mut lines = Vec::with_capacity(batch.iter().map(|one| one.body.len() + 1).sum());
            for message in batch {
                lines.extend_from_slice(&message.body);
                lines.push(b'\n');
            }
            let bytes = lines.len();
            let (done, told) = oneshot::channel();
            match self.output.jobs.try_send(Job { lines, done }) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => return Answer::retry("standard output is not being read"),
                Err(TrySendError::Disconnected(_)) => return Answer::retry("standard output has been given up"),
            }
            match tokio::time::timeout(PATIENCE, told).await {
                Ok(Ok(Ok(()))) => Answer::delivered(format!("{} lines written, {bytes} bytes", batch.len())),
                Ok(Ok(Err(e))) => Answer::retry(format!("standard output cannot be written: {e}")),
                Ok(Err(_)) => Answer::retry("standard output has been given up"),
                Err(_) => Answer::retry(format!("standard output was not read for {} seconds", PATIENCE.as_secs())),
            }
        })
    }
}
