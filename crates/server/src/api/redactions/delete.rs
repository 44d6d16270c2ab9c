//! `DELETE /v1/redactions/{redaction_id}`.

use std::sync::Arc;

use access::Act;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::app::App;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// Deletes a redaction rule. What it took out stays out: it is nowhere.
#[utoipa::path(
    delete, path = "/v1/redactions/{redaction_id}", tag = "redactions", operation_id = "deleteRedaction",
    params(("redaction_id" = String, Path, description = "The rule's id")),
    responses(
        (status = 204, description = "It is deleted"),
        (status = 404, description = "There is none", body = Problem)),
)]
pub async fn delete_redaction(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    change(&app, &caller, move |directory, by, now| directory.delete_redaction(by, org, &id, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
