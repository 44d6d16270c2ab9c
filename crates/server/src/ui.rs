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

use axum::Extension;
use axum::response::{IntoResponse, Redirect, Response};

use crate::problem::Problem;
use crate::routes::Routes;

/// Whether a path is a page's rather than the API's.
pub fn is_page(path: &str) -> bool {
    !path.starts_with("/v1/") && !matches!(path, "/openapi.json" | "/healthz" | "/readyz" | "/metrics")
}

/// The pages' routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/", async || Redirect::to(links::LIST).into_response())
        .get("/audit", audit_list::show_list)
        .get("/audit/{event_id}", audit_event::show_event)
        .get("/sign-in", sign_in::show_form)
        .post("/sign-in", sign_in::sign_in)
        .post("/sign-in/organization", sign_in::choose_organization)
        .post("/sign-in/second-factor", sign_in::check_code)
        .get("/sign-in/link", forgot::show_sign_in_form)
        .post("/sign-in/link", forgot::send_sign_in_link)
        .get("/sign-in/by-link", by_link::show_sign_in)
        .post("/sign-in/by-link", by_link::sign_in)
        .get("/forgot", forgot::show_password_form)
        .post("/forgot", forgot::send_password_link)
        .get("/reset", set_password::show_reset)
        .post("/reset", set_password::reset)
        .get("/welcome", set_password::show_welcome)
        .post("/welcome", set_password::welcome)
        .get("/verify-email", by_link::show_email)
        .post("/verify-email", by_link::confirm_email)
        .get("/invitation", invitation::show_form)
        .post("/invitation", invitation::accept)
        .post("/sign-out", sign_out::sign_out)
        .merge(account_routes())
        .get("/static/{file}", static_files::read_file)
        .map(|router| router.layer(Extension(Arc::new(sign_in::Desk::default()))))
}

fn account_routes() -> Routes {
    use account::{email, password, second_factor, sessions};
    Routes::new()
        .get("/confirm", confirm::show_form)
        .post("/confirm", confirm::confirm)
        .get("/account", account::show_account)
        .post("/account/email", email::change_email)
        .get("/account/password", password::show_form)
        .post("/account/password", password::change_password)
        .get("/account/sessions", sessions::list_sessions)
        .post("/account/sessions/end", sessions::end_session)
        .post("/account/sessions/end-others", sessions::end_others)
        .get("/account/second-factor", second_factor::show_second_factor)
        .post("/account/second-factor/begin", second_factor::begin)
        .get("/account/second-factor/set-up", second_factor::show_set_up)
        .post("/account/second-factor/set-up", second_factor::end_set_up)
        .post("/account/second-factor/remove", second_factor::remove)
        .post("/account/second-factor/disable", second_factor::disable)
        .post("/account/second-factor/recovery-codes", second_factor::new_codes)
}

/// A problem as a page.
pub fn problem_page(problem: &Problem) -> Response {
    page::problem(problem, None)
}

#[cfg(test)]
mod tests;
