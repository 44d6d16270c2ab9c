//! What somebody holds, and so may give to others.
//!
//! Whoever may change the directory may not use it to become more than she is: she gives nobody a role, a key or a place in a
//! group that permits what she is not permitted herself, and she does not touch people whose standing is above hers.

use std::collections::{BTreeMap, BTreeSet};

use record::TeamId;

use crate::permission::Permission;
use crate::role::{KeyScope, Role};
use crate::subject::Held;

/// What an actor holds for good, and so may give on. What she holds for a time, or with a narrowed view of the log, she holds
/// for herself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Powers {
    /// Acta itself, and whoever has the machine.
    everything: bool,
    organization: BTreeSet<Permission>,
    teams: BTreeMap<TeamId, BTreeSet<Permission>>,
    /// A key's scopes: it gives no other key more.
    scopes: Option<BTreeSet<KeyScope>>,
}

impl Powers {
    /// Nothing is refused: Acta itself, or the command line on its machine.
    pub fn everything() -> Powers {
        Powers { everything: true, ..Powers::nothing() }
    }

    /// Nothing may be given.
    pub fn nothing() -> Powers {
        Powers { everything: false, organization: BTreeSet::new(), teams: BTreeMap::new(), scopes: None }
    }

    /// A person's: her standing, and the roles that she was given without an end.
    pub fn of_person(role: Role, held: &[Held]) -> Powers {
        let mut powers = Powers { organization: role.permissions().into_iter().collect(), ..Powers::nothing() };
        for held in held.iter().filter(|held| held.narrowing.is_nothing()) {
            let place = match &held.team {
                None => &mut powers.organization,
                Some(team) => powers.teams.entry(team.clone()).or_default(),
            };
            place.extend(&held.permissions);
        }
        powers
    }

    /// A key's: one that may change the directory counts as an admin. One that is confined to a team changes nothing of the
    /// organization and gives nothing.
    pub fn of_key(scopes: &BTreeSet<KeyScope>, team: Option<&TeamId>) -> Powers {
        if team.is_some() {
            return Powers::nothing();
        }
        let organization = scopes.iter().flat_map(|scope| scope.permissions()).collect();
        Powers { organization, scopes: Some(scopes.clone()), ..Powers::nothing() }
    }

    /// The first of these permissions that the actor does not hold herself, in this team or everywhere.
    pub fn first_lacking(
        &self,
        permissions: impl IntoIterator<Item = Permission>,
        team: Option<&TeamId>,
    ) -> Option<Permission> {
        let in_team = team.and_then(|team| self.teams.get(team));
        let held = |permission: &Permission| {
            self.everything
                || self.organization.contains(permission)
                || in_team.is_some_and(|held| held.contains(permission))
        };
        permissions.into_iter().find(|permission| !held(permission))
    }

    /// Whether the actor may make a key with this scope.
    pub fn may_give_scope(&self, scope: KeyScope, team: Option<&TeamId>) -> bool {
        self.scopes.as_ref().is_none_or(|own| own.contains(&scope))
            && self.first_lacking(scope.permissions(), team).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::narrowing::{Masked, Narrowing};
    use crate::role::BuiltInRole;

    fn held(role: BuiltInRole, team: Option<&str>) -> Held {
        let team = team.map(|team| TeamId::new(team).unwrap());
        Held { permissions: role.permissions().into_iter().collect(), team, narrowing: Narrowing::default() }
    }

    /// Who may give which standing and which key: a change here is a change of the product's promise.
    #[test]
    fn nobody_gives_more_than_she_holds() {
        let mut givers: Vec<(String, Powers)> =
            Role::ALL.iter().map(|role| (role.to_string(), Powers::of_person(*role, &[]))).collect();
        for scope in KeyScope::ALL {
            givers.push((format!("key {scope}"), Powers::of_key(&BTreeSet::from([*scope]), None)));
        }
        let all = KeyScope::ALL.iter().copied().collect();
        givers.push(("key with all".into(), Powers::of_key(&all, None)));
        givers.push(("team key with all".into(), Powers::of_key(&all, TeamId::new("ops").ok().as_ref())));
        let in_addition = [held(BuiltInRole::Auditor, None), held(BuiltInRole::TeamAdmin, Some("ops"))];
        givers.push(("member, auditor, admin of ops".into(), Powers::of_person(Role::Member, &in_addition)));
        givers.push(("acta".into(), Powers::everything()));
        let ops = TeamId::new("ops").unwrap();
        let mut table = String::new();
        for (name, powers) in givers {
            table += &format!("{name}:");
            for role in Role::ALL.iter().filter(|role| powers.first_lacking(role.permissions(), None).is_none()) {
                table += &format!(" {role}");
            }
            table += " |";
            for role in BuiltInRole::ALL {
                if powers.first_lacking(role.permissions(), None).is_none() {
                    table += &format!(" {role}");
                } else if powers.first_lacking(role.permissions(), Some(&ops)).is_none() {
                    table += &format!(" {role}(ops)");
                }
            }
            table += " |";
            for scope in KeyScope::ALL.iter().filter(|scope| powers.may_give_scope(**scope, None)) {
                table += &format!(" {scope}");
            }
            table += "\n";
        }
        expect_test::expect![[r#"
            owner: owner admin auditor member | auditor team_admin team_member builder operator viewer | events:write events:read events:export directory:read directory:write
            admin: admin auditor member | auditor team_admin team_member builder operator viewer | events:write events:read events:export directory:read directory:write
            auditor: auditor member | auditor | events:read events:export directory:read
            member: member | |
            key events:write: member | | events:write
            key events:read: member | | events:read
            key events:export: member | | events:export
            key directory:read: member | | directory:read
            key directory:write: admin auditor member | auditor team_admin team_member builder operator viewer | directory:write
            key with all: admin auditor member | auditor team_admin team_member builder operator viewer | events:write events:read events:export directory:read directory:write
            team key with all: member | |
            member, auditor, admin of ops: auditor member | auditor team_admin(ops) team_member(ops) builder(ops) operator(ops) viewer(ops) | events:read events:export directory:read
            acta: owner admin auditor member | auditor team_admin team_member builder operator viewer | events:write events:read events:export directory:read directory:write
        "#]].assert_eq(&table);
    }

    /// Every pair of a giver's and a gift's permissions: what is let through is a part of what is held.
    #[test]
    fn what_may_be_given_is_held() {
        // A xorshift is chance enough here, and repeats.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut draw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut given = 0;
        for _ in 0..5_000 {
            let mut some = |rare: u32| -> BTreeSet<Permission> {
                let bits = (0..rare).fold(u64::MAX, |bits, _| bits & draw());
                Permission::ALL.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, one)| *one).collect()
            };
            let (everywhere, in_team, gift) = (some(1), some(1), some(4));
            let team = TeamId::new("ops").unwrap();
            let narrowed = Narrowing { masked: [Masked::Ip].into(), ..Narrowing::default() };
            let held = [
                Held { permissions: everywhere.clone(), team: None, narrowing: Narrowing::default() },
                Held { permissions: in_team.clone(), team: Some(team.clone()), narrowing: Narrowing::default() },
                Held { permissions: gift.clone(), team: None, narrowing: narrowed },
            ];
            let powers = Powers::of_person(Role::Member, &held);
            assert_eq!(powers.first_lacking(gift.clone(), None).is_none(), gift.is_subset(&everywhere));
            let both: BTreeSet<Permission> = everywhere.union(&in_team).copied().collect();
            assert_eq!(powers.first_lacking(gift.clone(), Some(&team)).is_none(), gift.is_subset(&both));
            given += usize::from(gift.is_subset(&both) && !gift.is_empty());
        }
        assert!(given > 100, "the test must meet both answers: {given}");
    }
}
