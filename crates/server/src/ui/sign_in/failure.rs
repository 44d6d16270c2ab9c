//! Recording sign-ins that failed. Those that worked are recorded by the directory, with the session.

use std::sync::Arc;

use record::{Action, Actor, Event, Json, Kind, OrgId, Outcome};

use crate::app::{App, blocking};
use crate::permit;
use crate::problem::Problem;
use crate::record_own;

/// Records a failed attempt, while the answer is on its way: its time must not tell whether there is such an account.
pub(super) fn record_aside(app: &Arc<App>, email: &str, from: &permit::From) {
    let (shared, email, from) = (app.clone(), email.to_owned(), from.clone());
    app.tasks.spawn(async move {
        if let Err(problem) = record(&shared, email, &from).await {
            problem.log();
        }
    });
}

async fn record(app: &Arc<App>, email: String, from: &permit::From) -> Result<(), Problem> {
    let (shared, typed) = (app.clone(), email.clone());
    let (users, organizations) = blocking(move || {
        let users = shared.directory.users_by_email(&typed)?;
        // Nobody's attempt is told to the organization, if there is only one whose it can be.
        let organizations = if users.is_empty() { shared.directory.organizations()? } else { Vec::new() };
        Ok::<_, directory::DirectoryError>((users, organizations))
    })
    .await??;
    let kind = Kind::new("user").map_err(Problem::internal)?;
    let mut actors: Vec<(OrgId, Actor)> = Vec::new();
    for user in users {
        let name = (!user.name.is_empty()).then(|| user.name.as_str().into());
        let actor = Actor { kind: kind.clone(), id: user.id.as_str().into(), name, email: Some(user.email.as_str().into()) };
        actors.push((user.org, actor));
    }
    if let [only] = organizations.as_slice() {
        // People type passwords into the wrong field: only what looks like an address is written down.
        let email = looks_like_an_address(&email).then(|| email.as_str().into());
        actors.push((only.id, Actor { kind, id: "unknown".into(), name: None, email }));
    }
    for (org, actor) in actors {
        append(app, org, actor, from, "password", None).await?;
    }
    Ok(())
}

/// Records that somebody who is signed in could not show that it is still she.
pub(in crate::ui) async fn record_confirmation(app: &Arc<App>, caller: &permit::Caller) {
    let org = caller.subject().org();
    let appended = append(app, org, caller.actor(), &caller.from, "confirmation", caller.session_id()).await;
    if let Err(problem) = appended {
        problem.log();
    }
}

async fn append(
    app: &Arc<App>,
    org: OrgId,
    actor: Actor,
    from: &permit::From,
    method: &str,
    session: Option<&str>,
) -> Result<(), Problem> {
    let action = Action::new("LOGIN_FAILED").map_err(Problem::internal)?;
    let now = app.now();
    let mut event = Event::new(action, actor, now);
    event.context = from.context(from.request_id.as_deref());
    event.context.session_id = session.map(Into::into);
    event.response_time_ms = from.took_ms(now);
    event.outcome = Some(Outcome::Failure);
    event.metadata = Some(Json::trusted(&format!(r#"{{"method":"{method}"}}"#)));
    record_own::own(app, org, event).await
}

fn looks_like_an_address(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= 254
        && !text.contains(char::is_whitespace)
        && parts.is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_are_written_down() {
        for address in ["ada@example.com", "a.b+c@sub.example.org"] {
            assert!(looks_like_an_address(address), "{address}");
        }
        for other in ["hunter2!", "p@ssword", "pass word@x.y z", "@example.com", "a@b@c.d", ""] {
            assert!(!looks_like_an_address(other), "{other}");
        }
    }
}
