//! `/v1/role-assignments`: roles that were given to somebody.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::{Act, Masked, Narrowing};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{
    Assignment, AssignmentFilter, AssignmentId, GroupId, HeldAssignment, NewAssignment, Principal, RoleName,
    ServiceAccountId, UserId,
};
use record::{TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::events::json;
use super::listing::{created, gone, id, page_of, parameter, parameters};
use crate::app::App;
use crate::body_json::{self, Parsed};
use crate::changing::{ask, change};
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};

/// A role that was given to somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentView {
    /// Its id.
    pub id: String,
    /// The role: a built-in one's name, another's id.
    pub role: String,
    /// The role's name.
    pub role_name: String,
    /// To whom.
    pub subject: SubjectView,
    /// The one team in which it holds; everywhere in the organization without one.
    pub team: Option<String>,
    /// How far its view of the log goes; all of it without one.
    pub narrowing: Option<NarrowingView>,
    /// The id of whoever gave it.
    pub assigned_by: String,
    /// When.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// From when on it holds no more.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// Who was given a role.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectView {
    /// user, service_account or group.
    pub r#type: &'static str,
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
}

/// A role that somebody holds, and how she comes by it.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldView {
    /// The role as it was given.
    #[serde(flatten)]
    pub assignment: AssignmentView,
    /// The ids of the groups that lead to it, from the one that she is in; none if she was given it herself.
    pub through: Vec<String>,
}

/// How far a role's view of the log goes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NarrowingView {
    /// The titles of the categories that are shown; all if there are none here.
    #[serde(default)]
    pub categories: BTreeSet<String>,
    /// Nothing is shown that occurred before.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Nothing is shown that occurred after.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// What is hidden of the events that are shown: ip, user_agent, email, name, metadata, changes.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub masked: BTreeSet<Masked>,
}

page_of! {
    /// Role assignments.
    AssignmentPage, role_assignments: AssignmentView
}

/// The parameters of the list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `parameters` reads")]
pub struct AssignmentQuery {
    /// Given to this user herself.
    user: Option<String>,
    /// Given to this service account itself.
    service_account: Option<String>,
    /// Given to this group itself.
    group: Option<String>,
    /// A built-in role's name, another's id.
    role: Option<String>,
    /// Given in this team.
    team: Option<String>,
    /// The page, from 1.
    page: Option<u64>,
    /// Role assignments on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

/// A role to be given, to exactly one of `user`, `service_account` and `group`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAssignmentBody {
    /// A built-in role's name, another's id.
    role: String,
    /// To this user.
    #[schema(value_type = Option<String>)]
    user: Option<Parsed<UserId>>,
    /// To this service account.
    #[schema(value_type = Option<String>)]
    service_account: Option<Parsed<ServiceAccountId>>,
    /// To this group.
    #[schema(value_type = Option<String>)]
    group: Option<Parsed<GroupId>>,
    /// In this team, if not everywhere in the organization.
    #[schema(value_type = Option<String>)]
    team: Option<TeamId>,
    /// From when on it is to hold no more.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// How far its view of the log is to go. Only for roles that read the log.
    narrowing: Option<NarrowingView>,
}

impl AssignmentView {
    /// As it is shown.
    pub fn of(assignment: &Assignment) -> AssignmentView {
        let narrowing = (!assignment.narrowing.is_nothing()).then(|| assignment.narrowing.clone());
        AssignmentView {
            id: assignment.id.to_string(),
            role: assignment.role.key().to_owned(),
            role_name: assignment.role.name().to_owned(),
            subject: SubjectView {
                r#type: assignment.principal.kind(),
                id: assignment.principal.to_string(),
                name: assignment.principal_name.clone(),
            },
            team: assignment.team.as_ref().map(TeamId::to_string),
            narrowing: narrowing.map(|Narrowing { categories, from, to, masked }| NarrowingView {
                categories,
                from,
                to,
                masked,
            }),
            assigned_by: assignment.assigned_by.clone(),
            created_at: assignment.created_at.to_string(),
            expires_at: assignment.expires_at.map(|at| at.to_string()),
        }
    }
}

impl HeldView {
    /// As it is shown.
    pub fn of(held: &HeldAssignment) -> HeldView {
        HeldView {
            assignment: AssignmentView::of(&held.assignment),
            through: held.through.iter().map(ToString::to_string).collect(),
        }
    }
}

impl NewAssignmentBody {
    fn read(self) -> Result<NewAssignment, Problem> {
        let user = self.user.map(|Parsed(id)| Principal::User(id));
        let account = self.service_account.map(|Parsed(id)| Principal::ServiceAccount(id));
        let group = self.group.map(|Parsed(id)| Principal::Group(id));
        let mut given = [user, account, group].into_iter().flatten();
        let (Some(principal), None) = (given.next(), given.next()) else {
            let detail = "is given to exactly one of user, service_account and group".to_owned();
            let error = FieldError { pointer: Some("/user".to_owned()), parameter: None, detail };
            return Err(Problem::invalid(vec![error]));
        };
        let narrowing =
            self.narrowing.map(|NarrowingView { categories, from, to, masked }| Narrowing { categories, from, to, masked });
        Ok(NewAssignment {
            role: RoleName::parse(&self.role)?,
            principal,
            team: self.team,
            narrowing: narrowing.unwrap_or_default(),
            expires_at: self.expires_at,
        })
    }
}

fn filter(given: &Given) -> Result<AssignmentFilter, Problem> {
    let user = parameter(given, "user")?.map(Principal::User);
    let account = parameter(given, "service_account")?.map(Principal::ServiceAccount);
    let group = parameter(given, "group")?.map(Principal::Group);
    let mut named = [user, account, group].into_iter().flatten();
    let principal = named.next();
    if named.next().is_some() {
        let detail = "goes with neither of the others of user, service_account and group";
        return Err(Problem::invalid(vec![FieldError::parameter("user", detail)]));
    }
    let team = |text| TeamId::new(text).map_err(|_| FieldError::parameter("team", "is no team's id"));
    let team = given.first("team").map(team).transpose().map_err(|error| Problem::invalid(vec![error]))?;
    let role = |text| RoleName::parse(text).map_err(|error| FieldError::parameter("role", error.to_string()));
    let role = given.first("role").map(role).transpose().map_err(|error| Problem::invalid(vec![error]))?;
    Ok(AssignmentFilter { principal, role, team })
}

/// Lists the role assignments that hold now, the oldest first.
#[utoipa::path(get, path = "/v1/role-assignments", tag = "roles", operation_id = "listRoleAssignments",
    params(AssignmentQuery), responses((status = 200, description = "Role assignments", body = AssignmentPage)))]
pub async fn list_role_assignments(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (given, paging) = parameters(query.as_deref(), &["user", "service_account", "group", "role", "team"])?;
    let filter = filter(&given)?;
    let listed = ask(&app, move |directory, now| directory.list_assignments(org, &filter, paging.part(), now)).await?;
    paging.answer("role_assignments", &listed, AssignmentView::of)
}

/// Gives a role. Nobody gives one that permits more than she is permitted.
#[utoipa::path(post, path = "/v1/role-assignments", tag = "roles", operation_id = "createRoleAssignment",
    request_body = NewAssignmentBody,
    responses(
        (status = 201, description = "The role assignment", body = AssignmentView),
        (status = 403, description = "It permits more than you hold, or she is above you", body = Problem),
        (status = 404, description = "There is no such user, service account, group, role or team", body = Problem),
        (status = 409, description = "She has it already", body = Problem),
        (status = 422, description = "What does not go together", body = Problem)))]
pub async fn create_role_assignment(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let new = body_json::read::<NewAssignmentBody>(&app, &headers, body).await?.read()?;
    let given = change(&app, &caller, move |directory, by, now| directory.create_assignment(by, org, new, now)).await?;
    created(&AssignmentView::of(&given))
}

/// Shows one role assignment.
#[utoipa::path(get, path = "/v1/role-assignments/{assignment_id}", tag = "roles", operation_id = "readRoleAssignment",
    params(("assignment_id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The role assignment", body = AssignmentView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_role_assignment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(assignment): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let assignment: AssignmentId = id(&assignment, "role assignment")?;
    json(&AssignmentView::of(&ask(&app, move |directory, _| directory.assignment(org, &assignment)).await?))
}

/// Takes a role away.
#[utoipa::path(delete, path = "/v1/role-assignments/{assignment_id}", tag = "roles",
    operation_id = "deleteRoleAssignment", params(("assignment_id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "She is above you", body = Problem),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_role_assignment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(assignment): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let assignment: AssignmentId = id(&assignment, "role assignment")?;
    change(&app, &caller, move |directory, by, now| directory.delete_assignment(by, org, &assignment, now)).await?;
    Ok(gone())
}
