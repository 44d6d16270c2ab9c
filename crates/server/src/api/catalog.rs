//! `GET /v1/catalog`: what actions mean.

use axum::response::Response;
use record::Catalogs;

use super::events::json;
use crate::permit::Caller;
use crate::problem::Problem;

/// Lists the catalogs: every known action with title, category, kind, severity and visibility.
#[utoipa::path(
    get, path = "/v1/catalog", tag = "catalog", operation_id = "readCatalog",
    responses((status = 200, description = "The catalogs", body = crate::api::openapi::CatalogAnswer)),
)]
pub async fn read_catalog(_caller: Caller) -> Result<Response, Problem> {
    json(&serde_json::json!({ "catalogs": Catalogs::built_in().all() }))
}
