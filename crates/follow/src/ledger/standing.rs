//! Where each route stands: the cursor, what the receiver said last, since when it has been failing.

use record::{Index, OrgId, Timestamp};
use rusqlite::{Connection, Row};
use serde::Serialize;

use super::{Ledger, LedgerError, act, all, dead_letter, gap, index, millis, number, one, replay, time, unsigned};
use crate::route::{DestinationId, Route};

/// From where a new destination gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// What is recorded from now on.
    Now,
    /// From this index on.
    At(Index),
    /// Everything that there is.
    Beginning,
}

/// What a receiver said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Its own words.
    pub raw: String,
    /// What that means: `delivered`, `retry`, `split`, `refused`, `partly`, `gone`.
    pub verdict: String,
    /// When.
    pub at: Timestamp,
}

/// What is known for good of one route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Which one.
    pub route: Route,
    /// Everything up to here has arrived or is a dead letter; `None` if that is nothing.
    pub cursor: Option<Index>,
    /// Events that have arrived, replays included.
    pub delivered: u64,
    /// When the last one did.
    pub last_delivered_at: Option<Timestamp>,
    /// What the receiver said last.
    pub last_answer: Option<Said>,
    /// Since when nothing has arrived although it was tried.
    pub failing_since: Option<Timestamp>,
    /// Attempts that have failed since then.
    pub attempts: u32,
    /// Why the receiver wants nothing any more, if it said so.
    pub gone: Option<String>,
    /// The first index that the live course has not seen to.
    #[serde(skip)]
    pub(crate) next: u64,
}

/// How much there is of what people look after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) dead_letters: u64,
    pub(crate) open_gaps: u64,
    pub(crate) open_replays: u64,
}

const COLUMNS: &str = "destination, organization, next, delivered, last_delivered_at, last_answer, last_verdict, \
                       last_answer_at, failing_since, attempts, gone";

fn read(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let organization: u32 = row.get(1)?;
    let next = unsigned(row.get(2)?);
    let said: (Option<String>, Option<String>, Option<i64>) = (row.get(5)?, row.get(6)?, row.get(7)?);
    let last_answer = match said {
        (Some(raw), Some(verdict), Some(at)) => Some(Said { raw, verdict, at: time(at) }),
        _ => None,
    };
    Ok(Standing {
        route: Route { destination: DestinationId::from(row.get::<_, String>(0)?), organization: OrgId(organization) },
        cursor: next.checked_sub(1).map(Index),
        delivered: unsigned(row.get(3)?),
        last_delivered_at: row.get::<_, Option<i64>>(4)?.map(time),
        last_answer,
        failing_since: row.get::<_, Option<i64>>(8)?.map(time),
        attempts: row.get(9)?,
        gone: row.get(10)?,
        next,
    })
}

/// The row of a route, if there is one.
pub(super) fn find(db: &Connection, route: &Route) -> Result<Option<i64>, LedgerError> {
    let sql = "SELECT id FROM routes WHERE destination = ?1 AND organization = ?2";
    Ok(one(db, sql, &[&route.destination.as_str(), &route.organization.0], |row| row.get(0))?)
}

/// The row of a route that has to be there.
pub(super) fn row_of(db: &Connection, route: &Route) -> Result<i64, LedgerError> {
    find(db, route)?.ok_or(LedgerError::NotFound { what: "destination" })
}

pub(super) fn next_of(db: &Connection, row: i64) -> Result<u64, LedgerError> {
    let next = one(db, "SELECT next FROM routes WHERE id = ?1", &[&row], |row| row.get(0))?;
    next.map(unsigned).ok_or(LedgerError::NotFound { what: "destination" })
}

fn standing(db: &Connection, route: &Route) -> Result<Option<Standing>, LedgerError> {
    let sql = format!("SELECT {COLUMNS} FROM routes WHERE destination = ?1 AND organization = ?2");
    Ok(one(db, &sql, &[&route.destination.as_str(), &route.organization.0], read)?)
}

impl Ledger {
    /// Sets a route's cursor where it is to begin, unless it has one already. `newest` is the newest index of the log.
    pub async fn begin(&self, route: &Route, begin: Begin, newest: Option<Index>) -> Result<Standing, LedgerError> {
        let route = route.clone();
        let next = match begin {
            Begin::Now => newest.map_or(0, |newest| newest.0 + 1),
            Begin::At(index) => index.0,
            Begin::Beginning => 0,
        };
        self.run(move |db| {
            let sql = "INSERT INTO routes (destination, organization, next) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            act(db, sql, &[&route.destination.as_str(), &route.organization.0, &number(next)])?;
            standing(db, &route)?.ok_or(LedgerError::NotFound { what: "destination" })
        })
        .await
    }

    /// Where a route stands; `None` if nothing has ever been sent on it.
    pub async fn standing(&self, route: &Route) -> Result<Option<Standing>, LedgerError> {
        let route = route.clone();
        self.run(move |db| standing(db, &route)).await
    }

    /// Where a route stands, and how much there is beside it.
    pub(crate) async fn standing_with_counts(&self, route: &Route) -> Result<(Standing, Counts), LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let row = row_of(db, &route)?;
            let standing = standing(db, &route)?.ok_or(LedgerError::NotFound { what: "destination" })?;
            let (dead_letters, open_gaps) = (dead_letter::count(db, row)?, gap::count_open(db, row)?);
            Ok((standing, Counts { dead_letters, open_gaps, open_replays: replay::count_open(db, row)? }))
        })
        .await
    }

    /// Where every route stands.
    pub async fn standings(&self) -> Result<Vec<Standing>, LedgerError> {
        self.run(|db| {
            let sql = format!("SELECT {COLUMNS} FROM routes ORDER BY destination, organization");
            Ok(all(db, &sql, &[], read)?)
        })
        .await
    }

    /// Gives up on sending what has not arrived up to `to` (at most the newest index), and goes on after it. What is passed over
    /// stays listed as a gap, which a replay closes; it is returned. `None` if nothing is passed over.
    pub async fn skip(
        &self,
        route: &Route,
        to: Index,
        reason: &str,
        now: Timestamp,
    ) -> Result<Option<super::Gap>, LedgerError> {
        let (route, reason) = (route.clone(), reason.to_owned());
        self.run(move |db| {
            let row = row_of(db, &route)?;
            let next = next_of(db, row)?;
            if to.0 < next {
                return Ok(None);
            }
            let gap = gap::skip(db, row, (next, to.0), &reason, now)?;
            let sql = "UPDATE routes SET next = ?2, failing_since = NULL, attempts = 0, told_since = NULL WHERE id = ?1";
            act(db, sql, &[&row, &number(to.0.saturating_add(1))])?;
            Ok(Some(gap))
        })
        .await
    }

    /// For each destination of the organization, the first index that it may still have to be given: what has not been sent, and
    /// what open gaps, dead letters and replays hold. Whoever forgets events after a time asks this first.
    pub async fn needed(&self, organization: OrgId) -> Result<Vec<(DestinationId, Index)>, LedgerError> {
        let sql = "SELECT destination, min(next,
                coalesce((SELECT min(first) FROM gaps WHERE route = routes.id AND closed IS NULL), next),
                coalesce((SELECT min(at_index) FROM dead_letters WHERE route = routes.id), next),
                coalesce((SELECT min(next) FROM replays WHERE route = routes.id AND state IN ('queued', 'running')), next))
            FROM routes WHERE organization = ?1 ORDER BY destination";
        self.run(move |db| {
            let read = |row: &Row<'_>| Ok((DestinationId::from(row.get::<_, String>(0)?), index(row.get(1)?)));
            Ok(all(db, sql, &[&organization.0], read)?)
        })
        .await
    }

    /// Notes that the receiver wants nothing any more.
    pub(crate) async fn gone(&self, route: &Route, said: Said) -> Result<(), LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let sql = "UPDATE routes SET gone = ?2, gone_at = ?3, last_answer = ?2, last_verdict = ?4, last_answer_at = ?3
                       WHERE id = ?1";
            act(db, sql, &[&row_of(db, &route)?, &said.raw, &millis(said.at), &said.verdict])?;
            Ok(())
        })
        .await
    }

    /// Sends to the receiver again although it wanted nothing any more. It counts as failing since then, until something arrives.
    pub async fn come_back(&self, route: &Route) -> Result<(), LedgerError> {
        let route = route.clone();
        self.run(move |db| {
            let sql = "UPDATE routes SET failing_since = coalesce(failing_since, gone_at),
                       told_since = iif(told_since = gone_at, coalesce(failing_since, gone_at), told_since),
                       gone = NULL, gone_at = NULL WHERE id = ?1 AND gone IS NOT NULL";
            act(db, sql, &[&row_of(db, &route)?])?;
            Ok(())
        })
        .await
    }
}
