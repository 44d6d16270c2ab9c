//! `/v1/teams`: the parts of an organization.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{AssignmentFilter, Team};
use record::TeamId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::listing::{PageQuery, SearchQuery, created, gone, page_of, parameters};
use super::role_assignments::{AssignmentPage, AssignmentView};
use crate::app::App;
use crate::body_json;
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// A team.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamView {
    /// Its id: what events name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
}

page_of! {
    /// Teams.
    TeamPage, teams: TeamView
}

/// A team to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    /// Its id, if your applications have a word for it already.
    #[schema(value_type = Option<String>)]
    id: Option<TeamId>,
    /// Its name.
    name: String,
}

/// What is to be different.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamPatch {
    /// The name.
    name: String,
}

impl TeamView {
    fn of(team: &Team) -> TeamView {
        TeamView { id: team.id.to_string(), name: team.name.clone(), created_at: team.created_at.to_string() }
    }
}

fn team_id(text: &str) -> Result<TeamId, Problem> {
    TeamId::new(text).map_err(|_| Problem::not_found("There is no such team."))
}

/// Lists teams by name.
#[utoipa::path(get, path = "/v1/teams", tag = "teams", operation_id = "listTeams", params(SearchQuery),
    responses((status = 200, description = "Teams", body = TeamPage)))]
pub async fn list_teams(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let listed = ask(&app, move |directory, _| directory.list_teams(org, given.first("q"), paging.part())).await?;
    paging.answer("teams", &listed, TeamView::of)
}

/// Creates a team.
#[utoipa::path(post, path = "/v1/teams", tag = "teams", operation_id = "createTeam", request_body = NewTeam,
    responses(
        (status = 201, description = "The team", body = TeamView),
        (status = 409, description = "The id or the name is taken", body = Problem)))]
pub async fn create_team(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let NewTeam { id, name } = body_json::read(&app, &headers, body).await?;
    let team = change(&app, &caller, move |directory, by, now| directory.create_team(by, org, id, &name, now)).await?;
    created(&TeamView::of(&team))
}

/// Shows one team.
#[utoipa::path(get, path = "/v1/teams/{team_id}", tag = "teams", operation_id = "readTeam",
    params(("team_id" = String, Path, description = "The team's id")),
    responses(
        (status = 200, description = "The team", body = TeamView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_team(State(app): State<Arc<App>>, caller: Caller, Path(team): Path<String>) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let id = team_id(&team)?;
    json(&TeamView::of(&ask(&app, move |directory, _| directory.team(org, &id)).await?))
}

/// Gives a team another name.
#[utoipa::path(patch, path = "/v1/teams/{team_id}", tag = "teams", operation_id = "updateTeam", request_body = TeamPatch,
    params(("team_id" = String, Path, description = "The team's id")),
    responses(
        (status = 200, description = "The team as it is now", body = TeamView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(team): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let id = team_id(&team)?;
    let TeamPatch { name } = body_json::read(&app, &headers, body).await?;
    let team = change(&app, &caller, move |directory, by, now| directory.rename_team(by, org, &id, &name, now)).await?;
    json(&TeamView::of(&team))
}

/// Deletes a team that holds nothing. Roles that were given in it, and grants on it, go with it.
#[utoipa::path(delete, path = "/v1/teams/{team_id}", tag = "teams", operation_id = "deleteTeam",
    params(("team_id" = String, Path, description = "The team's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It holds something; the answer says what", body = Problem)))]
pub async fn delete_team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(team): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let id = team_id(&team)?;
    change(&app, &caller, move |directory, by, now| directory.delete_team(by, org, &id, now)).await?;
    Ok(gone())
}

/// Lists the roles that were given in a team.
#[utoipa::path(get, path = "/v1/teams/{team_id}/members", tag = "teams", operation_id = "listTeamMembers",
    params(("team_id" = String, Path, description = "The team's id"), PageQuery),
    responses(
        (status = 200, description = "Role assignments", body = AssignmentPage),
        (status = 404, description = "There is no such team", body = Problem)))]
pub async fn list_team_members(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(team): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let id = team_id(&team)?;
    let (_, paging) = parameters(query.as_deref(), &[])?;
    let listed = ask(&app, move |directory, now| {
        directory.team(org, &id)?;
        let filter = AssignmentFilter { team: Some(id), ..AssignmentFilter::default() };
        directory.list_assignments(org, &filter, paging.part(), now)
    });
    paging.answer("members", &listed.await?, AssignmentView::of)
}
