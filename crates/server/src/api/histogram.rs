//! `GET /v1/histogram`: when the events that match occurred.

use std::sync::Arc;

use access::{Act, Scope};
use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use jiff::tz::TimeZone;
use record::Timestamp;
use serde::Serialize;
use store::{Filter, Page, Reader};
use utoipa::{IntoParams, ToSchema};

use super::events::json;
use crate::app::App;
use crate::buckets::{self, BUCKETS_MAX, Interval};
use crate::looks;
use crate::params::{self, Given};
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};
use crate::request_id::RequestId;

/// How many events occurred when. All counts are exact.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Histogram {
    /// The beginning of the first bucket; none where nothing matches and no time was asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// The last instant of the last bucket.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// The interval; none where a number of buckets was asked for.
    pub interval: Option<&'static str>,
    /// How many events match within that time: the sum of the buckets.
    pub total: u64,
    /// In the order of time, without gaps; each ends where the next one begins.
    pub buckets: Vec<Bucket>,
}

/// A stretch of time.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Bucket {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// How many events occurred in it.
    pub events: u64,
}

/// How the time is cut.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `cut` reads")]
pub struct HistogramQuery {
    /// minute, hour, day, week, month or year, as the calendar of `tz` has them. Unless given, the shortest one with fewer than
    /// 200 buckets.
    interval: Option<String>,
    /// In place of an interval: so many buckets of one length; at most 2,000.
    buckets: Option<u64>,
}

/// How the time is cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Fitting,
    Calendar(Interval),
    Equal(usize),
}

/// Counts events by time.
///
/// Without `from` the time begins with the oldest event that matches, without `to` it ends now, so that the sum is the
/// total that a list has under the same filters. All filters can be combined.
#[utoipa::path(
    get, path = "/v1/histogram", tag = "events", operation_id = "readHistogram",
    params(crate::api::openapi::FilterQuery, HistogramQuery),
    responses(
        (status = 200, description = "The counts", body = Histogram),
        (status = 422, description = "A parameter is not valid, or there would be too many buckets", body = Problem)),
)]
pub async fn read_histogram(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let wanted = params::chosen(query.as_deref(), &["interval", "buckets"])?;
    let cut = cut(&wanted.given).map_err(|fault| Problem::invalid(vec![fault]))?;
    let scope = caller.permit(Act::Read)?;
    looks::note(&app, &caller, "api", &wanted.given, Some(request_id.as_str())).await;
    let now = app.now();
    let counted = app.reading(move |_, log| count(log, &scope, wanted.filter, &wanted.zone, cut, now));
    json(&counted.await??)
}

fn cut(given: &Given) -> Result<Cut, FieldError> {
    let buckets = params::number(given, "buckets", 1, BUCKETS_MAX as u64)?;
    match (given.first("interval"), buckets) {
        (Some(_), Some(_)) => Err(FieldError::parameter("buckets", "cannot go together with interval")),
        (None, Some(buckets)) => Ok(Cut::Equal(usize::try_from(buckets).unwrap_or(BUCKETS_MAX))),
        (None, None) => Ok(Cut::Fitting),
        (Some(name), None) => Interval::parse(name).map(Cut::Calendar).ok_or_else(|| {
            let known = Interval::ALL.map(Interval::as_str).join(", ");
            FieldError::parameter("interval", format!("is none that is known; these are: {known}"))
        }),
    }
}

fn count(
    log: &Reader<'_>,
    scope: &Scope,
    filter: Filter,
    zone: &TimeZone,
    cut: Cut,
    now: Timestamp,
) -> Result<Histogram, Problem> {
    let Some((from, to)) = stretch(log, scope, &filter, zone, now)? else {
        return Ok(Histogram { from: None, to: None, interval: None, total: 0, buckets: Vec::new() });
    };
    let (interval, edges) = match cut {
        Cut::Equal(buckets) => (None, Ok(buckets::equal(from, to, buckets))),
        Cut::Calendar(interval) => (Some(interval), buckets::calendar(from, to, interval, zone)),
        Cut::Fitting => {
            let interval = Interval::fitting(from, to);
            (Some(interval), buckets::calendar(from, to, interval, zone))
        }
    };
    let edges = edges.map_err(|e| Problem::invalid(vec![FieldError::parameter("interval", e.to_string())]))?;
    let filter = Filter { from: Some(from), to: Some(to), ..filter };
    let counts = log.histogram(scope, &filter, &edges)?;
    let total = counts.iter().sum();
    let buckets = edges.iter().zip(counts).map(|(from, events)| Bucket { from: *from, events }).collect();
    Ok(Histogram { from: Some(from), to: Some(to), interval: interval.map(Interval::as_str), total, buckets })
}

/// The time to be cut: what was asked for, and otherwise from the oldest match until now, or until the newest where senders'
/// clocks are ahead. `None` where nothing matches and its beginning was not asked for.
fn stretch(
    log: &Reader<'_>,
    scope: &Scope,
    filter: &Filter,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Option<(Timestamp, Timestamp)>, Problem> {
    let to = match filter.to {
        Some(to) => to,
        None => {
            let newest = log.query(scope, filter, Page { offset: 0, limit: 1 })?.events;
            newest.first().map_or(now, |newest| newest.event.occurred_at.max(now))
        }
    };
    let from = match filter.from {
        Some(from) => Some(from),
        // Charts begin with a whole day, unless they end before the first one does.
        None => oldest(log, scope, filter, to)?.map(|at| Interval::Day.start(at, zone).unwrap_or(at)),
    };
    Ok(from.map(|from| (from, to.max(from))))
}

/// The time of the oldest match, to within a minute before it: by counting ever shorter stretches, which costs a few counts and no
/// memory, however many match.
fn oldest(log: &Reader<'_>, scope: &Scope, filter: &Filter, to: Timestamp) -> Result<Option<Timestamp>, Problem> {
    const NEAR_MS: i64 = 60_000;
    // Next to nothing occurred before 1970; a first look passes over it.
    let epoch = Timestamp::from_millis(0);
    let mut edges = vec![Timestamp::MIN];
    edges.extend(buckets::equal(epoch.min(to), to, BUCKETS_MAX - 1));
    loop {
        let counts = log.histogram(scope, filter, &edges)?;
        let mut stretches = edges.iter().zip(edges.iter().skip(1)).zip(counts);
        let Some(((&from, &end), _)) = stretches.find(|(_, events)| *events > 0) else { return Ok(None) };
        if end.millis_since(from) <= NEAR_MS {
            return Ok(Some(from));
        }
        edges = buckets::equal(from, end.plus_millis(-1), BUCKETS_MAX);
    }
}
