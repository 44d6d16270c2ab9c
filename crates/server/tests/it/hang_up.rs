//! A client that hangs up, and the work that was done for it.

use std::collections::BTreeSet;

use access::{Act, KeyScope, Subject, decide};
use store::{Filter, Page, StoreError};
use tokio::sync::oneshot;

use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_ends() {
    let server = Server::start();
    let subject = Subject::Key { org: server.organization.id, team: None, scopes: BTreeSet::from([KeyScope::EventsRead]) };
    let scope = decide(&subject, Act::Read).unwrap();
    let (begun, begins) = oneshot::channel();
    let (ended, ends) = oneshot::channel();
    let request = server.app.reading(move |_, log| {
        begun.send(()).unwrap();
        // Somebody reads page after page, for ever.
        let error = loop {
            if let Err(error) = log.query(&scope, &Filter::default(), Page { offset: 0, limit: 1 }) {
                break error;
            }
        };
        ended.send(error).unwrap();
    });
    tokio::select! {
        done = request => panic!("it ended by itself: {done:?}"),
        begun = begins => begun.unwrap(),
    }
    assert!(matches!(ends.await.unwrap(), StoreError::Cancelled));
    // Its turn is free again.
    assert_eq!(server.get("/v1/events").await.status.as_u16(), 200);
}
