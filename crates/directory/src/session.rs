//! Sessions: signed-in browsers.
//!
//! A session and the event of its sign-in are one transaction, as are its end and the event of that. The token is drawn anew
//! whenever the session comes to be worth more: at the sign-in, with the second factor, with every confirmation.

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
use crate::organization::{self, Organization};
use crate::outbox::{self, Event};
use crate::second_factor::SecondFactor;
use crate::secret::Secret;
use crate::user::{self, User, UserStatus};
use crate::{person, row};

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
    /// How she showed who she is: the name of a [`Method`].
    pub method: String,
    /// When she showed a second factor in this session.
    pub second_factor_at: Option<Timestamp>,
    /// When she last showed in this session that it is still she: dangerous acts ask for it again.
    pub confirmed_at: Option<Timestamp>,
}

/// How somebody shows who she is. Another way to sign in, such as a passkey, is one more of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// With her password.
    Password,
    /// With a link that was mailed to her.
    MagicLink,
    /// With the link of her invitation.
    Invitation,
    /// With the link that setting Acta up printed.
    FirstRun,
}

impl Method {
    /// The name, as it stands in events and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Password => "password",
            Method::MagicLink => "magic_link",
            Method::Invitation => "invitation",
            Method::FirstRun => "first_run",
        }
    }

    /// The method of that name.
    pub fn parse(text: &str) -> Option<Method> {
        let all = [Method::Password, Method::MagicLink, Method::Invitation, Method::FirstRun];
        all.into_iter().find(|method| method.as_str() == text)
    }
}

/// What she has shown in a session that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// That it is still she.
    Herself,
    /// That it is still she, with a second factor.
    SecondFactor,
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
    /// The organization, as it is now.
    pub organization: Organization,
    /// What she is and holds now, for decisions.
    pub person: Person,
    /// What a form has to send back to show that it is one of ours. It follows from the token and is stored nowhere.
    pub csrf: Secret,
}

impl SignedIn {
    /// Whether she has a second factor.
    pub fn has_second_factor(&self) -> bool {
        self.user.second_factor_since.is_some()
    }

    /// Whether the organization asks for a second factor that was not shown in this session. Then she can do nothing but show
    /// it, or set one up.
    pub fn lacks_second_factor(&self) -> bool {
        self.organization.settings.second_factor_required && self.session.second_factor_at.is_none()
    }
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
    /// Begins a session for a user who has shown her password.
    pub fn create_session(&self, new: NewSession<'_>, now: Timestamp) -> Result<(Session, Secret), DirectoryError> {
        let place = ChangedBy { ip: new.ip, user_agent: new.user_agent.map(str::to_owned), ..ChangedBy::system() };
        self.begin_session(&place, new.org, new.user, Method::Password, None, now)
    }

    /// Begins a session for a user who has shown who she is, and that with a second factor, if `second_factor` names it. The
    /// token goes into her cookie and is nowhere else. `from` is the place that she comes from.
    pub fn begin_session(
        &self,
        from: &ChangedBy,
        org: OrgId,
        user: &UserId,
        method: Method,
        second_factor: Option<&SecondFactor>,
        now: Timestamp,
    ) -> Result<(Session, Secret), DirectoryError> {
        let token = Secret::new(random_hex::<32>(self.chance.as_ref()));
        let id = SessionId::random(self.chance.as_ref());
        self.note(|transaction| {
            let user = user::require(transaction, org, user)?;
            if user.status != UserStatus::Active {
                return Err(DirectoryError::conflict("user", "This user is disabled and cannot sign in.").into());
            }
            if organization::require(transaction, org)?.archived_at.is_some() {
                return Err(DirectoryError::conflict("organization", "This organization is archived.").into());
            }
            let sql = format!(
                "INSERT INTO sessions (id, org, user_id, token_hash, created_at, last_seen_at, ip, user_agent, method, \
                 second_factor_at, confirmed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?5) RETURNING {COLUMNS}"
            );
            let values = params![
                id,
                org.0,
                user.id,
                token.stored(),
                now.as_millis(),
                from.ip.map(|ip| ip.to_string()),
                from.user_agent.as_deref().map(shortened_user_agent),
                method.as_str(),
                second_factor.map(|_| now.as_millis())
            ];
            let session = transaction.query_row(&sql, values, Session::from_row)?;
            let sql = "UPDATE users SET last_sign_in_at = ?1 WHERE id = ?2";
            transaction.execute(sql, params![now.as_millis(), user.id])?;
            let by = ChangedBy { session_id: Some(session.id.to_string()), ..from.acting_as(&user) };
            let mut event = Event::new(org, "LOGIN").metadata("method", method.as_str());
            if let Some(second_factor) = second_factor {
                event = event.metadata("second_factor", second_factor.as_str());
            }
            outbox::write(transaction, self.chance.as_ref(), &by, now, &event)?;
            Ok((session, token.clone()))
        })
    }

    /// Notes what she has shown in her session, and gives the session a new token: whoever had the old one has nothing. `None` if
    /// there is no such session any more.
    pub fn renew_session(
        &self,
        by: &ChangedBy,
        token: &Secret,
        shown: Shown,
        now: Timestamp,
    ) -> Result<Option<Secret>, DirectoryError> {
        let renewed = Secret::new(random_hex::<32>(self.chance.as_ref()));
        self.change(by, now, |transaction| {
            let second_factor_at = (shown == Shown::SecondFactor).then(|| now.as_millis());
            let sql = format!(
                "UPDATE sessions SET token_hash = ?1, confirmed_at = ?2, second_factor_at = coalesce(?3, second_factor_at) \
                 WHERE token_hash = ?4 RETURNING {COLUMNS}"
            );
            let values = params![renewed.stored(), now.as_millis(), second_factor_at, token.stored()];
            let session = transaction.query_row(&sql, values, Session::from_row).optional()?;
            let event = session.map(|session| {
                let method = if shown == Shown::SecondFactor { "second_factor" } else { "password" };
                Event::new(session.org, "CONFIRM_SESSION").target("session", &session.id, None).metadata("method", method)
            });
            Ok((event.is_some().then(|| renewed.clone()), event.into_iter().collect()))
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
            let organization = organization::require(connection, session.org)?;
            let person = person::of(connection, &user, &organization, now)?;
            Ok(Some((session, user, organization, person)))
        })?;
        let Some((mut session, user, organization, person)) = found else { return Ok(Err(SessionRefused::Unknown)) };
        if session.is_over(self.options.session_limits, now) {
            return Ok(Err(SessionRefused::Expired));
        }
        if user.status != UserStatus::Active || organization.archived_at.is_some() {
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
        Ok(Ok(SignedIn { session, user, organization, person, csrf: token.derive("csrf") }))
    }

    /// Ends the session of whoever holds the token: she signs out. `None` if there was none.
    pub fn end_session(&self, by: &ChangedBy, token: &Secret, now: Timestamp) -> Result<Option<Session>, DirectoryError> {
        self.change(by, now, |transaction| {
            let sql = format!("DELETE FROM sessions WHERE token_hash = ?1 RETURNING {COLUMNS}");
            let ended = transaction.query_row(&sql, [token.stored()], Session::from_row).optional()?;
            let Some(session) = &ended else { return Ok((None, Vec::new())) };
            let user = user::require(transaction, session.org, &session.user)?;
            let event = Event::new(session.org, "LOGOUT")
                .target("user", &user.id, Some(&user.name))
                .metadata("method", session.method.clone());
            Ok((ended, vec![event]))
        })
    }

    /// Ends all sessions of a user but one, each with an event of its own, and says how many those were.
    pub fn revoke_other_sessions(&self, by: &ChangedBy, keep: &Session, now: Timestamp) -> Result<usize, DirectoryError> {
        self.change(by, now, |transaction| {
            let user = user::require(transaction, keep.org, &keep.user)?;
            let mut sessions = of_user(transaction, &user.id)?;
            sessions.retain(|session| session.id != keep.id);
            for session in &sessions {
                transaction.execute("DELETE FROM sessions WHERE id = ?1", [&session.id])?;
            }
            let events = sessions.iter().map(|session| session.revoked(Some(&user.name))).collect();
            Ok((sessions.len(), events))
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
