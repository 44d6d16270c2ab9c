//! What can go wrong here, by what the caller can do about it.

use std::path::PathBuf;

/// Why the directory did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is no such thing, or not in this organization.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for: `organization`, `team`, `user`, `API key`, `session`.
        what: &'static str,
    },
    /// What was asked does not go together with what is there.
    #[error("{detail}")]
    Conflict {
        /// What stands in the way.
        what: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// The actor does not hold what this would give or take, or would do it to herself.
    #[error("{detail}")]
    Forbidden {
        /// A sentence for people.
        detail: String,
    },
    /// A value that nobody can accept.
    #[error("{detail}")]
    Invalid {
        /// Which member of the request is at fault.
        member: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// A newer Acta has written the database. This one would not understand it, and leaves it alone.
    #[error("{} has directory version {found}, and this Acta knows versions up to {known}: start the newer Acta that wrote it", path.display())]
    TooNew {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this binary can read.
        known: u32,
    },
    /// The database file could not be created.
    #[error("cannot create {}", path.display())]
    Create {
        /// The database.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database failed, or holds what this crate did not write.
    #[error("the directory {} failed", path.display())]
    Storage {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl DirectoryError {
    pub(crate) fn invalid(member: &'static str, detail: impl Into<String>) -> DirectoryError {
        DirectoryError::Invalid { member, detail: detail.into() }
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> DirectoryError {
        DirectoryError::Forbidden { detail: detail.into() }
    }

    pub(crate) fn conflict(what: &'static str, detail: impl Into<String>) -> DirectoryError {
        DirectoryError::Conflict { what, detail: detail.into() }
    }
}

/// A failure inside a transaction, before the path of the database is known to it.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Told(DirectoryError),
}

impl Fault {
    pub(crate) fn at(self, path: &std::path::Path) -> DirectoryError {
        match self {
            Fault::Sql(source) => DirectoryError::Storage { path: path.to_owned(), source },
            Fault::Told(error) => error,
        }
    }

    /// Whether a unique column or a primary key would have held the same value twice.
    pub(crate) fn is_duplicate(error: &rusqlite::Error) -> bool {
        use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
        error
            .sqlite_error()
            .is_some_and(|error| matches!(error.extended_code, SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE))
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sql(error)
    }
}

impl From<DirectoryError> for Fault {
    fn from(error: DirectoryError) -> Fault {
        Fault::Told(error)
    }
}
