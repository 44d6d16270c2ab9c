//! Who looks at a page. Whoever is not signed in is sent to where she can.

use std::borrow::Borrow;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use directory::{ChangedBy, SignedIn};
use record::Timestamp;

use super::links;
use crate::app::App;
use crate::permit::{self, Caller, Who};
use crate::problem::Problem;

/// A signed-in person in front of a page.
#[derive(Debug)]
pub(super) struct Viewer {
    /// As `permit` knows her.
    pub(super) caller: Caller,
    /// Her session.
    pub(super) signed_in: SignedIn,
}

/// The same for the few pages that somebody may see who lacks the second factor that her organization asks for.
#[derive(Debug)]
pub(super) struct LimitedViewer(pub(super) Viewer);

impl Viewer {
    async fn find(parts: &mut Parts, app: &Arc<App>, limited: bool) -> Result<Viewer, Problem> {
        let Ok(from) = permit::From::from_request_parts(parts, app).await;
        let Some(token) = permit::session_token(app, &parts.headers) else {
            return Err(Problem::unauthenticated("You are not signed in."));
        };
        let signed_in = if limited { permit::any_session(app, token).await? } else { permit::session(app, token).await? };
        let caller = Caller { who: Who::Person(Box::new(signed_in.clone())), from };
        Ok(Viewer { caller, signed_in })
    }

    async fn find_or_lead(parts: &mut Parts, app: &Arc<App>, limited: bool) -> Result<Viewer, Response> {
        // After signing in, a page can be shown; a form that was sent cannot be sent again.
        let next =
            (parts.method == Method::GET).then(|| parts.uri.path_and_query().map(|it| it.as_str().to_owned())).flatten();
        Viewer::find(parts, app, limited).await.map_err(|problem| match problem.status {
            401 => Redirect::to(&links::sign_in(next.as_deref())).into_response(),
            _ if problem.kind == permit::SECOND_FACTOR_NEEDED => Redirect::to(links::SECOND_FACTOR).into_response(),
            _ => problem.into_response(),
        })
    }

    /// Whether she has shown within the last minutes that it is still she; if not, the way to where she can, and back.
    pub(super) fn confirmed(&self, now: Timestamp, next: &str) -> Result<(), Response> {
        self.caller.confirmed(now).map_err(|_| Redirect::to(&links::confirm(next)).into_response())
    }

    /// She, as whoever changes the directory.
    pub(super) fn by(&self) -> ChangedBy {
        self.caller.changed_by()
    }
}

impl Borrow<Viewer> for LimitedViewer {
    fn borrow(&self) -> &Viewer {
        &self.0
    }
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Viewer, Response> {
        Viewer::find_or_lead(parts, app, false).await
    }
}

impl FromRequestParts<Arc<App>> for LimitedViewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<LimitedViewer, Response> {
        Viewer::find_or_lead(parts, app, true).await.map(LimitedViewer)
    }
}
