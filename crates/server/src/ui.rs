//! The pages: rendered here, of use without scripts, better with them.
//!
//! In reading order: `session` says who looks; `page` is the frame around every page; then a file for each page, whose
//! handler reads: parse, permit, call, render. The rest turns events, filters and times into words.
//!
//! **Invariant:** every state that a page can be in is an address, and nothing on a page comes from another site.

mod forms;
mod message;
mod page;
mod session;
mod static_files;

mod by_link;
mod forgot;
mod invitation;
mod set_password;
mod sign_in;
mod sign_out;

mod account;
mod confirm;

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
        .route("/sign-in/second-factor", post(sign_in::check_code))
        .route("/sign-in/link", get(forgot::show_sign_in_form).post(forgot::send_sign_in_link))
        .route("/sign-in/by-link", get(by_link::show_sign_in).post(by_link::sign_in))
        .route("/forgot", get(forgot::show_password_form).post(forgot::send_password_link))
        .route("/reset", get(set_password::show_reset).post(set_password::reset))
        .route("/welcome", get(set_password::show_welcome).post(set_password::welcome))
        .route("/verify-email", get(by_link::show_email).post(by_link::confirm_email))
        .route("/invitation", get(invitation::show_form).post(invitation::accept))
        .route("/sign-out", post(sign_out::sign_out))
        .merge(account_routes())
        .route("/static/{file}", get(static_files::read_file))
        .layer(Extension(Arc::new(sign_in::Desk::default())))
}

fn account_routes() -> Router<Arc<App>> {
    use account::{email, password, second_factor, sessions};
    Router::new()
        .route("/confirm", get(confirm::show_form).post(confirm::confirm))
        .route("/account", get(account::show_account))
        .route("/account/email", post(email::change_email))
        .route("/account/password", get(password::show_form).post(password::change_password))
        .route("/account/sessions", get(sessions::list_sessions))
        .route("/account/sessions/end", post(sessions::end_session))
        .route("/account/sessions/end-others", post(sessions::end_others))
        .route("/account/second-factor", get(second_factor::show_second_factor))
        .route("/account/second-factor/begin", post(second_factor::begin))
        .route("/account/second-factor/set-up", get(second_factor::show_set_up).post(second_factor::end_set_up))
        .route("/account/second-factor/remove", post(second_factor::remove))
        .route("/account/second-factor/disable", post(second_factor::disable))
        .route("/account/second-factor/recovery-codes", post(second_factor::new_codes))
}

/// A problem as a page.
pub fn problem_page(problem: &Problem) -> Response {
    page::problem(problem, None)
}

#[cfg(test)]
mod tests;
