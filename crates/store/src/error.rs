//! What can go wrong in the store, by what the caller can do about it.

use std::io;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk did not do as it was told. Look at the disk.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Bytes that we wrote are not what we wrote. Run `acta check`; restore from a backup.
    #[error("{path} is damaged at byte {offset}: {what}")]
    Corrupt {
        /// The file.
        path: String,
        /// Where in it, in bytes.
        offset: u64,
        /// What was found.
        what: String,
    },
    /// The file was written by a newer version. Use that version.
    #[error("{path} has format version {found}; this program reads up to {known}")]
    TooNew {
        /// The file.
        path: String,
        /// The version it has.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Another process has the data directory open. Stop it, or use it.
    #[error("the data directory is in use by another process")]
    Locked,
    /// An earlier write or sync failed, so that what is on disk is unknown. Restart.
    #[error("the store takes no more events since a write failed: {0}")]
    Poisoned(String),
    /// More work is waiting than memory is set aside for. Try again later.
    #[error("the store is busy")]
    Busy,
    /// The store is shutting down.
    #[error("the store is shutting down")]
    Closing,
    /// Nobody waits for the answer any more.
    #[error("the question was cancelled")]
    Cancelled,
}

impl StoreError {
    pub(crate) fn corrupt(path: &str, offset: u64, what: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: path.to_owned(), offset, what: what.into() }
    }

    pub(crate) fn io(path: &str) -> impl FnOnce(io::Error) -> StoreError + '_ {
        move |source| StoreError::Io { path: path.to_owned(), source }
    }
}
