//! `PATCH /v1/redactions/{redaction_id}`.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::RedactionChange;
use record::redact::{How, MemberPath, When};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RedactionView, WhenView};
use crate::api::events::json;
use crate::app::App;
use crate::body_json;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// What is to be changed of a redaction rule. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedRedaction {
    /// What it is called.
    name: Option<String>,
    /// Which events it is for, all parts of it.
    #[schema(value_type = Option<WhenView>)]
    when: Option<When>,
    /// The members that it takes out, all of them.
    #[schema(value_type = Option<Vec<String>>)]
    members: Option<Vec<MemberPath>>,
    /// `hide` or `hash`.
    #[schema(value_type = Option<String>)]
    how: Option<How>,
}

/// Changes a redaction rule, for events that are sent from now on. What was taken out before stays out.
#[utoipa::path(
    patch, path = "/v1/redactions/{redaction_id}", tag = "redactions", operation_id = "updateRedaction",
    params(("redaction_id" = String, Path, description = "The rule's id")),
    request_body = ChangedRedaction,
    responses(
        (status = 200, description = "The rule", body = RedactionView<'static>),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "There is another of that name", body = Problem),
        (status = 422, description = "Not valid; `errors` names the members", body = Problem)),
)]
pub async fn update_redaction(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let id = super::id(&id)?;
    let ChangedRedaction { name, when, members, how } = body_json::read(&app, &headers, body).await?;
    let wanted = RedactionChange { name, when, members, how };
    let update = change(&app, &caller, move |directory, by, now| directory.update_redaction(by, org, &id, wanted, now));
    json(&RedactionView::of(&update.await?))
}
