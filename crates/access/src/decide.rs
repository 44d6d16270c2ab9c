//! The one place where "may she?" is answered.

use crate::role::{KeyScope, Role};
use crate::scope::Scope;
use crate::subject::Subject;

/// What the caller wants to do with the log or the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Record events.
    Record,
    /// Read events, counts, filter values.
    Read,
    /// Take events out as a file.
    Export,
    /// Read the directory.
    ReadDirectory,
    /// Change the directory.
    ChangeDirectory,
    /// Set what is redacted and where events are delivered.
    ConfigureLog,
    /// Make and unmake owners, archive the organization, set its rules of signing in.
    ManageOrganization,
}

impl Act {
    /// Every act, in the order in which the authorization table lists them.
    pub const ALL: &'static [Act] = &[
        Act::Record,
        Act::Read,
        Act::Export,
        Act::ReadDirectory,
        Act::ChangeDirectory,
        Act::ConfigureLog,
        Act::ManageOrganization,
    ];
}

/// The caller may not, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The person's role does not include the act.
    #[error("your role, {role}, does not allow this; owners{others} may")]
    Role {
        /// The role she has.
        role: Role,
        /// Who else may, after "owners".
        others: &'static str,
    },
    /// The key was not given the scope.
    #[error("this API key does not have the scope {0}")]
    KeyScope(KeyScope),
    /// A key of one team was used for what concerns the whole organization.
    #[error("this API key is confined to one team and cannot do what concerns the whole organization")]
    TeamKey,
    /// What only a person may do.
    #[error("an API key cannot do this; an owner can, signed in")]
    Key,
}

/// Decides one act of one subject: the scope in which it may be done, or the reason why not.
pub fn decide(subject: &Subject, act: Act) -> Result<Scope, Denied> {
    match subject {
        Subject::System { org } => Ok(Scope::whole(*org)),
        Subject::Person { org, role } => {
            let (allowed, others): (&[Role], _) = match act {
                Act::Read | Act::Export | Act::ReadDirectory => {
                    (&[Role::Owner, Role::Admin, Role::Auditor], ", admins and auditors")
                }
                Act::Record | Act::ChangeDirectory | Act::ConfigureLog => (&[Role::Owner, Role::Admin], " and admins"),
                Act::ManageOrganization => (&[Role::Owner], ""),
            };
            if allowed.contains(role) { Ok(Scope::whole(*org)) } else { Err(Denied::Role { role: *role, others }) }
        }
        Subject::Key { org, team, scopes } => {
            let needed = match act {
                Act::Record => KeyScope::EventsWrite,
                Act::Read => KeyScope::EventsRead,
                Act::Export => KeyScope::EventsExport,
                Act::ReadDirectory => KeyScope::DirectoryRead,
                Act::ChangeDirectory | Act::ConfigureLog => KeyScope::DirectoryWrite,
                Act::ManageOrganization => return Err(Denied::Key),
            };
            if !scopes.contains(&needed) {
                return Err(Denied::KeyScope(needed));
            }
            match (team, act) {
                (None, _) => Ok(Scope::whole(*org)),
                (Some(_), Act::ReadDirectory | Act::ChangeDirectory | Act::ConfigureLog) => Err(Denied::TeamKey),
                (Some(team), _) => Ok(Scope::team(*org, team.clone())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use record::{OrgId, TeamId};

    use super::*;

    /// The whole table: who may do what, in which scope. A change here is a change of the product's promise.
    #[test]
    fn the_table() {
        let org = OrgId(7);
        let mut lines = Vec::new();
        let mut subjects: Vec<(String, Subject)> =
            Role::ALL.iter().map(|&role| (role.to_string(), Subject::Person { org, role })).collect();
        for &scope in KeyScope::ALL {
            let scopes = BTreeSet::from([scope]);
            subjects.push((format!("key {scope}"), Subject::Key { org, team: None, scopes: scopes.clone() }));
            subjects.push((format!("team key {scope}"), Subject::Key { org, team: TeamId::new("ops").ok(), scopes }));
        }
        for (name, subject) in subjects {
            let mut line = format!("{name}:");
            for &act in Act::ALL {
                match decide(&subject, act) {
                    Ok(scope) if scope.is_whole() => line += &format!(" {act:?}"),
                    Ok(_) => line += &format!(" {act:?}(team)"),
                    Err(_) => {}
                }
            }
            lines.push(line);
        }
        assert_eq!(
            lines.join("\n"),
            "owner: Record Read Export ReadDirectory ChangeDirectory ConfigureLog ManageOrganization\n\
             admin: Record Read Export ReadDirectory ChangeDirectory ConfigureLog\n\
             auditor: Read Export ReadDirectory\n\
             member:\n\
             key events:write: Record\n\
             team key events:write: Record(team)\n\
             key events:read: Read\n\
             team key events:read: Read(team)\n\
             key events:export: Export\n\
             team key events:export: Export(team)\n\
             key directory:read: ReadDirectory\n\
             team key directory:read:\n\
             key directory:write: ChangeDirectory ConfigureLog\n\
             team key directory:write:"
        );
    }

    #[test]
    fn a_team_sees_its_events_without_the_organization_only_ones() {
        let key =
            Subject::Key { org: OrgId(1), team: TeamId::new("ops").ok(), scopes: BTreeSet::from([KeyScope::EventsRead]) };
        let scope = decide(&key, Act::Read).unwrap();
        assert!(scope.sees(Some("ops"), false));
        assert!(!scope.sees(Some("ops"), true));
        assert!(!scope.sees(Some("sales"), false));
        assert!(!scope.sees(None, false));
    }
}
