//! What people and keys are allowed, by name.

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::permission::Permission;

/// A person's standing in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May do everything, and hand the organization on.
    Owner,
    /// May do everything but what concerns owners.
    Admin,
    /// May read, verify and export the log, and read the directory; changes nothing.
    Auditor,
    /// Belongs to the organization; does not see the log, unless the organization lets members see what is recorded of them.
    Member,
}

/// A role that can be given in addition, to a user or a group, in the whole organization or in one team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuiltInRole {
    /// Reads, verifies and exports the log. In a team: that team's.
    Auditor,
    /// Runs a team: its members, its apps, workflows and folders; reads its log. Only in a team.
    TeamAdmin,
    /// Belongs to a team and sees its things. Only in a team.
    TeamMember,
    /// Builds and releases apps and workflows. Touches no data: that needs a grant on a resource.
    Builder,
    /// Runs apps and workflows.
    Operator,
    /// Sees apps and workflows.
    Viewer,
}

/// One thing that an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyScope {
    /// Record events.
    #[serde(rename = "events:write")]
    EventsWrite,
    /// Read the log.
    #[serde(rename = "events:read")]
    EventsRead,
    /// Take the log out as files.
    #[serde(rename = "events:export")]
    EventsExport,
    /// Read the directory; ask for decisions.
    #[serde(rename = "directory:read")]
    DirectoryRead,
    /// Change the directory.
    #[serde(rename = "directory:write")]
    DirectoryWrite,
}

named! { Role { Owner = "owner", Admin = "admin", Auditor = "auditor", Member = "member" } }

named! { BuiltInRole {
    Auditor = "auditor", TeamAdmin = "team_admin", TeamMember = "team_member", Builder = "builder", Operator = "operator",
    Viewer = "viewer",
} }

named! { KeyScope {
    EventsWrite = "events:write", EventsRead = "events:read", EventsExport = "events:export",
    DirectoryRead = "directory:read", DirectoryWrite = "directory:write",
} }

const AUDITOR: &[Permission] =
    &[Permission::LogRead, Permission::LogVerify, Permission::LogExport, Permission::DirectoryRead];

impl Role {
    /// What the role permits, everywhere in the organization. Nobody's standing lets her touch data: resources are granted,
    /// each in each environment; owners and admins configure and share them.
    pub fn permissions(self) -> Vec<Permission> {
        use Permission as P;
        let data = [P::ResourceQuery, P::ResourceAdhocQuery, P::ResourceWriteQuery, P::ResourceRevealSecret];
        let all = Permission::ALL.iter().copied().filter(|permission| !data.contains(permission));
        match self {
            Role::Owner => all.collect(),
            Role::Admin => all.filter(|permission| *permission != P::OrganizationManage).collect(),
            Role::Auditor => AUDITOR.to_vec(),
            Role::Member => Vec::new(),
        }
    }
}

impl KeyScope {
    /// What a key with this scope is permitted. Who may change the directory may make herself an admin, so she counts as one.
    pub fn permissions(self) -> Vec<Permission> {
        match self {
            KeyScope::EventsWrite => vec![Permission::LogWrite],
            KeyScope::EventsRead => vec![Permission::LogRead],
            KeyScope::EventsExport => vec![Permission::LogExport],
            KeyScope::DirectoryRead => vec![Permission::DirectoryRead],
            KeyScope::DirectoryWrite => Role::Admin.permissions(),
        }
    }
}

impl BuiltInRole {
    /// What the role permits where it was given.
    pub fn permissions(self) -> Vec<Permission> {
        use Permission as P;
        let viewer = [P::AppView, P::WorkflowView, P::FolderView];
        let operator = [P::AppRun, P::WorkflowRun];
        let builder =
            [P::AppEdit, P::AppRelease, P::AppExport, P::WorkflowEdit, P::WorkflowRelease, P::WorkflowEnable, P::FolderEdit];
        let disposing = [
            P::AppDelete,
            P::AppMove,
            P::AppShare,
            P::WorkflowDelete,
            P::WorkflowMove,
            P::WorkflowShare,
            P::FolderMove,
            P::FolderShare,
            P::TeamManage,
            P::LogRead,
            P::LogVerify,
        ];
        match self {
            BuiltInRole::Auditor => AUDITOR.to_vec(),
            BuiltInRole::TeamAdmin => [&viewer[..], &operator, &builder, &disposing].concat(),
            BuiltInRole::TeamMember | BuiltInRole::Viewer => viewer.to_vec(),
            BuiltInRole::Operator => [&viewer[..], &operator].concat(),
            BuiltInRole::Builder => [&viewer[..], &operator, &builder].concat(),
        }
    }

    /// Whether it can only be given in a team.
    pub fn is_for_teams(self) -> bool {
        matches!(self, BuiltInRole::TeamAdmin | BuiltInRole::TeamMember)
    }
}
