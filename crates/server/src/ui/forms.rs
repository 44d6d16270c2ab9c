//! Forms that pages send back.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use directory::DirectoryError;

use super::session::Viewer;
use crate::app::App;
use crate::body;
use crate::params::Given;
use crate::permit;
use crate::problem::Problem;

/// A form's body, in bytes, at most.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// Reads a form that must have come from one of our own pages.
pub(super) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Given, Problem> {
    permit::refuse_other_sites(headers)?;
    let bytes = body::read(app, headers, body, FORM_BYTES_MAX).await?;
    let text = str::from_utf8(&bytes).map_err(|_| Problem::bad_request("form", "The form is not UTF-8 text."))?;
    Ok(Given::parse(Some(text)))
}

/// Reads a form of somebody who is signed in: it must hold what her session's pages hold.
pub(super) async fn read_signed(app: &App, viewer: &Viewer, headers: &HeaderMap, body: Body) -> Result<Given, Problem> {
    let form = read(app, headers, body).await?;
    if viewer.signed_in.csrf.matches(form.first("csrf").unwrap_or_default()) {
        return Ok(form);
    }
    let detail = "This form does not belong to your session. Open the page again and send it from there.";
    Err(Problem::new(StatusCode::FORBIDDEN, "csrf", "Not allowed", detail))
}

/// What is wrong with what was typed, for the person who typed it; the error is everything else.
pub(super) fn fault(error: DirectoryError) -> Result<String, Problem> {
    match error {
        DirectoryError::Invalid { detail, .. } | DirectoryError::Conflict { detail, .. } => Ok(detail),
        other => Err(other.into()),
    }
}

/// What somebody is told who has to wait.
pub(super) fn wait(seconds: u32) -> String {
    match seconds.div_ceil(60) {
        1 => "Too many attempts. Try again in 1 minute.".to_owned(),
        minutes => format!("Too many attempts. Try again in {minutes} minutes."),
    }
}

/// Tells programs, too, how long to wait.
pub(super) fn with_wait(mut response: Response, seconds: u32) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
