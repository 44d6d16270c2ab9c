//! Which path is answered by which handler.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{delete, get, post};

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
        .route(
            "/v1/invitations",
            get(api::invitations::list::list_invitations).post(api::invitations::create::create_invitation),
        )
        .route("/v1/invitations/{id}", delete(api::invitations::revoke::revoke_invitation))
        .route("/v1/invitations/{id}/resend", post(api::invitations::resend::resend_invitation))
        .route("/v1/users/{id}/second-factor", delete(api::second_factor::reset_second_factor))
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
