//! `POST /v1/invitations`: asks somebody to join.

use std::sync::Arc;

use access::{Act, Role};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use directory::NewInvitation;
use record::TeamId;
use serde::Deserialize;

use super::{InvitationWithLink, letter};
use crate::api::events::json;
use crate::app::App;
use crate::body_json;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};

/// Who is asked to join.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitationBody {
    /// Her address.
    email: String,
    /// What she is to be: owner, admin, auditor or member.
    #[schema(value_type = String)]
    role: Role,
    /// The team that she is to belong to.
    #[serde(default)]
    team: Option<String>,
}

/// Asks somebody to join. The answer holds the link once; it is mailed to her, too, if this server can send mail.
#[utoipa::path(
    post, path = "/v1/invitations", tag = "invitations", operation_id = "createInvitation",
    request_body = NewInvitationBody,
    responses(
        (status = 201, description = "She is invited", body = InvitationWithLink),
        (status = 403, description = "You may not, or not for this role", body = Problem),
        (status = 409, description = "She is a user, or invited already", body = Problem)),
)]
pub async fn create_invitation(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::ChangeDirectory)?;
    let new: NewInvitationBody = body_json::read(&app, &headers, body).await?;
    if new.role == Role::Owner {
        caller.permit(Act::ManageOrganization)?;
    }
    let bad_team = |_| {
        let detail = "is no id of a team".to_owned();
        Problem::invalid(vec![FieldError { pointer: Some("/team".to_owned()), parameter: None, detail }])
    };
    let team = new.team.as_deref().map(TeamId::new).transpose().map_err(bad_team)?;
    let compose = letter(&app, &caller);
    let (invitation, token) = change(&app, &caller, move |directory, by, now| {
        let new = NewInvitation { email: &new.email, role: new.role, team };
        directory.invite(by, scope.org(), new, compose, now)
    })
    .await?;
    app.mail_waits.notify_one();
    let mut response = json(&InvitationWithLink::of(&app, &invitation, &token))?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}
