//! A change of people, groups or roles and its event are both there, or neither is.

use std::collections::BTreeSet;

use access::{BuiltInRole, Narrowing, Permission};
use directory::{
    ChangedBy, Directory, DirectoryError, GroupChange, GroupId, NewAssignment, NewRole, OrganizationChange, Principal,
    RoleChange, RoleId, RoleName, ServiceAccountId, UserStatus,
};

use crate::support::{World, dump, now, open, outbox};

/// A world with something to change.
struct Things {
    world: World,
    group: GroupId,
    role: RoleId,
    account: ServiceAccountId,
}

type Change = fn(&Directory, &Things, &ChangedBy) -> Result<(), DirectoryError>;

/// Each works on the same world, by itself.
const CHANGES: &[(&str, Change)] = &[
    ("update_organization", |directory, things, by| {
        let change = OrganizationChange { scrub_secrets: Some(false), ..OrganizationChange::default() };
        directory.update_organization(by, things.world.org.id, change, now()).map(drop)
    }),
    ("archive_organization", |directory, things, by| {
        directory.archive_organization(by, things.world.org.id, &things.world.org.name, now()).map(drop)
    }),
    ("rename_team", |directory, things, by| {
        directory.rename_team(by, things.world.org.id, &things.world.team.id, "X", now()).map(drop)
    }),
    ("delete_team", |directory, things, by| {
        directory.revoke_api_key(&ChangedBy::cli(), things.world.org.id, &things.world.key.id, now())?;
        directory.delete_team(by, things.world.org.id, &things.world.team.id, now())
    }),
    ("update_user", |directory, things, by| {
        directory.update_user(by, things.world.org.id, &things.world.grace.id, Some("X"), None, now()).map(drop)
    }),
    ("archive", |directory, things, by| {
        let (org, id) = (things.world.org.id, &things.world.grace.id);
        directory.set_user_status(by, org, id, UserStatus::Archived, now()).map(drop)
    }),
    ("create_service_account", |directory, things, by| {
        directory.create_service_account(by, things.world.org.id, "X", now()).map(drop)
    }),
    ("disable_service_account", |directory, things, by| {
        let (org, id) = (things.world.org.id, &things.account);
        directory.set_service_account_status(by, org, id, UserStatus::Disabled, now()).map(drop)
    }),
    ("delete_service_account", |directory, things, by| {
        directory.delete_service_account(by, things.world.org.id, &things.account, now())
    }),
    ("create_group", |directory, things, by| directory.create_group(by, things.world.org.id, "X", "", now()).map(drop)),
    ("update_group", |directory, things, by| {
        let change = GroupChange { description: Some("X"), ..GroupChange::default() };
        directory.update_group(by, things.world.org.id, &things.group, change, now()).map(drop)
    }),
    ("add_group_members", |directory, things, by| {
        let members = [Principal::User(things.world.ada.id.clone())];
        directory.add_group_members(by, things.world.org.id, &things.group, &members, now()).map(drop)
    }),
    ("remove_group_members", |directory, things, by| {
        let members = [Principal::User(things.world.grace.id.clone())];
        directory.remove_group_members(by, things.world.org.id, &things.group, &members, now()).map(drop)
    }),
    ("delete_group", |directory, things, by| {
        directory.delete_group(by, things.world.org.id, &things.group, now()).map(drop)
    }),
    ("create_role", |directory, things, by| {
        let new = NewRole { name: "X", description: "", permissions: BTreeSet::from([Permission::AppView]) };
        directory.create_role(by, things.world.org.id, new, now()).map(drop)
    }),
    ("update_role", |directory, things, by| {
        let change = RoleChange { name: Some("X"), ..RoleChange::default() };
        directory.update_role(by, things.world.org.id, &things.role, change, now()).map(drop)
    }),
    ("delete_role", |directory, things, by| directory.delete_role(by, things.world.org.id, &things.role, now())),
    ("create_assignment", |directory, things, by| {
        let new = NewAssignment {
            role: RoleName::BuiltIn(BuiltInRole::TeamMember),
            principal: Principal::Group(things.group.clone()),
            team: Some(things.world.team.id.clone()),
            narrowing: Narrowing::default(),
            expires_at: None,
        };
        directory.create_assignment(by, things.world.org.id, new, now()).map(drop)
    }),
];

fn make(directory: &Directory) -> Things {
    let (world, by) = (World::make(directory), ChangedBy::cli());
    let org = world.org.id;
    let group = directory.create_group(&by, org, "Auditors", "", now()).unwrap().id;
    directory.add_group_members(&by, org, &group, &[Principal::User(world.grace.id.clone())], now()).unwrap();
    let new = NewRole { name: "Viewers", description: "", permissions: BTreeSet::from([Permission::AppView]) };
    let role = directory.create_role(&by, org, new, now()).unwrap().id;
    let account = directory.create_service_account(&by, org, "Robot", now()).unwrap().id;
    directory.revoke_api_key(&by, org, &world.key.id, now()).unwrap();
    Things { world, group, role, account }
}

#[test]
fn without_its_event_no_change_is_made() {
    for (name, change) in CHANGES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acta.db");
        let directory = open(&path, 1);
        let things = make(&directory);
        let by = ChangedBy::user(&things.world.ada);
        let (before, rows) = (dump(&path), outbox(&directory).len());
        let other = rusqlite::Connection::open(&path).unwrap();
        let trigger = "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END";
        other.execute_batch(trigger).unwrap();
        let error = change(&directory, &things, &by).unwrap_err();
        assert!(matches!(error, DirectoryError::Storage { .. }), "{name}: {error:?}");
        assert_eq!(dump(&path), before, "{name}");

        other.execute_batch("DROP TRIGGER full").unwrap();
        change(&directory, &things, &by).unwrap();
        assert_eq!(outbox(&directory).len(), rows + 1, "{name}: one event");
        assert_ne!(dump(&path), before, "{name}");
        // And nothing of one organization is another's.
        let elsewhere = directory.create_organization(&ChangedBy::cli(), "Elsewhere", now()).unwrap();
        let abroad = Things { world: World { org: elsewhere, ..things.world }, ..things };
        if !matches!(*name, "update_organization" | "archive_organization" | "create_group" | "create_role")
            && *name != "create_service_account"
        {
            let refused = change(&directory, &abroad, &ChangedBy::cli());
            assert!(matches!(refused, Err(DirectoryError::NotFound { .. })), "{name}: {refused:?}");
        }
    }
}
