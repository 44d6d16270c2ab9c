//! `/v1/groups/{group_id}/members`: who is in a group.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{GroupId, Member, Principal, ServiceAccountId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::events::json;
use crate::api::listing::{id, page_of, parameter, parameters};
use crate::api::users::Step;
use crate::app::App;
use crate::body_json::{self, Parsed};
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// Somebody in a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView {
    /// user, service_account or group.
    pub r#type: &'static str,
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// A user's e-mail address.
    pub email: Option<String>,
    /// When she was added to the group that she is in directly.
    #[schema(format = DateTime)]
    pub added_at: String,
    /// The groups that lead to her, from this one to the one that she is in directly.
    pub through: Vec<Step>,
}

page_of! {
    /// Members.
    MemberPage, members: MemberView
}

/// The parameters of the list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `parameters` reads")]
pub struct MemberQuery {
    /// Whether members of groups in the group are listed, too; each once, by the shortest way.
    all: Option<bool>,
    /// The page, from 1.
    page: Option<u64>,
    /// Members on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

/// Who is to be in a group, or in it no more; at most 200 in all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersBody {
    /// Ids of users.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    users: Vec<Parsed<UserId>>,
    /// Ids of service accounts.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    service_accounts: Vec<Parsed<ServiceAccountId>>,
    /// Ids of groups.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    groups: Vec<Parsed<GroupId>>,
}

/// How many that made a difference for.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembersChanged {
    /// Members that were not in the group before, or are not any more.
    pub changed: usize,
}

impl MemberView {
    fn of(member: &Member) -> MemberView {
        MemberView {
            r#type: member.principal.kind(),
            id: member.principal.to_string(),
            name: member.name.clone(),
            email: member.email.clone(),
            added_at: member.added_at.to_string(),
            through: Step::all(&member.through),
        }
    }
}

impl MembersBody {
    fn principals(self) -> Vec<Principal> {
        let users = self.users.into_iter().map(|Parsed(id)| Principal::User(id));
        let accounts = self.service_accounts.into_iter().map(|Parsed(id)| Principal::ServiceAccount(id));
        let groups = self.groups.into_iter().map(|Parsed(id)| Principal::Group(id));
        users.chain(accounts).chain(groups).collect()
    }
}

/// Lists who is in a group: directly, or with `all=true` through others, too.
#[utoipa::path(get, path = "/v1/groups/{group_id}/members", tag = "groups", operation_id = "listGroupMembers",
    params(("group_id" = String, Path, description = "The group's id"), MemberQuery),
    responses(
        (status = 200, description = "Members", body = MemberPage),
        (status = 404, description = "There is no such group", body = Problem)))]
pub async fn list_group_members(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(group): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let group: GroupId = id(&group, "group")?;
    let (given, paging) = parameters(query.as_deref(), &["all"])?;
    let all = parameter(&given, "all")?.unwrap_or(false);
    let listed = ask(&app, move |directory, _| directory.group_members(org, &group, all, paging.part())).await?;
    paging.answer("members", &listed, MemberView::of)
}

/// Adds members. Whoever is in the group already stays. Nobody adds to a group that permits more than she is permitted.
#[utoipa::path(post, path = "/v1/groups/{group_id}/members", tag = "groups", operation_id = "addGroupMembers",
    request_body = MembersBody, params(("group_id" = String, Path, description = "The group's id")),
    responses(
        (status = 200, description = "How many were added", body = MembersChanged),
        (status = 403, description = "The group permits more than you hold", body = Problem),
        (status = 404, description = "There is no such group, or no such member", body = Problem),
        (status = 422, description = "A group would be in itself, or too deep", body = Problem)))]
pub async fn add_group_members(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(group): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let group: GroupId = id(&group, "group")?;
    let members = body_json::read::<MembersBody>(&app, &headers, body).await?.principals();
    let added = change(&app, &caller, move |directory, by, now| directory.add_group_members(by, org, &group, &members, now));
    json(&MembersChanged { changed: added.await? })
}

/// Takes members out. Whoever is not in the group is passed over.
#[utoipa::path(delete, path = "/v1/groups/{group_id}/members", tag = "groups", operation_id = "removeGroupMembers",
    request_body = MembersBody, params(("group_id" = String, Path, description = "The group's id")),
    responses(
        (status = 200, description = "How many were taken out", body = MembersChanged),
        (status = 404, description = "There is no such group, or no such member", body = Problem)))]
pub async fn remove_group_members(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(group): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let group: GroupId = id(&group, "group")?;
    let members = body_json::read::<MembersBody>(&app, &headers, body).await?.principals();
    let removed =
        change(&app, &caller, move |directory, by, now| directory.remove_group_members(by, org, &group, &members, now));
    json(&MembersChanged { changed: removed.await? })
}
