//! One connection, and one transaction for all who wait for it.
//!
//! Whoever wants something of the database puts it into a queue. If nobody is working on the queue, one blocking task is
//! started, which does all that has gathered in one transaction, then what gathered meanwhile, and ends when there is no more. So
//! a commit serves many destinations, and no thread stands about while nothing happens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Savepoint};
use tokio::sync::oneshot;

use super::LedgerError;

/// Tells whoever waits how the transaction ended.
type Done = Box<dyn FnOnce(Result<(), String>) + Send>;
/// Works in a transaction, or is told why there is none.
type Job = Box<dyn FnOnce(Result<&mut rusqlite::Transaction<'_>, String>) -> Done + Send>;

pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    connection: Mutex<Connection>,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// Whether somebody is working on them.
    attended: bool,
}

impl Queue {
    pub(super) fn new(connection: Connection) -> Queue {
        Queue { waiting: Mutex::default(), connection: Mutex::new(connection) }
    }

    /// Does the work in a transaction, which is committed when this returns. If it fails, nothing of it is written. Whoever
    /// stops waiting has it done all the same, and before anything that is asked later.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Savepoint<'_>) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |transaction| {
            let outcome = transaction.map_err(|detail| LedgerError::Storage { detail }).and_then(|transaction| {
                let savepoint = transaction.savepoint()?;
                let value = work(&savepoint)?;
                savepoint.commit()?;
                Ok(value)
            });
            Box::new(move |committed| {
                let outcome = outcome.and_then(|value| {
                    committed.map_err(|detail| LedgerError::Storage { detail })?;
                    Ok(value)
                });
                // Nobody may be waiting any more.
                drop(reply.send(outcome));
            })
        });
        self.put(job);
        answer.await.unwrap_or_else(|_| Err(LedgerError::Storage { detail: "the work on it was broken off".into() }))
    }

    fn put(self: &Arc<Self>, job: Job) {
        let mut waiting = locked(&self.waiting);
        waiting.jobs.push(job);
        if !waiting.attended {
            waiting.attended = true;
            let queue = Arc::clone(self);
            drop(tokio::task::spawn_blocking(move || queue.attend()));
        }
    }

    fn attend(&self) {
        // Also if something panics here: whoever comes next finds a queue that is not attended, and attends it.
        let _leaving = Leaving(self);
        let mut connection = locked(&self.connection);
        loop {
            let jobs = {
                let mut waiting = locked(&self.waiting);
                if waiting.jobs.is_empty() {
                    waiting.attended = false;
                    return;
                }
                std::mem::take(&mut waiting.jobs)
            };
            work(&mut connection, jobs);
        }
    }
}

struct Leaving<'q>(&'q Queue);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            locked(&self.0.waiting).attended = false;
        }
    }
}

/// Does all of it in one transaction, each in a savepoint of its own.
fn work(connection: &mut Connection, jobs: Vec<Job>) {
    let mut transaction = match connection.transaction() {
        Ok(transaction) => transaction,
        Err(error) => {
            for job in jobs {
                job(Err(error.to_string()))(Ok(()));
            }
            return;
        }
    };
    // A panic drops the job's reply, so that whoever waits is told, and its savepoint, which is rolled back.
    let done: Vec<Done> =
        jobs.into_iter().filter_map(|job| catch_unwind(AssertUnwindSafe(|| job(Ok(&mut transaction)))).ok()).collect();
    let committed = transaction.commit().map_err(|error| error.to_string());
    for done in done {
        done(committed.clone());
    }
}

/// Whoever panicked with the lock has left a transaction that was rolled back when it was dropped.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
