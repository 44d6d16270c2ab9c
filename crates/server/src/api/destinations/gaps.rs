//! `GET /v1/destinations/{destination_id}/gaps`: what has not arrived though it should have.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::events::json;
use crate::app::App;
use crate::delivering::known;
use crate::permit::Caller;
use crate::problem::Problem;

/// Closed gaps that are shown, the newest.
const CLOSED_MAX: u32 = 200;

/// What has not arrived, and what had not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Gaps {
    /// What has not arrived, the oldest first: exact ranges of indexes. An outage is delivered by itself, a skip by a replay.
    #[schema(value_type = Vec<Object>)]
    gaps: Vec<follow::ledger::Gap>,
    /// What has arrived since, the newest first; 200 at most.
    #[schema(value_type = Vec<Object>)]
    closed: Vec<follow::ledger::Gap>,
}

/// Lists what has not arrived at a destination though it should have, exactly.
#[utoipa::path(
    get, path = "/v1/destinations/{destination_id}/gaps", tag = "destinations", operation_id = "listDestinationGaps",
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 200, description = "The gaps", body = Gaps),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn list_gaps(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (route, ledger) = (known(&app, org, &super::id(&id)?).await?, app.delivering.ledger());
    let gaps = ledger.gaps(&route, app.store.newest(org)).await?;
    json(&Gaps { gaps, closed: ledger.closed_gaps(&route, CLOSED_MAX).await? })
}
