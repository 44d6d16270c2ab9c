//! How delivery to a destination goes, as far as anybody can tell.

use std::sync::Arc;

use follow::{Route, State};
use record::{Index, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::lines::Line;
use crate::app::App;
use crate::problem::Problem;

/// How delivery goes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusView {
    /// `running`, `retrying`, `idle` (nothing is to be sent), `paused`, `gone` (the receiver wants nothing any more) or `broken` (it
    /// cannot be set up: see `broken`).
    pub state: String,
    /// Why it cannot be set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// Everything up to this index has arrived or is a dead letter.
    #[schema(value_type = Option<u64>)]
    pub cursor: Option<Index>,
    /// The newest index of the log.
    #[schema(value_type = Option<u64>)]
    pub newest: Option<Index>,
    /// Events after the cursor, wanted or not.
    pub lag_events: u64,
    /// The age of the oldest event that is wanted and has not arrived, in milliseconds; absent if nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
    /// What the receiver said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub last_answer: Option<follow::ledger::Said>,
    /// When the last event arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_delivered_at: Option<Timestamp>,
    /// Since when nothing has arrived although it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// Attempts that have failed since then.
    pub attempts: u32,
    /// Events that have arrived in all, replays included.
    pub delivered: u64,
    /// Events a second, over the last minute.
    pub per_second: f64,
    /// What was refused, or could not be told.
    pub dead_letters: u64,
    /// Gaps that are open.
    pub open_gaps: u64,
    /// Replays that have not ended.
    pub open_replays: u64,
}

/// How a route is doing.
pub async fn status(app: &Arc<App>, route: &Route) -> Result<StatusView, Problem> {
    let (control, broken) = {
        let lines = app.delivering.lines();
        let line = lines.get(route);
        (line.and_then(Line::control), line.and_then(Line::broken))
    };
    if let Some(control) = control {
        return Ok(StatusView::of(control.status().await?));
    }
    let newest = app.store.newest(route.organization);
    let standing = app.delivering.ledger().standing(route).await?;
    let cursor = standing.as_ref().and_then(|it| it.cursor);
    let seen = cursor.map_or(0, |cursor| cursor.0 + 1);
    let (why, since) = broken.map_or((None, None), |(why, since)| (Some(why), Some(since)));
    Ok(StatusView {
        state: "broken".to_owned(),
        broken: Some(why.unwrap_or_else(|| "it is being set up, or the server stops".to_owned())),
        cursor,
        newest,
        lag_events: newest.map_or(0, |newest| (newest.0 + 1).saturating_sub(seen)),
        lag_ms: None,
        last_answer: standing.as_ref().and_then(|it| it.last_answer.clone()),
        last_delivered_at: standing.as_ref().and_then(|it| it.last_delivered_at),
        failing_since: standing.as_ref().and_then(|it| it.failing_since).or(since),
        attempts: standing.as_ref().map_or(0, |it| it.attempts),
        delivered: standing.as_ref().map_or(0, |it| it.delivered),
        per_second: 0.0,
        dead_letters: 0,
        open_gaps: 0,
        open_replays: 0,
    })
}

/// How everything is doing that runs.
pub async fn all(app: &Arc<App>) -> Vec<(Route, StatusView)> {
    let routes: Vec<Route> = app.delivering.lines().keys().cloned().collect();
    let mut all = Vec::with_capacity(routes.len());
    for route in routes {
        match status(app, &route).await {
            Ok(status) => all.push((route, status)),
            Err(problem) => problem.log(),
        }
    }
    all
}

impl StatusView {
    /// Whether nobody needs to look.
    pub fn is_well(&self) -> bool {
        self.failing_since.is_none() && !matches!(self.state.as_str(), "gone" | "broken")
    }

    fn of(status: follow::Status) -> StatusView {
        let state = match status.state {
            State::Running => "running",
            State::Retrying => "retrying",
            State::Paused => "paused",
            State::Gone => "gone",
            State::Idle => "idle",
        };
        StatusView {
            state: state.to_owned(),
            broken: None,
            cursor: status.cursor,
            newest: status.newest,
            lag_events: status.lag_events,
            lag_ms: status.lag_ms,
            last_answer: status.last_answer,
            last_delivered_at: status.last_delivered_at,
            failing_since: status.failing_since,
            attempts: status.attempts,
            delivered: status.delivered,
            per_second: status.per_second,
            dead_letters: status.dead_letters,
            open_gaps: status.open_gaps,
            open_replays: status.open_replays,
        }
    }
}
