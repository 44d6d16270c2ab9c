//! Signing out.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use directory::Secret;

use super::session::LimitedViewer;
use super::{forms, sign_in};
use crate::app::App;
use crate::changing::change_always;
use crate::permit;
use crate::problem::Problem;

/// Ends the session.
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    LimitedViewer(viewer): LimitedViewer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    forms::read_signed(&app, &viewer, &headers, body).await?;
    if let Some(token) = permit::session_token(&app, &headers) {
        let (by, token, now) = (viewer.by(), Secret::new(token), app.now());
        change_always(&app, move |app| app.directory.end_session(&by, &token, now)).await?;
    }
    let mut response = Redirect::to("/sign-in?signed_out=1").into_response();
    sign_in::set_cookie(&app, &mut response, "", "; Max-Age=0")?;
    Ok(response)
}
