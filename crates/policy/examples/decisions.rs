//! How long questions take at the size of a large organization. `cargo xtask bench --only decisions` runs it and puts the lines
//! that it prints into BENCHMARKS.md: a name, a tab, a median in milliseconds, a tab, the slowest of a hundred.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement reads the clock and prints")]

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use access::facts::{
    AppFact, EntryFact, EnvironmentFact, Facts, FolderFact, GrantFact, MembershipFact, NamedFact, OrganizationFact,
    ResourceFact, UserFact,
};
use access::{EnvironmentKind, GrantObject, Level, Permission, Role, SubjectKind, Within};
use fastrand::Rng;
use policy::{Circumstances, Engine, Model, Object, Principal, Request};
use record::{OrgId, Timestamp};

const USERS: usize = 5_000;
const GROUPS: usize = 200;
const FOLDERS: usize = 100;
const APPS: usize = 1_000;
const RESOURCES: usize = 300;
const GRANTS: usize = 5_000;
const TEAMS: usize = 20;
const ROUNDS: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = Rng::with_seed(20_260_105);
    let now = Timestamp::from_millis(0);
    let said = Circumstances::default();

    let mut engines = Times::default();
    for _ in 0..20 {
        engines.time(Engine::new)?;
    }
    engines.tell("engine: parse and validate the built-in policies, once at the start");
    let engine = Arc::new(Engine::new()?);

    let facts = facts(&mut rng);
    let mut models = Times::default();
    for _ in 0..50 {
        models.time(|| Ok::<_, std::convert::Infallible>(Model::new(Arc::clone(&engine), &facts)))?;
    }
    models.tell("model: arrange the facts, once after each change");
    let model = Model::new(engine, &facts);

    let (mut app_runs, mut queries, mut allowed) = (Times::default(), Times::default(), 0);
    for _ in 0..ROUNDS {
        let principal = Principal::User(format!("u{}", rng.usize(0..USERS)).into());
        let app = Object::App(format!("app{}", rng.usize(0..APPS)).into());
        let request = question(&principal, Permission::AppRun, app);
        allowed += usize::from(app_runs.time(|| Ok::<_, std::convert::Infallible>(model.decide(&request, now)))?.allowed);
        let request = question(&principal, Permission::ResourceQuery, resource(&mut rng));
        allowed += usize::from(queries.time(|| Ok::<_, std::convert::Infallible>(model.decide(&request, now)))?.allowed);
    }
    app_runs.tell("decide: may this user run this app");
    queries.tell("decide: may this user query this resource in this environment");

    let (mut who_app, mut who_data, mut what, mut listed) = (Times::default(), Times::default(), Times::default(), 0);
    for _ in 0..100 {
        let app = Object::App(format!("app{}", rng.usize(0..APPS)).into());
        let ask = || Ok::<_, std::convert::Infallible>(model.who_can(Permission::AppRun, &app, &said, now));
        listed += who_app.time(ask)?.len();
        let data = resource(&mut rng);
        let ask = || Ok::<_, std::convert::Infallible>(model.who_can(Permission::ResourceQuery, &data, &said, now));
        who_data.time(ask)?;
        let principal = Principal::User(format!("u{}", rng.usize(0..USERS)).into());
        what.time(|| Ok::<_, std::convert::Infallible>(model.what_can(&principal, &said, now)))?;
    }
    who_app.tell(&format!("who_can: who may run this app, with reasons ({} on average)", listed / 100));
    who_data.tell("who_can: who may query this resource in this environment");
    what.tell("what_can: everything that this user may do, with reasons");
    assert!(allowed > 0, "nobody may do anything: this measures nothing");
    Ok(())
}

fn question(principal: &Principal, permission: Permission, object: Object) -> Request {
    Request { principal: principal.clone(), permission, object, circumstances: Circumstances::default() }
}

fn resource(rng: &mut Rng) -> Object {
    Object::Resource {
        resource: format!("res{}", rng.usize(0..RESOURCES)).into(),
        environment: format!("env{}", rng.usize(0..3)).into(),
    }
}

#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    fn time<T, E>(&mut self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let start = Instant::now();
        let done = black_box(work());
        self.0.push(start.elapsed().as_secs_f64() * 1_000.0);
        done
    }

    fn tell(&mut self, name: &str) {
        self.0.sort_by(f64::total_cmp);
        let (median, slow) = (self.0[self.0.len() / 2], self.0[self.0.len() * 99 / 100]);
        println!("{name}\t{median:.3}\t{slow:.3}");
    }
}

/// Each user is in three groups, every group but the first in an earlier one; folders lie in earlier folders or in teams.
fn facts(rng: &mut Rng) -> Facts {
    let name = |kind: &str, number: usize| NamedFact { id: format!("{kind}{number}"), name: format!("{kind} {number}") };
    let member = |group: usize, member, member_id| MembershipFact { group: format!("g{group}"), member, member_id };
    let mut memberships: Vec<MembershipFact> =
        (1..GROUPS).map(|group| member(rng.usize(0..group), SubjectKind::Group, format!("g{group}"))).collect();
    for user in 0..USERS {
        for _ in 0..3 {
            memberships.push(member(rng.usize(0..GROUPS), SubjectKind::User, format!("u{user}")));
        }
    }
    let kinds = [EnvironmentKind::Development, EnvironmentKind::Staging, EnvironmentKind::Production];
    let folder = |rng: &mut Rng, below: usize| match below {
        0..TEAMS => Within::Team(format!("team{below}")),
        _ => Within::Folder(format!("folder{}", rng.usize(0..below))),
    };
    let grant = |rng: &mut Rng, number: usize| {
        let (subject, subject_id) = match rng.usize(0..5) {
            0 => (SubjectKind::User, format!("u{}", rng.usize(0..USERS))),
            _ => (SubjectKind::Group, format!("g{}", rng.usize(0..GROUPS))),
        };
        let object = match rng.usize(0..10) {
            0 => GrantObject::Folder(format!("folder{}", rng.usize(0..FOLDERS))),
            1..=5 => GrantObject::App(format!("app{}", rng.usize(0..APPS))),
            _ => GrantObject::Resource {
                resource: format!("res{}", rng.usize(0..RESOURCES)),
                environment: format!("env{}", rng.usize(0..3)),
            },
        };
        let level = Level::ALL[rng.usize(0..3)];
        GrantFact { id: format!("grant{number}"), subject, subject_id, level, object, expires_at: None }
    };
    let named = |kind: &str, number: usize| (format!("{kind}{number}"), format!("{kind} {number}"));
    let entries = (0..RESOURCES * 3).map(|number| EntryFact {
        resource: format!("res{}", number / 3),
        environment: format!("env{}", number % 3),
        sensitive: number % 10 == 0,
    });
    Facts {
        organization: OrganizationFact { id: OrgId(1), name: "Large".into(), archived: false, second_factor_required: true },
        users: (0..USERS)
            .map(|number| {
                let (id, name) = named("u", number);
                let role = if number < 5 { Role::Admin } else { Role::Member };
                UserFact { id, name, active: number % 50 != 7, second_factor: number % 2 == 0, role }
            })
            .collect(),
        service_accounts: Vec::new(),
        groups: (0..GROUPS).map(|number| name("g", number)).collect(),
        memberships,
        teams: (0..TEAMS).map(|number| name("team", number)).collect(),
        environments: (0..3)
            .map(|number| {
                let (id, name) = named("env", number);
                EnvironmentFact { id, name, kind: kinds[number] }
            })
            .collect(),
        folders: (0..FOLDERS)
            .map(|number| {
                let (id, name) = named("folder", number);
                FolderFact { id, name, within: folder(rng, number) }
            })
            .collect(),
        apps: (0..APPS)
            .map(|number| {
                let (id, name) = named("app", number);
                let within = folder(rng, FOLDERS);
                AppFact { id, name, within, released: number % 2 == 0, archived: number % 20 == 3 }
            })
            .collect(),
        workflows: Vec::new(),
        resources: (0..RESOURCES)
            .map(|number| {
                let (id, name) = named("res", number);
                ResourceFact { id, name, within: Within::Organization, archived: false }
            })
            .collect(),
        entries: entries.collect(),
        assignments: Vec::new(),
        grants: (0..GRANTS).map(|number| grant(rng, number)).collect(),
    }
}
