//! Roles that an organization makes, and who is given them.

use std::collections::BTreeSet;

use access::{BuiltInRole, Masked, Narrowing, Permission, Role};
use directory::{
    AssignmentFilter, ChangedBy, CustomRole, Directory, DirectoryError, NewAssignment, NewRole, Part, Principal, RoleChange,
    RoleName, User,
};
use expect_test::expect;

use crate::support::{HOUR_MS, World, in_memory, new_user, now, take_outbox, told};

fn permissions(names: &[&str]) -> BTreeSet<Permission> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn role(directory: &Directory, by: &ChangedBy, world: &World, held: &[&str]) -> Result<CustomRole, DirectoryError> {
    let new = NewRole { name: "Deployer", description: "Releases.", permissions: permissions(held) };
    directory.create_role(by, world.org.id, new, now())
}

fn to(user: &User, role: RoleName) -> NewAssignment {
    NewAssignment {
        role,
        principal: Principal::User(user.id.clone()),
        team: None,
        narrowing: Narrowing::default(),
        expires_at: None,
    }
}

#[test]
fn a_role_is_made_changed_given_taken_and_deleted() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    let (by, org) = (ChangedBy::user(&world.ada), world.org.id);
    let made = role(&directory, &by, &world, &["app:view", "app:release"]).unwrap();
    let change = RoleChange { permissions: Some(permissions(&["app:view", "app:run"])), ..RoleChange::default() };
    let changed = directory.update_role(&by, org, &made.id, change.clone(), now()).unwrap();
    assert_eq!(directory.update_role(&by, org, &made.id, change, now()).unwrap(), changed);
    assert_eq!(directory.role(org, &made.id).unwrap(), changed);
    assert!(matches!(role(&directory, &by, &world, &["app:view"]), Err(DirectoryError::Conflict { what: "role", .. })));
    let new = to(&world.grace, RoleName::Own(made.id.clone()));
    let given = directory.create_assignment(&by, org, new.clone(), now()).unwrap();
    let again = directory.create_assignment(&by, org, new, now()).unwrap_err();
    assert_eq!(again.to_string(), "Grace Hopper has the role Deployer already.");
    let error = directory.delete_role(&by, org, &made.id, now()).unwrap_err();
    assert_eq!(error.to_string(), "The role “Deployer” is given 1 time. Take it away first.");
    let held = directory.held_by(org, &world.grace.id, now()).unwrap();
    assert_eq!(held[0].assignment, given);
    assert_eq!(held[0].assignment.held().permissions, permissions(&["app:view", "app:run"]));
    directory.delete_assignment(&by, org, &given.id, now()).unwrap();
    directory.delete_role(&by, org, &made.id, now()).unwrap();
    assert_eq!(directory.list_roles(org, None, Part::ALL).unwrap().items, []);
    let told =
        told(&take_outbox(&directory)).replace(made.id.as_str(), "role_1").replace(world.grace.id.as_str(), "u_grace");
    expect![[r#"
        CREATE_ROLE: role role_1 “Deployer” [permissions: [] → ["app:view","app:release"]] {"description":"Releases."}
        UPDATE_ROLE: role role_1 “Deployer” [permissions: ["app:view","app:release"] → ["app:view","app:run"]] {"added":["app:run"],"removed":["app:release"]}
        MODIFY_PERMISSIONS: user u_grace “Grace Hopper”, role role_1 “Deployer” [role:Deployer: null → {"expires_at":null,"narrowing":null,"team":null}]
        MODIFY_PERMISSIONS: user u_grace “Grace Hopper”, role role_1 “Deployer” [role:Deployer: {"expires_at":null,"narrowing":null,"team":null} → null]
        DELETE_ROLE: role role_1 “Deployer” [permissions: ["app:view","app:run"] → []]"#]].assert_eq(&told);
}

#[test]
fn what_no_role_gives() {
    let directory = in_memory();
    let world = World::make(&directory);
    let by = ChangedBy::cli();
    let mut refused = String::new();
    for permission in Permission::ALL {
        if let Err(error) = role(&directory, &by, &world, &[permission.as_str()]) {
            refused += &format!("{error}\n");
        } else {
            let made = directory.list_roles(world.org.id, Some("deploy"), Part::ALL).unwrap().items;
            directory.delete_role(&by, world.org.id, &made[0].id, now()).unwrap();
        }
    }
    refused += &role(&directory, &by, &world, &[]).unwrap_err().to_string();
    for name in ["Owner", "team_admin"] {
        let new = NewRole { name, description: "", permissions: permissions(&["app:view"]) };
        refused += &format!("\n{}", directory.create_role(&by, world.org.id, new, now()).unwrap_err());
    }
    expect![[r#"
        resource:query touches data and comes from grants only, each on one resource in one environment.
        resource:adhoc_query touches data and comes from grants only, each on one resource in one environment.
        resource:write_query touches data and comes from grants only, each on one resource in one environment.
        resource:reveal_secret touches data and comes from grants only, each on one resource in one environment.
        organization:manage is what makes an owner; no role that an organization makes holds it.
        A role permits at least one thing.
        “Owner” is the name of a built-in role.
        “team_admin” is the name of a built-in role."#]]
    .assert_eq(&refused);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (by, org) = (ChangedBy::cli(), world.org.id);
    let built_in = |role| to(&world.grace, RoleName::BuiltIn(role));
    let masked = Narrowing { masked: [Masked::Ip].into(), ..Narrowing::default() };
    let unknown = Narrowing { categories: ["No such".to_owned()].into(), ..Narrowing::default() };
    let mut table = String::new();
    for new in [
        built_in(BuiltInRole::TeamAdmin),
        NewAssignment { narrowing: masked.clone(), ..built_in(BuiltInRole::Viewer) },
        NewAssignment { narrowing: unknown, ..built_in(BuiltInRole::Auditor) },
        NewAssignment { expires_at: Some(now()), ..built_in(BuiltInRole::Viewer) },
        NewAssignment { team: record::TeamId::new("nowhere").ok(), ..built_in(BuiltInRole::Viewer) },
    ] {
        table += &format!("{}\n", directory.create_assignment(&by, org, new, now()).unwrap_err());
    }
    expect![[r#"
        The role team_admin is given in a team: name it with `team`.
        The role viewer does not read the log, so there is nothing to narrow.
        A narrowing: "No such" is not a category of any catalog.
        A role expires in the future.
        there is no such team
    "#]]
    .assert_eq(&table);
    let narrowed = NewAssignment { narrowing: masked.clone(), ..built_in(BuiltInRole::Auditor) };
    let given = directory.create_assignment(&by, org, narrowed, now()).unwrap();
    assert_eq!(directory.assignment(org, &given.id).unwrap().narrowing, masked);
    assert!(RoleName::parse("admin").is_err());
}

#[test]
fn an_expired_assignment_makes_room_and_is_not_listed() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (by, org) = (ChangedBy::cli(), world.org.id);
    let soon = now().plus_millis(HOUR_MS);
    let new = || NewAssignment { expires_at: Some(soon), ..to(&world.grace, RoleName::BuiltIn(BuiltInRole::Viewer)) };
    directory.create_assignment(&by, org, new(), now()).unwrap();
    let listed = |filter: &AssignmentFilter, at| directory.list_assignments(org, filter, Part::ALL, at).unwrap().total;
    let all = AssignmentFilter::default();
    assert_eq!((listed(&all, now()), listed(&all, soon)), (1, 0));
    let renewed = NewAssignment { expires_at: None, ..new() };
    assert!(directory.create_assignment(&by, org, renewed.clone(), now()).is_err());
    let renewed = directory.create_assignment(&by, org, renewed, soon).unwrap();
    assert_eq!(listed(&all, soon), 1);
    let filter = |principal: Option<Principal>, role: Option<&str>, team: Option<&str>| AssignmentFilter {
        principal,
        role: role.map(|role| RoleName::parse(role).unwrap()),
        team: team.map(|team| record::TeamId::new(team).unwrap()),
    };
    assert_eq!(listed(&filter(Some(renewed.principal.clone()), Some("viewer"), None), soon), 1);
    assert_eq!(listed(&filter(Some(Principal::User(world.ada.id.clone())), None, None), soon), 0);
    assert_eq!(listed(&filter(None, Some("builder"), None), soon), 0);
    assert_eq!(listed(&filter(None, None, Some(world.team.id.as_str())), soon), 0);
}

/// Who tries to do what to whom: nobody gives, or takes from, more than she holds.
#[test]
fn nobody_gives_more_than_she_holds() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (cli, org) = (ChangedBy::cli(), world.org.id);
    let add = |email: &str, role| directory.create_user(&cli, org, new_user(email, email, role, None), now()).unwrap();
    let people: Vec<User> = Role::ALL.iter().map(|role| add(&format!("{role}@example.com"), *role)).collect();
    let custom = role(&directory, &cli, &world, &["app:run", "log:read"]).unwrap();
    let mut table = String::new();
    for actor in &people {
        let by = ChangedBy::user(actor);
        table += &format!("{}:", actor.role);
        let mut note = |what: &str, done: Result<(), DirectoryError>| match done {
            Ok(()) => table += &format!(" {what}"),
            Err(DirectoryError::Forbidden { .. }) => {}
            Err(other) => panic!("{what}: {other}"),
        };
        for role in Role::ALL {
            let (email, name) = (format!("new-{role}-{}@example.com", actor.role), "New");
            let made = directory.create_user(&by, org, new_user(&email, name, *role, None), now());
            note(&format!("create-{role}"), made.map(drop));
            let target = add(&format!("target-{role}-{}@example.com", actor.role), *role);
            note(&format!("rename-{role}"), directory.update_user(&by, org, &target.id, Some("X"), None, now()).map(drop));
            let other = if *role == Role::Member { Role::Auditor } else { Role::Member };
            note(&format!("change-{role}"), directory.set_user_role(&by, org, &target.id, other, now()).map(drop));
            let target = add(&format!("again-{role}-{}@example.com", actor.role), *role);
            let archived = directory.set_user_status(&by, org, &target.id, directory::UserStatus::Archived, now());
            note(&format!("archive-{role}"), archived.map(drop));
        }
        let target = add(&format!("given-{}@example.com", actor.role), Role::Member);
        let given = directory.create_assignment(&by, org, to(&target, RoleName::Own(custom.id.clone())), now());
        note("give-custom", given.map(drop));
        let change = RoleChange {
            permissions: Some(permissions(&["app:run", "log:read", "directory:change"])),
            ..RoleChange::default()
        };
        note("widen-custom", directory.update_role(&by, org, &custom.id, change, now()).map(drop));
        let back = RoleChange { permissions: Some(custom.permissions.clone()), ..RoleChange::default() };
        directory.update_role(&cli, org, &custom.id, back, now()).unwrap();
        for scope in access::KeyScope::ALL {
            let new = directory::NewApiKey {
                team: None,
                service_account: None,
                name: "K",
                scopes: BTreeSet::from([*scope]),
                expires_at: None,
            };
            note(&format!("key-{scope}"), directory.create_api_key(&by, org, new, now()).map(drop));
        }
        table += "\n";
    }
    expect![[r#"
        owner: create-owner rename-owner change-owner archive-owner create-admin rename-admin change-admin archive-admin create-auditor rename-auditor change-auditor archive-auditor create-member rename-member change-member archive-member give-custom widen-custom key-events:write key-events:read key-events:export key-directory:read key-directory:write
        admin: create-admin rename-admin change-admin archive-admin create-auditor rename-auditor change-auditor archive-auditor create-member rename-member change-member archive-member give-custom widen-custom key-events:write key-events:read key-events:export key-directory:read key-directory:write
        auditor: create-auditor rename-auditor change-auditor archive-auditor create-member rename-member change-member archive-member key-events:read key-events:export key-directory:read
        member: create-member rename-member archive-member
    "#]].assert_eq(&table);
}

#[test]
fn what_is_held_for_a_time_or_in_part_is_not_given_on() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (cli, org) = (ChangedBy::cli(), world.org.id);
    let mary = directory.create_user(&cli, org, new_user("m@example.com", "Mary", Role::Member, None), now()).unwrap();
    let by = ChangedBy::user(&mary);
    let viewer = || to(&world.grace, RoleName::BuiltIn(BuiltInRole::Viewer));
    // Grace is an auditor, which is above Mary; another member is not.
    let jane = directory.create_user(&cli, org, new_user("j@example.com", "Jane", Role::Member, None), now()).unwrap();
    let to_jane = || to(&jane, RoleName::BuiltIn(BuiltInRole::Viewer));
    assert!(directory.create_assignment(&by, org, to_jane(), now()).is_err());
    let for_a_time = NewAssignment { expires_at: Some(now().plus_millis(HOUR_MS)), ..to(&mary, viewer().role) };
    let lent = directory.create_assignment(&cli, org, for_a_time, now()).unwrap();
    assert!(directory.create_assignment(&by, org, to_jane(), now()).is_err());
    directory.delete_assignment(&cli, org, &lent.id, now()).unwrap();
    directory.create_assignment(&cli, org, to(&mary, viewer().role), now()).unwrap();
    directory.create_assignment(&by, org, to_jane(), now()).unwrap();
    assert!(matches!(directory.create_assignment(&by, org, viewer(), now()), Err(DirectoryError::Forbidden { .. })));
    let masked = Narrowing { masked: [Masked::Ip].into(), ..Narrowing::default() };
    let part = NewAssignment { narrowing: masked, ..to(&mary, RoleName::BuiltIn(BuiltInRole::Auditor)) };
    directory.create_assignment(&cli, org, part, now()).unwrap();
    let on = to(&jane, RoleName::BuiltIn(BuiltInRole::Auditor));
    assert!(matches!(directory.create_assignment(&by, org, on, now()), Err(DirectoryError::Forbidden { .. })));
}
