//! `GET /v1/redactions`.

use std::sync::Arc;

use access::Act;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::RedactionView;
use crate::api::events::json;
use crate::app::{App, blocking};
use crate::permit::Caller;
use crate::problem::Problem;

/// The rules of the organization, in the order in which they are applied.
#[derive(Debug, Serialize, ToSchema)]
pub struct RedactionList<'a> {
    /// The rules; 200 at most.
    redactions: Vec<RedactionView<'a>>,
    /// Whether headers are taken out of all events, by the organization's switch or the server's.
    hide_headers: bool,
    /// Whether keys, tokens, passwords and card numbers are taken out of all events.
    scrub_secrets: bool,
}

/// Lists the redaction rules, and what else is taken out.
#[utoipa::path(
    get, path = "/v1/redactions", tag = "redactions", operation_id = "listRedactions",
    responses((status = 200, description = "The rules, the oldest first", body = RedactionList<'static>)),
)]
pub async fn list_redactions(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    let scope = caller.permit(Act::ReadDirectory)?;
    let shared = app.clone();
    let (settings, redactions) = blocking(move || {
        let settings = shared.directory.organization(scope.org())?.settings;
        Ok::<_, Problem>((settings, shared.directory.redactions(scope.org())?))
    })
    .await??;
    json(&RedactionList {
        redactions: redactions.iter().map(RedactionView::of).collect(),
        hide_headers: settings.hide_headers || app.config.hide_all_headers_in_audit_log_events,
        scrub_secrets: settings.scrub_secrets,
    })
}
