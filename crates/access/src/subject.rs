//! Whoever asks.

use std::collections::BTreeSet;

use record::{OrgId, TeamId};

use crate::narrowing::Narrowing;
use crate::permission::Permission;
use crate::role::{KeyScope, Role};

/// An authenticated caller, as far as a decision needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A signed-in person.
    Person(Person),
    /// An application with an API key.
    Key {
        /// The organization the key belongs to.
        org: OrgId,
        /// The one team it is confined to, if any.
        team: Option<TeamId>,
        /// What it may do.
        scopes: BTreeSet<KeyScope>,
    },
    /// Acta itself, acting for nobody: start-up, checks, jobs.
    System {
        /// The organization it acts in.
        org: OrgId,
    },
}

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The organization she is signed in to.
    pub org: OrgId,
    /// Her id.
    pub user: Box<str>,
    /// Her address, if she has shown that it is hers.
    pub verified_email: Option<Box<str>>,
    /// Her standing there.
    pub role: Role,
    /// What she was given in addition, directly or through groups, and is in force now.
    pub held: Vec<Held>,
    /// Whether the organization lets its members see what is recorded about them.
    pub sees_own_events: bool,
}

/// A role that somebody was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it permits.
    pub permissions: BTreeSet<Permission>,
    /// The one team in which it does; `None`: everywhere in the organization.
    pub team: Option<TeamId>,
    /// How far its view of the log goes.
    pub narrowing: Narrowing,
}

impl Subject {
    /// A person with her standing and nothing besides.
    pub fn person(org: OrgId, user: &str, role: Role) -> Subject {
        Subject::Person(Person {
            org,
            user: user.into(),
            verified_email: None,
            role,
            held: Vec::new(),
            sees_own_events: false,
        })
    }

    /// The organization the subject belongs to.
    pub fn org(&self) -> OrgId {
        match self {
            Subject::Person(Person { org, .. }) | Subject::Key { org, .. } | Subject::System { org } => *org,
        }
    }
}

impl Person {
    /// Whether her standing, or a role that she holds everywhere in the organization, permits it.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.permissions().contains(&permission)
            || self.held.iter().any(|held| held.team.is_none() && held.permissions.contains(&permission))
    }

    /// Whether she may do it in a team.
    pub fn may_in(&self, team: &TeamId, permission: Permission) -> bool {
        self.may(permission)
            || self.held.iter().any(|held| held.team.as_ref() == Some(team) && held.permissions.contains(&permission))
    }
}
