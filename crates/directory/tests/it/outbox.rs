//! Every change is an event, in the same transaction.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::Role;
use directory::{Chance, ChangedBy, Directory, DirectoryError, DirectoryOptions, NewApiKey, Secret, UserStatus};
use expect_test::expect;

use crate::support::{
    HOUR_MS, Seeded, World, dump, in_memory, new_key, new_session, new_user, now, open, outbox, take_outbox,
};

type Change = fn(&Directory, &World, &ChangedBy) -> Result<(), DirectoryError>;

/// Everything that changes the directory on somebody's behalf.
const CHANGES: &[(&str, Change)] = &[
    ("create_organization", |directory, _, by| directory.create_organization(by, "Looms", now()).map(drop)),
    ("create_team", |directory, world, by| directory.create_team(by, world.org.id, None, "Sales", now()).map(drop)),
    ("create_user", |directory, world, by| {
        let new = new_user("mary@example.com", "Mary Somerville", Role::Member, None);
        directory.create_user(by, world.org.id, new, now()).map(drop)
    }),
    ("set_user_role", |directory, world, by| {
        directory.set_user_role(by, world.org.id, &world.grace.id, Role::Admin, now()).map(drop)
    }),
    ("set_user_status disabled", |directory, world, by| {
        directory.set_user_status(by, world.org.id, &world.grace.id, UserStatus::Disabled, now()).map(drop)
    }),
    ("set_user_status active", |directory, world, by| {
        directory.set_user_status(by, world.org.id, &world.grace.id, UserStatus::Active, now()).map(drop)
    }),
    ("create_api_key", |directory, world, by| {
        let new = NewApiKey { expires_at: Some(now().plus_millis(HOUR_MS)), ..new_key("Exporter", Some(&world.team)) };
        directory.create_api_key(by, world.org.id, new, now()).map(drop)
    }),
    ("revoke_api_key", |directory, world, by| directory.revoke_api_key(by, world.org.id, &world.key.id, now()).map(drop)),
    ("revoke_session", |directory, world, by| directory.revoke_session(by, world.org.id, &world.session.id, now())),
    ("set_user_password", |directory, world, by| {
        directory.create_session(new_session(&world.ada), now())?;
        directory.set_user_password(by, world.org.id, &world.ada.id, &Secret::new("another engine 1871"), now())
    }),
    ("revoke_sessions", |directory, world, by| {
        directory.create_session(new_session(&world.ada), now())?;
        directory.revoke_sessions(by, world.org.id, &world.ada.id, now()).map(drop)
    }),
];

#[test]
fn what_the_events_say() {
    let directory = in_memory();
    let world = World::make(&directory);
    take_outbox(&directory);
    let mut by = ChangedBy::user(&world.ada);
    by.ip = "203.0.113.7".parse().ok();
    by.user_agent = Some("Mozilla/5.0".to_owned());
    CHANGES[0].1(&directory, &world, &ChangedBy::cli()).unwrap();
    for (name, change) in &CHANGES[1..] {
        change(&directory, &world, &by).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    expect![[r#"
        {"id":"acta-outbox-8d9a2b6856ed934c","action":"CREATE_ORGANIZATION","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"system","id":"acta-cli"},"targets":[{"type":"organization","id":"2","name":"Looms"}],"outcome":"success","metadata":{"log_id":"15ff0089f5612998"}}
        {"id":"acta-outbox-4dbdf2ea07431b47","action":"CREATE_TEAM","occurred_at":"2026-11-20T22:04:30.123Z","team":"team_e14562c3357b64f7","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"team","id":"team_e14562c3357b64f7","name":"Sales"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success"}
        {"id":"acta-outbox-957b273b655952f7","action":"CREATE_USER","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"user","id":"u_f2221fc9415f5fab","name":"Mary Somerville"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success","metadata":{"email":"mary@example.com","role":"member","with_password":false}}
        {"id":"acta-outbox-5cb9786bf6c27eeb","action":"MODIFY_PERMISSIONS","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"user","id":"u_37c02559b74fdab1","name":"Grace Hopper"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success","changes":[{"field":"role","before":"auditor","after":"admin"}]}
        {"id":"acta-outbox-c17d404c9e0aeba6","action":"DISABLE_USER","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"user","id":"u_37c02559b74fdab1","name":"Grace Hopper"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success","changes":[{"field":"status","before":"active","after":"disabled"}],"metadata":{"sessions_ended":0}}
        {"id":"acta-outbox-e20bd75fcd7df7e2","action":"ENABLE_USER","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"user","id":"u_37c02559b74fdab1","name":"Grace Hopper"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success","changes":[{"field":"status","before":"disabled","after":"active"}]}
        {"id":"acta-outbox-04e1e249f26d04f5","action":"ACCESS_TOKEN_CREATED","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"access_token","id":"key_2876d44442c9dcce","name":"Exporter"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success","metadata":{"expires_at":"2026-11-20T23:04:30.123Z","scopes":["events:write","events:read"],"service_account":null,"team":"team_3ed2b0611e97da9c"}}
        {"id":"acta-outbox-c9ac8609b90b9868","action":"ACCESS_TOKEN_REVOKED","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"access_token","id":"key_591aa31cec30cc67","name":"Importer"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success"}
        {"id":"acta-outbox-6ebb67e242559cf2","action":"REVOKE_SESSION","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"session","id":"s_b8c9c02b928abcf3"},{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success"}
        {"id":"acta-outbox-754ca30e47edd534","action":"UPDATE_USER","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success","changes":[{"field":"password"}],"metadata":{"sessions_ended":1}}
        {"id":"acta-outbox-eb286d212dbfb989","action":"REVOKE_SESSION","occurred_at":"2026-11-20T22:04:30.123Z","actor":{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace","email":"ada@example.com"},"targets":[{"type":"session","id":"s_041e8f57b5ebc44c"},{"type":"user","id":"u_adf21c0341a4dfca","name":"Ada Lovelace"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0"},"outcome":"success"}"#]].assert_eq(&take_outbox(&directory).join("\n"));
}

#[test]
fn the_event_is_in_the_log_of_the_organization_and_its_id_is_its_own() {
    let directory = in_memory();
    let world = World::make(&directory);
    CHANGES[0].1(&directory, &world, &ChangedBy::cli()).unwrap();
    let rows = outbox(&directory);
    let (last, others) = rows.split_last().unwrap();
    assert!(others.iter().all(|row| row.org == world.org.id));
    assert_eq!(last.org, directory.organization_by_name("Looms").unwrap().id);
    let ids: BTreeSet<String> = rows
        .iter()
        .map(|row| serde_json::from_str::<serde_json::Value>(&row.body).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), rows.len());
}

#[test]
fn rows_come_in_order_and_go_when_they_are_done() {
    let directory = in_memory();
    World::make(&directory);
    let all = outbox(&directory);
    assert_eq!(all.len(), 5);
    assert!(all.is_sorted_by_key(|row| row.id));
    assert_eq!(directory.outbox_after(None, 2).unwrap(), all[..2]);
    assert_eq!(directory.outbox_after(Some(all[1].id), 2).unwrap(), all[2..4]);
    directory.outbox_remove(&[all[0].id, all[2].id]).unwrap();
    directory.outbox_remove(&[all[0].id]).unwrap();
    directory.outbox_remove(&[]).unwrap();
    assert_eq!(outbox(&directory), [all[1].clone(), all[3].clone(), all[4].clone()]);
    // Numbers are not used again, so a number that was kept elsewhere never skips a row.
    take_outbox(&directory);
    directory.create_organization(&ChangedBy::cli(), "Looms", now()).unwrap();
    assert!(outbox(&directory)[0].id > all[4].id);
}

#[test]
fn without_its_event_a_change_is_not_made() {
    for (name, change) in CHANGES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acta.db");
        let directory = open(&path, 1);
        let world = World::make(&directory);
        let by = ChangedBy::cli();
        if name.ends_with("active") {
            directory.set_user_status(&by, world.org.id, &world.grace.id, UserStatus::Disabled, now()).unwrap();
        }
        // The session that some changes begin with is no change.
        directory.create_session(new_session(&world.ada), now()).unwrap();
        let without_sessions =
            |dump: String| dump.lines().filter(|line| !line.starts_with("sessions:")).collect::<Vec<_>>().join("\n");
        let before = dump(&path);

        let other = rusqlite::Connection::open(&path).unwrap();
        other
            .execute_batch("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            .unwrap();
        let error = change(&directory, &world, &by).unwrap_err();
        assert!(matches!(error, DirectoryError::Storage { .. }), "{name}: {error:?}");
        assert_eq!(without_sessions(dump(&path)), without_sessions(before.clone()), "{name}");
        assert!(dump(&path).matches("sessions:").count() >= before.matches("sessions:").count(), "{name}");

        other.execute_batch("DROP TRIGGER full").unwrap();
        let rows = outbox(&directory).len();
        change(&directory, &world, &by).unwrap();
        assert!(outbox(&directory).len() > rows, "{name}");
        assert_ne!(without_sessions(dump(&path)), without_sessions(before), "{name}");
    }
}

#[test]
fn without_its_change_an_event_is_not_written() {
    for (table, act, name) in
        [("teams", "INSERT", "create_team"), ("users", "UPDATE", "set_user_role"), ("sessions", "DELETE", "revoke_session")]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acta.db");
        let directory = open(&path, 1);
        let world = World::make(&directory);
        let before = dump(&path);
        let other = rusqlite::Connection::open(&path).unwrap();
        other
            .execute_batch(&format!(
                "CREATE TRIGGER full BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            ))
            .unwrap();
        let change = CHANGES.iter().find(|(known, _)| *known == name).unwrap().1;
        change(&directory, &world, &ChangedBy::cli()).unwrap_err();
        assert_eq!(dump(&path), before, "{name}");
    }
}

/// Does something else than giving chance on one call. The last call of a change is for the id of its event: the row of the
/// change is written by then, and not committed.
struct Interrupted {
    chance: Arc<Seeded>,
    calls_left: AtomicU64,
    interrupt: fn(),
}

impl Chance for Interrupted {
    fn fill(&self, bytes: &mut [u8]) {
        if self.calls_left.fetch_sub(1, Ordering::Relaxed) == 0 {
            (self.interrupt)();
        }
        self.chance.fill(bytes);
    }
}

fn interrupted(path: &Path, seed: u64, calls: u64, interrupt: fn()) -> Directory {
    let chance = Interrupted { chance: Seeded::new(seed), calls_left: AtomicU64::new(calls), interrupt };
    Directory::open(path, Arc::new(chance), DirectoryOptions::for_tests()).unwrap()
}

#[test]
fn a_panic_in_the_middle_changes_nothing_and_locks_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let org = open(&path, 1).create_organization(&ChangedBy::cli(), "One", now()).unwrap().id;
    let before = dump(&path);
    let directory = interrupted(&path, 2, 1, || panic!("in the middle of a change"));
    let create = || directory.create_team(&ChangedBy::cli(), org, None, "Operations", now());
    catch_unwind(AssertUnwindSafe(create)).unwrap_err();
    assert_eq!(dump(&path), before);
    create().unwrap();
    assert_eq!(outbox(&directory).len(), 2);
}

const CHILD: &str = "ACTA_TEST_DIRECTORY_CHILD";

/// This test binary again, as another process, running the named test with the path to work on.
fn child(test: &str, path: &Path, job: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(CHILD, format!("{job} {}", path.display()));
    command
}

fn job() -> Option<(String, String)> {
    let value = std::env::var(CHILD).ok()?;
    value.split_once(' ').map(|(job, path)| (job.to_owned(), path.to_owned()))
}

const EACH: u64 = 20;

fn add_users(directory: &Directory, job: u64) {
    let org = directory.organization_by_name("One").unwrap().id;
    for number in 0..EACH {
        let email = format!("{job}-{number}@example.com");
        directory.create_user(&ChangedBy::cli(), org, new_user(&email, "Somebody", Role::Member, None), now()).unwrap();
    }
}

#[test]
fn processes_change_the_directory_at_once() {
    if let Some((job, path)) = job() {
        let job = job.parse().unwrap();
        return add_users(&open(Path::new(&path), job), job);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    let directory = open(&path, 1);
    let org = directory.create_organization(&ChangedBy::cli(), "One", now()).unwrap().id;
    take_outbox(&directory);
    let mut children: Vec<_> = [2, 3]
        .map(|job: u64| child("outbox::processes_change_the_directory_at_once", &path, &job.to_string()).spawn().unwrap())
        .into();
    add_users(&directory, 4);
    // The server moves the outbox meanwhile, in pieces.
    let mut moved = BTreeSet::new();
    let mut take = || {
        let rows = directory.outbox_after(None, 7).unwrap();
        directory.outbox_remove(&rows.iter().map(|row| row.id).collect::<Vec<_>>()).unwrap();
        let count = rows.len();
        moved.extend(rows.into_iter().map(|row| row.body));
        count
    };
    for child in &mut children {
        take();
        assert!(child.wait().unwrap().success());
    }
    while take() > 0 {}
    let users = directory.users(org).unwrap();
    assert_eq!(users.len() as u64, 3 * EACH);
    assert_eq!(moved.len(), users.len());
    for user in users {
        assert_eq!(moved.iter().filter(|body| body.contains(user.id.as_str())).count(), 1, "{user:?}");
    }
}

#[test]
fn a_process_that_dies_in_the_middle_leaves_both_or_neither() {
    const DEAD: i32 = 77;
    if let Some((calls, path)) = job() {
        let calls = calls.parse().unwrap();
        return add_users(&interrupted(Path::new(&path), 100 + calls, calls, || std::process::exit(DEAD)), calls);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acta.db");
    open(&path, 1).create_organization(&ChangedBy::cli(), "One", now()).unwrap();
    for calls in 0..6_usize {
        let before = outbox(&open(&path, 2)).len();
        let mut child = child("outbox::a_process_that_dies_in_the_middle_leaves_both_or_neither", &path, &calls.to_string());
        assert_eq!(child.status().unwrap().code(), Some(DEAD));
        let directory = open(&path, 3);
        let org = directory.organization_by_name("One").unwrap().id;
        assert_eq!(outbox(&directory).len(), directory.users(org).unwrap().len() + 1);
        // Each user takes two calls: her id before the transaction, and the event's id inside it.
        assert_eq!(outbox(&directory).len(), before + calls / 2);
    }
}
