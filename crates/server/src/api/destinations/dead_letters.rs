//! `/v1/destinations/{destination_id}/dead-letters`: what a receiver refused, or could not be told.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::DestinationDeed;
use follow::ledger::{DeadLetter, DeadLetterId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::events::json;
use crate::api::listing::parameter;
use crate::app::App;
use crate::body_json;
use crate::delivering::{known, route};
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};

/// On a page, unless said otherwise, and at most.
const SHOWN: u32 = 100;
const SHOWN_MAX: u32 = 1_000;
/// Named in an event, at most.
const NAMED_MAX: usize = 1_000;

/// A page of what a receiver refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetterPage {
    /// In the order in which they were found. `excerpt`, the beginning of what was sent, is there for whoever may read the log.
    #[schema(value_type = Vec<Object>)]
    dead_letters: Vec<DeadLetter>,
    /// For the next page: the `after` that it begins behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// Which dead letters.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhichDeadLetters {
    /// By number.
    ids: Option<Vec<i64>>,
    /// All of them.
    #[serde(default)]
    all: bool,
}

/// How many dead letters it was.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLettersDone {
    /// How many.
    count: usize,
    /// The replay that sends them again.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<i64>,
}

impl WhichDeadLetters {
    fn ids(self) -> Result<Option<Vec<DeadLetterId>>, Problem> {
        match (self.ids, self.all) {
            (None, true) => Ok(None),
            (Some(ids), false) => Ok(Some(ids.into_iter().map(DeadLetterId).collect())),
            _ => {
                let detail = "or `all` says which: one of them, and not both".to_owned();
                Err(Problem::invalid(vec![FieldError { pointer: Some("/ids".to_owned()), parameter: None, detail }]))
            }
        }
    }
}

/// Lists what the receiver refused, or what could not be told to it. None of it holds up what comes after.
#[utoipa::path(
    get, path = "/v1/destinations/{destination_id}/dead-letters", tag = "destinations", operation_id = "listDeadLetters",
    params(
        ("destination_id" = String, Path, description = "The destination's id"),
        ("after" = Option<i64>, Query, description = "Those after this number"),
        ("limit" = Option<u32>, Query, description = "So many; 100 unless given, at most 1,000")),
    responses(
        (status = 200, description = "The dead letters", body = DeadLetterPage),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn list_dead_letters(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let id = super::id(&id)?;
    let given = Given::parse(query.as_deref());
    let after: Option<i64> = parameter(&given, "after")?;
    let limit = parameter(&given, "limit")?.unwrap_or(SHOWN).clamp(1, SHOWN_MAX);
    let (route, ledger) = (known(&app, org, &id).await?, app.delivering.ledger());
    let mut dead_letters = ledger.dead_letters(&route, after.map(DeadLetterId), limit).await?;
    if !caller.permit(Act::Read).is_ok_and(|scope| scope.is_whole()) {
        // What was sent is a part of the log.
        dead_letters.iter_mut().for_each(|letter| letter.excerpt.clear());
    }
    let next = dead_letters.last().map(|letter| letter.id.0).filter(|_| dead_letters.len() == limit as usize);
    json(&DeadLetterPage { dead_letters, next })
}

/// Sends dead letters again, by a replay. One goes off the list when it has arrived.
#[utoipa::path(
    post, path = "/v1/destinations/{destination_id}/dead-letters/retry", tag = "destinations",
    operation_id = "retryDeadLetters", request_body = WhichDeadLetters,
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 200, description = "How many", body = DeadLettersDone),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn retry_dead_letters(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    let which = body_json::read::<WhichDeadLetters>(&app, &headers, body).await?.ids()?;
    let (ledger, route) = (app.delivering.ledger(), route(&id, org));
    let count = chosen(&app, &id, org, which.as_deref()).await?.len();
    super::tell(&app, &caller, org, id, DestinationDeed::RetryDeadLetters { count: count as u64 }).await?;
    if count == 0 {
        return json(&DeadLettersDone { count, replay: None });
    }
    let replay = ledger.retry_dead_letters(&route, which, app.now()).await?;
    json(&DeadLettersDone { count, replay: Some(replay.id.0) })
}

/// Gives dead letters up: they are not sent any more. The event that tells of it names them.
#[utoipa::path(
    post, path = "/v1/destinations/{destination_id}/dead-letters/discard", tag = "destinations",
    operation_id = "discardDeadLetters", request_body = WhichDeadLetters,
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 200, description = "How many", body = DeadLettersDone),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn discard_dead_letters(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    let which = body_json::read::<WhichDeadLetters>(&app, &headers, body).await?.ids()?;
    // Those that are there now, by number: what dies in this moment is not given up unseen.
    let chosen = chosen(&app, &id, org, which.as_deref()).await?;
    let indexes = chosen.iter().map(|letter| letter.index.0).take(NAMED_MAX).collect();
    let (ledger, route) = (app.delivering.ledger(), route(&id, org));
    super::tell(&app, &caller, org, id, DestinationDeed::DiscardDeadLetters { count: chosen.len() as u64, indexes }).await?;
    let ids = chosen.into_iter().map(|letter| letter.id).collect();
    let count = ledger.discard_dead_letters(&route, Some(ids)).await?;
    json(&DeadLettersDone { count, replay: None })
}

/// The dead letters that are meant. One that is not there is not found.
async fn chosen(
    app: &Arc<App>,
    id: &directory::DestinationId,
    org: record::OrgId,
    which: Option<&[DeadLetterId]>,
) -> Result<Vec<DeadLetter>, Problem> {
    let (route, ledger) = (known(app, org, id).await?, app.delivering.ledger());
    let mut found = Vec::new();
    match which {
        Some(ids) => {
            for id in ids {
                found.push(ledger.dead_letter(&route, *id).await?);
            }
        }
        None => loop {
            let more = ledger.dead_letters(&route, found.last().map(|letter: &DeadLetter| letter.id), SHOWN_MAX).await?;
            let is_last = more.len() < SHOWN_MAX as usize;
            found.extend(more);
            if is_last {
                break;
            }
        },
    }
    Ok(found)
}
