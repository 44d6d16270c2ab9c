//! `POST /v1/users`: adds somebody at once, without an invitation.

use std::sync::Arc;

use access::{Act, Role};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{NewUser, Secret};
use serde::Deserialize;
use utoipa::ToSchema;

use super::UserView;
use crate::api::listing::created;
use crate::app::App;
use crate::body_json;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// Somebody to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUserBody {
    /// Her e-mail address.
    email: String,
    /// Her name.
    name: String,
    /// Her standing: owner, admin, auditor or member.
    #[schema(value_type = String)]
    role: Role,
    /// Her password. Without one she cannot sign in with a password until one is set.
    password: Option<String>,
}

impl std::fmt::Debug for NewUserBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUserBody").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Adds a person. Nobody adds one whose standing is above her own.
#[utoipa::path(post, path = "/v1/users", tag = "users", operation_id = "createUser", request_body = NewUserBody,
    responses(
        (status = 201, description = "The person", body = UserView),
        (status = 403, description = "Her standing would be above yours", body = Problem),
        (status = 409, description = "The address is taken, or looks like one that is", body = Problem),
        (status = 422, description = "The address, the name or the password cannot be used", body = Problem)))]
pub async fn create_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let new: NewUserBody = body_json::read(&app, &headers, body).await?;
    if new.role == Role::Owner {
        caller.permit(Act::ManageOrganization)?;
        caller.confirmed(app.now())?;
    }
    let user = change(&app, &caller, move |directory, by, now| {
        let password = new.password.map(Secret::new);
        let new = NewUser { email: &new.email, name: &new.name, role: new.role, password: password.as_ref() };
        directory.create_user(by, org, new, now)
    });
    created(&UserView::of(&user.await?))
}
