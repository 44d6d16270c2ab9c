//! What arrived when. Exact to the index: what a filter passed over, and what is dead, has no receipt.
//!
//! A row covers what arrived within one second (after a day: within one minute) with one answer.

use std::time::Duration;

use record::{Index, OrgId, Timestamp};
use rusqlite::Connection;
use serde::Serialize;

use super::{Ledger, LedgerError, act, all, millis, number, one, time, unsigned};
use crate::route::DestinationId;
use crate::runs::Runs;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// A row that takes more bytes than this does not grow.
const RUNS_BYTES_MAX: usize = 4_096;
/// So much of an answer is kept with every receipt.
const ANSWER_CHARS_MAX: usize = 200;
/// Rows that are looked at for one step of compaction.
const COMPACT_ROWS: u32 = 2_000;

/// By which way something arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// In its turn.
    Live,
    /// By a replay.
    Replay,
}

/// That an event arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Where.
    pub destination: DestinationId,
    /// When, to the second; after a day to the minute.
    pub at: Timestamp,
    /// How exactly `at` is known.
    #[serde(skip)]
    pub exact_to: Duration,
    /// By which way.
    pub kind: ReceiptKind,
    /// What the receiver answered.
    pub answer: String,
}

/// Notes that these arrived.
pub(super) fn add(db: &Connection, row: i64, run: i64, arrived: &Runs, answer: &str, at: Timestamp) -> rusqlite::Result<()> {
    let Some((first, last)) = arrived.ends() else { return Ok(()) };
    let answer: String = answer.chars().take(ANSWER_CHARS_MAX).collect();
    let newest =
        "SELECT first, last, runs, at, answer FROM receipts WHERE route = ?1 AND run = ?2 ORDER BY first DESC LIMIT 1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?, row.get::<_, i64>(3)?, row.get(4)?))
    };
    if let Some((from, to, bytes, when, before)) = one(db, newest, &[&row, &run], read)?
        && unsigned(to) < first
        && when / SECOND == millis(at) / SECOND
        && answer == Option::<String>::unwrap_or_default(before)
        && bytes.len() < RUNS_BYTES_MAX
    {
        let mut runs = Runs::from_bytes(unsigned(from), &bytes);
        arrived.runs().for_each(|(first, last)| runs.push_run(first, last));
        let sql = "UPDATE receipts SET last = ?4, runs = ?5 WHERE route = ?1 AND run = ?2 AND first = ?3";
        act(db, sql, &[&row, &run, &from, &number(last), &runs.to_bytes()])?;
        return Ok(());
    }
    // The same may arrive twice in one run only if two followers were at work on one route; the first receipt stands.
    let sql = "INSERT OR IGNORE INTO receipts (route, run, first, last, runs, at, span, answer)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1000, ?7)";
    act(db, sql, &[&row, &run, &number(first), &number(last), &arrived.to_bytes(), &millis(at), &answer])?;
    Ok(())
}

/// Forgets what is older.
pub(super) fn expire(db: &Connection, before: i64) -> rusqlite::Result<()> {
    for span in [SECOND, MINUTE] {
        act(db, "DELETE FROM receipts WHERE span = ?1 AND at < ?2", &[&span, &before])?;
    }
    Ok(())
}

/// One step of merging rows older than a day into one for each minute. Whether there may be more.
pub(super) fn compact(db: &Connection, now: Timestamp) -> Result<bool, LedgerError> {
    struct Row {
        key: (i64, i64, i64),
        first: i64,
        last: i64,
        runs: Vec<u8>,
        answer: String,
    }
    // Whole minutes only, so that no minute is in two rows for being cut in two by the day's end.
    let before = (millis(now) - DAY).div_euclid(MINUTE) * MINUTE;
    let sql = "SELECT route, run, at, first, last, runs, answer FROM receipts INDEXED BY receipts_by_time
               WHERE span = 1000 AND at < ?1 ORDER BY at LIMIT ?2";
    let rows = all(db, sql, &[&before, &COMPACT_ROWS], |row| {
        let minute = row.get::<_, i64>(2)?.div_euclid(MINUTE) * MINUTE;
        let (first, last, runs, answer) = (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
        Ok(Row { key: (row.get(0)?, row.get(1)?, minute), first, last, runs, answer })
    })?;
    let more = rows.len() == COMPACT_ROWS as usize;
    let mut rows = rows;
    rows.sort_by_key(|row| (row.key, row.first));
    for same in rows.chunk_by(|a, b| a.key == b.key) {
        let (Some(head), Some(tail)) = (same.first(), same.last()) else { continue };
        let mut runs = Runs::default();
        for row in same {
            let (route, run, _) = row.key;
            act(db, "DELETE FROM receipts WHERE route = ?1 AND run = ?2 AND first = ?3", &[&route, &run, &row.first])?;
            Runs::from_bytes(unsigned(row.first), &row.runs).runs().for_each(|(first, last)| runs.push_run(first, last));
        }
        let (route, run, minute) = head.key;
        let sql = "INSERT INTO receipts (route, run, first, last, runs, at, span, answer)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 60000, ?7)";
        act(db, sql, &[&route, &run, &head.first, &tail.last, &runs.to_bytes(), &minute, &tail.answer])?;
    }
    Ok(more)
}

impl Ledger {
    /// Where an event has arrived, and when; newest first for each destination.
    pub async fn receipts(&self, organization: OrgId, event: Index) -> Result<Vec<Receipt>, LedgerError> {
        self.run(move |db| {
            let at = number(event.0);
            // Within one run, rows do not overlap: the last one that begins before the index is the only one that can hold it.
            let courses = "SELECT routes.id, 0, destination FROM routes WHERE organization = ?1 UNION ALL
                SELECT routes.id, replays.id, destination FROM routes JOIN replays ON replays.route = routes.id
                WHERE organization = ?1 AND replays.first <= ?2 AND replays.last >= ?2
                ORDER BY destination, 2 DESC";
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let courses: Vec<(i64, i64, String)> = all(db, courses, &[&organization.0, &at], read)?;
            let mut receipts = Vec::new();
            for (route, run, destination) in courses {
                let sql = "SELECT first, runs, at, span, answer FROM receipts
                           WHERE route = ?1 AND run = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1";
                let read = |row: &rusqlite::Row<'_>| {
                    let (first, runs): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
                    Ok((Runs::from_bytes(unsigned(first), &runs), row.get(2)?, row.get(3)?, row.get(4)?))
                };
                let Some((runs, when, span, answer)) = one(db, sql, &[&route, &run, &at], read)? else { continue };
                if runs.contains(event.0) {
                    let kind = if run == 0 { ReceiptKind::Live } else { ReceiptKind::Replay };
                    let (destination, exact_to) = (DestinationId::from(destination), Duration::from_millis(unsigned(span)));
                    receipts.push(Receipt { destination, at: time(when), exact_to, kind, answer });
                }
            }
            Ok(receipts)
        })
        .await
    }
}
