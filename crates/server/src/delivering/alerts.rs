//! People are told, once, that a destination fails for long, or that its receiver wants nothing any more; and that it works
//! again. *If we crash in between,* the directory knows what was told.

use std::sync::Arc;
use std::time::Duration;

use directory::{ChangedBy, Destination, DestinationId, Letter, Part, UserFilter, UserStatus};
use follow::Route;
use follow::ledger::{Alert, Trouble};
use record::Timestamp;

use crate::app::{App, blocking};
use crate::changing::change_always;
use crate::letters;
use crate::problem::Problem;

/// Tells what is to be told now.
pub async fn look(app: &Arc<App>) -> Result<(), Problem> {
    let (now, ledger) = (app.now(), app.delivering.ledger());
    let after = Duration::from_secs(u64::from(app.config.destination_alert_after.0));
    for alert in ledger.alerts(now, after).await? {
        match alert.trouble {
            Trouble::Failing => tell(app, &alert.route, alert.since, &alert.last_answer).await?,
            Trouble::Gone => {
                tell(app, &alert.route, alert.since, &alert.last_answer).await?;
                pause(app, &alert).await?;
            }
            Trouble::Recovered => {}
        }
        ledger.told(&alert).await?;
    }
    for (route, why, since) in broken(app) {
        if now.millis_since(since) >= app.config.destination_alert_after.millis() {
            tell(app, &route, since, &why).await?;
        }
    }
    recovered(app).await
}

/// What cannot even be set up, and since when.
fn broken(app: &App) -> Vec<(Route, String, Timestamp)> {
    let lines = app.delivering.lines();
    let broken = lines.iter().filter_map(|(route, line)| {
        let (why, since) = line.broken()?;
        Some((route.clone(), why, since))
    });
    broken.collect()
}

/// That a destination fails: an event, and a mail to each owner and admin.
async fn tell(app: &Arc<App>, route: &Route, since: Timestamp, answer: &str) -> Result<(), Problem> {
    let Some((id, destination)) = of_directory(app, route).await? else { return Ok(()) };
    if destination.failing_told_at.is_some() {
        return Ok(());
    }
    tracing::warn!(%route, %since, answer, "a destination has been failing");
    let (org, answer, now) = (route.organization, answer.to_owned(), app.now());
    let is_told = change_always(app, move |app| {
        let letters = letters(app, &destination, since, &answer)?;
        app.directory.destination_failing(org, &id, since, &answer, &letters, now)
    });
    if is_told.await? {
        app.mail_waits.notify_one();
    }
    Ok(())
}

fn letters(
    app: &App,
    destination: &Destination,
    since: Timestamp,
    answer: &str,
) -> Result<Vec<Letter>, directory::DirectoryError> {
    if app.mailer.is_none() {
        return Ok(Vec::new());
    }
    let organization = app.directory.organization(destination.org)?;
    let everybody = app.directory.list_users(destination.org, &UserFilter::default(), Part::ALL)?.items;
    let responsible = everybody
        .into_iter()
        .filter(|user| user.status == UserStatus::Active && matches!(user.role, access::Role::Owner | access::Role::Admin));
    let letter =
        |user| letters::destination_failing(&app.config, &user, &organization.name, &destination.name, since, answer);
    Ok(responsible.map(letter).collect())
}

/// The receiver wants nothing any more: nothing is sent until somebody resumes the destination.
async fn pause(app: &Arc<App>, alert: &Alert) -> Result<(), Problem> {
    let Some((id, _)) = of_directory(app, &alert.route).await? else { return Ok(()) };
    let (org, why, now) = (alert.route.organization, alert.last_answer.clone(), app.now());
    change_always(app, move |app| app.directory.pause_destination(&ChangedBy::system(), org, &id, Some(&why), now)).await?;
    super::reconcile(app).await
}

/// Of those that were told to fail, some have delivered since.
async fn recovered(app: &Arc<App>) -> Result<(), Problem> {
    let shared = app.clone();
    for destination in blocking(move || shared.directory.failing_destinations()).await?? {
        let route = super::route(&destination.id, destination.org);
        let standing = app.delivering.ledger().standing(&route).await?;
        let works = standing.is_some_and(|it| {
            it.failing_since.is_none() && it.gone.is_none() && it.last_delivered_at > destination.failing_told_at
        });
        if works {
            let (org, id, now) = (destination.org, destination.id, app.now());
            change_always(app, move |app| app.directory.destination_recovered(org, &id, now)).await?;
        }
    }
    Ok(())
}

/// The directory's destination of a route; `None` for the operator's, and for one that is gone.
async fn of_directory(app: &Arc<App>, route: &Route) -> Result<Option<(DestinationId, Destination)>, Problem> {
    let Ok(id) = DestinationId::parse(route.destination.as_str()) else { return Ok(None) };
    let (shared, org, wanted) = (app.clone(), route.organization, id.clone());
    match blocking(move || shared.directory.destination(org, &wanted)).await? {
        Ok(destination) => Ok(Some((id, destination))),
        Err(directory::DirectoryError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
