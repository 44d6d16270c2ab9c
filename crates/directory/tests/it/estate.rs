//! Environments, folders, apps, workflows, resources and grants.

use access::{EnvironmentKind, GrantObject, Level, SubjectKind};
use directory::{
    ChangedBy, Directory, DirectoryError, EnvironmentId, Find, FolderId, GrantFind, NewGrant, Part, Place,
    ResourceEnvironment, ThingChange,
};
use expect_test::expect;
use record::OrgId;
use serde_json::Value;

use crate::support::{World, in_memory, now, take_outbox};

fn in_folder(id: &FolderId) -> Place {
    Place { folder: Some(id.clone()), team: None }
}

/// The events that the outbox held: action, team, targets, changes, metadata.
fn told(directory: &Directory) -> String {
    let mut lines = String::new();
    for body in take_outbox(directory) {
        let event: Value = serde_json::from_str(&body).unwrap();
        let target = |one: &Value| {
            let environment = one["environment"].as_str().map(|name| format!(" in {name}")).unwrap_or_default();
            format!("{} {}{environment}", one["type"].as_str().unwrap(), one["name"].as_str().unwrap_or("?"))
        };
        let targets: Vec<String> = event["targets"].as_array().unwrap().iter().map(target).collect();
        let shown = |value: &Value| {
            value.as_str().map_or(value.to_string(), |text| if text.contains('_') { "(id)".into() } else { text.into() })
        };
        let change = |one: &Value| {
            format!("{}: {} → {}", one["field"].as_str().unwrap(), shown(&one["before"]), shown(&one["after"]))
        };
        let changes: Vec<String> = event["changes"].as_array().into_iter().flatten().map(change).collect();
        let team = event["team"].as_str().map(|_| " (team)").unwrap_or_default();
        let removed =
            event["metadata"]["grants_removed"].as_u64().map(|count| format!(" -{count} grants")).unwrap_or_default();
        lines += &format!(
            "{}{team}: {}; {}{removed}\n",
            event["action"].as_str().unwrap(),
            targets.join(", "),
            changes.join(", ")
        );
    }
    lines
}

fn refusal<T: std::fmt::Debug>(done: Result<T, DirectoryError>) -> String {
    match done.unwrap_err() {
        DirectoryError::Invalid { member, detail } => format!("invalid {member}: {detail}"),
        DirectoryError::Conflict { what, detail } => format!("conflict {what}: {detail}"),
        DirectoryError::NotFound { what } => format!("not found: {what}"),
        other => panic!("{other}"),
    }
}

fn environment(directory: &Directory, org: OrgId, kind: EnvironmentKind) -> EnvironmentId {
    let all = directory.environments(org, &Find::default(), Part::ALL).unwrap();
    all.items.into_iter().find(|one| one.kind == kind).unwrap().id
}

#[test]
fn an_organization_begins_with_three_environments_and_can_change_them() {
    let directory = in_memory();
    let (by, org) = (ChangedBy::cli(), World::make(&directory).org.id);
    let names = |find: &Find| -> Vec<String> {
        let listed = directory.environments(org, find, Part::ALL).unwrap();
        listed.items.iter().map(|one| format!("{} ({})", one.name, one.kind)).collect()
    };
    assert_eq!(names(&Find::default()), ["development (development)", "production (production)", "staging (staging)"]);
    take_outbox(&directory);
    let eu = directory.create_environment(&by, org, " EU ", EnvironmentKind::Production, now()).unwrap();
    let again = directory.create_environment(&by, org, "eu", EnvironmentKind::Staging, now());
    assert_eq!(refusal(again), "conflict environment: There is already an environment named “eu”.");
    directory.rename_environment(&by, org, &eu.id, "Europe", now()).unwrap();
    assert_eq!(names(&Find { q: Some("EURO".into()), only: None }), ["Europe (production)"]);
    let resource = directory.create_resource(&by, org, "Ledger", "postgresql", &Place::default(), now()).unwrap();
    let entry = ResourceEnvironment { environment: eu.id.clone(), sensitive: true };
    directory.put_resource_environment(&by, org, &resource.id, &entry, now()).unwrap();
    let held = directory.delete_environment(&by, org, &eu.id, now());
    assert_eq!(refusal(held), "conflict environment: 1 resources are in the environment “Europe”. Take them out first.");
    directory.delete_resource_environment(&by, org, &resource.id, &eu.id, now()).unwrap();
    directory.delete_environment(&by, org, &eu.id, now()).unwrap();
    assert_eq!(refusal(directory.environment(org, &eu.id)), "not found: environment");
    expect![[r#"
        CREATE_ENVIRONMENT: environment EU; name: null → EU, kind: null → production
        UPDATE_ENVIRONMENT: environment Europe; name: EU → Europe
        CREATE_RESOURCE: resource Ledger; name: null → Ledger, kind: null → postgresql
        UPDATE_RESOURCE: resource Ledger in Europe; environment: null → Europe, sensitive: null → true
        UPDATE_RESOURCE: resource Ledger in Europe; environment: Europe → null -0 grants
        DELETE_ENVIRONMENT: environment Europe;  -0 grants
    "#]]
    .assert_eq(&told(&directory));
}

#[test]
fn folders_lie_in_folders_and_never_in_themselves() {
    let directory = in_memory();
    let (by, world) = (ChangedBy::cli(), World::make(&directory));
    let (org, team) = (world.org.id, Place { folder: None, team: Some(world.team.id.clone()) });
    take_outbox(&directory);
    let outer = directory.create_folder(&by, org, "Outer", &team, now()).unwrap();
    let middle = directory.create_folder(&by, org, "Middle", &in_folder(&outer.id), now()).unwrap();
    let inner = directory.create_folder(&by, org, "Inner", &in_folder(&middle.id), now()).unwrap();
    let twice = directory.create_folder(&by, org, "INNER", &in_folder(&middle.id), now());
    assert_eq!(refusal(twice), "conflict folder: There is already a folder named “INNER”.");
    let cycle = directory.change_folder(&by, org, &outer.id, None, Some(&in_folder(&inner.id)), now());
    assert_eq!(refusal(cycle), "invalid parent: would put the folder into itself: “Outer” → “Middle” → “Inner” → “Outer”");
    let itself = directory.change_folder(&by, org, &outer.id, None, Some(&in_folder(&outer.id)), now());
    assert_eq!(refusal(itself), "invalid parent: would put the folder into itself: “Outer” → “Outer”");
    let both = Place { folder: Some(outer.id.clone()), team: Some(world.team.id.clone()) };
    assert!(refusal(directory.create_folder(&by, org, "X", &both, now())).starts_with("invalid team: "));
    let full = directory.delete_folder(&by, org, &middle.id, now());
    assert_eq!(refusal(full), "conflict folder: 1 things are in the folder “Middle”. Move or delete them first.");
    directory.change_folder(&by, org, &inner.id, Some("Innermost"), Some(&Place::default()), now()).unwrap();
    directory.delete_folder(&by, org, &middle.id, now()).unwrap();
    expect![[r#"
        CREATE_FOLDER (team): folder Outer; name: null → Outer, team: null → (id)
        CREATE_FOLDER (team): folder Middle; name: null → Middle, parent: null → (id)
        CREATE_FOLDER (team): folder Inner; name: null → Inner, parent: null → (id)
        UPDATE_FOLDER: folder Innermost; name: Inner → Innermost, parent: (id) → null
        DELETE_FOLDER (team): folder Middle;  -0 grants
    "#]]
    .assert_eq(&told(&directory));

    let mut deepest = inner.id.clone();
    for depth in 2..=directory::FOLDER_DEPTH_MAX {
        deepest = directory.create_folder(&by, org, &format!("{depth}"), &in_folder(&deepest), now()).unwrap().id;
    }
    let deeper = directory.create_folder(&by, org, "17", &in_folder(&deepest), now());
    assert_eq!(refusal(deeper), "invalid parent: would be folders in folders, 17 deep; 16 is the most");
    let moved = directory.change_folder(&by, org, &inner.id, None, Some(&in_folder(&outer.id)), now());
    assert_eq!(refusal(moved), "invalid parent: would be folders in folders, 17 deep; 16 is the most");
}

#[test]
fn apps_and_workflows_are_made_moved_released_and_deleted() {
    let directory = in_memory();
    let (by, world) = (ChangedBy::cli(), World::make(&directory));
    let org = world.org.id;
    let other = directory.create_organization(&by, "Other", now()).unwrap().id;
    let team = Place { folder: None, team: Some(world.team.id.clone()) };
    let folder = directory.create_folder(&by, org, "Desk", &team, now()).unwrap();
    take_outbox(&directory);

    let app = directory.create_app(&by, org, "Refunds", &in_folder(&folder.id), now()).unwrap();
    assert_eq!(
        refusal(directory.create_app(&by, org, "refunds", &team, now())),
        "conflict app: There is already an app named “refunds”."
    );
    assert_eq!(refusal(directory.app(other, &app.id)), "not found: app");
    let elsewhere = directory.create_app(&by, other, "X", &in_folder(&folder.id), now());
    assert_eq!(refusal(elsewhere), "invalid folder: names no folder of this organization");
    directory.release_app(&by, org, &app.id, now()).unwrap();
    let change = ThingChange { name: Some("Returns"), place: Some(team.clone()), archived: Some(true) };
    let changed = directory.change_app(&by, org, &app.id, &change, now()).unwrap();
    assert_eq!((changed.released_at, changed.archived_at), (Some(now()), Some(now())));
    directory.change_app(&by, org, &app.id, &change, now()).unwrap();

    let workflow = directory.create_workflow(&by, org, "Nightly", &Place::default(), now()).unwrap();
    directory.set_workflow_enabled(&by, org, &workflow.id, false, now()).unwrap();
    directory.set_workflow_enabled(&by, org, &workflow.id, false, now()).unwrap();
    directory.set_workflow_enabled(&by, org, &workflow.id, true, now()).unwrap();
    directory.release_workflow(&by, org, &workflow.id, now()).unwrap();
    let change = ThingChange { place: Some(in_folder(&folder.id)), ..ThingChange::default() };
    directory.change_workflow(&by, org, &workflow.id, &change, now()).unwrap();

    let grant = |object| NewGrant {
        subject: SubjectKind::User,
        subject_id: world.grace.id.to_string(),
        level: Level::Use,
        object,
        expires_at: None,
    };
    directory.create_grant(&by, org, &grant(GrantObject::App(app.id.to_string())), now()).unwrap();
    directory.delete_app(&by, org, &app.id, now()).unwrap();
    directory.delete_workflow(&by, org, &workflow.id, now()).unwrap();
    assert_eq!(directory.grants(org, &GrantFind::default(), Part::ALL).unwrap().total, 0);
    expect![[r#"
        CREATE_APP (team): app Refunds; name: null → Refunds, folder: null → (id)
        RELEASE_APP (team): app Refunds; released_at: null → 2026-11-20T22:04:30.123Z
        UPDATE_APP (team): app Returns; name: Refunds → Returns, folder: (id) → null, team: null → (id), archived: false → true
        CREATE_WORKFLOW: workflow Nightly; name: null → Nightly
        DISABLE_WORKFLOW: workflow Nightly; enabled: true → false
        ENABLE_WORKFLOW: workflow Nightly; enabled: false → true
        RELEASE_WORKFLOW: workflow Nightly; released_at: null → 2026-11-20T22:04:30.123Z
        UPDATE_WORKFLOW (team): workflow Nightly; folder: null → (id)
        DIRECTLY_SHARE_PAGE_WITH_USER (team): app Returns, user Grace Hopper; level: null → use
        DELETE_APP (team): app Returns;  -1 grants
        DELETE_WORKFLOW (team): workflow Nightly;  -0 grants
    "#]].assert_eq(&told(&directory));
}

#[test]
fn grants_name_what_is_there_and_go_with_it() {
    let directory = in_memory();
    let (by, world) = (ChangedBy::cli(), World::make(&directory));
    let org = world.org.id;
    let production = environment(&directory, org, EnvironmentKind::Production);
    let staging = environment(&directory, org, EnvironmentKind::Staging);
    let resource = directory.create_resource(&by, org, "Ledger", "postgresql", &Place::default(), now()).unwrap();
    let entry = ResourceEnvironment { environment: production.clone(), sensitive: false };
    directory.put_resource_environment(&by, org, &resource.id, &entry, now()).unwrap();
    let app = directory.create_app(&by, org, "Refunds", &Place::default(), now()).unwrap();
    take_outbox(&directory);

    let new = |object: GrantObject| NewGrant {
        subject: SubjectKind::User,
        subject_id: world.ada.id.to_string(),
        level: Level::Edit,
        object,
        expires_at: None,
    };
    let data = |environment: &EnvironmentId| GrantObject::Resource {
        resource: resource.id.to_string(),
        environment: environment.to_string(),
    };
    let create = |new: &NewGrant| directory.create_grant(&by, org, new, now());
    let on_app = create(&new(GrantObject::App(app.id.to_string()))).unwrap();
    create(&new(data(&production))).unwrap();
    create(&new(GrantObject::AllResources { environment: staging.to_string() })).unwrap();
    create(&new(GrantObject::Team(world.team.id.to_string()))).unwrap();
    create(&NewGrant { expires_at: Some(now().plus_millis(1)), ..new(GrantObject::AllApps) }).unwrap();

    let mut refused = vec![
        refusal(create(&new(GrantObject::AllApps))),
        refusal(create(&new(data(&staging)))),
        refusal(create(&new(GrantObject::App("app_0000000000000000".into())))),
        refusal(create(&new(GrantObject::AllResources { environment: "env_0000000000000000".into() }))),
        refusal(create(&NewGrant { subject: SubjectKind::Group, ..new(GrantObject::AllFolders) })),
    ];
    refused.push(refusal(create(&NewGrant { expires_at: Some(now()), ..new(GrantObject::AllFolders) })));
    expect![[r#"
        conflict grant: There is already a grant on this for the same subject. Delete it first to give another level.
        invalid object: names an environment in which the resource is not
        invalid object: names no app of this organization
        invalid object: names no environment of this organization
        invalid subject: names no group of this organization
        invalid expires_at: is not in the future"#]]
    .assert_eq(&refused.join("\n"));

    let find = |find: GrantFind| directory.grants(org, &find, Part::ALL).unwrap().total;
    assert_eq!(find(GrantFind { object: Some(data(&production)), ..GrantFind::default() }), 1);
    assert_eq!(find(GrantFind { object: Some(GrantObject::AllApps), ..GrantFind::default() }), 1);
    assert_eq!(find(GrantFind { subject: Some((SubjectKind::User, world.ada.id.to_string())), ..GrantFind::default() }), 5);
    assert_eq!(
        find(GrantFind { subject: Some((SubjectKind::User, world.grace.id.to_string())), ..GrantFind::default() }),
        0
    );
    assert_eq!(find(GrantFind { only: Some(vec![on_app.id.to_string()]), ..GrantFind::default() }), 1);

    directory.delete_grant(&by, org, &on_app.id, now()).unwrap();
    directory.delete_resource_environment(&by, org, &resource.id, &production, now()).unwrap();
    directory.delete_environment(&by, org, &staging, now()).unwrap();
    assert_eq!(find(GrantFind::default()), 2);
    expect![[r#"
        DIRECTLY_SHARE_PAGE_WITH_USER: app Refunds, user Ada Lovelace; level: null → edit
        MODIFY_PERMISSIONS: resource Ledger in production, user Ada Lovelace; level: null → edit
        MODIFY_PERMISSIONS: resource all resources in staging, user Ada Lovelace; level: null → edit
        MODIFY_PERMISSIONS (team): team Operations, user Ada Lovelace; level: null → edit
        MODIFY_PERMISSIONS: app all apps, user Ada Lovelace; level: null → edit, expires_at: null → 2026-11-20T22:04:30.124Z
        MODIFY_PERMISSIONS: app Refunds, user Ada Lovelace; level: edit → null
        UPDATE_RESOURCE: resource Ledger in production; environment: production → null -1 grants
        DELETE_ENVIRONMENT: environment staging;  -1 grants
    "#]]
    .assert_eq(&told(&directory));
}

#[test]
fn the_facts_are_what_was_set_at_an_epoch_that_every_change_raises() {
    let directory = in_memory();
    let (by, world) = (ChangedBy::cli(), World::make(&directory));
    let org = world.org.id;
    let (before, facts) = directory.facts(org).unwrap();
    assert_eq!(before, directory.epoch(org).unwrap());
    assert_eq!((facts.users.len(), facts.teams.len(), facts.environments.len()), (2, 1, 3));

    let folder = directory.create_folder(&by, org, "Desk", &Place::default(), now()).unwrap();
    let app = directory.create_app(&by, org, "Refunds", &in_folder(&folder.id), now()).unwrap();
    directory.release_app(&by, org, &app.id, now()).unwrap();
    let new = NewGrant {
        subject: SubjectKind::User,
        subject_id: world.grace.id.to_string(),
        level: Level::Own,
        object: GrantObject::Folder(folder.id.to_string()),
        expires_at: None,
    };
    directory.create_grant(&by, org, &new, now()).unwrap();
    let (after, facts) = directory.facts(org).unwrap();
    assert_eq!(after, before + 4);
    assert_eq!(facts.apps[0].within, access::Within::Folder(folder.id.to_string()));
    assert!(facts.apps[0].released && !facts.apps[0].archived);
    assert_eq!((&facts.grants[0].object, facts.grants[0].level), (&new.object, Level::Own));
}

#[test]
fn the_facts_hold_groups_in_groups_and_roles_of_one_s_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = crate::support::open(&path, 1);
    let world = World::make(&directory);
    let (org, ada) = (world.org.id, world.ada.id.as_str());
    let connection = rusqlite::Connection::open(&path).unwrap();
    let rows = format!(
        "INSERT INTO groups VALUES ('g_1', {org}, 'Builders', 'builders', '', 0), ('g_2', {org}, 'Interns', 'interns', '', 0);
         INSERT INTO group_members VALUES ('g_1', 'group', 'g_2', 0), ('g_2', 'user', '{ada}', 0);
         INSERT INTO roles VALUES ('role_1', {org}, 'Watcher', 'watcher', '', 'app:view workflow:view', 0);
         INSERT INTO role_assignments VALUES
           ('ra_1', {org}, 'role_1', 'group', 'g_1', NULL, NULL, 'u', 0, 7),
           ('ra_2', {org}, 'operator', 'user', '{ada}', '{team}', NULL, 'u', 0, NULL);
         INSERT INTO service_accounts VALUES ('sa_1', {org}, 'Robot', 'robot', 'disabled', 0);
         UPDATE users SET second_factor_since = 5 WHERE id = '{ada}';",
        org = org.0,
        team = world.team.id.as_str(),
    );
    connection.execute_batch(&rows).unwrap();
    let (_, facts) = directory.facts(org).unwrap();
    let told = |text: String| text.replace(ada, "ADA").replace(world.team.id.as_str(), "TEAM");
    let lines: Vec<String> = facts.assignments.iter().map(|one| told(format!("{one:?}"))).collect();
    expect![[r#"
        AssignmentFact { id: "ra_1", role: "Watcher", permissions: [AppView, WorkflowView], subject: Group, subject_id: "g_1", team: None, expires_at: Some(Timestamp(7)) }
        AssignmentFact { id: "ra_2", role: "operator", permissions: [AppView, WorkflowView, FolderView, AppRun, WorkflowRun], subject: User, subject_id: "ADA", team: Some("TEAM"), expires_at: None }"#]].assert_eq(&lines.join("\n"));
    let members: Vec<String> =
        facts.memberships.iter().map(|one| told(format!("{} {} in {}", one.member, one.member_id, one.group))).collect();
    assert_eq!(members, ["group g_2 in g_1", "user ADA in g_2"]);
    assert!(!facts.service_accounts[0].active);
    let factors: Vec<(&str, bool)> = facts.users.iter().map(|one| (&*one.name, one.second_factor)).collect();
    assert!(factors.contains(&("Ada Lovelace", true)) && factors.contains(&("Grace Hopper", false)));
}
