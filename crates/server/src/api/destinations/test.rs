//! `POST /v1/destinations/{destination_id}/test`: an event that tells of the test, sent at once.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, State};
use axum::response::Response;
use record::EventId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::events::json;
use crate::app::App;
use crate::delivering::testing;
use crate::permit::Caller;
use crate::problem::Problem;

/// How the test ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestedDestination {
    /// Whether the receiver took the event.
    delivered: bool,
    /// What the receiver said, in its own words; or why it could not be asked.
    answer: String,
    /// How long that took, in milliseconds.
    took_ms: u64,
    /// The event that was sent.
    #[schema(value_type = String, format = "uuid")]
    event_id: EventId,
}

/// Records an event that tells of this test, and sends that very event to the destination: whatever its filter says, whether
/// it is paused or not. It may arrive a second time in its turn, as the same event.
#[utoipa::path(
    post, path = "/v1/destinations/{destination_id}/test", tag = "destinations", operation_id = "testDestination",
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 200, description = "What the receiver said", body = TestedDestination),
        (status = 404, description = "There is none", body = Problem),
        (status = 429, description = "Too many tests", body = Problem)),
)]
pub async fn test_destination(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let tested = testing::test(&app, &caller, org, super::id(&id)?).await?;
    json(&TestedDestination {
        delivered: tested.delivered,
        answer: tested.answer,
        took_ms: tested.took_ms,
        event_id: tested.event_id,
    })
}
