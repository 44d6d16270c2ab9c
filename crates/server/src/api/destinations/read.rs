//! `GET /v1/destinations`, `/v1/destinations/{destination_id}` and `/v1/destination-types`.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use directory::Listed;
use serde::Serialize;
use utoipa::ToSchema;

use super::DestinationView;
use crate::api::events::json;
use crate::api::listing::{PageQuery, page_of, parameters};
use crate::app::App;
use crate::changing::ask;
use crate::permit::Caller;
use crate::problem::Problem;

page_of! {
    /// Destinations.
    DestinationPage, destinations: DestinationView<'static>
}

/// What a destination can be.
#[derive(Debug, Serialize, ToSchema)]
pub struct DestinationTypes {
    /// Types of receivers, each with an example of its settings and the members that are secret.
    #[schema(value_type = Vec<Object>)]
    types: Vec<deliver::settings::Kind>,
    /// Formats of events.
    formats: Vec<&'static str>,
}

/// Lists the destinations, by name.
#[utoipa::path(get, path = "/v1/destinations", tag = "destinations", operation_id = "listDestinations", params(PageQuery),
    responses((status = 200, description = "The destinations", body = DestinationPage)))]
pub async fn list_destinations(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (_, paging) = parameters(query.as_deref(), &[])?;
    let all = ask(&app, move |directory, _| directory.destinations(org)).await?;
    let listed = paging.part().of(all);
    let views: Vec<DestinationView<'_>> = listed.items.iter().map(DestinationView::of).collect();
    let listed = Listed { items: views, total: listed.total };
    paging.answer("destinations", &listed, |view| serde_json::to_value(view).unwrap_or_default())
}

/// Shows a destination. Secrets are never shown.
#[utoipa::path(
    get, path = "/v1/destinations/{destination_id}", tag = "destinations", operation_id = "readDestination",
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 200, description = "The destination", body = DestinationView<'static>),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn read_destination(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let id = super::id(&id)?;
    let found = ask(&app, move |directory, _| directory.destination(org, &id)).await?;
    json(&DestinationView::of(&found))
}

/// Lists what a destination can be.
#[utoipa::path(get, path = "/v1/destination-types", tag = "destinations", operation_id = "listDestinationTypes",
    responses((status = 200, description = "Types and formats", body = DestinationTypes)))]
pub async fn list_destination_types(caller: Caller) -> Result<Response, Problem> {
    caller.permit(Act::ReadDirectory)?;
    let formats = follow::format::Format::ALL.iter().map(|format| format.as_str()).collect();
    json(&DestinationTypes { types: deliver::settings::Settings::kinds(), formats })
}
