//! How bodies and parameters name subjects and objects: `{"app": "app_…"}`, `?resource=res_…&environment=env_…`.

use access::{GrantObject, SubjectKind};
use policy::{Object, Principal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::params::Given;
use crate::problem::{FieldError, Problem};

/// A user, a service account or a group: one of the members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// A user's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// A service account's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account: Option<String>,
    /// A group's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

/// An object: one of the members, and for a resource the environment, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Thing {
    /// The organization: `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<bool>,
    /// A team's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// A folder's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    /// An app's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    /// A workflow's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    /// A resource's id. Goes with `environment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// An environment's id. Goes with `resource`, or with `"all": "resources"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// Everything of a kind: `apps`, `workflows`, `folders`, or `resources` (of one environment). Only for grants.
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<String>,
}

impl Subject {
    /// One of a kind.
    pub fn of(kind: SubjectKind, id: &str) -> Subject {
        let id = Some(id.to_owned());
        match kind {
            SubjectKind::User => Subject { user: id, ..Subject::default() },
            SubjectKind::ServiceAccount => Subject { service_account: id, ..Subject::default() },
            SubjectKind::Group => Subject { group: id, ..Subject::default() },
        }
    }

    /// Kind and id. `at` is where it stands, as a JSON pointer.
    pub fn named(self, at: &str) -> Result<(SubjectKind, String), Problem> {
        match (self.user, self.service_account, self.group) {
            (Some(id), None, None) => Ok((SubjectKind::User, id)),
            (None, Some(id), None) => Ok((SubjectKind::ServiceAccount, id)),
            (None, None, Some(id)) => Ok((SubjectKind::Group, id)),
            _ => Err(at_fault(at, "names one: a user, a service_account or a group")),
        }
    }

    /// The same where only users and service accounts go.
    pub fn principal(self, at: &str) -> Result<Principal, Problem> {
        match self.named(at)? {
            (SubjectKind::User, id) => Ok(Principal::User(id.into())),
            (SubjectKind::ServiceAccount, id) => Ok(Principal::ServiceAccount(id.into())),
            (SubjectKind::Group, _) => Err(at_fault(at, "names a user or a service_account, not a group")),
        }
    }

    /// From parameters; `None` if none of them is given.
    pub fn given(given: &Given) -> Result<Option<(SubjectKind, String)>, Problem> {
        let text = |name: &str| given.first(name).map(str::to_owned);
        let subject = Subject { user: text("user"), service_account: text("service_account"), group: text("group") };
        if subject == Subject::default() { Ok(None) } else { subject.named("").map(Some) }
    }
}

impl Thing {
    /// What an object is named by.
    pub fn of(object: &Object) -> Thing {
        let id = |id: &policy::Id| Some(id.to_string());
        match object {
            Object::Organization => Thing { organization: Some(true), ..Thing::default() },
            Object::Team(team) => Thing { team: id(team), ..Thing::default() },
            Object::Folder(folder) => Thing { folder: id(folder), ..Thing::default() },
            Object::App(app) => Thing { app: id(app), ..Thing::default() },
            Object::Workflow(workflow) => Thing { workflow: id(workflow), ..Thing::default() },
            Object::Resource { resource, environment } => {
                Thing { resource: id(resource), environment: id(environment), ..Thing::default() }
            }
        }
    }

    /// What a grant's object is named by.
    pub fn granted(object: &GrantObject) -> Thing {
        let all = |kind: &str| Thing { all: Some(kind.to_owned()), ..Thing::default() };
        match object {
            GrantObject::App(id) => Thing { app: Some(id.clone()), ..Thing::default() },
            GrantObject::Workflow(id) => Thing { workflow: Some(id.clone()), ..Thing::default() },
            GrantObject::Folder(id) => Thing { folder: Some(id.clone()), ..Thing::default() },
            GrantObject::Team(id) => Thing { team: Some(id.clone()), ..Thing::default() },
            GrantObject::Resource { resource, environment } => {
                Thing { resource: Some(resource.clone()), environment: Some(environment.clone()), ..Thing::default() }
            }
            GrantObject::AllApps => all("apps"),
            GrantObject::AllWorkflows => all("workflows"),
            GrantObject::AllFolders => all("folders"),
            GrantObject::AllResources { environment } => {
                Thing { environment: Some(environment.clone()), ..all("resources") }
            }
        }
    }

    /// The object that decisions are about.
    pub fn object(self, at: &str) -> Result<Object, Problem> {
        let Thing { organization, team, folder, app, workflow, resource, environment, all } = self;
        match (organization, team, folder, app, workflow, resource, environment, all) {
            (Some(true), None, None, None, None, None, None, None) => Ok(Object::Organization),
            (None, Some(id), None, None, None, None, None, None) => Ok(Object::Team(id.into())),
            (None, None, Some(id), None, None, None, None, None) => Ok(Object::Folder(id.into())),
            (None, None, None, Some(id), None, None, None, None) => Ok(Object::App(id.into())),
            (None, None, None, None, Some(id), None, None, None) => Ok(Object::Workflow(id.into())),
            (None, None, None, None, None, Some(resource), Some(environment), None) => {
                Ok(Object::Resource { resource: resource.into(), environment: environment.into() })
            }
            _ => Err(at_fault(
                at,
                "names one object: organization (true), team, folder, app, workflow, or a resource with an environment",
            )),
        }
    }

    /// The object of a grant.
    pub fn grant_object(self, at: &str) -> Result<GrantObject, Problem> {
        if let Some(kind) = &self.all {
            let alone = Thing { all: None, environment: None, ..self.clone() } == Thing::default();
            return match (kind.as_str(), self.environment, alone) {
                ("apps", None, true) => Ok(GrantObject::AllApps),
                ("workflows", None, true) => Ok(GrantObject::AllWorkflows),
                ("folders", None, true) => Ok(GrantObject::AllFolders),
                ("resources", Some(environment), true) => Ok(GrantObject::AllResources { environment }),
                _ => Err(at_fault(at, "with all names apps, workflows, folders, or resources with an environment")),
            };
        }
        match self.object(at)? {
            Object::Team(id) => Ok(GrantObject::Team(id.to_string())),
            Object::Folder(id) => Ok(GrantObject::Folder(id.to_string())),
            Object::App(id) => Ok(GrantObject::App(id.to_string())),
            Object::Workflow(id) => Ok(GrantObject::Workflow(id.to_string())),
            Object::Resource { resource, environment } => {
                Ok(GrantObject::Resource { resource: resource.to_string(), environment: environment.to_string() })
            }
            Object::Organization => Err(at_fault(at, "cannot be the organization: what concerns it, roles give")),
        }
    }

    /// From parameters; `None` if none of them is given.
    pub fn given(given: &Given) -> Option<Thing> {
        let text = |name: &str| given.first(name).map(str::to_owned);
        let thing = Thing {
            organization: given.first("organization").map(|text| text == "true"),
            team: text("team"),
            folder: text("folder"),
            app: text("app"),
            workflow: text("workflow"),
            resource: text("resource"),
            environment: text("environment"),
            all: text("all"),
        };
        (thing != Thing::default()).then_some(thing)
    }
}

/// The parameters that name an object.
pub const THING: [&str; 8] = ["organization", "team", "folder", "app", "workflow", "resource", "environment", "all"];

/// A member of the body at fault.
pub fn at_fault(pointer: &str, detail: &str) -> Problem {
    let pointer = (!pointer.is_empty()).then(|| pointer.to_owned());
    Problem::invalid(vec![FieldError { pointer, parameter: None, detail: detail.to_owned() }])
}
