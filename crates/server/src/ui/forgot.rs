//! Asking for a link by mail: to set a new password, or to sign in.
//!
//! The answer is the same, and takes the same time, whether there is such an account or not: what is to be done is done after it.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::message::{self, Message};
use super::{forms, page};
use crate::app::{App, blocking};
use crate::changing::change_always;
use crate::problem::Problem;
use crate::{letters, permit};

#[derive(Debug, Template)]
#[template(path = "forgot.html")]
struct ForgotPage<'a> {
    account: Option<page::Account>,
    wanted: &'a Wanted,
    can_send: bool,
    email: &'a str,
    wrong: Option<String>,
}

/// Which link is asked for.
#[derive(Debug)]
struct Wanted {
    title: &'static str,
    intro: &'static str,
    path: &'static str,
    is_password: bool,
}

const PASSWORD: Wanted = Wanted {
    title: "Forgot your password?",
    intro: "Enter your e-mail address. We mail you a link to set a new password.",
    path: "/forgot",
    is_password: true,
};

const SIGN_IN: Wanted = Wanted {
    title: "Sign in with a link",
    intro: "Enter your e-mail address. We mail you a link that signs you in, once.",
    path: "/sign-in/link",
    is_password: false,
};

/// Shows the form for a new password.
pub(super) async fn show_password_form(State(app): State<Arc<App>>) -> Response {
    PASSWORD.page(&app, StatusCode::OK, "", None)
}

/// Shows the form for a link to sign in.
pub(super) async fn show_sign_in_form(State(app): State<Arc<App>>) -> Response {
    SIGN_IN.page(&app, StatusCode::OK, "", None)
}

/// Sends a link to set a new password, if there is such an account.
pub(super) async fn send_password_link(
    State(app): State<Arc<App>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    PASSWORD.send(&app, &from, &headers, body).await
}

/// Sends a link to sign in, if there is such an account.
pub(super) async fn send_sign_in_link(
    State(app): State<Arc<App>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    SIGN_IN.send(&app, &from, &headers, body).await
}

impl Wanted {
    fn page(&self, app: &App, status: StatusCode, email: &str, wrong: Option<String>) -> Response {
        page::html(status, &ForgotPage { account: None, wanted: self, can_send: app.mailer.is_some(), email, wrong })
    }

    async fn send(&self, app: &Arc<App>, from: &permit::From, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
        let form = forms::read(app, headers, body).await?;
        let email = form.first("email").unwrap_or_default().trim();
        if app.mailer.is_none() {
            return Ok(self.page(app, StatusCode::SERVICE_UNAVAILABLE, email, None));
        }
        if email.is_empty() {
            let wrong = Some("Enter your e-mail address.".to_owned());
            return Ok(self.page(app, StatusCode::UNPROCESSABLE_ENTITY, email, wrong));
        }
        let (shared, typed, ip, now) = (app.clone(), email.to_owned(), from.address(), app.now());
        if let Err(refused) = blocking(move || shared.directory.admit_mail(&typed, ip, now)).await?? {
            let wrong = Some(forms::wait(refused.retry_after_s));
            let response = self.page(app, StatusCode::TOO_MANY_REQUESTS, email, wrong);
            return Ok(forms::with_wait(response, refused.retry_after_s));
        }
        self.send_aside(app, email, from);
        let text = "If there is an account with this address, a mail with a link is on its way to it. Look into your \
                    inbox, and into the folder for spam.";
        let link = Some(("/sign-in", "Back to signing in"));
        Ok(message::show(StatusCode::OK, &Message { account: None, title: "Look into your mail", text, link }))
    }

    /// While the answer is on its way: neither it nor its time tells whether there is such an account.
    fn send_aside(&self, app: &Arc<App>, email: &str, from: &permit::From) {
        let (shared, email, from, is_password) = (app.clone(), email.to_owned(), from.changed_by(), self.is_password);
        let now = app.now();
        app.tasks.spawn(async move {
            let request = move |app: &App| {
                let config = &app.config;
                if is_password {
                    let compose =
                        |user: &_, organization: &_, token: &_| letters::password_reset(config, user, organization, token);
                    app.directory.request_password_reset(&from, &email, compose, now)
                } else {
                    let compose =
                        |user: &_, organization: &_, token: &_| letters::magic_link(config, user, organization, token);
                    app.directory.request_magic_link(&from, &email, compose, now)
                }
            };
            match change_always(&shared, request).await {
                Ok(_) => shared.mail_waits.notify_one(),
                Err(problem) => problem.log(),
            }
        });
    }
}
