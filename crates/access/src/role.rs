//! What people and keys are allowed, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A person's standing in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May do everything, and hand the organization on.
    Owner,
    /// May do everything but remove owners.
    Admin,
    /// May read, verify and export the log; changes nothing.
    Auditor,
    /// Belongs to the organization; does not see the log.
    Member,
}

/// One thing that an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyScope {
    /// Record events.
    #[serde(rename = "events:write")]
    EventsWrite,
    /// Read the log.
    #[serde(rename = "events:read")]
    EventsRead,
    /// Take the log out as files.
    #[serde(rename = "events:export")]
    EventsExport,
    /// Read the directory.
    #[serde(rename = "directory:read")]
    DirectoryRead,
    /// Change the directory.
    #[serde(rename = "directory:write")]
    DirectoryWrite,
}

/// The text named no role or no key scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not one of {known}")]
pub struct UnknownName {
    given: String,
    known: String,
}

macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// All of them, in the order in which they are shown.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The name, as it stands in configuration, JSON and the database.
            pub fn as_str(self) -> &'static str {
                match self { $($type::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<$type, UnknownName> {
                $type::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| UnknownName {
                    given: text.to_owned(),
                    known: $type::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

named! { Role { Owner = "owner", Admin = "admin", Auditor = "auditor", Member = "member" } }
named! { KeyScope {
    EventsWrite = "events:write", EventsRead = "events:read", EventsExport = "events:export",
    DirectoryRead = "directory:read", DirectoryWrite = "directory:write",
} }
