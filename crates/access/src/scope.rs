//! The outcome of a decision: what this caller may touch of the log.

use record::{OrgId, TeamId};

/// What a caller may read, or write, of one organization's log. Made by [`crate::decide()`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    org: OrgId,
    /// `None`: the whole organization.
    team: Option<TeamId>,
}

impl Scope {
    pub(crate) fn whole(org: OrgId) -> Scope {
        Scope { org, team: None }
    }

    pub(crate) fn team(org: OrgId, team: TeamId) -> Scope {
        Scope { org, team: Some(team) }
    }

    /// The one organization whose log this is about.
    pub fn org(&self) -> OrgId {
        self.org
    }

    /// The one team whose events are visible; `None` when all are.
    pub fn only_team(&self) -> Option<&TeamId> {
        self.team.as_ref()
    }

    /// Whether every event of the organization's log is visible, so that stored totals may be used as they are.
    pub fn is_whole(&self) -> bool {
        self.team.is_none()
    }

    /// Whether an event is visible. `organization_only` is what the catalogs say of its action: a team's view leaves those out
    /// (as in Make's table of what is available for a team).
    pub fn sees(&self, team: Option<&str>, organization_only: bool) -> bool {
        match &self.team {
            None => true,
            Some(only) => team == Some(only.as_str()) && !organization_only,
        }
    }
}
