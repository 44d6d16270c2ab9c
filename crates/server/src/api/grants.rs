//! `/v1/grants`: who may do how much with what.

use std::sync::Arc;

use access::{Act, GrantObject, Level, Permission, SubjectKind};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use directory::{Grant, GrantFind, GrantId, GroupId, NewGrant, Part, Principal as Member};
use policy::{Beneficiary, Circumstances, Object, Request};
use record::{OrgId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::events::json;
use super::listing::{created, gone, id, page_of, parameters};
use super::naming::{Subject, THING, Thing};
use crate::app::App;
use crate::authority::{circumstances, holds_level, model, permit_key, person, refused};
use crate::body_json::{self, Parsed};
use crate::changing::{ask, change};
use crate::permit::{Caller, Who};
use crate::problem::Problem;

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView {
    /// Its id.
    id: String,
    /// To whom.
    subject: Subject,
    /// How much: `use`, `edit`, `own`; each includes the one before.
    level: String,
    /// With what.
    object: Thing,
    /// The id of whoever granted it.
    granted_by: String,
    /// When it was granted.
    #[schema(format = DateTime)]
    created_at: String,
    /// From when on it does not hold any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

page_of! {
    /// Grants.
    GrantPage, grants: GrantView
}

/// A grant to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantBody {
    /// To whom.
    subject: Subject,
    /// How much: `use`, `edit`, `own`.
    #[schema(value_type = String)]
    level: Parsed<Level>,
    /// With what.
    object: Thing,
    /// From when on it does not hold any more; in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// The parameters of the list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what is read of the query")]
pub struct GrantQuery {
    /// Only this user's, directly.
    user: Option<String>,
    /// Only this service account's, directly.
    service_account: Option<String>,
    /// Only this group's, directly.
    group: Option<String>,
    /// Only those on this app. The same: `workflow`, `folder`, `team`, `resource` with `environment`, `all`.
    app: Option<String>,
    /// The page, from 1.
    page: Option<u64>,
    /// Grants on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

impl GrantView {
    fn of(grant: &Grant) -> GrantView {
        GrantView {
            id: grant.id.to_string(),
            subject: Subject::of(grant.subject, &grant.subject_id),
            level: grant.level.to_string(),
            object: Thing::granted(&grant.object),
            granted_by: grant.granted_by.clone(),
            created_at: grant.created_at.to_string(),
            expires_at: grant.expires_at.map(|at| at.to_string()),
        }
    }
}

/// Lists grants, the oldest first. Whoever may not read the directory sees her own, and those on what she may share.
#[utoipa::path(get, path = "/v1/grants", tag = "grants", operation_id = "listGrants", params(GrantQuery),
    responses((status = 200, description = "Grants", body = GrantPage)))]
pub async fn list_grants(
    State(state): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let names = [&["user", "service_account", "group"][..], &THING].concat();
    let (given, paging) = parameters(query.as_deref(), &names)?;
    let object = Thing::given(&given).map(|thing| thing.grant_object("")).transpose()?;
    let find = GrantFind { subject: Subject::given(&given)?, object, only: None };
    let org = permit_listing(&state, &caller, &find).await?;
    let listed = ask(&state, move |directory, _| directory.grants(org, &find, paging.part())).await?;
    paging.answer("grants", &listed, GrantView::of)
}

/// Grants: for whoever may share the object, and no more than she holds; for administrators any level; never to oneself.
#[utoipa::path(post, path = "/v1/grants", tag = "grants", operation_id = "createGrant", request_body = GrantBody,
    responses(
        (status = 201, description = "The grant", body = GrantView),
        (status = 403, description = "The caller may not grant this, or not so much", body = Problem),
        (status = 409, description = "There is one on this for the same subject", body = Problem)))]
pub async fn create_grant(
    State(state): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    permit_key(&caller, Act::ChangeDirectory)?;
    let GrantBody { subject, level, object, expires_at } = body_json::read(&state, &headers, body).await?;
    let (subject, subject_id) = subject.named("/subject")?;
    let new = NewGrant { subject, subject_id, level: level.0, object: object.grant_object("/object")?, expires_at };
    let org = permit_granting(&state, &caller, &new.object, Some((new.subject, &new.subject_id, new.level))).await?;
    let grant = change(&state, &caller, move |directory, by, now| directory.create_grant(by, org, &new, now)).await?;
    created(&GrantView::of(&grant))
}

/// Shows one grant.
#[utoipa::path(get, path = "/v1/grants/{grant_id}", tag = "grants", operation_id = "readGrant",
    params(("grant_id" = String, Path, description = "The grant's id")),
    responses(
        (status = 200, description = "The grant", body = GrantView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_grant(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(grant): Path<String>,
) -> Result<Response, Problem> {
    let grant = known(&state, &caller, &grant).await?;
    json(&GrantView::of(&grant))
}

/// Takes a grant back: for whoever may grant on the object.
#[utoipa::path(delete, path = "/v1/grants/{grant_id}", tag = "grants", operation_id = "deleteGrant",
    params(("grant_id" = String, Path, description = "The grant's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_grant(
    State(state): State<Arc<App>>,
    caller: Caller,
    Path(grant): Path<String>,
) -> Result<Response, Problem> {
    let grant = known(&state, &caller, &grant).await?;
    let org = permit_granting(&state, &caller, &grant.object, None).await?;
    change(&state, &caller, move |directory, by, now| directory.delete_grant(by, org, &grant.id, now)).await?;
    Ok(gone())
}

/// The grant, if the caller may know of it.
async fn known(state: &Arc<App>, caller: &Caller, grant: &str) -> Result<Grant, Problem> {
    let grant: GrantId = id(grant, "grant")?;
    let org = caller.subject().org();
    let find = match person(caller) {
        None => caller.permit(Act::ReadDirectory).map(|_| None)?,
        Some(_) => Some(()),
    };
    let grant = ask(state, move |directory, _| directory.grant(org, &grant)).await?;
    if find.is_some() {
        let subject = Some((grant.subject, grant.subject_id.clone()));
        let mine = permit_listing(state, caller, &GrantFind { subject, ..GrantFind::default() }).await;
        let object = GrantFind { object: Some(grant.object.clone()), ..GrantFind::default() };
        if mine.is_err() && permit_listing(state, caller, &object).await.is_err() {
            return Err(Problem::not_found("There is no such grant."));
        }
    }
    Ok(grant)
}

/// Whoever may read the directory; others for their own grants, and for those on what they may share.
async fn permit_listing(state: &Arc<App>, caller: &Caller, find: &GrantFind) -> Result<OrgId, Problem> {
    let denied = match caller.permit(Act::ReadDirectory) {
        Ok(scope) => return Ok(scope.org()),
        Err(denied) => denied,
    };
    let org = caller.subject().org();
    let own = person(caller).is_some_and(|me| {
        let policy::Principal::User(me) = me else { return false };
        find.subject.as_ref().is_some_and(|(kind, id)| *kind == SubjectKind::User && **id == *me)
    });
    match &find.object {
        _ if own => Ok(org),
        Some(object) => permit_granting(state, caller, object, None).await,
        None => Err(denied),
    }
}

/// Lets through whoever may grant on the object. `to`: whom, and how much; nobody grants more than she holds, but
/// administrators, who grant to others what they do not hold themselves. What guardrails say holds for them, too.
async fn permit_granting(
    state: &Arc<App>,
    caller: &Caller,
    object: &GrantObject,
    to: Option<(SubjectKind, &str, Level)>,
) -> Result<OrgId, Problem> {
    let administers = caller.permit(Act::ChangeDirectory);
    let Some(principal) = person(caller) else { return Ok(administers?.org()) };
    let org = caller.subject().org();
    if administers.is_ok() && to.is_none() {
        // To take back is always possible, from what is archived, too.
        return Ok(org);
    }
    let (permission, object) = sharing(object);
    if object == Object::Organization {
        administers.as_ref().map_err(Clone::clone)?;
    }
    // Of all apps, workflows or folders a group that she is in may be granted, as of a single one.
    let beneficiary = to.and_then(|(kind, id, _)| match kind {
        SubjectKind::User => Some(Beneficiary::User(id.into())),
        SubjectKind::ServiceAccount => Some(Beneficiary::ServiceAccount(id.into())),
        SubjectKind::Group => {
            (object.kind() != access::ObjectKind::Organization || permission.1).then(|| Beneficiary::Group(id.into()))
        }
    });
    let model = model(state, org).await?;
    let circumstances = Circumstances { beneficiary, ..circumstances(caller) };
    let request = Request { principal, permission: permission.0, object, circumstances };
    let decision = model.decide(&request, state.now());
    if !decision.allowed {
        return Err(refused(&decision));
    }
    if let (Err(_), Some((_, _, level))) = (&administers, to)
        && !holds_level(state, &model, &request.principal, level, &request.object)
    {
        let detail = format!("You do not hold the level {level} on this yourself, and cannot grant more than you hold.");
        return Err(Problem::new(StatusCode::FORBIDDEN, "denied", "Not allowed", detail));
    }
    Ok(org)
}

/// Lets through whoever may add these members to a group, as far as the group's grants go, and those of the groups above it: to
/// add somebody is to grant her all that. Nobody adds herself, or a group that she is in, to one that has data.
pub async fn permit_adding(state: &Arc<App>, caller: &Caller, group: &GroupId, members: &[Member]) -> Result<(), Problem> {
    // A key that may change the directory counts as an admin, and is in no group.
    let Some(principal) = person(caller) else { return Ok(()) };
    let org = caller.subject().org();
    let Who::Person(signed_in) = &caller.who else { return Ok(()) };
    let (me, into) = (Member::User(signed_in.user.id.clone()), Member::Group(group.clone()));
    let (grants, mine) = ask(state, move |directory, now| {
        let mut groups = vec![into.clone()];
        groups.extend(directory.memberships(org, &into)?.into_iter().map(|above| Member::Group(above.group)));
        let mut grants = Vec::new();
        for group in groups {
            let find = GrantFind { subject: Some((SubjectKind::Group, group.id().to_owned())), ..GrantFind::default() };
            let held = directory.grants(org, &find, Part::ALL)?.items;
            grants.extend(held.into_iter().filter(|grant| grant.expires_at.is_none_or(|end| end > now)));
        }
        let above = directory.memberships(org, &me)?.into_iter().map(|above| Member::Group(above.group));
        let mine: Vec<Member> = above.chain([me]).collect();
        Ok((grants, mine))
    })
    .await?;
    if grants.is_empty() {
        return Ok(());
    }
    let to_herself = || members.iter().filter(|member| mine.contains(member));
    let model = model(state, org).await?;
    for grant in grants {
        let ((permission, is_data), object) = sharing(&grant.object);
        let may_share = model.is_given(&principal, permission, &object, state.now());
        if !may_share && !holds_level(state, &model, &principal, grant.level, &object) {
            let detail = "The group was granted what you neither hold nor may share, so you cannot add to it.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "denied", "Not allowed", detail));
        }
        for member in to_herself().filter(|_| is_data) {
            let beneficiary = Some(match member {
                Member::Group(id) => Beneficiary::Group(id.as_str().into()),
                other => Beneficiary::User(other.id().into()),
            });
            let (principal, object) = (principal.clone(), object.clone());
            let circumstances = Circumstances { beneficiary, ..circumstances(caller) };
            let decision = model.decide(&Request { principal, permission, object, circumstances }, state.now());
            if !decision.allowed {
                return Err(refused(&decision));
            }
        }
    }
    Ok(())
}

/// The permission to share it, and on what it is asked; whether all data of an environment is meant.
fn sharing(object: &GrantObject) -> ((Permission, bool), Object) {
    match object {
        GrantObject::App(id) => ((Permission::AppShare, false), Object::App(id.as_str().into())),
        GrantObject::Workflow(id) => ((Permission::WorkflowShare, false), Object::Workflow(id.as_str().into())),
        GrantObject::Folder(id) => ((Permission::FolderShare, false), Object::Folder(id.as_str().into())),
        GrantObject::Team(id) => ((Permission::TeamManage, false), Object::Team(id.as_str().into())),
        GrantObject::Resource { resource, environment } => (
            (Permission::ResourceShare, true),
            Object::Resource { resource: resource.as_str().into(), environment: environment.as_str().into() },
        ),
        GrantObject::AllApps | GrantObject::AllWorkflows | GrantObject::AllFolders => {
            ((Permission::DirectoryChange, false), Object::Organization)
        }
        GrantObject::AllResources { .. } => ((Permission::DirectoryChange, true), Object::Organization),
    }
}
