//! Catalogs: data files that say what each action means.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::event::Outcome;
use crate::word::{Action, Kind};

pub mod mapping;

pub use mapping::{Ecs, Ocsf};

/// What sort of act an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// Something new came to be.
    Create,
    /// Something was looked at.
    Read,
    /// Something was changed.
    Update,
    /// Something was removed.
    Delete,
    /// A query or a workflow ran.
    Run,
    /// Somebody signed in, or tried to.
    SignIn,
    /// Somebody signed out.
    SignOut,
    /// Rights were changed.
    Permission,
    /// Data was taken out.
    Export,
    /// None of these.
    Other,
}

/// How much attention an action deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Everyday.
    Info,
    /// Worth a line in a report.
    Low,
    /// Worth a look.
    Medium,
    /// Worth a question.
    High,
    /// Worth waking somebody.
    Critical,
}

/// In which logs an action is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// In the organization's log only.
    Organization,
    /// In the log of the event's team as well.
    Team,
}

/// What a catalog says of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The identifier.
    pub id: Action,
    /// What happened, as a table cell.
    pub title: String,
    /// What happened, as a sentence.
    pub description: String,
    /// The heading it stands under in filters.
    pub category: String,
    /// What sort of act it is.
    pub kind: ActionKind,
    /// How much attention it deserves.
    pub severity: Severity,
    /// In which logs it is visible.
    pub visibility: Visibility,
    /// The type of the target that it is done to, as far as types are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Kind>,
    /// What it is in OCSF 1.8.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocsf: Option<Ocsf>,
    /// What it is in the Elastic Common Schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecs: Option<Ecs>,
    /// How it ended, where the identifier alone says so and an event does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether a second factor is what it is about.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mfa: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A versioned list of actions of one system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// Its identifier: `retool`, `make`, `session`, `acta`.
    pub name: String,
    /// The system's name, for people.
    pub title: String,
    /// Raised with every change of the file.
    pub version: u32,
    /// The actions, in the order in which they are shown.
    #[serde(rename = "action")]
    pub actions: Vec<Entry>,
}

/// A catalog's file, its entries unread.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    title: String,
    version: u32,
    #[serde(rename = "action")]
    actions: Vec<toml::Table>,
}

/// All catalogs in force, looked up by action.
#[derive(Debug)]
pub struct Catalogs {
    catalogs: Vec<Catalog>,
    by_action: HashMap<Action, (usize, usize)>,
}

/// A catalog file does not say what it should.
#[derive(Debug, thiserror::Error)]
pub enum BadCatalog {
    /// The file cannot be read.
    #[error("catalog file cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    /// One entry does not say what it should.
    #[error("action {action}: {error}")]
    Entry {
        /// The entry's `id`, or its place in the file where it has none.
        action: String,
        /// What is wrong.
        error: toml::de::Error,
    },
    /// Two entries for one action.
    #[error("action {0} stands in the catalogs twice")]
    Twice(Action),
}

/// Reads one file, entry by entry, so that a mistake is told with the action's name.
fn read(file: &str) -> Result<Catalog, BadCatalog> {
    let File { name, title, version, actions } = toml::from_str(file)?;
    let entry = |(at, table): (usize, toml::Table)| {
        let action = table.get("id").and_then(toml::Value::as_str).map_or_else(|| format!("no. {}", at + 1), str::to_owned);
        table.try_into().map_err(|error| BadCatalog::Entry { action, error })
    };
    let actions = actions.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?;
    Ok(Catalog { name, title, version, actions })
}

impl Catalogs {
    /// Reads catalog files. An action may stand in one of them only.
    pub fn parse(files: &[&str]) -> Result<Catalogs, BadCatalog> {
        let catalogs = files.iter().map(|file| read(file)).collect::<Result<Vec<Catalog>, _>>()?;
        let mut by_action = HashMap::new();
        for (c, catalog) in catalogs.iter().enumerate() {
            for (a, entry) in catalog.actions.iter().enumerate() {
                if by_action.insert(entry.id.clone(), (c, a)).is_some() {
                    return Err(BadCatalog::Twice(entry.id.clone()));
                }
            }
        }
        Ok(Catalogs { catalogs, by_action })
    }

    /// The catalogs that come with Acta.
    pub fn built_in() -> &'static Catalogs {
        static BUILT_IN: LazyLock<Catalogs> = LazyLock::new(|| {
            let files = [
                // One catalog in two files: the second goes on with the list of actions.
                concat!(include_str!("../catalogs/retool.toml"), "\n", include_str!("../catalogs/retool-people.toml")),
                include_str!("../catalogs/make.toml"),
                include_str!("../catalogs/session.toml"),
                include_str!("../catalogs/acta.toml"),
            ];
            // The files are part of the program and a test reads them, so this cannot fail once built.
            #[expect(clippy::expect_used, reason = "the files are compiled in and tested")]
            Catalogs::parse(&files).expect("the built-in catalogs are valid")
        });
        &BUILT_IN
    }

    /// Every catalog.
    pub fn all(&self) -> &[Catalog] {
        &self.catalogs
    }

    /// What is known of an action, with the catalog that says it.
    pub fn get(&self, action: &str) -> Option<(&Catalog, &Entry)> {
        let &(c, a) = self.by_action.get(action)?;
        let catalog = self.catalogs.get(c)?;
        Some((catalog, catalog.actions.get(a)?))
    }

    /// The action's title; the identifier itself where no catalog knows it.
    pub fn title<'a>(&'a self, action: &'a str) -> &'a str {
        self.get(action).map_or(action, |(_, entry)| &entry.title)
    }

    /// Whether a team's log leaves the action out.
    pub fn is_organization_only(&self, action: &str) -> bool {
        self.get(action).is_some_and(|(_, entry)| entry.visibility == Visibility::Organization)
    }

    /// The actions of a category, by its title without regard to case.
    pub fn in_category<'a>(&'a self, category: &'a str) -> impl Iterator<Item = &'a Action> {
        self.catalogs
            .iter()
            .flat_map(|catalog| &catalog.actions)
            .filter(move |entry| entry.category.eq_ignore_ascii_case(category))
            .map(|entry| &entry.id)
    }
}
