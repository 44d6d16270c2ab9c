//! What people are to be told of, once: that a destination has been failing for long, and that it works again.
//!
//! Whoever tells them asks for [`Ledger::alerts`], tells, and then calls [`Ledger::told`]. *If we crash in between,* they are told
//! twice.

use std::time::Duration;

use record::{OrgId, Timestamp};
use serde::Serialize;

use super::{Ledger, LedgerError, act, all, millis, time};
use crate::route::{DestinationId, Route};

/// What is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Nothing has arrived for longer than was stated, although it was tried.
    Failing,
    /// The receiver wants nothing any more, and nothing is sent until somebody says so.
    Gone,
    /// Things arrive again.
    Recovered,
}

/// Something to tell people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Of which route.
    pub route: Route,
    /// What is the matter.
    pub trouble: Trouble,
    /// Since when it has been failing; of one that recovered, since when it had been.
    pub since: Timestamp,
    /// Attempts that have failed since then.
    pub attempts: u32,
    /// What the receiver said last.
    pub last_answer: String,
}

impl Ledger {
    /// What has not been told: routes that have been failing for longer than `longer_than`, receivers that are gone, and routes
    /// whose trouble was told and is over.
    pub async fn alerts(&self, now: Timestamp, longer_than: Duration) -> Result<Vec<Alert>, LedgerError> {
        let before = millis(now) - i64::try_from(longer_than.as_millis()).unwrap_or(i64::MAX);
        self.run(move |db| {
            let sql = "SELECT destination, organization, coalesce(gone_at, failing_since, told_since), attempts,
                    coalesce(last_answer, ''), gone_at IS NOT NULL, failing_since IS NOT NULL
                FROM routes WHERE (gone_at IS NOT NULL AND told_since IS NOT gone_at)
                    OR (gone_at IS NULL AND failing_since <= ?1 AND told_since IS NOT failing_since)
                    OR (gone_at IS NULL AND failing_since IS NULL AND told_since IS NOT NULL)
                ORDER BY destination, organization";
            let alerts = all(db, sql, &[&before], |row| {
                let trouble = match (row.get(5)?, row.get(6)?) {
                    (true, _) => Trouble::Gone,
                    (false, true) => Trouble::Failing,
                    (false, false) => Trouble::Recovered,
                };
                Ok(Alert {
                    route: Route {
                        destination: DestinationId::from(row.get::<_, String>(0)?),
                        organization: OrgId(row.get(1)?),
                    },
                    trouble,
                    since: time(row.get(2)?),
                    attempts: row.get(3)?,
                    last_answer: row.get(4)?,
                })
            })?;
            Ok(alerts)
        })
        .await
    }

    /// Notes that people have been told, for good.
    pub async fn told(&self, alert: &Alert) -> Result<(), LedgerError> {
        let alert = alert.clone();
        let since = (alert.trouble != Trouble::Recovered).then(|| millis(alert.since));
        self.run(move |db| {
            let sql = "UPDATE routes SET told_since = ?3 WHERE destination = ?1 AND organization = ?2";
            act(db, sql, &[&alert.route.destination.as_str(), &alert.route.organization.0, &since])?;
            Ok(())
        })
        .await
    }
}
