//! Setting a password by a link: for whoever has forgotten hers, and for the first owner, who has none yet.

use record::{OrgId, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::UserId;
use crate::link::{self, Link, LinkRefused, Purpose};
use crate::mail::{self, Letter};
use crate::outbox::{self, Event};
use crate::password::{check_password, verify};
use crate::secret::Secret;
use crate::session;
use crate::user::{self, COLUMNS, User};
use crate::{email::email_key, organization};

impl Directory {
    /// Sends every active user with this address a link to set a new password, one for each organization, and says to how many
    /// it was. Whoever has been sent enough of them gets no more for a while. `from` is who asked: his place is told, not who he is,
    /// which nobody knows.
    pub fn request_password_reset(
        &self,
        from: &ChangedBy,
        email: &str,
        compose: impl Fn(&User, &str, &Secret) -> Letter,
        now: Timestamp,
    ) -> Result<usize, DirectoryError> {
        self.send_links(from, Purpose::PasswordReset, email, &["REQUEST_PASSWORD_RESET_LINK"], compose, now)
    }

    /// The same with a link to sign in.
    pub fn request_magic_link(
        &self,
        from: &ChangedBy,
        email: &str,
        compose: impl Fn(&User, &str, &Secret) -> Letter,
        now: Timestamp,
    ) -> Result<usize, DirectoryError> {
        let actions = &["REQUEST_PASSWORDLESS_LOGIN", "SEND_MAGIC_LOGIN"];
        self.send_links(from, Purpose::MagicLink, email, actions, compose, now)
    }

    fn send_links(
        &self,
        from: &ChangedBy,
        purpose: Purpose,
        email: &str,
        actions: &[&'static str],
        compose: impl Fn(&User, &str, &Secret) -> Letter,
        now: Timestamp,
    ) -> Result<usize, DirectoryError> {
        self.note(|transaction| {
            let mut sent = 0;
            for user in active_users(transaction, email)? {
                if link::has_enough(transaction, purpose, &user.id, now)? {
                    continue;
                }
                let token = link::create(transaction, self.chance.as_ref(), purpose, &user, &by_mail(&user), now)?;
                let organization = organization::require(transaction, user.org)?.name;
                let letter = compose(&user, &organization, &token);
                mail::queue(transaction, &self.vault, self.chance.as_ref(), user.org, &letter, now)?;
                let by = from.acting_as(&user);
                for action in actions {
                    let event = Event::new(user.org, action).target("user", &user.id, Some(&user.name));
                    outbox::write(transaction, self.chance.as_ref(), &by, now, &event)?;
                }
                sent += 1;
            }
            Ok(sent)
        })
    }

    /// A link to set a new password, for somebody to hand over who has seen whom she hands it to. Not by mail.
    pub fn create_password_reset_link(
        &self,
        by: &ChangedBy,
        org: OrgId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Secret, DirectoryError> {
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, user)?;
            let token = link::create(transaction, self.chance.as_ref(), Purpose::PasswordReset, &user, "", now)?;
            let event = Event::new(org, "REQUEST_PASSWORD_RESET_LINK").target("user", &user.id, Some(&user.name));
            Ok((token, vec![event]))
        })
    }

    /// The link by which the first owner sets her password.
    pub fn create_first_run_link(&self, org: OrgId, user: &UserId, now: Timestamp) -> Result<Secret, DirectoryError> {
        self.note(|transaction| {
            let user = user::require(transaction, org, user)?;
            link::revoke_all(transaction, Purpose::FirstRun, &user.id, now)?;
            link::create(transaction, self.chance.as_ref(), Purpose::FirstRun, &user, "", now)
        })
    }

    /// Sets a password by a link of either purpose, which is used up, and ends all her sessions. `from` is whoever has the link.
    pub fn set_password_by_link(
        &self,
        from: &ChangedBy,
        purpose: Purpose,
        token: &Secret,
        password: &Secret,
        now: Timestamp,
    ) -> Result<Result<User, LinkRefused>, DirectoryError> {
        let link = match self.find_link(purpose, token, now)? {
            Ok(link) => link,
            Err(refused) => return Ok(Err(refused)),
        };
        check_password(password, &link.user.email)?;
        // Without the lock, because it takes its time. Somebody may use the link up meanwhile, so that is asked again below.
        let hash = self.options.password_cost.hash(self.chance.as_ref(), password);
        self.note(|transaction| {
            let Link { user, detail, .. } = match link::take(transaction, purpose, token, now)? {
                Ok(link) => link,
                Err(refused) => return Ok(Err(refused)),
            };
            transaction.execute("UPDATE users SET password_hash = ?1 WHERE id = ?2", params![hash, user.id])?;
            if detail == by_mail(&user) {
                verified(transaction, &user.id, now)?;
            }
            let action = if purpose == Purpose::FirstRun { "UPDATE_USER" } else { "CONFIRM_PASSWORD_RESET_LINK" };
            let event = Event::new(user.org, action)
                .target("user", &user.id, Some(&user.name))
                .changed_secretly("password")
                .metadata("sessions_ended", session::end_all(transaction, &user.id)?);
            outbox::write(transaction, self.chance.as_ref(), &from.acting_as(&user), now, &event)?;
            Ok(Ok(user))
        })
    }

    /// Sets her own password, for which she gives the old one, if she has one; `false` if that was not right. All her sessions but
    /// the one that she is in end: whoever had the old password may be in one of them.
    pub fn change_own_password(
        &self,
        by: &ChangedBy,
        session: &session::Session,
        old: &Secret,
        new: &Secret,
        now: Timestamp,
    ) -> Result<bool, DirectoryError> {
        let user = self.user(session.org, &session.user)?;
        let stored = self.read(|connection| password_hash(connection, &user.id))?;
        if stored.as_deref().is_some_and(|stored| !verify(stored, old)) {
            return Ok(false);
        }
        check_password(new, &user.email)?;
        let hash = self.options.password_cost.hash(self.chance.as_ref(), new);
        self.change(by, now, |transaction| {
            // Unless it was changed meanwhile.
            let sql = "UPDATE users SET password_hash = ?1 WHERE id = ?2 AND password_hash IS ?3";
            if transaction.execute(sql, params![hash, user.id, stored])? == 0 {
                return Ok((false, Vec::new()));
            }
            link::revoke_all(transaction, Purpose::PasswordReset, &user.id, now)?;
            let sql = "DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2";
            let ended = transaction.execute(sql, params![user.id, session.id])?;
            let event = Event::new(user.org, "UPDATE_USER")
                .target("user", &user.id, Some(&user.name))
                .changed_secretly("password")
                .metadata("sessions_ended", ended);
            Ok((true, vec![event]))
        })
    }

    /// Whether this is the user's password. It is meant to take some time: the caller bounds how many run at once, and asks
    /// [`Directory::admit_sign_in`] before.
    pub fn is_password_of(&self, user: &User, password: &Secret) -> Result<bool, DirectoryError> {
        let stored = self.read(|connection| password_hash(connection, &user.id))?;
        Ok(stored.is_some_and(|stored| verify(&stored, password)))
    }

    /// Whether she has a password.
    pub fn has_password(&self, user: &UserId) -> Result<bool, DirectoryError> {
        self.read(|connection| Ok(password_hash(connection, user)?.is_some()))
    }
}

/// What a link says that was mailed to an address: whoever has it reads mail there.
pub(crate) fn by_mail(user: &User) -> String {
    format!("mailed:{}", email_key(&user.email))
}

/// Her address is hers, as far as we can know.
pub(crate) fn verified(transaction: &Transaction<'_>, user: &UserId, now: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE users SET email_verified_at = ?1 WHERE id = ?2 AND email_verified_at IS NULL";
    transaction.execute(sql, params![now.as_millis(), user])?;
    Ok(())
}

fn password_hash(connection: &rusqlite::Connection, user: &UserId) -> Result<Option<String>, Fault> {
    let sql = "SELECT password_hash FROM users WHERE id = ?1";
    Ok(connection.query_row(sql, [user], |row| row.get(0)).optional()?.flatten())
}

fn active_users(transaction: &Transaction<'_>, email: &str) -> Result<Vec<User>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM users WHERE email_key = ?1 AND status = 'active' \
         AND org NOT IN (SELECT id FROM organizations WHERE archived_at IS NOT NULL) ORDER BY org"
    );
    let mut statement = transaction.prepare(&sql)?;
    Ok(statement.query_map([email_key(email)], User::from_row)?.collect::<Result<_, _>>()?)
}
