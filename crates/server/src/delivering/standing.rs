//! How delivery to a destination goes, as far as anybody can tell.

use std::sync::Arc;

use directory::Destination;
use follow::Route;
use record::{Index, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;

/// How delivery goes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusView {
    /// `running`, `retrying`, `idle` (nothing is to be sent), `paused`, `gone` (the receiver wants nothing any more) or `broken` (it
    /// cannot be set up: see `broken`).
    pub state: String,
    /// Why it cannot be set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// Everything up to this index has arrived or is a dead letter.
    #[schema(value_type = Option<u64>)]
    pub cursor: Option<Index>,
    /// The newest index of the log.
    #[schema(value_type = Option<u64>)]
    pub newest: Option<Index>,
    /// Events after the cursor, wanted or not.
    pub lag_events: u64,
    /// The age of the oldest event after the cursor, in milliseconds.
    pub lag_ms: u64,
    /// What the receiver said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub last_answer: Option<follow::ledger::Said>,
    /// When the last event arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_delivered_at: Option<Timestamp>,
    /// Since when nothing has arrived although it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// Attempts that have failed since then.
    pub attempts: u32,
    /// Events that have arrived in all, replays included.
    pub delivered: u64,
    /// Events a second, over the last minute.
    pub per_second: f64,
    /// What was refused, or could not be told.
    pub dead_letters: u64,
    /// Gaps that are open.
    pub open_gaps: u64,
    /// Replays that have not ended.
    pub replays: u64,
}
