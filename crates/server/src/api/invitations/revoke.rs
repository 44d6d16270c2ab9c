//! `DELETE /v1/invitations/{id}`: takes an invitation back.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{InvitationView, id, permit_role};
use crate::api::events::json;
use crate::app::App;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// Takes an invitation back: its link is dead.
#[utoipa::path(
    delete, path = "/v1/invitations/{id}", tag = "invitations", operation_id = "revokeInvitation",
    params(("id" = String, Path, description = "The invitation's id")),
    responses(
        (status = 200, description = "The invitation as it stands now", body = InvitationView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It was redeemed", body = Problem)),
)]
pub async fn revoke_invitation(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(invitation): Path<String>,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::ChangeDirectory)?;
    let invitation = id(&invitation)?;
    permit_role(&app, &caller, scope.org(), &invitation).await?;
    let revoked =
        change(&app, &caller, move |directory, by, now| directory.revoke_invitation(by, scope.org(), &invitation, now));
    json(&InvitationView::of(&revoked.await?, app.now()))
}
