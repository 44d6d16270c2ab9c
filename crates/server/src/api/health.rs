//! `GET /healthz`, `/readyz`, `/metrics`: for those who watch over the process.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::{App, blocking};
use crate::delivering::standing;
use crate::metrics;
use crate::problem::Problem;

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", operation_id = "health",
    responses((status = 200, description = "It lives", body = String)))]
pub async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether events can be recorded, and if not, why.
#[utoipa::path(get, path = "/readyz", tag = "health", operation_id = "ready",
    responses((status = 200, description = "All is well"), (status = 503, description = "It cannot record; the reason is given")))]
pub async fn readyz(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let shared = app.clone();
    let directory = blocking(move || shared.directory.organizations().map(|_| ()).map_err(|e| e.to_string())).await?;
    let health = app.store.health();
    // Whatever happens to destinations, events can be recorded.
    let failing = standing::all(&app).await.iter().filter(|(_, status)| !status.is_well()).count();
    let deliveries = if failing == 0 { "ok".to_owned() } else { format!("{failing} destinations fail") };
    let ready = health.unwritable.is_none() && directory.is_ok();
    let body = json!({
        "ready": ready,
        "journal": health.unwritable.unwrap_or_else(|| "ok".to_owned()),
        "segments": health.damaged.unwrap_or_else(|| "ok".to_owned()),
        "sealing": health.sealing.unwrap_or_else(|| "ok".to_owned()),
        "deliveries": deliveries,
        "directory": directory.err().unwrap_or_else(|| "ok".to_owned()),
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response())
}

/// Figures in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "health", operation_id = "metrics",
    responses((status = 200, description = "OpenMetrics text", body = String)))]
pub async fn metrics_text(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let text = metrics::text(&app, &standing::all(&app).await).map_err(Problem::internal)?;
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
