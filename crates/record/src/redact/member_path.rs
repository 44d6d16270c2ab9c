//! Which members of an event a rule names.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 512;

/// Why a text names no member that can be redacted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMember {
    /// Not a pointer.
    #[error("must be a path that begins with a slash, such as /metadata/params")]
    NotAPath,
    /// Too long to be meant.
    #[error("is {0} bytes long; at most 512 are allowed")]
    TooLong(usize),
    /// `~` not followed by 0 or 1 (RFC 6901 §3).
    #[error("holds a ~ that is not ~0 (for ~) or ~1 (for /)")]
    BadEscape,
    /// What the log stands on.
    #[error("names {member}, which is never redacted: {why}")]
    Never {
        /// The member.
        member: String,
        /// The reason, as the end of a sentence.
        why: &'static str,
    },
    /// An object of the model, not one of its texts.
    #[error("must name one member of {object}: {members}")]
    NotAMember {
        /// The object.
        object: &'static str,
        /// What can be named.
        members: &'static str,
    },
    /// Not a member of an event.
    #[error("names {0:?}, which is no member of an event; a path begins with metadata, changes, targets, context or actor")]
    Unknown(String),
}

/// A path to members of an event as the API shows it: an RFC 6901 pointer in which `*` stands for any one member or element.
///
/// Of `changes` a field's name may stand for the place: `/changes/role/before`. A path to a change takes both its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MemberPath {
    text: Box<str>,
    steps: Vec<Wanted>,
}

/// One step of a path, as a rule writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Any,
    Named(Box<str>, Option<usize>),
}

/// One step on the way to a value, as an event has it.
#[derive(Debug, Clone)]
pub(super) enum Step<'a> {
    /// A member.
    Name(Cow<'a, str>),
    /// An element.
    Index(usize),
    /// A change, which goes by its place or its field's name.
    Change { at: usize, field: &'a str },
}

const KEEPS: &str = "without it nobody could tell what is recorded here";
const SKELETON: &str = "it stands in the clear in the record that is hashed";
const TARGET: &str = "id, name, environment, as in /targets/*/name";
const ACTOR: &str = "name, email";
const CONTEXT: &str = "ip, user_agent, session_id, request_id, or * for all four";

impl MemberPath {
    /// Reads a path, and refuses one to what an event cannot do without.
    pub fn parse(text: &str) -> Result<MemberPath, BadMember> {
        if text.len() > PATH_BYTES_MAX {
            return Err(BadMember::TooLong(text.len()));
        }
        let rest = text.strip_prefix('/').ok_or(BadMember::NotAPath)?;
        let names = rest.split('/').map(unescape).collect::<Result<Vec<_>, _>>()?;
        allowed(&names)?;
        let mut steps: Vec<Wanted> = names.into_iter().map(Wanted::new).collect();
        if rest == "changes" || rest.starts_with("changes/") {
            // Both values of a change, and of any change.
            steps.resize(steps.len().max(3), Wanted::Any);
        }
        Ok(MemberPath { text: text.into(), steps })
    }

    /// A path to the one member that a redaction names, in which nothing stands for anything else.
    pub(super) fn of_redaction(pointer: &str) -> Option<MemberPath> {
        let names = pointer.strip_prefix('/')?.split('/').map(unescape).collect::<Result<Vec<_>, _>>().ok()?;
        let exact = |name: String| Wanted::Named(name.as_str().into(), name.parse().ok());
        Some(MemberPath { text: pointer.into(), steps: names.into_iter().map(exact).collect() })
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it leads exactly there.
    pub(super) fn is(&self, way: &[Step<'_>]) -> bool {
        self.steps.len() == way.len() && self.reaches_into(way)
    }

    /// Whether it leads there, or further in.
    pub(super) fn reaches_into(&self, way: &[Step<'_>]) -> bool {
        self.steps.len() >= way.len() && self.steps.iter().zip(way).all(|(wanted, step)| wanted.is(step))
    }
}

impl Wanted {
    fn new(name: String) -> Wanted {
        if name == "*" { Wanted::Any } else { Wanted::Named(name.as_str().into(), name.parse().ok()) }
    }

    fn is(&self, step: &Step<'_>) -> bool {
        match (self, step) {
            (Wanted::Any, _) => true,
            (Wanted::Named(wanted, _), Step::Name(name)) => **wanted == **name,
            (Wanted::Named(_, place), Step::Index(at)) => *place == Some(*at),
            (Wanted::Named(wanted, place), Step::Change { at, field }) => **wanted == **field || *place == Some(*at),
        }
    }
}

/// Whether what the path names may be taken out.
fn allowed(names: &[String]) -> Result<(), BadMember> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let never = |why| Err(BadMember::Never { member: names.join("/"), why });
    let member_of = |object, members| Err(BadMember::NotAMember { object, members });
    match names.as_slice() {
        ["metadata", ..] | ["context", "ip" | "user_agent" | "session_id" | "request_id" | "*"] => Ok(()),
        ["context", ..] => member_of("context", CONTEXT),
        ["actor", "name" | "email"] => Ok(()),
        ["actor", "id"] => never("an event without the id of who did it proves nothing; hide the name or the address"),
        ["actor", "type"] => never(SKELETON),
        ["actor", ..] => member_of("actor", ACTOR),
        ["targets", at, "id" | "name" | "environment"] if *at == "*" || at.parse::<usize>().is_ok() => Ok(()),
        ["targets", _, "type"] => never(SKELETON),
        ["targets", ..] => member_of("targets", TARGET),
        ["changes"] | ["changes", _] | ["changes", _, "before" | "after" | "*", ..] => Ok(()),
        ["changes", _, "field"] => never("it says which field was changed; hide before and after"),
        ["changes", ..] => member_of("changes", "before, after, as in /changes/*/after"),
        ["action" | "occurred_at" | "outcome" | "team", ..] => never(SKELETON),
        ["id" | "event_id" | "index" | "recorded_at" | "key" | "redactions", ..] => never(KEEPS),
        ["response_time_ms", ..] => never("it is a number, which no mark can stand for"),
        [] => Err(BadMember::NotAPath),
        [other, ..] => Err(BadMember::Unknown((*other).to_owned())),
    }
}

/// A step of an RFC 6901 pointer as the name it stands for.
fn unescape(step: &str) -> Result<String, BadMember> {
    let mut out = String::with_capacity(step.len());
    let mut parts = step.split('~');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        match part.as_bytes().first() {
            Some(b'0') => out.push('~'),
            Some(b'1') => out.push('/'),
            _ => return Err(BadMember::BadEscape),
        }
        out.push_str(part.get(1..).unwrap_or_default());
    }
    Ok(out)
}

/// The RFC 6901 pointer to where a way leads.
pub(super) fn pointer(way: &[Step<'_>]) -> String {
    use fmt::Write;
    let mut out = String::with_capacity(32);
    for step in way {
        out.push('/');
        match step {
            Step::Name(name) if name.contains(['~', '/']) => out.push_str(&name.replace('~', "~0").replace('/', "~1")),
            Step::Name(name) => out.push_str(name),
            #[expect(clippy::expect_used, reason = "writing into a String does not fail")]
            Step::Index(at) | Step::Change { at, .. } => write!(out, "{at}").expect("a String takes any text"),
        }
    }
    out
}

impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<MemberPath> for String {
    fn from(path: MemberPath) -> String {
        path.text.into()
    }
}

impl TryFrom<String> for MemberPath {
    type Error = BadMember;
    fn try_from(text: String) -> Result<MemberPath, BadMember> {
        MemberPath::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_named_and_what_cannot() {
        let tell = |text: &&str| match MemberPath::parse(text) {
            Ok(path) => format!("{text} => fine, {} steps", path.steps.len()),
            Err(e) => format!("{text} => {e}"),
        };
        let paths = [
            "/metadata",
            "/metadata/params/*/ssn",
            "/metadata/a~1b",
            "/metadata/a~b",
            "/context/ip",
            "/context/*",
            "/context",
            "/actor/email",
            "/actor/id",
            "/actor/type",
            "/actor/*",
            "/targets/*/name",
            "/targets/0/id",
            "/targets/*/type",
            "/targets/*",
            "/targets/page/name",
            "/changes",
            "/changes/role",
            "/changes/*/after/ssn",
            "/changes/*/field",
            "/action",
            "/occurred_at",
            "/id",
            "/team",
            "/outcome",
            "/redactions",
            "/response_time_ms",
            "/params",
            "",
            "metadata",
        ];
        expect_test::expect![[r#"
            /metadata => fine, 1 steps
            /metadata/params/*/ssn => fine, 4 steps
            /metadata/a~1b => fine, 2 steps
            /metadata/a~b => holds a ~ that is not ~0 (for ~) or ~1 (for /)
            /context/ip => fine, 2 steps
            /context/* => fine, 2 steps
            /context => must name one member of context: ip, user_agent, session_id, request_id, or * for all four
            /actor/email => fine, 2 steps
            /actor/id => names actor/id, which is never redacted: an event without the id of who did it proves nothing; hide the name or the address
            /actor/type => names actor/type, which is never redacted: it stands in the clear in the record that is hashed
            /actor/* => must name one member of actor: name, email
            /targets/*/name => fine, 3 steps
            /targets/0/id => fine, 3 steps
            /targets/*/type => names targets/*/type, which is never redacted: it stands in the clear in the record that is hashed
            /targets/* => must name one member of targets: id, name, environment, as in /targets/*/name
            /targets/page/name => must name one member of targets: id, name, environment, as in /targets/*/name
            /changes => fine, 3 steps
            /changes/role => fine, 3 steps
            /changes/*/after/ssn => fine, 4 steps
            /changes/*/field => names changes/*/field, which is never redacted: it says which field was changed; hide before and after
            /action => names action, which is never redacted: it stands in the clear in the record that is hashed
            /occurred_at => names occurred_at, which is never redacted: it stands in the clear in the record that is hashed
            /id => names id, which is never redacted: without it nobody could tell what is recorded here
            /team => names team, which is never redacted: it stands in the clear in the record that is hashed
            /outcome => names outcome, which is never redacted: it stands in the clear in the record that is hashed
            /redactions => names redactions, which is never redacted: without it nobody could tell what is recorded here
            /response_time_ms => names response_time_ms, which is never redacted: it is a number, which no mark can stand for
            /params => names "params", which is no member of an event; a path begins with metadata, changes, targets, context or actor
             => must be a path that begins with a slash, such as /metadata/params
            metadata => must be a path that begins with a slash, such as /metadata/params"#]].assert_eq(&paths.iter().map(tell).collect::<Vec<_>>().join("\n"));
    }
}
