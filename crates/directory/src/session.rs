//! Sessions: signed-in browsers.
//!
//! Signing in and out are events of their own, which the server records with all it knows about them, so
//! [`Directory::create_session`] and [`Directory::end_session`] write none. To end a session by its id, from a list, is an
//! administrator's act and does.

use std::net::IpAddr;
use std::str::FromStr;

use access::Person;
use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::chance::random_hex;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::{SessionId, UserId};
use crate::listing::{Listed, Part};
use crate::name::shortened_user_agent;
use crate::outbox::Event;
use crate::person;
use crate::secret::Secret;
use crate::user::{self, User, UserStatus};
use crate::{organization, row};

/// How exactly it is known when a session was last used. A request is a read, but for one a minute.
const LAST_SEEN_STEP_MS: i64 = 60_000;

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// So long without a request, and it is over. Default: 12 hours.
    pub idle_ms: i64,
    /// So long since the sign-in, and it is over. Default: 7 days.
    pub absolute_ms: i64,
}

impl Default for SessionLimits {
    fn default() -> SessionLimits {
        SessionLimits { idle_ms: 12 * 3_600_000, absolute_ms: 7 * 24 * 3_600_000 }
    }
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What it is called in lists. Not the token.
    pub id: SessionId,
    /// The organization.
    pub org: OrgId,
    /// Who signed in.
    pub user: UserId,
    /// When she did.
    pub created_at: Timestamp,
    /// When she was last seen, to about a minute.
    pub last_seen_at: Timestamp,
    /// Where she signed in from.
    pub ip: Option<IpAddr>,
    /// Her browser, as it called itself then.
    pub user_agent: Option<String>,
    /// How she showed who she is: `password`, `magic_link`, `invitation`, `first_run`.
    pub method: String,
    /// When she showed a second factor in this session.
    pub second_factor_at: Option<Timestamp>,
    /// When she last showed in this session that it is still she: dangerous acts ask for it again.
    pub confirmed_at: Option<Timestamp>,
}

/// A session to be.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// The organization.
    pub org: OrgId,
    /// Who has just shown who she is.
    pub user: &'a UserId,
    /// Where from.
    pub ip: Option<IpAddr>,
    /// With which browser.
    pub user_agent: Option<&'a str>,
}

/// What a valid token stands for.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The user, as she is now.
    pub user: User,
    /// What she is and holds now, for decisions.
    pub person: Person,
    /// What a form has to send back to show that it is one of ours. It follows from the token and is stored nowhere.
    pub csrf: Secret,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefused {
    /// There is no such session, or not any more.
    #[error("this session is unknown or was ended")]
    Unknown,
    /// Its time is over.
    #[error("this session has expired")]
    Expired,
    /// Its user may not sign in, or her organization is archived.
    #[error("this user is disabled")]
    Disabled,
}

const COLUMNS: &str = "id, org, user_id, created_at, last_seen_at, ip, user_agent, method, second_factor_at, confirmed_at";

impl Session {
    fn from_row(found: &Row<'_>) -> rusqlite::Result<Session> {
        Ok(Session {
            id: row::parsed(found, "id", SessionId::parse)?,
            org: row::org(found, "org")?,
            user: row::parsed(found, "user_id", UserId::parse)?,
            created_at: row::time(found, "created_at")?,
            last_seen_at: row::time(found, "last_seen_at")?,
            ip: row::optional(found, "ip", IpAddr::from_str)?,
            user_agent: found.get("user_agent")?,
            method: found.get("method")?,
            second_factor_at: row::optional_time(found, "second_factor_at")?,
            confirmed_at: row::optional_time(found, "confirmed_at")?,
        })
    }

    fn is_over(&self, limits: SessionLimits, now: Timestamp) -> bool {
        now.millis_since(self.last_seen_at) >= limits.idle_ms || now.millis_since(self.created_at) >= limits.absolute_ms
    }

    fn revoked(&self, name: Option<&str>) -> Event {
        Event::new(self.org, "REVOKE_SESSION").target("session", &self.id, None).target("user", &self.user, name)
    }
}

impl Directory {
    /// Begins a session for a user who has shown who she is. The token goes into her cookie and is nowhere else.
    pub fn create_session(&self, new: NewSession<'_>, now: Timestamp) -> Result<(Session, Secret), DirectoryError> {
        let token = Secret::new(random_hex::<32>(self.chance.as_ref()));
        let id = SessionId::random(self.chance.as_ref());
        self.note(|transaction| {
            if user::require(transaction, new.org, new.user)?.status != UserStatus::Active {
                return Err(DirectoryError::conflict("user", "This user is disabled and cannot sign in.").into());
            }
            if organization::require(transaction, new.org)?.archived_at.is_some() {
                let detail = "This organization is archived; nobody signs in to it.";
                return Err(DirectoryError::conflict("organization", detail).into());
            }
            let sql = format!(
                "INSERT INTO sessions (id, org, user_id, token_hash, created_at, last_seen_at, ip, user_agent, confirmed_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?5) RETURNING {COLUMNS}"
            );
            let values = params![
                id,
                new.org.0,
                new.user,
                token.stored(),
                now.as_millis(),
                new.ip.map(|ip| ip.to_string()),
                new.user_agent.map(shortened_user_agent)
            ];
            Ok((transaction.query_row(&sql, values, Session::from_row)?, token.clone()))
        })
    }

    /// What the token stands for at `now`. The outer error is the database's, the inner one the session's.
    pub fn find_session(&self, token: &Secret, now: Timestamp) -> Result<Result<SignedIn, SessionRefused>, DirectoryError> {
        let found = self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM sessions WHERE token_hash = ?1");
            let Some(session) = connection.query_row(&sql, [token.stored()], Session::from_row).optional()? else {
                return Ok(None);
            };
            let user = user::require(connection, session.org, &session.user)?;
            let archived = organization::require(connection, session.org)?.archived_at.is_some();
            let person = person::of(connection, &user, now)?;
            Ok(Some((session, user, person, archived)))
        })?;
        let Some((mut session, user, person, archived)) = found else { return Ok(Err(SessionRefused::Unknown)) };
        if session.is_over(self.options.session_limits, now) {
            return Ok(Err(SessionRefused::Expired));
        }
        if user.status != UserStatus::Active || archived {
            return Ok(Err(SessionRefused::Disabled));
        }
        if now.millis_since(session.last_seen_at) >= LAST_SEEN_STEP_MS {
            self.note_if_free(|transaction| {
                let sql = "UPDATE sessions SET last_seen_at = ?1 WHERE id = ?2 AND last_seen_at < ?1";
                transaction.execute(sql, params![now.as_millis(), session.id])?;
                Ok(())
            });
            session.last_seen_at = now;
        }
        Ok(Ok(SignedIn { session, user, person, csrf: token.derive("csrf") }))
    }

    /// Ends the session of whoever holds the token: she signs out. `None` if there was none.
    pub fn end_session(&self, token: &Secret) -> Result<Option<Session>, DirectoryError> {
        self.note(|transaction| {
            let sql = format!("DELETE FROM sessions WHERE token_hash = ?1 RETURNING {COLUMNS}");
            Ok(transaction.query_row(&sql, [token.stored()], Session::from_row).optional()?)
        })
    }

    /// A user's sessions that are not over at `now`, the last used first.
    pub fn sessions(&self, org: OrgId, user: &UserId, now: Timestamp) -> Result<Vec<Session>, DirectoryError> {
        let mut sessions = self.read(|connection| {
            user::require(connection, org, user)?;
            of_user(connection, user)
        })?;
        sessions.retain(|session| !session.is_over(self.options.session_limits, now));
        Ok(sessions)
    }

    /// One session of an organization.
    pub fn session(&self, org: OrgId, id: &SessionId) -> Result<Session, DirectoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM sessions WHERE org = ?1 AND id = ?2");
            let found = connection.query_row(&sql, params![org.0, id], Session::from_row).optional()?;
            Ok(found.ok_or(DirectoryError::NotFound { what: "session" })?)
        })
    }

    /// A part of a user's sessions that are not over at `now`, the last used first.
    pub fn list_sessions(
        &self,
        org: OrgId,
        user: &UserId,
        part: Part,
        now: Timestamp,
    ) -> Result<Listed<Session>, DirectoryError> {
        Ok(part.of(self.sessions(org, user, now)?))
    }

    /// Ends a session, whoever is in it.
    pub fn revoke_session(&self, by: &ChangedBy, org: OrgId, id: &SessionId, now: Timestamp) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let sql = format!("DELETE FROM sessions WHERE org = ?1 AND id = ?2 RETURNING {COLUMNS}");
            let ended = transaction.query_row(&sql, params![org.0, id], Session::from_row).optional()?;
            let session = ended.ok_or(DirectoryError::NotFound { what: "session" })?;
            let user = user::require(transaction, org, &session.user)?;
            Ok(((), vec![session.revoked(Some(&user.name))]))
        })
    }

    /// Ends all sessions of a user, each with an event of its own, and says how many those were.
    pub fn revoke_sessions(
        &self,
        by: &ChangedBy,
        org: OrgId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<usize, DirectoryError> {
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, user)?;
            let sessions = of_user(transaction, &user.id)?;
            end_all(transaction, &user.id)?;
            let events = sessions.iter().map(|session| session.revoked(Some(&user.name))).collect();
            Ok((sessions.len(), events))
        })
    }

    /// Forgets sessions that are over anyway, and says how many those were.
    pub fn purge_sessions(&self, now: Timestamp) -> Result<usize, DirectoryError> {
        let limits = self.options.session_limits;
        self.note(|transaction| {
            let sql = "DELETE FROM sessions WHERE last_seen_at <= ?1 OR created_at <= ?2";
            let idle_since = now.plus_millis(-limits.idle_ms).as_millis();
            Ok(transaction.execute(sql, params![idle_since, now.plus_millis(-limits.absolute_ms).as_millis()])?)
        })
    }
}

fn of_user(connection: &Connection, user: &UserId) -> Result<Vec<Session>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE user_id = ?1 ORDER BY last_seen_at DESC, id");
    let mut statement = connection.prepare(&sql)?;
    Ok(statement.query_map([user], Session::from_row)?.collect::<Result<_, _>>()?)
}

/// Ends all sessions of a user as part of another change, and says how many those were.
pub(crate) fn end_all(transaction: &Transaction<'_>, user: &UserId) -> Result<usize, Fault> {
    Ok(transaction.execute("DELETE FROM sessions WHERE user_id = ?1", [user])?)
}
