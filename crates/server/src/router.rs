//! Which path is answered by which handler.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;

use crate::api::redactions;
use crate::app::App;
use crate::problem::Problem;
use crate::routes::Routes;
use crate::{api, request_id, ui};

/// The whole HTTP service.
pub fn router(app: Arc<App>) -> Router {
    routes()
        .into_router()
        .fallback(async || Problem::not_found("There is nothing at this address."))
        .method_not_allowed_fallback(async || {
            let detail = "This address does not answer to this method.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail)
        })
        .layer(middleware::from_fn_with_state(app.clone(), request_id::layer))
        .with_state(app)
}

/// Everything that can be called.
pub fn routes() -> Routes {
    Routes::new()
        .get("/v1/events", api::events::list::list_events)
        .post("/v1/events", api::events::create::create_events)
        .get("/v1/events/{event_id}", api::events::read::read_event)
        .get("/v1/facets", api::facets::read_facets)
        .get("/v1/histogram", api::histogram::read_histogram)
        .get("/v1/filters", api::filters::list_filters)
        .get("/v1/catalog", api::catalog::read_catalog)
        .get("/v1/redactions", redactions::list::list_redactions)
        .post("/v1/redactions", redactions::create::create_redaction)
        .post("/v1/redactions/try", redactions::try_out::try_redaction)
        .post("/v1/redactions/lookup", redactions::lookup::look_up_redacted)
        .get("/v1/redactions/{redaction_id}", redactions::read::read_redaction)
        .patch("/v1/redactions/{redaction_id}", redactions::update::update_redaction)
        .delete("/v1/redactions/{redaction_id}", redactions::delete::delete_redaction)
        .merge(destinations())
        .merge(people())
        .merge(estate())
        .get("/openapi.json", api::openapi::read_openapi)
        .get("/healthz", api::health::healthz)
        .get("/readyz", api::health::readyz)
        .get("/metrics", api::health::metrics_text)
        .merge(ui::routes())
}

/// Where events are delivered.
fn destinations() -> Routes {
    use api::destinations::{change, create, dead_letters, gaps, read, replays, state, status, test};
    Routes::new()
        .get("/v1/destination-types", read::list_destination_types)
        .get("/v1/destinations", read::list_destinations)
        .post("/v1/destinations", create::create_destination)
        .get("/v1/destinations/{destination_id}", read::read_destination)
        .patch("/v1/destinations/{destination_id}", change::update_destination)
        .delete("/v1/destinations/{destination_id}", change::delete_destination)
        .post("/v1/destinations/{destination_id}/pause", state::pause_destination)
        .post("/v1/destinations/{destination_id}/resume", state::resume_destination)
        .post("/v1/destinations/{destination_id}/test", test::test_destination)
        .get("/v1/destinations/{destination_id}/status", status::read_status)
        .get("/v1/destinations/{destination_id}/gaps", gaps::list_gaps)
        .get("/v1/destinations/{destination_id}/replays", replays::list_replays)
        .post("/v1/destinations/{destination_id}/replays", replays::create_replay)
        .delete("/v1/destinations/{destination_id}/replays/{replay_id}", replays::cancel_replay)
        .get("/v1/destinations/{destination_id}/dead-letters", dead_letters::list_dead_letters)
        .post("/v1/destinations/{destination_id}/dead-letters/retry", dead_letters::retry_dead_letters)
        .post("/v1/destinations/{destination_id}/dead-letters/discard", dead_letters::discard_dead_letters)
        .get("/v1/events/{event_id}/deliveries", api::events::deliveries::list_deliveries)
}

/// Who is there, and who was given which role.
fn people() -> Routes {
    use api::{
        api_keys, groups, invitations, me, organization, role_assignments, roles, second_factor, service_accounts, sessions,
        teams, users,
    };
    Routes::new()
        .get("/v1/organization", organization::read_organization)
        .patch("/v1/organization", organization::update_organization)
        .post("/v1/organization/archive", organization::archive_organization)
        .get("/v1/organizations", organization::list_organizations)
        .get("/v1/teams", teams::list_teams)
        .post("/v1/teams", teams::create_team)
        .get("/v1/teams/{team_id}", teams::read_team)
        .patch("/v1/teams/{team_id}", teams::update_team)
        .delete("/v1/teams/{team_id}", teams::delete_team)
        .get("/v1/teams/{team_id}/members", teams::list_team_members)
        .get("/v1/users", users::list::list_users)
        .post("/v1/users", users::create::create_user)
        .get("/v1/users/{user_id}", users::read::read_user)
        .patch("/v1/users/{user_id}", users::change::update_user)
        .delete("/v1/users/{user_id}", users::change::delete_user)
        .post("/v1/users/{user_id}/disable", users::status::disable_user)
        .post("/v1/users/{user_id}/enable", users::status::enable_user)
        .post("/v1/users/{user_id}/archive", users::status::archive_user)
        .get("/v1/users/{user_id}/groups", users::read::list_user_groups)
        .get("/v1/service-accounts", service_accounts::list_service_accounts)
        .post("/v1/service-accounts", service_accounts::create_service_account)
        .get("/v1/service-accounts/{account_id}", service_accounts::read_service_account)
        .patch("/v1/service-accounts/{account_id}", service_accounts::update_service_account)
        .delete("/v1/service-accounts/{account_id}", service_accounts::delete_service_account)
        .post("/v1/service-accounts/{account_id}/disable", service_accounts::disable_service_account)
        .post("/v1/service-accounts/{account_id}/enable", service_accounts::enable_service_account)
        .get("/v1/groups", groups::list_groups)
        .post("/v1/groups", groups::create_group)
        .get("/v1/groups/{group_id}", groups::read_group)
        .patch("/v1/groups/{group_id}", groups::update_group)
        .delete("/v1/groups/{group_id}", groups::delete_group)
        .get("/v1/groups/{group_id}/members", groups::members::list_group_members)
        .post("/v1/groups/{group_id}/members", groups::members::add_group_members)
        .delete("/v1/groups/{group_id}/members", groups::members::remove_group_members)
        .get("/v1/roles", roles::list_roles)
        .post("/v1/roles", roles::create_role)
        .get("/v1/roles/{role_id}", roles::read_role)
        .patch("/v1/roles/{role_id}", roles::update_role)
        .delete("/v1/roles/{role_id}", roles::delete_role)
        .get("/v1/role-assignments", role_assignments::list_role_assignments)
        .post("/v1/role-assignments", role_assignments::create_role_assignment)
        .get("/v1/role-assignments/{assignment_id}", role_assignments::read_role_assignment)
        .delete("/v1/role-assignments/{assignment_id}", role_assignments::delete_role_assignment)
        .get("/v1/api-keys", api_keys::list_api_keys)
        .post("/v1/api-keys", api_keys::create_api_key)
        .get("/v1/api-keys/{key_id}", api_keys::read_api_key)
        .delete("/v1/api-keys/{key_id}", api_keys::delete_api_key)
        .post("/v1/api-keys/{key_id}/revoke", api_keys::revoke_api_key)
        .get("/v1/sessions", sessions::list_sessions)
        .delete("/v1/sessions/{session_id}", sessions::delete_session)
        .get("/v1/me", me::read_me)
        .delete("/v1/users/{user_id}/second-factor", second_factor::reset_second_factor)
        .get("/v1/invitations", invitations::list::list_invitations)
        .post("/v1/invitations", invitations::create::create_invitation)
        .delete("/v1/invitations/{invitation_id}", invitations::revoke::revoke_invitation)
        .post("/v1/invitations/{invitation_id}/resend", invitations::resend::resend_invitation)
}

/// What the organization has, who may do what with it, and decisions about that.
fn estate() -> Routes {
    use api::{apps, authorize, environments, folders, grants, lookup, resources, workflows};
    Routes::new()
        .get("/v1/environments", environments::list_environments)
        .post("/v1/environments", environments::create_environment)
        .get("/v1/environments/{environment_id}", environments::read_environment)
        .patch("/v1/environments/{environment_id}", environments::update_environment)
        .delete("/v1/environments/{environment_id}", environments::delete_environment)
        .get("/v1/folders", folders::list_folders)
        .post("/v1/folders", folders::create_folder)
        .get("/v1/folders/{folder_id}", folders::read_folder)
        .patch("/v1/folders/{folder_id}", folders::update_folder)
        .delete("/v1/folders/{folder_id}", folders::delete_folder)
        .get("/v1/apps", apps::list_apps)
        .post("/v1/apps", apps::create_app)
        .get("/v1/apps/{app_id}", apps::read_app)
        .patch("/v1/apps/{app_id}", apps::update_app)
        .delete("/v1/apps/{app_id}", apps::delete_app)
        .post("/v1/apps/{app_id}/release", apps::release_app)
        .get("/v1/workflows", workflows::list_workflows)
        .post("/v1/workflows", workflows::create_workflow)
        .get("/v1/workflows/{workflow_id}", workflows::read_workflow)
        .patch("/v1/workflows/{workflow_id}", workflows::update_workflow)
        .delete("/v1/workflows/{workflow_id}", workflows::delete_workflow)
        .post("/v1/workflows/{workflow_id}/release", workflows::release_workflow)
        .post("/v1/workflows/{workflow_id}/enable", workflows::enable_workflow)
        .post("/v1/workflows/{workflow_id}/disable", workflows::disable_workflow)
        .get("/v1/resources", resources::list_resources)
        .post("/v1/resources", resources::create_resource)
        .get("/v1/resources/{resource_id}", resources::read_resource)
        .patch("/v1/resources/{resource_id}", resources::update_resource)
        .delete("/v1/resources/{resource_id}", resources::delete_resource)
        .put("/v1/resources/{resource_id}/environments/{environment_id}", resources::put_entry)
        .delete("/v1/resources/{resource_id}/environments/{environment_id}", resources::delete_entry)
        .get("/v1/grants", grants::list_grants)
        .post("/v1/grants", grants::create_grant)
        .get("/v1/grants/{grant_id}", grants::read_grant)
        .delete("/v1/grants/{grant_id}", grants::delete_grant)
        .post("/v1/authorize", authorize::authorize)
        .get("/v1/who-can", lookup::who_can)
        .get("/v1/what-can", lookup::what_can)
}
