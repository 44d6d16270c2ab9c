//! What happens to a destination after it was made: other settings, a pause, the end.

use std::collections::BTreeSet;

use access::KeyScope;
use record::{OrgId, Timestamp};
use rusqlite::{Transaction, params};
use serde_json::Value;

use crate::authority::acting;
use crate::changed_by::ChangedBy;
use crate::destination::{Destination, DestinationSettings, named_once, require, seal, whole};
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::id::DestinationId;
use crate::name::{checked_name, folded};

/// What is to be changed of a destination; `None` stays. Its type and its team stay for good: what it has delivered and what it
/// has not would be about something else.
#[derive(Debug, Clone, Default)]
pub struct DestinationChange {
    /// What it is called.
    pub name: Option<String>,
    /// Its settings, all of them.
    pub settings: Option<DestinationSettings>,
    /// The name of the format.
    pub format: Option<String>,
    /// Which events are wanted.
    pub wanted: Option<Value>,
    /// Members that are hidden from it.
    pub hide: Option<Vec<String>>,
}

impl Directory {
    /// Changes a destination. Secrets stand in its event as what is shown of them, before and after, with a word that they changed.
    pub fn update_destination(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &DestinationId,
        change: DestinationChange,
        now: Timestamp,
    ) -> Result<Destination, DirectoryError> {
        let name = change.name.as_deref().map(checked_name).transpose()?;
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            may_export(transaction, by, &before, now)?;
            let mut after = before.clone();
            if let Some(name) = name {
                name.clone_into(&mut after.name);
            }
            after.format = change.format.unwrap_or(after.format);
            after.wanted = change.wanted.unwrap_or(after.wanted);
            after.hide = change.hide.unwrap_or(after.hide);
            let mut secrets = BTreeSet::new();
            if let Some(settings) = &change.settings {
                secrets = secrets_changed(whole(transaction, &self.vault, org, id)?.as_ref(), settings);
                after.settings = settings.shown.clone();
                let sealed = seal(&self.vault, self.chance.as_ref(), id, &settings.whole);
                transaction.execute("UPDATE destinations SET settings_sealed = ?2 WHERE id = ?1", params![id, sealed])?;
            }
            let mut event = after.event("UPDATE_DESTINATION");
            let (old, new) = (before.told(), after.told());
            let value = |told: &[(String, Value)], field: &str| {
                told.iter().find(|(name, _)| name == field).map_or(Value::Null, |(_, value)| value.clone())
            };
            let fields: BTreeSet<&String> = old.iter().chain(&new).map(|(field, _)| field).collect();
            for field in fields {
                let (before, after) = (value(&old, field), value(&new, field));
                if before != after || secrets.contains(field) {
                    event = event.changed(field.clone(), before, after);
                }
            }
            if !event.has_changes() {
                return Ok((before, Vec::new()));
            }
            if !secrets.is_empty() {
                event = event.metadata("secrets_changed", secrets.into_iter().collect::<Vec<_>>());
            }
            after.updated_at = now;
            let sql = "UPDATE destinations SET name = ?2, name_key = ?3, settings_shown = ?4, format = ?5, wanted = ?6, \
                       hide = ?7, updated_at = ?8 WHERE id = ?1";
            let values = params![
                id,
                after.name,
                folded(&after.name),
                after.settings.to_string(),
                after.format,
                after.wanted.to_string(),
                Value::from(after.hide.clone()).to_string(),
                now.as_millis()
            ];
            named_once(transaction.execute(sql, values), &after.name)?;
            Ok((after, vec![event]))
        })
    }

    /// Removes a destination. What has not arrived there by now never will.
    pub fn delete_destination(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &DestinationId,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            transaction.execute("DELETE FROM destinations WHERE id = ?1", [id])?;
            let mut event = before.event("DELETE_DESTINATION");
            for (field, value) in before.told() {
                event = event.changed(field, value, Value::Null);
            }
            Ok(((), vec![event]))
        })
    }

    /// Delivers nothing more for now, for this reason if it is not somebody's doing. To do it twice changes nothing.
    pub fn pause_destination(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &DestinationId,
        why: Option<&str>,
        now: Timestamp,
    ) -> Result<Destination, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            if before.paused_at.is_some() {
                return Ok((before, Vec::new()));
            }
            let sql = "UPDATE destinations SET paused_at = ?2, paused_why = ?3, failing_told_at = NULL WHERE id = ?1";
            transaction.execute(sql, params![id, now.as_millis(), why])?;
            let event = before.event("PAUSE_DESTINATION").changed("paused", false, true).metadata("reason", why);
            let paused_why = why.map(str::to_owned);
            Ok((Destination { paused_at: Some(now), paused_why, failing_told_at: None, ..before }, vec![event]))
        })
    }

    /// Delivers again; with `skip` only what is recorded from now on, which its event says.
    pub fn resume_destination(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &DestinationId,
        skip: bool,
        now: Timestamp,
    ) -> Result<Destination, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = require(transaction, org, id)?;
            may_export(transaction, by, &before, now)?;
            if before.paused_at.is_none() {
                let detail = format!("The destination “{}” is not paused.", before.name);
                return Err(DirectoryError::conflict("destination", detail).into());
            }
            transaction.execute("UPDATE destinations SET paused_at = NULL, paused_why = NULL WHERE id = ?1", [id])?;
            let event = before.event("RESUME_DESTINATION").changed("paused", true, false).metadata("skip", skip);
            Ok((Destination { paused_at: None, paused_why: None, ..before }, vec![event]))
        })
    }
}

/// Refuses what makes events leave, to whoever could not take these out herself.
pub(crate) fn may_export(
    transaction: &Transaction<'_>,
    by: &ChangedBy,
    destination: &Destination,
    now: Timestamp,
) -> Result<(), Fault> {
    let acting = acting(transaction, destination.org, by, now)?;
    Ok(acting.may_give_scope(KeyScope::EventsExport, destination.team.as_ref())?)
}

/// The members, as events name them, in which something was changed that is not shown.
fn secrets_changed(old: Option<&Value>, new: &DestinationSettings) -> BTreeSet<String> {
    let shown = new.shown.as_object().into_iter().flatten();
    // What is shown of a member with a secret in it differs from what it is.
    let with_secrets = shown.filter(|(name, shown)| new.whole.get(name.as_str()).is_some_and(|whole| whole != *shown));
    let changed =
        with_secrets.filter(|(name, _)| old.and_then(|old| old.get(name.as_str())) != new.whole.get(name.as_str()));
    changed.map(|(name, _)| format!("settings/{name}")).collect()
}
