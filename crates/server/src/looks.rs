//! Reading the log is an event: who looked, with which filter. Repeats within a while are one look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use record::{Action, Event, Json, Outcome, Timestamp};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::Problem;
use crate::record_own;

/// A look with the same filter by the same caller is recorded once in so many milliseconds: turning pages and polling are one
/// look, another filter is another.
const SAME_LOOK_MS: i64 = 10 * 60 * 1_000;
/// Looks remembered; more are forgotten all at once, and recorded again.
const ENTRIES_MAX: usize = 10_000;

/// Looks recorded a moment ago. Its lock is held for the time of a look-up.
#[derive(Debug, Default)]
pub struct Looks(Mutex<HashMap<[u8; 32], Timestamp>>);

impl Looks {
    fn is_new(&self, look: [u8; 32], now: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(&look).is_some_and(|at| (0..SAME_LOOK_MS).contains(&now.millis_since(*at))) {
            return false;
        }
        if known.len() >= ENTRIES_MAX {
            known.clear();
        }
        known.insert(look, now);
        true
    }

    fn forget(&self, look: [u8; 32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&look);
    }
}

/// Records that a caller reads the log through `interface` (`api` or `page`) with these parameters.
///
/// A store that cannot record does not keep anybody from reading: who investigates a failing disk needs the log. The look is
/// then in the server's own log, and counted.
pub async fn note(app: &Arc<App>, caller: &Caller, interface: &str, given: &Given, request_id: Option<&str>) {
    let parts = ["page", "per_page", "after", "before", "limit", "tz", "columns", "field", "buckets", "interval"];
    let filter = Given(
        given.0.iter().filter(|(name, value)| !parts.contains(&name.as_str()) && !value.is_empty()).cloned().collect(),
    );
    let filter = filter.to_query();
    let actor = caller.actor();
    let look: [u8; 32] = Sha256::digest(format!("{} {interface} {filter}", actor.id)).into();
    if !app.looks.is_new(look, app.now()) {
        return;
    }
    if let Err(problem) = record(app, caller, record::text::LOOK, interface, &filter, request_id).await {
        app.looks.forget(look);
        app.metrics.unrecorded_looks.inc();
        problem.log();
        tracing::warn!(actor = %actor.id, interface, filter, "a look at the log could not be recorded");
    }
}

/// Records that a caller listed who may do what (`who-can`) or what somebody may do (`what-can`); repeats within a while are one.
pub async fn note_permissions(app: &Arc<App>, caller: &Caller, question: &str, given: &Given) {
    let filter = given.with("page", None).with("per_page", None).to_query();
    let actor = caller.actor();
    let look: [u8; 32] = Sha256::digest(format!("{} {question} {filter}", actor.id)).into();
    if !app.looks.is_new(look, app.now()) {
        return;
    }
    if let Err(problem) = record(app, caller, "VIEW_PERMISSIONS", question, &filter, None).await {
        app.looks.forget(look);
        app.metrics.unrecorded_looks.inc();
        problem.log();
    }
}

async fn record(
    app: &Arc<App>,
    caller: &Caller,
    action: &str,
    interface: &str,
    filter: &str,
    request_id: Option<&str>,
) -> Result<(), Problem> {
    let (action, now) = (Action::new(action).map_err(Problem::internal)?, app.now());
    let mut event = Event::new(action, caller.actor(), now);
    event.context = caller.context(request_id);
    event.response_time_ms = caller.from.took_ms(now);
    event.outcome = Some(Outcome::Success);
    let filter = Json::string(filter);
    event.metadata = Some(Json::trusted(&format!(r#"{{"interface":"{interface}","filter":{}}}"#, filter.as_str())));
    record_own::own(app, caller.subject().org(), event).await
}
