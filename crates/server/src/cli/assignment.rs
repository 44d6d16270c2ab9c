//! `acta assignment`: roles that were given to somebody.

use std::process::ExitCode;

use access::{Masked, Narrowing};
use anyhow::Context;
use clap::{Args, Subcommand};
use directory::{Assignment, AssignmentFilter, AssignmentId, NewAssignment, Part};
use record::{TeamId, Timestamp};
use serde_json::json;

use super::place::{Line, Place, Principals};

/// What to do with role assignments.
#[derive(Debug, Subcommand)]
pub(super) enum AssignmentCommand {
    /// List the roles that were given and hold.
    List(List),
    /// Give a role.
    Create(Create),
    /// Take a role away.
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    to: Principals,
    /// Of this role, by id or name.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// In this team.
    #[arg(long, value_name = "ID")]
    team: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: Place,
    /// The role, by id or name.
    role: String,
    #[command(flatten)]
    to: Principals,
    /// In this team, if not everywhere in the organization.
    #[arg(long, value_name = "ID")]
    team: Option<String>,
    /// From when on it is to hold no more: RFC 3339.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// Show only events of this category. Repeat it for several.
    #[arg(long, value_name = "TITLE")]
    category: Vec<String>,
    /// Show no event that occurred before: RFC 3339.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Show no event that occurred after: RFC 3339.
    #[arg(long, value_name = "TIME")]
    to_time: Option<String>,
    /// Hide of every event: ip, user_agent, email, name, metadata, changes.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    masked: Vec<Masked>,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    place: Place,
    /// Its id.
    id: AssignmentId,
}

impl AssignmentCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            AssignmentCommand::List(list) => list.run()?,
            AssignmentCommand::Create(create) => create.run()?,
            AssignmentCommand::Delete(Delete { place, id }) => {
                let opened = place.open()?;
                let taken = opened.directory.delete_assignment(&opened.by, opened.org(), &id, opened.now)?;
                eprintln!("{} has the role {} no more.", taken.principal_name, taken.role.name());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let filter = AssignmentFilter {
            principal: self.to.at_most_one(&opened)?,
            role: self.role.as_deref().map(|role| opened.role(role)).transpose()?,
            team: self.team.as_deref().map(TeamId::new).transpose().context("--team")?,
        };
        let listed = opened.directory.list_assignments(opened.org(), &filter, Part::ALL, opened.now)?;
        opened.show(&listed.items.iter().map(line).collect::<Vec<_>>());
        Ok(())
    }
}

impl Create {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let time =
            |text: &Option<String>, name: &'static str| text.as_deref().map(Timestamp::parse).transpose().context(name);
        let new = NewAssignment {
            role: opened.role(&self.role)?,
            principal: self.to.at_most_one(&opened)?.context("name one of --user, --service-account and --group")?,
            team: self.team.as_deref().map(TeamId::new).transpose().context("--team")?,
            expires_at: time(&self.expires_at, "--expires-at")?,
            narrowing: Narrowing {
                from: time(&self.from, "--from")?,
                to: time(&self.to_time, "--to-time")?,
                categories: self.category.into_iter().collect(),
                masked: self.masked.into_iter().collect(),
            },
        };
        let given = opened.directory.create_assignment(&opened.by, opened.org(), new, opened.now)?;
        opened.show(&[line(&given)]);
        Ok(())
    }
}

fn line(assignment: &Assignment) -> Line {
    let narrowing = (!assignment.narrowing.is_nothing()).then(|| json!(assignment.narrowing));
    vec![
        ("id", json!(assignment.id.as_str())),
        ("role", json!(assignment.role.name())),
        ("to", json!(assignment.principal.kind())),
        ("to_id", json!(assignment.principal.id())),
        ("name", json!(assignment.principal_name)),
        ("team", json!(assignment.team.as_ref().map(TeamId::as_str))),
        ("expires_at", json!(assignment.expires_at.map(|at| at.to_string()))),
        ("narrowing", json!(narrowing)),
    ]
}
