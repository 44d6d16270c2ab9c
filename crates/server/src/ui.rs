//! The pages: rendered here, of use without scripts, better with them.
//!
//! In reading order: `session` says who looks; `page` is the frame around every page; then a file for each page, whose
//! handler reads: parse, permit, call, render. The rest turns events, filters and times into words.
//!
//! **Invariant:** every state that a page can be in is an address, and nothing on a page comes from another site.

mod page;
mod session;
mod static_files;

mod sign_in;
mod sign_out;

mod audit_list;
mod chips;
mod filter_form;
mod pager;
mod rows;

mod audit_event;
mod event_json;

mod links;
mod sentence;
mod summary;
mod zone;

use std::sync::Arc;

use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::app::App;
use crate::problem::Problem;

/// Whether a path is a page's rather than the API's.
pub fn is_page(path: &str) -> bool {
    !path.starts_with("/v1/") && !matches!(path, "/openapi.json" | "/healthz" | "/readyz" | "/metrics")
}

/// The pages' routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(async || Redirect::to(links::LIST).into_response()))
        .route("/audit", get(audit_list::show_list))
        .route("/audit/{event_id}", get(audit_event::show_event))
        .route("/sign-in", get(sign_in::show_form).post(sign_in::sign_in))
        .route("/sign-in/organization", post(sign_in::choose_organization))
        .route("/sign-out", post(sign_out::sign_out))
        .route("/static/{file}", get(static_files::read_file))
        .layer(Extension(Arc::new(sign_in::Desk::default())))
}

/// A problem as a page.
pub fn problem_page(problem: &Problem) -> Response {
    page::problem(problem, None)
}

#[cfg(test)]
mod tests;
