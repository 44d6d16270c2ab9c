//! The opaque names that the directory gives: a prefix that says what it is, and sixteen random hexadecimal digits.

use std::fmt;

use rusqlite::types::{ToSql, ToSqlOutput};

use crate::chance::{Chance, random_hex};

/// The text was no such id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an id of the form {0}0123456789abcdef")]
pub struct BadId(&'static str);

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks the text and keeps it.
            pub fn parse(text: &str) -> Result<$name, BadId> {
                let digits = text.strip_prefix($prefix).ok_or(BadId($prefix))?;
                let hexadecimal = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                if digits.len() != 16 || !digits.bytes().all(hexadecimal) {
                    return Err(BadId($prefix));
                }
                Ok($name(text.into()))
            }

            pub(crate) fn random(chance: &dyn Chance) -> $name {
                $name(format!(concat!($prefix, "{}"), random_hex::<8>(chance)).into())
            }

            /// The id as it stands in URLs, JSON and the database.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<$name, BadId> {
                $name::parse(text)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }
    };
}

opaque_id! {
    /// A user of one organization.
    UserId, "u_"
}
opaque_id! {
    /// An API key; not the secret, which is shown only once.
    KeyId, "key_"
}
opaque_id! {
    /// A session, as it is shown in lists; not the token, which only the browser has.
    SessionId, "s_"
}
opaque_id! {
    /// A service account: an actor that is no person.
    ServiceAccountId, "sa_"
}
opaque_id! {
    /// A group of users, service accounts and other groups.
    GroupId, "g_"
}
opaque_id! {
    /// A role that an organization made for itself.
    RoleId, "role_"
}
opaque_id! {
    /// A role that was given to somebody.
    AssignmentId, "ra_"
}
opaque_id! {
    /// An invitation; not the token in its link.
    InvitationId, "inv_"
}
opaque_id! {
    /// A second factor: a device or program that makes codes.
    AuthenticatorId, "auth_"
}
opaque_id! {
    /// A link that was sent to somebody; not its token.
    LinkId, "link_"
}
opaque_id! {
    /// An environment: development, staging, production.
    EnvironmentId, "env_"
}
opaque_id! {
    /// A folder of apps, workflows, resources and folders.
    FolderId, "folder_"
}
opaque_id! {
    /// An app.
    AppId, "app_"
}
opaque_id! {
    /// A workflow.
    WorkflowId, "wf_"
}
opaque_id! {
    /// A resource: a database, an API, a bucket.
    ResourceId, "res_"
}
opaque_id! {
    /// A grant: who may do how much with what.
    GrantId, "grant_"
}
opaque_id! {
    /// A redaction rule.
    RedactionId, "red_"
}
opaque_id! {
    /// A destination that events are delivered to.
    DestinationId, "dest_"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_form_is_an_id() {
        assert_eq!(UserId::parse("u_0123456789abcdef").unwrap().as_str(), "u_0123456789abcdef");
        for text in [
            "",
            "u_",
            "key_0123456789abcdef",
            "u_0123456789ABCDEF",
            "u_0123456789abcde",
            "u_0123456789abcdef0",
            "u_0123456789abcdeé",
        ] {
            assert_eq!(UserId::parse(text), Err(BadId("u_")), "{text}");
        }
    }
}
