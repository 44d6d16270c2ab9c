//! `acta group`: groups and who is in them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use directory::{Group, GroupChange, Member, Part};
use serde_json::json;

use super::place::{Line, Place, Principals};

/// What to do with groups.
#[derive(Debug, Subcommand)]
pub(super) enum GroupCommand {
    /// List groups.
    List(List),
    /// Make a group, with nobody in it.
    Create(Create),
    /// Change a group's name or description.
    Update(Update),
    /// List who is in a group.
    Members(Members),
    /// Put users, service accounts and groups into a group.
    Add(Change),
    /// Take users, service accounts and groups out of a group.
    Remove(Change),
    /// Delete a group with its memberships, roles and grants. Nobody in it is deleted.
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
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    #[command(flatten)]
    place: Place,
    /// Its id or name.
    group_to_change: String,
    /// Its new name.
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Members {
    #[command(flatten)]
    place: Place,
    /// Its id or name.
    group: String,
    /// Members of groups in the group, too.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    place: Place,
    /// Its id or name.
    group_to_change: String,
    #[command(flatten)]
    members: Principals,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    place: Place,
    /// Its id or name.
    group: String,
}

impl GroupCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            GroupCommand::List(list) => list.run()?,
            GroupCommand::Create(create) => create.run()?,
            GroupCommand::Update(update) => update.run()?,
            GroupCommand::Members(members) => members.run()?,
            GroupCommand::Add(change) => change.run(true)?,
            GroupCommand::Remove(change) => change.run(false)?,
            GroupCommand::Delete(delete) => delete.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn line(group: &Group) -> Line {
    vec![
        ("id", json!(group.id.as_str())),
        ("name", json!(group.name)),
        ("description", json!(group.description)),
        ("created_at", json!(group.created_at.to_string())),
    ]
}

fn member_line(member: &Member) -> Line {
    let through: Vec<&str> = member.through.iter().map(|(_, name)| name.as_str()).collect();
    vec![
        ("type", json!(member.principal.kind())),
        ("id", json!(member.principal.id())),
        ("name", json!(member.name)),
        ("email", json!(member.email)),
        ("through", json!(through)),
    ]
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let groups = opened.directory.list_groups(opened.org(), self.q.as_deref(), Part::ALL)?;
        opened.show(&groups.items.iter().map(line).collect::<Vec<_>>());
        Ok(())
    }
}

impl Create {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let (org, now) = (opened.org(), opened.now);
        let group = opened.directory.create_group(&opened.by, org, &self.name, &self.description, now)?;
        opened.show(&[line(&group)]);
        Ok(())
    }
}

impl Update {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let id = opened.group(&self.group_to_change)?;
        let change = GroupChange { name: self.name.as_deref(), description: self.description.as_deref() };
        let group = opened.directory.update_group(&opened.by, opened.org(), &id, change, opened.now)?;
        opened.show(&[line(&group)]);
        Ok(())
    }
}

impl Members {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let id = opened.group(&self.group)?;
        let members = opened.directory.group_members(opened.org(), &id, self.all, Part::ALL)?;
        opened.show(&members.items.iter().map(member_line).collect::<Vec<_>>());
        Ok(())
    }
}

impl Change {
    fn run(self, add: bool) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let id = opened.group(&self.group_to_change)?;
        let members = self.members.all(&opened)?;
        let (by, org, now) = (&opened.by, opened.org(), opened.now);
        if add {
            let added = opened.directory.add_group_members(by, org, &id, &members, now)?;
            eprintln!("{added} added.");
        } else {
            let removed = opened.directory.remove_group_members(by, org, &id, &members, now)?;
            eprintln!("{removed} removed.");
        }
        Ok(())
    }
}

impl Delete {
    fn run(self) -> anyhow::Result<()> {
        let opened = self.place.open()?;
        let id = opened.group(&self.group)?;
        opened.directory.delete_group(&opened.by, opened.org(), &id, opened.now)?;
        eprintln!("{id} is deleted.");
        Ok(())
    }
}
