//! `GET /v1/invitations`: everybody who was asked to join.

use std::sync::Arc;

use access::Act;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::InvitationView;
use crate::api::listing::Paging;
use crate::app::{App, blocking};
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::Problem;

/// Lists invitations, the last one first, without their links.
#[utoipa::path(
    get, path = "/v1/invitations", tag = "invitations", operation_id = "listInvitations",
    params(
        ("page" = Option<u64>, Query, description = "The page, from 1"),
        ("per_page" = Option<u64>, Query, description = "Invitations on a page; 50 unless given, at most 1,000")),
    responses((status = 200, description = "The invitations", body = [InvitationView])),
)]
pub async fn list_invitations(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::ReadDirectory)?;
    let paging = Paging::read(&Given::parse(query.as_deref()))?;
    let (shared, now) = (app.clone(), app.now());
    let listed = blocking(move || shared.directory.invitations(scope.org(), paging.part())).await??;
    paging.answer("invitations", &listed, |invitation| InvitationView::of(invitation, now))
}
