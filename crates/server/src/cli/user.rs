//! `acta user`: the people of an organization.

use std::path::PathBuf;
use std::process::ExitCode;

use access::Role;
use clap::{Args, Subcommand};
use directory::{NewUser, Part, User, UserFilter, UserStatus};
use serde_json::json;

use super::init::password_in;
use super::place::{Line, Place};

/// What to do with people.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// List people; archived ones only if asked for.
    List(List),
    /// Add somebody.
    Create(Create),
    /// Change somebody's name or role.
    Update(Update),
    /// Keep somebody from signing in, and end her sessions.
    Disable(One),
    /// Let somebody sign in again.
    Enable(One),
    /// Let somebody go: sessions, groups, roles and grants end.
    Archive(One),
    /// Delete somebody who is archived.
    Delete(One),
    /// Switch off the second factor of somebody who has lost it.
    ResetSecondFactor(One),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// active, disabled or archived.
    #[arg(long, value_name = "STATUS")]
    status: Option<UserStatus>,
    /// owner, admin, auditor or member.
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
    /// In this group, by id or name, directly or through others.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Part of the name or e-mail address.
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: Place,
    /// Her e-mail address.
    #[arg(long, value_name = "E")]
    email: String,
    /// Her name.
    #[arg(long, value_name = "N")]
    name: String,
    /// owner, admin, auditor or member.
    #[arg(long, value_name = "ROLE", default_value = "member")]
    role: Role,
    /// A file that holds her password. Without it she cannot sign in with a password until one is set.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    #[command(flatten)]
    place: Place,
    /// Her id or e-mail address.
    user: String,
    /// Her name.
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// owner, admin, auditor or member.
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    place: Place,
    /// Her id or e-mail address.
    user: String,
}

impl UserCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            UserCommand::List(list) => list.run(),
            UserCommand::Create(create) => create.run(),
            UserCommand::Update(update) => update.run(),
            UserCommand::Disable(one) => one.set_status(UserStatus::Disabled),
            UserCommand::Enable(one) => one.set_status(UserStatus::Active),
            UserCommand::Archive(one) => one.set_status(UserStatus::Archived),
            UserCommand::Delete(one) => one.delete(),
            UserCommand::ResetSecondFactor(one) => one.reset_second_factor(),
        }
    }
}

fn line(user: &User) -> Line {
    vec![
        ("id", json!(user.id.as_str())),
        ("email", json!(user.email)),
        ("name", json!(user.name)),
        ("role", json!(user.role.as_str())),
        ("status", json!(user.status.as_str())),
        ("created_at", json!(user.created_at.to_string())),
    ]
}

impl List {
    fn run(self) -> anyhow::Result<ExitCode> {
        let opened = self.place.open()?;
        let group = self.group.as_deref().map(|group| opened.group(group)).transpose()?;
        let filter = UserFilter { status: self.status, role: self.role, group, text: self.q };
        let users = opened.directory.list_users(opened.org(), &filter, Part::ALL)?;
        opened.show(&users.items.iter().map(line).collect::<Vec<_>>());
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    fn run(self) -> anyhow::Result<ExitCode> {
        let opened = self.place.open()?;
        let password = self.password_file.as_deref().map(password_in).transpose()?;
        let new = NewUser { email: &self.email, name: &self.name, role: self.role, password: password.as_ref() };
        let user = opened.directory.create_user(&opened.by, opened.org(), new, opened.now)?;
        opened.show(&[line(&user)]);
        Ok(ExitCode::SUCCESS)
    }
}

impl Update {
    fn run(self) -> anyhow::Result<ExitCode> {
        let opened = self.place.open()?;
        let id = opened.user(&self.user)?.id;
        let (org, name) = (opened.org(), self.name.as_deref());
        let user = opened.directory.update_user(&opened.by, org, &id, name, self.role, opened.now)?;
        opened.show(&[line(&user)]);
        Ok(ExitCode::SUCCESS)
    }
}

impl One {
    fn set_status(self, status: UserStatus) -> anyhow::Result<ExitCode> {
        let opened = self.place.open()?;
        let id = opened.user(&self.user)?.id;
        let user = opened.directory.set_user_status(&opened.by, opened.org(), &id, status, opened.now)?;
        opened.show(&[line(&user)]);
        Ok(ExitCode::SUCCESS)
    }

    fn delete(self) -> anyhow::Result<ExitCode> {
        let opened = self.place.open()?;
        let user = opened.user(&self.user)?;
        opened.directory.delete_user(&opened.by, opened.org(), &user.id, opened.now)?;
        eprintln!("{} ({}) is deleted.", user.name, user.id);
        Ok(ExitCode::SUCCESS)
    }

    fn reset_second_factor(self) -> anyhow::Result<ExitCode> {
        let opened = self.place.open()?;
        let user = opened.user(&self.user)?;
        let was_on = opened.directory.disable_second_factor(&opened.by, opened.org(), &user.id, opened.now)?;
        eprintln!("{} ({}) {} no second factor.", user.name, user.id, if was_on { "now has" } else { "had" });
        Ok(ExitCode::SUCCESS)
    }
}
