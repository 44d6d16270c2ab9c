//! `DELETE /v1/users/{id}/second-factor`: for whoever has lost her app and her recovery codes.

use std::sync::Arc;

use access::{Act, Role};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use directory::UserId;

use crate::app::{App, blocking};
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// Switches a user's second factor off. Only owners do so for an owner.
#[utoipa::path(
    delete, path = "/v1/users/{id}/second-factor", tag = "users", operation_id = "resetSecondFactor",
    params(("id" = String, Path, description = "The user's id")),
    responses(
        (status = 204, description = "She has none now"),
        (status = 403, description = "You may not, or have to confirm that it is you", body = Problem),
        (status = 404, description = "There is no such user", body = Problem)),
)]
pub async fn reset_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(user): Path<String>,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::ChangeDirectory)?;
    let id = UserId::parse(&user).map_err(|_| Problem::not_found(format!("There is no user {user}.")))?;
    let (shared, one) = (app.clone(), id.clone());
    let user = blocking(move || shared.directory.user(scope.org(), &one)).await??;
    if user.role == Role::Owner {
        caller.permit(Act::ManageOrganization)?;
    }
    caller.confirmed(app.now())?;
    change(&app, &caller, move |directory, by, now| directory.disable_second_factor(by, user.org, &id, now)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
