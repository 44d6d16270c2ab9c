//! `POST /v1/destinations/{destination_id}/pause` and `/resume`.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::DestinationView;
use crate::api::events::json;
use crate::app::App;
use crate::body_json;
use crate::delivering;
use crate::permit::Caller;
use crate::problem::Problem;

/// How delivery goes on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeDestination {
    /// Whether what was recorded during the pause is passed over. It stays listed as a gap until a replay delivers it.
    #[serde(default)]
    skip: bool,
}

/// Pauses a destination. Nothing is lost: what is recorded from now on waits, or can be passed over when it is resumed.
#[utoipa::path(
    post, path = "/v1/destinations/{destination_id}/pause", tag = "destinations", operation_id = "pauseDestination",
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 200, description = "The destination", body = DestinationView<'static>),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn pause_destination(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    let pause = crate::changing::change(&app, &caller, move |directory, by, now| {
        directory.pause_destination(by, org, &id, None, now)
    });
    let paused = pause.await?;
    delivering::reconcile(&app).await?;
    json(&DestinationView::of(&paused))
}

/// Resumes a destination: with what was recorded during the pause, or from now on.
#[utoipa::path(
    post, path = "/v1/destinations/{destination_id}/resume", tag = "destinations", operation_id = "resumeDestination",
    params(("destination_id" = String, Path, description = "The destination's id")),
    request_body = ResumeDestination,
    responses(
        (status = 200, description = "The destination", body = DestinationView<'static>),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It is not paused", body = Problem)),
)]
pub async fn resume_destination(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    let ResumeDestination { skip } = body_json::read_or_default(&app, &headers, body).await?;
    let resumed = delivering::resume(&app, &caller, org, id, skip).await?;
    json(&DestinationView::of(&resumed))
}
