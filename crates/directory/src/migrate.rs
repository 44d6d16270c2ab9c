//! The shape of the database, and how an older one becomes it.

use rusqlite::{Connection, TransactionBehavior};

/// Every migration, oldest first. The number of the last one applied is kept in `PRAGMA user_version`.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_organizations.sql"),
    include_str!("../migrations/0002_outbox.sql"),
    include_str!("../migrations/0003_users.sql"),
    include_str!("../migrations/0004_api_keys.sql"),
    include_str!("../migrations/0005_sessions.sql"),
    include_str!("../migrations/0006_sign_in_attempts.sql"),
    include_str!("../migrations/0007_people.sql"),
    include_str!("../migrations/0008_signing_in.sql"),
    include_str!("../migrations/0009_estate.sql"),
    include_str!("../migrations/0010_redactions.sql"),
    include_str!("../migrations/0011_destinations.sql"),
];

/// The newest version that this binary knows.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
pub(crate) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// The database's version: how many migrations it has seen.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Applies what is missing. If we crash here, the database is at the version of the last complete migration, and the next
/// start goes on from it.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate_to(connection, KNOWN)
}

fn migrate_to(connection: &mut Connection, wanted: u32) -> rusqlite::Result<()> {
    loop {
        // The version is read under the write lock: another process may be migrating the same database at this moment.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = version(&transaction)?;
        if found >= wanted {
            return Ok(());
        }
        let Some(sql) = MIGRATIONS.get(found as usize) else { return Ok(()) };
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
        transaction.commit()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(connection: &Connection) -> Vec<String> {
        let mut statement =
            connection.prepare("SELECT name || ': ' || coalesce(sql, '') FROM sqlite_master ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn count(connection: &Connection) -> u32 {
        connection.query_row("SELECT count(*) FROM organizations", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn every_older_version_becomes_the_newest_and_keeps_what_it_held() {
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh).unwrap();
        assert_eq!(version(&fresh).unwrap(), KNOWN);

        for older in 0..=KNOWN {
            let mut database = Connection::open_in_memory().unwrap();
            migrate_to(&mut database, older).unwrap();
            assert_eq!(version(&database).unwrap(), older);
            if older > 0 {
                database
                    .execute("INSERT INTO organizations (name, name_key, log_id, created_at) VALUES ('A', 'a', 'x', 0)", [])
                    .unwrap();
            }
            migrate(&mut database).unwrap();
            assert_eq!(version(&database).unwrap(), KNOWN);
            assert_eq!(schema(&database), schema(&fresh), "from version {older}");
            assert_eq!(count(&database), u32::from(older > 0));
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_version_before_it() {
        let mut database = Connection::open_in_memory().unwrap();
        migrate_to(&mut database, 2).unwrap();
        // The third migration makes `users` and then an index: take the index's name.
        database.execute_batch("CREATE TABLE users_by_email (x)").unwrap();
        migrate(&mut database).unwrap_err();
        assert_eq!(version(&database).unwrap(), 2);
        assert!(!schema(&database).iter().any(|line| line.starts_with("users:")));

        database.execute_batch("DROP TABLE users_by_email").unwrap();
        migrate(&mut database).unwrap();
        assert_eq!(version(&database).unwrap(), KNOWN);
    }

    #[test]
    fn the_files_are_numbered_without_a_gap() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.ends_with(".sql"));
        names.sort();
        assert_eq!(names.len(), MIGRATIONS.len());
        for ((number, name), sql) in (1..).zip(names).zip(MIGRATIONS) {
            assert!(name.starts_with(&format!("{number:04}_")), "{name}");
            assert_eq!(std::fs::read_to_string(format!("{folder}/{name}")).unwrap(), *sql, "{name}");
        }
    }
}
