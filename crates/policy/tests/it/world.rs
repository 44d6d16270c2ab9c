//! A small organization that tests change one fact of.

use std::sync::{Arc, LazyLock};

use access::facts::{
    AppFact, AssignmentFact, EntryFact, EnvironmentFact, Facts, FolderFact, GrantFact, MembershipFact, NamedFact,
    OrganizationFact, ResourceFact, ServiceAccountFact, UserFact, WorkflowFact,
};
use access::{BuiltInRole, EnvironmentKind, GrantObject, Level, Role, SubjectKind, Within};
use policy::{Circumstances, Decision, Engine, Model, Object, Principal, Request};
use record::{OrgId, Timestamp};

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_000_000)
}

pub(crate) fn engine() -> Arc<Engine> {
    static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| Arc::new(Engine::new().unwrap()));
    Arc::clone(&ENGINE)
}

pub(crate) fn user(id: &str, role: Role) -> UserFact {
    UserFact { id: id.into(), name: id.to_uppercase(), active: true, second_factor: false, role }
}

pub(crate) fn named(id: &str) -> NamedFact {
    NamedFact { id: id.into(), name: id.to_uppercase() }
}

pub(crate) fn grant(id: &str, subject: SubjectKind, to: &str, level: Level, object: GrantObject) -> GrantFact {
    GrantFact { id: id.into(), subject, subject_id: to.into(), level, object, expires_at: None }
}

pub(crate) fn role(id: &str, role: BuiltInRole, subject: SubjectKind, to: &str, team: Option<&str>) -> AssignmentFact {
    AssignmentFact {
        id: id.into(),
        role: role.to_string(),
        permissions: role.permissions(),
        subject,
        subject_id: to.into(),
        team: team.map(str::to_owned),
        expires_at: None,
    }
}

pub(crate) fn data(environment: &str) -> GrantObject {
    GrantObject::Resource { resource: "ledger".into(), environment: environment.into() }
}

/// Ann owns the organization, Ben administers it, Cat is in `interns`, which is in `builders`; `robot` is a service account.
/// The team `sales` has the folder `desk`, with the folder `drawer`, with the app `refunds` and the workflow `nightly`; the
/// resource `ledger` lies in `desk`, too, and is in all three environments.
pub(crate) fn facts() -> Facts {
    let environment = |id: &str, kind| EnvironmentFact { id: id.into(), name: id.into(), kind };
    let folder = |id: &str, within| FolderFact { id: id.into(), name: id.to_uppercase(), within };
    let in_drawer = || Within::Folder("drawer".into());
    Facts {
        organization: OrganizationFact { id: OrgId(1), name: "Acme".into(), archived: false, second_factor_required: false },
        users: vec![
            user("ann", Role::Owner),
            user("ben", Role::Admin),
            user("cat", Role::Member),
            user("dan", Role::Member),
        ],
        service_accounts: vec![ServiceAccountFact { id: "robot".into(), name: "ROBOT".into(), active: true }],
        groups: vec![named("builders"), named("interns")],
        memberships: vec![
            MembershipFact { group: "builders".into(), member: SubjectKind::Group, member_id: "interns".into() },
            MembershipFact { group: "interns".into(), member: SubjectKind::User, member_id: "cat".into() },
        ],
        teams: vec![named("sales"), named("ops")],
        environments: vec![
            environment("dev", EnvironmentKind::Development),
            environment("stage", EnvironmentKind::Staging),
            environment("prod", EnvironmentKind::Production),
        ],
        folders: vec![folder("drawer", Within::Folder("desk".into())), folder("desk", Within::Team("sales".into()))],
        apps: vec![
            AppFact { id: "refunds".into(), name: "REFUNDS".into(), within: in_drawer(), released: true, archived: false },
            AppFact {
                id: "draft".into(),
                name: "DRAFT".into(),
                within: Within::Organization,
                released: false,
                archived: false,
            },
        ],
        workflows: vec![WorkflowFact {
            id: "nightly".into(),
            name: "NIGHTLY".into(),
            within: in_drawer(),
            enabled: true,
            archived: false,
        }],
        resources: vec![ResourceFact {
            id: "ledger".into(),
            name: "LEDGER".into(),
            within: Within::Folder("desk".into()),
            archived: false,
        }],
        entries: ["dev", "stage", "prod"]
            .map(|environment| EntryFact { resource: "ledger".into(), environment: environment.into(), sensitive: false })
            .into(),
        assignments: Vec::new(),
        grants: Vec::new(),
    }
}

pub(crate) fn model(facts: &Facts) -> Model {
    Model::new(engine(), facts)
}

pub(crate) fn decide(facts: &Facts, who: &Principal, what: &str, on: &Object, said: &Circumstances) -> Decision {
    let request = Request {
        principal: who.clone(),
        permission: what.parse().unwrap(),
        object: on.clone(),
        circumstances: said.clone(),
    };
    model(facts).decide(&request, now())
}

pub(crate) fn person(id: &str) -> Principal {
    Principal::User(id.into())
}

pub(crate) fn robot() -> Principal {
    Principal::ServiceAccount("robot".into())
}

pub(crate) fn app(id: &str) -> Object {
    Object::App(id.into())
}

pub(crate) fn ledger(environment: &str) -> Object {
    Object::Resource { resource: "ledger".into(), environment: environment.into() }
}
