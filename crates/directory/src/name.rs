//! Names that people give to things.

use crate::error::DirectoryError;

/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 100;
/// The most of a browser's description of itself that is kept, in characters.
const USER_AGENT_CHARS_MAX: usize = 512;

/// A name as it is kept: without space around it, not empty, not endless, and nothing that would garble a terminal or a page.
pub(crate) fn checked_name(text: &str) -> Result<&str, DirectoryError> {
    let name = text.trim();
    let count = name.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&count) {
        return Err(DirectoryError::invalid(
            "name",
            format!("A name has 1 to {NAME_CHARS_MAX} characters; this one has {count}."),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(DirectoryError::invalid("name", "A name holds no line breaks or other control characters."));
    }
    Ok(name)
}

/// The longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 1_000;

/// A description as it is kept: without space around it, perhaps empty, perhaps of several lines.
pub(crate) fn checked_description(text: &str) -> Result<&str, DirectoryError> {
    let description = text.trim();
    let count = description.chars().count();
    if count > DESCRIPTION_CHARS_MAX {
        let detail = format!("A description has at most {DESCRIPTION_CHARS_MAX} characters; this one has {count}.");
        return Err(DirectoryError::invalid("description", detail));
    }
    if description.chars().any(|c| c.is_control() && c != '\n') {
        return Err(DirectoryError::invalid("description", "A description holds no control characters but line breaks."));
    }
    Ok(description)
}

/// What two names have in common when they differ in capitals only.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// The beginning of a user agent: the rest is the sender's to choose, and could be anything and endless.
pub(crate) fn shortened_user_agent(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS_MAX).collect()
}
