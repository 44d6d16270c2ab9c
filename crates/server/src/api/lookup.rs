//! `GET /v1/who-can` and `GET /v1/what-can`: who may do this, and what somebody may do, with the reasons.

use std::sync::Arc;

use access::{Act, Permission};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use policy::{Able, Circumstances, Held, Model, Object, Principal};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::authorize::{ReasonView, permit_asking};
use super::listing::{page_of, parameter, parameters};
use super::naming::{Subject, THING, Thing};
use crate::app::{App, blocking};
use crate::authority::{circumstances, model, person};
use crate::looks;
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};

/// Somebody whom a grant or a role permits it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AbleView {
    /// Who.
    principal: Subject,
    /// Her name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whether she may: `false` if a guardrail stops her.
    allowed: bool,
    /// What permits it, and then what stops her.
    reasons: Vec<ReasonView>,
}

page_of! {
    /// Those who may.
    AblePage, principals: AbleView
}

/// What somebody may do with one object.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldView {
    /// The object.
    object: Thing,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What she may do with it.
    permissions: Vec<&'static str>,
    /// What is permitted, and a guardrail stops.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stopped: Vec<StoppedView>,
    /// What permits it.
    reasons: Vec<ReasonView>,
}

/// What a guardrail stops.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoppedView {
    /// The permission.
    permission: &'static str,
    /// The guardrails.
    reasons: Vec<ReasonView>,
}

page_of! {
    /// What somebody may do.
    HeldPage, objects: HeldView
}

/// The parameters of who-can.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what is read of the query")]
pub struct WhoQuery {
    /// The permission: `app:run`, …
    permission: String,
    /// The object: an app's id. The same: `workflow`, `folder`, `team`, `resource` with `environment`, `organization=true`.
    app: Option<String>,
    /// The app that a query of a resource comes from.
    via_app: Option<String>,
    /// The page, from 1.
    page: Option<u64>,
    /// Principals on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

/// The parameters of what-can.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what is read of the query")]
pub struct WhatQuery {
    /// A user's id; or `service_account`.
    user: Option<String>,
    /// A service account's id.
    service_account: Option<String>,
    /// The page, from 1.
    page: Option<u64>,
    /// Objects on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

impl AbleView {
    fn of(model: &Model, able: &Able) -> AbleView {
        let (kind, id) = match &able.principal {
            Principal::User(id) => (access::SubjectKind::User, id),
            Principal::ServiceAccount(id) => (access::SubjectKind::ServiceAccount, id),
        };
        AbleView {
            principal: Subject::of(kind, id),
            name: model.subject_name(kind, id).map(str::to_owned),
            allowed: able.allowed,
            reasons: able.why.iter().map(ReasonView::of).collect(),
        }
    }
}

impl HeldView {
    fn of(model: &Model, held: &Held) -> HeldView {
        let stopped = held.stopped.iter().map(|(permission, reasons)| StoppedView {
            permission: permission.as_str(),
            reasons: reasons.iter().map(ReasonView::of).collect(),
        });
        HeldView {
            object: Thing::of(&held.object),
            name: model.object_name(&held.object).map(str::to_owned),
            permissions: held.permissions.iter().map(|permission| permission.as_str()).collect(),
            stopped: stopped.collect(),
            reasons: held.why.iter().map(ReasonView::of).collect(),
        }
    }
}

/// Lists everybody whom a grant or a role permits it, with the reasons; also those whom a guardrail stops. Recorded in the log.
#[utoipa::path(get, path = "/v1/who-can", tag = "decisions", operation_id = "whoCan", params(WhoQuery),
    responses((status = 200, description = "Those who may", body = AblePage)))]
pub async fn who_can(State(state): State<Arc<App>>, caller: Caller, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (given, paging) = parameters(query.as_deref(), &[&["permission", "via_app"][..], &THING].concat())?;
    let permission: Permission = parameter(&given, "permission")?.ok_or_else(|| missing("permission", "is missing"))?;
    let object = Thing::given(&given).map_or(Ok(Object::Organization), |thing| thing.object(""))?;
    if !object.takes(permission) {
        let detail = format!("is about the {}, not about such an object", permission.object_kind());
        return Err(missing("permission", &detail));
    }
    let circumstances = Circumstances { via_app: given.first("via_app").map(Into::into), ..Circumstances::default() };
    let (model, now) = (model(&state, org).await?, state.now());
    let asked = model.clone();
    let able = blocking(move || asked.who_can(permission, &object, &circumstances, now)).await?;
    looks::note_permissions(&state, &caller, "who-can", &given).await;
    paging.answer("principals", &paging.part().of(able), |able| AbleView::of(&model, able))
}

/// Lists what a user or a service account may do, object by object, with the reasons: for whoever may read the directory, and
/// for a person about herself. Recorded in the log.
#[utoipa::path(get, path = "/v1/what-can", tag = "decisions", operation_id = "whatCan", params(WhatQuery),
    responses((status = 200, description = "What she may do", body = HeldPage)))]
pub async fn what_can(
    State(state): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (given, paging) = parameters(query.as_deref(), &["user", "service_account"])?;
    let Some((kind, id)) = Subject::given(&given)? else { return Err(missing("user", "is missing")) };
    let principal = Subject::of(kind, &id).principal("")?;
    permit_asking(&caller, std::iter::once(&principal))?;
    let (model, now) = (model(&state, caller.subject().org()).await?, state.now());
    if model.subject_name(kind, &id).is_none() {
        return Err(Problem::not_found(format!("There is no such {}.", kind.as_str().replace('_', " "))));
    }
    let said = if person(&caller).as_ref() == Some(&principal) { circumstances(&caller) } else { Circumstances::default() };
    let asked = model.clone();
    let held = blocking(move || asked.what_can(&principal, &said, now)).await?;
    looks::note_permissions(&state, &caller, "what-can", &given).await;
    paging.answer("objects", &paging.part().of(held), |held| HeldView::of(&model, held))
}

fn missing(name: &str, detail: &str) -> Problem {
    Problem::invalid(vec![FieldError::parameter(name, detail)])
}
