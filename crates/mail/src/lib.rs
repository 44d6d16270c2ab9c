//! Sends mails: by SMTP, into a folder, or onto a terminal.
//!
//! In reading order: `message` makes the mail as it goes over the wire; `mailer` hands it over. What a mail says, when it is tried
//! again and what its links are worth, the caller knows: nothing here knows of users or of HTTP. Time and identity are
//! parameters.

#![deny(missing_docs)]

mod console;
mod error;
mod folder;
mod mailer;
mod message;
mod smtp;

pub use error::MailError;
pub use mailer::Mailer;
pub use message::Mail;
