//! `/v1/service-accounts`: actors that are no person.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{ServiceAccount, ServiceAccountId, UserStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::listing::{SearchQuery, created, gone, id, page_of, parameters};
use crate::app::App;
use crate::body_json;
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// A service account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceAccountView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// active or disabled.
    pub status: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

page_of! {
    /// Service accounts.
    ServiceAccountPage, service_accounts: ServiceAccountView
}

/// A service account's name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountBody {
    /// The name.
    name: String,
}

impl ServiceAccountView {
    fn of(account: &ServiceAccount) -> ServiceAccountView {
        ServiceAccountView {
            id: account.id.to_string(),
            name: account.name.clone(),
            status: account.status.to_string(),
            created_at: account.created_at.to_string(),
        }
    }
}

/// Lists service accounts by name.
#[utoipa::path(get, path = "/v1/service-accounts", tag = "service accounts", operation_id = "listServiceAccounts",
    params(SearchQuery), responses((status = 200, description = "Service accounts", body = ServiceAccountPage)))]
pub async fn list_service_accounts(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (given, paging) = parameters(query.as_deref(), &["q"])?;
    let listed =
        ask(&app, move |directory, _| directory.list_service_accounts(org, given.first("q"), paging.part())).await?;
    paging.answer("service_accounts", &listed, ServiceAccountView::of)
}

/// Creates a service account.
#[utoipa::path(post, path = "/v1/service-accounts", tag = "service accounts", operation_id = "createServiceAccount",
    request_body = ServiceAccountBody,
    responses(
        (status = 201, description = "The service account", body = ServiceAccountView),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn create_service_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let ServiceAccountBody { name } = body_json::read(&app, &headers, body).await?;
    let account = change(&app, &caller, move |directory, by, now| directory.create_service_account(by, org, &name, now));
    created(&ServiceAccountView::of(&account.await?))
}

/// Shows one service account.
#[utoipa::path(get, path = "/v1/service-accounts/{account_id}", tag = "service accounts",
    operation_id = "readServiceAccount", params(("account_id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The service account", body = ServiceAccountView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_service_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let account: ServiceAccountId = id(&account, "service account")?;
    json(&ServiceAccountView::of(&ask(&app, move |directory, _| directory.service_account(org, &account)).await?))
}

/// Gives a service account another name.
#[utoipa::path(patch, path = "/v1/service-accounts/{account_id}", tag = "service accounts",
    operation_id = "updateServiceAccount", request_body = ServiceAccountBody,
    params(("account_id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The service account as it is now", body = ServiceAccountView),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "The name is taken", body = Problem)))]
pub async fn update_service_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let account: ServiceAccountId = id(&account, "service account")?;
    let ServiceAccountBody { name } = body_json::read(&app, &headers, body).await?;
    let renamed =
        change(&app, &caller, move |directory, by, now| directory.rename_service_account(by, org, &account, &name, now));
    json(&ServiceAccountView::of(&renamed.await?))
}

/// Refuses a service account's keys from now on.
#[utoipa::path(post, path = "/v1/service-accounts/{account_id}/disable", tag = "service accounts",
    operation_id = "disableServiceAccount", params(("account_id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The service account as it is now", body = ServiceAccountView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn disable_service_account(
    app: State<Arc<App>>,
    caller: Caller,
    account: Path<String>,
) -> Result<Response, Problem> {
    set_status(app, caller, account, UserStatus::Disabled).await
}

/// Accepts a service account's keys again.
#[utoipa::path(post, path = "/v1/service-accounts/{account_id}/enable", tag = "service accounts",
    operation_id = "enableServiceAccount", params(("account_id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The service account as it is now", body = ServiceAccountView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn enable_service_account(
    app: State<Arc<App>>,
    caller: Caller,
    account: Path<String>,
) -> Result<Response, Problem> {
    set_status(app, caller, account, UserStatus::Active).await
}

async fn set_status(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
    status: UserStatus,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let account: ServiceAccountId = id(&account, "service account")?;
    let changed = change(&app, &caller, move |directory, by, now| {
        directory.set_service_account_status(by, org, &account, status, now)
    });
    json(&ServiceAccountView::of(&changed.await?))
}

/// Deletes a service account that has no valid key. Its memberships, roles and grants go with it.
#[utoipa::path(delete, path = "/v1/service-accounts/{account_id}", tag = "service accounts",
    operation_id = "deleteServiceAccount", params(("account_id" = String, Path, description = "Its id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none", body = Problem),
        (status = 409, description = "It has valid keys", body = Problem)))]
pub async fn delete_service_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let account: ServiceAccountId = id(&account, "service account")?;
    change(&app, &caller, move |directory, by, now| directory.delete_service_account(by, org, &account, now)).await?;
    Ok(gone())
}
