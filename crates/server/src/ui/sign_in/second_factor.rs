//! The second factor, after the first was right. The page holds a ticket, and no password.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use directory::{LinkRefused, Method, Purpose, Secret};

use super::{SignInPage, arrival};
use crate::app::{App, blocking};
use crate::changing::change_always;
use crate::permit;
use crate::problem::Problem;
use crate::ui::{forms, links, page};

#[derive(Debug, Template)]
#[template(path = "second_factor.html")]
struct CodePage<'a> {
    account: Option<page::Account>,
    ticket: &'a str,
    next: &'a str,
    wrong: Option<String>,
}

/// Asks for a code.
pub(super) fn ask(status: StatusCode, ticket: &str, next: &str, wrong: Option<String>) -> Response {
    page::html(status, &CodePage { account: None, ticket, next, wrong })
}

/// Checks the code; she is in, or is asked again.
pub(in crate::ui) async fn check_code(
    State(app): State<Arc<App>>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read(&app, &headers, body).await?;
    let next = links::after_sign_in(form.first("next"));
    let (given, code) = (form.first("ticket").unwrap_or_default(), form.first("code").unwrap_or_default().trim());
    let ticket = Secret::new(given);
    let (shared, now, one) = (app.clone(), app.now(), ticket.clone());
    let link = match blocking(move || shared.directory.find_link(Purpose::SecondFactor, &one, now)).await?? {
        Ok(link) => link,
        Err(refused) => return Ok(too_late(refused, next)),
    };
    let again = |status, wrong: String| Ok(ask(status, given, next, Some(wrong)));
    if code.is_empty() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, "Enter the code that your app shows.".to_owned());
    }
    let (shared, user, ip) = (app.clone(), link.user.clone(), from.address());
    if let Err(refused) = blocking(move || shared.directory.admit_second_factor(&user.id, ip, now)).await?? {
        let response = again(StatusCode::TOO_MANY_REQUESTS, forms::wait(refused.retry_after_s))?;
        return Ok(forms::with_wait(response, refused.retry_after_s));
    }
    let (by, user, code) = (from.changed_by().acting_as(&link.user), link.user.clone(), code.to_owned());
    let verify = move |app: &App| app.directory.verify_second_factor(&by, user.org, &user.id, &code, now);
    let Some(shown) = change_always(&app, verify).await? else {
        return again(
            StatusCode::UNAUTHORIZED,
            "This code is not right, or was used before. Wait for the next one.".to_owned(),
        );
    };
    let (shared, user) = (app.clone(), link.user.id.clone());
    let taken = blocking(move || {
        shared.directory.record_second_factor_success(&user, ip)?;
        shared.directory.take_link(Purpose::SecondFactor, &ticket, now)
    });
    match taken.await?? {
        Ok(link) => {
            let method = Method::parse(&link.detail).unwrap_or(Method::Password);
            arrival::enter(&app, link.user, method, Some(shown), &from, next).await
        }
        Err(refused) => Ok(too_late(refused, next)),
    }
}

fn too_late(refused: LinkRefused, next: &str) -> Response {
    let wrong = match refused {
        LinkRefused::Disabled => "Your account is disabled.",
        _ => "That took too long. Sign in again.",
    };
    let page = SignInPage { wrong: Some(wrong.to_owned()), next, ..SignInPage::default() };
    page::html(StatusCode::UNAUTHORIZED, &page)
}
