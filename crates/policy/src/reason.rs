//! Why something is permitted, or is not, so that people understand it.

use std::fmt;

use access::{Level, Permission};

use crate::object::Id;

/// Something by its id and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What it is: `app`, `group`, …
    pub kind: &'static str,
    /// Its id. Of everything of a kind: empty.
    pub id: Id,
    /// Its name. Of everything of a kind: what is meant.
    pub name: Id,
}

/// Where a role acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the whole organization.
    Organization,
    /// In one team.
    Team(Named),
}

/// One reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A grant permits it.
    Grant {
        /// The grant's id.
        grant: Id,
        /// Its level.
        level: Level,
        /// From what was granted down to the object: `[folder, folder, app]`, or `[app]`.
        object: Vec<Named>,
        /// The groups through which she has it: from the one that was granted it to the one that she is in. None if it was
        /// granted to herself.
        groups: Vec<Named>,
    },
    /// A role permits it.
    Role {
        /// The assignment's id; `None`: it is her standing in the organization.
        assignment: Option<Id>,
        /// The role's name.
        role: Id,
        /// The groups through which she has it, as above.
        groups: Vec<Named>,
        /// Where the role acts.
        place: Place,
    },
    /// Something forbids it, whatever permits it.
    Guardrail {
        /// Its name.
        id: Id,
        /// What people are told.
        reason: Id,
    },
    /// Nothing permits it.
    Nothing {
        /// What was asked for.
        permission: Permission,
        /// The lowest level of a grant that would permit it; `None`: only a role would, or nothing, if it is not a permission
        /// about such an object.
        level: Option<Level>,
    },
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id.is_empty() { f.write_str(&self.name) } else { write!(f, "{} “{}”", self.kind, self.name) }
    }
}

/// The reason as a sentence for people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Grant { level, object, groups, .. } => {
                let (granted, inner) = object.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
                match granted {
                    Some(granted) => write!(f, "A grant of the level {level} on {granted}")?,
                    None => write!(f, "A grant of the level {level}")?,
                }
                if let [between @ .., object] = inner {
                    // All apps are not a thing that holds apps.
                    let word =
                        if granted.is_some_and(|granted| granted.id.is_empty()) { "among them" } else { "which holds" };
                    write!(f, ", {word} {object}")?;
                    through(f, " in ", between)?;
                }
                given_to(f, groups)
            }
            Reason::Role { assignment, role, groups, place } => {
                match assignment {
                    Some(_) => write!(f, "The role {role}")?,
                    None => write!(f, "The standing of {role}")?,
                }
                match place {
                    Place::Organization => f.write_str(" in the organization")?,
                    Place::Team(team) => write!(f, " in {team}")?,
                }
                given_to(f, groups)
            }
            Reason::Guardrail { reason, .. } => f.write_str(reason),
            Reason::Nothing { permission, level: Some(level) } => write!(
                f,
                "Nothing permits {permission}: it needs a grant of the level {level}, or higher, on the object{}.",
                if crate::given_by_roles(*permission) {
                    " or on what it lies in, or a role with this permission"
                } else {
                    ""
                }
            ),
            Reason::Nothing { permission, level: None } => {
                write!(f, "Nothing permits {permission}: it needs a role with this permission.")
            }
        }
    }
}

fn through(f: &mut fmt::Formatter<'_>, word: &str, between: &[Named]) -> fmt::Result {
    for one in between.iter().rev() {
        write!(f, "{word}{one}")?;
    }
    Ok(())
}

fn given_to(f: &mut fmt::Formatter<'_>, groups: &[Named]) -> fmt::Result {
    match groups {
        [] => f.write_str("."),
        [group, inner @ ..] => {
            write!(f, ", given to {group}")?;
            for one in inner {
                write!(f, ", which holds {one}")?;
            }
            f.write_str(".")
        }
    }
}
