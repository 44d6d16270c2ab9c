//! What happens to a user after she was added: another name or role, disabled and enabled again, a new password, the end.

use access::Role;
use record::{OrgId, Timestamp};
use rusqlite::{Transaction, params};

use crate::authority::acting;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::UserId;
use crate::name::{checked_name, folded};
use crate::outbox::Event;
use crate::password::check_password;
use crate::principal::{Principal, leave};
use crate::secret::Secret;
use crate::session;
use crate::user::{self, User, UserStatus};

impl Directory {
    /// Gives a user another role. An organization keeps at least one active owner; nobody gives a role above her own, takes one
    /// from somebody above her, or changes hers.
    pub fn set_user_role(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<User, DirectoryError> {
        self.update_user(by, org, id, None, Some(role), now)
    }

    /// Gives a user another name, another role, or both at once: each is an event. What is `None` stays.
    pub fn update_user(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &UserId,
        name: Option<&str>,
        role: Option<Role>,
        now: Timestamp,
    ) -> Result<User, DirectoryError> {
        let name = name.map(checked_name).transpose()?;
        self.change(by, now, |transaction| {
            let mut user = user::require(transaction, org, id)?;
            let acting = acting(transaction, org, by, now)?;
            let mut events = Vec::new();
            if let Some(name) = name.filter(|name| *name != user.name) {
                acting.may_touch(&user)?;
                events.push(rename(transaction, &mut user, name)?);
            }
            if let Some(role) = role.filter(|role| *role != user.role) {
                acting.may_touch_another(&user, "changes her own role")?;
                acting.may_give_standing(role)?;
                events.push(change_role(transaction, &mut user, role)?);
            }
            Ok((user, events))
        })
    }

    /// Lets a user sign in, or not. Disabling her ends her sessions, so that they do not come back when she is enabled again;
    /// archiving her takes her out of every group and takes her roles and grants away as well. An organization keeps at least one
    /// active owner; nobody does it to herself or to somebody above her.
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
            let what = match status {
                UserStatus::Active => "enables herself",
                UserStatus::Disabled => "disables herself",
                UserStatus::Archived => "archives herself",
            };
            acting(transaction, org, by, now)?.may_touch_another(&before, what)?;
            let event = match status {
                UserStatus::Active => Event::new(org, "ENABLE_USER"),
                UserStatus::Disabled if before.status == UserStatus::Archived => {
                    let detail = format!("{} is archived, which is more than disabled. Enable her first.", before.name);
                    return Err(DirectoryError::conflict("user", detail).into());
                }
                UserStatus::Disabled => {
                    keep_an_owner(transaction, &before)?;
                    Event::new(org, "DISABLE_USER").metadata("sessions_ended", session::end_all(transaction, id)?)
                }
                UserStatus::Archived => {
                    keep_an_owner(transaction, &before)?;
                    let left = leave(transaction, org, &Principal::User(id.clone()))?;
                    // A link that was sent to her before would let her in if she is enabled again.
                    transaction.execute("DELETE FROM links WHERE user_id = ?1", [id])?;
                    Event::new(org, "ARCHIVE_USER")
                        .metadata("sessions_ended", session::end_all(transaction, id)?)
                        .metadata("memberships", left.memberships)
                        .metadata("role_assignments", left.assignments)
                        .metadata("grants", left.grants)
                }
            };
            transaction.execute("UPDATE users SET status = ?1 WHERE id = ?2", params![status.as_str(), id])?;
            let event =
                event.target("user", id, Some(&before.name)).changed("status", before.status.as_str(), status.as_str());
            Ok((User { status, ..before }, vec![event]))
        })
    }

    /// Removes an archived user with all that could let her sign in. The log goes on to name her by her id, which nobody is given
    /// again: it is random, of 64 bits.
    pub fn delete_user(&self, by: &ChangedBy, org: OrgId, id: &UserId, now: Timestamp) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let user = user::require(transaction, org, id)?;
            acting(transaction, org, by, now)?.may_touch_another(&user, "deletes herself")?;
            if user.status != UserStatus::Archived {
                let detail =
                    format!("{} is {}; only archived users are deleted. Archive her first.", user.name, user.status);
                return Err(DirectoryError::conflict("user", detail).into());
            }
            // What refers to her and is hers. Invitations that she took are the inviter's story, and forget her.
            for table in ["sessions", "authenticators", "recovery_codes", "links"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE user_id = ?1"), [id])?;
            }
            transaction.execute("UPDATE invitations SET user_id = NULL WHERE user_id = ?1", [id])?;
            leave(transaction, org, &Principal::User(id.clone()))?;
            transaction.execute("DELETE FROM users WHERE id = ?1", [id])?;
            let event = Event::new(org, "DELETE_USER")
                .target("user", id, Some(&user.name))
                .metadata("email", user.email.clone())
                .metadata("role", user.role.as_str());
            Ok(((), vec![event]))
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
            // Hashing took a while, without the lock.
            let user = user::require(transaction, org, id)?;
            acting(transaction, org, by, now)?.may_touch(&user)?;
            transaction.execute("UPDATE users SET password_hash = ?1 WHERE id = ?2", params![password_hash, id])?;
            let event = Event::new(org, "UPDATE_USER")
                .target("user", id, Some(&user.name))
                .changed_secretly("password")
                .metadata("sessions_ended", session::end_all(transaction, id)?);
            Ok(((), vec![event]))
        })
    }
}

fn rename(transaction: &Transaction<'_>, user: &mut User, name: &str) -> Result<Event, Fault> {
    let sql = "UPDATE users SET name = ?1, name_key = ?2 WHERE id = ?3";
    transaction.execute(sql, params![name, folded(name), user.id])?;
    let before = std::mem::replace(&mut user.name, name.to_owned());
    Ok(Event::new(user.org, "USER_NAME_CHANGE").target("user", &user.id, Some(name)).changed("name", before, name))
}

fn change_role(transaction: &Transaction<'_>, user: &mut User, role: Role) -> Result<Event, Fault> {
    keep_an_owner(transaction, user)?;
    transaction.execute("UPDATE users SET role = ?1 WHERE id = ?2", params![role.as_str(), user.id])?;
    let before = std::mem::replace(&mut user.role, role);
    let event = Event::new(user.org, "MODIFY_PERMISSIONS").target("user", &user.id, Some(&user.name));
    Ok(event.changed("role", before.as_str(), role.as_str()))
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
