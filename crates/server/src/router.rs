//! Which path is answered by which handler.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post, put};

use crate::app::App;
use crate::problem::Problem;
use crate::{api, request_id, ui};

/// The whole HTTP service.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/events", get(api::events::list::list_events).post(api::events::create::create_events))
        .route("/v1/events/{event_id}", get(api::events::read::read_event))
        .route("/v1/filters", get(api::filters::list_filters))
        .route("/v1/catalog", get(api::catalog::read_catalog))
        .route("/openapi.json", get(api::openapi::read_openapi))
        .route("/healthz", get(api::health::healthz))
        .route("/readyz", get(api::health::readyz))
        .route("/metrics", get(api::health::metrics_text))
        .merge(estate())
        .merge(ui::routes())
        .fallback(async || Problem::not_found("There is nothing at this address."))
        .method_not_allowed_fallback(async || {
            let detail = "This address does not answer to this method.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail)
        })
        .layer(middleware::from_fn_with_state(app.clone(), request_id::layer))
        .with_state(app)
}

/// What the organization has, who may do what with it, and decisions about that.
fn estate() -> Router<Arc<App>> {
    use api::{apps, authorize, environments, folders, grants, lookup, resources, workflows};
    let entry = put(resources::put_entry).delete(resources::delete_entry);
    Router::new()
        .route("/v1/environments", get(environments::list_environments).post(environments::create_environment))
        .route(
            "/v1/environments/{environment_id}",
            get(environments::read_environment)
                .patch(environments::update_environment)
                .delete(environments::delete_environment),
        )
        .route("/v1/folders", get(folders::list_folders).post(folders::create_folder))
        .route(
            "/v1/folders/{folder_id}",
            get(folders::read_folder).patch(folders::update_folder).delete(folders::delete_folder),
        )
        .route("/v1/apps", get(apps::list_apps).post(apps::create_app))
        .route("/v1/apps/{app_id}", get(apps::read_app).patch(apps::update_app).delete(apps::delete_app))
        .route("/v1/apps/{app_id}/release", post(apps::release_app))
        .route("/v1/workflows", get(workflows::list_workflows).post(workflows::create_workflow))
        .route(
            "/v1/workflows/{workflow_id}",
            get(workflows::read_workflow).patch(workflows::update_workflow).delete(workflows::delete_workflow),
        )
        .route("/v1/workflows/{workflow_id}/release", post(workflows::release_workflow))
        .route("/v1/workflows/{workflow_id}/enable", post(workflows::enable_workflow))
        .route("/v1/workflows/{workflow_id}/disable", post(workflows::disable_workflow))
        .route("/v1/resources", get(resources::list_resources).post(resources::create_resource))
        .route(
            "/v1/resources/{resource_id}",
            get(resources::read_resource).patch(resources::update_resource).delete(resources::delete_resource),
        )
        .route("/v1/resources/{resource_id}/environments/{environment_id}", entry)
        .route("/v1/grants", get(grants::list_grants).post(grants::create_grant))
        .route("/v1/grants/{grant_id}", get(grants::read_grant).delete(grants::delete_grant))
        .route("/v1/authorize", post(authorize::authorize))
        .route("/v1/who-can", get(lookup::who_can))
        .route("/v1/what-can", get(lookup::what_can))
}
