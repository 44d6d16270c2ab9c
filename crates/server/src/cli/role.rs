//! `acta role`: names for permissions.

use std::process::ExitCode;

use access::{BuiltInRole, Permission};
use anyhow::bail;
use clap::{Args, Subcommand};
use directory::{CustomRole, NewRole, Part, RoleChange, RoleId, RoleName};
use serde_json::json;

use super::place::{Line, Opened, Place};

/// What to do with roles.
#[derive(Debug, Subcommand)]
pub(super) enum RoleCommand {
    /// List roles: the built-in ones, then those that the organization made.
    List(List),
    /// Make a role.
    Create(Create),
    /// Change a role, and with it what everybody is permitted to whom it was given.
    Update(Update),
    /// Delete a role that nobody has.
    Delete(Delete),
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
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// What it permits, such as app:run.
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    permissions: Vec<Permission>,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    #[command(flatten)]
    place: Place,
    /// Its id or name.
    role: String,
    /// Its new name.
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What it is to permit: all of it.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    permissions: Vec<Permission>,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    place: Place,
    /// Its id or name.
    role: String,
}

impl RoleCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            RoleCommand::List(List { place }) => {
                let opened = place.open()?;
                let mut lines: Vec<Line> = BuiltInRole::ALL.iter().map(|role| built_in(*role)).collect();
                lines.extend(opened.directory.list_roles(opened.org(), None, Part::ALL)?.items.iter().map(line));
                opened.show(&lines);
            }
            RoleCommand::Create(Create { place, name, description, permissions }) => {
                let opened = place.open()?;
                let permissions = permissions.into_iter().collect();
                let new = NewRole { name: &name, description: &description, permissions };
                let role = opened.directory.create_role(&opened.by, opened.org(), new, opened.now)?;
                opened.show(&[line(&role)]);
            }
            RoleCommand::Update(update) => update.run()?,
            RoleCommand::Delete(Delete { place, role }) => {
                let opened = place.open()?;
                let id = own(&opened, &role)?;
                opened.directory.delete_role(&opened.by, opened.org(), &id, opened.now)?;
                eprintln!("{id} is deleted.");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Update {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let id = own(&opened, &self.role)?;
        let change = RoleChange {
            name: self.name.as_deref(),
            description: self.description.as_deref(),
            permissions: (!self.permissions.is_empty()).then(|| self.permissions.into_iter().collect()),
        };
        let role = opened.directory.update_role(&opened.by, opened.org(), &id, change, opened.now)?;
        opened.show(&[line(&role)]);
        Ok(())
    }
}

fn own(opened: &Opened, text: &str) -> anyhow::Result<RoleId> {
    match opened.role(text)? {
        RoleName::Own(id) => Ok(id),
        RoleName::BuiltIn(role) => bail!("{role} is built in and stays as it is"),
    }
}

fn line(role: &CustomRole) -> Line {
    let permissions: Vec<&str> = role.permissions.iter().map(|permission| permission.as_str()).collect();
    vec![
        ("id", json!(role.id.as_str())),
        ("name", json!(role.name)),
        ("built_in", json!(false)),
        ("permissions", json!(permissions)),
    ]
}

fn built_in(role: BuiltInRole) -> Line {
    let permissions: Vec<&str> = role.permissions().into_iter().map(Permission::as_str).collect();
    vec![
        ("id", json!(role.as_str())),
        ("name", json!(role.as_str())),
        ("built_in", json!(true)),
        ("permissions", json!(permissions)),
    ]
}
