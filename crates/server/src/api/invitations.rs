//! `/v1/invitations`: who is asked to join.

pub mod create;
pub mod list;
pub mod resend;
pub mod revoke;

use std::sync::Arc;

use directory::{Invitation, InvitationId, Letter, Secret};
use record::Timestamp;
use serde::Serialize;

use crate::app::App;
use crate::letters;
use crate::permit::Caller;
use crate::problem::Problem;

/// An invitation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InvitationView {
    /// Its id.
    id: String,
    /// Her address.
    email: String,
    /// What she is to be: owner, admin, auditor or member.
    role: &'static str,
    /// The team that she is to belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// How it stands: pending, redeemed, revoked or expired.
    state: &'static str,
    /// Who asked: the id of a user or a key.
    invited_by: String,
    /// When she was asked first.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the link that is good was made.
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// As whom she came.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// An invitation with its link, which is shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InvitationWithLink {
    /// The invitation.
    #[serde(flatten)]
    invitation: InvitationView,
    /// Where she accepts it. Whoever has this address can.
    link: String,
    /// Whether it is on its way to her by mail, too.
    mailed: bool,
}

impl InvitationView {
    fn of(invitation: &Invitation, now: Timestamp) -> InvitationView {
        InvitationView {
            id: invitation.id.to_string(),
            email: invitation.email.clone(),
            role: invitation.role.as_str(),
            team: invitation.team.as_ref().map(|team| team.as_str().to_owned()),
            state: invitation.state(now),
            invited_by: invitation.invited_by.clone(),
            created_at: invitation.created_at,
            sent_at: invitation.sent_at,
            expires_at: invitation.expires_at,
            user: invitation.user.as_ref().map(ToString::to_string),
        }
    }
}

impl InvitationWithLink {
    fn of(app: &App, invitation: &Invitation, token: &Secret) -> InvitationWithLink {
        InvitationWithLink {
            invitation: InvitationView::of(invitation, app.now()),
            link: letters::invitation_link(&app.config, token),
            mailed: app.mailer.is_some(),
        }
    }
}

/// The mail that brings the link to her, if mail can be sent.
fn letter(app: &App, caller: &Caller) -> impl FnOnce(&Invitation, &str, &Secret) -> Option<Letter> + use<> {
    let (config, can_mail) = (app.config.clone(), app.mailer.is_some());
    let inviter = caller.actor().name;
    move |invitation, organization, token| {
        can_mail.then(|| letters::invitation(&config, invitation, organization, inviter.as_deref(), token))
    }
}

fn id(text: &str) -> Result<InvitationId, Problem> {
    InvitationId::parse(text).map_err(|_| Problem::not_found(format!("There is no invitation {text}.")))
}

/// Only owners ask somebody to be an owner, or to be one again.
async fn permit_role(app: &Arc<App>, caller: &Caller, org: record::OrgId, invitation: &InvitationId) -> Result<(), Problem> {
    let (shared, invitation) = (app.clone(), invitation.clone());
    let found = crate::app::blocking(move || shared.directory.invitation(org, &invitation)).await??;
    if found.role == access::Role::Owner {
        caller.permit(access::Act::ManageOrganization)?;
    }
    Ok(())
}
