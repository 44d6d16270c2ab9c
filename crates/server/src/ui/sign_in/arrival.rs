//! What comes after the first factor, whichever it was: the second one, or the session.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use directory::{Method, SecondFactor, User};

use super::second_factor;
use crate::app::{App, blocking};
use crate::changing::change_always;
use crate::permit;
use crate::problem::Problem;

/// Somebody has shown a first factor. If she has a second one, it is asked for; otherwise she is in.
pub(in crate::ui) async fn arrive(
    app: &Arc<App>,
    user: User,
    method: Method,
    from: &permit::From,
    next: &str,
) -> Result<Response, Problem> {
    let (shared, now, one) = (app.clone(), app.now(), user.clone());
    let ticket = blocking(move || {
        let asked = shared.directory.has_second_factor(one.org, &one.id)?;
        asked.then(|| shared.directory.second_factor_ticket(&one, method.as_str(), now)).transpose()
    })
    .await??;
    match ticket {
        Some(ticket) => Ok(second_factor::ask(StatusCode::OK, ticket.expose(), next, None)),
        None => enter(app, user, method, None, from, next).await,
    }
}

/// Begins the session.
pub(super) async fn enter(
    app: &Arc<App>,
    user: User,
    method: Method,
    shown: Option<SecondFactor>,
    from: &permit::From,
    next: &str,
) -> Result<Response, Problem> {
    let (place, now) = (from.changed_by(), app.now());
    let (_, token) =
        change_always(app, move |app| app.directory.begin_session(&place, user.org, &user.id, method, shown.as_ref(), now))
            .await?;
    let mut response = Redirect::to(next).into_response();
    set_cookie(app, &mut response, token.expose(), "")?;
    Ok(response)
}

/// Puts the session cookie on an answer; an empty value with `; Max-Age=0` takes it away.
pub(in crate::ui) fn set_cookie(app: &App, response: &mut Response, token: &str, more: &str) -> Result<(), Problem> {
    let [with_tls, without] = permit::COOKIES;
    let cookie = if app.config.is_https() {
        format!("{with_tls}={token}; Path=/; HttpOnly; SameSite=Lax; Secure{more}")
    } else {
        format!("{without}={token}; Path=/; HttpOnly; SameSite=Lax{more}")
    };
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(Problem::internal)?);
    Ok(())
}
