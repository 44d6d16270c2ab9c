//! A seeded world to test in.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::{KeyScope, Role};
use directory::{
    ApiKey, Chance, ChangedBy, Directory, DirectoryOptions, NewApiKey, NewSession, NewUser, Organization, OutboxRow, Secret,
    Session, Team, User,
};
use record::Timestamp;
use sha2::{Digest, Sha256};

pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const PASSWORD: &str = "engine analytical 1843";

/// The same bytes for the same seed, in the order in which they are asked for.
pub(crate) struct Seeded {
    seed: u64,
    calls: AtomicU64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Arc<Seeded> {
        Arc::new(Seeded { seed, calls: AtomicU64::new(0) })
    }
}

impl Chance for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let call = self.calls.fetch_add(1, Ordering::Relaxed);
            let block = Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(call.to_be_bytes()).finalize();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-20T22:04:30.123Z").unwrap()
}

pub(crate) fn open(path: &Path, seed: u64) -> Directory {
    Directory::open(path, Seeded::new(seed), DirectoryOptions::for_tests()).unwrap()
}

pub(crate) fn in_memory() -> Directory {
    Directory::in_memory(Seeded::new(1), DirectoryOptions::for_tests()).unwrap()
}

/// One of everything.
pub(crate) struct World {
    pub(crate) org: Organization,
    pub(crate) team: Team,
    pub(crate) ada: User,
    pub(crate) grace: User,
    pub(crate) key: ApiKey,
    pub(crate) key_secret: Secret,
    pub(crate) session: Session,
    pub(crate) token: Secret,
}

impl World {
    pub(crate) fn make(directory: &Directory) -> World {
        let by = ChangedBy::cli();
        let org = directory.create_organization(&by, "Analytical Engines", now()).unwrap();
        let team = directory.create_team(&by, org.id, None, "Operations", now()).unwrap();
        let password = Secret::new(PASSWORD);
        let ada = new_user("ada@example.com", "Ada Lovelace", Role::Owner, Some(&password));
        let ada = directory.create_user(&by, org.id, ada, now()).unwrap();
        let grace = new_user("grace@example.com", "Grace Hopper", Role::Auditor, None);
        let grace = directory.create_user(&by, org.id, grace, now()).unwrap();
        let (key, key_secret) = directory.create_api_key(&by, org.id, new_key("Importer", Some(&team)), now()).unwrap();
        let (session, token) = directory.create_session(new_session(&ada), now()).unwrap();
        World { org, team, ada, grace, key, key_secret, session, token }
    }
}

pub(crate) fn new_user<'a>(email: &'a str, name: &'a str, role: Role, password: Option<&'a Secret>) -> NewUser<'a> {
    NewUser { email, name, role, password }
}

pub(crate) fn new_key<'a>(name: &'a str, team: Option<&Team>) -> NewApiKey<'a> {
    let scopes = BTreeSet::from([KeyScope::EventsWrite, KeyScope::EventsRead]);
    NewApiKey { team: team.map(|team| team.id.clone()), service_account: None, name, scopes, expires_at: None }
}

pub(crate) fn new_session(user: &User) -> NewSession<'_> {
    NewSession { org: user.org, user: &user.id, ip: "203.0.113.7".parse().ok(), user_agent: Some("Mozilla/5.0") }
}

pub(crate) fn outbox(directory: &Directory) -> Vec<OutboxRow> {
    directory.outbox_after(None, 10_000).unwrap()
}

/// Empties the outbox and returns what was in it.
pub(crate) fn take_outbox(directory: &Directory) -> Vec<String> {
    let rows = outbox(directory);
    directory.outbox_remove(&rows.iter().map(|row| row.id).collect::<Vec<_>>()).unwrap();
    rows.into_iter().map(|row| row.body).collect()
}

/// What events tell, one a line: action, team, targets, changes and metadata.
pub(crate) fn told(bodies: &[String]) -> String {
    let mut lines = Vec::new();
    for body in bodies {
        let event: serde_json::Value = serde_json::from_str(body).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let mut line = text(&event["action"]);
        if let Some(team) = event["team"].as_str() {
            line += &format!(" in {team}");
        }
        for (at, target) in event["targets"].as_array().unwrap().iter().enumerate() {
            let name = target["name"].as_str().map(|name| format!(" “{name}”")).unwrap_or_default();
            let before = if at == 0 { ": " } else { ", " };
            line += &format!("{before}{} {}{name}", text(&target["type"]), text(&target["id"]));
        }
        for change in event["changes"].as_array().into_iter().flatten() {
            line += &format!(" [{}: {} → {}]", text(&change["field"]), change["before"], change["after"]);
        }
        if event["metadata"].is_object() {
            line += &format!(" {}", event["metadata"]);
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// Every table with every value, through a connection of its own.
pub(crate) fn dump(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut lines = Vec::new();
    for table in tables {
        let mut rows = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let width = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<rusqlite::types::Value> = (0..width).map(|column| row.get(column).unwrap()).collect();
            lines.push(format!("{table}: {values:?}"));
        }
    }
    lines.join("\n")
}
