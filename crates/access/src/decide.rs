//! The one place where "may she?" is answered.

use std::collections::BTreeSet;

use crate::permission::Permission;
use crate::role::{KeyScope, Role};
use crate::scope::{About, Scope, View};
use crate::subject::{Person, Subject};

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
///
/// Who may read the log needs a scope and not a yes or no, and is asked for every request: this is a plain table, and a test
/// holds it against the policies that decide everything else.
pub fn decide(subject: &Subject, act: Act) -> Result<Scope, Denied> {
    match subject {
        Subject::System { org } => Ok(Scope::whole(*org)),
        Subject::Person(person) => of_person(person, act),
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

fn of_person(person: &Person, act: Act) -> Result<Scope, Denied> {
    let permission = match act {
        Act::Record => Permission::LogWrite,
        Act::Read => Permission::LogRead,
        Act::Export => Permission::LogExport,
        Act::ReadDirectory => Permission::DirectoryRead,
        Act::ChangeDirectory => Permission::DirectoryChange,
        Act::ConfigureLog => Permission::LogConfigure,
        Act::ManageOrganization => Permission::OrganizationManage,
    };
    let denied = || {
        let with = |role: &&Role| role.permissions().contains(&permission);
        let others = match Role::ALL.iter().filter(with).count() {
            0 | 1 => "",
            2 => " and admins",
            _ => ", admins and auditors",
        };
        Denied::Role { role: person.role, others }
    };
    if person.role.permissions().contains(&permission) {
        return Ok(Scope::whole(person.org));
    }
    let held = person.held.iter().filter(|held| held.permissions.contains(&permission));
    if !matches!(act, Act::Read | Act::Export) {
        // What concerns the organization is not given in a team.
        return if held.into_iter().any(|held| held.team.is_none()) { Ok(Scope::whole(person.org)) } else { Err(denied()) };
    }
    let mut views: Vec<View> = held
        .map(|held| View {
            teams: held.team.clone().map(|team| BTreeSet::from([team])),
            about: None,
            narrowing: held.narrowing.clone(),
        })
        .collect();
    if act == Act::Read && person.sees_own_events {
        let email = person.verified_email.as_deref().map(|email| email.to_lowercase().into());
        views.push(View { about: Some(About { user: person.user.clone(), email }), ..View::default() });
    }
    if views.is_empty() { Err(denied()) } else { Ok(Scope::of(person.org, views)) }
}

#[cfg(test)]
mod tests {
    use record::{Action, Actor, Event, Kind, OrgId, Target, TeamId, Timestamp};

    use super::*;
    use crate::narrowing::{Masked, Narrowing};
    use crate::role::BuiltInRole;
    use crate::subject::Held;

    fn event(action: &str, team: Option<&str>, actor: &str, at: i64) -> Event {
        let actor =
            Actor { kind: Kind::new("user").unwrap(), id: actor.into(), name: None, email: Some("Ada@x.org".into()) };
        let mut event = Event::new(Action::new(action).unwrap(), actor, Timestamp::from_millis(at));
        event.team = team.map(|team| TeamId::new(team).unwrap());
        event.context.ip = Some("203.0.113.7".into());
        event
    }

    fn member(held: Vec<Held>) -> Person {
        let Subject::Person(person) = Subject::person(OrgId(1), "u_1", Role::Member) else { unreachable!() };
        Person { held, ..person }
    }

    fn held(role: BuiltInRole, team: Option<&str>, narrowing: Narrowing) -> Held {
        let team = team.map(|team| TeamId::new(team).unwrap());
        Held { permissions: role.permissions().into_iter().collect(), team, narrowing }
    }

    fn reads(person: &Person) -> Scope {
        decide(&Subject::Person(person.clone()), Act::Read).unwrap()
    }

    #[test]
    fn a_team_admin_sees_her_teams_and_nothing_that_only_the_organization_sees() {
        let person = member(vec![
            held(BuiltInRole::TeamAdmin, Some("ops"), Narrowing::default()),
            held(BuiltInRole::TeamMember, Some("sales"), Narrowing::default()),
        ]);
        let scope = reads(&person);
        assert!(scope.shown(event("scenario_created", Some("ops"), "u_2", 0)).is_some());
        assert!(scope.shown(event("organization_variable_created", Some("ops"), "u_2", 0)).is_none());
        assert!(
            scope.shown(event("scenario_created", Some("sales"), "u_2", 0)).is_none(),
            "a member of a team does not see its log"
        );
        assert!(scope.shown(event("scenario_created", None, "u_1", 0)).is_none());
        for act in [Act::Export, Act::ReadDirectory, Act::ChangeDirectory, Act::ConfigureLog, Act::Record] {
            assert!(decide(&Subject::Person(person.clone()), act).is_err(), "{act:?}");
        }
    }

    #[test]
    fn a_member_sees_nothing_or_what_is_recorded_of_her() {
        let mut person = member(Vec::new());
        assert!(decide(&Subject::Person(person.clone()), Act::Read).is_err());
        person.sees_own_events = true;
        let scope = reads(&person);
        assert!(scope.shown(event("LOGIN", None, "u_1", 0)).is_some());
        assert!(
            scope.shown(event("LOGIN", None, "u_2", 0)).is_none(),
            "an address that is not shown to be hers is not hers"
        );
        let mut about_her = event("DISABLE_USER", None, "u_2", 0);
        about_her.targets =
            vec![Target { kind: Kind::new("user").unwrap(), id: Some("u_1".into()), name: None, environment: None }];
        assert!(scope.shown(about_her).is_some());
        person.verified_email = Some("ada@X.org".into());
        assert!(reads(&person).shown(event("LOGIN", None, "u_2", 0)).is_some());
        assert!(decide(&Subject::Person(person), Act::Export).is_err());
    }

    #[test]
    fn a_narrowed_role_sees_its_categories_its_time_and_no_more_of_them_than_it_may() {
        let narrowing = Narrowing {
            categories: ["Sign-in".to_owned()].into(),
            from: Some(Timestamp::from_millis(10)),
            to: Some(Timestamp::from_millis(20)),
            masked: [Masked::Ip, Masked::Email].into(),
        };
        let category = record::Catalogs::built_in().get("LOGIN").unwrap().1.category.clone();
        let narrowing = Narrowing { categories: [category].into(), ..narrowing };
        narrowing.check().unwrap();
        let mut person = member(vec![held(BuiltInRole::Auditor, None, narrowing)]);
        let scope = reads(&person);
        assert!(!scope.is_whole() && !scope.is_by_parts());
        assert!(scope.shown(event("CREATE_GROUP", None, "u_2", 15)).is_none());
        assert!(scope.shown(event("LOGIN", None, "u_2", 9)).is_none());
        assert!(scope.shown(event("LOGIN", None, "u_2", 21)).is_none());
        let told = scope.told().join("\n");
        assert!(
            told.starts_with("the organization's events, of the categories ")
                && told.ends_with(", without IP addresses, e-mail addresses"),
            "{told}"
        );
        let shown = scope.shown(event("LOGIN", None, "u_2", 15)).unwrap();
        assert_eq!((shown.context.ip.as_deref(), shown.actor.email.as_deref()), (Some("[masked]"), Some("[masked]")));

        // What another role shows of the same event is not hidden.
        let other = Narrowing { masked: [Masked::Email].into(), ..Narrowing::default() };
        person.held.push(held(BuiltInRole::Auditor, None, other));
        let shown = reads(&person).shown(event("LOGIN", None, "u_2", 15)).unwrap();
        assert_eq!((shown.context.ip.as_deref(), shown.actor.email.as_deref()), (Some("203.0.113.7"), Some("[masked]")));
        // An auditor of everything beside that makes the scope whole.
        person.held.push(held(BuiltInRole::Auditor, None, Narrowing::default()));
        assert!(reads(&person).is_whole());
    }

    /// The whole table: who may do what, in which scope. A change here is a change of the product's promise.
    #[test]
    fn the_table() {
        let org = OrgId(7);
        let mut lines = Vec::new();
        let mut subjects: Vec<(String, Subject)> =
            Role::ALL.iter().map(|&role| (role.to_string(), Subject::person(org, "u_1", role))).collect();
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
        assert!(scope.sees_part(Some("ops"), false).is_some());
        assert!(scope.sees_part(Some("ops"), true).is_none());
        assert!(scope.sees_part(Some("sales"), false).is_none());
        assert!(scope.sees_part(None, false).is_none());
    }
}
