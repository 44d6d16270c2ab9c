//! What an action is called in other people's schemas. The words that may stand here are theirs; a catalog that uses another
//! one is refused, so that no receiver is sent a class that does not exist.

use serde::{Deserialize, Serialize};

/// A class of OCSF: its number, its name, and its activities.
pub type Class = (u16, &'static str, &'static [(u8, &'static str)]);

/// The classes of OCSF 1.8.0 that a catalog may use, with the activities that the schema lists. 99, Other, every class has.
pub const CLASSES: [Class; 10] = [
    (
        3001,
        "Account Change",
        &[
            (1, "Create"),
            (2, "Enable"),
            (3, "Password Change"),
            (4, "Password Reset"),
            (5, "Disable"),
            (6, "Delete"),
            (7, "Attach Policy"),
            (8, "Detach Policy"),
            (9, "Lock"),
            (10, "MFA Factor Enable"),
            (11, "MFA Factor Disable"),
            (12, "Unlock"),
        ],
    ),
    (
        3002,
        "Authentication",
        &[
            (1, "Logon"),
            (2, "Logoff"),
            (3, "Authentication Ticket"),
            (4, "Service Ticket Request"),
            (5, "Service Ticket Renew"),
            (6, "Preauth"),
            (7, "Account Switch"),
        ],
    ),
    (3003, "Authorize Session", &[(1, "Assign Privileges"), (2, "Assign Groups")]),
    (
        3004,
        "Entity Management",
        &[
            (1, "Create"),
            (2, "Read"),
            (3, "Update"),
            (4, "Delete"),
            (5, "Move"),
            (6, "Enroll"),
            (7, "Unenroll"),
            (8, "Enable"),
            (9, "Disable"),
            (10, "Activate"),
            (11, "Deactivate"),
            (12, "Suspend"),
            (13, "Resume"),
        ],
    ),
    (3005, "User Access Management", &[(1, "Assign Privileges"), (2, "Revoke Privileges")]),
    (
        3006,
        "Group Management",
        &[
            (1, "Assign Privileges"),
            (2, "Revoke Privileges"),
            (3, "Add User"),
            (4, "Remove User"),
            (5, "Delete"),
            (6, "Create"),
            (7, "Add Subgroup"),
            (8, "Remove Subgroup"),
        ],
    ),
    (
        6001,
        "Web Resources Activity",
        &[
            (1, "Create"),
            (2, "Read"),
            (3, "Update"),
            (4, "Delete"),
            (5, "Search"),
            (6, "Import"),
            (7, "Export"),
            (8, "Share"),
        ],
    ),
    (6003, "API Activity", &[(1, "Create"), (2, "Read"), (3, "Update"), (4, "Delete")]),
    (
        6005,
        "Datastore Activity",
        &[
            (1, "Read"),
            (2, "Update"),
            (3, "Connect"),
            (4, "Query"),
            (5, "Write"),
            (6, "Create"),
            (7, "Delete"),
            (8, "List"),
            (9, "Encrypt"),
            (10, "Decrypt"),
        ],
    ),
    (
        6006,
        "File Hosting Activity",
        &[
            (1, "Upload"),
            (2, "Download"),
            (3, "Update"),
            (4, "Delete"),
            (5, "Rename"),
            (6, "Copy"),
            (7, "Move"),
            (8, "Restore"),
            (9, "Preview"),
            (10, "Lock"),
            (11, "Unlock"),
            (12, "Share"),
            (13, "Unshare"),
            (14, "Open"),
            (15, "Sync"),
            (16, "Unsync"),
            (17, "Access Check"),
        ],
    ),
];

/// The values of `event.category` in ECS 9 that a catalog may use, each with the values of `event.type` that go with it.
pub const ECS: [(&str, &[&str]); 8] = [
    ("api", &["access", "admin", "allowed", "change", "creation", "deletion", "denied", "end", "info", "start", "user"]),
    ("authentication", &["end", "info", "start"]),
    ("configuration", &["access", "change", "creation", "deletion", "info"]),
    ("database", &["access", "change", "error", "info"]),
    ("file", &["access", "change", "creation", "deletion", "info"]),
    ("iam", &["admin", "change", "creation", "deletion", "group", "info", "user"]),
    ("session", &["end", "info", "start"]),
    ("web", &["access", "error", "info"]),
];

/// A class and an activity of OCSF 1.8.0, written `3004/1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Ocsf {
    class: u16,
    activity: u8,
}

/// The text names no class and activity of OCSF 1.8.0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no class and activity of OCSF 1.8.0 such as \"3004/1\"")]
pub struct BadOcsf(String);

impl Ocsf {
    /// Somebody called an interface; which sort of call is not known. For what no catalog knows.
    pub const OTHER: Ocsf = Ocsf { class: 6003, activity: 99 };

    /// Reads `3004/1`.
    pub fn parse(text: &str) -> Result<Ocsf, BadOcsf> {
        let read = || {
            let (class, activity) = text.split_once('/')?;
            let (class, activity) = (class.parse().ok()?, activity.parse().ok()?);
            let one = Ocsf { class, activity };
            (one.to_string() == text && (activity == 99 || one.activity_name().is_some()) && one.class_name().is_some())
                .then_some(one)
        };
        read().ok_or_else(|| BadOcsf(text.to_owned()))
    }

    /// `class_uid`.
    pub fn class(self) -> u16 {
        self.class
    }

    /// `activity_id`.
    pub fn activity(self) -> u8 {
        self.activity
    }

    /// The same class with another activity, if it has that.
    #[must_use]
    pub fn with_activity(self, activity: u8) -> Ocsf {
        let other = Ocsf { activity, ..self };
        if other.activity_name().is_some() { other } else { self }
    }

    /// `class_name`.
    pub fn class_name(self) -> Option<&'static str> {
        self.find().map(|(_, name, _)| *name)
    }

    /// `activity_name`; none for 99, whose name the event's source gives.
    pub fn activity_name(self) -> Option<&'static str> {
        let (_, _, activities) = self.find()?;
        activities.iter().find(|(activity, _)| *activity == self.activity).map(|(_, name)| *name)
    }

    fn find(self) -> Option<&'static Class> {
        CLASSES.iter().find(|(class, _, _)| *class == self.class)
    }
}

impl std::fmt::Display for Ocsf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.class, self.activity)
    }
}

impl From<Ocsf> for String {
    fn from(ocsf: Ocsf) -> String {
        ocsf.to_string()
    }
}

impl TryFrom<String> for Ocsf {
    type Error = BadOcsf;
    fn try_from(text: String) -> Result<Ocsf, BadOcsf> {
        Ocsf::parse(&text)
    }
}

/// `event.category` and `event.type` in ECS 9.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Words")]
pub struct Ecs {
    category: Vec<&'static str>,
    #[serde(rename = "type")]
    types: Vec<&'static str>,
}

/// The words do not go together in ECS 9.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEcs {
    /// Nothing there.
    #[error("ecs must have a category and a type")]
    Empty,
    /// A word that is none of [`ECS`].
    #[error("{0:?} is no event.category of ECS that a catalog may use")]
    Category(String),
    /// A word that goes with none of the categories.
    #[error("{0:?} is no event.type that ECS expects in these categories")]
    Type(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    category: Vec<String>,
    #[serde(rename = "type")]
    types: Vec<String>,
}

impl Ecs {
    /// `event.category`.
    pub fn category(&self) -> &[&'static str] {
        &self.category
    }

    /// `event.type`.
    pub fn types(&self) -> &[&'static str] {
        &self.types
    }
}

impl TryFrom<Words> for Ecs {
    type Error = BadEcs;
    fn try_from(words: Words) -> Result<Ecs, BadEcs> {
        if words.category.is_empty() || words.types.is_empty() {
            return Err(BadEcs::Empty);
        }
        let (mut category, mut expected) = (Vec::new(), Vec::new());
        for word in words.category {
            let Some((name, types)) = ECS.iter().find(|(name, _)| *name == word) else {
                return Err(BadEcs::Category(word));
            };
            category.push(*name);
            expected.extend_from_slice(types);
        }
        let known = |word: String| expected.iter().find(|one| **one == word).copied().ok_or(BadEcs::Type(word));
        Ok(Ecs { category, types: words.types.into_iter().map(known).collect::<Result<_, _>>()? })
    }
}
