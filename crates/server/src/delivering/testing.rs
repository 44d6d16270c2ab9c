//! "Send test event": an event that tells of the test, recorded like any other, and sent at once by a way of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use directory::DestinationId;
use follow::format::Format;
use follow::{Hide, Message, Verdict};
use record::parse::Parsed;
use record::{Action, Event, EventId, Json, Kind, OrgId, Outcome, Target, Timestamp};
use store::Answer;

use super::source;
use crate::app::{App, blocking};
use crate::permit::Caller;
use crate::problem::Problem;
use crate::{record_own, redaction};

/// Tests of an organization within a minute.
const TESTS_MAX: usize = 12;
const WITHIN_MS: i64 = 60_000;
/// How long a receiver may take with everything, besides its own time-outs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tests of the last minute.
#[derive(Debug, Default)]
pub struct Tests(Mutex<HashMap<OrgId, Vec<Timestamp>>>);

impl Tests {
    fn one_more(&self, org: OrgId, now: Timestamp) -> Result<(), Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = all.entry(org).or_default();
        times.retain(|at| (0..WITHIN_MS).contains(&now.millis_since(*at)));
        if times.len() >= TESTS_MAX {
            let detail = format!("At most {TESTS_MAX} tests of destinations a minute.");
            return Err(Problem::too_many(detail, 60));
        }
        times.push(now);
        Ok(())
    }
}

/// How a test ended.
#[derive(Debug)]
pub struct Tested {
    /// Whether the receiver took it.
    pub delivered: bool,
    /// What it said.
    pub answer: String,
    /// How long it took.
    pub took_ms: u64,
    /// The event.
    pub event_id: EventId,
}

/// Records TEST_DESTINATION and sends that event.
pub async fn test(app: &Arc<App>, caller: &Caller, org: OrgId, id: DestinationId) -> Result<Tested, Problem> {
    let (shared, by, wanted) = (app.clone(), caller.changed_by(), id.clone());
    let (destination, settings, organization) = blocking(move || {
        let now = shared.now();
        let destination = shared.directory.may_use_destination(&by, org, &wanted, now)?;
        let settings = shared.directory.destination_settings(org, &wanted)?;
        Ok::<_, Problem>((destination, settings, shared.directory.organization(org)?))
    })
    .await??;
    app.delivering.tests.one_more(org, app.now())?;

    let now = app.now();
    let mut event = Event::new(Action::new("TEST_DESTINATION").map_err(Problem::internal)?, caller.actor(), now);
    event.context = caller.context(None);
    event.team = destination.team.clone();
    event.outcome = Some(Outcome::Success);
    event.response_time_ms = caller.from.took_ms(now);
    event.targets = vec![Target {
        kind: Kind::new("destination").map_err(Problem::internal)?,
        id: Some(id.as_str().into()),
        name: Some(destination.name.as_str().into()),
        environment: None,
    }];
    event.metadata = Some(Json::trusted(&format!(r#"{{"type":{}}}"#, Json::string(&destination.kind).as_str())));
    let event_id = recorded(app, org, event).await?;
    let scope = record_own::system_scope(org);
    let entry = app.reading(move |app, _| app.store.get(&scope, event_id)).await??;
    let entry = entry.ok_or_else(|| Problem::internal("an event that was just recorded is not there"))?;

    let started = app.clock().monotonic_ns();
    let answer = async {
        let settings = settings.ok_or("its settings were sealed under another key; enter them again")?;
        let settings = super::lines::settings(&destination.kind, &settings)?;
        let transport = settings.open(app.delivering.doors()).map_err(|error| error.to_string())?;
        let hide = Hide::parse(&destination.hide).map_err(|(_, error)| error.to_string())?;
        let format = Format::parse(&destination.format).ok_or("its format is not known")?;
        let event = hide.apply(Arc::new(source::recorded(entry, organization.name.as_str().into())));
        let bodies = format.encode(&event)?;
        let messages: Vec<Message> =
            (0..).zip(bodies).map(|(part, body)| Message { recorded: event.clone(), part, body }).collect();
        if messages.is_empty() {
            return Err("the format has nothing to say of this event".to_owned());
        }
        let sent = tokio::time::timeout(PATIENCE, transport.send(&messages)).await;
        sent.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))
    };
    let (delivered, answer) = match answer.await {
        Ok(answer) => (is_delivered(&answer.verdict), answer.raw),
        Err(why) => (false, why),
    };
    let took_ms = app.clock().monotonic_ns().saturating_sub(started) / 1_000_000;
    Ok(Tested { delivered, answer, took_ms, event_id })
}

fn is_delivered(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Delivered => true,
        Verdict::Each(fates) => fates.iter().all(|fate| *fate == follow::Fate::Delivered),
        _ => false,
    }
}

/// Records one event of Acta's own and says which it became.
async fn recorded(app: &Arc<App>, org: OrgId, event: Event) -> Result<EventId, Problem> {
    let door = redaction::door(app, org).await?;
    let prepared = door.admit_own(Parsed { event, occurred_at_given: true }, org, app);
    let answers = record_own::append(app, &record_own::system_scope(org), vec![prepared], None).await?;
    match answers.first() {
        Some(Answer::Recorded(place) | Answer::Duplicate(place)) => Ok(place.event_id),
        _ => Err(Problem::internal("an event of our own was not recorded")),
    }
}
