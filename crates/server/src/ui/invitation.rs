//! Accepting an invitation.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use directory::{Method, Newcomer, Secret};

use super::sign_in::{self, Desk};
use super::{by_link, forms, links, message, page};
use crate::app::{App, blocking};
use crate::params::Given;
use crate::problem::Problem;
use crate::{permit, record_own};

#[derive(Debug, Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    account: Option<page::Account>,
    organization: String,
    email: &'a str,
    role: &'static str,
    token: &'a str,
    name: &'a str,
    /// Whether she can do without a password, because she can be mailed links.
    can_mail: bool,
    wrong: Option<String>,
}

/// Shows the form.
pub(super) async fn show_form(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    show(&app, &Given::parse(query.as_deref()), StatusCode::OK, None).await
}

async fn show(app: &Arc<App>, given: &Given, status: StatusCode, wrong: Option<String>) -> Result<Response, Problem> {
    let (token, name) = (given.first("token").unwrap_or_default(), given.first("name").unwrap_or_default());
    let (shared, secret, now) = (app.clone(), Secret::new(token), app.now());
    let invitation = match blocking(move || shared.directory.find_invitation(&secret, now)).await?? {
        Ok(invitation) => invitation,
        Err(refused) => return Ok(message::refused(refused, None)),
    };
    let page = InvitationPage {
        account: None,
        organization: by_link::organization(app, invitation.org).await?,
        email: &invitation.email,
        role: invitation.role.as_str(),
        token,
        name,
        can_mail: app.mailer.is_some(),
        wrong,
    };
    Ok(page::html(status, &page))
}

/// Makes her a user, and signs her in.
pub(super) async fn accept(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read(&app, &headers, body).await?;
    let text = |name| form.first(name).unwrap_or_default().to_owned();
    let (token, name, password) = (Secret::new(text("token")), text("name"), text("password"));
    if password.is_empty() && app.mailer.is_none() {
        let wrong = Some("Choose a password.".to_owned());
        return show(&app, &form, StatusCode::UNPROCESSABLE_ENTITY, wrong).await;
    }
    let (by, now, password) =
        (from.changed_by(), app.now(), Some(Secret::new(password)).filter(|it| !it.expose().is_empty()));
    let redeem = move |app: &App| {
        let newcomer = Newcomer { name: &name, password: password.as_ref() };
        app.directory.redeem_invitation(&by, &token, newcomer, now)
    };
    match desk.hashing(&app, redeem).await? {
        Ok(Ok(user)) => {
            record_own::drain_outbox_or_log(&app).await;
            sign_in::arrive(&app, user, Method::Invitation, &from, links::LIST).await
        }
        Ok(Err(refused)) => Ok(message::refused(refused, None)),
        Err(error) => {
            let wrong = Some(forms::fault(error)?);
            show(&app, &form, StatusCode::UNPROCESSABLE_ENTITY, wrong).await
        }
    }
}
