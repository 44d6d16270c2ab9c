//! What the commands that change the directory have in common: where, in which organization, and how they show what is there.

use anyhow::{Context, bail};
use clap::Args;
use directory::{ChangedBy, Directory, GroupId, Organization, Part, Principal, RoleName, ServiceAccountId, User, UserId};
use record::Timestamp;
use serde_json::{Map, Value};

use super::data;
use super::of::Of;
use crate::config::{Config, Mistakes};

/// Where, and how to show it.
#[derive(Debug, Args)]
pub(super) struct Place {
    #[command(flatten)]
    of: Of,
    /// Show JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// An organization's directory, open. A running server may have it open, too: it records within a second what is changed here.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) directory: Directory,
    pub(super) organization: Organization,
    pub(super) by: ChangedBy,
    pub(super) now: Timestamp,
    json: bool,
}

/// One thing that is shown: names and values, in order.
pub(super) type Line = Vec<(&'static str, Value)>;

impl Place {
    pub(super) fn open(&self) -> anyhow::Result<Opened> {
        let (directory, organization) = self.of.find()?;
        Ok(Opened { directory, organization, by: ChangedBy::cli(), now: data::now(), json: self.json })
    }

    /// The settings.
    pub(super) fn config(&self) -> Result<Config, Mistakes> {
        self.of.config()
    }

    /// The directory of all organizations.
    pub(super) fn open_directory(&self) -> anyhow::Result<Directory> {
        self.of.directory()
    }

    pub(super) fn show(&self, lines: &[Line]) {
        show(self.json, lines);
    }
}

impl Opened {
    pub(super) fn org(&self) -> record::OrgId {
        self.organization.id
    }

    pub(super) fn show(&self, lines: &[Line]) {
        show(self.json, lines);
    }

    /// A user, by her id or e-mail address.
    pub(super) fn user(&self, text: &str) -> anyhow::Result<User> {
        if let Ok(id) = UserId::parse(text) {
            return Ok(self.directory.user(self.org(), &id)?);
        }
        let found = self.directory.users_by_email(text)?.into_iter().find(|user| user.org == self.org());
        found.with_context(|| format!("{} has no user {text:?}", self.organization.name))
    }

    /// A group, by its id or name.
    pub(super) fn group(&self, text: &str) -> anyhow::Result<GroupId> {
        if let Ok(id) = GroupId::parse(text) {
            return Ok(id);
        }
        let found = self.directory.list_groups(self.org(), Some(text), Part::ALL)?.items;
        let named = found.into_iter().find(|group| group.name.to_lowercase() == text.trim().to_lowercase());
        Ok(named.with_context(|| format!("{} has no group {text:?}", self.organization.name))?.id)
    }

    /// A service account, by its id or name.
    pub(super) fn service_account(&self, text: &str) -> anyhow::Result<ServiceAccountId> {
        if let Ok(id) = ServiceAccountId::parse(text) {
            return Ok(id);
        }
        let found = self.directory.list_service_accounts(self.org(), Some(text), Part::ALL)?.items;
        let named = found.into_iter().find(|account| account.name.to_lowercase() == text.trim().to_lowercase());
        Ok(named.with_context(|| format!("{} has no service account {text:?}", self.organization.name))?.id)
    }

    /// A role, by its id or name.
    pub(super) fn role(&self, text: &str) -> anyhow::Result<RoleName> {
        let known = RoleName::parse(text);
        if known.is_ok() {
            return Ok(known?);
        }
        let found = self.directory.list_roles(self.org(), Some(text), Part::ALL)?.items;
        let named = found.into_iter().find(|role| role.name.to_lowercase() == text.trim().to_lowercase());
        named.map_or_else(|| Ok(known?), |role| Ok(RoleName::Own(role.id)))
    }
}

/// Users, service accounts and groups, by id, e-mail address or name.
#[derive(Debug, Args)]
pub(super) struct Principals {
    /// A user, by id or e-mail address. Repeat it for several.
    #[arg(long, value_name = "USER")]
    user: Vec<String>,
    /// A service account, by id or name. Repeat it for several.
    #[arg(long, value_name = "ACCOUNT")]
    service_account: Vec<String>,
    /// A group, by id or name. Repeat it for several.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
}

impl Principals {
    pub(super) fn all(&self, opened: &Opened) -> anyhow::Result<Vec<Principal>> {
        let mut all = Vec::new();
        for text in &self.user {
            all.push(Principal::User(opened.user(text)?.id));
        }
        for text in &self.service_account {
            all.push(Principal::ServiceAccount(opened.service_account(text)?));
        }
        for text in &self.group {
            all.push(Principal::Group(opened.group(text)?));
        }
        Ok(all)
    }

    /// The one that was named, if any was.
    pub(super) fn at_most_one(&self, opened: &Opened) -> anyhow::Result<Option<Principal>> {
        let mut all = self.all(opened)?;
        if all.len() > 1 {
            bail!("name one of --user, --service-account and --group");
        }
        Ok(all.pop())
    }
}

/// Prints a table with a heading, or the same as a JSON array.
pub(super) fn show(json: bool, lines: &[Line]) {
    if json {
        let object = |line: &Line| line.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let all: Vec<Map<String, Value>> = lines.iter().map(object).collect();
        println!("{}", serde_json::to_string_pretty(&all).unwrap_or_default());
        return;
    }
    let Some(first) = lines.first() else { return };
    let mut rows: Vec<Vec<String>> = vec![first.iter().map(|(name, _)| name.replace('_', " ").to_uppercase()).collect()];
    rows.extend(lines.iter().map(|line| line.iter().map(|(_, value)| text(value)).collect()));
    let columns = first.len();
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
