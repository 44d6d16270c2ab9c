//! `GET /v1/users/{user_id}`: one person with what she holds, and the groups that she is in.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use directory::{Listed, Principal, UserId};

use super::{MembershipPage, MembershipView, UserView, WholeUser};
use crate::api::events::json;
use crate::api::listing::{PageQuery, id, parameters};
use crate::api::role_assignments::HeldView;
use crate::app::App;
use crate::changing::ask;
use crate::permit::Caller;
use crate::problem::Problem;

/// Shows one person, with the roles that she holds.
#[utoipa::path(get, path = "/v1/users/{user_id}", tag = "users", operation_id = "readUser",
    params(("user_id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The person", body = WholeUser),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_user(State(app): State<Arc<App>>, caller: Caller, Path(user): Path<String>) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let user: UserId = id(&user, "user")?;
    let (user, held) = ask(&app, move |directory, now| {
        let found = directory.user(org, &user)?;
        Ok((found, directory.held_by(org, &user, now)?))
    })
    .await?;
    json(&WholeUser { user: UserView::of(&user), roles: held.iter().map(HeldView::of).collect() })
}

/// Lists the groups that she is in, directly and through others.
#[utoipa::path(get, path = "/v1/users/{user_id}/groups", tag = "users", operation_id = "listUserGroups",
    params(("user_id" = String, Path, description = "The user's id"), PageQuery),
    responses(
        (status = 200, description = "Groups, the nearest first", body = MembershipPage),
        (status = 404, description = "There is no such user", body = Problem)))]
pub async fn list_user_groups(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(user): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let user: UserId = id(&user, "user")?;
    let (_, paging) = parameters(query.as_deref(), &[])?;
    let all = ask(&app, move |directory, _| directory.memberships(org, &Principal::User(user))).await?;
    let listed: Listed<_> = paging.part().of(all);
    paging.answer("groups", &listed, MembershipView::of)
}
