//! What the loop writes: that it has come further, or that an attempt has failed. One transaction each.

use record::{Index, Timestamp};

use super::standing::{Said, find, next_of};
use super::{Ledger, LedgerError, NewDeadLetter, ReplayId, act, dead_letter, gap, millis, number, receipt, replay};
use crate::route::Route;
use crate::runs::Runs;

/// On which course something was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// In its turn.
    Live,
    /// By a replay of a range.
    Range(ReplayId),
    /// By a replay of dead letters.
    Dead(ReplayId),
}

impl Run {
    /// How receipts name it.
    fn number(self) -> i64 {
        match self {
            Run::Live => 0,
            Run::Range(id) | Run::Dead(id) => id.0,
        }
    }
}

/// That everything from `expected` to before `next` has been seen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) run: Run,
    pub(crate) expected: u64,
    pub(crate) next: u64,
    pub(crate) arrived: Runs,
    pub(crate) dead: Vec<NewDeadLetter>,
    /// The last answer, if the receiver was asked.
    pub(crate) said: Option<Said>,
    /// The newest index of the log.
    pub(crate) newest: Option<Index>,
    pub(crate) at: Timestamp,
}

/// Whether the course goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Went {
    On,
    /// Somebody has moved the cursor.
    Moved,
    /// The route or the replay is no more.
    Ended,
}

impl Ledger {
    /// Notes what has arrived and what is dead, and moves the cursor, if it is where it is expected. What has arrived is noted in
    /// any case.
    pub(crate) async fn advance(&self, route: &Route, progress: Progress) -> Result<Went, LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let Some(row) = find(db, &route)? else { return Ok(Went::Ended) };
            let Progress { run, expected, next, arrived, dead, said, newest, at } = progress;
            let answer = said.as_ref().map_or("", |said| &said.raw);
            dead_letter::resolve(db, row, &arrived)?;
            dead_letter::add(db, row, &dead, at)?;
            receipt::add(db, row, run.number(), &arrived, answer, at)?;
            if arrived.count() > 0 {
                let sql = "UPDATE routes SET delivered = delivered + ?2, last_delivered_at = ?3 WHERE id = ?1";
                act(db, sql, &[&row, &number(arrived.count()), &millis(at)])?;
            }
            if let Some(said) = &said {
                let sql = "UPDATE routes SET last_answer = ?2, last_verdict = ?3, last_answer_at = ?4 WHERE id = ?1";
                act(db, sql, &[&row, &said.raw, &said.verdict, &millis(said.at)])?;
            }
            let dead_events = dead.chunk_by(|a, b| a.index == b.index).count() as u64;
            match run {
                Run::Live => {
                    if next_of(db, row)? != expected {
                        // It was passed over while it was on its way: what has arrived is missing no more.
                        for range in arrived.runs() {
                            gap::cut(db, row, run.number(), range, at)?;
                        }
                        return Ok(Went::Moved);
                    }
                    act(db, "UPDATE routes SET next = ?2 WHERE id = ?1", &[&row, &number(next)])?;
                    let is_at_the_end = newest.is_none_or(|newest| next > newest.0);
                    if arrived.count() > 0 || is_at_the_end {
                        act(db, "UPDATE routes SET failing_since = NULL, attempts = 0 WHERE id = ?1", &[&row])?;
                        gap::recover(db, row, next, newest.map_or(0, |newest| newest.0), at)?;
                    }
                    Ok(Went::On)
                }
                Run::Range(id) => {
                    if next > expected {
                        gap::cut(db, row, run.number(), (expected, next - 1), at)?;
                    }
                    let goes_on = replay::advance(db, id.0, next, arrived.count(), dead_events)?;
                    Ok(if goes_on { Went::On } else { Went::Ended })
                }
                Run::Dead(id) => {
                    let goes_on = replay::advance(db, id.0, next, arrived.count(), dead_events)?;
                    Ok(if goes_on { Went::On } else { Went::Ended })
                }
            }
        })
        .await
    }

    /// Notes that an attempt has failed.
    pub(crate) async fn fail(&self, route: &Route, run: Run, said: Said) -> Result<(), LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let Some(row) = find(db, &route)? else { return Ok(()) };
            let sql = "UPDATE routes SET last_answer = ?2, last_verdict = ?3, last_answer_at = ?4 WHERE id = ?1";
            act(db, sql, &[&row, &said.raw, &said.verdict, &millis(said.at)])?;
            match run {
                Run::Live => {
                    let sql = "UPDATE routes SET failing_since = coalesce(failing_since, ?2), attempts = attempts + 1 WHERE id = ?1";
                    act(db, sql, &[&row, &millis(said.at)])?;
                    gap::fail(db, row, &said.raw, said.at)
                }
                Run::Range(id) | Run::Dead(id) => Ok(replay::fail(db, id.0, &said.raw)?),
            }
        })
        .await
    }
}
