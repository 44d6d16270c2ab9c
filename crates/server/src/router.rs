//! Which path is answered by which handler.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{get, post};

use crate::api::redactions;
use crate::app::App;
use crate::problem::Problem;
use crate::{api, request_id, ui};

/// The whole HTTP service.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/events", get(api::events::list::list_events).post(api::events::create::create_events))
        .route("/v1/events/{event_id}", get(api::events::read::read_event))
        .route("/v1/facets", get(api::facets::read_facets))
        .route("/v1/histogram", get(api::histogram::read_histogram))
        .route("/v1/filters", get(api::filters::list_filters))
        .route("/v1/catalog", get(api::catalog::read_catalog))
        .route("/v1/redactions", get(redactions::list::list_redactions).post(redactions::create::create_redaction))
        .route("/v1/redactions/try", post(redactions::try_out::try_redaction))
        .route("/v1/redactions/lookup", post(redactions::lookup::look_up_redacted))
        .route(
            "/v1/redactions/{id}",
            get(redactions::read::read_redaction)
                .patch(redactions::update::update_redaction)
                .delete(redactions::delete::delete_redaction),
        )
        .route("/openapi.json", get(api::openapi::read_openapi))
        .route("/healthz", get(api::health::healthz))
        .route("/readyz", get(api::health::readyz))
        .route("/metrics", get(api::health::metrics_text))
        .merge(ui::routes())
        .fallback(async || Problem::not_found("There is nothing at this address."))
        .method_not_allowed_fallback(async || {
            let detail = "This address does not answer to this method.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail)
        })
        .layer(middleware::from_fn_with_state(app.clone(), request_id::layer))
        .with_state(app)
}
