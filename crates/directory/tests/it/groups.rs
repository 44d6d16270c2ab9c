//! Groups, who is in them, and what comes through them.

use access::{BuiltInRole, Narrowing, Role};
use directory::{
    ChangedBy, Directory, DirectoryError, GROUP_DEPTH_MAX, Group, GroupChange, GroupId, NewAssignment, Part, Principal,
    RoleName,
};
use expect_test::expect;
use record::{OrgId, TeamId};

use crate::support::{HOUR_MS, World, in_memory, new_user, now, take_outbox, told};

fn group(directory: &Directory, org: OrgId, name: &str) -> Group {
    directory.create_group(&ChangedBy::cli(), org, name, "", now()).unwrap()
}

fn put(directory: &Directory, org: OrgId, into: &Group, inner: &Group) -> Result<usize, DirectoryError> {
    directory.add_group_members(&ChangedBy::cli(), org, &into.id, &[Principal::Group(inner.id.clone())], now())
}

fn given(role: BuiltInRole, principal: Principal, team: Option<&TeamId>) -> NewAssignment {
    let team = team.cloned();
    NewAssignment { role: RoleName::BuiltIn(role), principal, team, narrowing: Narrowing::default(), expires_at: None }
}

#[test]
fn a_group_is_made_changed_filled_emptied_and_deleted() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    let (by, org) = (ChangedBy::user(&world.ada), world.org.id);
    let group = directory.create_group(&by, org, "Engineers", "Who build.", now()).unwrap();
    let change = GroupChange { name: Some("Engineering"), description: None };
    let group = directory.update_group(&by, org, &group.id, change, now()).unwrap();
    assert_eq!(directory.update_group(&by, org, &group.id, change, now()).unwrap(), group);
    assert_eq!(directory.group(org, &group.id).unwrap(), group);
    let taken = directory.create_group(&by, org, "ENGINEERING", "", now()).unwrap_err();
    assert_eq!(taken.to_string(), "The organization already has a group “ENGINEERING”.");

    let members = [Principal::User(world.ada.id.clone()), Principal::User(world.grace.id.clone())];
    assert_eq!(directory.add_group_members(&by, org, &group.id, &members, now()).unwrap(), 2);
    assert_eq!(directory.add_group_members(&by, org, &group.id, &members[..1], now()).unwrap(), 0);
    assert_eq!(directory.remove_group_members(&by, org, &group.id, &members[..1], now()).unwrap(), 1);
    assert_eq!(directory.remove_group_members(&by, org, &group.id, &members[..1], now()).unwrap(), 0);
    assert!(matches!(
        directory.add_group_members(&by, org, &group.id, &[], now()),
        Err(DirectoryError::Invalid { member: "users", .. })
    ));
    let viewer = given(BuiltInRole::Viewer, Principal::Group(group.id.clone()), None);
    directory.create_assignment(&by, org, viewer, now()).unwrap();
    let counts = directory.group_counts(org, &group.id).unwrap();
    assert_eq!((counts.users, counts.groups, counts.role_assignments, counts.grants), (1, 0, 1, 0));
    directory.delete_group(&by, org, &group.id, now()).unwrap();
    assert!(matches!(directory.group(org, &group.id), Err(DirectoryError::NotFound { what: "group" })));
    assert_eq!(directory.held_by(org, &world.grace.id, now()).unwrap(), []);
    let told = told(&take_outbox(&directory))
        .replace(group.id.as_str(), "g_1")
        .replace(world.ada.id.as_str(), "u_ada")
        .replace(world.grace.id.as_str(), "u_grace");
    expect![[r#"
        CREATE_GROUP: group g_1 “Engineers” {"description":"Who build."}
        UPDATE_GROUP: group g_1 “Engineering” [name: "Engineers" → "Engineering"]
        ADD_USERS_TO_GROUP: group g_1 “Engineering”, user u_ada “Ada Lovelace”, user u_grace “Grace Hopper” {"count":2}
        REMOVE_USERS_FROM_GROUP: group g_1 “Engineering”, user u_ada “Ada Lovelace” {"count":1}
        MODIFY_PERMISSIONS: group g_1 “Engineering”, role viewer “viewer” [role:viewer: null → {"expires_at":null,"narrowing":null,"team":null}]
        DELETE_GROUP: group g_1 “Engineering” {"grants":0,"members":1,"memberships":0,"role_assignments":1}"#]].assert_eq(&told);
}

#[test]
fn a_group_is_never_in_itself_nor_too_deep() {
    let directory = in_memory();
    let world = World::make(&directory);
    let org = world.org.id;
    let chain: Vec<Group> = (1..=GROUP_DEPTH_MAX).map(|at| group(&directory, org, &format!("Level {at}"))).collect();
    for pair in chain.windows(2) {
        put(&directory, org, &pair[0], &pair[1]).unwrap();
    }
    let cycle = put(&directory, org, &chain[2], &chain[0]).unwrap_err();
    assert!(matches!(cycle, DirectoryError::Invalid { member: "groups", .. }));
    expect!["“Level 1” cannot be in “Level 3”: then “Level 3” in “Level 2” in “Level 1” in “Level 3”."]
        .assert_eq(&cycle.to_string());
    expect!["“Level 1” cannot be in “Level 1”: then “Level 1” in “Level 1”."]
        .assert_eq(&put(&directory, org, &chain[0], &chain[0]).unwrap_err().to_string());
    let one_more = group(&directory, org, "One more");
    let last = chain.last().unwrap();
    expect!["“One more” cannot be in “Level 16”: that would be 17 groups in one another, and 16 are the most."]
        .assert_eq(&put(&directory, org, last, &one_more).unwrap_err().to_string());
    assert!(put(&directory, org, &one_more, &chain[0]).is_err());
    put(&directory, org, &chain[14], &one_more).unwrap();

    // What the outermost gives reaches whoever is in the innermost.
    let grace = Principal::User(world.grace.id.clone());
    directory.add_group_members(&ChangedBy::cli(), org, &last.id, &[grace], now()).unwrap();
    let viewer = given(BuiltInRole::Viewer, Principal::Group(chain[0].id.clone()), None);
    directory.create_assignment(&ChangedBy::cli(), org, viewer, now()).unwrap();
    let held = directory.held_by(org, &world.grace.id, now()).unwrap();
    let way: Vec<GroupId> = chain.iter().rev().map(|group| group.id.clone()).collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].through, way);
    let members = directory.group_members(org, &chain[0].id, true, Part::ALL).unwrap();
    assert_eq!(members.total, 17, "fifteen groups below, one more, and Grace");
    assert_eq!(members.items.last().unwrap().through.len(), 16);
}

#[test]
fn what_somebody_holds_comes_by_the_shortest_way_and_ends_in_time() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (by, org) = (ChangedBy::cli(), world.org.id);
    let [staff, builders, night] = ["Staff", "Builders", "Night shift"].map(|name| group(&directory, org, name));
    put(&directory, org, &staff, &builders).unwrap();
    put(&directory, org, &staff, &night).unwrap();
    put(&directory, org, &builders, &night).unwrap();
    let grace = Principal::User(world.grace.id.clone());
    for into in [&builders, &night] {
        directory.add_group_members(&by, org, &into.id, std::slice::from_ref(&grace), now()).unwrap();
    }
    let team = Some(&world.team.id);
    for new in [
        given(BuiltInRole::TeamMember, grace.clone(), team),
        given(BuiltInRole::Viewer, Principal::Group(staff.id.clone()), None),
        given(BuiltInRole::Builder, Principal::Group(builders.id.clone()), team),
        NewAssignment {
            expires_at: Some(now().plus_millis(HOUR_MS)),
            ..given(BuiltInRole::Operator, Principal::Group(night.id.clone()), None)
        },
    ] {
        directory.create_assignment(&by, org, new, now()).unwrap();
    }
    let name = |id: &GroupId| directory.group(org, id).unwrap().name;
    let held = |at| {
        let held = directory.held_by(org, &world.grace.id, at).unwrap();
        let lines = held.iter().map(|held| {
            let place = held.assignment.team.as_ref().map_or("", |_| " in the team");
            let through: Vec<String> = held.through.iter().map(name).collect();
            format!("{}{place} through [{}]\n", held.assignment.role.name(), through.join(" in "))
        });
        lines.collect::<String>()
    };
    expect![[r#"
        team_member in the team through []
        operator through [Night shift]
        builder in the team through [Builders]
        viewer through [Builders in Staff]
    "#]]
    .assert_eq(&held(now()));
    assert!(!held(now().plus_millis(HOUR_MS)).contains("operator"));
    let groups = directory.memberships(org, &grace).unwrap();
    let groups: Vec<String> = groups
        .iter()
        .map(|it| {
            format!("{} by {}", it.name, it.through.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert_eq!(groups, ["Builders by Builders", "Night shift by Night shift", "Staff by Builders, Staff"].map(String::from));
    let members = directory.group_members(org, &staff.id, true, Part { offset: 2, limit: 1 }).unwrap();
    assert_eq!((members.total, members.items[0].principal.clone()), (3, grace), "each once");
    let direct = directory.group_members(org, &staff.id, false, Part::ALL).unwrap();
    assert_eq!(direct.total, 2);
    // Another organization sees none of it.
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    assert!(matches!(directory.group_members(other, &staff.id, false, Part::ALL), Err(DirectoryError::NotFound { .. })));
    assert_eq!(directory.held_by(other, &world.grace.id, now()).unwrap(), []);
}

#[test]
fn many_ways_through_groups_cost_no_more_than_the_groups() {
    let directory = in_memory();
    let world = World::make(&directory);
    let org = world.org.id;
    // Three groups on each of fifteen levels, each in all three of the next: 3^14 ways up, and still one answer.
    let levels: Vec<Vec<Group>> =
        (0..15).map(|level| (0..3).map(|at| group(&directory, org, &format!("{level}.{at}"))).collect()).collect();
    for pair in levels.windows(2) {
        for outer in &pair[1] {
            let inner: Vec<Principal> = pair[0].iter().map(|inner| Principal::Group(inner.id.clone())).collect();
            directory.add_group_members(&ChangedBy::cli(), org, &outer.id, &inner, now()).unwrap();
        }
    }
    let grace = Principal::User(world.grace.id.clone());
    directory.add_group_members(&ChangedBy::cli(), org, &levels[0][0].id, std::slice::from_ref(&grace), now()).unwrap();
    let viewer = given(BuiltInRole::Viewer, Principal::Group(levels[14][2].id.clone()), None);
    directory.create_assignment(&ChangedBy::cli(), org, viewer, now()).unwrap();
    let held = directory.held_by(org, &world.grace.id, now()).unwrap();
    assert_eq!((held.len(), held[0].through.len()), (1, 15));
    assert_eq!(directory.memberships(org, &grace).unwrap().len(), 1 + 14 * 3);
    let members = directory.group_members(org, &levels[14][0].id, true, Part::ALL).unwrap();
    assert_eq!(members.total, 14 * 3 + 1);
}

#[test]
fn nobody_lets_others_into_a_group_that_gives_more_than_she_holds() {
    let directory = in_memory();
    let world = World::make(&directory);
    let (cli, org) = (ChangedBy::cli(), world.org.id);
    let mary = new_user("mary@example.com", "Mary Somerville", Role::Member, None);
    let mary = directory.create_user(&cli, org, mary, now()).unwrap();
    let [outer, inner] = ["Outer", "Inner"].map(|name| group(&directory, org, name));
    put(&directory, org, &outer, &inner).unwrap();
    directory
        .create_assignment(&cli, org, given(BuiltInRole::Builder, Principal::Group(outer.id.clone()), None), now())
        .unwrap();
    // Grace is an auditor: she builds nothing, so she lets nobody in, not even through the inner group.
    let by = ChangedBy::user(&world.grace);
    let members = [Principal::User(mary.id.clone())];
    let error = directory.add_group_members(&by, org, &inner.id, &members, now()).unwrap_err();
    assert!(matches!(error, DirectoryError::Forbidden { .. }));
    expect!["The group “Inner” gives the role builder, which permits app:view, which you do not hold; nobody gives more than she holds."].assert_eq(&error.to_string());
    directory.add_group_members(&ChangedBy::user(&world.ada), org, &inner.id, &members, now()).unwrap();
}
