//! Who asks, and what she asks about.

use std::fmt;
use std::sync::Arc;

use access::{ObjectKind, Permission};

/// An id, shared by all that name it.
pub type Id = Arc<str>;

/// Who can do things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A person.
    User(Id),
    /// An actor that is no person.
    ServiceAccount(Id),
}

/// What can be done things with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// The organization.
    Organization,
    /// A team.
    Team(Id),
    /// A folder.
    Folder(Id),
    /// An app.
    App(Id),
    /// A workflow.
    Workflow(Id),
    /// A resource in one environment.
    Resource {
        /// The resource.
        resource: Id,
        /// The environment.
        environment: Id,
    },
}

impl Object {
    /// What sort of object it is.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Object::Organization => ObjectKind::Organization,
            Object::Team(_) => ObjectKind::Team,
            Object::Folder(_) => ObjectKind::Folder,
            Object::App(_) => ObjectKind::App,
            Object::Workflow(_) => ObjectKind::Workflow,
            Object::Resource { .. } => ObjectKind::Resource,
        }
    }

    /// Whether the permission is about such an object. Reading, verifying and exporting the log is about the whole
    /// organization's or one team's.
    pub fn takes(&self, permission: Permission) -> bool {
        use Permission as P;
        permission.object_kind() == self.kind()
            || (self.kind() == ObjectKind::Team && matches!(permission, P::LogRead | P::LogVerify | P::LogExport))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::User(id) => write!(f, "user {id}"),
            Principal::ServiceAccount(id) => write!(f, "service account {id}"),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Organization => f.write_str("the organization"),
            Object::Team(id) => write!(f, "team {id}"),
            Object::Folder(id) => write!(f, "folder {id}"),
            Object::App(id) => write!(f, "app {id}"),
            Object::Workflow(id) => write!(f, "workflow {id}"),
            Object::Resource { resource, environment } => write!(f, "resource {resource} in environment {environment}"),
        }
    }
}
