//! Changing one's own password.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use directory::Secret;

use crate::app::{App, blocking};
use crate::problem::Problem;
use crate::record_own;
use crate::ui::session::Viewer;
use crate::ui::sign_in::{self, Desk};
use crate::ui::{forms, links, page};

#[derive(Debug, Template)]
#[template(path = "account_password.html")]
struct PasswordPage<'a> {
    account: Option<page::Account>,
    email: &'a str,
    has_password: bool,
    csrf: &'a str,
    /// Which field is at fault, and why.
    wrong: Option<(&'static str, String)>,
}

/// Shows the form.
pub(in crate::ui) async fn show_form(State(app): State<Arc<App>>, viewer: Viewer) -> Result<Response, Problem> {
    show(&app, &viewer, StatusCode::OK, None).await
}

async fn show(
    app: &Arc<App>,
    viewer: &Viewer,
    status: StatusCode,
    wrong: Option<(&'static str, String)>,
) -> Result<Response, Problem> {
    let (shared, user) = (app.clone(), viewer.signed_in.user.id.clone());
    let has_password = blocking(move || shared.directory.has_password(&user)).await??;
    // Whoever has no password to show must have shown something else a moment ago.
    if !has_password && let Err(response) = viewer.confirmed(app.now(), "/account/password") {
        return Ok(response);
    }
    let (account, email) = (Some(page::Account::of(viewer)), &viewer.signed_in.user.email);
    let csrf = viewer.signed_in.csrf.expose();
    Ok(page::html(status, &PasswordPage { account, email, has_password, csrf, wrong }))
}

/// Changes it.
pub(in crate::ui) async fn change_password(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    viewer: Viewer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read_signed(&app, &viewer, &headers, body).await?;
    let text = |name| Secret::new(form.first(name).unwrap_or_default());
    let (old, new) = (text("old"), text("new"));
    let (shared, user) = (app.clone(), viewer.signed_in.user.id.clone());
    if !blocking(move || shared.directory.has_password(&user)).await??
        && let Err(response) = viewer.confirmed(app.now(), "/account/password")
    {
        return Ok(response);
    }
    let (email, from) = (&viewer.signed_in.user.email, &viewer.caller.from);
    if let Some(seconds) = sign_in::admit(&app, email, from).await? {
        let wrong = Some(("old", forms::wait(seconds)));
        return Ok(forms::with_wait(show(&app, &viewer, StatusCode::TOO_MANY_REQUESTS, wrong).await?, seconds));
    }
    let (by, session, now) = (viewer.by(), viewer.signed_in.session.clone(), app.now());
    let change = move |app: &App| app.directory.change_own_password(&by, &session, &old, &new, now);
    let wrong = match desk.hashing(&app, change).await? {
        Ok(true) => {
            sign_in::forget_attempts(&app, email, from).await?;
            record_own::drain_outbox_or_log(&app).await;
            return Ok(Redirect::to(&format!("{}?done=password", links::ACCOUNT)).into_response());
        }
        Ok(false) => {
            sign_in::record_confirmation(&app, &viewer.caller).await;
            ("old", "This is not your password.".to_owned())
        }
        Err(error) => {
            // The old one was right.
            sign_in::forget_attempts(&app, email, from).await?;
            ("new", forms::fault(error)?)
        }
    };
    show(&app, &viewer, StatusCode::UNPROCESSABLE_ENTITY, Some(wrong)).await
}
