//! Links that stand for a person, for a while and once: to set a password, to sign in, to prove that an address is hers.
//!
//! A link's token is 256 random bits and is kept as a hash. It is used up by one statement that also asks whether it is still
//! good, so of any number of people who have it, one gets through. To look at a link does not use it up: programs that scan
//! mail open every link in it.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::chance::{Chance, random_hex};
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::{LinkId, UserId};
use crate::password_link;
use crate::row;
use crate::secret::Secret;
use crate::user::{self, User, UserStatus};

const MINUTE_MS: i64 = 60_000;
/// A used or expired link is remembered so long, so that whoever opens it is told which of the two it is.
const REMEMBERED_MS: i64 = 30 * 24 * 60 * MINUTE_MS;
/// Of one purpose for one user, so many are made within fifteen minutes. The next is not needed: each of these is good.
const RECENT_MAX: u32 = 5;
const RECENT_MS: i64 = 15 * MINUTE_MS;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To set a new password. An hour.
    PasswordReset,
    /// To sign in. Fifteen minutes.
    MagicLink,
    /// To prove that a new address is hers. A day.
    EmailChange,
    /// To set the first password of whoever set Acta up. A day.
    FirstRun,
    /// No link but a ticket: the password was right, the second factor is still to be shown. Five minutes.
    SecondFactor,
}

impl Purpose {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Purpose::PasswordReset => "password_reset",
            Purpose::MagicLink => "magic_link",
            Purpose::EmailChange => "email_change",
            Purpose::FirstRun => "first_run",
            Purpose::SecondFactor => "second_factor",
        }
    }

    /// How long it is good, in minutes.
    pub fn minutes(self) -> i64 {
        match self {
            Purpose::PasswordReset => 60,
            Purpose::MagicLink => 15,
            Purpose::EmailChange | Purpose::FirstRun => 24 * 60,
            Purpose::SecondFactor => 5,
        }
    }
}

/// A link that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// Whom it stands for, as she is now.
    pub user: User,
    /// What more belongs to it: the new address, the way she signed in.
    pub detail: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Why a link was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefused {
    /// There is no such link.
    #[error("this link is not known")]
    Unknown,
    /// It was used, or replaced by another.
    #[error("this link was used before")]
    Used,
    /// Its time is over.
    #[error("this link has expired")]
    Expired,
    /// Its user may not sign in.
    #[error("this user is disabled")]
    Disabled,
    /// An invitation's: whoever made it may not give any more what it gives.
    #[error("whoever made this invitation may not give any more what it gives")]
    Powerless,
}

struct Stored {
    id: LinkId,
    org: OrgId,
    user: UserId,
    detail: String,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
}

impl Stored {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Stored> {
        Ok(Stored {
            id: row::parsed(found, "id", LinkId::parse)?,
            org: row::org(found, "org")?,
            user: row::parsed(found, "user_id", UserId::parse)?,
            detail: found.get("detail")?,
            expires_at: row::time(found, "expires_at")?,
            used_at: row::optional_time(found, "used_at")?,
        })
    }
}

impl Directory {
    /// What a link's token stands for, without using it up. The outer error is the database's, the inner one the link's.
    pub fn find_link(
        &self,
        purpose: Purpose,
        token: &Secret,
        now: Timestamp,
    ) -> Result<Result<Link, LinkRefused>, DirectoryError> {
        self.read(|connection| look(connection, purpose, token, now))
    }

    /// Uses a link up that needs nothing else done with it in the same transaction: to sign in.
    pub fn take_link(
        &self,
        purpose: Purpose,
        token: &Secret,
        now: Timestamp,
    ) -> Result<Result<Link, LinkRefused>, DirectoryError> {
        self.note(|transaction| {
            let taken = take(transaction, purpose, token, now)?;
            if let (Purpose::MagicLink, Ok(link)) = (purpose, &taken)
                && link.detail == password_link::by_mail(&link.user)
            {
                password_link::verified(transaction, &link.user.id, now)?;
            }
            Ok(taken)
        })
    }

    /// Remembers that she has shown the first of two factors, and with which; the ticket goes into the page that asks for the other.
    pub fn second_factor_ticket(&self, user: &User, method: &str, now: Timestamp) -> Result<Secret, DirectoryError> {
        self.note(|transaction| create(transaction, self.chance.as_ref(), Purpose::SecondFactor, user, method, now))
    }

    /// Forgets links that nobody will ask about any more, and says how many those were.
    pub fn purge_links(&self, now: Timestamp) -> Result<usize, DirectoryError> {
        self.note(|transaction| {
            let until = now.plus_millis(-REMEMBERED_MS).as_millis();
            Ok(transaction.execute("DELETE FROM links WHERE expires_at <= ?1", [until])?)
        })
    }
}

/// Makes a link; its token is in the answer and nowhere else.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    chance: &dyn Chance,
    purpose: Purpose,
    user: &User,
    detail: &str,
    now: Timestamp,
) -> Result<Secret, Fault> {
    let token = Secret::new(random_hex::<32>(chance));
    let sql = "INSERT INTO links (id, org, user_id, purpose, token_hash, detail, created_at, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let expires_at = now.plus_millis(purpose.minutes() * MINUTE_MS);
    let values = params![
        LinkId::random(chance),
        user.org.0,
        user.id,
        purpose.as_str(),
        token.stored(),
        detail,
        now.as_millis(),
        expires_at.as_millis()
    ];
    transaction.execute(sql, values)?;
    Ok(token)
}

/// Whether she has been sent enough of them for now. Nobody is locked out by that: those that she was sent are good.
pub(crate) fn has_enough(
    transaction: &Transaction<'_>,
    purpose: Purpose,
    user: &UserId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "SELECT count(*) FROM links WHERE user_id = ?1 AND purpose = ?2 AND created_at > ?3 AND used_at IS NULL";
    let values = params![user, purpose.as_str(), now.plus_millis(-RECENT_MS).as_millis()];
    let recent: u32 = transaction.query_row(sql, values, |row| row.get(0))?;
    Ok(recent >= RECENT_MAX)
}

fn look(
    connection: &Connection,
    purpose: Purpose,
    token: &Secret,
    now: Timestamp,
) -> Result<Result<Link, LinkRefused>, Fault> {
    let sql = "SELECT id, org, user_id, detail, expires_at, used_at FROM links WHERE token_hash = ?1 AND purpose = ?2";
    let found = connection.query_row(sql, params![token.stored(), purpose.as_str()], Stored::from_row).optional()?;
    let Some(found) = found else { return Ok(Err(LinkRefused::Unknown)) };
    if found.used_at.is_some() {
        return Ok(Err(LinkRefused::Used));
    }
    if found.expires_at <= now {
        return Ok(Err(LinkRefused::Expired));
    }
    let user = user::require(connection, found.org, &found.user)?;
    if user.status != UserStatus::Active {
        return Ok(Err(LinkRefused::Disabled));
    }
    Ok(Ok(Link { id: found.id, user, detail: found.detail, expires_at: found.expires_at }))
}

/// Uses a link up, and with it all others of its purpose for the same user: who has set her password has no use for a second
/// link to do so, but a thief has.
pub(crate) fn take(
    transaction: &Transaction<'_>,
    purpose: Purpose,
    token: &Secret,
    now: Timestamp,
) -> Result<Result<Link, LinkRefused>, Fault> {
    let link = match look(transaction, purpose, token, now)? {
        Ok(link) => link,
        Err(refused) => return Ok(Err(refused)),
    };
    let sql = "UPDATE links SET used_at = ?1 WHERE id = ?2 AND used_at IS NULL AND expires_at > ?1";
    if transaction.execute(sql, params![now.as_millis(), link.id])? == 0 {
        return Ok(Err(LinkRefused::Used));
    }
    revoke_all(transaction, purpose, &link.user.id, now)?;
    Ok(Ok(link))
}

/// Makes all links of this purpose for a user useless.
pub(crate) fn revoke_all(
    transaction: &Transaction<'_>,
    purpose: Purpose,
    user: &UserId,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE links SET used_at = ?1 WHERE user_id = ?2 AND purpose = ?3 AND used_at IS NULL";
    transaction.execute(sql, params![now.as_millis(), user, purpose.as_str()])?;
    Ok(())
}
