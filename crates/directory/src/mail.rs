//! Mails that wait to be sent. They hold links, so they are sealed in the vault; they are written in the transaction of what they
//! tell of, so that there is no link that nobody is sent.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::outbox::Event;
use crate::row;
use crate::vault::Vault;

/// After the first failure; twice that after each further one, up to the most.
const RETRY_MS: i64 = 30_000;
const RETRY_MS_MAX: i64 = 60 * 60_000;
/// So long a mail is tried.
const PATIENCE_MS: i64 = 24 * 60 * 60_000;

/// What a mail says, and to whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// What it says, as text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// It holds a link, so it does not show itself.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// A waiting mail.
#[derive(Debug, Clone)]
pub struct QueuedMail {
    /// Its number.
    pub id: i64,
    /// Which organization it concerns.
    pub org: OrgId,
    /// The mail; `None` if it was sealed under another key and cannot be read any more.
    pub letter: Option<Letter>,
    /// How often it was tried in vain.
    pub attempts: u32,
}

impl Directory {
    /// Up to `limit` mails that are to be sent or tried again by now.
    pub fn due_mails(&self, now: Timestamp, limit: u32) -> Result<Vec<QueuedMail>, DirectoryError> {
        self.read(|connection| {
            let sql = "SELECT id, org, sealed, attempts FROM mails WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map(params![now.as_millis(), limit], |found| from_row(found, &self.vault))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets a mail that was sent. If we crash before this, it is sent twice.
    pub fn mail_sent(&self, id: i64) -> Result<(), DirectoryError> {
        self.note(|transaction| {
            transaction.execute("DELETE FROM mails WHERE id = ?1", [id])?;
            Ok(())
        })
    }

    /// A mail was not sent. It is tried again later; or given up, which is an event, if that is hopeless or a day has passed.
    /// Says whether it was given up.
    pub fn mail_failed(&self, id: i64, hopeless: bool, reason: &str, now: Timestamp) -> Result<bool, DirectoryError> {
        let by = ChangedBy::system();
        self.change(&by, now, |transaction| {
            let Some((mail, created_at)) = one(transaction, &self.vault, id)? else { return Ok((true, Vec::new())) };
            if !hopeless && now.millis_since(created_at) < PATIENCE_MS {
                let wait = (RETRY_MS << mail.attempts.min(16)).min(RETRY_MS_MAX);
                let sql = "UPDATE mails SET attempts = attempts + 1, due_at = ?1 WHERE id = ?2";
                transaction.execute(sql, params![now.plus_millis(wait).as_millis(), id])?;
                return Ok((false, Vec::new()));
            }
            transaction.execute("DELETE FROM mails WHERE id = ?1", [id])?;
            let (to, subject) = mail.letter.map_or_else(Default::default, |letter| (letter.to, letter.subject));
            let event = Event::new(mail.org, "MAIL_FAILED")
                .failed()
                .target("mail", id, Some(&subject))
                .metadata("to", to)
                .metadata("attempts", mail.attempts + 1)
                .metadata("reason", reason);
            Ok((true, vec![event]))
        })
    }
}

/// Puts a mail into the queue.
pub(crate) fn queue(
    transaction: &Transaction<'_>,
    vault: &Vault,
    chance: &dyn Chance,
    org: OrgId,
    letter: &Letter,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO mails (org, sealed, attempts, due_at, created_at) VALUES (?1, '', 0, ?2, ?2) RETURNING id";
    let id: i64 = transaction.query_row(sql, params![org.0, now.as_millis()], |row| row.get(0))?;
    let plain = serde_json::to_vec(letter).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let sealed = vault.seal(chance, &place(id), &plain);
    transaction.execute("UPDATE mails SET sealed = ?1 WHERE id = ?2", params![sealed, id])?;
    Ok(())
}

fn place(id: i64) -> String {
    format!("mails/{id}")
}

fn one(connection: &Connection, vault: &Vault, id: i64) -> Result<Option<(QueuedMail, Timestamp)>, Fault> {
    let sql = "SELECT id, org, sealed, attempts, created_at FROM mails WHERE id = ?1";
    let read = |found: &Row<'_>| Ok((from_row(found, vault)?, row::time(found, "created_at")?));
    Ok(connection.query_row(sql, [id], read).optional()?)
}

fn from_row(found: &Row<'_>, vault: &Vault) -> rusqlite::Result<QueuedMail> {
    let (id, sealed): (i64, String) = (found.get("id")?, found.get("sealed")?);
    let plain = vault.open_sealed(&place(id), &sealed);
    let letter = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
    Ok(QueuedMail { id, org: row::org(found, "org")?, letter, attempts: found.get("attempts")? })
}
