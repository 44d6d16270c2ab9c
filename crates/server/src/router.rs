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
        .route("/v1/facets", get(api::facets::read_facets))
        .route("/v1/histogram", get(api::histogram::read_histogram))
        .route("/v1/filters", get(api::filters::list_filters))
        .route("/v1/catalog", get(api::catalog::read_catalog))
        .merge(people())
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

/// Who is there, and who was given which role.
fn people() -> Router<Arc<App>> {
    use api::{api_keys, groups, me, organization, role_assignments, roles, service_accounts, sessions, teams, users};
    Router::new()
        .route("/v1/organization", get(organization::read_organization).patch(organization::update_organization))
        .route("/v1/organization/archive", post(organization::archive_organization))
        .route("/v1/organizations", get(organization::list_organizations))
        .route("/v1/teams", get(teams::list_teams).post(teams::create_team))
        .route("/v1/teams/{team_id}", get(teams::read_team).patch(teams::update_team).delete(teams::delete_team))
        .route("/v1/teams/{team_id}/members", get(teams::list_team_members))
        .route("/v1/users", get(users::list::list_users).post(users::create::create_user))
        .route(
            "/v1/users/{user_id}",
            get(users::read::read_user).patch(users::change::update_user).delete(users::change::delete_user),
        )
        .route("/v1/users/{user_id}/disable", post(users::status::disable_user))
        .route("/v1/users/{user_id}/enable", post(users::status::enable_user))
        .route("/v1/users/{user_id}/archive", post(users::status::archive_user))
        .route("/v1/users/{user_id}/groups", get(users::read::list_user_groups))
        .route(
            "/v1/service-accounts",
            get(service_accounts::list_service_accounts).post(service_accounts::create_service_account),
        )
        .route(
            "/v1/service-accounts/{account_id}",
            get(service_accounts::read_service_account)
                .patch(service_accounts::update_service_account)
                .delete(service_accounts::delete_service_account),
        )
        .route("/v1/service-accounts/{account_id}/disable", post(service_accounts::disable_service_account))
        .route("/v1/service-accounts/{account_id}/enable", post(service_accounts::enable_service_account))
        .route("/v1/groups", get(groups::list_groups).post(groups::create_group))
        .route("/v1/groups/{group_id}", get(groups::read_group).patch(groups::update_group).delete(groups::delete_group))
        .route(
            "/v1/groups/{group_id}/members",
            get(groups::members::list_group_members)
                .post(groups::members::add_group_members)
                .delete(groups::members::remove_group_members),
        )
        .route("/v1/roles", get(roles::list_roles).post(roles::create_role))
        .route("/v1/roles/{role_id}", get(roles::read_role).patch(roles::update_role).delete(roles::delete_role))
        .route(
            "/v1/role-assignments",
            get(role_assignments::list_role_assignments).post(role_assignments::create_role_assignment),
        )
        .route(
            "/v1/role-assignments/{assignment_id}",
            get(role_assignments::read_role_assignment).delete(role_assignments::delete_role_assignment),
        )
        .route("/v1/api-keys", get(api_keys::list_api_keys).post(api_keys::create_api_key))
        .route("/v1/api-keys/{key_id}", get(api_keys::read_api_key).delete(api_keys::delete_api_key))
        .route("/v1/api-keys/{key_id}/revoke", post(api_keys::revoke_api_key))
        .route("/v1/sessions", get(sessions::list_sessions))
        .route("/v1/sessions/{session_id}", delete(sessions::delete_session))
        .route("/v1/me", get(me::read_me))
}
