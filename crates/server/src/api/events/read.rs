//! `GET /v1/events/{event_id}`: one event, whole.

use std::sync::Arc;

use access::Act;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use record::EventId;

use super::json;
use crate::app::App;
use crate::delivering::marks;
use crate::looks;
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::view::WholeEvent;

/// Shows one event.
#[utoipa::path(
    get, path = "/v1/events/{event_id}", tag = "events", operation_id = "readEvent",
    params(("event_id" = String, Path, description = "Acta's name for the event, a UUID")),
    responses(
        (status = 200, description = "The event", body = WholeEvent<'static>),
        (status = 404, description = "There is none, or none that you may see", body = Problem)),
)]
pub async fn read_event(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    Path(event_id): Path<String>,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::Read)?;
    let missing = || Problem::not_found(format!("There is no event {event_id} in this log, or none that you may see."));
    let id = EventId::parse(&event_id).map_err(|_| missing())?;
    let given = Given(vec![("event_id".to_owned(), event_id.clone())]);
    looks::note(&app, &caller, "api", &given, Some(request_id.as_str())).await;
    let entry = app.reading(move |app, _| app.store.get(&scope, id)).await??.ok_or_else(missing)?;
    let deliveries = match caller.permit(Act::ReadDirectory) {
        Ok(_) => marks::deliveries(&app, &entry).await?,
        Err(_) => Vec::new(),
    };
    json(&WholeEvent::of(&entry, deliveries))
}
