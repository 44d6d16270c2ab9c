//! Which events a course sends: all that come, a range, or those with dead letters.

use std::sync::Arc;
use std::time::Duration;

use record::Index;
use tokio::time::sleep;

use crate::ledger::{Ledger, ReplayId};
use crate::log::{Log, LogError, Read};

/// How soon the log is read again when there is more in it than could be read.
const SOON: Duration = Duration::from_millis(10);

/// What is read.
pub(crate) enum Source {
    /// The log, and what comes.
    Live(Arc<dyn Log>),
    /// The log up to this index.
    Range(Arc<dyn Log>, Index),
    /// Events that the ledger names.
    Dead(Arc<dyn Log>, Ledger, ReplayId),
}

impl Source {
    /// Events from the index `from` on; `None` if there are none now.
    pub(crate) async fn read(&self, from: u64, limit: usize) -> Result<Option<Read>, LogError> {
        let after = from.checked_sub(1).map(Index);
        let read = match self {
            Source::Live(log) => log.read(after, None, limit).await?,
            Source::Range(_, last) if from > last.0 => return Ok(None),
            Source::Range(log, last) => log.read(after, Some(*last), limit).await?,
            Source::Dead(log, ledger, replay) => {
                let wanted = ledger.dead_indexes(*replay, from).await.map_err(|error| LogError(error.to_string()))?;
                let mut read = Read { events: Vec::new(), through: wanted.last().copied() };
                for index in wanted {
                    // An event that the destination does not want any more is passed over; its letter stays where it is.
                    read.events.extend(log.read(index.0.checked_sub(1).map(Index), Some(index), 1).await?.events);
                }
                read
            }
        };
        Ok(read.through.is_some_and(|through| through.0 >= from).then_some(read))
    }

    /// Returns when there may be more from the index `from` on; `None` at once if there will be no more.
    pub(crate) async fn wait(&self, from: u64) -> Option<()> {
        let Source::Live(log) = self else { return None };
        if log.newest().is_some_and(|newest| newest.0 >= from) {
            // It came just now, or it cannot be read yet; either way, not at once again.
            sleep(SOON).await;
        } else {
            log.wait(from.checked_sub(1).map(Index)).await;
        }
        Some(())
    }

    /// Where the course ends; `None` if it goes on for ever.
    pub(crate) fn end(&self) -> Option<u64> {
        match self {
            Source::Range(_, last) => Some(last.0.saturating_add(1)),
            Source::Live(_) | Source::Dead(..) => None,
        }
    }

    /// Whether more comes by itself.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Source::Live(_))
    }
}
