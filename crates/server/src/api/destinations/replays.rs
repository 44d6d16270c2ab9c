//! `/v1/destinations/{destination_id}/replays`: past events, sent again beside the live course.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::DestinationDeed;
use follow::ledger::{Replay, ReplayId};
use record::{Index, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::events::json;
use crate::api::listing::{created, gone};
use crate::app::App;
use crate::body_json;
use crate::delivering::{known, range};
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};

/// Replays that are shown, the newest.
const SHOWN_MAX: u32 = 200;

/// What is to be sent again: by index or by time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReplay {
    /// The first index.
    from: Option<u64>,
    /// The last index; the newest unless given.
    to: Option<u64>,
    /// What was recorded then or later: RFC 3339.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// What was recorded then or earlier; until now unless given.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Replays.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replays {
    /// The newest first; 200 at most.
    #[schema(value_type = Vec<Object>)]
    replays: Vec<Replay>,
}

impl NewReplay {
    /// The indexes that are meant.
    async fn range(&self, app: &Arc<App>, org: record::OrgId) -> Result<(Index, Index), Problem> {
        let wrong = |member: &str, detail: &str| {
            let pointer = Some(format!("/{member}"));
            Problem::invalid(vec![FieldError { pointer, parameter: None, detail: detail.to_owned() }])
        };
        let Some(newest) = app.store.newest(org) else { return Err(wrong("from", "names nothing: the log is empty")) };
        match (self.from, self.since) {
            (Some(_), Some(_)) => Err(wrong("since", "and /from cannot be given together")),
            (Some(from), None) => {
                if self.until.is_some() {
                    return Err(wrong("until", "goes with /since, not with /from"));
                }
                let to = self.to.map_or(newest, |to| Index(to).min(newest));
                if Index(from) > to {
                    return Err(wrong("from", "is after the last index"));
                }
                Ok((Index(from), to))
            }
            (None, Some(since)) => {
                if self.to.is_some() {
                    return Err(wrong("to", "goes with /from, not with /since"));
                }
                let found = range::recorded(app, org, since, self.until.unwrap_or_else(|| app.now())).await?;
                found.ok_or_else(|| wrong("since", "and /until hold nothing that was recorded"))
            }
            (None, None) => Err(wrong("from", "or /since says where to begin")),
        }
    }
}

/// Lists replays.
#[utoipa::path(
    get, path = "/v1/destinations/{destination_id}/replays", tag = "destinations", operation_id = "listReplays",
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 200, description = "The replays", body = Replays),
        (status = 404, description = "There is no such destination", body = Problem)),
)]
pub async fn list_replays(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let route = known(&app, org, &super::id(&id)?).await?;
    json(&Replays { replays: app.delivering.ledger().replays(&route, SHOWN_MAX).await? })
}

/// Sends past events again, as far as the destination wants them; the live course goes on. It survives restarts.
#[utoipa::path(
    post, path = "/v1/destinations/{destination_id}/replays", tag = "destinations", operation_id = "createReplay",
    params(("destination_id" = String, Path, description = "The destination's id")),
    request_body = NewReplay,
    responses(
        (status = 201, description = "The replay", body = Object),
        (status = 404, description = "There is no such destination", body = Problem),
        (status = 422, description = "Not valid; `errors` names the members", body = Problem)),
)]
pub async fn create_replay(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    let new: NewReplay = body_json::read(&app, &headers, body).await?;
    let (from, to) = new.range(&app, org).await?;
    let (route, ledger) = (known(&app, org, &id).await?, app.delivering.ledger());
    super::tell(&app, &caller, org, id, DestinationDeed::Replay { from: from.0, to: to.0 }).await?;
    created(&ledger.start_replay(&route, from, to, app.now()).await?)
}

/// Cancels a replay. What it has sent stays sent.
#[utoipa::path(
    delete, path = "/v1/destinations/{destination_id}/replays/{replay_id}", tag = "destinations", operation_id = "cancelReplay",
    params(
        ("destination_id" = String, Path, description = "The destination's id"),
        ("replay_id" = i64, Path, description = "The replay's number")),
    responses(
        (status = 204, description = "It is cancelled"),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It has ended", body = Problem)),
)]
pub async fn cancel_replay(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, replay)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    let missing = || Problem::not_found(format!("There is no replay {replay} here."));
    let replay = ReplayId(replay.parse().map_err(|_| missing())?);
    let (route, ledger) = (known(&app, org, &id).await?, app.delivering.ledger());
    ledger.replay(&route, replay).await?;
    super::tell(&app, &caller, org, id, DestinationDeed::CancelReplay { replay: replay.0.unsigned_abs() }).await?;
    ledger.cancel_replay(&route, replay, app.now()).await?;
    Ok(gone())
}
