//! A small company's worth of events, made on the spot and recorded the way every event is.

mod story;

use std::sync::Arc;

use access::Role;
use directory::{ChangedBy, DirectoryError, NewUser, Organization, Secret, UserStatus};
use record::{Kind, TeamId, Timestamp, parse};
use store::Answer;

use crate::app::App;
use crate::record_own::system_scope;
use crate::redaction;
use story::Story;

/// Who signs in to look at the demo.
pub const OWNER_EMAIL: &str = "owner@example.com";
/// Events recorded together.
const BATCH_EVENTS: usize = 500;
const STORY_DAYS: i64 = 90;

/// The demo's organization, and whether it had been filled before.
#[derive(Debug)]
pub struct Demo {
    /// The company.
    pub organization: Organization,
    /// Whether its story has to be told yet.
    pub is_new: bool,
}

/// Sets the company up, or finds it. The owner gets this password.
pub fn set_up(app: &App, password: &Secret) -> anyhow::Result<Demo> {
    let now = app.now();
    let story = Story::new(SEED, 0, now);
    let by = ChangedBy { actor_name: Some("Acta demo".to_owned()), ..ChangedBy::one(Kind::new("system")?, "acta-demo") };
    match app.directory.organization_by_name(story.company.name) {
        Ok(organization) => {
            let owner = app.directory.users(organization.id)?.into_iter().find(|user| user.email == OWNER_EMAIL);
            let Some(owner) = owner else {
                anyhow::bail!(
                    "{} is there, but without {OWNER_EMAIL}: this is not a demo's data directory",
                    organization.name
                );
            };
            app.directory.set_user_password(&by, organization.id, &owner.id, password, now)?;
            Ok(Demo { organization, is_new: false })
        }
        Err(DirectoryError::NotFound { .. }) => {
            if !app.directory.organizations()?.is_empty() {
                anyhow::bail!("this data directory belongs to somebody; a demo does not write into it");
            }
            let organization = found(app, &by, &story, password, now.plus_millis(-STORY_DAYS * 86_400_000))?;
            Ok(Demo { organization, is_new: true })
        }
        Err(e) => Err(e.into()),
    }
}

const SEED: u64 = 42;

/// Founds the company on the day on which its story begins.
fn found(app: &App, by: &ChangedBy, story: &Story, password: &Secret, at: Timestamp) -> anyhow::Result<Organization> {
    let organization = app.directory.create_organization(by, story.company.name, at)?;
    let owner = NewUser { email: OWNER_EMAIL, name: "Olivia Owner", role: Role::Owner, password: Some(password) };
    app.directory.create_user(by, organization.id, owner, at)?;
    for team in &story.company.teams {
        app.directory.create_team(by, organization.id, Some(TeamId::new(team.id)?), team.name, at)?;
    }
    for person in &story.company.people {
        let role = if person.role == "admin" { Role::Admin } else { Role::Member };
        let new = NewUser { email: person.email, name: person.name, role, password: None };
        let user = app.directory.create_user(by, organization.id, new, at)?;
        debug_assert_eq!(user.status, UserStatus::Active);
        tracing::debug!(id = person.id, team = person.team, "created");
    }
    Ok(organization)
}

/// Tells the story into the log. `progress` is told how many events are durable.
pub fn tell(app: &Arc<App>, demo: &Demo, events: usize, progress: &mut dyn FnMut(u64)) -> anyhow::Result<()> {
    let scope = system_scope(demo.organization.id);
    let (mut sent, mut durable) = (0_u64, 0_u64);
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut batch = Vec::with_capacity(BATCH_EVENTS);
    let mut under_way = 0;
    let door = redaction::read(&app.directory, demo.organization.id, app.config.hide_all_headers_in_audit_log_events)?;
    let mut story = Story::new(SEED, events.max(story::EVENTS_MIN), app.now()).events().peekable();
    while let Some(event) = story.next() {
        let parsed =
            parse::event(&event.to_string(), &app.limits, app.now()).map_err(|e| anyhow::anyhow!("{e:?}: {event}"))?;
        batch.push(door.admit(parsed, demo.organization.id, None, app));
        sent += 1;
        if batch.len() < BATCH_EVENTS && story.peek().is_some() {
            continue;
        }
        let sender = sender.clone();
        app.store.append(&scope, std::mem::take(&mut batch), None, move |answers| drop(sender.send(answers)));
        under_way += 1;
        // Two batches are on the way at most: one that syncs and one that fills.
        while under_way > 2 || under_way > 0 && story.peek().is_none() {
            let answers = receiver.recv()??;
            under_way -= 1;
            durable += answers.len() as u64;
            if let Some(conflict) = answers.iter().find(|answer| matches!(answer, Answer::Conflict(_))) {
                anyhow::bail!("the story contradicts what the log holds: {conflict:?}");
            }
            progress(durable);
        }
    }
    debug_assert_eq!(sent, durable);
    Ok(())
}
