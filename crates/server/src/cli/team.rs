//! `acta team`: the parts of an organization.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use directory::{Part, Team};
use record::TeamId;
use serde_json::json;

use super::place::{Line, Place};

/// What to do with teams.
#[derive(Debug, Subcommand)]
pub(super) enum TeamCommand {
    /// List teams.
    List(List),
    /// Create a team.
    Create(Create),
    /// Give a team another name.
    Rename(Rename),
    /// Delete a team that holds nothing; roles that were given in it go with it.
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// Part of the name.
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: Place,
    /// Its name.
    name: String,
    /// Its id, if your applications have a word for it already.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Rename {
    #[command(flatten)]
    place: Place,
    /// Its id.
    id: String,
    /// Its new name.
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    place: Place,
    /// Its id.
    id: String,
}

impl TeamCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            TeamCommand::List(List { place, q }) => {
                let opened = place.open()?;
                let teams = opened.directory.list_teams(opened.org(), q.as_deref(), Part::ALL)?;
                opened.show(&teams.items.iter().map(line).collect::<Vec<_>>());
            }
            TeamCommand::Create(Create { place, name, id }) => {
                let opened = place.open()?;
                let id = id.map(|id| TeamId::new(&id)).transpose().context("--id")?;
                let team = opened.directory.create_team(&opened.by, opened.org(), id, &name, opened.now)?;
                opened.show(&[line(&team)]);
            }
            TeamCommand::Rename(Rename { place, id, name }) => {
                let opened = place.open()?;
                let id = TeamId::new(&id)?;
                let team = opened.directory.rename_team(&opened.by, opened.org(), &id, &name, opened.now)?;
                opened.show(&[line(&team)]);
            }
            TeamCommand::Delete(Delete { place, id }) => {
                let opened = place.open()?;
                opened.directory.delete_team(&opened.by, opened.org(), &TeamId::new(&id)?, opened.now)?;
                eprintln!("{id} is deleted.");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn line(team: &Team) -> Line {
    vec![("id", json!(team.id.as_str())), ("name", json!(team.name)), ("created_at", json!(team.created_at.to_string()))]
}
