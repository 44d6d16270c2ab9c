//! `PATCH` and `DELETE /v1/users/{user_id}`.

use std::sync::Arc;

use access::{Act, Role};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::UserId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::UserView;
use crate::api::events::json;
use crate::api::listing::{gone, id};
use crate::app::App;
use crate::body_json;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// What is to be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// Her name.
    name: Option<String>,
    /// Her standing: owner, admin, auditor or member.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
}

/// Changes a person's name or standing. Nobody changes her own standing, or gives one above her own.
#[utoipa::path(patch, path = "/v1/users/{user_id}", tag = "users", operation_id = "updateUser", request_body = UserPatch,
    params(("user_id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The person as she is now", body = UserView),
        (status = 403, description = "She or the standing is above you, or it is yourself", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "She is the last active owner", body = Problem)))]
pub async fn update_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(user): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let user: UserId = id(&user, "user")?;
    let patch: UserPatch = body_json::read(&app, &headers, body).await?;
    if patch.role == Some(Role::Owner) {
        caller.permit(Act::ManageOrganization)?;
        caller.confirmed(app.now())?;
    }
    let changed = change(&app, &caller, move |directory, by, now| {
        directory.update_user(by, org, &user, patch.name.as_deref(), patch.role, now)
    });
    json(&UserView::of(&changed.await?))
}

/// Deletes an archived person: what let her sign in is gone, and the log names her by her id.
#[utoipa::path(delete, path = "/v1/users/{user_id}", tag = "users", operation_id = "deleteUser",
    params(("user_id" = String, Path, description = "The user's id")),
    responses(
        (status = 204, description = "She is gone"),
        (status = 403, description = "She is above you, or it is yourself", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "She is not archived", body = Problem)))]
pub async fn delete_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(user): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let user: UserId = id(&user, "user")?;
    change(&app, &caller, move |directory, by, now| directory.delete_user(by, org, &user, now)).await?;
    Ok(gone())
}
