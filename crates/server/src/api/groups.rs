//! `/v1/groups`: who is given roles and grants together.

pub mod members;

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{Group, GroupChange, GroupCounts, GroupId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::listing::{SearchQuery, created, gone, id, page_of, parameters};
use crate::app::App;
use crate::body_json;
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// A group, with how much is in it and how much it was given.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeGroup {
    /// It.
    #[serde(flatten)]
    pub group: GroupView,
    /// Users in it.
    pub users: u64,
    /// Service accounts in it.
    pub service_accounts: u64,
    /// Groups in it.
    pub groups: u64,
    /// Roles that it was given.
    pub role_assignments: u64,
    /// Grants that it was given.
    pub grants: u64,
}

page_of! {
    /// Groups.
    GroupPage, groups: GroupView
}

/// A group to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Its name.
    name: String,
    /// What it is for.
    #[serde(default)]
    description: String,
}

/// What is to be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupPatch {
    /// The name.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
}

impl GroupView {
    fn of(group: &Group) -> GroupView {
        GroupView {
            id: group.id.to_string(),
            name: group.name.clone(),
            description: group.description.clone(),
            created_at: group.created_at.to_string(),
        }
    }
}

impl WholeGroup {
    fn of(group: &Group, counts: GroupCounts) -> WholeGroup {
        WholeGroup {
            group: GroupView::of(group),
            users: counts.users,
            service_accounts: counts.service_accounts,
            groups: counts.groups,
            role_assignments: counts.role_assignments,
            grants: counts.grants,
        }
    }
}

/// Lists groups by name.
#[utoipa::path(get, path = "/v1/groups", tag = "groups", operation_id = "listGroups", params(SearchQuery),
    responses((status = 200, description = "Groups", body = GroupPage)))]
pub async fn list_groups(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let listed = ask(&app, move |directory, _| directory.list_groups(org, given.first("q"), paging.part())).await?;
    paging.answer("groups", &listed, GroupView::of)
}

/// Creates a group with nobody in it.
#[utoipa::path(post, path = "/v1/groups", tag = "groups", operation_id = "createGroup", request_body = NewGroup,
    responses(
        (status = 201, description = "The group", body = GroupView),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn create_group(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let NewGroup { name, description } = body_json::read(&app, &headers, body).await?;
    let group = change(&app, &caller, move |directory, by, now| directory.create_group(by, org, &name, &description, now));
    created(&GroupView::of(&group.await?))
}

/// Shows one group, with how much is in it.
#[utoipa::path(get, path = "/v1/groups/{group_id}", tag = "groups", operation_id = "readGroup",
    params(("group_id" = String, Path, description = "The group's id")),
    responses(
        (status = 200, description = "The group", body = WholeGroup),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_group(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(group): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let group: GroupId = id(&group, "group")?;
    let (group, counts) =
        ask(&app, move |directory, _| Ok((directory.group(org, &group)?, directory.group_counts(org, &group)?))).await?;
    json(&WholeGroup::of(&group, counts))
}

/// Gives a group another name or description.
#[utoipa::path(patch, path = "/v1/groups/{group_id}", tag = "groups", operation_id = "updateGroup",
    request_body = GroupPatch, params(("group_id" = String, Path, description = "The group's id")),
    responses(
        (status = 200, description = "The group as it is now", body = GroupView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_group(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(group): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let group: GroupId = id(&group, "group")?;
    let patch: GroupPatch = body_json::read(&app, &headers, body).await?;
    let changed = change(&app, &caller, move |directory, by, now| {
        let change = GroupChange { name: patch.name.as_deref(), description: patch.description.as_deref() };
        directory.update_group(by, org, &group, change, now)
    });
    json(&GroupView::of(&changed.await?))
}

/// Deletes a group. Nobody in it is deleted; its memberships, roles and grants are.
#[utoipa::path(delete, path = "/v1/groups/{group_id}", tag = "groups", operation_id = "deleteGroup",
    params(("group_id" = String, Path, description = "The group's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_group(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(group): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let group: GroupId = id(&group, "group")?;
    change(&app, &caller, move |directory, by, now| directory.delete_group(by, org, &group, now)).await?;
    Ok(gone())
}
