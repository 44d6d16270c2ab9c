//! Events that a receiver will not take, or that cannot be told to it: kept where people see them, and never in the way of others.

use record::{EventId, Index, Timestamp};
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use super::replay::{self, Replay};
use super::standing::row_of;
use super::{Ledger, LedgerError, act, all, index, millis, number, one, time, unsigned};
use crate::route::Route;
use crate::runs::Runs;

/// A dead letter's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeadLetterId(pub i64);

/// A message that will not arrive by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// Its number.
    pub id: DeadLetterId,
    /// The event's place in the log.
    pub index: Index,
    /// The event.
    pub event_id: EventId,
    /// Which of the event's messages.
    pub part: u32,
    /// Why it is dead.
    pub reason: String,
    /// What the receiver said, if it was asked.
    pub answer: String,
    /// When it was found to be dead.
    pub at: Timestamp,
    /// How often it has been sent.
    pub attempts: u32,
    /// The beginning of what was sent, at most 2 kB.
    pub excerpt: String,
    /// Whether it is to be sent again.
    pub is_being_retried: bool,
}

/// A message that has just been found to be dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewDeadLetter {
    pub(crate) index: u64,
    pub(crate) event_id: EventId,
    pub(crate) part: u32,
    pub(crate) reason: String,
    pub(crate) answer: String,
    pub(crate) attempts: u32,
    pub(crate) excerpt: String,
}

const COLUMNS: &str = "id, at_index, event_id, part, reason, answer, at, attempts, excerpt, replay IS NOT NULL";

fn read(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let event_id = EventId::parse(row.get_ref(2)?.as_str()?)
        .map_err(|bad| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(bad)))?;
    Ok(DeadLetter {
        id: DeadLetterId(row.get(0)?),
        index: index(row.get(1)?),
        event_id,
        part: row.get(3)?,
        reason: row.get(4)?,
        answer: row.get(5)?,
        at: time(row.get(6)?),
        attempts: row.get(7)?,
        excerpt: row.get(8)?,
        is_being_retried: row.get(9)?,
    })
}

/// Lists them. One that was there before, and is dead again, stays the same with more attempts.
pub(super) fn add(db: &Connection, row: i64, dead: &[NewDeadLetter], at: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO dead_letters (route, at_index, event_id, part, reason, answer, at, attempts, excerpt)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
               ON CONFLICT (route, at_index, part) DO UPDATE SET reason = excluded.reason, answer = excluded.answer,
                   at = excluded.at, attempts = attempts + excluded.attempts, excerpt = excluded.excerpt, replay = NULL";
    for one in dead {
        let (index, event_id) = (number(one.index), one.event_id.to_string());
        let with: [&dyn rusqlite::ToSql; 9] =
            [&row, &index, &event_id, &one.part, &one.reason, &one.answer, &millis(at), &one.attempts, &one.excerpt];
        act(db, sql, &with)?;
    }
    Ok(())
}

/// Takes out those whose events have arrived after all.
pub(super) fn resolve(db: &Connection, row: i64, arrived: &Runs) -> rusqlite::Result<()> {
    let Some((first, last)) = arrived.ends() else { return Ok(()) };
    let sql = "SELECT at_index FROM dead_letters WHERE route = ?1 AND at_index BETWEEN ?2 AND ?3";
    let listed: Vec<i64> = all(db, sql, &[&row, &number(first), &number(last)], |row| row.get(0))?;
    for at in listed.into_iter().filter(|&at| arrived.contains(unsigned(at))) {
        act(db, "DELETE FROM dead_letters WHERE route = ?1 AND at_index = ?2", &[&row, &at])?;
    }
    Ok(())
}

pub(super) fn count(db: &Connection, row: i64) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM dead_letters WHERE route = ?1";
    Ok(one(db, sql, &[&row], |row| row.get(0))?.map_or(0, unsigned))
}

impl Ledger {
    /// Dead letters in the order in which they were found, at most `limit` after `after`.
    pub async fn dead_letters(
        &self,
        route: &Route,
        after: Option<DeadLetterId>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, LedgerError> {
        let (route, after) = (route.clone(), after.map_or(0, |after| after.0));
        self.run(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM dead_letters WHERE route = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
            Ok(all(db, &sql, &[&row_of(db, &route)?, &after, &limit], read)?)
        })
        .await
    }

    /// One dead letter.
    pub async fn dead_letter(&self, route: &Route, id: DeadLetterId) -> Result<DeadLetter, LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM dead_letters WHERE route = ?1 AND id = ?2");
            one(db, &sql, &[&row_of(db, &route)?, &id.0], read)?.ok_or(LedgerError::NotFound { what: "dead letter" })
        })
        .await
    }

    /// Sends dead letters again, by a replay: these, or all (`None`). The whole event is sent. A letter goes off the list when it
    /// has arrived.
    pub async fn retry_dead_letters(
        &self,
        route: &Route,
        which: Option<Vec<DeadLetterId>>,
        now: Timestamp,
    ) -> Result<Replay, LedgerError> {
        let route = route.clone();
        let replay = self
            .run(move |db| {
                let row = row_of(db, &route)?;
                let replay = replay::insert(db, row, "dead_letters", (0, 0), now)?;
                match which {
                    None => {
                        let sql = "UPDATE dead_letters SET replay = ?2 WHERE route = ?1 AND replay IS NULL";
                        act(db, sql, &[&row, &replay])?;
                    }
                    Some(ids) => {
                        for id in ids {
                            let sql = "UPDATE dead_letters SET replay = ?3 WHERE route = ?1 AND id = ?2";
                            if act(db, sql, &[&row, &id.0, &replay])? == 0 {
                                return Err(LedgerError::NotFound { what: "dead letter" });
                            }
                        }
                    }
                }
                replay::set_ends(db, replay)
            })
            .await?;
        self.tell_news();
        Ok(replay)
    }

    /// Gives up dead letters for good: these, or all (`None`). How many there were.
    pub async fn discard_dead_letters(&self, route: &Route, which: Option<Vec<DeadLetterId>>) -> Result<usize, LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let row = row_of(db, &route)?;
            let Some(ids) = which else {
                return Ok(act(db, "DELETE FROM dead_letters WHERE route = ?1", &[&row])?);
            };
            let mut discarded = 0;
            for id in ids {
                discarded += act(db, "DELETE FROM dead_letters WHERE route = ?1 AND id = ?2", &[&row, &id.0])?;
            }
            Ok(discarded)
        })
        .await
    }

    /// The next indexes after `after` (at or after it: `from`) whose letters the replay is to send again.
    pub(crate) async fn dead_indexes(&self, replay: super::ReplayId, from: u64) -> Result<Vec<Index>, LedgerError> {
        self.run(move |db| {
            let sql =
                "SELECT DISTINCT at_index FROM dead_letters WHERE replay = ?1 AND at_index >= ?2 ORDER BY at_index LIMIT 64";
            Ok(all(db, sql, &[&replay.0, &number(from)], |row| Ok(index(row.get(0)?)))?)
        })
        .await
    }
}
