//! What runs: one follower for each destination and organization.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use deliver::settings::{Receiver, Settings};
use deliver::stdout::StdoutSettings;
use directory::{Destination, Organization};
use follow::format::Format;
use follow::ledger::Begin;
use follow::{Control, Follower, FollowerParts, Hide, Route, Transport, Wanted};
use record::{Index, Timestamp};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use super::{STDOUT, route, source};
use crate::app::{App, blocking};
use crate::problem::Problem;

/// After so long a destination that could not be set up is tried again.
pub(super) const TRY_AGAIN_MS: i64 = 30_000;

/// A destination's course.
#[derive(Debug)]
pub struct Line {
    /// What it was made of; another is another line.
    of: Wish,
    state: State,
}

/// How a line is.
#[derive(Debug)]
enum State {
    /// Its follower runs.
    Running { stop: watch::Sender<bool>, ended: oneshot::Receiver<()>, control: Control },
    /// It cannot be set up.
    Broken { why: String, since: Timestamp },
}

/// What is to run.
#[derive(Debug, Clone, PartialEq)]
struct Wish {
    /// The directory's; `None` for the operator's stdout.
    destination: Option<Box<Destination>>,
    /// The organization's name.
    organization: String,
}

impl Line {
    pub(super) fn tell_stop(&self) {
        if let State::Running { stop, .. } = &self.state {
            stop.send_replace(true);
        }
    }

    /// Waits until its follower has ended.
    pub(super) async fn end(self) {
        self.tell_stop();
        if let State::Running { ended, .. } = self.state {
            // An error is the task's end, too.
            drop(ended.await);
        }
    }

    /// A handle on its follower.
    pub fn control(&self) -> Option<Control> {
        match &self.state {
            State::Running { control, .. } => Some(control.clone()),
            State::Broken { .. } => None,
        }
    }

    /// Why it cannot be set up, and since when.
    pub fn broken(&self) -> Option<(String, Timestamp)> {
        match &self.state {
            State::Running { .. } => None,
            State::Broken { why, since } => Some((why.clone(), *since)),
        }
    }
}

/// Ends what is not to run, and starts what is. `first` says that the process has just started.
pub(super) async fn in_step(app: &Arc<App>, first: bool) -> Result<(), Problem> {
    let shared = app.clone();
    let (wanted, known) = blocking(move || wishes(&shared)).await??;
    let over: Vec<(Route, Line)> = {
        let (mut lines, now) = (app.delivering.lines(), app.now());
        let stays = |route: &Route, line: &Line| {
            let is_tried_again = line.broken().is_some_and(|(_, since)| now.millis_since(since) >= TRY_AGAIN_MS);
            wanted.get(route) == Some(&line.of) && !is_tried_again
        };
        let over: Vec<Route> =
            lines.iter().filter(|(route, line)| !stays(route, line)).map(|(route, _)| route.clone()).collect();
        over.into_iter().filter_map(|route| lines.remove_entry(&route)).collect()
    };
    over.iter().for_each(|(_, line)| line.tell_stop());
    let mut broken_since = BTreeMap::new();
    for (route, line) in over {
        if let (Some((_, since)), Some(wish)) = (line.broken(), wanted.get(&route))
            && *wish == line.of
        {
            broken_since.insert(route.clone(), since);
        }
        line.end().await;
    }
    forget_removed(app, &known).await?;
    let running: BTreeSet<Route> = app.delivering.lines().keys().cloned().collect();
    for (route, wish) in wanted.into_iter().filter(|(route, _)| !running.contains(route)) {
        if app.tasks.is_stopping() {
            return Ok(());
        }
        let state = match start(app, &route, &wish, first).await {
            Ok(state) => state,
            Err(why) => {
                tracing::warn!(%route, why, "a destination cannot be set up");
                State::Broken { why, since: broken_since.get(&route).copied().unwrap_or_else(|| app.now()) }
            }
        };
        app.delivering.lines().insert(route, Line { of: wish, state });
    }
    Ok(())
}

/// What is to run (what is paused, too, so that it can be asked how it stands), and the ids of all destinations that there are.
fn wishes(app: &App) -> Result<(BTreeMap<Route, Wish>, BTreeSet<String>), Problem> {
    let organizations: BTreeMap<_, Organization> =
        app.directory.organizations()?.into_iter().map(|organization| (organization.id, organization)).collect();
    let name = |org| organizations.get(&org).map_or_else(String::new, |it: &Organization| it.name.clone());
    let mut known = BTreeSet::from([STDOUT.to_owned()]);
    let mut wanted = BTreeMap::new();
    for destination in app.directory.all_destinations()? {
        known.insert(destination.id.to_string());
        // What people were told does not change what is sent.
        let destination = Destination { failing_told_at: None, ..destination };
        let (route, organization) = (route(&destination.id, destination.org), name(destination.org));
        wanted.insert(route, Wish { destination: Some(Box::new(destination)), organization });
    }
    if app.config.log_audit_events {
        for organization in organizations.values().filter(|organization| organization.archived_at.is_none()) {
            let wish = Wish { destination: None, organization: organization.name.clone() };
            wanted.insert(Route::new(STDOUT, organization.id), wish);
        }
    }
    Ok((wanted, known))
}

/// Forgets what the ledger has of destinations that are gone. Archived organizations' are kept.
async fn forget_removed(app: &Arc<App>, known: &BTreeSet<String>) -> Result<(), Problem> {
    let standings = app.delivering.ledger().standings().await?;
    let gone: Vec<Route> =
        standings.into_iter().map(|it| it.route).filter(|route| !known.contains(route.destination.as_str())).collect();
    for route in gone {
        let (shared, id, org) = (app.clone(), route.destination.as_str().to_owned(), route.organization);
        let is_there = blocking(move || {
            directory::DestinationId::parse(&id).is_ok_and(|id| shared.directory.destination(org, &id).is_ok())
        });
        if !is_there.await? {
            app.delivering.ledger().forget(&route.destination).await?;
        }
    }
    Ok(())
}

/// Gives a destination its place in the ledger, unless it has one.
pub(super) async fn begin(app: &Arc<App>, destination: &Destination) -> Result<(), Problem> {
    let route = route(&destination.id, destination.org);
    let newest = app.store.newest(destination.org);
    app.delivering.ledger().begin(&route, Begin::At(Index(destination.begins_at)), newest).await?;
    Ok(())
}

/// Settings that were right when they were kept.
pub(super) fn settings(kind: &str, whole: &Value) -> Result<Settings, String> {
    Settings::parse(kind, whole).map_err(|mistakes| {
        let told = mistakes.iter().map(|mistake| format!("{} {}", mistake.member, mistake.text));
        format!("its settings are not valid any more: {}", told.collect::<Vec<_>>().join("; "))
    })
}

async fn start(app: &Arc<App>, route: &Route, wish: &Wish, first: bool) -> Result<State, String> {
    let org = route.organization;
    let (scope, wanted, format, hide, transport) = match &wish.destination {
        Some(destination) => {
            begin(app, destination).await.map_err(|problem| problem.detail)?;
            let (shared, id) = (app.clone(), destination.id.clone());
            let whole = blocking(move || shared.directory.destination_settings(org, &id)).await;
            let whole = whole.map_err(|problem| problem.detail)?.map_err(|error| error.to_string())?;
            let whole = whole.ok_or("its settings were sealed under another key; enter them again")?;
            let transport = settings(&destination.kind, &whole)?.open(app.delivering.doors()).map_err(|e| e.to_string())?;
            (
                source::scope(org, destination.team.clone()).map_err(|denied| denied.to_string())?,
                serde_json::from_value::<Wanted>(destination.wanted.clone()).map_err(|error| error.to_string())?,
                Format::parse(&destination.format).ok_or("its format is not known")?,
                Hide::parse(&destination.hide).map_err(|(_, error)| error.to_string())?,
                transport,
            )
        }
        None => {
            begin_stdout(app, route, first).await.map_err(|problem| problem.detail)?;
            let scope = source::scope(org, None).map_err(|denied| denied.to_string())?;
            (scope, Wanted::default(), Format::Retool, Hide::nothing(), stdout(app)?)
        }
    };
    let source = source::Source::new(app.clone(), &wish.organization, scope, wanted);
    let doors = app.delivering.doors();
    let follower = Follower::new(FollowerParts {
        route: route.clone(),
        // It has its place in the ledger by now.
        begin: Begin::Beginning,
        log: Arc::new(source),
        encoder: Arc::new(format),
        hide,
        transport,
        ledger: app.delivering.ledger().clone(),
        clock: doors.clock.clone(),
        chance: doors.chance.clone(),
        is_paused: wish.destination.as_ref().is_some_and(|destination| destination.paused_at.is_some()),
    });
    let control = follower.control();
    let (stop, mut stopped) = watch::channel(false);
    let (end, ended) = oneshot::channel();
    let mut process = app.tasks.stop_signal();
    app.tasks.spawn(async move {
        // Dropped with the task, also if it panics.
        let _end: oneshot::Sender<()> = end;
        let stop = async move {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => {}
                () = process.wait() => {}
            }
        };
        follower.run(stop).await;
    });
    Ok(State::Running { stop, ended, control })
}

/// Where stdout begins: the first time it is asked for with what is recorded from then on, and for an organization that comes
/// later with its first event.
async fn begin_stdout(app: &Arc<App>, route: &Route, first: bool) -> Result<(), Problem> {
    let ledger = app.delivering.ledger();
    let known = ledger.standings().await?.iter().any(|it| it.route.destination.as_str() == STDOUT);
    let begin = if first && !known { Begin::Now } else { Begin::Beginning };
    ledger.begin(route, begin, app.store.newest(route.organization)).await?;
    Ok(())
}

/// The operator's stdout.
fn stdout(app: &App) -> Result<Arc<dyn Transport>, String> {
    let output = app.delivering.stdout.clone().ok_or("log_audit_events is off")?;
    StdoutSettings::default().open(&app.delivering.doors().clone().with_output(output)).map_err(|error| error.to_string())
}
