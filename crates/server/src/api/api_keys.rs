//! `/v1/api-keys`: how applications show who they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::{Act, KeyScope};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::{ApiKey, KeyId, NewApiKey, Secret, ServiceAccountId};
use record::{TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::events::json;
use super::listing::{created, gone, id, page_of, parameter, parameters};
use crate::app::App;
use crate::body_json::{self, Parsed};
use crate::changing::{ask, change};
use crate::permit::Caller;
use crate::problem::Problem;

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<&'static str>,
    /// The one team it is confined to.
    pub team: Option<String>,
    /// The service account it belongs to.
    pub service_account: Option<String>,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// From when on it is refused.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime)]
    pub revoked_at: Option<String>,
    /// When it was last used, to about five minutes.
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
}

/// A new API key, with its secret.
#[derive(Serialize, ToSchema)]
pub struct CreatedApiKey {
    /// It.
    #[serde(flatten)]
    pub key: ApiKeyView,
    /// What to send as `Authorization: Bearer …`. Shown this once.
    pub secret: String,
}

page_of! {
    /// API keys.
    ApiKeyPage, api_keys: ApiKeyView
}

/// The parameters of the list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `parameters` reads")]
pub struct ApiKeyQuery {
    /// Part of the name, without regard to case.
    q: Option<String>,
    /// The keys of this service account.
    service_account: Option<String>,
    /// The page, from 1.
    page: Option<u64>,
    /// Keys on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
}

/// A key to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKeyBody {
    /// What it is for.
    name: String,
    /// What it may do: events:write, events:read, events:export, directory:read, directory:write.
    #[schema(value_type = Vec<String>)]
    scopes: BTreeSet<KeyScope>,
    /// The one team to confine it to.
    #[schema(value_type = Option<String>)]
    team: Option<TeamId>,
    /// The service account it is to belong to.
    #[schema(value_type = Option<String>)]
    service_account: Option<Parsed<ServiceAccountId>>,
    /// From when on it is to be refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for CreatedApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}

impl ApiKeyView {
    /// As it is shown.
    pub fn of(key: &ApiKey) -> ApiKeyView {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        ApiKeyView {
            id: key.id.to_string(),
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
            team: key.team.as_ref().map(TeamId::to_string),
            service_account: key.service_account.as_ref().map(ServiceAccountId::to_string),
            created_at: key.created_at.to_string(),
            expires_at: time(key.expires_at),
            revoked_at: time(key.revoked_at),
            last_used_at: time(key.last_used_at),
        }
    }
}

/// Lists keys, the newest first, revoked and expired ones too.
#[utoipa::path(get, path = "/v1/api-keys", tag = "API keys", operation_id = "listApiKeys", params(ApiKeyQuery),
    responses((status = 200, description = "Keys, without their secrets", body = ApiKeyPage)))]
pub async fn list_api_keys(
    State(app): State<Arc<App>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let (given, paging) = parameters(query.as_deref(), &["q", "service_account"])?;
    let account: Option<ServiceAccountId> = parameter(&given, "service_account")?;
    let listed =
        ask(&app, move |directory, _| directory.list_api_keys(org, given.first("q"), account.as_ref(), paging.part()));
    paging.answer("api_keys", &listed.await?, ApiKeyView::of)
}

/// Creates a key. Its secret is in the answer and nowhere else. Nobody makes one that may do more than she.
#[utoipa::path(post, path = "/v1/api-keys", tag = "API keys", operation_id = "createApiKey", request_body = NewApiKeyBody,
    responses(
        (status = 201, description = "The key, with its secret", body = CreatedApiKey),
        (status = 403, description = "It could do more than you, or you have to show that it is you", body = Problem),
        (status = 404, description = "There is no such team or service account", body = Problem),
        (status = 422, description = "No scope, or an expiry in the past", body = Problem)))]
pub async fn create_api_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let new: NewApiKeyBody = body_json::read(&app, &headers, body).await?;
    if new.scopes.contains(&KeyScope::DirectoryWrite) {
        caller.confirmed(app.now())?;
    }
    let made = change(&app, &caller, move |directory, by, now| {
        let service_account = new.service_account.map(|Parsed(id)| id);
        let NewApiKeyBody { name, scopes, team, expires_at, .. } = new;
        let new = NewApiKey { team, service_account, name: &name, scopes, expires_at };
        directory.create_api_key(by, org, new, now)
    });
    let (key, secret): (ApiKey, Secret) = made.await?;
    created(&CreatedApiKey { key: ApiKeyView::of(&key), secret: secret.expose().to_owned() })
}

/// Shows one key, without its secret.
#[utoipa::path(get, path = "/v1/api-keys/{key_id}", tag = "API keys", operation_id = "readApiKey",
    params(("key_id" = String, Path, description = "The key's id")),
    responses(
        (status = 200, description = "The key", body = ApiKeyView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn read_api_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ReadDirectory)?.org();
    let key: KeyId = id(&key, "API key")?;
    json(&ApiKeyView::of(&ask(&app, move |directory, _| directory.api_key(org, &key)).await?))
}

/// Makes a key worthless, for ever. It stays in the list.
#[utoipa::path(post, path = "/v1/api-keys/{key_id}/revoke", tag = "API keys", operation_id = "revokeApiKey",
    params(("key_id" = String, Path, description = "The key's id")),
    responses(
        (status = 200, description = "The key as it is now", body = ApiKeyView),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn revoke_api_key(app: State<Arc<App>>, caller: Caller, key: Path<String>) -> Result<Response, Problem> {
    json(&ApiKeyView::of(&revoke(app, caller, key).await?))
}

/// Makes a key worthless, for ever: the same as `…/revoke`.
#[utoipa::path(delete, path = "/v1/api-keys/{key_id}", tag = "API keys", operation_id = "deleteApiKey",
    params(("key_id" = String, Path, description = "The key's id")),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 404, description = "There is none", body = Problem)))]
pub async fn delete_api_key(app: State<Arc<App>>, caller: Caller, key: Path<String>) -> Result<Response, Problem> {
    revoke(app, caller, key).await?;
    Ok(gone())
}

async fn revoke(State(app): State<Arc<App>>, caller: Caller, Path(key): Path<String>) -> Result<ApiKey, Problem> {
    let org = caller.permit(Act::ChangeDirectory)?.org();
    let key: KeyId = id(&key, "API key")?;
    change(&app, &caller, move |directory, by, now| directory.revoke_api_key(by, org, &key, now)).await
}
