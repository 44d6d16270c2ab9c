//! The store as followers read it: one organization's log, as far as a destination may see it.

use std::sync::Arc;

use access::{Act, KeyScope, Scope, Subject, decide};
use follow::{Later, Log, LogError, Read, Recorded, Wanted};
use record::{Index, OrgId, TeamId};
use store::{Cancel, Cursor, Entry, Filter};
use tokio::sync::watch;

use crate::app::App;

/// The scope of a destination: what a key could export that is confined like it.
pub fn scope(org: OrgId, team: Option<TeamId>) -> Result<Scope, access::Denied> {
    decide(&Subject::Key { org, team, scopes: [KeyScope::EventsExport].into() }, Act::Export)
}

/// One organization's log as one destination sees it.
pub struct Source {
    app: Arc<App>,
    name: Arc<str>,
    scope: Scope,
    wanted: Wanted,
    durable: watch::Receiver<u64>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("scope", &self.scope).field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl Source {
    /// The log of the scope's organization, whose name is given.
    pub fn new(app: Arc<App>, name: &str, scope: Scope, wanted: Wanted) -> Source {
        let durable = app.delivering.durable();
        Source { app, name: name.into(), scope, wanted, durable }
    }
}

/// An event as followers get it.
pub fn recorded(entry: Entry, organization_name: Arc<str>) -> Recorded {
    let key = entry.key().map(Into::into);
    Recorded {
        organization: entry.org,
        organization_name,
        index: entry.index,
        event_id: entry.event_id,
        event: entry.event,
        key,
    }
}

impl Log for Source {
    fn newest(&self) -> Option<Index> {
        self.app.store.newest(self.scope.org())
    }

    fn read(&self, after: Option<Index>, to: Option<Index>, limit: usize) -> Later<'_, Result<Read, LogError>> {
        Box::pin(async move {
            let (app, scope) = (self.app.clone(), self.scope.clone());
            // So few at once that followers catching up leave the disk and the processors to others.
            let turn = self.app.delivering.turn().await;
            let read = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                let newest = app.store.newest(scope.org());
                let filter = Filter::default();
                let slice = app.store.reader(&Cancel::default()).slice(&scope, &filter, Cursor::After(after), limit);
                slice.map(|slice| (slice, newest))
            });
            let read = read.await.map_err(|error| LogError(error.to_string()))?;
            let (slice, newest) = read.map_err(|error| LogError(error.to_string()))?;
            // What became readable after the look at the tree is read the next time: a wait compares with the tree.
            let bound = [slice.next, to, newest].into_iter().flatten().min();
            let Some(through) = bound.filter(|_| slice.next.is_some() && newest.is_some()) else {
                return Ok(Read::default());
            };
            let events =
                slice.events.into_iter().filter(|entry| entry.index <= through && self.wanted.matches(&entry.event));
            let events = events.map(|entry| Arc::new(recorded(entry, self.name.clone()))).collect();
            Ok(Read { events, through: Some(through) })
        })
    }

    fn wait(&self, after: Option<Index>) -> Later<'_, ()> {
        let mut durable = self.durable.clone();
        Box::pin(async move {
            loop {
                // Marked as seen before the look, so that what comes after the look wakes us.
                durable.borrow_and_update();
                if self.newest() > after {
                    return;
                }
                if durable.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        })
    }
}
