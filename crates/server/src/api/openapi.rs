//! `GET /openapi.json`: the API's description, made from the code.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoParams, Modify, OpenApi, ToSchema};

use super::{
    api_keys, apps, authorize, catalog, destinations, environments, events, facets, filters, folders, grants, groups,
    health, histogram, invitations, lookup, me, organization, redactions, resources, role_assignments, roles, second_factor,
    service_accounts, sessions, teams, users, workflows,
};
use crate::problem::Problem;

/// An event to be recorded. Unknown members are refused.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what record::parse reads")]
pub struct NewEvent {
    /// Your own id; makes a retry safe. At most 256 bytes.
    id: Option<String>,
    /// What was done: `[A-Za-z0-9][A-Za-z0-9._:-]{0,63}`.
    #[schema(example = "QUERY_RUN")]
    action: String,
    /// When, RFC 3339; the time of receipt unless given; at most a day ahead.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    /// The team it concerns.
    team: Option<String>,
    /// Who did it.
    actor: NewActor,
    /// What it was done to; at most 64.
    targets: Option<Vec<NewTarget>>,
    /// From where.
    context: Option<NewContext>,
    /// success, failure or denied.
    outcome: Option<String>,
    /// How long it took.
    response_time_ms: Option<u64>,
    /// What was changed.
    changes: Option<Vec<NewChange>>,
    /// Any JSON, at most 32 levels deep.
    metadata: Option<serde_json::Value>,
}

/// Who did it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what record::parse reads")]
pub struct NewActor {
    /// What sort of actor: `[a-z0-9][a-z0-9._:-]{0,63}`.
    #[schema(example = "user")]
    r#type: String,
    /// Its id in your system.
    id: String,
    /// Its name.
    name: Option<String>,
    /// Its e-mail address.
    email: Option<String>,
}

/// What it was done to. Needs an id or a name.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what record::parse reads")]
pub struct NewTarget {
    /// What sort of thing: `[a-z0-9][a-z0-9._:-]{0,63}`.
    r#type: String,
    /// Its id in your system.
    id: Option<String>,
    /// Its name.
    name: Option<String>,
    /// The environment it stands in.
    environment: Option<String>,
}

/// From where it was done.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what record::parse reads")]
pub struct NewContext {
    /// The network address.
    ip: Option<String>,
    /// The client program.
    user_agent: Option<String>,
    /// The session in your system.
    session_id: Option<String>,
    /// The request in your system.
    request_id: Option<String>,
}

/// One changed field.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what record::parse reads")]
pub struct NewChange {
    /// Its name.
    field: String,
    /// Its value before.
    before: Option<serde_json::Value>,
    /// Its value after.
    after: Option<serde_json::Value>,
}

/// The parameters that choose events.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what crate::params reads")]
pub struct FilterQuery {
    /// An action's identifier. Repeat it for several.
    action: Option<Vec<String>>,
    /// A category's title. Repeat it for several.
    category: Option<Vec<String>>,
    /// success, failure or denied.
    outcome: Option<String>,
    /// The actor's id.
    actor: Option<String>,
    /// Part of the actor's e-mail address.
    email: Option<String>,
    /// A team's id. Repeat it for several.
    team: Option<Vec<String>>,
    /// The type of a target.
    target_type: Option<String>,
    /// The id or name of a target.
    target: Option<String>,
    /// An address or a network in CIDR form.
    ip: Option<String>,
    /// The earliest time: RFC 3339, or a date.
    from: Option<String>,
    /// The latest time: RFC 3339, or a date.
    to: Option<String>,
    /// Text: each word must stand somewhere in the event.
    q: Option<String>,
    /// The IANA time zone in which dates are meant.
    tz: Option<String>,
}

/// The parameters that choose a part of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what crate::params reads")]
pub struct PagingQuery {
    /// The page, from 1.
    page: Option<u64>,
    /// Events on a page; 50 unless given, at most 1,000.
    per_page: Option<u64>,
    /// Index order: the events after this index; -1 for the beginning.
    after: Option<i64>,
    /// Descending index order: the events before this index.
    before: Option<u64>,
    /// With after or before: events at most.
    limit: Option<u64>,
}

/// The catalogs.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what record::catalog holds")]
pub struct CatalogAnswer {
    /// One for each system.
    catalogs: Vec<serde_json::Value>,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Acta", description = "An organization's audit trail: record, prove, search, stream, review."),
    paths(
        events::create::create_events,
        events::list::list_events,
        events::read::read_event,
        facets::read_facets,
        histogram::read_histogram,
        filters::list_filters,
        catalog::read_catalog,
        redactions::list::list_redactions,
        redactions::create::create_redaction,
        redactions::read::read_redaction,
        redactions::update::update_redaction,
        redactions::delete::delete_redaction,
        redactions::try_out::try_redaction,
        redactions::lookup::look_up_redacted,
        destinations::read::list_destination_types,
        destinations::read::list_destinations,
        destinations::create::create_destination,
        destinations::read::read_destination,
        destinations::change::update_destination,
        destinations::change::delete_destination,
        destinations::state::pause_destination,
        destinations::state::resume_destination,
        destinations::test::test_destination,
        destinations::status::read_status,
        destinations::gaps::list_gaps,
        destinations::replays::list_replays,
        destinations::replays::create_replay,
        destinations::replays::cancel_replay,
        destinations::dead_letters::list_dead_letters,
        destinations::dead_letters::retry_dead_letters,
        destinations::dead_letters::discard_dead_letters,
        events::deliveries::list_deliveries,
        organization::read_organization,
        organization::update_organization,
        organization::archive_organization,
        organization::list_organizations,
        teams::list_teams,
        teams::create_team,
        teams::read_team,
        teams::update_team,
        teams::delete_team,
        teams::list_team_members,
        users::list::list_users,
        users::create::create_user,
        users::read::read_user,
        users::change::update_user,
        users::change::delete_user,
        users::status::disable_user,
        users::status::enable_user,
        users::status::archive_user,
        users::read::list_user_groups,
        service_accounts::list_service_accounts,
        service_accounts::create_service_account,
        service_accounts::read_service_account,
        service_accounts::update_service_account,
        service_accounts::delete_service_account,
        service_accounts::disable_service_account,
        service_accounts::enable_service_account,
        groups::list_groups,
        groups::create_group,
        groups::read_group,
        groups::update_group,
        groups::delete_group,
        groups::members::list_group_members,
        groups::members::add_group_members,
        groups::members::remove_group_members,
        roles::list_roles,
        roles::create_role,
        roles::read_role,
        roles::update_role,
        roles::delete_role,
        role_assignments::list_role_assignments,
        role_assignments::create_role_assignment,
        role_assignments::read_role_assignment,
        role_assignments::delete_role_assignment,
        api_keys::list_api_keys,
        api_keys::create_api_key,
        api_keys::read_api_key,
        api_keys::delete_api_key,
        api_keys::revoke_api_key,
        sessions::list_sessions,
        sessions::delete_session,
        me::read_me,
        invitations::list::list_invitations,
        invitations::create::create_invitation,
        invitations::resend::resend_invitation,
        invitations::revoke::revoke_invitation,
        second_factor::reset_second_factor,
        environments::list_environments,
        environments::create_environment,
        environments::read_environment,
        environments::update_environment,
        environments::delete_environment,
        folders::list_folders,
        folders::create_folder,
        folders::read_folder,
        folders::update_folder,
        folders::delete_folder,
        apps::list_apps,
        apps::create_app,
        apps::read_app,
        apps::update_app,
        apps::release_app,
        apps::delete_app,
        workflows::list_workflows,
        workflows::create_workflow,
        workflows::read_workflow,
        workflows::update_workflow,
        workflows::release_workflow,
        workflows::enable_workflow,
        workflows::disable_workflow,
        workflows::delete_workflow,
        resources::list_resources,
        resources::create_resource,
        resources::read_resource,
        resources::update_resource,
        resources::put_entry,
        resources::delete_entry,
        resources::delete_resource,
        grants::list_grants,
        grants::create_grant,
        grants::read_grant,
        grants::delete_grant,
        authorize::authorize,
        lookup::who_can,
        lookup::what_can,
        health::healthz,
        health::readyz,
        health::metrics_text,
    ),
    components(schemas(Problem, events::list::EventSlice<'static>, authorize::DecisionsView)),
    security(("api_key" = [])),
    modifiers(&Keys),
)]
struct Description;

struct Keys;

impl Modify for Keys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("acta_…").build();
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

/// The description as JSON text.
pub fn text() -> Result<String, serde_json::Error> {
    Description::openapi().to_pretty_json()
}

/// Shows the description.
pub async fn read_openapi() -> Result<Response, Problem> {
    let text = text().map_err(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}
