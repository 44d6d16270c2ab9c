//! `GET /v1/redactions/{redaction_id}`.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, State};
use axum::response::Response;

use super::RedactionView;
use crate::api::events::json;
use crate::app::{App, blocking};
use crate::permit::Caller;
use crate::problem::Problem;

/// Shows a redaction rule.
#[utoipa::path(
    get, path = "/v1/redactions/{redaction_id}", tag = "redactions", operation_id = "readRedaction",
    params(("redaction_id" = String, Path, description = "The rule's id")),
    responses(
        (status = 200, description = "The rule", body = RedactionView<'static>),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn read_redaction(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let id = super::id(&id)?;
    let found = blocking(move || app.directory.redaction(org, &id)).await??;
    json(&RedactionView::of(&found))
}
