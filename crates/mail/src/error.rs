//! What can go wrong with a mail, by what the caller does about it.

use std::path::PathBuf;

/// Why a mail was not handed over, or why nobody can be asked to.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The sender's address or the server's is not one. Told when the mailer is made.
    #[error("{0}")]
    Setting(String),
    /// The mail itself cannot be sent, by nobody and never: its address is none.
    #[error("the mail cannot be written: {0}")]
    Mail(String),
    /// The server refused the mail for good (RFC 5321 §4.2.1: a reply that begins with 5).
    #[error("the mail server refused it: {0}")]
    Refused(String),
    /// The server was not reached, or refuses for now. Trying again may help.
    #[error("the mail server did not take it: {0}")]
    NotNow(String),
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    File {
        /// The file or its folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl MailError {
    /// Whether trying again cannot help.
    pub fn is_hopeless(&self) -> bool {
        matches!(self, MailError::Mail(_) | MailError::Refused(_))
    }
}
