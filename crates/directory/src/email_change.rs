//! Another address for a user: it counts once she has shown, by a link that was mailed to it, that mail to it reaches her.

use record::{OrgId, Timestamp};
use rusqlite::{Transaction, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::email::Email;
use crate::error::{DirectoryError, Fault};
use crate::id::UserId;
use crate::link::{self, LinkRefused, Purpose};
use crate::mail::{self, Letter};
use crate::outbox::{self, Event};
use crate::secret::Secret;
use crate::user::{self, User};

/// The two mails that go out when a new address was asked for.
#[derive(Debug)]
pub struct EmailChangeLetters {
    /// To the new address, with the link.
    pub to_new: Letter,
    /// To the old one, so that she hears of it if it was not she.
    pub to_old: Letter,
}

impl Directory {
    /// Asks for another address: a link goes to the new one, a notice to the old one. Nothing has changed yet. An earlier wish is
    /// forgotten.
    pub fn request_email_change(
        &self,
        by: &ChangedBy,
        org: OrgId,
        user: &UserId,
        email: &str,
        compose: impl FnOnce(&User, &Secret) -> EmailChangeLetters,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        let email = Email::parse(email)?;
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, user)?;
            require_free(transaction, org, &email, &user.id)?;
            link::revoke_all(transaction, Purpose::EmailChange, &user.id, now)?;
            let chance = self.chance.as_ref();
            let token = link::create(transaction, chance, Purpose::EmailChange, &user, email.written, now)?;
            let letters = compose(&user, &token);
            mail::queue(transaction, &self.vault, chance, org, &letters.to_new, now)?;
            mail::queue(transaction, &self.vault, chance, org, &letters.to_old, now)?;
            let event = |action| Event::new(org, action).target("user", &user.id, Some(&user.name));
            let asked = event("USER_EMAIL_CHANGE").metadata("state", "pending");
            let events = vec![
                asked.changed("email", user.email.clone(), email.written),
                event("USER_EMAIL_VERIFICATION_SENT").metadata("to", email.written),
                event("USER_EMAIL_CHANGE_NOTIFICATION_SENT").metadata("to", user.email.clone()),
            ];
            Ok(((), events))
        })
    }

    /// Gives her the address that the link was mailed to.
    pub fn confirm_email_change(
        &self,
        from: &ChangedBy,
        token: &Secret,
        now: Timestamp,
    ) -> Result<Result<User, LinkRefused>, DirectoryError> {
        self.note(|transaction| {
            let link = match link::take(transaction, Purpose::EmailChange, token, now)? {
                Ok(link) => link,
                Err(refused) => return Ok(Err(refused)),
            };
            let (before, email) = (link.user, Email::parse(&link.detail)?);
            require_free(transaction, before.org, &email, &before.id)?;
            let sql = "UPDATE users SET email = ?1, email_key = ?2, email_verified_at = ?3 WHERE id = ?4";
            transaction.execute(sql, params![email.written, email.key, now.as_millis(), before.id])?;
            // Links that were mailed to the old address are not hers any more.
            link::revoke_all(transaction, Purpose::PasswordReset, &before.id, now)?;
            link::revoke_all(transaction, Purpose::MagicLink, &before.id, now)?;
            let event = Event::new(before.org, "USER_EMAIL_VERIFY").target("user", &before.id, Some(&before.name)).changed(
                "email",
                before.email.clone(),
                email.written,
            );
            outbox::write(transaction, self.chance.as_ref(), &from.acting_as(&before), now, &event)?;
            Ok(Ok(User { email: email.written.to_owned(), email_verified_at: Some(now), ..before }))
        })
    }
}

fn require_free(transaction: &Transaction<'_>, org: OrgId, email: &Email<'_>, but: &UserId) -> Result<(), Fault> {
    let sql = "SELECT count(*) FROM users WHERE org = ?1 AND email_key = ?2 AND id <> ?3";
    let others: u32 = transaction.query_row(sql, params![org.0, email.key, but], |row| row.get(0))?;
    if others > 0 {
        let detail = format!("The organization already has a user with the e-mail address {}.", email.written);
        return Err(DirectoryError::conflict("user", detail).into());
    }
    user::refuse_look_alike(transaction, org, email, Some(but))
}
