//! Sending the mails that the directory keeps for it, and trying again.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use directory::QueuedMail;
use mail::{Mail, Mailer};

use crate::app::{App, blocking};
use crate::changing::change_always;
use crate::problem::Problem;

/// Mails taken from the queue at once.
const AT_ONCE: u32 = 20;
/// How often the queue is looked at for mails that are to be tried again.
const GLANCE: Duration = Duration::from_secs(5);

/// Sends mails until the process stops.
pub fn keep_sending(app: &Arc<App>) {
    if app.mailer.is_none() {
        return;
    }
    let shared = app.clone();
    let mut stop = app.tasks.stop_signal();
    app.tasks.spawn(async move {
        loop {
            if let Err(problem) = send_due(&shared).await {
                problem.log();
            }
            tokio::select! {
                () = stop.wait() => return,
                () = shared.mail_waits.notified() => {}
                () = tokio::time::sleep(GLANCE) => {}
            }
        }
    });
}

/// Sends what is due, and says how many of those mails went out.
pub async fn send_due(app: &Arc<App>) -> Result<usize, Problem> {
    let Some(mailer) = &app.mailer else { return Ok(0) };
    let mut sent = 0;
    loop {
        let (shared, now) = (app.clone(), app.now());
        let due = blocking(move || shared.directory.due_mails(now, AT_ONCE)).await??;
        if due.is_empty() {
            return Ok(sent);
        }
        for mail in due {
            sent += usize::from(send(app, mailer, mail).await?);
        }
    }
}

async fn send(app: &Arc<App>, mailer: &Mailer, queued: QueuedMail) -> Result<bool, Problem> {
    let (id, now, shared) = (queued.id, app.now(), app.clone());
    let (hopeless, reason) = match attempt(app, mailer, &queued).await {
        Ok(()) => {
            blocking(move || shared.directory.mail_sent(id)).await??;
            tracing::info!(mail = id, way = mailer.way(), "sent a mail");
            return Ok(true);
        }
        Err((hopeless, reason)) => (hopeless, reason),
    };
    let told = reason.clone();
    let given_up = change_always(app, move |app| app.directory.mail_failed(id, hopeless, &told, now)).await?;
    if given_up {
        tracing::error!(mail = id, attempts = queued.attempts + 1, reason, "a mail could not be sent and is given up");
    } else {
        tracing::warn!(mail = id, attempts = queued.attempts + 1, reason, "a mail could not be sent; it is tried again");
    }
    Ok(false)
}

async fn attempt(app: &App, mailer: &Mailer, queued: &QueuedMail) -> Result<(), (bool, String)> {
    let Some(letter) = &queued.letter else {
        return Err((true, "it was sealed under another key".to_owned()));
    };
    let millis = u64::try_from(app.now().as_millis()).unwrap_or_default();
    // The queue's number alone would come again in another data directory.
    let mut random = [0; 8];
    app.chance().fill(&mut random);
    let id = format!("acta-{}-{:016x}", queued.id, u64::from_be_bytes(random));
    let (to, subject, text, html) = (&letter.to, &letter.subject, &letter.text, &letter.html);
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
    let mail = Mail { id: &id, to, subject, text, html, at };
    mailer.send(&mail).await.map_err(|error| (error.is_hopeless(), error.to_string()))
}
