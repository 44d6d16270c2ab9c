//! What happens to a team after it was created: another name, the end.

use record::{OrgId, TeamId, Timestamp};
use rusqlite::{Transaction, params};

use crate::api_key;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::grant;
use crate::name::{checked_name, folded};
use crate::outbox::Event;
use crate::role::plural;
use crate::team::{self, Team};

/// What a team can hold, so that it is not deleted: the table, and the word for one of it.
const HOLDINGS: [(&str, &str); 5] = [
    ("folders", "folder"),
    ("apps", "app"),
    ("workflows", "workflow"),
    ("resources", "resource"),
    ("destinations", "destination"),
];

impl Directory {
    /// Gives a team another name. Its id stays: events name it.
    pub fn rename_team(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &TeamId,
        name: &str,
        now: Timestamp,
    ) -> Result<Team, DirectoryError> {
        let name = checked_name(name)?;
        self.change(by, now, |transaction| {
            let before = team::require(transaction, org, id)?;
            if before.name == name {
                return Ok((before, Vec::new()));
            }
            let sql = "UPDATE teams SET name = ?1, name_key = ?2 WHERE org = ?3 AND id = ?4";
            match transaction.execute(sql, params![name, folded(name), org.0, id.as_str()]) {
                Err(error) if Fault::is_duplicate(&error) => {
                    let detail = format!("The organization already has a team with the name “{name}”.");
                    return Err(DirectoryError::conflict("team", detail).into());
                }
                updated => updated?,
            };
            let event = Event::new(org, "UPDATE_TEAM").team(Some(id)).target("team", id, Some(name)).changed(
                "name",
                before.name.as_str(),
                name,
            );
            Ok((Team { name: name.to_owned(), ..before }, vec![event]))
        })
    }

    /// Deletes a team that holds nothing. Roles that were given in it go with it, grants on it, and its keys that are revoked or
    /// have expired; invitations into it that are over forget it.
    pub fn delete_team(&self, by: &ChangedBy, org: OrgId, id: &TeamId, now: Timestamp) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let team = team::require(transaction, org, id)?;
            let keys = api_key::remove_dead(transaction, org, "team", id.as_str(), now)?;
            let mut held = counted(keys.valid, "valid API key").into_iter().collect::<Vec<_>>();
            for (table, one) in HOLDINGS {
                let sql = format!("SELECT count(*) FROM {table} WHERE org = ?1 AND team = ?2");
                held.extend(counted(transaction.query_row(&sql, params![org.0, id.as_str()], |row| row.get(0))?, one));
            }
            held.extend(counted(open_invitations(transaction, org, id, now)?, "open invitation"));
            if !held.is_empty() {
                let detail = format!("The team “{}” holds {}. Remove or move that first.", team.name, held.join(", "));
                return Err(DirectoryError::conflict("team", detail).into());
            }
            transaction
                .execute("UPDATE invitations SET team = NULL WHERE org = ?1 AND team = ?2", params![org.0, id.as_str()])?;
            let sql = "DELETE FROM role_assignments WHERE org = ?1 AND team = ?2";
            let assignments = transaction.execute(sql, params![org.0, id.as_str()])?;
            let grants = grant::remove_of_object(transaction, org, "team", id.as_str())?;
            transaction.execute("DELETE FROM teams WHERE org = ?1 AND id = ?2", params![org.0, id.as_str()])?;
            let event = Event::new(org, "DELETE_TEAM")
                .team(Some(id))
                .target("team", id, Some(&team.name))
                .metadata("role_assignments", assignments)
                .metadata("grants", grants)
                .metadata("dead_keys", keys.removed);
            Ok(((), vec![event]))
        })
    }
}

fn open_invitations(transaction: &Transaction<'_>, org: OrgId, id: &TeamId, now: Timestamp) -> Result<u32, Fault> {
    let sql = "SELECT count(*) FROM invitations WHERE org = ?1 AND team = ?2 AND redeemed_at IS NULL \
               AND revoked_at IS NULL AND expires_at > ?3";
    Ok(transaction.query_row(sql, params![org.0, id.as_str(), now.as_millis()], |row| row.get(0))?)
}

fn counted(count: u32, one: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {one}{}", plural(count)))
}
