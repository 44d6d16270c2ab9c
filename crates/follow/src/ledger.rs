//! What has arrived where, what has not, and why: a SQLite file of its own, `deliveries.db`.
//!
//! For each [`Route`]: a cursor, exact gaps, dead letters, receipts and replays. The loop writes cursor, receipt, gap and dead
//! letters in one transaction, after the receiver has answered. *If we crash before it,* the same events are sent again, with
//! the same ids. That is all that can happen, so a commit does not wait for the disk (`synchronous = NORMAL`).

mod alert;
mod dead_letter;
mod error;
mod gap;
mod progress;
mod queue;
mod receipt;
mod replay;
mod standing;

use std::fmt;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use record::{Index, Timestamp};
use rusqlite::{Connection, Savepoint, ToSql};
use tokio::sync::watch;

use crate::route::DestinationId;

pub use alert::{Alert, Trouble};
pub use dead_letter::{DeadLetter, DeadLetterId};
pub use error::LedgerError;
pub use gap::{Gap, GapKind};
pub use receipt::{Receipt, ReceiptKind};
pub use replay::{Replay, ReplayId, ReplayKind, ReplayState};
pub use standing::{Begin, Said, Standing};

pub(crate) use dead_letter::NewDeadLetter;
pub(crate) use progress::{Progress, Run, Went};

/// The one version of the file that there is.
const VERSION: u32 = 1;
const SCHEMA: &str = include_str!("ledger/schema.sql");
/// How long a statement waits for another process (a backup) to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The ledger, open. Clones are the same ledger.
#[derive(Clone)]
pub struct Ledger {
    queue: Arc<queue::Queue>,
    /// Counts what followers should look at: replays that were asked for or cancelled.
    news: Arc<watch::Sender<u64>>,
}

impl Ledger {
    /// Opens the file, and makes it if there is none (readable by its owner only). Refuses one that a newer Acta wrote.
    pub fn open(path: &Path) -> Result<Ledger, LedgerError> {
        create_private(path)?;
        Ledger::prepare(path, Connection::open(path)?)
    }

    /// A ledger that is gone when it is dropped.
    pub fn in_memory() -> Result<Ledger, LedgerError> {
        Ledger::prepare(Path::new(":memory:"), Connection::open_in_memory()?)
    }

    fn prepare(path: &Path, connection: Connection) -> Result<Ledger, LedgerError> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(64);
        let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > VERSION {
            return Err(LedgerError::TooNew { path: path.to_owned(), found, known: VERSION });
        }
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        if found == 0 {
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA}; PRAGMA user_version = {VERSION}; COMMIT;"))?;
        }
        Ok(Ledger { queue: Arc::new(queue::Queue::new(connection)), news: Arc::new(watch::Sender::new(0)) })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Savepoint<'_>) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.queue.run(work).await
    }

    /// Changes when followers should look for replays.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    fn tell_news(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Forgets all about a destination that was removed. Its followers end.
    pub async fn forget(&self, destination: &DestinationId) -> Result<(), LedgerError> {
        let destination = destination.clone();
        self.run(move |db| {
            db.execute("DELETE FROM routes WHERE destination = ?1", [destination.as_str()])?;
            Ok(())
        })
        .await
    }

    /// Forgets receipts, closed gaps and ended replays that are older than `keep`, and keeps receipts older than a day to the
    /// minute. To be called now and then. What is open is never forgotten.
    pub async fn tidy(&self, now: Timestamp, keep: Duration) -> Result<(), LedgerError> {
        let before = millis(now) - i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        self.run(move |db| {
            receipt::expire(db, before)?;
            db.execute("DELETE FROM gaps WHERE closed < ?1", [before])?;
            db.execute("DELETE FROM replays WHERE ended < ?1", [before])?;
            Ok(())
        })
        .await?;
        // A little at a time, so that deliveries are not kept waiting.
        while self.run(move |db| receipt::compact(db, now)).await? {}
        Ok(())
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

/// What is in it says who did what to whom; SQLite gives its other files the rights of the first.
fn create_private(path: &Path) -> Result<(), LedgerError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(LedgerError::Create { path: path.to_owned(), source }),
    }
}

/// An index as SQLite keeps it. Logs do not reach 2⁶³ events.
fn number(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn index(number: i64) -> Index {
    Index(unsigned(number))
}

fn millis(at: Timestamp) -> i64 {
    at.as_millis()
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The first row, if there is one.
fn one<T>(
    db: &Connection,
    sql: &str,
    with: &[&dyn ToSql],
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(with)?;
    rows.next()?.map(read).transpose()
}

/// All rows.
fn all<T>(
    db: &Connection,
    sql: &str,
    with: &[&dyn ToSql],
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    statement.query_map(with, read)?.collect()
}

/// Does it, and tells how many rows it concerned.
fn act(db: &Connection, sql: &str, with: &[&dyn ToSql]) -> rusqlite::Result<usize> {
    db.prepare_cached(sql)?.execute(with)
}
