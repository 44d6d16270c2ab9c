//! `GET /v1/events`: which events, newest first by the page, or in index order for pollers.

use std::sync::Arc;

use access::Act;
use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use record::Index;
use serde::Serialize;
use store::{Cursor, Page};
use utoipa::ToSchema;

use super::json;
use crate::app::App;
use crate::looks;
use crate::params::{self, Part};
use crate::permit::Caller;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::view::EventView;

/// A page of events, newest first, with the exact total.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage<'a> {
    /// The events.
    events: Vec<EventView<'a>>,
    /// Which page, from 1.
    page: u64,
    /// Events on a page.
    per_page: usize,
    /// How many pages there are; 1 if nothing matches.
    pages: u64,
    /// How many events match. Exact.
    total: u64,
}

/// Events in index order.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventSlice<'a> {
    /// The events.
    events: Vec<EventView<'a>>,
    /// What to ask for next, as `after` (or as `before`); events that come later are never skipped.
    #[schema(value_type = Option<i64>)]
    next: Option<i64>,
}

/// Lists events.
///
/// All filters can be combined. With `page`: newest first, with the exact total. With `after` or `before`: in index order,
/// which never skips and never repeats, for programs that follow the log.
#[utoipa::path(
    get, path = "/v1/events", tag = "events", operation_id = "listEvents",
    params(crate::api::openapi::FilterQuery, crate::api::openapi::PagingQuery),
    responses(
        (status = 200, description = "A page; or a slice, if after or before was given", body = EventPage<'static>),
        (status = 422, description = "A parameter is not valid", body = Problem)),
)]
pub async fn list_events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let wanted = params::list(query.as_deref(), app.config.page_sizes(), &[])?;
    let scope = caller.permit(Act::Read)?;
    looks::note(&app, &caller, "api", &wanted.given, Some(request_id.as_str())).await;
    app.reading(move |_, log| match wanted.part {
        Part::Page { page, per_page } => {
            let offset = (page - 1).saturating_mul(per_page as u64);
            let rows = log.query(&scope, &wanted.filter, Page { offset, limit: per_page })?;
            let pages = rows.total.div_ceil(per_page as u64).max(1);
            let events = rows.events.iter().map(EventView::of).collect();
            json(&EventPage { events, page, per_page, pages, total: rows.total })
        }
        Part::Slice { from, limit } => {
            let slice = log.slice(&scope, &wanted.filter, from, limit)?;
            let next = next(from, slice.next);
            json(&EventSlice { events: slice.events.iter().map(EventView::of).collect(), next })
        }
    })
    .await?
}

/// The cursor to go on with. Nothing there yet: the same cursor again.
fn next(from: Cursor, next: Option<Index>) -> Option<i64> {
    match (from, next) {
        // Before the first there is nothing.
        (Cursor::Before(_), Some(Index(0))) => None,
        (_, Some(index)) => i64::try_from(index.0).ok(),
        (Cursor::After(None), None) => Some(-1),
        (_, None) => None,
    }
}
