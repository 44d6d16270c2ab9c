//! `POST /v1/redactions`.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use directory::RedactionRule;
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

/// A redaction rule to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRedaction {
    /// What it is called.
    name: String,
    /// Which events it is for; all if absent.
    #[serde(default)]
    #[schema(value_type = Option<WhenView>)]
    when: When,
    /// The members that it takes out: RFC 6901 pointers in which `*` stands for any one member or element.
    #[schema(value_type = Vec<String>, example = json!(["/metadata/params/*", "/context/ip"]))]
    members: Vec<MemberPath>,
    /// `hide` leaves `[redacted]`, `hash` a keyed hash that the value can be looked up by.
    #[schema(value_type = String, example = "hide")]
    how: How,
}

/// Makes a redaction rule. It holds for events that are sent from now on.
#[utoipa::path(
    post, path = "/v1/redactions", tag = "redactions", operation_id = "createRedaction",
    request_body = NewRedaction,
    responses(
        (status = 201, description = "The rule", body = RedactionView<'static>),
        (status = 409, description = "There is one of that name, or there are 200", body = Problem),
        (status = 422, description = "Not valid; `errors` names the members", body = Problem)),
)]
pub async fn create_redaction(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let NewRedaction { name, when, members, how } = body_json::read(&app, &headers, body).await?;
    let rule = RedactionRule { when, members, how };
    let made =
        change(&app, &caller, move |directory, by, now| directory.create_redaction(by, org, &name, rule, now)).await?;
    Ok((StatusCode::CREATED, json(&RedactionView::of(&made))?).into_response())
}
