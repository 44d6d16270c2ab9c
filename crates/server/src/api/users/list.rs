//! `GET /v1/users`.

use std::sync::Arc;

use access::Act;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use directory::UserFilter;
use utoipa::IntoParams;

use super::{UserPage, UserView};
use crate::api::listing::{parameter, parameters};
use crate::app::App;
use crate::changing::ask;
use crate::permit::Caller;
use crate::problem::Problem;

/// The parameters of the list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `parameters` reads")]
pub struct UserQuery {
    /// active, disabled or archived; all but archived ones unless given.
    status: Option<String>,
    /// owner, admin, auditor or member.
    role: Option<String>,
    /// The id of a group that they are in, directly or through others.
    group: Option<String>,
    /// Part of the name or e-mail address, without regard to case.
    q: Option<String>,
    /// The page, from 1.
    page: Option<u64>,
    /// People on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

/// Lists people by address.
#[utoipa::path(get, path = "/v1/users", tag = "users", operation_id = "listUsers", params(UserQuery),
    responses((status = 200, description = "People", body = UserPage)))]
pub async fn list_users(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (given, paging) = parameters(query.as_deref(), &["status", "role", "group", "q"])?;
    let filter = UserFilter {
        status: parameter(&given, "status")?,
        role: parameter(&given, "role")?,
        group: parameter(&given, "group")?,
        text: given.first("q").map(str::to_owned),
    };
    let listed = ask(&app, move |directory, _| directory.list_users(org, &filter, paging.part())).await?;
    paging.answer("users", &listed, UserView::of)
}
