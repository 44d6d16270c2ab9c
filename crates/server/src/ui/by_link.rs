//! Opening a link that was mailed: to sign in, or to confirm an address. Opening it shows a button; only pressing that uses the
//! link up, because programs that scan mail open every link in it.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use directory::{Link, LinkRefused, Method, Purpose, Secret};

use super::message::{self, Message};
use super::{forms, links, page, sign_in};
use crate::app::{App, blocking};
use crate::changing::change_always;
use crate::params::Given;
use crate::permit;
use crate::problem::Problem;

#[derive(Debug, Template)]
#[template(path = "by_link.html")]
struct ButtonPage<'a> {
    account: Option<page::Account>,
    title: &'a str,
    text: String,
    path: &'a str,
    token: &'a str,
    button: &'a str,
}

/// What a link stands for, without using it up.
pub(super) async fn look(app: &Arc<App>, purpose: Purpose, token: &str) -> Result<Result<Link, LinkRefused>, Problem> {
    let (shared, token, now) = (app.clone(), Secret::new(token), app.now());
    Ok(blocking(move || shared.directory.find_link(purpose, &token, now)).await??)
}

/// The organization's name.
pub(super) async fn organization(app: &Arc<App>, org: record::OrgId) -> Result<String, Problem> {
    let shared = app.clone();
    Ok(blocking(move || shared.directory.organization(org)).await??.name)
}

/// Shows the button that signs in.
pub(super) async fn show_sign_in(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let given = Given::parse(query.as_deref());
    let token = given.first("token").unwrap_or_default();
    let link = match look(&app, Purpose::MagicLink, token).await? {
        Ok(link) => link,
        Err(refused) => return Ok(message::refused(refused, Some(Purpose::MagicLink))),
    };
    let text = format!("You sign in to {} as {}.", organization(&app, link.user.org).await?, link.user.email);
    let (title, path, button) = ("Sign in", "/sign-in/by-link", "Sign in");
    Ok(page::html(StatusCode::OK, &ButtonPage { account: None, title, text, path, token, button }))
}

/// Signs in.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read(&app, &headers, body).await?;
    let (shared, now, token) = (app.clone(), app.now(), Secret::new(form.first("token").unwrap_or_default()));
    match blocking(move || shared.directory.take_link(Purpose::MagicLink, &token, now)).await?? {
        Ok(link) => sign_in::arrive(&app, link.user, Method::MagicLink, &from, links::LIST).await,
        Err(refused) => Ok(message::refused(refused, Some(Purpose::MagicLink))),
    }
}

/// Shows the button that confirms an address.
pub(super) async fn show_email(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let given = Given::parse(query.as_deref());
    let token = given.first("token").unwrap_or_default();
    let link = match look(&app, Purpose::EmailChange, token).await? {
        Ok(link) => link,
        Err(refused) => return Ok(message::refused(refused, Some(Purpose::EmailChange))),
    };
    let organization = organization(&app, link.user.org).await?;
    let text =
        format!("The address of your account at {organization} becomes {}. You sign in with it from then on.", link.detail);
    let (title, path, button) = ("Confirm your e-mail address", "/verify-email", "Confirm this address");
    Ok(page::html(StatusCode::OK, &ButtonPage { account: None, title, text, path, token, button }))
}

/// Changes the address.
pub(super) async fn confirm_email(
    State(app): State<Arc<App>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read(&app, &headers, body).await?;
    let (now, by, token) = (app.now(), from.changed_by(), Secret::new(form.first("token").unwrap_or_default()));
    match change_always(&app, move |app| app.directory.confirm_email_change(&by, &token, now)).await? {
        Ok(user) => {
            let text = format!("Your address is {} from now on.", user.email);
            let (title, link) = ("Your address is confirmed", Some((links::ACCOUNT, "Your account")));
            Ok(message::show(StatusCode::OK, &Message { account: None, title, text: &text, link }))
        }
        Err(refused) => Ok(message::refused(refused, Some(Purpose::EmailChange))),
    }
}
