//! Whoever asks.

use std::collections::BTreeSet;

use record::{OrgId, TeamId};

use crate::role::{KeyScope, Role};

/// An authenticated caller, as far as a decision needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A signed-in person.
    Person {
        /// The organization she is signed in to.
        org: OrgId,
        /// Her standing there.
        role: Role,
    },
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

impl Subject {
    /// The organization the subject belongs to.
    pub fn org(&self) -> OrgId {
        match self {
            Subject::Person { org, .. } | Subject::Key { org, .. } | Subject::System { org } => *org,
        }
    }
}
