//! Which indexes were recorded within a time. `recorded_at` never decreases within a log, so halving finds them.

use std::sync::Arc;

use access::Scope;
use record::{Index, OrgId, Timestamp};
use store::{Cursor, Filter, Reader};

use crate::app::App;
use crate::problem::Problem;
use crate::record_own;

/// The first and the last index that were recorded from `since` to `until`; `None` if there is none.
pub async fn recorded(
    app: &Arc<App>,
    org: OrgId,
    since: Timestamp,
    until: Timestamp,
) -> Result<Option<(Index, Index)>, Problem> {
    let scope = record_own::system_scope(org);
    app.reading(move |app, log| {
        let count = app.store.newest(org).map_or(0, |newest| newest.0 + 1);
        let first = first_at_least(log, &scope, count, |at| at >= since)?;
        let after = first_at_least(log, &scope, count, |at| at > until)?;
        Ok((first < after).then(|| (Index(first), Index(after - 1))))
    })
    .await?
}

/// The first of so many indexes whose time is meant; `count` if there is none.
fn first_at_least(
    log: &Reader<'_>,
    scope: &Scope,
    count: u64,
    is_meant: impl Fn(Timestamp) -> bool,
) -> Result<u64, Problem> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        let slice = log.slice(scope, &Filter::default(), Cursor::After(middle.checked_sub(1).map(Index)), 1)?;
        match slice.events.first() {
            Some(entry) if !is_meant(entry.recorded_at()) => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}
