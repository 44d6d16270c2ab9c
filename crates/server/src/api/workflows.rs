//! `/v1/workflows`: what runs by itself.

use std::sync::Arc;

use access::{Act, ObjectKind, Permission};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{Find, ThingChange, WorkflowId};
use policy::Object;
use serde::Serialize;
use utoipa::ToSchema;

use super::events::json;
use super::listing::{SearchQuery, created, gone, id, page_of, parameters};
use super::thing::{NewThing, ThingPatch, new_place, permit_move, place};
use crate::app::App;
use crate::authority::{permit, permit_key, permit_place, permit_seeing, seen};
use crate::body_json;
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// A workflow.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The folder that it lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    /// The team that it lies in, if it lies in no folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// Whether it runs.
    enabled: bool,
    /// When a version of it was last released.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    released_at: Option<String>,
    /// When it was archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    archived_at: Option<String>,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
}

page_of! {
    /// Workflows.
    WorkflowPage, workflows: WorkflowView
}

impl WorkflowView {
    fn of(workflow: &directory::Workflow) -> WorkflowView {
        WorkflowView {
            id: workflow.id.to_string(),
            name: workflow.name.clone(),
            folder: workflow.place.folder.as_ref().map(ToString::to_string),
            team: workflow.place.team.as_ref().map(ToString::to_string),
            enabled: workflow.enabled,
            released_at: workflow.released_at.map(|at| at.to_string()),
            archived_at: workflow.archived_at.map(|at| at.to_string()),
            created_at: workflow.created_at.to_string(),
        }
    }
}

fn object(id: &WorkflowId) -> Object {
    Object::Workflow(id.as_str().into())
}

/// Lists the workflows that the caller may see, by name.
#[utoipa::path(get, path = "/v1/workflows", tag = "workflows", operation_id = "listWorkflows", params(SearchQuery),
    responses((status = 200, description = "Workflows", body = WorkflowPage)))]
pub async fn list_workflows(
    State(state): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let (org, only) = seen(&state, &caller, ObjectKind::Workflow).await?;
    let find = Find { q: given.first("q").map(str::to_owned), only };
    let listed = ask(&state, move |directory, _| directory.workflows(org, &find, paging.part())).await?;
    paging.answer("workflows", &listed, WorkflowView::of)
}

/// Creates a workflow: for administrators, and for whoever may change the folder or manages the team that it is to lie in.
#[utoipa::path(post, path = "/v1/workflows", tag = "workflows", operation_id = "createWorkflow", request_body = NewThing,
    responses(
        (status = 201, description = "The workflow", body = WorkflowView),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn create_workflow(
    State(state): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    permit_key(&caller, Act::ChangeDirectory)?;
    let NewThing { name, folder, team } = body_json::read(&state, &headers, body).await?;
    let place = place(folder, team);
    let org = permit_place(&state, &caller, &place).await?;
    let workflow =
        change(&state, &caller, move |directory, by, now| directory.create_workflow(by, org, &name, &place, now)).await?;
    created(&WorkflowView::of(&workflow))
}

/// Shows one workflow.
#[utoipa::path(get, path = "/v1/workflows/{workflow_id}", tag = "workflows", operation_id = "readWorkflow",
    params(("workflow_id" = String, Path, description = "The workflow's id")),
    responses(
        (status = 200, description = "The workflow", body = WorkflowView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_workflow(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(workflow): Path<String>,
) -> Result<Response, Problem> {
    let workflow: WorkflowId = id(&workflow, "workflow")?;
    let org = permit_seeing(&state, &caller, &object(&workflow)).await?;
    json(&WorkflowView::of(&ask(&state, move |directory, _| directory.workflow(org, &workflow)).await?))
}

/// Renames, moves or archives a workflow.
#[utoipa::path(patch, path = "/v1/workflows/{workflow_id}", tag = "workflows", operation_id = "updateWorkflow", request_body = ThingPatch,
    params(("workflow_id" = String, Path, description = "The workflow's id")),
    responses(
        (status = 200, description = "The workflow", body = WorkflowView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_workflow(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(workflow): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let workflow: WorkflowId = id(&workflow, "workflow")?;
    let org = permit(&state, &caller, Act::ChangeDirectory, Permission::WorkflowEdit, &object(&workflow)).await?;
    let ThingPatch { name, folder, team, archived } = body_json::read(&state, &headers, body).await?;
    let place = new_place(folder, team);
    permit_move(&state, &caller, Permission::WorkflowMove, &object(&workflow), place.as_ref()).await?;
    let changed = change(&state, &caller, move |directory, by, now| {
        directory.change_workflow(by, org, &workflow, &ThingChange { name: name.as_deref(), place, archived }, now)
    });
    json(&WorkflowView::of(&changed.await?))
}

/// Notes that a version of a workflow was released.
#[utoipa::path(post, path = "/v1/workflows/{workflow_id}/release", tag = "workflows", operation_id = "releaseWorkflow",
    params(("workflow_id" = String, Path, description = "The workflow's id")),
    responses(
        (status = 200, description = "The workflow", body = WorkflowView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn release_workflow(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(workflow): Path<String>,
) -> Result<Response, Problem> {
    let workflow: WorkflowId = id(&workflow, "workflow")?;
    let org = permit(&state, &caller, Act::ChangeDirectory, Permission::WorkflowRelease, &object(&workflow)).await?;
    let released =
        change(&state, &caller, move |directory, by, now| directory.release_workflow(by, org, &workflow, now)).await?;
    json(&WorkflowView::of(&released))
}

/// Lets a workflow run.
#[utoipa::path(post, path = "/v1/workflows/{workflow_id}/enable", tag = "workflows", operation_id = "enableWorkflow",
    params(("workflow_id" = String, Path, description = "The workflow's id")),
    responses(
        (status = 200, description = "The workflow", body = WorkflowView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn enable_workflow(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(workflow): Path<String>,
) -> Result<Response, Problem> {
    set_enabled(&state, &caller, &workflow, true).await
}

/// Keeps a workflow from running.
#[utoipa::path(post, path = "/v1/workflows/{workflow_id}/disable", tag = "workflows", operation_id = "disableWorkflow",
    params(("workflow_id" = String, Path, description = "The workflow's id")),
    responses(
        (status = 200, description = "The workflow", body = WorkflowView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn disable_workflow(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(workflow): Path<String>,
) -> Result<Response, Problem> {
    set_enabled(&state, &caller, &workflow, false).await
}

async fn set_enabled(state: &Arc<App>, caller: &Caller, workflow: &str, enabled: bool) -> Result<Response, Problem> {
    let workflow: WorkflowId = id(workflow, "workflow")?;
    let org = permit(state, caller, Act::ChangeDirectory, Permission::WorkflowEnable, &object(&workflow)).await?;
    let changed =
        change(state, caller, move |directory, by, now| directory.set_workflow_enabled(by, org, &workflow, enabled, now));
    json(&WorkflowView::of(&changed.await?))
}

/// Deletes a workflow and the grants on it.
#[utoipa::path(delete, path = "/v1/workflows/{workflow_id}", tag = "workflows", operation_id = "deleteWorkflow",
    params(("workflow_id" = String, Path, description = "The workflow's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_workflow(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(workflow): Path<String>,
) -> Result<Response, Problem> {
    let workflow: WorkflowId = id(&workflow, "workflow")?;
    let org = permit(&state, &caller, Act::ChangeDirectory, Permission::WorkflowDelete, &object(&workflow)).await?;
    change(&state, &caller, move |directory, by, now| directory.delete_workflow(by, org, &workflow, now)).await?;
    Ok(gone())
}
