//! What an organization's directory says, as far as decisions about its things need to know it: plain rows, without SQL and
//! without meaning. `directory` reads them, `policy` gives them their meaning.

use record::{OrgId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::permission::{Level, Permission};
use crate::role::Role;

/// Who can be given something, and be in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A person.
    User,
    /// An actor that is no person.
    ServiceAccount,
    /// A group of users, service accounts and groups.
    Group,
}

/// What an environment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentKind {
    /// To build in.
    Development,
    /// To try out in.
    Staging,
    /// Where the real data is.
    Production,
}

named! { SubjectKind { User = "user", ServiceAccount = "service_account", Group = "group" } }

named! { EnvironmentKind { Development = "development", Staging = "staging", Production = "production" } }

/// Where a thing lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Within {
    /// In no folder and no team.
    Organization,
    /// In a team, by its id, and in no folder.
    Team(String),
    /// In a folder, by its id.
    Folder(String),
}

/// What a grant is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantObject {
    /// One app.
    App(String),
    /// One workflow.
    Workflow(String),
    /// A folder, with the folders, apps and workflows in it at any depth. Not the resources.
    Folder(String),
    /// The folders, apps and workflows of a team. Not its resources, and not the team itself.
    Team(String),
    /// One resource in one environment.
    Resource {
        /// The resource's id.
        resource: String,
        /// The environment's id.
        environment: String,
    },
    /// All apps, those to come too.
    AllApps,
    /// All workflows, those to come too.
    AllWorkflows,
    /// All folders with what is in them, those to come too.
    AllFolders,
    /// All resources in one environment, those to come too.
    AllResources {
        /// The environment's id.
        environment: String,
    },
}

/// Everything that decisions about one organization are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The organization.
    pub organization: OrganizationFact,
    /// Its users.
    pub users: Vec<UserFact>,
    /// Its service accounts.
    pub service_accounts: Vec<ServiceAccountFact>,
    /// Its groups.
    pub groups: Vec<NamedFact>,
    /// Who is in which group, directly.
    pub memberships: Vec<MembershipFact>,
    /// Its teams.
    pub teams: Vec<NamedFact>,
    /// Its environments.
    pub environments: Vec<EnvironmentFact>,
    /// Its folders.
    pub folders: Vec<FolderFact>,
    /// Its apps.
    pub apps: Vec<AppFact>,
    /// Its workflows.
    pub workflows: Vec<WorkflowFact>,
    /// Its resources.
    pub resources: Vec<ResourceFact>,
    /// Which resource is there in which environment.
    pub entries: Vec<EntryFact>,
    /// Roles that were given.
    pub assignments: Vec<AssignmentFact>,
    /// Grants.
    pub grants: Vec<GrantFact>,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationFact {
    /// Its number.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// Whether it was archived.
    pub archived: bool,
    /// Whether administration needs a second factor.
    pub second_factor_required: bool,
}

/// Something of which only its name matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFact {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFact {
    /// Her id.
    pub id: String,
    /// Her name.
    pub name: String,
    /// Whether she may do anything at all.
    pub active: bool,
    /// Whether she has set up a second factor.
    pub second_factor: bool,
    /// Her standing.
    pub role: Role,
}

/// A service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountFact {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it may do anything at all.
    pub active: bool,
}

/// Somebody in a group, directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipFact {
    /// The group's id.
    pub group: String,
    /// What the member is.
    pub member: SubjectKind,
    /// The member's id.
    pub member_id: String,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentFact {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: EnvironmentKind,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFact {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub within: Within,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppFact {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub within: Within,
    /// Whether a version of it was released.
    pub released: bool,
    /// Whether it was archived.
    pub archived: bool,
}

/// A workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowFact {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub within: Within,
    /// Whether it runs.
    pub enabled: bool,
    /// Whether it was archived.
    pub archived: bool,
}

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceFact {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub within: Within,
    /// Whether it was archived.
    pub archived: bool,
}

/// A resource in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFact {
    /// The resource's id.
    pub resource: String,
    /// The environment's id.
    pub environment: String,
    /// Whether its data is of the kind that asks for more care.
    pub sensitive: bool,
}

/// A role that was given to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentFact {
    /// Its id.
    pub id: String,
    /// The role's name.
    pub role: String,
    /// What the role permits.
    pub permissions: Vec<Permission>,
    /// What its subject is.
    pub subject: SubjectKind,
    /// Its subject's id.
    pub subject_id: String,
    /// The team in which it holds; `None`: everywhere.
    pub team: Option<String>,
    /// From when on it does not hold any more.
    pub expires_at: Option<Timestamp>,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFact {
    /// Its id.
    pub id: String,
    /// What its subject is.
    pub subject: SubjectKind,
    /// Its subject's id.
    pub subject_id: String,
    /// How much it permits.
    pub level: Level,
    /// With what.
    pub object: GrantObject,
    /// From when on it does not hold any more.
    pub expires_at: Option<Timestamp>,
}
