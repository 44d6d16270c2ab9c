//! Showing a second factor: a code of an authenticator, or a recovery code. Each is good once.

use record::{OrgId, Timestamp};
use rusqlite::{Transaction, params};

use crate::authenticator;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::{AuthenticatorId, UserId};
use crate::outbox::Event;
use crate::recovery_code;
use crate::user;

/// With what she has shown that it is she.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondFactor {
    /// With a code of this authenticator.
    Authenticator(AuthenticatorId),
    /// With a recovery code, which is used up.
    RecoveryCode,
}

impl SecondFactor {
    /// The name, as it stands in events.
    pub fn as_str(&self) -> &'static str {
        match self {
            SecondFactor::Authenticator(_) => "authenticator",
            SecondFactor::RecoveryCode => "recovery_code",
        }
    }
}

impl Directory {
    /// Whether the user has a second factor.
    pub fn has_second_factor(&self, org: OrgId, user: &UserId) -> Result<bool, DirectoryError> {
        self.read(|connection| Ok(user::require(connection, org, user)?.second_factor_since.is_some()))
    }

    /// Checks what she typed, and uses it up; `None` if it was not right. Both are events. Whoever calls this asks
    /// [`Directory::admit_second_factor`] before.
    pub fn verify_second_factor(
        &self,
        by: &ChangedBy,
        org: OrgId,
        user: &UserId,
        given: &str,
        now: Timestamp,
    ) -> Result<Option<SecondFactor>, DirectoryError> {
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, user)?;
            let shown = self.take_code(transaction, &user.id, given, now)?;
            let event = |action| Event::new(org, action).target("user", &user.id, Some(&user.name));
            let event = match &shown {
                None => event("VERIFY_2FA_FAILURE").failed(),
                Some(shown @ SecondFactor::Authenticator(id)) => {
                    let sql = "SELECT name FROM authenticators WHERE id = ?1";
                    let name: String = transaction.query_row(sql, [id], |row| row.get(0))?;
                    event("VERIFY_2FA_SUCCESS").target("authenticator", id, Some(&name)).metadata("method", shown.as_str())
                }
                Some(shown @ SecondFactor::RecoveryCode) => event("VERIFY_2FA_SUCCESS").metadata("method", shown.as_str()),
            };
            Ok((shown, vec![event]))
        })
    }

    fn take_code(
        &self,
        transaction: &Transaction<'_>,
        user: &UserId,
        given: &str,
        now: Timestamp,
    ) -> Result<Option<SecondFactor>, Fault> {
        let code: String = given.chars().filter(|c| !c.is_whitespace()).collect();
        for stored in authenticator::of_user(transaction, user)? {
            let step = stored.seed(&self.vault).and_then(|seed| seed.step_of(&code, now));
            // A code that was good once is not good again, nor is an older one (RFC 6238 §5.2).
            if let Some(step) = step.filter(|step| *step > stored.last_step) {
                let sql = "UPDATE authenticators SET last_step = ?1 WHERE id = ?2";
                transaction.execute(sql, params![step, stored.shown.id])?;
                return Ok(Some(SecondFactor::Authenticator(stored.shown.id)));
            }
        }
        Ok(recovery_code::take(transaction, user, given, now)?.then_some(SecondFactor::RecoveryCode))
    }
}
