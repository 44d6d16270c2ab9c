//! `/v1/roles`: names for permissions. Some are built in; the others an organization makes for itself.

use std::sync::Arc;

use access::{Act, BuiltInRole, Permission};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{CustomRole, NewRole, Part, RoleChange, RoleId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::listing::{SearchQuery, created, gone, id, page_of, parameters};
use crate::app::App;
use crate::body_json::{self, Parsed};
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// A role.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoleView {
    /// Its id; a built-in role's is its name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it permits where it is given.
    pub permissions: Vec<&'static str>,
    /// Whether every organization has it.
    pub built_in: bool,
    /// Whether it can only be given in a team.
    pub only_in_teams: bool,
    /// When it was made, if the organization made it.
    #[schema(format = DateTime)]
    pub created_at: Option<String>,
}

page_of! {
    /// Roles.
    RolePage, roles: RoleView
}

/// A role to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRoleBody {
    /// Its name.
    name: String,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// What it is to permit, by name: `app:run`. Not `resource:query`, `resource:adhoc_query`, `resource:write_query`,
    /// `resource:reveal_secret`, `organization:manage`.
    #[schema(value_type = Vec<String>)]
    permissions: Vec<Parsed<Permission>>,
}

/// What is to be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolePatch {
    /// The name.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// What it is to permit: all of it.
    #[schema(value_type = Option<Vec<String>>)]
    permissions: Option<Vec<Parsed<Permission>>>,
}

impl RoleView {
    fn of(role: &CustomRole) -> RoleView {
        RoleView {
            id: role.id.to_string(),
            name: role.name.clone(),
            description: role.description.clone(),
            permissions: role.permissions.iter().map(|permission| permission.as_str()).collect(),
            built_in: false,
            only_in_teams: false,
            created_at: Some(role.created_at.to_string()),
        }
    }

    fn built_in(role: BuiltInRole) -> RoleView {
        let description = match role {
            BuiltInRole::Auditor => "Reads, verifies and exports the log. In a team: that team's.",
            BuiltInRole::TeamAdmin => "Runs a team: its members, its apps, workflows and folders; reads its log.",
            BuiltInRole::TeamMember => "Belongs to a team and sees its things.",
            BuiltInRole::Builder => "Builds and releases apps and workflows. Touches no data: that needs a grant.",
            BuiltInRole::Operator => "Runs apps and workflows.",
            BuiltInRole::Viewer => "Sees apps and workflows.",
        };
        RoleView {
            id: role.to_string(),
            name: role.to_string(),
            description: description.to_owned(),
            permissions: role.permissions().into_iter().map(Permission::as_str).collect(),
            built_in: true,
            only_in_teams: role.is_for_teams(),
            created_at: None,
        }
    }
}

/// Lists roles: the built-in ones first, then those that the organization made, by name.
#[utoipa::path(get, path = "/v1/roles", tag = "roles", operation_id = "listRoles", params(SearchQuery),
    responses((status = 200, description = "Roles", body = RolePage)))]
pub async fn list_roles(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let text = given.first("q").unwrap_or_default().trim().to_lowercase();
    let built_in = BuiltInRole::ALL.iter().filter(|role| role.as_str().contains(&text));
    let mut all: Vec<RoleView> = built_in.map(|role| RoleView::built_in(*role)).collect();
    let own = ask(&app, move |directory, _| directory.list_roles(org, Some(&text), Part::ALL)).await?;
    all.extend(own.items.iter().map(RoleView::of));
    paging.answer("roles", &paging.part().of(all), RoleView::clone)
}

/// Makes a role. Nobody makes one that permits more than she is permitted.
#[utoipa::path(post, path = "/v1/roles", tag = "roles", operation_id = "createRole", request_body = NewRoleBody,
    responses(
        (status = 201, description = "The role", body = RoleView),
        (status = 403, description = "It would permit more than you hold", body = Problem),
        (status = 409, description = "The name is taken", body = Problem),
        (status = 422, description = "A permission that no role gives", body = Problem)))]
pub async fn create_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let new: NewRoleBody = body_json::read(&app, &headers, body).await?;
    let role = change(&app, &caller, move |directory, by, now| {
        let permissions = body_json::values(new.permissions);
        directory.create_role(by, org, NewRole { name: &new.name, description: &new.description, permissions }, now)
    });
    created(&RoleView::of(&role.await?))
}

/// Shows one role, by its id; a built-in one by its name.
#[utoipa::path(get, path = "/v1/roles/{role_id}", tag = "roles", operation_id = "readRole",
    params(("role_id" = String, Path, description = "The role's id, or a built-in role's name")),
    responses(
        (status = 200, description = "The role", body = RoleView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_role(State(app): State<Arc<App>>, caller: Caller, Path(role): Path<String>) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    if let Ok(role) = role.parse::<BuiltInRole>() {
        return json(&RoleView::built_in(role));
    }
    let role: RoleId = id(&role, "role")?;
    json(&RoleView::of(&ask(&app, move |directory, _| directory.role(org, &role)).await?))
}

/// Changes a role, and with it what everybody is permitted to whom it was given.
#[utoipa::path(patch, path = "/v1/roles/{role_id}", tag = "roles", operation_id = "updateRole", request_body = RolePatch,
    params(("role_id" = String, Path, description = "The role's id")),
    responses(
        (status = 200, description = "The role as it is now", body = RoleView),
        (status = 403, description = "It would permit more than you hold", body = Problem),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem),
        (status = 422, description = "A permission that no role gives", body = Problem)))]
pub async fn update_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(role): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let role: RoleId = id(&role, "role that can be changed")?;
    let patch: RolePatch = body_json::read(&app, &headers, body).await?;
    let changed = change(&app, &caller, move |directory, by, now| {
        let change = RoleChange {
            name: patch.name.as_deref(),
            description: patch.description.as_deref(),
            permissions: patch.permissions.map(body_json::values),
        };
        directory.update_role(by, org, &role, change, now)
    });
    json(&RoleView::of(&changed.await?))
}

/// Deletes a role that nobody has.
#[utoipa::path(delete, path = "/v1/roles/{role_id}", tag = "roles", operation_id = "deleteRole",
    params(("role_id" = String, Path, description = "The role's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "Somebody has it", body = Problem)))]
pub async fn delete_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(role): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let role: RoleId = id(&role, "role that can be deleted")?;
    change(&app, &caller, move |directory, by, now| directory.delete_role(by, org, &role, now)).await?;
    Ok(gone())
}
