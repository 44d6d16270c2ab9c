//! What is taken out of events at the door: each organization's policy, kept at hand.
//!
//! A policy is read from the directory when it is first needed, and again once the directory's epoch says that something changed.
//! That is asked once a second at most, so that a busy sender does not ask the database for each event, and a rule holds within a
//! second, whoever set it. If the directory cannot be read, nothing is recorded: without its rules nobody knows what may be.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use directory::{Directory, DirectoryError};
use record::parse::Parsed;
use record::redact::{self, HashKey, Policy, Scrubber};
use record::{OrgId, Timestamp};
use store::Prepared;

use crate::app::{App, blocking};
use crate::problem::Problem;

/// How long a policy is believed without a look at the directory, in milliseconds.
const FRESH_MS: i64 = 1_000;
/// Policies kept; more are forgotten all at once.
const ENTRIES_MAX: usize = 1_000;
/// What an organization's keys are derived for.
const FOR_VALUES: &str = "redaction";
const FOR_BODIES: &str = "redaction of bodies";

/// What an organization wants to have taken out, and its keys.
#[derive(Debug)]
pub struct Door {
    /// For events that are sent: the organization's rules, headers, the scrubber.
    pub sent: Policy,
    /// For Acta's own events: the same without the rules, so that nobody hides with a rule what she did here.
    pub own: Policy,
    /// What bodies of requests are hashed with, so that a hash on the disk is no way to guess what was taken out.
    pub bodies: HashKey,
}

/// The policies. Owner of the lock: whoever records, for the time of a look-up.
#[derive(Debug, Default)]
pub struct Policies(RwLock<HashMap<OrgId, Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    door: Arc<Door>,
    epoch: u64,
    checked_at: Timestamp,
}

impl Policies {
    fn get(&self, org: OrgId) -> Option<Kept> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&org).cloned()
    }

    fn put(&self, org: OrgId, kept: Kept) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ENTRIES_MAX {
            known.clear();
        }
        known.insert(org, kept);
    }

    /// Reads the organization's rules again before its next event. For whoever has just changed them.
    pub fn forget(&self, org: OrgId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&org);
    }
}

/// What is to be taken out of an organization's events now.
pub async fn door(app: &Arc<App>, org: OrgId) -> Result<Arc<Door>, Problem> {
    let now = app.now();
    let known = app.policies.get(org);
    if let Some(kept) = known.as_ref().filter(|kept| (0..FRESH_MS).contains(&now.millis_since(kept.checked_at))) {
        return Ok(kept.door.clone());
    }
    let shared = app.clone();
    blocking(move || {
        // The epoch before the rules: what changes in between is read again at the next look.
        let epoch = shared.directory.epoch(org)?;
        let same = known.filter(|kept| kept.epoch == epoch).map(|kept| kept.door);
        let door = match same {
            Some(door) => door,
            None => Arc::new(read(&shared.directory, org, shared.config.hide_all_headers_in_audit_log_events)?),
        };
        shared.policies.put(org, Kept { door: door.clone(), epoch, checked_at: now });
        Ok::<_, Problem>(door)
    })
    .await?
}

/// Reads an organization's policy. `hide_all_headers` hides headers whatever the organization says.
pub fn read(directory: &Directory, org: OrgId, hide_all_headers: bool) -> Result<Door, DirectoryError> {
    let organization = directory.organization(org)?;
    let key = |purpose| HashKey(directory.vault().derive(purpose, &organization.log_id));
    let own = Policy {
        rules: Vec::new(),
        headers: hide_all_headers || organization.settings.hide_headers,
        scrubber: organization.settings.scrub_secrets.then_some(Scrubber),
        hash_key: key(FOR_VALUES),
    };
    let rules = directory.redactions(org)?.iter().map(directory::Redaction::to_rule).collect();
    Ok(Door { sent: Policy { rules, ..own.clone() }, own, bodies: key(FOR_BODIES) })
}

impl Door {
    /// Takes out of an event what somebody sent must not tell, and seals it.
    pub fn admit(&self, mut parsed: Parsed, org: OrgId, key: Option<&str>, app: &App) -> Prepared {
        redact::apply(&mut parsed.event, &self.sent);
        Prepared::new(parsed, org, key, app.chance())
    }

    /// The same for an event of Acta's own.
    pub fn admit_own(&self, mut parsed: Parsed, org: OrgId, app: &App) -> Prepared {
        redact::apply(&mut parsed.event, &self.own);
        Prepared::new(parsed, org, None, app.chance())
    }
}
