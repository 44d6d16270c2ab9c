//! `POST /v1/destinations`.

use std::sync::Arc;

use access::Act;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use directory::NewDestination;
use record::TeamId;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{DestinationView, FilterView};
use crate::api::listing::created;
use crate::app::App;
use crate::body_json;
use crate::changing::change;
use crate::delivering::{self, wishes};
use crate::permit::Caller;
use crate::problem::Problem;

/// A destination to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDestination {
    /// What it is called.
    name: String,
    /// The type of the receiver; `GET /v1/destination-types` lists them.
    #[schema(example = "splunk")]
    r#type: String,
    /// Its settings, with secrets.
    #[schema(value_type = Object)]
    settings: Value,
    /// The format of the events; the native one unless given.
    format: Option<String>,
    /// Which events are wanted; all if absent.
    #[serde(default)]
    #[schema(value_type = Option<FilterView>)]
    filter: Option<Value>,
    /// Members that it does not get: RFC 6901 pointers in which `*` stands for any one member or element.
    #[serde(default)]
    hide: Vec<String>,
    /// The one team whose events it gets; the organization's if absent.
    #[schema(value_type = Option<String>)]
    team: Option<TeamId>,
    /// `now` for what is recorded from now on, `beginning` for all that was ever recorded, too.
    #[serde(default)]
    begin: Begin,
}

/// From where events are delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Begin {
    /// What is recorded from now on.
    #[default]
    Now,
    /// All that was ever recorded, too.
    Beginning,
}

/// Makes a destination; delivery begins at once. Needs the right to export what it gets.
#[utoipa::path(
    post, path = "/v1/destinations", tag = "destinations", operation_id = "createDestination",
    request_body = CreateDestination,
    responses(
        (status = 201, description = "The destination", body = DestinationView<'static>),
        (status = 403, description = "It would get what you may not export", body = Problem),
        (status = 409, description = "There is one of that name, or there are 50", body = Problem),
        (status = 422, description = "Not valid; `errors` names the members", body = Problem)),
)]
pub async fn create_destination(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let org = caller.permit(Act::ConfigureLog)?.org();
    let new: CreateDestination = body_json::read(&app, &headers, body).await?;
    let format = new.format.as_deref();
    let wishes = wishes::read(&app, &new.r#type, Some(&new.settings), format, new.filter.as_ref(), &new.hide)?;
    let settings = wishes.settings.ok_or_else(|| Problem::internal("settings that were given are gone"))?;
    let begins_at = match new.begin {
        Begin::Now => app.store.newest(org).map_or(0, |newest| newest.0 + 1),
        Begin::Beginning => 0,
    };
    let made = change(&app, &caller, move |directory, by, now| {
        let new = NewDestination {
            name: &new.name,
            kind: &new.r#type,
            settings,
            format: &wishes.format,
            wanted: wishes.wanted,
            hide: new.hide,
            team: new.team,
            begins_at,
        };
        directory.create_destination(by, org, new, now)
    });
    let made = made.await?;
    delivering::reconcile(&app).await?;
    created(&DestinationView::of(&made))
}
