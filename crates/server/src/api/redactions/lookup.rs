//! `POST /v1/redactions/lookup`: how many events hold a value that is kept as a hash.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use record::Json;
use record::redact::hash_of;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Filter, Page};
use utoipa::ToSchema;

use crate::api::events::json;
use crate::app::App;
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};
use crate::request_id::RequestId;
use crate::{body_json, looks, redaction};

/// A value that may stand in events as a hash.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Any JSON value, as it was sent.
    #[schema(value_type = serde_json::Value)]
    value: Box<RawValue>,
}

/// How a value stands in the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lookup {
    /// What stands in its place. Search for it (`q`) to see the events.
    hash: String,
    /// How many events hold it, of those that you may see. Exact.
    total: u64,
}

/// Looks a value up that rules keep as a hash. The value itself goes nowhere; that somebody looked for its hash is recorded.
#[utoipa::path(
    post, path = "/v1/redactions/lookup", tag = "redactions", operation_id = "lookUpRedacted",
    request_body = Wanted,
    responses((status = 200, description = "Its hash, and how many events hold it", body = Lookup)),
)]
pub async fn look_up_redacted(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.permit(Act::ReadDirectory)?;
    let scope = caller.permit(Act::Read)?;
    let wanted: Wanted = body_json::read(&app, &headers, body).await?;
    let value = text(&wanted.value, app.limits.metadata_depth)?;
    let hash = hash_of(&redaction::door(&app, scope.org()).await?.sent.hash_key, value.as_bytes());
    let given = Given(vec![("q".to_owned(), hash.clone())]);
    looks::note(&app, &caller, "api", &given, Some(request_id.as_str())).await;
    let filter = Filter { words: vec![hash.clone()], ..Filter::default() };
    let rows = app.reading(move |_, log| log.query(&scope, &filter, Page { offset: 0, limit: 1 })).await??;
    json(&Lookup { hash, total: rows.total })
}

/// What is hashed of a value: a string's own text, and any other value's as it is recorded.
fn text(value: &RawValue, depth_max: usize) -> Result<String, Problem> {
    if let Ok(text) = serde_json::from_str::<String>(value.get()) {
        return Ok(text);
    }
    Json::check(value, depth_max).map(|json| json.as_str().to_owned()).map_err(|e| {
        let error = FieldError { pointer: Some("/value".to_owned()), parameter: None, detail: e.to_string() };
        Problem::invalid(vec![error])
    })
}
