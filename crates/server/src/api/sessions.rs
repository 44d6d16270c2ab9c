//! `/v1/sessions`: signed-in browsers. Everybody may see and end her own.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use directory::{Session, SessionId, UserId};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::listing::{gone, id, page_of, parameter, parameters};
use crate::app::App;
use crate::changing::{ask, change};
use crate::permit::{Caller, Who};
use crate::problem::{FieldError, Problem};

/// A signed-in browser.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id. Not the token.
    pub id: String,
    /// Who is signed in.
    pub user: String,
    /// When she signed in.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When she was last seen, to about a minute.
    #[schema(format = DateTime)]
    pub last_seen_at: String,
    /// Where she signed in from.
    pub ip: Option<String>,
    /// Her browser, as it called itself then.
    pub user_agent: Option<String>,
    /// How she showed who she is.
    pub method: String,
    /// When she showed a second factor in it.
    #[schema(format = DateTime)]
    pub second_factor_at: Option<String>,
    /// Whether it is the one that this request came in.
    pub current: bool,
}

page_of! {
    /// Sessions.
    SessionPage, sessions: SessionView
}

/// The parameters of the list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `parameters` reads")]
pub struct SessionQuery {
    /// Whose; one's own unless given.
    user: Option<String>,
    /// The page, from 1.
    page: Option<u64>,
    /// Sessions on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

impl SessionView {
    /// As it is shown; `current` is the id of the request's own session.
    pub fn of(session: &Session, current: Option<&str>) -> SessionView {
        SessionView {
            id: session.id.to_string(),
            user: session.user.to_string(),
            created_at: session.created_at.to_string(),
            last_seen_at: session.last_seen_at.to_string(),
            ip: session.ip.map(|ip| ip.to_string()),
            user_agent: session.user_agent.clone(),
            method: session.method.clone(),
            second_factor_at: session.second_factor_at.map(|at| at.to_string()),
            current: current == Some(session.id.as_str()),
        }
    }
}

/// The signed-in person herself.
fn herself(caller: &Caller) -> Option<&UserId> {
    match &caller.who {
        Who::Person(signed_in) => Some(&signed_in.user.id),
        Who::Key(_) => None,
    }
}

/// Lists one's own sessions, or with `user` somebody else's; the last used first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", operation_id = "listSessions", params(SessionQuery),
    responses(
        (status = 200, description = "Sessions that are not over", body = SessionPage),
        (status = 403, description = "Whose sessions you may not see", body = Problem),
        (status = 404, description = "There is no such user", body = Problem)))]
pub async fn list_sessions(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (given, paging) = parameters(query.as_deref(), &["user"])?;
    let wanted: Option<UserId> = parameter(&given, "user")?;
    let org = match wanted.as_ref() {
        Some(wanted) if herself(&caller) != Some(wanted) => caller.permit(Act::ReadDirectory)?.org(),
        _ => caller.subject().org(),
    };
    let Some(user) = wanted.or_else(|| herself(&caller).cloned()) else {
        caller.permit(Act::ReadDirectory)?;
        let detail = "says whose sessions: an API key has none of its own";
        return Err(Problem::invalid(vec![FieldError::parameter("user", detail)]));
    };
    let listed = ask(&app, move |directory, now| directory.list_sessions(org, &user, paging.part(), now)).await?;
    paging.answer("sessions", &listed, |session| SessionView::of(session, caller.session_id()))
}

/// Ends a session: one's own, or with the right to change the directory anybody's.
#[utoipa::path(delete, path = "/v1/sessions/{session_id}", tag = "sessions", operation_id = "deleteSession",
    params(("session_id" = String, Path, description = "The session's id")),
    responses(
        (status = 204, description = "It is over"),
        (status = 403, description = "It is not yours to end", body = Problem),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_session(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.subject().org();
    let session: Result<SessionId, Problem> = id(&session, "session");
    let wanted = session.clone();
    let owner = match wanted {
        Ok(wanted) => ask(&app, move |directory, _| directory.session(org, &wanted)).await.map(|it| it.user).ok(),
        Err(_) => None,
    };
    // Whoever may not end it is not told either whether it is there.
    if owner.is_none() || owner.as_ref() != herself(&caller) {
        caller.permit(Act::ChangeDirectory)?;
    }
    let session = session?;
    change(&app, &caller, move |directory, by, now| directory.revoke_session(by, org, &session, now)).await?;
    Ok(gone())
}
