//! One's own sessions: which browsers are signed in, and ending them.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use directory::SessionId;

use crate::app::{App, blocking};
use crate::changing::change;
use crate::params::Given;
use crate::problem::Problem;
use crate::ui::session::Viewer;
use crate::ui::zone::{Shown, Zone};
use crate::ui::{forms, page};

#[derive(Debug, Template)]
#[template(path = "account_sessions.html")]
struct SessionsPage<'a> {
    account: Option<page::Account>,
    sessions: Vec<Row>,
    csrf: &'a str,
}

#[derive(Debug)]
struct Row {
    id: String,
    device: String,
    user_agent: String,
    address: String,
    method: String,
    since: Shown,
    seen: Shown,
    is_this: bool,
}

/// Lists them, the last used first.
pub(in crate::ui) async fn list_sessions(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let zone = Zone::of(&Given::parse(query.as_deref()), &headers);
    let (shared, user, now) = (app.clone(), viewer.signed_in.user.clone(), app.now());
    let sessions = blocking(move || shared.directory.sessions(user.org, &user.id, now)).await??;
    let rows = sessions.into_iter().map(|session| Row {
        is_this: session.id == viewer.signed_in.session.id,
        id: session.id.to_string(),
        device: device(session.user_agent.as_deref().unwrap_or_default()),
        user_agent: session.user_agent.unwrap_or_default(),
        address: session.ip.map_or_else(|| "an unknown address".to_owned(), |ip| ip.to_string()),
        method: session.method.replace('_', " "),
        since: zone.show(session.created_at),
        seen: zone.show(session.last_seen_at),
    });
    let (account, csrf) = (Some(page::Account::of(&viewer)), viewer.signed_in.csrf.expose());
    Ok(page::html(StatusCode::OK, &SessionsPage { account, sessions: rows.collect(), csrf }))
}

/// Ends one of them.
pub(in crate::ui) async fn end_session(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = forms::read_signed(&app, &viewer, &headers, body).await?;
    let missing = || Problem::not_found("You have no such session.");
    let id = SessionId::parse(form.first("id").unwrap_or_default()).map_err(|_| missing())?;
    let user = viewer.signed_in.user.clone();
    let ended = change(&app, &viewer.caller, move |directory, by, now| {
        let hers = directory.sessions(user.org, &user.id, now)?.into_iter().any(|session| session.id == id);
        if hers {
            directory.revoke_session(by, user.org, &id, now)?;
        }
        Ok(hers)
    });
    if !ended.await? {
        return Err(missing());
    }
    Ok(Redirect::to("/account/sessions").into_response())
}

/// Ends all others.
pub(in crate::ui) async fn end_others(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    forms::read_signed(&app, &viewer, &headers, body).await?;
    let keep = viewer.signed_in.session.clone();
    change(&app, &viewer.caller, move |directory, by, now| directory.revoke_other_sessions(by, &keep, now)).await?;
    Ok(Redirect::to("/account/sessions").into_response())
}

/// A browser and its system, as far as its description of itself tells: `Firefox on Linux`.
fn device(user_agent: &str) -> String {
    // In this order: Edge and Opera say that they are Chrome, Chrome says that it is Safari, and Android that it is Linux.
    let browsers =
        [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name);
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "A program that does not say what it is".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_by_their_names() {
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/19 Safari/605", "Safari on macOS"),
            ("curl/8.0", "A program that does not say what it is"),
        ] {
            assert_eq!(device(user_agent), expected);
        }
    }
}
