//! Signing in with a password.
//!
//! What an outsider can learn here is whether an address and a password belong together, and nothing else: the answer, and the
//! time it takes, are the same whichever half was wrong. Attempts are limited before a password is looked at.

mod choices;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use directory::{NewSession, Secret, User};
use record::{Action, Actor, Event, Json, Kind, OrgId, Outcome};
use tokio::sync::Semaphore;

use super::session::Viewer;
use super::{links, page};
use crate::app::{App, blocking};
use crate::params::Given;
use crate::permit::{self, Caller, Who};
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::{body, record_own};
use choices::{Choices, Ticket};

/// A form's body, in bytes, at most.
const FORM_BYTES_MAX: usize = 16 * 1024;
/// Passwords verified at once: it is work for a processor, and memory.
const VERIFIED_AT_ONCE: usize = 2;
/// Attempts that wait for that; more are sent away.
const WAITING_MAX: usize = 64;

/// Where people wait to be recognised.
#[derive(Debug)]
pub(super) struct Desk {
    room: Semaphore,
    desks: Semaphore,
    choices: Choices,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk { room: Semaphore::new(WAITING_MAX), desks: Semaphore::new(VERIFIED_AT_ONCE), choices: Choices::default() }
    }
}

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
pub(super) async fn show_form(viewer: Result<Viewer, Response>, RawQuery(query): RawQuery) -> Response {
    let given = Given::parse(query.as_deref());
    let next = links::after_sign_in(given.first("next"));
    if viewer.is_ok() {
        return Redirect::to(next).into_response();
    }
    let note = given.first("signed_out").map(|_| "You are signed out.");
    page::html(StatusCode::OK, &SignInPage { note, next, ..SignInPage::default() })
}

/// Reads a form that must have come from one of our own pages.
pub(super) async fn form(app: &App, headers: &HeaderMap, body: Body) -> Result<Given, Problem> {
    permit::refuse_other_sites(headers)?;
    let bytes = body::read(app, headers, body, FORM_BYTES_MAX).await?;
    let text = str::from_utf8(&bytes).map_err(|_| Problem::bad_request("form", "The form is not UTF-8 text."))?;
    Ok(Given::parse(Some(text)))
}

/// Signs in, or says that it did not work.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    Extension(request_id): Extension<RequestId>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = form(&app, &headers, body).await?;
    let next = links::after_sign_in(form.first("next"));
    let (email, password) = (form.first("email").unwrap_or_default().trim(), form.first("password").unwrap_or_default());
    let again =
        |status, wrong: String| page::html(status, &SignInPage { wrong: Some(wrong), email, next, ..SignInPage::default() });
    if email.is_empty() || password.is_empty() {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, "Enter your e-mail address and your password.".to_owned()));
    }
    if let Some(wait_s) = admit(&app, email, &from).await? {
        let minutes = wait_s.div_ceil(60);
        let minutes = if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") };
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, format!("Too many attempts. Try again in {minutes}."));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
        return Ok(response);
    }
    let mut users = desk.verify(&app, email, password).await?;
    match (users.pop(), users.is_empty()) {
        (None, _) => {
            record_failure_aside(&app, email, &from, &request_id);
            Ok(again(StatusCode::UNAUTHORIZED, "The e-mail address or the password is not right.".to_owned()))
        }
        (Some(user), true) => {
            forget_attempts(&app, email, &from).await?;
            welcome(&app, user, from, &request_id, next).await
        }
        (Some(user), false) => {
            forget_attempts(&app, email, &from).await?;
            users.push(user);
            choose(&app, &desk, users, next).await
        }
    }
}

/// Signs in to one of several organizations, after the password was verified.
pub(super) async fn choose_organization(
    State(app): State<Arc<App>>,
    Extension(desk): Extension<Arc<Desk>>,
    Extension(request_id): Extension<RequestId>,
    from: permit::From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = form(&app, &headers, body).await?;
    let next = links::after_sign_in(form.first("next"));
    let ticket = Ticket::of(form.first("ticket").unwrap_or_default());
    let chosen = form.first("choice").and_then(|choice| choice.parse::<usize>().ok()).unwrap_or_default();
    match desk.choices.take(&ticket, chosen, app.now()) {
        Some(user) => welcome(&app, user, from, &request_id, next).await,
        None => {
            let wrong = Some("That took too long. Sign in again.".to_owned());
            Ok(page::html(StatusCode::UNAUTHORIZED, &SignInPage { wrong, next, ..SignInPage::default() }))
        }
    }
}

impl Desk {
    async fn verify(&self, app: &Arc<App>, email: &str, password: &str) -> Result<Vec<User>, Problem> {
        let Ok(_waiting) = self.room.try_acquire() else {
            let detail = "Too many people sign in at this moment. Try again in a few seconds.";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Not available now", detail));
        };
        let _desk = self.desks.acquire().await.map_err(Problem::internal)?;
        let (app, email, password) = (app.clone(), email.to_owned(), Secret::new(password));
        Ok(blocking(move || app.directory.verify_password(&email, &password)).await??)
    }
}

/// Counts the attempt; if there were too many, in how many seconds the next may be made.
async fn admit(app: &Arc<App>, email: &str, from: &permit::From) -> Result<Option<u32>, Problem> {
    let (shared, email, ip, now) = (app.clone(), email.to_owned(), address(from), app.now());
    let admitted = blocking(move || shared.directory.admit_sign_in(&email, ip, now)).await??;
    Ok(admitted.err().map(|refused| refused.retry_after_s))
}

async fn forget_attempts(app: &Arc<App>, email: &str, from: &permit::From) -> Result<(), Problem> {
    let (shared, email, ip) = (app.clone(), email.to_owned(), address(from));
    Ok(blocking(move || shared.directory.record_sign_in_success(&email, ip)).await??)
}

/// Whoever has no address shares one with all who have none.
fn address(from: &permit::From) -> IpAddr {
    from.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
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

/// Begins the session and records it.
async fn welcome(
    app: &Arc<App>,
    user: User,
    from: permit::From,
    request_id: &RequestId,
    next: &str,
) -> Result<Response, Problem> {
    let (shared, now, place) = (app.clone(), app.now(), from.clone());
    let (signed_in, token) = blocking(move || {
        let new = NewSession { org: user.org, user: &user.id, ip: place.ip, user_agent: place.user_agent.as_deref() };
        let (_, token) = shared.directory.create_session(new, now)?;
        let signed_in = shared.directory.find_session(&token, now)?;
        Ok::<_, directory::DirectoryError>((signed_in, token))
    })
    .await??;
    let signed_in = signed_in.map_err(Problem::internal)?;
    let session = signed_in.session.id.as_str().to_owned();
    let org = signed_in.user.org;
    let caller = Caller { who: Who::Person(Box::new(signed_in)), from };
    let passage = Passage {
        action: "LOGIN",
        outcome: Outcome::Success,
        actor: caller.actor(),
        from: &caller.from,
        request_id,
        session: Some(&session),
    };
    record(app, org, passage).await;
    let mut response = Redirect::to(next).into_response();
    set_cookie(app, &mut response, token.expose(), "")?;
    Ok(response)
}

/// Somebody comes or goes.
#[derive(Debug)]
pub(super) struct Passage<'a> {
    pub(super) action: &'static str,
    pub(super) outcome: Outcome,
    pub(super) actor: Actor,
    pub(super) from: &'a permit::From,
    pub(super) request_id: &'a RequestId,
    pub(super) session: Option<&'a str>,
}

/// Records it. A store that cannot record keeps nobody out: who investigates that needs to get in.
pub(super) async fn record(app: &Arc<App>, org: OrgId, passage: Passage<'_>) {
    let action = passage.action;
    if let Err(problem) = append(app, org, passage).await {
        problem.log();
        tracing::warn!(action, "could not be recorded");
    }
}

async fn append(app: &Arc<App>, org: OrgId, passage: Passage<'_>) -> Result<(), Problem> {
    let action = Action::new(passage.action).map_err(Problem::internal)?;
    let mut event = Event::new(action, passage.actor, app.now());
    event.context = passage.from.context(Some(passage.request_id.as_str()));
    event.context.session_id = passage.session.map(Into::into);
    event.outcome = Some(passage.outcome);
    event.metadata = Some(Json::trusted(r#"{"method":"password"}"#));
    record_own::own(app, org, event).await?;
    record_own::drain_outbox(app).await.map(drop)
}

/// Records a failed attempt, while the answer is on its way: its time must not tell whether there is such an account.
fn record_failure_aside(app: &Arc<App>, email: &str, from: &permit::From, request_id: &RequestId) {
    let (shared, email, from, request_id) = (app.clone(), email.to_owned(), from.clone(), request_id.clone());
    app.tasks.spawn(async move {
        if let Err(problem) = record_failure(&shared, email, &from, &request_id).await {
            problem.log();
        }
    });
}

async fn record_failure(app: &Arc<App>, email: String, from: &permit::From, request_id: &RequestId) -> Result<(), Problem> {
    let (shared, typed) = (app.clone(), email.clone());
    let (users, organizations) = blocking(move || {
        let users = shared.directory.users_by_email(&typed)?;
        // Nobody's attempt is told to the organization, if there is only one whose it can be.
        let organizations = if users.is_empty() { shared.directory.organizations()? } else { Vec::new() };
        Ok::<_, directory::DirectoryError>((users, organizations))
    })
    .await??;
    let kind = Kind::new("user").map_err(Problem::internal)?;
    let mut actors: Vec<(OrgId, Actor)> = Vec::new();
    for user in users {
        let name = (!user.name.is_empty()).then(|| user.name.as_str().into());
        let actor = Actor { kind: kind.clone(), id: user.id.as_str().into(), name, email: Some(user.email.as_str().into()) };
        actors.push((user.org, actor));
    }
    if let [only] = organizations.as_slice() {
        // People type passwords into the wrong field: only what looks like an address is written down.
        let email = looks_like_an_address(&email).then(|| email.as_str().into());
        actors.push((only.id, Actor { kind, id: "unknown".into(), name: None, email }));
    }
    for (org, actor) in actors {
        let outcome = Outcome::Failure;
        record(app, org, Passage { action: "LOGIN_FAILED", outcome, actor, from, request_id, session: None }).await;
    }
    Ok(())
}

fn looks_like_an_address(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= 254
        && !text.contains(char::is_whitespace)
        && parts.is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.contains('@'))
}

/// Puts the session cookie on an answer; an empty value with `; Max-Age=0` takes it away.
pub(super) fn set_cookie(app: &App, response: &mut Response, token: &str, more: &str) -> Result<(), Problem> {
    let [with_tls, without] = permit::COOKIES;
    let cookie = if app.config.is_https() {
        format!("{with_tls}={token}; Path=/; HttpOnly; SameSite=Lax; Secure{more}")
    } else {
        format!("{without}={token}; Path=/; HttpOnly; SameSite=Lax{more}")
    };
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(Problem::internal)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_are_written_down() {
        for address in ["ada@example.com", "a.b+c@sub.example.org"] {
            assert!(looks_like_an_address(address), "{address}");
        }
        for other in ["hunter2!", "p@ssword", "pass word@x.y z", "@example.com", "a@b@c.d", ""] {
            assert!(!looks_like_an_address(other), "{other}");
        }
    }
}
