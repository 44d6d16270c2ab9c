//! Which way mails go out, from the settings.

use std::fmt;
use std::io::IsTerminal;
use std::path::PathBuf;

use mail::Mailer;

use crate::config::{Config, Setting};

/// What to do with mails if there is neither a mail server nor a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailWay {
    /// Show them on the terminal, if stderr is one.
    Auto,
    /// Show them on stderr, whatever that is.
    Console,
    /// Send none.
    Off,
}

impl Setting for MailWay {
    fn read(text: &str) -> Result<MailWay, String> {
        match text {
            "auto" => Ok(MailWay::Auto),
            "console" => Ok(MailWay::Console),
            "off" => Ok(MailWay::Off),
            other => Err(format!("{other:?} is none of auto, console, off")),
        }
    }
    fn show(&self) -> String {
        let name = match self {
            MailWay::Auto => "auto",
            MailWay::Console => "console",
            MailWay::Off => "off",
        };
        name.to_owned()
    }
}

/// The address of a mail server, which may hold a password. It is shown without.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SmtpUrl(String);

impl Setting for SmtpUrl {
    fn read(text: &str) -> Result<SmtpUrl, String> {
        Ok(SmtpUrl(text.to_owned()))
    }
    fn show(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return String::new() };
        match rest.rsplit_once('@') {
            Some((user, place)) if user.contains(':') => {
                let name = user.split(':').next().unwrap_or_default();
                format!("{scheme}://{name}:…@{place}")
            }
            _ => self.0.clone(),
        }
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({})", self.show())
    }
}

/// Whether mails leave for somewhere else than a terminal. Which terminal a server runs on, a command cannot know.
pub fn leaves(config: &Config) -> bool {
    !config.smtp_url.0.is_empty() || !config.mail_folder.is_empty()
}

/// What sends mails, if anything does. The error names the setting at fault, and what is wrong with it.
pub fn mailer(config: &Config) -> Result<Option<Mailer>, (&'static str, String)> {
    let (url, folder) = (config.smtp_url.0.as_str(), config.mail_folder.as_str());
    // Mails that go no further than this machine may say that they come from it.
    let from = if config.mail_from.is_empty() { "Acta <acta@localhost>" } else { config.mail_from.as_str() };
    let bad_sender = |error: mail::MailError| ("mail_from", error.to_string());
    if !url.is_empty() {
        if !folder.is_empty() {
            return Err(("mail_folder", "and smtp_url are both set; choose one".to_owned()));
        }
        if config.mail_from.is_empty() {
            return Err(("mail_from", "must be set, because mails are sent: Acta <acta@example.com>".to_owned()));
        }
        Mailer::console(from).map_err(bad_sender)?;
        let password = password(&config.smtp_password_file)?;
        let mailer = Mailer::smtp(from, url, password.as_deref());
        return mailer.map(Some).map_err(|error| ("smtp_url", error.to_string()));
    }
    if !config.smtp_password_file.is_empty() {
        return Err(("smtp_password_file", "is set, and smtp_url is not".to_owned()));
    }
    if !folder.is_empty() {
        return Mailer::folder(from, PathBuf::from(folder)).map(Some).map_err(bad_sender);
    }
    let shown = match config.mail {
        MailWay::Auto => std::io::stderr().is_terminal(),
        MailWay::Console => true,
        MailWay::Off => false,
    };
    shown.then(|| Mailer::console(from)).transpose().map_err(bad_sender)
}

fn password(file: &str) -> Result<Option<String>, (&'static str, String)> {
    if file.is_empty() {
        return Ok(None);
    }
    let wrong = |what: String| ("smtp_password_file", what);
    let text = std::fs::read_to_string(file).map_err(|error| wrong(format!("{file:?} cannot be read: {error}")))?;
    match text.lines().next().unwrap_or_default() {
        "" => Err(wrong(format!("{file:?} holds no password in its first line"))),
        line => Ok(Some(line.to_owned())),
    }
}
