//! `/v1/organization`: the caller's own, its name and its settings, and its end.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{Listed, Organization, OrganizationChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::listing::{PageQuery, page_of, parameters};
use crate::app::App;
use crate::body_json;
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationView {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What its log's origin is made of.
    pub log_id: String,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was archived, if it was.
    #[schema(format = DateTime)]
    pub archived_at: Option<String>,
    /// Whether everybody shows a second factor.
    pub second_factor_required: bool,
    /// Whether members see the events in which they are the actor or a target.
    pub members_see_own_events: bool,
    /// Whether members named `headers` are left out of every event's metadata.
    pub hide_headers: bool,
    /// Whether keys, tokens, passwords and card numbers are left out of every event.
    pub scrub_secrets: bool,
}

page_of! {
    /// Organizations.
    OrganizationPage, organizations: OrganizationView
}

/// What is to be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationPatch {
    /// The name.
    name: Option<String>,
    /// Whether everybody shows a second factor. Owners only.
    second_factor_required: Option<bool>,
    /// Whether members see the events in which they are the actor or a target.
    members_see_own_events: Option<bool>,
    /// Whether members named `headers` are left out of every event's metadata.
    hide_headers: Option<bool>,
    /// Whether keys, tokens, passwords and card numbers are left out of every event.
    scrub_secrets: Option<bool>,
}

/// To be sure.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveOrganization {
    /// The organization's name.
    name: String,
}

impl OrganizationView {
    /// As it is shown.
    pub fn of(organization: &Organization) -> OrganizationView {
        OrganizationView {
            id: u64::from(organization.id.0),
            name: organization.name.clone(),
            log_id: organization.log_id.clone(),
            created_at: organization.created_at.to_string(),
            archived_at: organization.archived_at.map(|at| at.to_string()),
            second_factor_required: organization.settings.second_factor_required,
            members_see_own_events: organization.settings.members_see_own_events,
            hide_headers: organization.settings.hide_headers,
            scrub_secrets: organization.settings.scrub_secrets,
        }
    }
}

/// Shows the caller's organization.
#[utoipa::path(get, path = "/v1/organization", tag = "organization", operation_id = "readOrganization",
    responses((status = 200, description = "The organization", body = OrganizationView)))]
pub async fn read_organization(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    json(&OrganizationView::of(&ask(&app, move |directory, _| directory.organization(org)).await?))
}

/// Lists the organizations that the caller may know of: her own.
#[utoipa::path(get, path = "/v1/organizations", tag = "organization", operation_id = "listOrganizations", params(PageQuery),
    responses((status = 200, description = "The caller's organization", body = OrganizationPage)))]
pub async fn list_organizations(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (_, paging) = parameters(query.as_deref(), &[])?;
    let own = ask(&app, move |directory, _| directory.organization(org)).await?;
    let items = if paging.part().offset == 0 { vec![own] } else { Vec::new() };
    paging.answer("organizations", &Listed { items, total: 1 }, OrganizationView::of)
}

/// Changes the organization's name and settings.
#[utoipa::path(patch, path = "/v1/organization", tag = "organization", operation_id = "updateOrganization",
    request_body = OrganizationPatch,
    responses(
        (status = 200, description = "The organization as it is now", body = OrganizationView),
        (status = 403, description = "What you may not change, or not without showing that it is you", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_organization(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let patch: OrganizationPatch = body_json::read(&app, &headers, body).await?;
    if patch.second_factor_required.is_some() {
        caller.permit(Act::ManageOrganization)?;
        caller.confirmed(app.now())?;
    }
    if patch.hide_headers.or(patch.scrub_secrets).is_some() {
        caller.permit(Act::ConfigureLog)?;
    }
    let changed = change(&app, &caller, move |directory, by, now| {
        let change = OrganizationChange {
            name: patch.name.as_deref(),
            second_factor_required: patch.second_factor_required,
            members_see_own_events: patch.members_see_own_events,
            hide_headers: patch.hide_headers,
            scrub_secrets: patch.scrub_secrets,
        };
        directory.update_organization(by, org, change, now)
    });
    json(&OrganizationView::of(&changed.await?))
}

/// Ends the organization: sessions end, keys and sign-ins are refused from now on. Its log stays.
#[utoipa::path(post, path = "/v1/organization/archive", tag = "organization", operation_id = "archiveOrganization",
    request_body = ArchiveOrganization,
    responses(
        (status = 200, description = "The organization as it is now", body = OrganizationView),
        (status = 403, description = "For owners, after showing that it is they", body = Problem),
        (status = 422, description = "The name is another", body = Problem)))]
pub async fn archive_organization(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ManageOrganization)?.org();
    caller.confirmed(app.now())?;
    let ArchiveOrganization { name } = body_json::read(&app, &headers, body).await?;
    let archived = change(&app, &caller, move |directory, by, now| directory.archive_organization(by, org, &name, now));
    json(&OrganizationView::of(&archived.await?))
}
