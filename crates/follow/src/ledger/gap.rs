//! What has not arrived although it should have, as exact ranges of indexes.
//!
//! An *outage* is opened by the first attempt that fails. Its first index is what the cursor stood before; it grows with the
//! log, and when things arrive again, its end is set to what is newest then. It is closed when the cursor has passed that. A
//! *skip* is what somebody decided not to send; only replays close it, also by and by.

use record::{Index, Timestamp};
use rusqlite::{Connection, Row};
use serde::Serialize;

use super::standing::{next_of, row_of};
use super::{Ledger, LedgerError, act, all, index, millis, number, one, time, unsigned};
use crate::route::Route;

/// Why there is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// The receiver did not take it; it will be sent.
    Outage,
    /// Somebody decided to go on without it; only a replay sends it.
    Skip,
}

/// Indexes that have not arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Its number.
    pub id: i64,
    /// Why there is one.
    pub kind: GapKind,
    /// The first index that is missing; once it is closed, that was.
    pub from: Index,
    /// The last one; of an outage that goes on, the newest of the log (`None` if that is not known).
    pub to: Option<Index>,
    /// Since when.
    pub opened: Timestamp,
    /// When everything had arrived.
    pub closed: Option<Timestamp>,
    /// What the receiver said at first, or why it was passed over.
    pub reason: String,
}

const COLUMNS: &str = "id, kind, first, last, opened, closed, reason";

fn read(row: &Row<'_>) -> rusqlite::Result<Gap> {
    let kind = if row.get_ref(1)?.as_str()? == "skip" { GapKind::Skip } else { GapKind::Outage };
    Ok(Gap {
        id: row.get(0)?,
        kind,
        from: index(row.get(2)?),
        to: row.get::<_, Option<i64>>(3)?.map(index),
        opened: time(row.get(4)?),
        closed: row.get::<_, Option<i64>>(5)?.map(time),
        reason: row.get(6)?,
    })
}

/// An attempt has failed: opens an outage, or lets the one that is open grow again.
pub(super) fn fail(db: &Connection, row: i64, reason: &str, at: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE gaps SET last = NULL WHERE route = ?1 AND kind = 'outage' AND closed IS NULL";
    if act(db, sql, &[&row])? == 0 {
        let sql = "INSERT INTO gaps (route, kind, first, opened, reason) VALUES (?1, 'outage', ?2, ?3, ?4)";
        act(db, sql, &[&row, &number(next_of(db, row)?), &millis(at), &reason])?;
    }
    Ok(())
}

/// Something has arrived, or the cursor has moved over all that there is: sets the outage's end, and closes it behind the cursor.
pub(super) fn recover(db: &Connection, row: i64, next: u64, newest: u64, at: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE gaps SET last = coalesce(last, ?2), closed = iif(coalesce(last, ?2) < ?3, ?4, NULL)
               WHERE route = ?1 AND kind = 'outage' AND closed IS NULL";
    // What is newest is at least what has just arrived.
    let newest = newest.max(next.saturating_sub(1));
    act(db, sql, &[&row, &number(newest), &number(next), &millis(at)])?;
    Ok(())
}

/// Leaves out `range`, which begins at the cursor.
pub(super) fn skip(db: &Connection, row: i64, range: (u64, u64), reason: &str, at: Timestamp) -> Result<Gap, LedgerError> {
    let (first, last) = (number(range.0), number(range.1));
    // What of an outage has arrived is history now; the rest is in the new gap.
    let open = "route = ?1 AND kind = 'outage' AND closed IS NULL";
    act(db, &format!("DELETE FROM gaps WHERE {open} AND first >= ?2"), &[&row, &first])?;
    act(db, &format!("UPDATE gaps SET last = ?2 - 1, closed = ?3 WHERE {open}"), &[&row, &first, &millis(at)])?;
    let sql = "INSERT INTO gaps (route, kind, first, last, opened, reason) VALUES (?1, 'skip', ?2, ?3, ?4, ?5)";
    act(db, sql, &[&row, &first, &last, &millis(at), &reason])?;
    let sql = format!("SELECT {COLUMNS} FROM gaps WHERE id = last_insert_rowid()");
    one(db, &sql, &[], read)?.ok_or(LedgerError::NotFound { what: "gap" })
}

/// Cuts from the skips what has been sent after all.
pub(super) fn cut(db: &Connection, row: i64, run: i64, range: (u64, u64), at: Timestamp) -> Result<(), LedgerError> {
    let (first, last) = (number(range.0), number(range.1));
    let sql = "SELECT id, first, last, opened, reason, coalesce(origin, id) FROM gaps
               WHERE route = ?1 AND kind = 'skip' AND closed IS NULL AND first <= ?3 AND last >= ?2";
    let read = |row: &Row<'_>| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    };
    let overlapping: Vec<(i64, i64, i64, i64, String, i64)> = all(db, sql, &[&row, &first, &last], read)?;
    for (id, from, to, opened, reason, origin) in overlapping {
        let (cut_from, cut_to) = (from.max(first), to.min(last));
        act(db, "DELETE FROM gaps WHERE id = ?1", &[&id])?;
        let keep = "INSERT INTO gaps (route, kind, first, last, opened, reason, origin)
                    SELECT ?1, 'skip', ?2, ?3, ?4, ?5, ?6 WHERE ?2 <= ?3";
        act(db, keep, &[&row, &from, &(cut_from - 1), &opened, &reason, &origin])?;
        act(db, keep, &[&row, &(cut_to + 1), &to, &opened, &reason, &origin])?;
        // A replay closes a gap batch by batch: what is closed grows, and stays one line of history.
        let grow = "UPDATE gaps SET last = ?3, closed = ?4 WHERE route = ?1 AND kind = 'skip' AND closed IS NOT NULL
                    AND origin = ?5 AND run = ?6 AND last = ?2 - 1";
        if act(db, grow, &[&row, &cut_from, &cut_to, &millis(at), &origin, &run])? == 0 {
            let close = "INSERT INTO gaps (route, kind, first, last, opened, closed, reason, origin, run)
                         VALUES (?1, 'skip', ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            act(db, close, &[&row, &cut_from, &cut_to, &opened, &millis(at), &reason, &origin, &run])?;
        }
    }
    Ok(())
}

/// How many are open.
pub(super) fn count_open(db: &Connection, row: i64) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM gaps WHERE route = ?1 AND closed IS NULL";
    Ok(one(db, sql, &[&row], |row| row.get(0))?.map_or(0, unsigned))
}

impl Ledger {
    /// What has not arrived, oldest first; `newest` is the newest index of the log.
    pub async fn gaps(&self, route: &Route, newest: Option<Index>) -> Result<Vec<Gap>, LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let row = row_of(db, &route)?;
            let next = next_of(db, row)?;
            let sql = format!("SELECT {COLUMNS} FROM gaps WHERE route = ?1 AND closed IS NULL ORDER BY first");
            let mut gaps = all(db, &sql, &[&row], read)?;
            for gap in gaps.iter_mut().filter(|gap| gap.kind == GapKind::Outage) {
                // What has arrived since it was opened is missing no more.
                gap.from = gap.from.max(Index(next));
                gap.to = gap.to.or(newest).map(|to| to.max(gap.from));
            }
            Ok(gaps)
        })
        .await
    }

    /// Gaps that have been closed, newest first, at most `limit`.
    pub async fn closed_gaps(&self, route: &Route, limit: u32) -> Result<Vec<Gap>, LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM gaps WHERE route = ?1 AND closed IS NOT NULL ORDER BY closed DESC, id DESC LIMIT ?2"
            );
            Ok(all(db, &sql, &[&row_of(db, &route)?, &limit], read)?)
        })
        .await
    }
}
