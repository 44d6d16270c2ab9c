//! The open database: one connection, one lock.

use std::fmt;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use record::Timestamp;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::chance::Chance;
use crate::changed_by::ChangedBy;
use crate::error::{DirectoryError, Fault};
use crate::migrate;
use crate::outbox::{self, Event};
use crate::password::PasswordCost;
use crate::session::SessionLimits;
use crate::vault::Vault;

/// How long a statement waits for another process (a command, a backup) to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the switch to write-ahead logging is tried while other processes open the same new database.
const SWITCH_TRIES_MAX: usize = 20;

/// The key's file, beside the database.
const KEY: &str = "keys/directory.key";

/// What can be chosen about the directory.
#[derive(Debug, Clone, Default)]
pub struct DirectoryOptions {
    /// How dear it is to try a password.
    pub password_cost: PasswordCost,
    /// How long a session lasts.
    pub session_limits: SessionLimits,
}

impl DirectoryOptions {
    /// The defaults, with passwords that are cheap to hash.
    pub fn for_tests() -> DirectoryOptions {
        DirectoryOptions { password_cost: PasswordCost::for_tests(), ..DirectoryOptions::default() }
    }
}

/// The control-plane database, open.
///
/// One connection under one mutex: its statements take microseconds, and a commit takes one sync of the disk. The lock is held
/// for one transaction at a time, never while a password is hashed and never by a caller. All methods block, for up to five
/// seconds if another process is writing: asynchronous callers run them where blocking is allowed.
pub struct Directory {
    path: PathBuf,
    connection: Mutex<Connection>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) vault: Vault,
    pub(crate) options: DirectoryOptions,
}

impl Directory {
    /// Opens the database, makes it if there is none (readable by its owner only), and brings an older one up to date. Refuses
    /// one that a newer Acta wrote.
    pub fn open(path: &Path, chance: Arc<dyn Chance>, options: DirectoryOptions) -> Result<Directory, DirectoryError> {
        create_private(path)?;
        let connection = Connection::open(path).map_err(|error| Fault::Sql(error).at(path))?;
        let vault = Vault::open(&path.with_file_name(KEY), chance.as_ref())?;
        Directory::prepare(path.to_owned(), connection, chance, vault, options)
    }

    /// A database that is gone when it is dropped.
    pub fn in_memory(chance: Arc<dyn Chance>, options: DirectoryOptions) -> Result<Directory, DirectoryError> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| Fault::Sql(error).at(&path))?;
        let vault = Vault::in_memory(chance.as_ref());
        Directory::prepare(path, connection, chance, vault, options)
    }

    fn prepare(
        path: PathBuf,
        mut connection: Connection,
        chance: Arc<dyn Chance>,
        vault: Vault,
        options: DirectoryOptions,
    ) -> Result<Directory, DirectoryError> {
        // First, before anything is written: a newer database is not ours to touch.
        let found = connection.busy_timeout(BUSY_TIMEOUT).and_then(|()| migrate::version(&connection));
        let found = found.map_err(|error| Fault::Sql(error).at(&path))?;
        if found > migrate::KNOWN {
            return Err(DirectoryError::TooNew { path, found, known: migrate::KNOWN });
        }
        let prepared = configure(&mut connection).and_then(|()| migrate::migrate(&mut connection));
        prepared.map_err(|error| Fault::Sql(error).at(&path))?;
        Ok(Directory { path, connection: Mutex::new(connection), chance, vault, options })
    }

    /// What seals secrets that have to be read again.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Reads.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, DirectoryError> {
        work(&self.locked()).map_err(|fault| fault.at(&self.path))
    }

    /// Writes what is no change that anybody made: when a key was last used, which outbox rows are done with.
    pub(crate) fn note<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, DirectoryError> {
        let mut connection = self.locked();
        in_transaction(&mut connection, work).map_err(|fault| fault.at(&self.path))
    }

    /// Writes what may be lost: when a key or a session was last used. Does not wait for another process, and does not fail: a
    /// busy or full disk must not keep a caller with a valid key from being served.
    pub(crate) fn note_if_free(&self, work: impl FnOnce(&Transaction<'_>) -> Result<(), Fault>) {
        let mut connection = self.locked();
        if connection.busy_timeout(Duration::ZERO).is_ok() {
            drop(in_transaction(&mut connection, work));
        }
        // Setting a number in memory; it cannot fail on an open connection.
        drop(connection.busy_timeout(BUSY_TIMEOUT));
    }

    /// Changes the directory on somebody's behalf. The events that `work` returns are committed with its changes; it returns
    /// none only if it found that there was nothing to change.
    pub(crate) fn change<T>(
        &self,
        by: &ChangedBy,
        now: Timestamp,
        work: impl FnOnce(&Transaction<'_>) -> Result<(T, Vec<Event>), Fault>,
    ) -> Result<T, DirectoryError> {
        self.note(|transaction| {
            let (value, events) = work(transaction)?;
            for event in events {
                outbox::write(transaction, self.chance.as_ref(), by, now, &event)?;
            }
            Ok(value)
        })
    }

    /// A panic while the lock was held has rolled its transaction back when it unwound, so the connection is as good as ever.
    fn locked(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Takes the write lock at once: a transaction that reads first and writes later could find that another process was faster,
/// and would have to start again.
fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Makes the empty file, so that it is never readable by others; SQLite gives its companions the same mode.
///
/// Under a lock, and never for a file that exists: SQLite's locks belong to the process and not to the descriptor, so closing a
/// descriptor of a database that another thread has open would quietly drop that thread's locks.
fn create_private(path: &Path) -> Result<(), DirectoryError> {
    static CREATING: Mutex<()> = Mutex::new(());
    let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(DirectoryError::Create { path: path.to_owned(), source }),
    }
}

fn configure(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    // Deleted values are overwritten, not just unlinked.
    connection.pragma_update(None, "secure_delete", true)?;
    switch_to_write_ahead_log(connection)?;
    // A commit is on the disk before it is answered, in this mode of the journal too.
    connection.pragma_update(None, "synchronous", "FULL")
}

/// Readers and one writer do not wait for each other. The mode stays in the file, so this does something only once.
///
/// SQLite does not wait for its turn here as it does elsewhere: of several processes that open the same new database, all but
/// one are told that it is busy. Taking the write lock does wait; after that the switch has been made, or can be tried again.
fn switch_to_write_ahead_log(connection: &mut Connection) -> rusqlite::Result<()> {
    for _ in 1..SWITCH_TRIES_MAX {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?.rollback()?;
            }
            done => return done,
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl Chance for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn the_connection_is_set_up_as_promised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acta.db");
        // The second time, too: all but the journal's mode belong to the connection, not to the file.
        for _ in 0..2 {
            let directory = Directory::open(&path, Arc::new(Zeros), DirectoryOptions::for_tests()).unwrap();
            let connection = directory.locked();
            let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!(number("foreign_keys"), 1);
            assert_eq!(number("secure_delete"), 1);
            assert_eq!(number("busy_timeout"), 5000);
            assert_eq!(number("synchronous"), 2, "FULL");
            let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
        }
    }

    #[test]
    fn threads_may_share_it() {
        fn shared<T: Send + Sync>() {}
        shared::<Directory>();
    }
}
