//! API keys: how applications show who they are.

use std::collections::BTreeSet;
use std::str::FromStr;

use access::{KeyScope, Subject};
use record::{OrgId, TeamId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::authority::acting;
use crate::chance::random_hex;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::{KeyId, ServiceAccountId};
use crate::listing::{Listed, Part, containing, listed};
use crate::name::checked_name;
use crate::outbox::Event;
use crate::secret::Secret;
use crate::user::UserStatus;
use crate::{organization, row, service_account, team};

/// What every key begins with, so that people and scanners recognise one that has got out.
const PREFIX: &str = "acta_";
/// How much of the secret is kept in the clear, for people to tell their keys apart. 28 bits of 256.
const SHOWN_CHARS: usize = 12;
/// How exactly it is known when a key was last used. A request with a key is a read, but for one in so many minutes.
const LAST_USED_STEP_MS: i64 = 5 * 60_000;

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// The organization it belongs to.
    pub org: OrgId,
    /// The one team it is confined to, if any.
    pub team: Option<TeamId>,
    /// The service account it belongs to, if any: it is refused when that is disabled.
    pub service_account: Option<ServiceAccountId>,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<KeyScope>,
    /// The first characters of the secret.
    pub prefix: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to about five minutes.
    pub last_used_at: Option<Timestamp>,
}

/// A key to be.
#[derive(Debug, Clone)]
pub struct NewApiKey<'a> {
    /// The one team to confine it to, if any.
    pub team: Option<TeamId>,
    /// The service account it is to belong to, if any.
    pub service_account: Option<ServiceAccountId>,
    /// What it is for.
    pub name: &'a str,
    /// What it may do; at least one thing.
    pub scopes: BTreeSet<KeyScope>,
    /// From when on it is to be refused.
    pub expires_at: Option<Timestamp>,
}

/// Why a key was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// There is no such key.
    #[error("this API key is unknown")]
    Unknown,
    /// It was revoked.
    #[error("this API key was revoked")]
    Revoked,
    /// Its time is over.
    #[error("this API key has expired")]
    Expired,
    /// Its service account is disabled.
    #[error("this API key's service account is disabled")]
    Disabled,
    /// Its organization is archived.
    #[error("this API key's organization is archived")]
    Archived,
}

const COLUMNS: &str =
    "id, org, team, service_account, name, scopes, prefix, created_at, expires_at, revoked_at, last_used_at";

impl ApiKey {
    /// The key, as far as a permission decision needs to know it.
    pub fn subject(&self) -> Subject {
        Subject::Key { org: self.org, team: self.team.clone(), scopes: self.scopes.clone() }
    }

    fn from_row(found: &Row<'_>) -> rusqlite::Result<ApiKey> {
        Ok(ApiKey {
            id: row::parsed(found, "id", KeyId::parse)?,
            org: row::org(found, "org")?,
            team: row::optional(found, "team", TeamId::new)?,
            service_account: row::optional(found, "service_account", ServiceAccountId::parse)?,
            name: found.get("name")?,
            scopes: row::parsed(found, "scopes", |text| text.split(' ').map(KeyScope::from_str).collect())?,
            prefix: found.get("prefix")?,
            created_at: row::time(found, "created_at")?,
            expires_at: row::optional_time(found, "expires_at")?,
            revoked_at: row::optional_time(found, "revoked_at")?,
            last_used_at: row::optional_time(found, "last_used_at")?,
        })
    }
}

impl Directory {
    /// Creates a key. Nobody makes one that may do more than she. The secret is returned once and is nowhere else.
    pub fn create_api_key(
        &self,
        by: &ChangedBy,
        org: OrgId,
        new: NewApiKey<'_>,
        now: Timestamp,
    ) -> Result<(ApiKey, Secret), DirectoryError> {
        let name = checked_name(new.name)?;
        if new.scopes.is_empty() {
            return Err(DirectoryError::invalid("scopes", "An API key needs at least one scope."));
        }
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(DirectoryError::invalid("expires_at", "An API key expires in the future."));
        }
        let secret = Secret::new(format!("{PREFIX}{}", random_hex::<32>(self.chance.as_ref())));
        let prefix: String = secret.expose().chars().take(SHOWN_CHARS).collect();
        let id = KeyId::random(self.chance.as_ref());
        let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.as_str()).collect();
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            if let Some(id) = &new.team {
                team::require(transaction, org, id)?;
            }
            if let Some(id) = &new.service_account {
                service_account::require(transaction, org, id)?;
            }
            let acting = acting(transaction, org, by, now)?;
            for scope in &new.scopes {
                acting.may_give_scope(*scope, new.team.as_ref())?;
            }
            let sql = format!(
                "INSERT INTO api_keys \
                 (id, org, team, name, scopes, prefix, secret_hash, created_at, expires_at, service_account) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING {COLUMNS}"
            );
            let values = params![
                id,
                org.0,
                new.team.as_ref().map(TeamId::as_str),
                name,
                scopes.join(" "),
                prefix,
                secret.stored(),
                now.as_millis(),
                new.expires_at.map(Timestamp::as_millis),
                new.service_account
            ];
            let key = transaction.query_row(&sql, values, ApiKey::from_row)?;
            let event = Event::new(org, "ACCESS_TOKEN_CREATED")
                .target("access_token", &key.id, Some(&key.name))
                .metadata("scopes", scopes.clone())
                .metadata("team", key.team.as_ref().map(TeamId::as_str))
                .metadata("service_account", key.service_account.as_ref().map(ServiceAccountId::as_str))
                .metadata("expires_at", key.expires_at.map(|at| at.to_string()));
            Ok(((key, secret.clone()), vec![event]))
        })
    }

    /// The key with this secret, if it may be used at `now`. The outer error is the database's, the inner one the key's.
    pub fn find_api_key(&self, secret: &Secret, now: Timestamp) -> Result<Result<ApiKey, KeyRefused>, DirectoryError> {
        if !secret.expose().starts_with(PREFIX) {
            return Ok(Err(KeyRefused::Unknown));
        }
        let found = self.read(|connection| {
            let sql = format!(
                "SELECT {COLUMNS}, \
                 (SELECT archived_at FROM organizations WHERE organizations.id = api_keys.org) AS archived_at, \
                 (SELECT status FROM service_accounts WHERE service_accounts.id = api_keys.service_account) AS status \
                 FROM api_keys WHERE secret_hash = ?1"
            );
            let found = connection.query_row(&sql, [secret.stored()], |found| {
                let status = row::optional(found, "status", UserStatus::from_str)?;
                Ok((ApiKey::from_row(found)?, row::optional_time(found, "archived_at")?, status))
            });
            Ok(found.optional()?)
        })?;
        Ok(match found {
            None => Err(KeyRefused::Unknown),
            Some((key, ..)) if key.revoked_at.is_some() => Err(KeyRefused::Revoked),
            Some((key, ..)) if key.expires_at.is_some_and(|at| at <= now) => Err(KeyRefused::Expired),
            Some((_, Some(_), _)) => Err(KeyRefused::Archived),
            Some((.., Some(status))) if status != UserStatus::Active => Err(KeyRefused::Disabled),
            Some((key, ..)) => Ok(key),
        })
    }

    /// One key of an organization.
    pub fn api_key(&self, org: OrgId, id: &KeyId) -> Result<ApiKey, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The keys of an organization, the newest first, revoked and expired ones too; those with `text` in their name, those of one
    /// service account, if that is given.
    pub fn list_api_keys(
        &self,
        org: OrgId,
        text: Option<&str>,
        account: Option<&ServiceAccountId>,
        part: Part,
    ) -> Result<Listed<ApiKey>, DirectoryError> {
        self.read(|connection| {
            // Names of keys have no folded column: few keys are searched by name, and by one that a program chose.
            let from = "FROM api_keys WHERE org = ?1 AND lower(name) LIKE ?2 ESCAPE '\\' \
                        AND (?3 IS NULL OR service_account = ?3)";
            let values = params![org.0, containing(text), account];
            listed(connection, COLUMNS, from, "created_at DESC, id", values, part, ApiKey::from_row)
        })
    }

    /// All keys of an organization, the newest first, revoked and expired ones too.
    pub fn api_keys(&self, org: OrgId) -> Result<Vec<ApiKey>, DirectoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE org = ?1 ORDER BY created_at DESC, id");
            let mut statement = connection.prepare(&sql)?;
            Ok(statement.query_map([org.0], ApiKey::from_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// Makes a key worthless, for ever. To do it twice changes nothing.
    pub fn revoke_api_key(&self, by: &ChangedBy, org: OrgId, id: &KeyId, now: Timestamp) -> Result<ApiKey, DirectoryError> {
        self.change(by, now, |transaction| {
            let key = require(transaction, org, id)?;
            if key.revoked_at.is_some() {
                return Ok((key, Vec::new()));
            }
            transaction.execute("UPDATE api_keys SET revoked_at = ?1 WHERE id = ?2", params![now.as_millis(), id])?;
            let event = Event::new(org, "ACCESS_TOKEN_REVOKED").target("access_token", id, Some(&key.name));
            Ok((ApiKey { revoked_at: Some(now), ..key }, vec![event]))
        })
    }

    /// Remembers that a key was used, if that is not known from the last few minutes already.
    pub fn touch_api_key(&self, key: &ApiKey, now: Timestamp) {
        if key.last_used_at.is_some_and(|at| now.millis_since(at) < LAST_USED_STEP_MS) {
            return;
        }
        self.note_if_free(|transaction| {
            // Another request may have been faster.
            let sql = "UPDATE api_keys SET last_used_at = ?1 WHERE id = ?2 AND (last_used_at IS NULL OR last_used_at <= ?3)";
            transaction.execute(sql, params![now.as_millis(), key.id, now.plus_millis(-LAST_USED_STEP_MS).as_millis()])?;
            Ok(())
        });
    }
}

fn require(connection: &Connection, org: OrgId, id: &KeyId) -> Result<ApiKey, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], ApiKey::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "API key" })?)
}

/// What became of the keys of a team or service account that is to be deleted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dead {
    /// Keys that are still good for something.
    pub(crate) valid: u32,
    /// Keys that were not, and are gone.
    pub(crate) removed: usize,
}

/// Removes the keys of a team or a service account that are revoked or have expired, as part of another change: the log knows
/// them. `column` says of which.
pub(crate) fn remove_dead(
    transaction: &Transaction<'_>,
    org: OrgId,
    column: &'static str,
    id: &str,
    now: Timestamp,
) -> Result<Dead, Fault> {
    let sql =
        format!("DELETE FROM api_keys WHERE org = ?1 AND {column} = ?2 AND (revoked_at IS NOT NULL OR expires_at <= ?3)");
    let removed = transaction.execute(&sql, params![org.0, id, now.as_millis()])?;
    let sql = format!("SELECT count(*) FROM api_keys WHERE org = ?1 AND {column} = ?2");
    Ok(Dead { valid: transaction.query_row(&sql, params![org.0, id], |row| row.get(0))?, removed })
}
