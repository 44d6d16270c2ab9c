//! `acta organization`: the tenants of a data directory.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use directory::{ChangedBy, Organization, OrganizationChange};
use serde_json::json;

use super::data;
use super::place::{Line, Place};

/// What to do with organizations.
#[derive(Debug, Subcommand)]
pub(super) enum OrganizationCommand {
    /// List all organizations of the data directory.
    List(List),
    /// Create an organization, with nobody in it: `acta user create` adds its owner.
    Create(Create),
    /// Change an organization's name and settings.
    Update(Update),
    /// End an organization: sessions end, keys and sign-ins are refused. Its log stays.
    Archive(Archive),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: Place,
    /// Its name.
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    #[command(flatten)]
    place: Place,
    /// Its new name.
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// Whether everybody shows a second factor.
    #[arg(long, value_name = "BOOL")]
    second_factor_required: Option<bool>,
    /// Whether members see the events in which they are the actor or a target.
    #[arg(long, value_name = "BOOL")]
    members_see_own_events: Option<bool>,
    /// Whether members named `headers` are left out of every event's metadata.
    #[arg(long, value_name = "BOOL")]
    hide_headers: Option<bool>,
    /// Whether keys, tokens, passwords and card numbers are left out of every event.
    #[arg(long, value_name = "BOOL")]
    scrub_secrets: Option<bool>,
}

#[derive(Debug, Args)]
pub(super) struct Archive {
    #[command(flatten)]
    place: Place,
    /// Its name, to be sure.
    name: String,
}

impl OrganizationCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            OrganizationCommand::List(List { place }) => {
                let all = place.open_directory()?.organizations()?;
                place.show(&all.iter().map(line).collect::<Vec<_>>());
            }
            OrganizationCommand::Create(Create { place, name }) => {
                let directory = place.open_directory()?;
                let made = directory.create_organization(&ChangedBy::cli(), &name, data::now())?;
                place.show(&[line(&made)]);
            }
            OrganizationCommand::Update(update) => update.run()?,
            OrganizationCommand::Archive(Archive { place, name }) => {
                let directory = place.open_directory()?;
                let found = directory.organization_by_name(&name)?;
                let archived = directory.archive_organization(&ChangedBy::cli(), found.id, &name, data::now())?;
                place.show(&[line(&archived)]);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Update {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let change = OrganizationChange {
            name: self.name.as_deref(),
            second_factor_required: self.second_factor_required,
            members_see_own_events: self.members_see_own_events,
            hide_headers: self.hide_headers,
            scrub_secrets: self.scrub_secrets,
        };
        let changed = opened.directory.update_organization(&opened.by, opened.org(), change, opened.now)?;
        opened.show(&[line(&changed)]);
        Ok(())
    }
}

fn line(organization: &Organization) -> Line {
    let settings = &organization.settings;
    vec![
        ("id", json!(organization.id.0)),
        ("name", json!(organization.name)),
        ("second_factor_required", json!(settings.second_factor_required)),
        ("members_see_own_events", json!(settings.members_see_own_events)),
        ("hide_headers", json!(settings.hide_headers)),
        ("scrub_secrets", json!(settings.scrub_secrets)),
        ("archived_at", json!(organization.archived_at.map(|at| at.to_string()))),
    ]
}
