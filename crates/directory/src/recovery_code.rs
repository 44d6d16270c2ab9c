//! Recovery codes: for whoever has lost the app that makes her codes. Ten, each good once.
//!
//! A code is 80 random bits. That cannot be guessed, so a plain hash is enough to keep.

use record::{OrgId, Timestamp};
use rusqlite::{Transaction, params};

use crate::chance::Chance;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::UserId;
use crate::outbox::Event;
use crate::secret::Secret;
use crate::user::{self, User};

const CODES: usize = 10;
/// Five bits each, and no two that look alike.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const CODE_CHARS: usize = 16;
const GROUP_CHARS: usize = 4;

impl Directory {
    /// Makes new recovery codes, to be shown this once; the old ones are worth nothing from now on.
    pub fn new_recovery_codes(
        &self,
        by: &ChangedBy,
        org: OrgId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Secret>, DirectoryError> {
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, user)?;
            if user.second_factor_since.is_none() {
                let detail = "There is no second factor to recover. Set up an authenticator first.";
                return Err(DirectoryError::conflict("second factor", detail).into());
            }
            let codes = replace(transaction, self.chance.as_ref(), &user.id)?;
            let event = event(&user, codes.len());
            Ok((codes, vec![event]))
        })
    }

    /// How many recovery codes she has not used.
    pub fn recovery_codes_left(&self, org: OrgId, user: &UserId) -> Result<u32, DirectoryError> {
        self.read(|connection| {
            user::require(connection, org, user)?;
            let sql = "SELECT count(*) FROM recovery_codes WHERE user_id = ?1 AND used_at IS NULL";
            Ok(connection.query_row(sql, [user], |row| row.get(0))?)
        })
    }
}

pub(crate) fn event(user: &User, count: usize) -> Event {
    Event::new(user.org, "CREATE_RECOVERY_CODES").target("user", &user.id, Some(&user.name)).metadata("count", count)
}

/// New codes in place of the old ones.
pub(crate) fn replace(transaction: &Transaction<'_>, chance: &dyn Chance, user: &UserId) -> Result<Vec<Secret>, Fault> {
    transaction.execute("DELETE FROM recovery_codes WHERE user_id = ?1", [user])?;
    let mut codes = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        let code = made_up(chance);
        let sql = "INSERT INTO recovery_codes (user_id, code_hash) VALUES (?1, ?2)";
        transaction.execute(sql, params![user, normal(&code).stored()])?;
        codes.push(Secret::new(code));
    }
    Ok(codes)
}

/// Uses a code up; whether it was one, and had not been used.
pub(crate) fn take(transaction: &Transaction<'_>, user: &UserId, given: &str, now: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE recovery_codes SET used_at = ?1 WHERE user_id = ?2 AND code_hash = ?3 AND used_at IS NULL";
    Ok(transaction.execute(sql, params![now.as_millis(), user, normal(given).stored()])? > 0)
}

fn made_up(chance: &dyn Chance) -> String {
    let mut bytes = [0; CODE_CHARS];
    chance.fill(&mut bytes);
    let mut code = String::with_capacity(CODE_CHARS + CODE_CHARS / GROUP_CHARS);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % GROUP_CHARS == 0 {
            code.push('-');
        }
        code.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    code
}

/// A code as it is compared: people leave the dashes out and write capitals.
fn normal(given: &str) -> Secret {
    Secret::new(given.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase())
}
