//! `/v1/environments`: where resources are reached.

use std::sync::Arc;

use access::{Act, EnvironmentKind};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{Environment, EnvironmentId, Find};
use record::OrgId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::listing::{SearchQuery, created, gone, id, page_of, parameters};
use crate::app::App;
use crate::authority::person;
use crate::body_json::{self, Parsed};
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// An environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvironmentView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// What it is for: `development`, `staging`, `production`.
    kind: String,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
}

page_of! {
    /// Environments.
    EnvironmentPage, environments: EnvironmentView
}

/// An environment to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnvironment {
    /// Its name.
    name: String,
    /// What it is for: `development`, `staging`, `production`. This does not change.
    #[schema(value_type = String)]
    kind: Parsed<EnvironmentKind>,
}

/// What is to be different.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentPatch {
    /// The name.
    name: String,
}

impl EnvironmentView {
    fn of(environment: &Environment) -> EnvironmentView {
        EnvironmentView {
            id: environment.id.to_string(),
            name: environment.name.clone(),
            kind: environment.kind.to_string(),
            created_at: environment.created_at.to_string(),
        }
    }
}

/// Everybody who is signed in may know which environments there are.
fn permit_reading(caller: &Caller) -> Result<OrgId, Problem> {
    match person(caller) {
        Some(_) => Ok(caller.subject().org()),
        None => Ok(caller.permit(Act::ReadDirectory)?.org()),
    }
}

/// Lists environments by name.
#[utoipa::path(get, path = "/v1/environments", tag = "environments", operation_id = "listEnvironments", params(SearchQuery),
    responses((status = 200, description = "Environments", body = EnvironmentPage)))]
pub async fn list_environments(
    State(state): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = permit_reading(&caller)?;
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let find = Find { q: given.first("q").map(str::to_owned), only: None };
    let listed = ask(&state, move |directory, _| directory.environments(org, &find, paging.part())).await?;
    paging.answer("environments", &listed, EnvironmentView::of)
}

/// Creates an environment. No resource is there, and no grant reaches into it.
#[utoipa::path(post, path = "/v1/environments", tag = "environments", operation_id = "createEnvironment",
    request_body = NewEnvironment,
    responses(
        (status = 201, description = "The environment", body = EnvironmentView),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn create_environment(
    State(state): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let NewEnvironment { name, kind } = body_json::read(&state, &headers, body).await?;
    let made = change(&state, &caller, move |directory, by, now| directory.create_environment(by, org, &name, kind.0, now));
    created(&EnvironmentView::of(&made.await?))
}

/// Shows one environment.
#[utoipa::path(get, path = "/v1/environments/{environment_id}", tag = "environments", operation_id = "readEnvironment",
    params(("environment_id" = String, Path, description = "The environment's id")),
    responses(
        (status = 200, description = "The environment", body = EnvironmentView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_environment(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(environment): Path<String>,
) -> Result<Response, Problem> {
    let org = permit_reading(&caller)?;
    let environment: EnvironmentId = id(&environment, "environment")?;
    json(&EnvironmentView::of(&ask(&state, move |directory, _| directory.environment(org, &environment)).await?))
}

/// Renames an environment.
#[utoipa::path(patch, path = "/v1/environments/{environment_id}", tag = "environments", operation_id = "updateEnvironment",
    request_body = EnvironmentPatch, params(("environment_id" = String, Path, description = "The environment's id")),
    responses(
        (status = 200, description = "The environment", body = EnvironmentView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_environment(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(environment): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let environment: EnvironmentId = id(&environment, "environment")?;
    let EnvironmentPatch { name } = body_json::read(&state, &headers, body).await?;
    let changed =
        change(&state, &caller, move |directory, by, now| directory.rename_environment(by, org, &environment, &name, now));
    json(&EnvironmentView::of(&changed.await?))
}

/// Deletes an environment in which no resource is any more, with the grants on everything in it.
#[utoipa::path(delete, path = "/v1/environments/{environment_id}", tag = "environments", operation_id = "deleteEnvironment",
    params(("environment_id" = String, Path, description = "The environment's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "Resources are in it", body = Problem)))]
pub async fn delete_environment(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(environment): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let environment: EnvironmentId = id(&environment, "environment")?;
    change(&state, &caller, move |directory, by, now| directory.delete_environment(by, org, &environment, now)).await?;
    Ok(gone())
}
