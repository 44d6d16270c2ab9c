//! `POST /v1/users/{user_id}/disable`, `…/enable`, `…/archive`.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, State};
use axum::response::Response;
use directory::{UserId, UserStatus};

use super::UserView;
use crate::api::events::json;
use crate::api::listing::id;
use crate::app::App;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// Keeps a person from signing in, and ends her sessions.
#[utoipa::path(post, path = "/v1/users/{user_id}/disable", tag = "users", operation_id = "disableUser",
    params(("user_id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The person as she is now", body = UserView),
        (status = 403, description = "She is above you, or it is yourself", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "She is the last active owner, or archived", body = Problem)))]
pub async fn disable_user(app: State<Arc<App>>, caller: Caller, user: Path<String>) -> Result<Response, Problem> {
    set_status(app, caller, user, UserStatus::Disabled).await
}

/// Lets a person sign in again. Groups, roles and grants that archiving took away do not come back.
#[utoipa::path(post, path = "/v1/users/{user_id}/enable", tag = "users", operation_id = "enableUser",
    params(("user_id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The person as she is now", body = UserView),
        (status = 403, description = "She is above you", body = Problem),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn enable_user(app: State<Arc<App>>, caller: Caller, user: Path<String>) -> Result<Response, Problem> {
    set_status(app, caller, user, UserStatus::Active).await
}

/// Lets a person go: her sessions, groups, roles and grants end, and she is not listed unless asked for.
#[utoipa::path(post, path = "/v1/users/{user_id}/archive", tag = "users", operation_id = "archiveUser",
    params(("user_id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The person as she is now", body = UserView),
        (status = 403, description = "She is above you, or it is yourself", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "She is the last active owner", body = Problem)))]
pub async fn archive_user(app: State<Arc<App>>, caller: Caller, user: Path<String>) -> Result<Response, Problem> {
    set_status(app, caller, user, UserStatus::Archived).await
}

async fn set_status(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(user): Path<String>,
    status: UserStatus,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let user: UserId = id(&user, "user")?;
    let user = change(&app, &caller, move |directory, by, now| directory.set_user_status(by, org, &user, status, now));
    json(&UserView::of(&user.await?))
}
