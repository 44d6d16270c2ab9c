//! What the actor of a change holds, found out inside its transaction.
//!
//! Whether she may change the directory at all, callers have asked `access` before. Whether she gives more than she holds can
//! only be told here, where nobody can give or take anything in between.

use std::collections::BTreeSet;

use access::{Held, KeyScope, Permission, Powers, Role};
use record::{OrgId, TeamId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::changed_by::ChangedBy;
use crate::error::{DirectoryError, Fault};
use crate::held;
use crate::id::UserId;
use crate::principal::Principal;
use crate::user::{self, User, UserStatus};

/// By whose authority something is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// Acta's own, or that of whoever has its machine: nothing is refused.
    Acta,
    /// A person's: what she holds at that moment.
    Person(UserId),
    /// An API key's.
    Key {
        /// What it may do.
        scopes: BTreeSet<KeyScope>,
        /// The one team it is confined to, if any.
        team: Option<TeamId>,
    },
}

/// The actor of a change, as far as it is decided here what she may give and to whom.
#[derive(Debug)]
pub(crate) struct Acting {
    powers: Powers,
    herself: Option<UserId>,
}

/// What the actor holds now.
pub(crate) fn acting(connection: &Connection, org: OrgId, by: &ChangedBy, now: Timestamp) -> Result<Acting, Fault> {
    let powers = match &by.authority {
        Authority::Acta => Powers::everything(),
        Authority::Key { scopes, team } => Powers::of_key(scopes, team.as_ref()),
        Authority::Person(id) => {
            let sql = format!("SELECT {} FROM users WHERE org = ?1 AND id = ?2", user::COLUMNS);
            match connection.query_row(&sql, params![org.0, id], User::from_row).optional()? {
                Some(person) if person.status == UserStatus::Active => {
                    let held = held::read(connection, org, &Principal::User(id.clone()), now)?;
                    // What she has for a time she cannot give for longer.
                    let for_good = held.into_iter().filter(|held| held.assignment.expires_at.is_none());
                    let for_good: Vec<Held> = for_good.map(|held| held.assignment.held()).collect();
                    Powers::of_person(person.role, &for_good)
                }
                _ => Powers::nothing(),
            }
        }
    };
    let herself = match &by.authority {
        Authority::Person(id) => Some(id.clone()),
        _ => None,
    };
    Ok(Acting { powers, herself })
}

impl Acting {
    /// Refuses to give what the actor does not hold. `what` begins the sentence: `The role “Deployer”`.
    pub(crate) fn may_give(
        &self,
        permissions: impl IntoIterator<Item = Permission>,
        team: Option<&TeamId>,
        what: &str,
    ) -> Result<(), DirectoryError> {
        match self.powers.first_lacking(permissions, team) {
            None => Ok(()),
            Some(lacking) => {
                let detail = format!("{what} permits {lacking}, which you do not hold; nobody gives more than she holds.");
                Err(DirectoryError::forbidden(detail))
            }
        }
    }

    /// Refuses to make somebody more than the actor is.
    pub(crate) fn may_give_standing(&self, role: Role) -> Result<(), DirectoryError> {
        self.may_give(role.permissions(), None, &format!("The role {role}"))
    }

    /// Refuses to make a key that may do more than the actor.
    pub(crate) fn may_give_scope(&self, scope: KeyScope, team: Option<&TeamId>) -> Result<(), DirectoryError> {
        if self.powers.may_give_scope(scope, team) {
            return Ok(());
        }
        let detail = format!("The scope {scope} permits more than you hold; nobody gives more than she holds.");
        Err(DirectoryError::forbidden(detail))
    }

    /// Refuses what is for owners.
    pub(crate) fn is_owner(&self, what: &str) -> Result<(), DirectoryError> {
        match self.powers.first_lacking([Permission::OrganizationManage], None) {
            None => Ok(()),
            Some(_) => Err(DirectoryError::forbidden(format!("{what} is for owners."))),
        }
    }

    /// Refuses to touch somebody whose standing is above the actor's. Herself she may.
    pub(crate) fn may_touch(&self, user: &User) -> Result<(), DirectoryError> {
        if self.is(&user.id) || self.powers.first_lacking(user.role.permissions(), None).is_none() {
            return Ok(());
        }
        let detail = format!("{} is {}; whoever holds less cannot change that.", user.name, a_role(user.role));
        Err(DirectoryError::forbidden(detail))
    }

    /// The same, and refuses the actor herself: `what` is what nobody does to herself.
    pub(crate) fn may_touch_another(&self, user: &User, what: &str) -> Result<(), DirectoryError> {
        if self.is(&user.id) {
            return Err(DirectoryError::forbidden(format!("Nobody {what}; somebody else has to do it.")));
        }
        self.may_touch(user)
    }

    fn is(&self, user: &UserId) -> bool {
        self.herself.as_ref() == Some(user)
    }
}

fn a_role(role: Role) -> String {
    let article = if matches!(role, Role::Member) { "a" } else { "an" };
    format!("{article} {role}")
}
