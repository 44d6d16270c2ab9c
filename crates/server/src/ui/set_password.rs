//! Setting a password by a link: the first one of whoever set Acta up, or a new one for a forgotten one.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use directory::{Method, Purpose, Secret};

use super::sign_in::{self, Desk};
use super::{by_link, forms, links, message, page};
use crate::app::App;
use crate::params::Given;
use crate::problem::Problem;
use crate::{permit, record_own};

#[derive(Debug, Template)]
#[template(path = "set_password.html")]
struct PasswordPage<'a> {
    account: Option<page::Account>,
    title: &'a str,
    organization: String,
    email: &'a str,
    path: &'a str,
    token: &'a str,
    is_first: bool,
    wrong: Option<String>,
}

/// Shows the form for a new password.
pub(super) async fn show_reset(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    show(&app, Purpose::PasswordReset, &Given::parse(query.as_deref()), StatusCode::OK, None).await
}

/// Shows the form for the first password.
pub(super) async fn show_welcome(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    show(&app, Purpose::FirstRun, &Given::parse(query.as_deref()), StatusCode::OK, None).await
}

/// Sets the new password. She signs in with it, and with her second factor if she has one.
pub(super) async fn reset(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    set(&app, &desk, Purpose::PasswordReset, &from, &headers, body).await
}

/// Sets the first password, and signs in.
pub(super) async fn welcome(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    set(&app, &desk, Purpose::FirstRun, &from, &headers, body).await
}

async fn show(
    app: &Arc<App>,
    purpose: Purpose,
    given: &Given,
    status: StatusCode,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let token = given.first("token").unwrap_or_default();
    let link = match by_link::look(app, purpose, token).await? {
        Ok(link) => link,
        Err(refused) => return Ok(message::refused(refused, Some(purpose))),
    };
    let (title, path) = match purpose {
        Purpose::FirstRun => ("Welcome to Acta", "/welcome"),
        _ => ("Set a new password", "/reset"),
    };
    let organization = by_link::organization(app, link.user.org).await?;
    let (email, is_first) = (&link.user.email, purpose == Purpose::FirstRun);
    Ok(page::html(status, &PasswordPage { account: None, title, organization, email, path, token, is_first, wrong }))
}

async fn set(
    app: &Arc<App>,
    desk: &Desk,
    purpose: Purpose,
    from: &permit::From,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read(app, headers, body).await?;
    let text = |name| form.first(name).unwrap_or_default();
    let (token, password, by, now) =
        (Secret::new(text("token")), Secret::new(text("password")), from.changed_by(), app.now());
    let set = desk.hashing(app, move |app| app.directory.set_password_by_link(&by, purpose, &token, &password, now));
    let user = match set.await? {
        Ok(Ok(user)) => user,
        Ok(Err(refused)) => return Ok(message::refused(refused, Some(purpose))),
        Err(error) => {
            let wrong = Some(forms::fault(error)?);
            return show(app, purpose, &form, StatusCode::UNPROCESSABLE_ENTITY, wrong).await;
        }
    };
    record_own::drain_outbox_or_log(app).await;
    match purpose {
        Purpose::FirstRun => sign_in::arrive(app, user, Method::FirstRun, from, links::LIST).await,
        _ => Ok(Redirect::to("/sign-in?password_set=1").into_response()),
    }
}
