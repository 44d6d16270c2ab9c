//! Redaction rules: what is taken out of an organization's events before they are recorded.

use record::redact::{How, MemberPath, Rule, When};
use record::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::RedactionId;
use crate::name::{checked_name, folded};
use crate::organization;
use crate::outbox::Event;
use crate::row;

/// Rules of one organization.
pub const REDACTIONS_MAX: usize = 200;
/// Members, and actions, of one rule.
const LIST_MAX: usize = 64;

/// A rule of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// Its id, which the events that it changed tell.
    pub id: RedactionId,
    /// Whose it is.
    pub org: OrgId,
    /// What it is called; no two of an organization are the same but for capitals.
    pub name: String,
    /// What it does.
    pub rule: RedactionRule,
    /// When it was made. Where two rules name the same member, the older says how it is redacted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedactionRule {
    /// Which events it is for.
    #[serde(default)]
    pub when: When,
    /// What it takes out of them.
    pub members: Vec<MemberPath>,
    /// What it leaves in the place.
    pub how: How,
}

/// What is to be changed of a rule; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct RedactionChange {
    /// What it is called.
    pub name: Option<String>,
    /// Which events it is for.
    pub when: Option<When>,
    /// What it takes out of them.
    pub members: Option<Vec<MemberPath>>,
    /// What it leaves in the place.
    pub how: Option<How>,
}

const COLUMNS: &str = "id, org, name, rule, created_at, updated_at";

impl Redaction {
    /// The rule as it is applied.
    pub fn to_rule(&self) -> Rule {
        let RedactionRule { when, members, how } = self.rule.clone();
        Rule { id: self.id.as_str().into(), name: self.name.as_str().into(), when, members, how }
    }

    fn from_row(found: &Row<'_>) -> rusqlite::Result<Redaction> {
        Ok(Redaction {
            id: row::parsed(found, "id", RedactionId::parse)?,
            org: row::org(found, "org")?,
            name: found.get("name")?,
            rule: row::parsed(found, "rule", |text| serde_json::from_str(text))?,
            created_at: row::time(found, "created_at")?,
            updated_at: row::time(found, "updated_at")?,
        })
    }
}

impl RedactionRule {
    /// Refuses a rule that does nothing, or too much at once.
    pub fn check(&self) -> Result<(), DirectoryError> {
        let count = self.members.len();
        if !(1..=LIST_MAX).contains(&count) {
            let detail = format!("A rule names 1 to {LIST_MAX} members; this one names {count}.");
            return Err(DirectoryError::invalid("members", detail));
        }
        let count = self.when.actions.len();
        if count > LIST_MAX {
            let detail = format!("A rule names at most {LIST_MAX} actions; this one names {count}.");
            return Err(DirectoryError::invalid("when/actions", detail));
        }
        Ok(())
    }

    fn to_text(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)).into())
    }

    /// Its parts as an event tells them.
    fn told(&self) -> [(&'static str, Value); 3] {
        let value = |value: serde_json::Result<Value>| value.unwrap_or(Value::Null);
        [
            ("when", value(serde_json::to_value(&self.when))),
            ("members", value(serde_json::to_value(&self.members))),
            ("how", value(serde_json::to_value(self.how))),
        ]
    }
}

impl Directory {
    /// Makes a rule. It holds from the next events on, within a second.
    pub fn create_redaction(
        &self,
        by: &ChangedBy,
        org: OrgId,
        name: &str,
        rule: RedactionRule,
        now: Timestamp,
    ) -> Result<Redaction, DirectoryError> {
        let name = checked_name(name)?.to_owned();
        rule.check()?;
        let redaction =
            Redaction { id: RedactionId::random(self.chance.as_ref()), org, name, rule, created_at: now, updated_at: now };
        self.change(by, now, |transaction| {
            organization::require(transaction, org)?;
            let count: i64 =
                transaction.query_row("SELECT count(*) FROM redactions WHERE org = ?1", [org.0], |row| row.get(0))?;
            if usize::try_from(count).is_ok_and(|count| count >= REDACTIONS_MAX) {
                let detail = format!("An organization has at most {REDACTIONS_MAX} redaction rules.");
                return Err(DirectoryError::conflict("redaction", detail).into());
            }
            let inserted = transaction.execute(
                "INSERT INTO redactions (id, org, name, name_key, rule, created_at, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                params![
                    redaction.id,
                    org.0,
                    redaction.name,
                    folded(&redaction.name),
                    redaction.rule.to_text()?,
                    now.as_millis()
                ],
            );
            named_once(inserted, &redaction.name)?;
            let mut event = event(&redaction, "CREATE_REDACTION").changed("name", Value::Null, redaction.name.as_str());
            for (field, value) in redaction.rule.told() {
                event = event.changed(field, Value::Null, value);
            }
            Ok((redaction, vec![event]))
        })
    }

    /// Changes a rule. What it took out before stays out.
    pub fn update_redaction(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &RedactionId,
        change: RedactionChange,
        now: Timestamp,
    ) -> Result<Redaction, DirectoryError> {
        let name = change.name.as_deref().map(checked_name).transpose()?;
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            let mut after = before.clone();
            if let Some(name) = name {
                name.clone_into(&mut after.name);
            }
            let rule = &mut after.rule;
            rule.when = change.when.unwrap_or_else(|| rule.when.clone());
            rule.members = change.members.unwrap_or_else(|| rule.members.clone());
            rule.how = change.how.unwrap_or(rule.how);
            rule.check()?;
            let mut event = event(&after, "UPDATE_REDACTION").changed_if("name", before.name.as_str(), after.name.as_str());
            for ((field, old), (_, new)) in before.rule.told().into_iter().zip(after.rule.told()) {
                event = event.changed_if(field, old, new);
            }
            if !event.has_changes() {
                return Ok((before, Vec::new()));
            }
            after.updated_at = now;
            let updated = transaction.execute(
                "UPDATE redactions SET name = ?3, name_key = ?4, rule = ?5, updated_at = ?6 WHERE org = ?1 AND id = ?2",
                params![org.0, id, after.name, folded(&after.name), after.rule.to_text()?, now.as_millis()],
            );
            named_once(updated, &after.name)?;
            Ok((after, vec![event]))
        })
    }

    /// Removes a rule. What it took out stays out: it is nowhere.
    pub fn delete_redaction(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &RedactionId,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            transaction.execute("DELETE FROM redactions WHERE org = ?1 AND id = ?2", params![org.0, id])?;
            let mut event = event(&before, "DELETE_REDACTION").changed("name", before.name.as_str(), Value::Null);
            for (field, value) in before.rule.told() {
                event = event.changed(field, value, Value::Null);
            }
            Ok(((), vec![event]))
        })
    }

    /// One rule of an organization.
    pub fn redaction(&self, org: OrgId, id: &RedactionId) -> Result<Redaction, DirectoryError> {
        self.read(|connection| require(connection, org, id))
    }

    /// The rules of an organization, in the order in which they are applied: the oldest first.
    pub fn redactions(&self, org: OrgId) -> Result<Vec<Redaction>, DirectoryError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare(&format!("SELECT {COLUMNS} FROM redactions WHERE org = ?1 ORDER BY created_at, id"))?;
            Ok(statement.query_map([org.0], Redaction::from_row)?.collect::<Result<_, _>>()?)
        })
    }
}

fn event(redaction: &Redaction, action: &'static str) -> Event {
    Event::new(redaction.org, action).target("redaction", &redaction.id, Some(&redaction.name))
}

fn named_once(result: rusqlite::Result<usize>, name: &str) -> Result<(), Fault> {
    match result {
        Err(error) if Fault::is_duplicate(&error) => {
            let detail = format!("The organization already has a redaction rule named “{name}”.");
            Err(DirectoryError::conflict("redaction", detail).into())
        }
        done => Ok(done.map(|_| ())?),
    }
}

/// The rule, or the answer that the organization has none.
fn require(connection: &Connection, org: OrgId, id: &RedactionId) -> Result<Redaction, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM redactions WHERE org = ?1 AND id = ?2");
    let found = connection.query_row(&sql, params![org.0, id], Redaction::from_row).optional()?;
    Ok(found.ok_or(DirectoryError::NotFound { what: "redaction rule" })?)
}
