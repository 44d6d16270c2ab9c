//! `GET /v1/destinations/{destination_id}/status`: how delivery goes.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::api::events::json;
use crate::app::App;
use crate::delivering::known;
use crate::delivering::standing::{self, StatusView};
use crate::permit::Caller;
use crate::problem::Problem;

/// Tells how delivery to a destination goes: how far behind it is, what the receiver said last, what has not arrived.
#[utoipa::path(
    get, path = "/v1/destinations/{destination_id}/status", tag = "destinations", operation_id = "readDestinationStatus",
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 200, description = "How it goes", body = StatusView),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn read_status(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let route = known(&app, org, &super::id(&id)?).await?;
    json(&standing::status(&app, &route).await?)
}
