//! What can go wrong with the ledger.

use std::path::PathBuf;

/// Why the ledger did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no such thing.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for: `destination`, `dead letter`, `replay`.
        what: &'static str,
    },
    /// What was asked does not go together with what is there.
    #[error("{detail}")]
    Conflict {
        /// A sentence for people.
        detail: String,
    },
    /// A newer Acta has written the file. This one would not understand it, and leaves it alone.
    #[error("{} has ledger version {found}, and this Acta knows versions up to {known}: start the newer Acta that wrote it", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this binary can read.
        known: u32,
    },
    /// The file could not be created.
    #[error("cannot create {}: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// SQLite failed. Nothing of what was asked has been written.
    #[error("the ledger of deliveries failed: {detail}")]
    Storage {
        /// What SQLite said.
        detail: String,
    },
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> LedgerError {
        LedgerError::Storage { detail: error.to_string() }
    }
}
