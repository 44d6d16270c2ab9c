//! `GET /v1/events/{event_id}/deliveries`: where an event has arrived, and when.

use std::sync::Arc;

use access::Act;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use record::EventId;
use serde::Serialize;
use utoipa::ToSchema;

use super::json;
use crate::app::App;
use crate::delivering::marks::{self, Delivery};
use crate::looks;
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::Problem;
use crate::request_id::RequestId;

/// Where an event has arrived.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deliveries {
    /// One for each destination that gets it.
    deliveries: Vec<Delivery>,
}

/// Lists where an event has arrived and when, and where it is still to arrive.
#[utoipa::path(
    get, path = "/v1/events/{event_id}/deliveries", tag = "events", operation_id = "listEventDeliveries",
    params(("event_id" = String, Path, description = "Acta's name for the event, a UUID")),
    responses(
        (status = 200, description = "Where it has arrived", body = Deliveries),
        (status = 404, description = "There is no such event, or none that you may see", body = Problem)),
)]
pub async fn list_deliveries(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    Path(event_id): Path<String>,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::Read)?;
    caller.permit(Act::ReadDirectory)?;
    let missing = || Problem::not_found(format!("There is no event {event_id} in this log, or none that you may see."));
    let id = EventId::parse(&event_id).map_err(|_| missing())?;
    let given = Given(vec![("event_id".to_owned(), event_id.clone())]);
    looks::note(&app, &caller, "api", &given, Some(request_id.as_str())).await;
    let entry = app.reading(move |app, _| app.store.get(&scope, id)).await??.ok_or_else(missing)?;
    json(&Deliveries { deliveries: marks::deliveries(&app, &entry).await? })
}
