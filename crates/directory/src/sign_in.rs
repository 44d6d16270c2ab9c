//! Signing in with a password.

use rusqlite::{OptionalExtension, params};

use crate::directory::Directory;
use crate::email::email_key;
use crate::error::DirectoryError;
use crate::id::UserId;
use crate::password::{PASSWORD_BYTES_MAX, verify};
use crate::secret::Secret;
use crate::user::{COLUMNS, User};

/// Neither she nor her organization has ended.
const MAY_SIGN_IN: &str = "status = 'active' AND org IN (SELECT id FROM organizations WHERE archived_at IS NULL)";

/// A user whose password it might be.
struct Candidate {
    id: UserId,
    password_hash: Option<String>,
}

impl Directory {
    /// The active users with this address and this password: none, one, or one in each of several organizations.
    ///
    /// An unknown address, a user without a password and a disabled one cost as much time as a wrong password. It is meant to
    /// take some: the caller bounds how many run at once, and asks [`Directory::admit_sign_in`] before.
    pub fn verify_password(&self, email: &str, password: &Secret) -> Result<Vec<User>, DirectoryError> {
        // Nobody has a password this long; it is not worth the time to hash it.
        let unusable = Secret::new("");
        let (password, usable) =
            if password.expose().len() > PASSWORD_BYTES_MAX { (&unusable, false) } else { (password, true) };
        let cost = self.options.password_cost;
        let candidates = self.candidates(email)?;
        if candidates.is_empty() {
            cost.pretend(password);
        }
        let mut users = Vec::new();
        for Candidate { id, password_hash } in candidates {
            let Some(password_hash) = password_hash else {
                cost.pretend(password);
                continue;
            };
            if verify(&password_hash, password) && usable {
                let renewed = cost.is_outdated(&password_hash).then(|| cost.hash(self.chance.as_ref(), password));
                users.extend(self.signing_in(&id, &password_hash, renewed)?);
            }
        }
        Ok(users)
    }

    fn candidates(&self, email: &str) -> Result<Vec<Candidate>, DirectoryError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT id, password_hash FROM users WHERE email_key = ?1 ORDER BY org")?;
            let rows = statement.query_map([email_key(email)], |found| {
                Ok(Candidate {
                    id: crate::row::parsed(found, "id", UserId::parse)?,
                    password_hash: found.get("password_hash")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The user, if she is active and her password is still the one that was verified: hashing took a while, without the lock.
    /// A renewed hash of it is stored; that is no change that anybody made, so it is no event.
    fn signing_in(&self, id: &UserId, verified: &str, renewed: Option<String>) -> Result<Option<User>, DirectoryError> {
        if let Some(renewed) = renewed {
            self.note(|transaction| {
                let sql =
                    format!("UPDATE users SET password_hash = ?1 WHERE id = ?2 AND password_hash = ?3 AND {MAY_SIGN_IN}");
                if transaction.execute(&sql, params![renewed, id, verified])? == 0 {
                    return Ok(None);
                }
                let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1");
                Ok(Some(transaction.query_row(&sql, [id], User::from_row)?))
            })
        } else {
            self.read(|connection| {
                let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?1 AND password_hash = ?2 AND {MAY_SIGN_IN}");
                Ok(connection.query_row(&sql, params![id, verified], User::from_row).optional()?)
            })
        }
    }
}
