//! What happens to an organization after it was created: another name, other settings, the end.

use record::{OrgId, Timestamp};
use rusqlite::params;

use crate::authority::acting;
use crate::changed_by::ChangedBy;
use crate::directory::Directory;
use crate::error::{DirectoryError, Fault};
use crate::name::{checked_name, folded};
use crate::organization::{self, Organization, OrganizationSettings};
use crate::outbox::Event;

/// What is to be different; `None` stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrganizationChange<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// Whether everybody shows a second factor. For owners.
    pub second_factor_required: Option<bool>,
    /// Whether members see what is recorded of them.
    pub members_see_own_events: Option<bool>,
    /// Whether headers are left out of events.
    pub hide_headers: Option<bool>,
    /// Whether secrets are left out of events.
    pub scrub_secrets: Option<bool>,
}

impl Directory {
    /// Changes an organization's name and settings.
    pub fn update_organization(
        &self,
        by: &ChangedBy,
        id: OrgId,
        change: OrganizationChange<'_>,
        now: Timestamp,
    ) -> Result<Organization, DirectoryError> {
        let name = change.name.map(checked_name).transpose()?;
        self.change(by, now, |transaction| {
            let before = organization::require(transaction, id)?;
            let was = before.settings;
            let settings = OrganizationSettings {
                second_factor_required: change.second_factor_required.unwrap_or(was.second_factor_required),
                members_see_own_events: change.members_see_own_events.unwrap_or(was.members_see_own_events),
                hide_headers: change.hide_headers.unwrap_or(was.hide_headers),
                scrub_secrets: change.scrub_secrets.unwrap_or(was.scrub_secrets),
            };
            if settings.second_factor_required != was.second_factor_required {
                acting(transaction, id, by, now)?.is_owner("Whether everybody shows a second factor")?;
            }
            let after =
                Organization { name: name.map_or_else(|| before.name.clone(), str::to_owned), settings, ..before.clone() };
            let event = Event::new(id, "UPDATE_ORGANIZATION")
                .target("organization", id, Some(&after.name))
                .changed_if("name", before.name.as_str(), after.name.as_str())
                .changed_if("second_factor_required", was.second_factor_required, settings.second_factor_required)
                .changed_if("members_see_own_events", was.members_see_own_events, settings.members_see_own_events)
                .changed_if("hide_headers", was.hide_headers, settings.hide_headers)
                .changed_if("scrub_secrets", was.scrub_secrets, settings.scrub_secrets);
            if !event.has_changes() {
                return Ok((before, Vec::new()));
            }
            let sql = "UPDATE organizations SET name = ?1, name_key = ?2, second_factor_required = ?3, \
                       members_see_own_events = ?4, hide_headers = ?5, scrub_secrets = ?6 WHERE id = ?7";
            let values = params![
                after.name,
                folded(&after.name),
                settings.second_factor_required,
                settings.members_see_own_events,
                settings.hide_headers,
                settings.scrub_secrets,
                id.0
            ];
            match transaction.execute(sql, values) {
                Err(error) if Fault::is_duplicate(&error) => {
                    let detail = format!("There is already an organization named “{}”.", after.name);
                    return Err(DirectoryError::conflict("organization", detail).into());
                }
                updated => updated?,
            };
            Ok((after, vec![event]))
        })
    }

    /// Ends an organization: every session is over, no key and no sign-in is accepted from now on. Its log stays, and so does
    /// all that the directory holds of it. `name` is its name once more, so that nobody ends the wrong one.
    pub fn archive_organization(
        &self,
        by: &ChangedBy,
        id: OrgId,
        name: &str,
        now: Timestamp,
    ) -> Result<Organization, DirectoryError> {
        self.change(by, now, |transaction| {
            let before = organization::require(transaction, id)?;
            acting(transaction, id, by, now)?.is_owner("To archive the organization")?;
            if before.archived_at.is_some() {
                return Ok((before, Vec::new()));
            }
            if folded(name.trim()) != folded(&before.name) {
                let detail = format!("To be sure, give the organization's name, “{}”.", before.name);
                return Err(DirectoryError::invalid("name", detail).into());
            }
            let sessions = transaction.execute("DELETE FROM sessions WHERE org = ?1", [id.0])?;
            transaction
                .execute("UPDATE organizations SET archived_at = ?1 WHERE id = ?2", params![now.as_millis(), id.0])?;
            let event = Event::new(id, "ARCHIVE_ORGANIZATION")
                .target("organization", id, Some(&before.name))
                .changed("archived_at", (), now.to_string())
                .metadata("sessions_ended", sessions);
            Ok((Organization { archived_at: Some(now), ..before }, vec![event]))
        })
    }
}
