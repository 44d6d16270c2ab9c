//! `GET /v1/filters`: what the caller can filter by, and nothing that she may not see.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::Act;
use axum::extract::{Extension, State};
use axum::response::Response;
use record::Catalogs;
use serde::Serialize;
use store::values::Values;
use utoipa::ToSchema;

use super::events::json;
use crate::app::App;
use crate::looks;
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::Problem;
use crate::request_id::RequestId;

/// Actors listed at most; those with the most events.
pub const USERS_MAX: usize = 1_000;

/// The values that occur in the events that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
pub struct Filters {
    /// Actors, those with the most events first.
    pub users: Vec<UserChoice>,
    /// Whether there are more actors than are listed.
    pub users_truncated: bool,
    /// Teams.
    pub teams: Vec<TeamChoice>,
    /// Actions that occur, under their category's title.
    pub categories: Vec<CategoryChoice>,
}

/// An actor to filter by.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserChoice {
    /// Its id: the value of `actor`.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How many events it did.
    pub events: u64,
}

/// A team to filter by.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamChoice {
    /// Its id: the value of `team`.
    pub id: String,
    /// How many events concern it.
    pub events: u64,
}

/// A category to filter by.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryChoice {
    /// Its title: the value of `category`.
    pub title: String,
    /// Its actions that occur.
    pub actions: Vec<ActionChoice>,
}

/// An action to filter by.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionChoice {
    /// Its identifier: the value of `action`.
    pub id: String,
    /// What it means.
    pub title: String,
    /// How often it occurs.
    pub events: u64,
}

/// The heading for actions that no catalog knows.
pub const UNLISTED: &str = "Other";

impl Filters {
    /// Arranges the values that occur.
    pub fn of(values: Values) -> Filters {
        let mut users: Vec<UserChoice> = values
            .actors
            .into_iter()
            .map(|(id, it)| UserChoice {
                id: id.into(),
                name: it.name.map(Into::into),
                email: it.email.map(Into::into),
                events: it.events,
            })
            .collect();
        users.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.id.cmp(&b.id)));
        let users_truncated = users.len() > USERS_MAX;
        users.truncate(USERS_MAX);
        let mut categories: BTreeMap<&str, Vec<ActionChoice>> = BTreeMap::new();
        for (action, events) in &values.actions {
            let known = Catalogs::built_in().get(action.as_str());
            let title = Catalogs::built_in().title(action.as_str()).to_owned();
            let choice = ActionChoice { id: action.to_string(), title, events: *events };
            categories.entry(known.map_or(UNLISTED, |(_, it)| &it.category)).or_default().push(choice);
        }
        let teams = values.teams.into_iter().map(|(id, events)| TeamChoice { id: id.into(), events }).collect();
        let categories =
            categories.into_iter().map(|(title, actions)| CategoryChoice { title: title.to_owned(), actions }).collect();
        Filters { users, users_truncated, teams, categories }
    }
}

/// Lists what the caller can filter by.
#[utoipa::path(
    get, path = "/v1/filters", tag = "events", operation_id = "listFilters",
    responses((status = 200, description = "Users, teams, and actions by category", body = Filters)),
)]
pub async fn list_filters(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::Read)?;
    let given = Given(vec![("filters".to_owned(), "all".to_owned())]);
    looks::note(&app, &caller, "api", &given, Some(request_id.as_str())).await;
    let values = app.reading(move |_, log| log.values(&scope)).await??;
    json(&Filters::of(values))
}
