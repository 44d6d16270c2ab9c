//! The pages of one's own account.

pub(super) mod email;
pub(super) mod password;
pub(super) mod second_factor;
pub(super) mod sessions;

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::page;
use super::session::Viewer;
use crate::app::{App, blocking};
use crate::params::Given;
use crate::problem::Problem;

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    account: Option<page::Account>,
    name: &'a str,
    email: &'a str,
    has_password: bool,
    has_second_factor: bool,
    recovery_codes_left: u32,
    sessions: usize,
    can_mail: bool,
    csrf: &'a str,
    /// An address that was not accepted, and why.
    wrong: Option<(&'a str, String)>,
    note: Option<&'static str>,
}

/// Shows what the account is.
pub(super) async fn show_account(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let given = Given::parse(query.as_deref());
    let note = match given.first("done") {
        Some("password") => Some("Your password is changed. Your other sessions have ended."),
        Some("email") => Some("We have mailed a link to the new address. The change counts once you have opened it."),
        _ => None,
    };
    show(&app, &viewer, StatusCode::OK, None, note).await
}

/// Shows it, with what went wrong or well.
async fn show(
    app: &Arc<App>,
    viewer: &Viewer,
    status: StatusCode,
    wrong: Option<(&str, String)>,
    note: Option<&'static str>,
) -> Result<Response, Problem> {
    let (shared, user, now) = (app.clone(), viewer.signed_in.user.clone(), app.now());
    let (has_password, recovery_codes_left, sessions) = blocking(move || {
        let directory = &shared.directory;
        let sessions = directory.sessions(user.org, &user.id, now)?.len();
        let left = directory.recovery_codes_left(user.org, &user.id)?;
        Ok::<_, directory::DirectoryError>((directory.has_password(&user.id)?, left, sessions))
    })
    .await??;
    let page = AccountPage {
        account: Some(page::Account::of(viewer)),
        name: &viewer.signed_in.user.name,
        email: &viewer.signed_in.user.email,
        has_password,
        has_second_factor: viewer.signed_in.has_second_factor(),
        recovery_codes_left,
        sessions,
        can_mail: app.mailer.is_some(),
        csrf: viewer.signed_in.csrf.expose(),
        wrong,
        note,
    };
    Ok(page::html(status, &page))
}
