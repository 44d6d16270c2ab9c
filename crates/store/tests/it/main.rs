//! The store from outside, on a disk in memory.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod append;
mod check;
mod hostile;
mod idempotency;
mod merging;
mod poison;
mod query;
mod sealing;
mod simulation;
mod threads;

use record::{Index, OrgId};
use store::{Answer, Cursor, Entry, Filter, Place, Store};
use testkit::scope;

const ORG: OrgId = OrgId(7);
const OTHER: OrgId = OrgId(3);

/// Every entry of a log, read as a poller reads it.
fn all(store: &Store, org: OrgId) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map(|entry| entry.index);
        let slice = store.slice(&scope(org), &Filter::default(), Cursor::After(after), 17).unwrap();
        if slice.events.is_empty() {
            return entries;
        }
        entries.extend(slice.events);
    }
}

/// What an entry is told apart by: the metadata of [`testkit::event`].
fn mark(entry: &Entry) -> String {
    entry.event.metadata.as_ref().map(|metadata| metadata.as_str().to_owned()).unwrap_or_default()
}

fn place(answer: &Answer) -> Place {
    match answer {
        Answer::Recorded(place) | Answer::Duplicate(place) | Answer::Conflict(place) => *place,
    }
}

fn indexes(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|Entry { index: Index(index), .. }| *index).collect()
}
