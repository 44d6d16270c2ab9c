//! Figures about the process, for Prometheus.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;
use crate::delivering::standing::StatusView;

/// Labels of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, prometheus_client::encoding::EncodeLabelSet)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The route's pattern, never the path itself: that may hold what is nobody's business.
    pub route: String,
    /// The status code.
    pub status: u16,
}

/// Labels of events received.
#[derive(Debug, Clone, PartialEq, Eq, Hash, prometheus_client::encoding::EncodeLabelSet)]
pub struct Received {
    /// recorded, duplicate, conflict or refused.
    pub result: &'static str,
}

/// What is counted where it happens. The rest is read from the store when asked.
#[derive(Debug)]
pub struct Metrics {
    /// Requests answered.
    pub requests: Family<Request, Counter>,
    /// How long they took, in seconds.
    pub request_seconds: Histogram,
    /// Events that came in by the API, by what became of them.
    pub received: Family<Received, Counter>,
    /// Looks at the log that could not be recorded.
    pub unrecorded_looks: Counter,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            requests: Family::default(),
            request_seconds: Histogram::new(exponential_buckets(0.000_5, 2.0, 15)),
            received: Family::default(),
            unrecorded_looks: Counter::default(),
        }
    }
}

/// Everything as Prometheus text.
pub fn text(app: &App, deliveries: &[(follow::Route, StatusView)]) -> Result<String, std::fmt::Error> {
    let metrics = &app.metrics;
    let stats = app.store.stats();
    let health = app.store.health();
    let mut all = Registry::with_prefix("acta");
    all.register("http_requests", "Requests answered", metrics.requests.clone());
    all.register_with_unit("http_request", "How long requests took", Unit::Seconds, metrics.request_seconds.clone());
    all.register("events_received", "Events received by the API, by what became of them", metrics.received.clone());
    all.register("unrecorded_looks", "Looks at the log that could not be recorded", metrics.unrecorded_looks.clone());
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        all.register(name, help, gauge);
    };
    gauge("ready", "1 if events can be recorded", u64::from(health.unwritable.is_none()));
    gauge("sealing_ok", "1 if the last attempt to seal worked", u64::from(health.sealing.is_none()));
    gauge("segments_ok", "1 if no read has found damage", u64::from(health.damaged.is_none()));
    gauge("merging", "1 if segments are to be merged, or are being merged", u64::from(stats.merging));
    gauge("recent_events", "Events in the journal and not yet in a segment", stats.recent_events);
    gauge("segments", "Segments", stats.segments);
    gauge("segment_events", "Events in segments", stats.segment_rows);
    gauge("segment_bytes", "Bytes of segment files", stats.segment_bytes);
    gauge("journal_sync_max_nanoseconds", "The slowest write and sync of the journal", stats.sync_ns_max);
    let mut counter = |name: &str, help: &str, value: u64| {
        let counter: Counter = Counter::default();
        counter.inc_by(value);
        all.register(name, help, counter);
    };
    counter("recorded_events", "Events recorded", stats.recorded);
    counter("journal_batches", "Batches made durable; one sync each", stats.batches);
    counter("journal_bytes", "Bytes written to the journal", stats.journal_bytes);
    counter("journal_sync_nanoseconds", "Time spent in writes and syncs of the journal", stats.sync_ns);
    counter("sealed_events", "Events sealed into segments", stats.sealed_events);
    delivering(&mut all, deliveries);
    let mut out = String::new();
    prometheus_client::encoding::text::encode(&mut out, &all)?;
    Ok(out)
}

/// Labels of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, prometheus_client::encoding::EncodeLabelSet)]
pub struct OfDestination {
    /// Its id. Names are the organization's own business.
    pub destination: String,
    /// The organization's number.
    pub organization: u32,
}

fn delivering(all: &mut Registry, deliveries: &[(follow::Route, StatusView)]) {
    let mut family = |name: &str, help: &str, value: fn(&StatusView) -> u64| {
        let family: Family<OfDestination, Gauge> = Family::default();
        for (route, status) in deliveries {
            let destination = route.destination.to_string();
            let labels = OfDestination { destination, organization: route.organization.0 };
            family.get_or_create(&labels).set(i64::try_from(value(status)).unwrap_or(i64::MAX));
        }
        all.register(name, help, family);
    };
    family("delivery_ok", "1 unless a destination fails, is gone or cannot be set up", |it| u64::from(it.is_well()));
    family("delivery_lag_events", "Events of the log after a destination's cursor", |it| it.lag_events);
    family("delivery_lag_milliseconds", "Age of the oldest event that has not arrived", |it| it.lag_ms.unwrap_or(0));
    family("delivery_delivered_events", "Events that have arrived at a destination, replays included", |it| it.delivered);
    family("delivery_failed_attempts", "Attempts that have failed since the last success", |it| it.attempts.into());
    family("delivery_dead_letters", "Events that a destination refused", |it| it.dead_letters);
    family("delivery_open_gaps", "Stretches of the log that have not arrived", |it| it.open_gaps);
}
