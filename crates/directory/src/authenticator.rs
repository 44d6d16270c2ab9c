//! Authenticators: the apps that make a user's codes. Their seeds are sealed in the vault.
//!
//! One is set up in two steps, so that nobody locks herself out with an app that does not work: it is begun, which nobody is told
//! of, and counts from when its first code was right.

use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::{AuthenticatorId, UserId};
use crate::name::checked_name;
use crate::outbox::Event;
use crate::recovery_code;
use crate::row;
use crate::secret::Secret;
use crate::totp::Seed;
use crate::user;
use crate::vault::Vault;

/// So many a user has at most.
const AUTHENTICATORS_MAX: u32 = 10;

/// An app that makes codes for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticator {
    /// Its id.
    pub id: AuthenticatorId,
    /// What she calls it.
    pub name: String,
    /// When she began to set it up.
    pub created_at: Timestamp,
    /// When its first code was right. Until then it counts for nothing.
    pub confirmed_at: Option<Timestamp>,
}

/// What came of setting up an authenticator.
#[derive(Debug, Clone)]
pub enum Confirmed {
    /// The code was not right.
    WrongCode,
    /// It was: codes of this app are asked for from now on.
    Added {
        /// The recovery codes, if this is her first authenticator: to be shown this once.
        recovery_codes: Vec<Secret>,
    },
}

pub(crate) const COLUMNS: &str = "id, name, secret, last_step, created_at, confirmed_at";

/// The same with what nobody else needs to see.
pub(crate) struct Stored {
    pub(crate) shown: Authenticator,
    sealed: String,
    pub(crate) last_step: i64,
}

impl Stored {
    pub(crate) fn from_row(found: &Row<'_>) -> rusqlite::Result<Stored> {
        let shown = Authenticator {
            id: row::parsed(found, "id", AuthenticatorId::parse)?,
            name: found.get("name")?,
            created_at: row::time(found, "created_at")?,
            confirmed_at: row::optional_time(found, "confirmed_at")?,
        };
        Ok(Stored { shown, sealed: found.get("secret")?, last_step: found.get("last_step")? })
    }

    /// The seed; `None` if it was sealed under another key.
    pub(crate) fn seed(&self, vault: &Vault) -> Option<Seed> {
        let bytes = vault.open_sealed(&place(&self.shown.id), &self.sealed)?;
        bytes.try_into().ok().map(Seed::from_bytes)
    }
}

fn place(id: &AuthenticatorId) -> String {
    format!("authenticators/{id}")
}

impl Directory {
    /// Begins to set up an authenticator: the seed goes into her app and is shown to nobody else. What she had begun before and
    /// not ended is forgotten.
    pub fn begin_authenticator(
        &self,
        org: OrgId,
        user: &UserId,
        name: &str,
        now: Timestamp,
    ) -> Result<(Authenticator, Seed), DirectoryError> {
        let name = checked_name(name)?;
        let (id, seed) = (AuthenticatorId::random(self.chance.as_ref()), Seed::random(self.chance.as_ref()));
        let sealed = self.vault.seal(self.chance.as_ref(), &place(&id), seed.bytes());
        self.note(|transaction| {
            user::require(transaction, org, user)?;
            transaction.execute("DELETE FROM authenticators WHERE user_id = ?1 AND confirmed_at IS NULL", [user])?;
            if count(transaction, user)? >= AUTHENTICATORS_MAX {
                let detail = format!("You have {AUTHENTICATORS_MAX} authenticators. Remove one first.");
                return Err(DirectoryError::conflict("authenticator", detail).into());
            }
            let sql = format!(
                "INSERT INTO authenticators (id, user_id, name, secret, last_step, created_at) \
                 VALUES (?1, ?2, ?3, ?4, -1, ?5) RETURNING {COLUMNS}"
            );
            let values = params![id, user, name, sealed, now.as_millis()];
            Ok((transaction.query_row(&sql, values, Stored::from_row)?.shown, seed.clone()))
        })
    }

    /// The authenticator that she is setting up, to be shown to her again after a wrong code.
    pub fn begun_authenticator(&self, org: OrgId, user: &UserId) -> Result<Option<(Authenticator, Seed)>, DirectoryError> {
        let found = self.read(|connection| {
            user::require(connection, org, user)?;
            let sql = format!("SELECT {COLUMNS} FROM authenticators WHERE user_id = ?1 AND confirmed_at IS NULL");
            Ok(connection.query_row(&sql, [user], Stored::from_row).optional()?)
        })?;
        Ok(found.and_then(|stored| Some((stored.shown.clone(), stored.seed(&self.vault)?))))
    }

    /// Ends setting up: with a right code, the authenticator counts. That code is used up by it.
    pub fn confirm_authenticator(
        &self,
        by: &ChangedBy,
        org: OrgId,
        user: &UserId,
        code: &str,
        now: Timestamp,
    ) -> Result<Confirmed, DirectoryError> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, user)?;
            let sql = format!("SELECT {COLUMNS} FROM authenticators WHERE user_id = ?1 AND confirmed_at IS NULL");
            let begun = transaction.query_row(&sql, [&user.id], Stored::from_row).optional()?;
            let begun = begun.ok_or(DirectoryError::NotFound { what: "authenticator being set up" })?;
            let Some(step) = begun.seed(&self.vault).and_then(|seed| seed.step_of(&code, now)) else {
                return Ok((Confirmed::WrongCode, Vec::new()));
            };
            let sql = "UPDATE authenticators SET confirmed_at = ?1, last_step = ?2 WHERE id = ?3";
            transaction.execute(sql, params![now.as_millis(), step, begun.shown.id])?;
            let sql = "UPDATE users SET second_factor_since = ?1 WHERE id = ?2 AND second_factor_since IS NULL";
            let first = transaction.execute(sql, params![now.as_millis(), user.id])? > 0;
            let mut events = vec![
                Event::new(org, "ADD_TWO_FACTOR_AUTHENTICATOR")
                    .target("user", &user.id, Some(&user.name))
                    .target("authenticator", &begun.shown.id, Some(&begun.shown.name))
                    .changed_if("second_factor", !first, true),
            ];
            let mut recovery_codes = Vec::new();
            if first {
                recovery_codes = recovery_code::replace(transaction, self.chance.as_ref(), &user.id)?;
                events.push(recovery_code::event(&user, recovery_codes.len()));
            }
            Ok((Confirmed::Added { recovery_codes }, events))
        })
    }

    /// The authenticators that count, the oldest first.
    pub fn authenticators(&self, org: OrgId, user: &UserId) -> Result<Vec<Authenticator>, DirectoryError> {
        self.read(|connection| {
            user::require(connection, org, user)?;
            Ok(of_user(connection, user)?.into_iter().map(|stored| stored.shown).collect())
        })
    }

    /// Removes an authenticator. With the last one the second factor is off, and its recovery codes are worth nothing.
    pub fn remove_authenticator(
        &self,
        by: &ChangedBy,
        org: OrgId,
        user: &UserId,
        id: &AuthenticatorId,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, user)?;
            let sql = format!(
                "DELETE FROM authenticators WHERE id = ?1 AND user_id = ?2 AND confirmed_at IS NOT NULL RETURNING {COLUMNS}"
            );
            let removed = transaction.query_row(&sql, params![id, user.id], Stored::from_row).optional()?;
            let removed = removed.ok_or(DirectoryError::NotFound { what: "authenticator" })?.shown;
            let mut events =
                vec![Event::new(org, "REMOVE_TWO_FACTOR_AUTHENTICATOR").target("user", &user.id, Some(&user.name)).target(
                    "authenticator",
                    &removed.id,
                    Some(&removed.name),
                )];
            if count(transaction, &user.id)? == 0 {
                switch_off(transaction, &user.id)?;
                events.push(switched_off(&user));
            }
            Ok(((), events))
        })
    }

    /// Switches a user's second factor off: all authenticators and recovery codes are gone. Nothing happens if it was off.
    pub fn disable_second_factor(
        &self,
        by: &ChangedBy,
        org: OrgId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<bool, DirectoryError> {
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, user)?;
            let was_on = count(transaction, &user.id)? > 0;
            switch_off(transaction, &user.id)?;
            Ok((was_on, was_on.then(|| switched_off(&user)).into_iter().collect()))
        })
    }
}

/// The authenticators that count.
pub(crate) fn of_user(connection: &Connection, user: &UserId) -> Result<Vec<Stored>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM authenticators WHERE user_id = ?1 AND confirmed_at IS NOT NULL ORDER BY created_at, id"
    );
    let mut statement = connection.prepare(&sql)?;
    Ok(statement.query_map([user], Stored::from_row)?.collect::<Result<_, _>>()?)
}

fn count(connection: &Connection, user: &UserId) -> Result<u32, Fault> {
    let sql = "SELECT count(*) FROM authenticators WHERE user_id = ?1 AND confirmed_at IS NOT NULL";
    Ok(connection.query_row(sql, [user], |row| row.get(0))?)
}

fn switch_off(transaction: &Transaction<'_>, user: &UserId) -> Result<(), Fault> {
    transaction.execute("DELETE FROM authenticators WHERE user_id = ?1", [user])?;
    transaction.execute("DELETE FROM recovery_codes WHERE user_id = ?1", [user])?;
    transaction.execute("UPDATE users SET second_factor_since = NULL WHERE id = ?1", [user])?;
    Ok(())
}

fn switched_off(user: &user::User) -> Event {
    let event = Event::new(user.org, "DISABLE_TWO_FACTOR_AUTH").target("user", &user.id, Some(&user.name));
    event.changed("second_factor", true, false)
}
