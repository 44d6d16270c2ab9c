//! `/v1/destinations`: where events are delivered, and how that goes.

pub mod change;
pub mod create;
pub mod dead_letters;
pub mod gaps;
pub mod read;
pub mod replays;
pub mod state;
pub mod status;
pub mod test;

use std::sync::Arc;

use directory::{Destination, DestinationDeed, DestinationId};
use record::{OrgId, TeamId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::changing::change;
use crate::permit::Caller;
use crate::problem::Problem;

/// A destination.
#[derive(Debug, Serialize, ToSchema)]
pub struct DestinationView<'a> {
    /// Its id.
    id: &'a str,
    /// What it is called.
    name: &'a str,
    /// The type of the receiver.
    #[schema(example = "splunk")]
    r#type: &'a str,
    /// Its settings; `********` stands in the place of secrets.
    #[schema(value_type = Object)]
    settings: &'a Value,
    /// The format of the events.
    #[schema(example = "native")]
    format: &'a str,
    /// Which events are wanted; all if empty.
    #[schema(value_type = FilterView)]
    filter: &'a Value,
    /// Members that it does not get.
    hide: &'a [String],
    /// The one team whose events it gets; absent if it gets the organization's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team: Option<&'a TeamId>,
    /// Since when nothing is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_at: Option<Timestamp>,
    /// Why, if it was not somebody's doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_why: Option<&'a str>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The id of whoever made it.
    created_by: &'a str,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Which events a destination wants: those that every part covers. A part that is absent covers all.
#[derive(Debug, ToSchema)]
#[schema(as = DestinationFilter)]
#[expect(dead_code, reason = "describes what follow::Wanted reads")]
pub struct FilterView {
    /// Actions; a `*` at the end stands for anything.
    actions: Option<Vec<String>>,
    /// Categories, by title.
    categories: Option<Vec<String>>,
    /// Teams, by id.
    teams: Option<Vec<String>>,
    /// The least severity: info, low, medium, high or critical.
    severity: Option<String>,
    /// success, failure, denied.
    outcomes: Option<Vec<String>>,
}

impl<'a> DestinationView<'a> {
    /// Shows a destination.
    pub fn of(destination: &'a Destination) -> DestinationView<'a> {
        DestinationView {
            id: destination.id.as_str(),
            name: &destination.name,
            r#type: &destination.kind,
            settings: &destination.settings,
            format: &destination.format,
            filter: &destination.wanted,
            hide: &destination.hide,
            team: destination.team.as_ref(),
            paused_at: destination.paused_at,
            paused_why: destination.paused_why.as_deref(),
            created_at: destination.created_at,
            created_by: &destination.created_by,
            updated_at: destination.updated_at,
        }
    }
}

/// The id in the path.
fn id(text: &str) -> Result<DestinationId, Problem> {
    DestinationId::parse(text).map_err(|_| Problem::not_found(format!("There is no destination {text} here.")))
}

/// Records what is about to be done with a destination's deliveries, by whoever asks for it. If we crash after this, the event
/// is there and the deed is not: it can be asked for again.
async fn tell(app: &Arc<App>, caller: &Caller, org: OrgId, id: DestinationId, deed: DestinationDeed) -> Result<(), Problem> {
    change(app, caller, move |directory, by, now| directory.tell_of_destination(by, org, &id, &deed, now)).await.map(drop)
}
