//! What happens to a user after she was added: another role, disabled and enabled again, a new password.

use access::Role;
use record::{OrgId, Timestamp};
use rusqlite::{Transaction, params};

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::UserId;
use crate::outbox::Event;
use crate::password::check_password;
use crate::secret::Secret;
use crate::session;
use crate::user::{self, User, UserStatus};

impl Directory {
    /// Gives a user another role. An organization keeps at least one active owner.
    pub fn set_user_role(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<User, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = user::require(transaction, org, id)?;
            if before.role == role {
                return Ok((before, Vec::new()));
            }
            keep_an_owner(transaction, &before)?;
            transaction.execute("UPDATE users SET role = ?1 WHERE id = ?2", params![role.as_str(), id])?;
            let event = Event::new(org, "MODIFY_PERMISSIONS").target("user", id, Some(&before.name)).changed(
                "role",
                before.role.as_str(),
                role.as_str(),
            );
            Ok((User { role, ..before }, vec![event]))
        })
    }

    /// Lets a user sign in, or not. Disabling her ends her sessions, so that they do not come back when she is enabled again.
    /// An organization keeps at least one active owner.
    pub fn set_user_status(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &UserId,
        status: UserStatus,
        now: Timestamp,
    ) -> Result<User, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = user::require(transaction, org, id)?;
            if before.status == status {
                return Ok((before, Vec::new()));
            }
            let event = match status {
                UserStatus::Active => Event::new(org, "ENABLE_USER"),
                UserStatus::Disabled => {
                    keep_an_owner(transaction, &before)?;
                    Event::new(org, "DISABLE_USER").metadata("sessions_ended", session::end_all(transaction, id)?)
                }
            };
            transaction.execute("UPDATE users SET status = ?1 WHERE id = ?2", params![status.as_str(), id])?;
            let event =
                event.target("user", id, Some(&before.name)).changed("status", before.status.as_str(), status.as_str());
            Ok((User { status, ..before }, vec![event]))
        })
    }

    /// Sets a user's password and ends all her sessions: whoever had the old password may be in one of them.
    pub fn set_user_password(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &UserId,
        password: &Secret,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        let user = self.user(org, id)?;
        check_password(password, &user.email)?;
        let password_hash = self.options.password_cost.hash(self.chance.as_ref(), password);
        self.change(by, now, |transaction| {
            transaction.execute("UPDATE users SET password_hash = ?1 WHERE id = ?2", params![password_hash, id])?;
            let event = Event::new(org, "UPDATE_USER")
                .target("user", id, Some(&user.name))
                .changed_secretly("password")
                .metadata("sessions_ended", session::end_all(transaction, id)?);
            Ok(((), vec![event]))
        })
    }
}

/// Refuses to take the last active owner from an organization: nobody would be left to give it another.
fn keep_an_owner(transaction: &Transaction<'_>, leaving: &User) -> Result<(), Fault> {
    if leaving.role != Role::Owner || leaving.status != UserStatus::Active {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM users WHERE org = ?1 AND id <> ?2 AND role = 'owner' AND status = 'active'";
    let others: u32 = transaction.query_row(sql, params![leaving.org.0, leaving.id], |row| row.get(0))?;
    if others == 0 {
        let detail =
            format!("{} is the last active owner of the organization. Make somebody else an owner first.", leaving.name);
        return Err(DirectoryError::conflict("user", detail).into());
    }
    Ok(())
}
