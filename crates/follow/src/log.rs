//! The log as a follower reads it.

use std::sync::Arc;

use record::Index;

use crate::Later;
use crate::recorded::Recorded;

/// A stretch of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// The events that the follower may see and wants, in index order.
    pub events: Vec<Arc<Recorded>>,
    /// Everything up to this index has been looked at; `None` if there was nothing.
    pub through: Option<Index>,
}

/// The log cannot be read now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log cannot be read: {0}")]
pub struct LogError(pub String);

/// One organization's log as one destination sees it: its scope and its filter are inside.
pub trait Log: Send + Sync {
    /// The index of the newest durable event, whoever sees it.
    fn newest(&self) -> Option<Index>;

    /// Up to `limit` events after `after` (from the beginning: `None`) and not after `to`.
    fn read(&self, after: Option<Index>, to: Option<Index>, limit: usize) -> Later<'_, Result<Read, LogError>>;

    /// Returns when there is something after `after`, or at any time before that.
    fn wait(&self, after: Option<Index>) -> Later<'_, ()>;
}
