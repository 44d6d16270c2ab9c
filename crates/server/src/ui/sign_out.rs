//! Signing out.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use directory::Secret;
use record::Outcome;

use super::page;
use super::session::Viewer;
use super::sign_in::{self, Passage};
use crate::app::{App, blocking};
use crate::permit;
use crate::problem::Problem;
use crate::request_id::RequestId;

/// Ends the session.
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = sign_in::form(&app, &headers, body).await?;
    if !viewer.signed_in.csrf.matches(form.first("csrf").unwrap_or_default()) {
        let detail = "This form does not belong to your session. Open the audit log and sign out from there.";
        let problem = Problem::new(StatusCode::FORBIDDEN, "csrf", "Not allowed", detail);
        return Ok(page::problem_for(&viewer, &request_id, problem));
    }
    if let Some(token) = permit::session_token(&app, &headers) {
        let shared = app.clone();
        blocking(move || shared.directory.end_session(&Secret::new(token))).await??;
    }
    let (caller, session) = (&viewer.caller, viewer.signed_in.session.id.as_str());
    let passage = Passage {
        action: "LOGOUT",
        outcome: Outcome::Success,
        actor: caller.actor(),
        from: &caller.from,
        request_id: &request_id,
        session: Some(session),
    };
    sign_in::record(&app, viewer.signed_in.user.org, passage).await;
    let mut response = Redirect::to("/sign-in?signed_out=1").into_response();
    sign_in::set_cookie(&app, &mut response, "", "; Max-Age=0")?;
    Ok(response)
}
