//! Delivery as the server runs it: a follower for each destination and organization, kept in step with the directory.
//!
//! What is to run is read from the directory after every change and once a second, for changes that the command line made. A
//! follower that is not to run any more, or not like this, is ended before another begins, so that there is never more than one
//! for a destination. What it knows is in the ledger; it begins again where it ended.

pub mod alerts;
pub mod lines;
pub mod marks;
pub mod range;
pub mod source;
pub mod standing;
pub mod testing;
pub mod wishes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deliver::doors::Doors;
use deliver::stdout::Output;
use directory::{Destination, DestinationId};
use follow::Route;
use follow::ledger::Ledger;
use record::{OrgId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::app::{App, blocking};
use crate::changing::{ask, change};
use crate::config::Config;
use crate::destination_settings;
use crate::permit::Caller;
use crate::problem::Problem;
use lines::Line;

/// The ledger's file, in the data directory.
pub const LEDGER: &str = "deliveries.db";
/// The destination that the operator sets up with `log_audit_events`: every organization's events on stdout.
pub const STDOUT: &str = "stdout";

/// Reads of the log by followers at once.
const READS_MAX: usize = 2;
/// How often the directory is looked at for what the command line changed.
const GLANCE: Duration = Duration::from_secs(1);
/// How often old receipts are forgotten.
const TIDY: Duration = Duration::from_secs(3_600);
/// How long followers may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What delivers.
pub struct Delivering {
    ledger: Ledger,
    doors: Doors,
    /// The process's standard output, if the operator wants events there. It is no door of an organization's destinations.
    stdout: Option<Output>,
    durable: Arc<watch::Sender<u64>>,
    turns: Arc<Semaphore>,
    /// Held by whoever brings lines in step with the directory.
    in_step: tokio::sync::Mutex<InStep>,
    /// What runs. Held for look-ups.
    lines: Mutex<BTreeMap<Route, Line>>,
    /// The tests of the last minute.
    pub(crate) tests: testing::Tests,
}

/// What was looked at the last time.
#[derive(Debug, Default)]
struct InStep {
    /// The directory's epochs then.
    epochs: Option<u64>,
    /// When.
    at: Option<Timestamp>,
}

impl std::fmt::Debug for Delivering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivering").field("doors", &self.doors).finish_non_exhaustive()
    }
}

/// The process's clock and chance as followers know them.
struct Given<T: ?Sized>(Arc<T>);

impl follow::Clock for Given<dyn store::Clock> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl follow::Chance for Given<dyn store::Chance> {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

impl Delivering {
    /// Opens the ledger, and the doors as far as the operator opens them.
    pub fn open(
        config: &Config,
        clock: Arc<dyn store::Clock>,
        chance: Arc<dyn store::Chance>,
    ) -> anyhow::Result<Delivering> {
        let options = destination_settings::http_options(config).map_err(|what| anyhow::anyhow!("destinations: {what}"))?;
        let doors = Doors::new(options, Arc::new(Given(clock)), Arc::new(Given(chance)))?;
        let doors = match destination_settings::folder(config) {
            Some(folder) => doors.with_files(folder),
            None => doors,
        };
        Ok(Delivering {
            ledger: Ledger::open(&config.data.join(LEDGER))?,
            doors,
            stdout: config.log_audit_events.then(|| Output::new(std::io::stdout())).transpose()?,
            durable: Arc::new(watch::Sender::new(0)),
            turns: Arc::new(Semaphore::new(READS_MAX)),
            in_step: tokio::sync::Mutex::default(),
            lines: Mutex::default(),
            tests: testing::Tests::default(),
        })
    }

    /// What has arrived where.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What transports are opened with.
    pub fn doors(&self) -> &Doors {
        &self.doors
    }

    /// Changes when events have become durable.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    /// A follower's turn to read the log.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.turns.clone().acquire_owned().await.ok()
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<Route, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the ledger calls a destination of an organization.
pub fn route(id: &DestinationId, org: OrgId) -> Route {
    Route::new(id.as_str(), org)
}

/// A destination that there is, and its place in the ledger.
pub async fn known(app: &Arc<App>, org: OrgId, id: &DestinationId) -> Result<Route, Problem> {
    let wanted = id.clone();
    let destination = ask(app, move |directory, _| directory.destination(org, &wanted)).await?;
    lines::begin(app, &destination).await?;
    Ok(route(id, org))
}

/// Delivers until the process stops.
pub fn keep_delivering(app: &Arc<App>) {
    // Not the app itself: the store's own thread must not be the last that holds it.
    let durable = app.delivering.durable.clone();
    app.store.when_durable(move || durable.send_modify(|count| *count = count.wrapping_add(1)));
    let (shared, mut stop) = (app.clone(), app.tasks.stop_signal());
    app.tasks.spawn(async move {
        loop {
            if let Err(problem) = look(&shared).await {
                problem.log();
            }
            if let Err(problem) = alerts::look(&shared).await {
                problem.log();
            }
            tokio::select! {
                () = stop.wait() => break,
                () = tokio::time::sleep(GLANCE) => {}
            }
        }
        end_all(&shared).await;
    });
    let (shared, mut stop) = (app.clone(), app.tasks.stop_signal());
    app.tasks.spawn(async move {
        let keep = Duration::from_secs(u64::from(shared.config.destination_receipts.0));
        loop {
            if let Err(error) = shared.delivering.ledger.tidy(shared.now(), keep).await {
                tracing::warn!(%error, "old receipts of deliveries could not be forgotten");
            }
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(TIDY) => {}
            }
        }
    });
}

/// Brings what runs in step with the directory, if that has changed.
async fn look(app: &Arc<App>) -> Result<(), Problem> {
    let mut known = app.delivering.in_step.lock().await;
    let shared = app.clone();
    let epochs = blocking(move || shared.directory.epochs()).await??;
    let fresh = known.at.is_some_and(|at| (0..lines::TRY_AGAIN_MS).contains(&app.now().millis_since(at)));
    if known.epochs == Some(epochs) && fresh {
        return Ok(());
    }
    // The epochs before the destinations: what changes in between is looked at the next time.
    let first = known.epochs.is_none();
    lines::in_step(app, first).await?;
    *known = InStep { epochs: Some(epochs), at: Some(app.now()) };
    Ok(())
}

/// Brings what runs in step with the directory, which has changed.
pub async fn reconcile(app: &Arc<App>) -> Result<(), Problem> {
    let _known = app.delivering.in_step.lock().await;
    lines::in_step(app, false).await
}

/// Resumes a paused destination: with what was recorded during the pause, or after it. What is passed over is in the ledger
/// before anything is sent. If we crash between the directory's change and that, it is delivered, which loses nothing.
pub async fn resume(
    app: &Arc<App>,
    caller: &Caller,
    org: OrgId,
    id: DestinationId,
    skip: bool,
) -> Result<Destination, Problem> {
    let _known = app.delivering.in_step.lock().await;
    let wanted = id.clone();
    let resumed = change(app, caller, move |directory, by, now| directory.resume_destination(by, org, &wanted, skip, now));
    let resumed = resumed.await?;
    let (ledger, route) = (app.delivering.ledger(), route(&id, org));
    // One that was paused before it ever ran has no place in the ledger yet.
    lines::begin(app, &resumed).await?;
    ledger.come_back(&route).await?;
    if let Some(newest) = app.store.newest(org).filter(|_| skip) {
        ledger.skip(&route, newest, "passed over when it was resumed", app.now()).await?;
    }
    lines::in_step(app, false).await?;
    Ok(resumed)
}

/// Ends all followers; what they have sent is written down.
async fn end_all(app: &Arc<App>) {
    let _known = app.delivering.in_step.lock().await;
    let lines = std::mem::take(&mut *app.delivering.lines());
    lines.values().for_each(Line::tell_stop);
    let ended = async {
        for line in lines.into_values() {
            line.end().await;
        }
    };
    if tokio::time::timeout(PATIENCE, ended).await.is_err() {
        tracing::warn!("some deliveries did not end; they begin again where they were written down");
    }
}
