//! `PATCH` and `DELETE /v1/destinations/{destination_id}`.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::DestinationChange;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{DestinationView, FilterView};
use crate::api::events::json;
use crate::api::listing::gone;
use crate::app::App;
use crate::body_json;
use crate::changing::{ask, change};
use crate::delivering::{self, wishes};
use crate::permit::Caller;
use crate::problem::Problem;

/// What is to be changed of a destination. What is absent stays; type and team stay for good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeDestination {
    /// What it is called.
    name: Option<String>,
    /// Its settings. A secret that is absent, or `********`, stays; everything else is as given.
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// The format of the events.
    format: Option<String>,
    /// Which events are wanted, all parts of it.
    #[schema(value_type = Option<FilterView>)]
    filter: Option<Value>,
    /// Members that it does not get, all of them.
    hide: Option<Vec<String>>,
}

/// Changes a destination; it holds from the next batch on.
#[utoipa::path(
    patch, path = "/v1/destinations/{destination_id}", tag = "destinations", operation_id = "updateDestination",
    params(("destination_id" = String, Path, description = "The destination's id")),
    request_body = ChangeDestination,
    responses(
        (status = 200, description = "The destination", body = DestinationView<'static>),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "There is another of that name", body = Problem),
        (status = 422, description = "Not valid; `errors` names the members", body = Problem)),
)]
pub async fn update_destination(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    let ChangeDestination { name, settings, format, filter, hide } = body_json::read(&app, &headers, body).await?;
    let wanted = id.clone();
    let old = ask(&app, move |directory, _| {
        let old = directory.destination(org, &wanted)?;
        Ok((directory.destination_settings(org, &wanted)?, old))
    });
    let (whole, old) = old.await?;
    let merged = settings.as_ref().map(|new| wishes::merged(&old.kind, whole.as_ref(), new));
    let (new_format, new_filter) = (format.as_deref().unwrap_or(&old.format), filter.as_ref().unwrap_or(&old.wanted));
    let new_hide = hide.as_ref().unwrap_or(&old.hide);
    let wishes = wishes::read(&app, &old.kind, merged.as_ref(), Some(new_format), Some(new_filter), new_hide)?;
    let wanted = DestinationChange {
        name,
        settings: wishes.settings,
        format: format.map(|_| wishes.format),
        wanted: filter.map(|_| wishes.wanted),
        hide,
    };
    let update = change(&app, &caller, move |directory, by, now| directory.update_destination(by, org, &id, wanted, now));
    let changed = update.await?;
    delivering::reconcile(&app).await?;
    json(&DestinationView::of(&changed))
}

/// Deletes a destination. What has not arrived there by now never will.
#[utoipa::path(
    delete, path = "/v1/destinations/{destination_id}", tag = "destinations", operation_id = "deleteDestination",
    params(("destination_id" = String, Path, description = "The destination's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn delete_destination(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    change(&app, &caller, move |directory, by, now| directory.delete_destination(by, org, &id, now)).await?;
    delivering::reconcile(&app).await?;
    Ok(gone())
}
