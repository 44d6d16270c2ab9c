//! Acta's own events: sign-ins, looks at the log, and what the directory's outbox holds.

use std::sync::Arc;

use access::{Act, Scope, Subject, decide};
use directory::OutboxId;
use record::parse::{self, Parsed};
use record::{Event, Limits, OrgId};
use store::{Answer, AppendError, Prepared};

use crate::app::{App, blocking};
use crate::problem::Problem;
use crate::redaction;

/// The scope in which Acta itself acts in an organization.
pub fn system_scope(org: OrgId) -> Scope {
    #[expect(clippy::expect_used, reason = "the system is denied nothing; a test of `access` says so")]
    decide(&Subject::System { org }, Act::Record).expect("the system may record")
}

/// Events that may be handed over on a thread that serves others, too.
const EVENTS_AT_ONCE: usize = 200;

/// Records events and waits until they are durable.
pub async fn append(
    app: &App,
    scope: &Scope,
    events: Vec<Prepared>,
    idempotency: Option<store::Idempotency>,
) -> Result<Vec<Answer>, AppendError> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let many = events.len() > EVENTS_AT_ONCE;
    let append = || {
        app.store.append(scope, events, idempotency, move |answers| {
            // Nobody listens when the caller has hung up. The events are recorded all the same.
            drop(sender.send(answers));
        });
    };
    // Numbering takes microseconds for each event, but looking for the ids of a large repeat reads from disk.
    if many {
        tokio::task::block_in_place(append)
    } else {
        append()
    }
    receiver.await.unwrap_or(Err(AppendError::Store(store::StoreError::Closing)))
}

/// Records one event of Acta's own.
pub async fn own(app: &Arc<App>, org: OrgId, event: Event) -> Result<(), Problem> {
    let door = redaction::door(app, org).await?;
    let prepared = door.admit_own(Parsed { event, occurred_at_given: true }, org, app);
    append(app, &system_scope(org), vec![prepared], None).await?;
    Ok(())
}

/// Moves the outbox into the log after a change that was made; if that does not work now, it is tried again soon.
pub async fn drain_outbox_or_log(app: &Arc<App>) {
    if let Err(problem) = drain_outbox(app).await {
        problem.log();
    }
}

/// Moves the directory's outbox into the log: each change of the directory becomes an event, once.
///
/// If we crash between the append and the removal, the same rows come again with the same ids and are duplicates.
pub async fn drain_outbox(app: &Arc<App>) -> Result<usize, Problem> {
    let mut moved = 0;
    loop {
        let shared = app.clone();
        let rows = blocking(move || shared.directory.outbox_after(None, 500)).await??;
        if rows.is_empty() {
            return Ok(moved);
        }
        let mut done: Vec<OutboxId> = Vec::with_capacity(rows.len());
        for row in &rows {
            let parsed = match parse::event(&row.body, &Limits::none(), app.now()) {
                Ok(parsed) => parsed,
                Err(e) => {
                    tracing::error!(row = ?row.id, body = row.body, error = ?e, "a change of the directory makes no event");
                    done.push(row.id);
                    continue;
                }
            };
            let prepared = redaction::door(app, row.org).await?.admit_own(parsed, row.org, app);
            let answers = append(app, &system_scope(row.org), vec![prepared], None).await?;
            if matches!(answers.first(), Some(Answer::Conflict(_)) | None) {
                tracing::error!(row = ?row.id, body = row.body, "a change of the directory has the id of another event");
            }
            done.push(row.id);
        }
        moved += done.len();
        let shared = app.clone();
        blocking(move || shared.directory.outbox_remove(&done)).await??;
    }
}

/// Drains the outbox now and then, for changes that the command line made, until the process stops.
pub fn keep_draining(app: &Arc<App>) {
    let shared = app.clone();
    let mut stop = app.tasks.stop_signal();
    app.tasks.spawn(async move {
        loop {
            if let Err(problem) = drain_outbox(&shared).await {
                problem.log();
            }
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            }
        }
    });
}
