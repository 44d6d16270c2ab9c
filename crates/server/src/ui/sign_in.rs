//! Signing in with a password; below it, what all ways of signing in have in common.
//!
//! What an outsider can learn here is whether an address and a password belong together, and nothing else: the answer, and the
//! time it takes, are the same whichever half was wrong. Attempts are limited before a password is looked at.

mod arrival;
mod choices;
mod desk;
mod failure;
mod second_factor;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use directory::{Method, Secret, User};

use super::session::LimitedViewer;
use super::{forms, links, page};
use crate::app::{App, blocking};
use crate::params::Given;
use crate::permit;
use crate::problem::Problem;
use choices::Ticket;

pub(super) use arrival::{arrive, set_cookie};
pub(super) use desk::Desk;
pub(super) use failure::record_confirmation;
pub(super) use second_factor::check_code;

#[derive(Debug, Default, Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    account: Option<page::Account>,
    /// What went wrong, in a sentence.
    wrong: Option<String>,
    /// What went well.
    note: Option<&'static str>,
    email: &'a str,
    next: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "choose_organization.html")]
struct ChoosePage<'a> {
    account: Option<page::Account>,
    organizations: Vec<(usize, String)>,
    ticket: &'a str,
    next: &'a str,
}

/// Shows the form; whoever is signed in already goes on at once.
pub(super) async fn show_form(viewer: Result<LimitedViewer, Response>, RawQuery(query): RawQuery) -> Response {
    let given = Given::parse(query.as_deref());
    let next = links::after_sign_in(given.first("next"));
    if viewer.is_ok() {
        return Redirect::to(next).into_response();
    }
    let note = match (given.first("signed_out"), given.first("password_set")) {
        (Some(_), _) => Some("You are signed out."),
        (_, Some(_)) => Some("Your password is set. Sign in with it."),
        _ => None,
    };
    page::html(StatusCode::OK, &SignInPage { note, next, ..SignInPage::default() })
}

/// Signs in, or says that it did not work.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read(&app, &headers, body).await?;
    let next = links::after_sign_in(form.first("next"));
    let (email, password) = (form.first("email").unwrap_or_default().trim(), form.first("password").unwrap_or_default());
    let again =
        |status, wrong: String| page::html(status, &SignInPage { wrong: Some(wrong), email, next, ..SignInPage::default() });
    if email.is_empty() || password.is_empty() {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, "Enter your e-mail address and your password.".to_owned()));
    }
    if let Some(wait_s) = admit(&app, email, &from).await? {
        return Ok(forms::with_wait(again(StatusCode::TOO_MANY_REQUESTS, forms::wait(wait_s)), wait_s));
    }
    let (typed, secret) = (email.to_owned(), Secret::new(password));
    let mut users = desk.hashing(&app, move |app| app.directory.verify_password(&typed, &secret)).await??;
    let Some(user) = users.pop() else {
        failure::record_aside(&app, email, &from);
        return Ok(again(StatusCode::UNAUTHORIZED, "The e-mail address or the password is not right.".to_owned()));
    };
    forget_attempts(&app, email, &from).await?;
    if users.is_empty() {
        return arrive(&app, user, Method::Password, &from, next).await;
    }
    users.push(user);
    choose(&app, &desk, users, next).await
}

/// Signs in to one of several organizations, after the password was verified.
pub(super) async fn choose_organization(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read(&app, &headers, body).await?;
    let next = links::after_sign_in(form.first("next"));
    let ticket = Ticket::of(form.first("ticket").unwrap_or_default());
    let chosen = form.first("choice").and_then(|choice| choice.parse::<usize>().ok()).unwrap_or_default();
    match desk.choices.take(&ticket, chosen, app.now()) {
        Some(user) => arrive(&app, user, Method::Password, &from, next).await,
        None => {
            let wrong = Some("That took too long. Sign in again.".to_owned());
            Ok(page::html(StatusCode::UNAUTHORIZED, &SignInPage { wrong, next, ..SignInPage::default() }))
        }
    }
}

/// Counts an attempt with a password; if there were too many, in how many seconds the next may be made.
pub(super) async fn admit(app: &Arc<App>, email: &str, from: &permit::From) -> Result<Option<u32>, Problem> {
    let (shared, email, ip, now) = (app.clone(), email.to_owned(), from.address(), app.now());
    let admitted = blocking(move || shared.directory.admit_sign_in(&email, ip, now)).await??;
    Ok(admitted.err().map(|refused| refused.retry_after_s))
}

/// Takes the attempts back: the last one was right.
pub(super) async fn forget_attempts(app: &Arc<App>, email: &str, from: &permit::From) -> Result<(), Problem> {
    let (shared, email, ip) = (app.clone(), email.to_owned(), from.address());
    Ok(blocking(move || shared.directory.record_sign_in_success(&email, ip)).await??)
}

async fn choose(app: &Arc<App>, desk: &Desk, users: Vec<User>, next: &str) -> Result<Response, Problem> {
    let (shared, orgs) = (app.clone(), users.iter().map(|user| user.org).collect::<Vec<_>>());
    let names = blocking(move || {
        let names = orgs.into_iter().map(|org| Ok(shared.directory.organization(org)?.name));
        names.collect::<Result<Vec<String>, directory::DirectoryError>>()
    })
    .await??;
    let ticket = desk.choices.put(users, app.chance(), app.now());
    let organizations = names.into_iter().enumerate().collect();
    Ok(page::html(StatusCode::OK, &ChoosePage { account: None, organizations, ticket: ticket.as_str(), next }))
}
