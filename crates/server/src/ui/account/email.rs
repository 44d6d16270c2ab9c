//! Asking for another address.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::{App, blocking};
use crate::letters;
use crate::problem::Problem;
use crate::record_own;
use crate::ui::session::Viewer;
use crate::ui::{forms, links};

/// Mails a link to the new address, and a notice to the old one.
pub(in crate::ui) async fn change_email(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read_signed(&app, &viewer, &headers, body).await?;
    if let Err(response) = viewer.confirmed(app.now(), links::ACCOUNT) {
        return Ok(response);
    }
    let typed = form.first("email").unwrap_or_default().trim();
    let wrong =
        async |what: String| super::show(&app, &viewer, StatusCode::UNPROCESSABLE_ENTITY, Some((typed, what)), None).await;
    if app.mailer.is_none() {
        return wrong("This server cannot send mail, so the new address cannot be confirmed.".to_owned()).await;
    }
    let (shared, address, ip, now) = (app.clone(), typed.to_owned(), viewer.caller.from.address(), app.now());
    if let Err(refused) = blocking(move || shared.directory.admit_mail(&address, ip, now)).await?? {
        return wrong(forms::wait(refused.retry_after_s)).await;
    }
    let (by, user, email, organization) =
        (viewer.by(), viewer.signed_in.user.clone(), typed.to_owned(), viewer.signed_in.organization.name.clone());
    let shared = app.clone();
    let asked = blocking(move || {
        let compose = |user: &_, token: &_| letters::email_change(&shared.config, user, &email, &organization, token);
        shared.directory.request_email_change(&by, user.org, &user.id, &email, compose, now)
    });
    if let Err(error) = asked.await? {
        return wrong(forms::fault(error)?).await;
    }
    record_own::drain_outbox_or_log(&app).await;
    app.mail_waits.notify_one();
    Ok(Redirect::to("/account?done=email").into_response())
}
