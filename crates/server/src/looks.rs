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
pub async fn note(app: &Arc<App>, caller: &Caller, interface: &str, given: &Given, request_id: Option<&str>) {
    let parts = ["page", "per_page", "after", "before", "limit", "tz", "columns", "field", "buckets", "interval"];
    let filter = Given(
        given.0.iter().filter(|(name, value)| !parts.contains(&name.as_str()) && !value.is_empty()).cloned().collect(),
    );
    note_once(app, caller, Look { action: record::text::LOOK, interface, filter: filter.to_query() }, request_id).await;
}

/// Records that a caller listed who may do what (`who-can`) or what somebody may do (`what-can`); repeats within a while are one.
pub async fn note_permissions(app: &Arc<App>, caller: &Caller, question: &str, given: &Given) {
    let filter = given.with("page", None).with("per_page", None).to_query();
    note_once(app, caller, Look { action: "VIEW_PERMISSIONS", interface: question, filter }, None).await;
}

/// Records that a caller took a file with what these parameters ask for. Each is an event: it is not ours any more what becomes
/// of the file.
pub async fn note_download(app: &Arc<App>, caller: &Caller, interface: &str, given: &Given, request_id: Option<&str>) {
    let download = Look { action: "DOWNLOAD_AUDIT_LOGS", interface, filter: given.to_query() };
    record(app, caller, &download, request_id).await;
}

/// What somebody looks at.
struct Look<'a> {
    action: &'static str,
    interface: &'a str,
    filter: String,
}

/// Records a look, unless it was recorded a moment ago.
async fn note_once(app: &Arc<App>, caller: &Caller, look: Look<'_>, request_id: Option<&str>) {
    let Look { interface, filter, .. } = &look;
    let known: [u8; 32] = Sha256::digest(format!("{} {interface} {filter}", caller.actor().id)).into();
    if app.looks.is_new(known, app.now()) && !record(app, caller, &look, request_id).await {
        app.looks.forget(known);
    }
}

/// Records a look, and says whether that was done.
///
/// A store that cannot record does not keep anybody from reading: who investigates a failing disk needs the log. The look is
/// then in the server's own log, and counted.
async fn record(app: &Arc<App>, caller: &Caller, look: &Look<'_>, request_id: Option<&str>) -> bool {
    let Err(problem) = try_record(app, caller, look, request_id).await else { return true };
    app.metrics.unrecorded_looks.inc();
    problem.log();
    let Look { action, interface, filter } = look;
    tracing::warn!(actor = %caller.actor().id, action, interface, filter, "a look at the log could not be recorded");
    false
}

async fn try_record(app: &Arc<App>, caller: &Caller, look: &Look<'_>, request_id: Option<&str>) -> Result<(), Problem> {
    let (action, now) = (Action::new(look.action).map_err(Problem::internal)?, app.now());
    let mut event = Event::new(action, caller.actor(), now);
    event.context = caller.context(request_id);
    event.response_time_ms = caller.from.took_ms(now);
    event.outcome = Some(Outcome::Success);
    let (interface, filter) = (look.interface, Json::string(&look.filter));
    event.metadata = Some(Json::trusted(&format!(r#"{{"interface":"{interface}","filter":{}}}"#, filter.as_str())));
    record_own::own(app, caller.subject().org(), event).await
}
