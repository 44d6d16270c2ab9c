//! `/v1/resources`: what apps and workflows work on, and in which environments it is there.

use std::sync::Arc;

use access::{Act, ObjectKind, Permission};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{EnvironmentId, Find, FolderId, ResourceEnvironment, ResourceId, ThingChange};
use policy::Object;
use record::{OrgId, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::listing::{SearchQuery, created, gone, id, page_of, parameters};
use super::thing::{ThingPatch, new_place, place};
use crate::app::App;
use crate::authority::{permit, permit_key, permit_place, permit_seeing, seen};
use crate::body_json::{self, Parsed};
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// A resource.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResourceView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// What it is, in the platform's words: `postgresql`, `restapi`.
    kind: String,
    /// The folder that it lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    /// The team that it lies in, if it lies in no folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// In which environments it is there.
    environments: Vec<EntryView>,
    /// When it was archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    archived_at: Option<String>,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A resource in one environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// The environment's id.
    environment: String,
    /// Whether its data there asks for more care.
    sensitive: bool,
}

/// A resource in one environment, as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEntry {
    /// Whether its data there asks for more care.
    #[serde(default)]
    sensitive: bool,
}

impl EntryView {
    fn of(entry: &ResourceEnvironment) -> EntryView {
        EntryView { environment: entry.environment.to_string(), sensitive: entry.sensitive }
    }
}

page_of! {
    /// Resources.
    ResourcePage, resources: ResourceView
}

/// A resource to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewResource {
    /// Its name.
    name: String,
    /// What it is, in the platform's words: `postgresql`, `restapi`.
    kind: String,
    /// The folder that it is to lie in.
    #[schema(value_type = Option<String>)]
    folder: Option<Parsed<FolderId>>,
    /// The team that it is to lie in, if in no folder.
    #[schema(value_type = Option<String>)]
    team: Option<TeamId>,
}

impl ResourceView {
    fn of(resource: &directory::Resource) -> ResourceView {
        ResourceView {
            id: resource.id.to_string(),
            name: resource.name.clone(),
            kind: resource.kind.clone(),
            folder: resource.place.folder.as_ref().map(ToString::to_string),
            team: resource.place.team.as_ref().map(ToString::to_string),
            environments: resource.environments.iter().map(EntryView::of).collect(),
            archived_at: resource.archived_at.map(|at| at.to_string()),
            created_at: resource.created_at.to_string(),
        }
    }
}

/// As a whole, for whom may see it.
fn object(id: &ResourceId) -> Object {
    Object::Resource { resource: id.as_str().into(), environment: "".into() }
}

/// Lists the resources that the caller may see, by name.
#[utoipa::path(get, path = "/v1/resources", tag = "resources", operation_id = "listResources", params(SearchQuery),
    responses((status = 200, description = "Resources", body = ResourcePage)))]
pub async fn list_resources(
    State(state): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let (org, only) = seen(&state, &caller, ObjectKind::Resource).await?;
    let find = Find { q: given.first("q").map(str::to_owned), only };
    let listed = ask(&state, move |directory, _| directory.resources(org, &find, paging.part())).await?;
    paging.answer("resources", &listed, ResourceView::of)
}

/// Creates a resource: for administrators, and for whoever may change the folder or manages the team that it is to lie in.
#[utoipa::path(post, path = "/v1/resources", tag = "resources", operation_id = "createResource", request_body = NewResource,
    responses(
        (status = 201, description = "The resource", body = ResourceView),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn create_resource(
    State(state): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    permit_key(&caller, Act::ChangeDirectory)?;
    let NewResource { name, kind, folder, team } = body_json::read(&state, &headers, body).await?;
    let place = place(folder, team);
    let org = permit_place(&state, &caller, &place).await?;
    let resource =
        change(&state, &caller, move |directory, by, now| directory.create_resource(by, org, &name, &kind, &place, now))
            .await?;
    created(&ResourceView::of(&resource))
}

/// Shows one resource.
#[utoipa::path(get, path = "/v1/resources/{resource_id}", tag = "resources", operation_id = "readResource",
    params(("resource_id" = String, Path, description = "The resource's id")),
    responses(
        (status = 200, description = "The resource", body = ResourceView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_resource(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(resource): Path<String>,
) -> Result<Response, Problem> {
    let resource: ResourceId = id(&resource, "resource")?;
    let org = permit_seeing(&state, &caller, &object(&resource)).await?;
    json(&ResourceView::of(&ask(&state, move |directory, _| directory.resource(org, &resource)).await?))
}

/// Renames, moves or archives a resource: for administrators.
#[utoipa::path(patch, path = "/v1/resources/{resource_id}", tag = "resources", operation_id = "updateResource", request_body = ThingPatch,
    params(("resource_id" = String, Path, description = "The resource's id")),
    responses(
        (status = 200, description = "The resource", body = ResourceView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_resource(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(resource): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let resource: ResourceId = id(&resource, "resource")?;
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let ThingPatch { name, folder, team, archived } = body_json::read(&state, &headers, body).await?;
    let place = new_place(folder, team);
    let changed = change(&state, &caller, move |directory, by, now| {
        directory.change_resource(by, org, &resource, &ThingChange { name: name.as_deref(), place, archived }, now)
    });
    json(&ResourceView::of(&changed.await?))
}

/// Deletes a resource in all its environments, and the grants on it: for administrators.
#[utoipa::path(delete, path = "/v1/resources/{resource_id}", tag = "resources", operation_id = "deleteResource",
    params(("resource_id" = String, Path, description = "The resource's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_resource(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(resource): Path<String>,
) -> Result<Response, Problem> {
    let resource: ResourceId = id(&resource, "resource")?;
    let org = caller.permit(Act::ChangeDirectory)?.org();
    change(&state, &caller, move |directory, by, now| directory.delete_resource(by, org, &resource, now)).await?;
    Ok(gone())
}

/// Puts a resource into an environment, or changes whether its data there is sensitive. Nobody is granted it there by that.
#[utoipa::path(put, path = "/v1/resources/{resource_id}/environments/{environment_id}", tag = "resources",
    operation_id = "putResourceEnvironment", request_body = NewEntry,
    params(
        ("resource_id" = String, Path, description = "The resource's id"),
        ("environment_id" = String, Path, description = "The environment's id")),
    responses(
        (status = 200, description = "The resource", body = ResourceView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn put_entry(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path((resource, environment)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let resource: ResourceId = id(&resource, "resource")?;
    let environment: EnvironmentId = id(&environment, "environment")?;
    let org = permit_configuring(&state, &caller, &resource, &environment).await?;
    let NewEntry { sensitive } = body_json::read(&state, &headers, body).await?;
    let changed = change(&state, &caller, move |directory, by, now| {
        directory.put_resource_environment(by, org, &resource, &ResourceEnvironment { environment, sensitive }, now)
    });
    json(&ResourceView::of(&changed.await?))
}

/// Takes a resource out of an environment, with the grants on it there.
#[utoipa::path(delete, path = "/v1/resources/{resource_id}/environments/{environment_id}", tag = "resources",
    operation_id = "deleteResourceEnvironment",
    params(
        ("resource_id" = String, Path, description = "The resource's id"),
        ("environment_id" = String, Path, description = "The environment's id")),
    responses(
        (status = 200, description = "The resource", body = ResourceView),
        (status = 404, description = "There is none, or it is not there", body = Problem)))]
pub async fn delete_entry(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path((resource, environment)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let resource: ResourceId = id(&resource, "resource")?;
    let environment: EnvironmentId = id(&environment, "environment")?;
    let org = permit_configuring(&state, &caller, &resource, &environment).await?;
    let changed = change(&state, &caller, move |directory, by, now| {
        directory.delete_resource_environment(by, org, &resource, &environment, now)
    });
    json(&ResourceView::of(&changed.await?))
}

/// Administrators, and whoever may configure the resource there, if it is there.
async fn permit_configuring(
    state: &Arc<App>,
    caller: &Caller,
    resource: &ResourceId,
    environment: &EnvironmentId,
) -> Result<OrgId, Problem> {
    let object = Object::Resource { resource: resource.as_str().into(), environment: environment.as_str().into() };
    permit(state, caller, Act::ChangeDirectory, Permission::ResourceConfigure, &object).await
}
