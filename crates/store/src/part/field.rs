//! The members of events that a part knows the values of.

/// A member, or several that belong together. Its values' members are named where there is more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Field {
    /// The action.
    Action = 0,
    /// The team.
    Team,
    /// The outcome.
    Outcome,
    /// The actor: id, type, name, e-mail address.
    Actor,
    /// Each target: id, type, name, environment.
    Target,
    /// The address.
    Ip,
    /// The client program.
    Agent,
    /// The API key's id. Not text.
    Key,
    /// The words of the sender's id, the session's, the request's, and of the names of changed fields.
    Words,
    /// The words of the values before and after changes.
    Changes,
    /// The words of the metadata.
    Metadata,
}

/// The value of a text field that stands for "there is something", which no word is.
pub(crate) const PRESENT: &str = "\u{1}";
/// The value of a text field that stands for "there are tokens without a list".
pub(crate) const OPAQUE: &str = "\u{2}";

impl Field {
    /// All of them, in the order of their sections.
    pub(crate) const ALL: [Field; 11] = [
        Field::Action,
        Field::Team,
        Field::Outcome,
        Field::Actor,
        Field::Target,
        Field::Ip,
        Field::Agent,
        Field::Key,
        Field::Words,
        Field::Changes,
        Field::Metadata,
    ];

    /// The section with its values.
    pub(crate) fn dictionary(self) -> usize {
        5 + 2 * self as usize
    }

    /// The section with its lists.
    pub(crate) fn lists(self) -> usize {
        6 + 2 * self as usize
    }

    /// The section with the letters of its tokens that have no list.
    pub(crate) fn grams(self) -> Option<usize> {
        Some(5 + 2 * Field::ALL.len() + (self as usize).checked_sub(Field::Words as usize)?)
    }

    /// Whether its values are the words of longer texts.
    pub(crate) fn is_text(self) -> bool {
        self >= Field::Words
    }

    /// Whether its values have the four members of an actor or a target.
    pub(crate) fn has_members(self) -> bool {
        matches!(self, Field::Actor | Field::Target)
    }
}
