//! On random organizations: the three questions and Cedar, with the whole organization before it, give the same answers with
//! the same reasons, for every principal, permission and object.

use std::collections::{BTreeMap, BTreeSet};

use access::facts::{EntryFact, EnvironmentFact};
use access::{EnvironmentKind, Permission};
use fastrand::Rng;
use policy::{Circumstances, Object, Principal, Reason, Request};
use proptest::prelude::*;

use crate::oracle::{Answer, Oracle};
use crate::random;
use crate::world::{model, now};

/// The links and the guardrails among reasons, by name.
fn split(why: &[Reason], principal: &Principal) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut links, mut guardrails) = (BTreeSet::new(), BTreeSet::new());
    for reason in why {
        match (reason, principal) {
            (Reason::Grant { grant, .. }, _) => assert!(links.insert(grant.to_string())),
            (Reason::Role { assignment: Some(id), .. }, _) => assert!(links.insert(id.to_string())),
            (Reason::Role { assignment: None, .. }, Principal::User(id)) => assert!(links.insert(format!("standing-{id}"))),
            (Reason::Role { .. }, Principal::ServiceAccount(_)) => panic!("a service account has no standing"),
            (Reason::Guardrail { id, .. }, _) => assert!(guardrails.insert(id.to_string())),
            (Reason::Nothing { .. }, _) => {}
        }
    }
    (links, guardrails)
}

fn check(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let facts = random::facts(&mut rng);
    let said = random::circumstances(&mut rng);
    let (model, oracle) = (model(&facts), Oracle::new(&facts, now()));
    let (principals, objects) = (random::principals(&facts), random::objects(&facts));

    let mut answers: BTreeMap<(Principal, Permission, Object), Answer> = BTreeMap::new();
    for principal in &principals {
        for object in &objects {
            for &permission in Permission::ALL.iter().filter(|permission| object.takes(**permission)) {
                let answer = oracle.ask(principal, permission, object, &said);
                answers.insert((principal.clone(), permission, object.clone()), answer);
            }
        }
    }

    for ((principal, permission, object), answer) in &answers {
        let request = Request {
            principal: principal.clone(),
            permission: *permission,
            object: object.clone(),
            circumstances: said.clone(),
        };
        let decision = model.decide(&request, now());
        let at = format!("seed {seed}: {principal} {permission} {object}, {said:?}");
        let (links, guardrails) = split(&decision.why, principal);
        assert_eq!(decision.allowed, answer.allowed, "{at}");
        assert_eq!(guardrails, answer.guardrails, "{at}");
        assert_eq!(links, if answer.allowed { answer.links.clone() } else { BTreeSet::new() }, "{at}");
        let nothing = decision.why.iter().any(|reason| matches!(reason, Reason::Nothing { .. }));
        assert_eq!(nothing, answer.links.is_empty(), "{at}");
    }

    for object in &objects {
        for &permission in Permission::ALL.iter().filter(|permission| object.takes(**permission)) {
            let able = model.who_can(permission, object, &said, now());
            let mut listed = BTreeSet::new();
            for able in able {
                let at = format!("seed {seed}: who can {permission} {object}, {}, {said:?}", able.principal);
                let answer = &answers[&(able.principal.clone(), permission, object.clone())];
                let (links, guardrails) = split(&able.why, &able.principal);
                assert_eq!(able.allowed, answer.allowed, "{at}");
                assert_eq!(links, answer.links, "{at}");
                assert_eq!(guardrails, answer.guardrails, "{at}");
                assert!(listed.insert(able.principal), "{at}");
            }
            for principal in principals.iter().filter(|principal| !listed.contains(*principal)) {
                let answer = &answers[&(principal.clone(), permission, object.clone())];
                assert!(answer.links.is_empty(), "seed {seed}: {principal} is missing from who can {permission} {object}");
            }
        }
    }

    for principal in &principals {
        let mut told = BTreeMap::new();
        for held in model.what_can(principal, &said, now()) {
            let mut giving = BTreeSet::new();
            for permission in &held.permissions {
                let answer = &answers[&(principal.clone(), *permission, held.object.clone())];
                assert!(answer.allowed, "seed {seed}: {principal} {permission} {}", held.object);
                giving.extend(answer.links.iter().cloned());
                told.insert((*permission, held.object.clone()), ());
            }
            for (permission, why) in &held.stopped {
                let answer = &answers[&(principal.clone(), *permission, held.object.clone())];
                assert!(!answer.allowed, "seed {seed}: {principal} {permission} {}", held.object);
                assert_eq!(
                    split(why, principal).1,
                    answer.guardrails,
                    "seed {seed}: {principal} {permission} {}",
                    held.object
                );
                giving.extend(answer.links.iter().cloned());
                told.insert((*permission, held.object.clone()), ());
            }
            assert_eq!(split(&held.why, principal).0, giving, "seed {seed}: {principal} on {}", held.object);
        }
        for ((other, permission, object), answer) in &answers {
            let listed = told.contains_key(&(*permission, object.clone()));
            assert!(
                other != principal || listed != answer.links.is_empty(),
                "seed {seed}: {principal} {permission} {object}"
            );
        }
    }
}

fn no_leak(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut facts = random::facts(&mut rng);
    let kind = *rng.choice(EnvironmentKind::ALL).unwrap();
    facts.environments.push(EnvironmentFact { id: "new".into(), name: "New".into(), kind });
    for resource in &facts.resources {
        facts.entries.push(EntryFact { resource: resource.id.clone(), environment: "new".into(), sensitive: false });
    }
    let model = model(&facts);
    for resource in &facts.resources {
        let object = Object::Resource { resource: (&*resource.id).into(), environment: "new".into() };
        for permission in Permission::ALL.iter().copied().filter(|permission| object.takes(*permission)) {
            for able in model.who_can(permission, &object, &Circumstances::default(), now()) {
                for reason in &able.why {
                    let granted = matches!(reason, Reason::Grant { .. });
                    assert!(!granted, "seed {seed}: {} {permission} {object}: {reason}", able.principal);
                }
            }
            for principal in random::principals(&facts) {
                let circumstances = Circumstances::default();
                let request = Request { principal, permission, object: object.clone(), circumstances };
                let decision = model.decide(&request, now());
                let by_role = policy::given_by_roles(permission);
                assert!(by_role || !decision.allowed, "seed {seed}: {request:?}: {:?}", decision.why);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn the_questions_agree_with_cedar(seed in any::<u64>()) {
        check(seed);
    }

    #[test]
    fn no_grant_reaches_a_new_environment(seed in any::<u64>()) {
        no_leak(seed);
    }
}
