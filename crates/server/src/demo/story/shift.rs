//! Someone at a seat for a while: the pen with which the threads of an ordinary day write.

use fastrand::Rng;
use serde_json::{Map, Value};

use super::apps::{Param, Query, Resource};
use super::calendar::DAY;
use super::dice;
use super::draft::{Draft, Outcome, Seat};
use record::Timestamp;

/// What can go wrong with a database, and how it says so.
const DATABASE_ERRORS: [(&str, &str); 4] = [
    ("57014", "canceling statement due to statement timeout"),
    ("08006", "could not connect to server: Connection timed out"),
    ("40001", "could not serialize access due to concurrent update"),
    ("22P02", "invalid input syntax for type integer: \"\""),
];

/// The same of an interface.
const HTTP_ERRORS: [(&str, &str); 4] = [
    ("429", "Too Many Requests"),
    ("502", "Bad Gateway"),
    ("504", "Gateway Timeout"),
    ("422", "amount_cents exceeds the refundable amount"),
];

/// A stretch of work. Ends by itself when the time or the number of events runs out; everything written after that is
/// dropped, so that the threads need not count.
#[derive(Debug)]
pub(super) struct Shift<'s> {
    pub(super) rng: &'s mut Rng,
    pub(super) seat: Seat,
    /// The time of the last event.
    pub(super) at: i64,
    /// When it must be over.
    pub(super) until: i64,
    /// How many more events may be written.
    pub(super) left: usize,
    pub(super) out: &'s mut Vec<Draft>,
}

impl Shift<'_> {
    /// Whether another event could still be written.
    pub(super) fn goes_on(&self) -> bool {
        self.left > 0 && self.at < self.until
    }

    /// Lets about so much time pass, and writes an event.
    pub(super) fn log(&mut self, median_ms: u64, action: &'static str, shape: impl FnOnce(&mut Rng, Draft) -> Draft) {
        // The first event of a shift is at its start, which is known to be early enough.
        if median_ms > 0 {
            self.at += dice::pause(self.rng, median_ms);
        }
        if !self.goes_on() {
            return;
        }
        let draft = self.seat.event(self.rng, self.at, action);
        let draft = shape(self.rng, draft);
        self.left -= 1;
        self.out.push(draft);
    }

    /// Runs a query. `place` names the app or workflow that it belongs to.
    pub(super) fn run(
        &mut self,
        median_ms: u64,
        action: &'static str,
        place: impl FnOnce(Draft) -> Draft,
        query: &Query,
        environment: &str,
    ) {
        self.log(median_ms, action, |rng, draft| {
            let draft = place(draft)
                .on_named("query", query.name)
                .within("resource", query.resource.id, query.resource.name, environment)
                .note("query", query.text);
            let at = draft.at();
            let draft = if query.params.is_empty() { draft } else { draft.note("params", params(rng, at, query.params)) };
            finish(rng, draft, query)
        });
    }
}

/// Decides how a query ends and how long it takes.
fn finish(rng: &mut Rng, draft: Draft, query: &Query) -> Draft {
    let took = dice::around(rng, query.median_ms);
    let rows = rng.u64(0..=draft.limit().unwrap_or(60));
    match rng.u32(..1_000) {
        0..=3 => draft
            .took(dice::around(rng, 9))
            .ended(Outcome::Denied)
            .note("error", error(("42501", &format!("permission denied for resource {}", query.resource.name)))),
        4..=22 => {
            let cause = failure(rng, query.resource);
            // Timeouts take their time.
            let took = if matches!(cause.0, "57014" | "504") { 30_000 + rng.u64(..400) } else { took };
            draft.took(took).ended(Outcome::Failure).note("error", error(cause))
        }
        // Now and then, the database has something better to do.
        23..=28 => draft.took(took * 12).note("rows", rows),
        _ if query.text.starts_with("select") => draft.took(took).note("rows", rows),
        _ => draft.took(took),
    }
}

fn failure(rng: &mut Rng, resource: &Resource) -> (&'static str, &'static str) {
    if resource.engine == "rest" { dice::pick(rng, HTTP_ERRORS) } else { dice::pick(rng, DATABASE_ERRORS) }
}

fn error((code, message): (&str, &str)) -> Value {
    serde_json::json!({ "code": code, "message": message })
}

fn params(rng: &mut Rng, at: i64, params: &[(&str, Param)]) -> Value {
    let mut filled = Map::new();
    for (name, param) in params {
        let value = match param {
            Param::Customer => rng.u32(10_000..68_000).into(),
            Param::Order => format!("FW-{}", rng.u32(410_000..560_000)).into(),
            Param::Seller => rng.u32(100..980).into(),
            Param::Ticket => rng.u32(88_000..121_000).into(),
            Param::Sku => {
                format!("{}-{}", dice::pick(rng, ["TNT", "PCK", "BTS", "JKT", "LMP", "MUG"]), rng.u32(1_000..4_800)).into()
            }
            Param::Cents => (rng.u32(4..260) * 95).into(),
            Param::Count(most) => rng.u32(1..=*most).into(),
            Param::Limit => dice::pick(rng, [20, 25, 50, 100]).into(),
            Param::Day => day(at - rng.i64(0..30) * DAY).into(),
            Param::One(values) => rng.choice(values.iter()).copied().unwrap_or_default().into(),
        };
        filled.insert((*name).to_owned(), value);
    }
    Value::Object(filled)
}

/// The date, as databases write it.
pub(super) fn day(at: i64) -> String {
    let mut text = Timestamp::from_millis(at).to_string();
    text.truncate(10);
    text
}
