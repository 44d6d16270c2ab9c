//! `POST /v1/invitations/{invitation_id}/resend`: a new link; the old one is dead.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{InvitationWithLink, id, letter, permit_role};
use crate::api::events::json;
use crate::app::App;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// Makes a new link for an invitation, and mails it if this server can send mail.
#[utoipa::path(
    post, path = "/v1/invitations/{invitation_id}/resend", tag = "invitations", operation_id = "resendInvitation",
    params(("invitation_id" = String, Path, description = "The invitation's id")),
    responses(
        (status = 200, description = "The invitation with its new link", body = InvitationWithLink),
        (status = 403, description = "It gives more than you hold", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It was redeemed or revoked", body = Problem)),
)]
pub async fn resend_invitation(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(invitation): Path<String>,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::ChangeDirectory)?;
    let invitation = id(&invitation)?;
    permit_role(&app, &caller, scope.org(), &invitation).await?;
    let compose = letter(&app, &caller);
    let resend = change(&app, &caller, move |directory, by, now| {
        directory.resend_invitation(by, scope.org(), &invitation, compose, now)
    });
    let (invitation, token) = resend.await?;
    app.mail_waits.notify_one();
    json(&InvitationWithLink::of(&app, &invitation, &token))
}
