//! What somebody was given: a grant, a role, or the standing that she has in the organization.

use access::{Level, Permission};
use record::Timestamp;

use crate::engine::given_by_roles;
use crate::object::Id;

/// One link: who (a node of the principals), with what (a node of the objects), and how much.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) subject: usize,
    pub(crate) object: usize,
    pub(crate) gives: Gives,
    pub(crate) expires_at: Option<Timestamp>,
}

/// How much.
#[derive(Debug)]
pub(crate) enum Gives {
    Level { grant: Id, level: Level },
    Permissions { assignment: Option<Id>, role: Id, permissions: Permissions },
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Permissions(u64);

const _: () = assert!(Permission::ALL.len() <= 64, "a set of permissions has one bit for each");

impl Permissions {
    pub(crate) fn insert(&mut self, permission: Permission) {
        self.0 |= 1 << permission as u32;
    }

    pub(crate) fn holds(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Without what no role gives.
    pub(crate) fn of_role(permissions: &[Permission]) -> Permissions {
        let mut set = Permissions::default();
        for permission in permissions.iter().filter(|permission| given_by_roles(**permission)) {
            set.insert(*permission);
        }
        set
    }
}

impl Link {
    /// Whether it holds at that time. At the very millisecond of its end it does not any more.
    pub(crate) fn holds_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it would permit this, if nothing forbids it.
    pub(crate) fn gives(&self, permission: Permission) -> bool {
        match &self.gives {
            Gives::Level { level, .. } => permission.level().is_some_and(|needed| needed <= *level),
            Gives::Permissions { permissions, .. } => permissions.holds(permission),
        }
    }
}
