//! Sending again: a range of the log, or dead letters, beside the live course.

use record::{Index, Timestamp};
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use super::standing::row_of;
use super::{Ledger, LedgerError, act, all, index, millis, number, one, time, unsigned};
use crate::route::Route;

/// A replay's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReplayId(pub i64);

/// What is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayKind {
    /// Everything in a range that the destination wants.
    Range,
    /// Dead letters.
    DeadLetters,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayState {
    /// Another one is before it, or nobody has begun with it.
    Queued,
    /// It is being sent.
    Running,
    /// Everything has arrived or is a dead letter.
    Done,
    /// Somebody put an end to it.
    Cancelled,
    /// The receiver wants nothing any more.
    Failed,
}

impl ReplayState {
    fn as_str(self) -> &'static str {
        match self {
            ReplayState::Queued => "queued",
            ReplayState::Running => "running",
            ReplayState::Done => "done",
            ReplayState::Cancelled => "cancelled",
            ReplayState::Failed => "failed",
        }
    }

    fn parse(text: &str) -> ReplayState {
        use ReplayState::{Cancelled, Done, Failed, Queued, Running};
        [Queued, Running, Done, Cancelled].into_iter().find(|one| one.as_str() == text).unwrap_or(Failed)
    }
}

/// Sending again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Its number.
    pub id: ReplayId,
    /// What is sent again.
    pub kind: ReplayKind,
    /// The first index.
    pub from: Index,
    /// The last index.
    pub to: Index,
    /// Everything of it up to here has been seen to; `None` if that is nothing.
    pub cursor: Option<Index>,
    /// How far it is.
    pub state: ReplayState,
    /// Events that arrived by it.
    pub delivered: u64,
    /// Events that became dead letters by it.
    pub dead: u64,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed, or what keeps it waiting.
    pub reason: Option<String>,
    /// The first index that it has not seen to.
    #[serde(skip)]
    pub(crate) next: u64,
}

const COLUMNS: &str = "id, kind, first, last, next, state, delivered, dead, created, ended, reason";

fn read(row: &Row<'_>) -> rusqlite::Result<Replay> {
    let kind = if row.get_ref(1)?.as_str()? == "range" { ReplayKind::Range } else { ReplayKind::DeadLetters };
    let (from, next) = (index(row.get(2)?), unsigned(row.get(4)?));
    Ok(Replay {
        id: ReplayId(row.get(0)?),
        kind,
        from,
        to: index(row.get(3)?),
        cursor: next.checked_sub(1).map(Index).filter(|&cursor| cursor >= from),
        state: ReplayState::parse(row.get_ref(5)?.as_str()?),
        delivered: unsigned(row.get(6)?),
        dead: unsigned(row.get(7)?),
        created: time(row.get(8)?),
        ended: row.get::<_, Option<i64>>(9)?.map(time),
        reason: row.get(10)?,
        next,
    })
}

fn find(db: &Connection, id: i64) -> Result<Replay, LedgerError> {
    let sql = format!("SELECT {COLUMNS} FROM replays WHERE id = ?1");
    one(db, &sql, &[&id], read)?.ok_or(LedgerError::NotFound { what: "replay" })
}

pub(super) fn insert(
    db: &Connection,
    row: i64,
    kind: &str,
    (first, last): (u64, u64),
    now: Timestamp,
) -> Result<i64, LedgerError> {
    let sql =
        "INSERT INTO replays (route, kind, first, last, next, state, created) VALUES (?1, ?2, ?3, ?4, ?3, 'queued', ?5)";
    act(db, sql, &[&row, &kind, &number(first), &number(last), &millis(now)])?;
    Ok(db.last_insert_rowid())
}

/// Sets the ends of a replay of dead letters by what it holds.
pub(super) fn set_ends(db: &Connection, id: i64) -> Result<Replay, LedgerError> {
    let sql = "UPDATE replays SET (first, last, next) =
                   (SELECT min(at_index), max(at_index), min(at_index) FROM dead_letters WHERE replay = ?1)
               WHERE id = ?1 AND EXISTS (SELECT 1 FROM dead_letters WHERE replay = ?1)";
    if act(db, sql, &[&id])? == 0 {
        return Err(LedgerError::NotFound { what: "dead letter" });
    }
    find(db, id)
}

/// Ends a replay that has not ended. Whether it had not.
fn end(db: &Connection, id: i64, state: ReplayState, reason: Option<&str>, now: Timestamp) -> Result<bool, LedgerError> {
    let sql = "UPDATE replays SET state = ?2, ended = ?3, reason = ?4 WHERE id = ?1 AND state IN ('queued', 'running')";
    let ended = act(db, sql, &[&id, &state.as_str(), &millis(now), &reason])? > 0;
    act(db, "UPDATE dead_letters SET replay = NULL WHERE replay = ?1", &[&id])?;
    Ok(ended)
}

impl Ledger {
    /// Asks that all from `from` to `to` (at most the newest index) be sent again. The live course goes on as it would.
    pub async fn start_replay(&self, route: &Route, from: Index, to: Index, now: Timestamp) -> Result<Replay, LedgerError> {
        if to < from {
            return Err(LedgerError::Conflict { detail: format!("a replay from {from} to {to} would be empty") });
        }
        let route = route.clone();
        let replay = self
            .run(move |db| {
                let id = insert(db, row_of(db, &route)?, "range", (from.0, to.0), now)?;
                find(db, id)
            })
            .await?;
        self.tell_news();
        Ok(replay)
    }

    /// Puts an end to a replay. What it has sent stays sent.
    pub async fn cancel_replay(&self, route: &Route, id: ReplayId, now: Timestamp) -> Result<Replay, LedgerError> {
        let route = route.clone();
        let replay = self
            .run(move |db| {
                let of_route = "SELECT 1 FROM replays WHERE id = ?1 AND route = ?2";
                one(db, of_route, &[&id.0, &row_of(db, &route)?], |_| Ok(()))?
                    .ok_or(LedgerError::NotFound { what: "replay" })?;
                if !end(db, id.0, ReplayState::Cancelled, None, now)? {
                    return Err(LedgerError::Conflict { detail: "the replay has ended already".into() });
                }
                find(db, id.0)
            })
            .await?;
        self.tell_news();
        Ok(replay)
    }

    /// One replay.
    pub async fn replay(&self, route: &Route, id: ReplayId) -> Result<Replay, LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM replays WHERE id = ?1 AND route = ?2");
            one(db, &sql, &[&id.0, &row_of(db, &route)?], read)?.ok_or(LedgerError::NotFound { what: "replay" })
        })
        .await
    }

    /// Replays, newest first, at most `limit`.
    pub async fn replays(&self, route: &Route, limit: u32) -> Result<Vec<Replay>, LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM replays WHERE route = ?1 ORDER BY id DESC LIMIT ?2");
            Ok(all(db, &sql, &[&row_of(db, &route)?, &limit], read)?)
        })
        .await
    }

    /// The replay that is to be sent now: the oldest that has not ended.
    pub(crate) async fn next_replay(&self, route: &Route) -> Result<Option<Replay>, LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM replays WHERE route = ?1 AND state IN ('queued', 'running') ORDER BY id LIMIT 1"
            );
            let Some(mut replay) = one(db, &sql, &[&row_of(db, &route)?], read)? else { return Ok(None) };
            act(db, "UPDATE replays SET state = 'running' WHERE id = ?1", &[&replay.id.0])?;
            replay.state = ReplayState::Running;
            Ok(Some(replay))
        })
        .await
    }

    /// A replay has come to its end, or to nothing.
    pub(crate) async fn end_replay(
        &self,
        id: ReplayId,
        state: ReplayState,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.run(move |db| end(db, id.0, state, reason.as_deref(), now).map(drop)).await
    }
}

/// Moves a replay on. Whether it is still running.
pub(super) fn advance(db: &Connection, id: i64, next: u64, delivered: u64, dead: u64) -> rusqlite::Result<bool> {
    let sql = "UPDATE replays SET next = ?2, delivered = delivered + ?3, dead = dead + ?4, reason = NULL
               WHERE id = ?1 AND state = 'running'";
    Ok(act(db, sql, &[&id, &number(next), &number(delivered), &number(dead)])? > 0)
}

/// Notes what keeps a replay waiting.
pub(super) fn fail(db: &Connection, id: i64, reason: &str) -> rusqlite::Result<()> {
    act(db, "UPDATE replays SET reason = ?2 WHERE id = ?1 AND state = 'running'", &[&id, &reason])?;
    Ok(())
}

/// How many have not ended.
pub(super) fn count_open(db: &Connection, row: i64) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM replays WHERE route = ?1 AND state IN ('queued', 'running')";
    Ok(one(db, sql, &[&row], |row| row.get(0))?.map_or(0, unsigned))
}
