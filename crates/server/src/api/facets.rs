//! `GET /v1/facets`: the most frequent values among the events that match, with how many events have each.

use std::sync::Arc;

use access::Act;
use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use store::{Facet, FacetCounts};
use utoipa::{IntoParams, ToSchema};

use super::events::json;
use crate::app::App;
use crate::looks;
use crate::params::{self, Given};
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};
use crate::request_id::RequestId;

/// Values of a field unless the caller says how many.
const LIMIT: u64 = 10;
/// Values of a field at most.
const LIMIT_MAX: u64 = 1_000;

/// What can be counted, by its name as a parameter. There are so many fields that one request can ask for each once.
const FIELDS: [(&str, Facet); 10] = [
    ("action", Facet::Action),
    ("category", Facet::Category),
    ("actor", Facet::Actor),
    ("team", Facet::Team),
    ("outcome", Facet::Outcome),
    ("target_type", Facet::TargetType),
    ("target", Facet::Target),
    ("environment", Facet::Environment),
    ("ip", Facet::Ip),
    ("key", Facet::Key),
];

/// Counts of the fields that were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Facets {
    /// One for each field, in the order asked for.
    pub facets: Vec<FieldCounts>,
}

/// The values of one field. All counts are exact.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldCounts {
    /// The field.
    pub field: &'static str,
    /// Its most frequent values: by count, descending, then by value.
    pub values: Vec<ValueCount>,
    /// How many different values there are.
    pub distinct: u64,
    /// How many events have no value that the caller may see.
    pub missing: u64,
}

/// How often a value occurs. An event with several targets counts once for each different value.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValueCount {
    /// The value; as a filter it finds these events.
    pub value: String,
    /// How many events have it.
    pub events: u64,
}

impl From<FacetCounts> for FieldCounts {
    fn from(counts: FacetCounts) -> FieldCounts {
        let FacetCounts { facet, values, distinct, missing } = counts;
        let field = FIELDS.iter().find(|(_, known)| *known == facet).map_or("", |(name, _)| name);
        let values = values.into_iter().map(|(value, events)| ValueCount { value, events }).collect();
        FieldCounts { field, values, distinct, missing }
    }
}

/// What to count.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `fields` reads")]
pub struct FacetQuery {
    /// action, category, actor, team, outcome, target_type, target, environment, ip or key. Repeat it for several.
    field: Vec<String>,
    /// Values of each field; 10 unless given, at most 1,000.
    limit: Option<u64>,
}

/// Counts values.
///
/// The most frequent values of some fields among the events that match; all filters can be combined.
#[utoipa::path(
    get, path = "/v1/facets", tag = "events", operation_id = "readFacets",
    params(crate::api::openapi::FilterQuery, FacetQuery),
    responses(
        (status = 200, description = "The counts", body = Facets),
        (status = 422, description = "A parameter is not valid", body = Problem)),
)]
pub async fn read_facets(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let wanted = params::chosen(query.as_deref(), &["field", "limit"])?;
    let (fields, limit) = fields(&wanted.given).map_err(|fault| Problem::invalid(vec![fault]))?;
    let scope = caller.permit(Act::Read)?;
    looks::note(&app, &caller, "api", &wanted.given, Some(request_id.as_str())).await;
    let counts = app.reading(move |_, log| log.facets(&scope, &wanted.filter, &fields, limit)).await??;
    json(&Facets { facets: counts.into_iter().map(FieldCounts::from).collect() })
}

fn fields(given: &Given) -> Result<(Vec<Facet>, usize), FieldError> {
    let mut fields = Vec::new();
    for name in given.all("field") {
        let Some((_, facet)) = FIELDS.iter().find(|(known, _)| *known == name) else {
            let known = FIELDS.map(|(known, _)| known).join(", ");
            return Err(FieldError::parameter("field", format!("cannot be counted; these can: {known}")));
        };
        if fields.contains(facet) {
            return Err(FieldError::parameter("field", format!("names {name} more than once")));
        }
        fields.push(*facet);
    }
    if fields.is_empty() {
        return Err(FieldError::parameter("field", "is missing: it says what to count, such as action"));
    }
    let limit = params::number(given, "limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT);
    Ok((fields, usize::try_from(limit).unwrap_or(usize::MAX)))
}
