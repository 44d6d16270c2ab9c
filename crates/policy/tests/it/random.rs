//! Random organizations, small enough to ask everything of.

use access::facts::{
    AppFact, AssignmentFact, EntryFact, EnvironmentFact, Facts, FolderFact, GrantFact, MembershipFact, OrganizationFact,
    ResourceFact, ServiceAccountFact, UserFact, WorkflowFact,
};
use access::{EnvironmentKind, GrantObject, Level, Permission, Role, SubjectKind, Within};
use fastrand::Rng;
use policy::{Beneficiary, Circumstances, Id, Object, Principal, Review};
use record::{OrgId, Timestamp};

use crate::world::{named, now};

fn id(kind: &str, number: usize) -> String {
    format!("{kind}{number}")
}

fn within(rng: &mut Rng, teams: usize, folders: usize) -> Within {
    match rng.usize(0..4) {
        0 => Within::Organization,
        1 if teams > 0 => Within::Team(id("team", rng.usize(0..teams))),
        _ if folders > 0 => Within::Folder(id("folder", rng.usize(0..folders))),
        _ => Within::Organization,
    }
}

fn subject(rng: &mut Rng) -> (SubjectKind, String) {
    // Numbers beyond what there is: links to those who are gone.
    match rng.usize(0..5) {
        0 => (SubjectKind::ServiceAccount, id("sa", rng.usize(0..2))),
        1 | 2 => (SubjectKind::User, id("u", rng.usize(0..7))),
        _ => (SubjectKind::Group, id("g", rng.usize(0..6))),
    }
}

fn end(rng: &mut Rng) -> Option<Timestamp> {
    *rng.choice(&[None, None, None, Some(now()), Some(now().plus_millis(-5)), Some(now().plus_millis(1))]).unwrap()
}

fn object(rng: &mut Rng) -> GrantObject {
    match rng.usize(0..14) {
        0 | 1 => GrantObject::App(id("app", rng.usize(0..5))),
        2 => GrantObject::Workflow(id("wf", rng.usize(0..4))),
        3 | 4 => GrantObject::Folder(id("folder", rng.usize(0..6))),
        5 => GrantObject::Team(id("team", rng.usize(0..3))),
        6..=9 => GrantObject::Resource { resource: id("res", rng.usize(0..3)), environment: id("env", rng.usize(0..4)) },
        10 => GrantObject::AllApps,
        11 => GrantObject::AllWorkflows,
        12 => GrantObject::AllFolders,
        _ => GrantObject::AllResources { environment: id("env", rng.usize(0..4)) },
    }
}

pub(crate) fn facts(rng: &mut Rng) -> Facts {
    let level = |rng: &mut Rng| *rng.choice(Level::ALL).unwrap();
    let rare = |rng: &mut Rng| rng.usize(0..6) == 0;
    let mut memberships = Vec::new();
    for group in 0..5 {
        for _ in 0..rng.usize(0..4) {
            let (member, member_id) = match rng.usize(0..4) {
                // Only later groups: no cycles.
                0 | 1 if group < 4 => (SubjectKind::Group, id("g", rng.usize(group + 1..5))),
                2 => (SubjectKind::ServiceAccount, "sa0".into()),
                _ => (SubjectKind::User, id("u", rng.usize(0..6))),
            };
            memberships.push(MembershipFact { group: id("g", group), member, member_id });
        }
    }
    let kinds = [EnvironmentKind::Development, EnvironmentKind::Staging, EnvironmentKind::Production];
    let environments: Vec<EnvironmentFact> = (0..3)
        .map(|number| EnvironmentFact { id: id("env", number), name: id("Env", number), kind: kinds[number] })
        .collect();
    let mut entries = Vec::new();
    for resource in 0..3 {
        for environment in &environments {
            if rng.usize(0..4) > 0 {
                entries.push(EntryFact {
                    resource: id("res", resource),
                    environment: environment.id.clone(),
                    sensitive: rare(rng),
                });
            }
        }
    }
    let assignment = |rng: &mut Rng, number| {
        let (subject, subject_id) = subject(rng);
        AssignmentFact {
            id: id("ra", number),
            role: id("Role", number),
            permissions: Permission::ALL.iter().copied().filter(|_| rng.usize(0..4) == 0).collect(),
            subject,
            subject_id,
            team: rng.bool().then(|| id("team", rng.usize(0..3))),
            expires_at: end(rng),
        }
    };
    let grant = |rng: &mut Rng, number| {
        let (subject, subject_id) = subject(rng);
        GrantFact {
            id: id("grant", number),
            subject,
            subject_id,
            level: level(rng),
            object: object(rng),
            expires_at: end(rng),
        }
    };
    Facts {
        organization: OrganizationFact {
            id: OrgId(1),
            name: "Acme".into(),
            archived: rng.usize(0..12) == 0,
            second_factor_required: rng.bool(),
        },
        users: (0..6)
            .map(|number| UserFact {
                id: id("u", number),
                name: id("User", number),
                active: !rare(rng),
                second_factor: rng.bool(),
                role: *rng
                    .choice(&[Role::Member, Role::Member, Role::Member, Role::Auditor, Role::Admin, Role::Owner])
                    .unwrap(),
            })
            .collect(),
        service_accounts: vec![ServiceAccountFact { id: "sa0".into(), name: "Robot".into(), active: !rare(rng) }],
        groups: (0..5).map(|number| named(&id("g", number))).collect(),
        memberships,
        teams: (0..2).map(|number| named(&id("team", number))).collect(),
        folders: (0..5)
            .map(|number| FolderFact { id: id("folder", number), name: id("F", number), within: within(rng, 2, number) })
            .collect(),
        apps: (0..4)
            .map(|number| AppFact {
                id: id("app", number),
                name: id("App", number),
                within: within(rng, 2, 5),
                released: rng.bool(),
                archived: rare(rng),
            })
            .collect(),
        workflows: (0..3)
            .map(|number| WorkflowFact {
                id: id("wf", number),
                name: id("Wf", number),
                within: within(rng, 2, 5),
                enabled: rng.bool(),
                archived: rare(rng),
            })
            .collect(),
        resources: (0..3)
            .map(|number| ResourceFact {
                id: id("res", number),
                name: id("Res", number),
                within: within(rng, 2, 5),
                archived: rare(rng),
            })
            .collect(),
        environments,
        entries,
        assignments: (0..rng.usize(0..7)).map(|number| assignment(rng, number)).collect(),
        grants: (0..rng.usize(0..24)).map(|number| grant(rng, number)).collect(),
    }
}

/// What might be said with a question, of those who are there and of some who are not.
pub(crate) fn circumstances(rng: &mut Rng) -> Circumstances {
    let somebody = |rng: &mut Rng| rng.bool().then(|| Id::from(id("u", rng.usize(0..7))));
    let beneficiary = match rng.usize(0..5) {
        0 => Some(Beneficiary::User(id("u", rng.usize(0..7)).into())),
        1 => Some(Beneficiary::ServiceAccount(id("sa", rng.usize(0..2)).into())),
        2 => Some(Beneficiary::Group(id("g", rng.usize(0..6)).into())),
        _ => None,
    };
    Circumstances {
        second_factor: *rng.choice(&[None, Some(false), Some(true)]).unwrap(),
        via_app: rng.bool().then(|| id("app", rng.usize(0..5)).into()),
        second_approver: somebody(rng),
        beneficiary,
        review: rng.bool().then(|| Review { subject: somebody(rng), grantor: somebody(rng) }),
    }
}

pub(crate) fn principals(facts: &Facts) -> Vec<Principal> {
    let users = facts.users.iter().map(|user| Principal::User(Id::from(&*user.id)));
    users.chain(facts.service_accounts.iter().map(|account| Principal::ServiceAccount(Id::from(&*account.id)))).collect()
}

pub(crate) fn objects(facts: &Facts) -> Vec<Object> {
    let mut all = vec![Object::Organization];
    all.extend(facts.teams.iter().map(|one| Object::Team(Id::from(&*one.id))));
    all.extend(facts.folders.iter().map(|one| Object::Folder(Id::from(&*one.id))));
    all.extend(facts.apps.iter().map(|one| Object::App(Id::from(&*one.id))));
    all.extend(facts.workflows.iter().map(|one| Object::Workflow(Id::from(&*one.id))));
    all.extend(
        facts
            .entries
            .iter()
            .map(|one| Object::Resource { resource: Id::from(&*one.resource), environment: Id::from(&*one.environment) }),
    );
    all
}
