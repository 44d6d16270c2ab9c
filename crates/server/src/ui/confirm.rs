//! Showing once more that it is still she, before something dangerous: with a code if she has a second factor, otherwise with her
//! password. It counts for ten minutes.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use directory::{Secret, Shown};

use super::session::{LimitedViewer, Viewer};
use super::sign_in::{self, Desk};
use super::{forms, links, page};
use crate::app::{App, blocking};
use crate::changing::change_always;
use crate::params::Given;
use crate::permit;
use crate::problem::Problem;

#[derive(Debug, Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    account: Option<page::Account>,
    /// With what: `code`, `password`, or `nothing` that she has.
    with: &'a str,
    csrf: &'a str,
    next: &'a str,
    wrong: Option<String>,
}

/// Shows the form.
pub(super) async fn show_form(
    State(app): State<Arc<App>>,
    LimitedViewer(viewer): LimitedViewer,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let given = Given::parse(query.as_deref());
    show(&app, &viewer, links::after_sign_in(given.first("next")), StatusCode::OK, None).await
}

async fn show(
    app: &Arc<App>,
    viewer: &Viewer,
    next: &str,
    status: StatusCode,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let (shared, user) = (app.clone(), viewer.signed_in.user.id.clone());
    let with = match viewer.signed_in.has_second_factor() {
        true => "code",
        false if blocking(move || shared.directory.has_password(&user)).await?? => "password",
        false => "nothing",
    };
    let csrf = viewer.signed_in.csrf.expose();
    Ok(page::html(status, &ConfirmPage { account: Some(page::Account::of(viewer)), with, csrf, next, wrong }))
}

/// Checks what she showed; her session then has another token.
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    LimitedViewer(viewer): LimitedViewer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read_signed(&app, &viewer, &headers, body).await?;
    let next = links::after_sign_in(form.first("next"));
    let given = form.first("given").unwrap_or_default().to_owned();
    let checked = if viewer.signed_in.has_second_factor() {
        code(&app, &viewer, given).await?
    } else {
        password(&app, &desk, &viewer, given).await?
    };
    let shown = match checked {
        Checked::Right(shown) => shown,
        Checked::Wrong(wrong) => return show(&app, &viewer, next, StatusCode::UNAUTHORIZED, Some(wrong.to_owned())).await,
        Checked::Wait(seconds) => {
            let wrong = Some(forms::wait(seconds));
            let response = show(&app, &viewer, next, StatusCode::TOO_MANY_REQUESTS, wrong).await?;
            return Ok(forms::with_wait(response, seconds));
        }
    };
    let mut response = Redirect::to(next).into_response();
    renew(&app, &viewer, &headers, shown, &mut response).await?;
    Ok(response)
}

/// Gives her session another token, and puts that on the answer.
pub(super) async fn renew(
    app: &Arc<App>,
    viewer: &Viewer,
    headers: &HeaderMap,
    shown: Shown,
    response: &mut Response,
) -> Result<(), Problem> {
    let Some(token) = permit::session_token(app, headers) else { return Ok(()) };
    let (by, token, now) = (viewer.by(), Secret::new(token), app.now());
    let renewed = change_always(app, move |app| app.directory.renew_session(&by, &token, shown, now)).await?;
    match renewed {
        Some(token) => sign_in::set_cookie(app, response, token.expose(), ""),
        // Ended meanwhile: the next page asks her to sign in.
        None => Ok(()),
    }
}

enum Checked {
    Right(Shown),
    Wrong(&'static str),
    Wait(u32),
}

async fn code(app: &Arc<App>, viewer: &Viewer, given: String) -> Result<Checked, Problem> {
    let (by, now, ip) = (viewer.by(), app.now(), viewer.caller.from.address());
    let (shared, user) = (app.clone(), viewer.signed_in.user.clone());
    if let Err(refused) = blocking(move || shared.directory.admit_second_factor(&user.id, ip, now)).await?? {
        return Ok(Checked::Wait(refused.retry_after_s));
    }
    let user = viewer.signed_in.user.clone();
    let verify = move |app: &App| {
        let shown = app.directory.verify_second_factor(&by, user.org, &user.id, &given, now)?;
        if shown.is_some() {
            app.directory.record_second_factor_success(&user.id, ip)?;
        }
        Ok(shown.is_some())
    };
    Ok(match change_always(app, verify).await? {
        true => Checked::Right(Shown::SecondFactor),
        false => Checked::Wrong("This code is not right, or was used before. Wait for the next one."),
    })
}

async fn password(app: &Arc<App>, desk: &Desk, viewer: &Viewer, given: String) -> Result<Checked, Problem> {
    let user = viewer.signed_in.user.clone();
    let email = user.email.clone();
    if let Some(seconds) = sign_in::admit(app, &email, &viewer.caller.from).await? {
        return Ok(Checked::Wait(seconds));
    }
    if desk.hashing(app, move |app| app.directory.is_password_of(&user, &Secret::new(given))).await?? {
        sign_in::forget_attempts(app, &email, &viewer.caller.from).await?;
        return Ok(Checked::Right(Shown::Herself));
    }
    sign_in::record_confirmation(app, &viewer.caller).await;
    Ok(Checked::Wrong("The password is not right."))
}
