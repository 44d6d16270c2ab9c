//! The single things that can be permitted, and how far each level of a grant goes.

use serde::{Deserialize, Serialize};

use crate::named::named;

/// What a permission is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// The organization as a whole: its log, its directory.
    Organization,
    /// A team.
    Team,
    /// A folder.
    Folder,
    /// An app.
    App,
    /// A workflow.
    Workflow,
    /// A resource in one environment.
    Resource,
}

/// How much a grant permits: each level includes the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// To use it.
    Use,
    /// To change it, too.
    Edit,
    /// To dispose of it, too: move, share, configure.
    Own,
}

/// One thing that can be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See an app.
    AppView,
    /// Run an app.
    AppRun,
    /// Change an app.
    AppEdit,
    /// Release a version of an app.
    AppRelease,
    /// Take an app out as a file.
    AppExport,
    /// Delete an app.
    AppDelete,
    /// Put an app into another folder or team.
    AppMove,
    /// Grant others an app.
    AppShare,
    /// See a workflow.
    WorkflowView,
    /// Run a workflow.
    WorkflowRun,
    /// Change a workflow.
    WorkflowEdit,
    /// Release a version of a workflow.
    WorkflowRelease,
    /// Enable and disable a workflow.
    WorkflowEnable,
    /// Delete a workflow.
    WorkflowDelete,
    /// Put a workflow into another folder or team.
    WorkflowMove,
    /// Grant others a workflow.
    WorkflowShare,
    /// Run a query that an app or workflow holds.
    ResourceQuery,
    /// Run a query of one's own.
    ResourceAdhocQuery,
    /// Write queries that others will run.
    ResourceWriteQuery,
    /// Change how a resource is reached.
    ResourceConfigure,
    /// See a resource's credentials.
    ResourceRevealSecret,
    /// Grant others a resource.
    ResourceShare,
    /// See a folder.
    FolderView,
    /// Put things into a folder, rename it.
    FolderEdit,
    /// Move or delete a folder.
    FolderMove,
    /// Grant others a folder.
    FolderShare,
    /// Manage a team: its members, its things.
    TeamManage,
    /// Read and search the log.
    LogRead,
    /// Verify the log.
    LogVerify,
    /// Take the log out as files.
    LogExport,
    /// Record events.
    LogWrite,
    /// Set what is redacted, where events are delivered.
    LogConfigure,
    /// Set how long the log is kept.
    LogSetRetention,
    /// Manage the log's keys.
    LogManageKeys,
    /// Read the directory.
    DirectoryRead,
    /// Change the directory.
    DirectoryChange,
    /// Hand the organization on, archive it, set its rules of signing in.
    OrganizationManage,
    /// Decide in a review of access.
    ReviewDecide,
}

named! { ObjectKind {
    Organization = "organization", Team = "team", Folder = "folder", App = "app", Workflow = "workflow", Resource = "resource",
} }

named! { Level { Use = "use", Edit = "edit", Own = "own" } }

named! { Permission {
    AppView = "app:view", AppRun = "app:run", AppEdit = "app:edit", AppRelease = "app:release", AppExport = "app:export",
    AppDelete = "app:delete", AppMove = "app:move", AppShare = "app:share",
    WorkflowView = "workflow:view", WorkflowRun = "workflow:run", WorkflowEdit = "workflow:edit",
    WorkflowRelease = "workflow:release", WorkflowEnable = "workflow:enable", WorkflowDelete = "workflow:delete",
    WorkflowMove = "workflow:move", WorkflowShare = "workflow:share",
    ResourceQuery = "resource:query", ResourceAdhocQuery = "resource:adhoc_query",
    ResourceWriteQuery = "resource:write_query", ResourceConfigure = "resource:configure",
    ResourceRevealSecret = "resource:reveal_secret", ResourceShare = "resource:share",
    FolderView = "folder:view", FolderEdit = "folder:edit", FolderMove = "folder:move", FolderShare = "folder:share",
    TeamManage = "team:manage",
    LogRead = "log:read", LogVerify = "log:verify", LogExport = "log:export", LogWrite = "log:write",
    LogConfigure = "log:configure", LogSetRetention = "log:set_retention", LogManageKeys = "log:manage_keys",
    DirectoryRead = "directory:read", DirectoryChange = "directory:change",
    OrganizationManage = "organization:manage", ReviewDecide = "review:decide",
} }

impl Permission {
    /// What the permission is about.
    pub fn object_kind(self) -> ObjectKind {
        match self.as_str().split(':').next().unwrap_or_default() {
            "app" => ObjectKind::App,
            "workflow" => ObjectKind::Workflow,
            "resource" => ObjectKind::Resource,
            "folder" => ObjectKind::Folder,
            "team" => ObjectKind::Team,
            _ => ObjectKind::Organization,
        }
    }

    /// The lowest level of a grant that includes it; `None` for what no grant gives, only a role.
    pub fn level(self) -> Option<Level> {
        use Permission as P;
        match self {
            P::AppView | P::AppRun | P::WorkflowView | P::WorkflowRun | P::ResourceQuery | P::FolderView => Some(Level::Use),
            P::AppEdit | P::AppRelease | P::AppExport | P::AppDelete => Some(Level::Edit),
            P::WorkflowEdit | P::WorkflowRelease | P::WorkflowEnable | P::WorkflowDelete => Some(Level::Edit),
            P::ResourceAdhocQuery | P::ResourceWriteQuery | P::FolderEdit => Some(Level::Edit),
            P::AppMove | P::AppShare | P::WorkflowMove | P::WorkflowShare | P::FolderMove | P::FolderShare => {
                Some(Level::Own)
            }
            P::ResourceConfigure | P::ResourceRevealSecret | P::ResourceShare => Some(Level::Own),
            _ => None,
        }
    }
}
