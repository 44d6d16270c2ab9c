//! What is told of a destination without a change of its row: what somebody had it do, that it fails, that it works again.

use record::{OrgId, Timestamp};
use rusqlite::params;
use serde_json::Value;

use crate::changed_by::ChangedBy;
use crate::destination::{Destination, require};
use crate::destination_change::may_export;
use crate::directory::Directory;
use crate::error::DirectoryError;
use crate::id::DestinationId;
use crate::mail::{self, Letter};

/// What somebody has a destination do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationDeed {
    /// Send again what was recorded in these places, from the first to the last.
    Replay {
        /// The first index.
        from: u64,
        /// The last index.
        to: u64,
    },
    /// Stop a replay.
    CancelReplay {
        /// Its number.
        replay: u64,
    },
    /// Try messages again that the receiver refused.
    RetryDeadLetters {
        /// How many.
        count: u64,
    },
    /// Give messages up that the receiver refused.
    DiscardDeadLetters {
        /// How many.
        count: u64,
        /// The events' indexes, as far as there is room for them.
        indexes: Vec<u64>,
    },
}

impl Directory {
    /// Tells of what somebody has a destination do, before it is done: nothing goes out that is not told. Whoever makes events
    /// leave could take them out herself.
    pub fn tell_of_destination(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &DestinationId,
        deed: &DestinationDeed,
        now: Timestamp,
    ) -> Result<Destination, DirectoryError> {
        self.change(by, now, |transaction| {
            let destination = require(transaction, org, id)?;
            let event = match deed {
                DestinationDeed::Replay { from, to } => {
                    may_export(transaction, by, &destination, now)?;
                    destination.event("REPLAY_DESTINATION").metadata("from", *from).metadata("to", *to)
                }
                DestinationDeed::CancelReplay { replay } => destination.event("CANCEL_REPLAY").metadata("replay", *replay),
                DestinationDeed::RetryDeadLetters { count } => {
                    may_export(transaction, by, &destination, now)?;
                    destination.event("RETRY_DEAD_LETTERS").metadata("count", *count)
                }
                DestinationDeed::DiscardDeadLetters { count, indexes } => {
                    destination.event("DISCARD_DEAD_LETTERS").metadata("count", *count).metadata("indexes", indexes.clone())
                }
            };
            Ok((destination, vec![event]))
        })
    }

    /// Whether somebody may have a destination's events sent: what [`Directory::tell_of_destination`] would refuse.
    pub fn may_use_destination(
        &self,
        by: &ChangedBy,
        org: OrgId,
        id: &DestinationId,
        now: Timestamp,
    ) -> Result<Destination, DirectoryError> {
        self.note(|transaction| {
            let destination = require(transaction, org, id)?;
            may_export(transaction, by, &destination, now)?;
            Ok(destination)
        })
    }

    /// A destination has failed for too long: an event and these mails, once until it works again. Says whether it was told now.
    pub fn destination_failing(
        &self,
        org: OrgId,
        id: &DestinationId,
        since: Timestamp,
        answer: &str,
        letters: &[Letter],
        now: Timestamp,
    ) -> Result<bool, DirectoryError> {
        self.change(&ChangedBy::system(), now, |transaction| {
            let destination = require(transaction, org, id)?;
            if destination.failing_told_at.is_some() || destination.paused_at.is_some() {
                return Ok((false, Vec::new()));
            }
            let sql = "UPDATE destinations SET failing_told_at = ?2 WHERE id = ?1";
            transaction.execute(sql, params![id, now.as_millis()])?;
            for letter in letters {
                mail::queue(transaction, &self.vault, self.chance.as_ref(), org, letter, now)?;
            }
            let event = destination
                .event("DESTINATION_FAILING")
                .failed()
                .metadata("failing_since", since.to_string())
                .metadata("last_answer", answer);
            Ok((true, vec![event]))
        })
    }

    /// It works again, which is an event if it was told that it does not. Says whether it was told now.
    pub fn destination_recovered(&self, org: OrgId, id: &DestinationId, now: Timestamp) -> Result<bool, DirectoryError> {
        self.change(&ChangedBy::system(), now, |transaction| {
            let destination = require(transaction, org, id)?;
            let Some(told_at) = destination.failing_told_at else { return Ok((false, Vec::new())) };
            transaction.execute("UPDATE destinations SET failing_told_at = NULL WHERE id = ?1", [id])?;
            let told_at = Value::from(told_at.to_string());
            Ok((true, vec![destination.event("DESTINATION_RECOVERED").metadata("told_at", told_at)]))
        })
    }
}
