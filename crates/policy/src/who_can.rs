//! "Who may?"

use std::collections::{BTreeMap, BTreeSet};

use access::Permission;
use record::Timestamp;

use crate::attributes::PrincipalAttributes;
use crate::circumstances::{Beneficiary, Circumstances};
use crate::graph::Reach;
use crate::model::Model;
use crate::object::{Object, Principal};
use crate::reason::Reason;
use crate::slice::Asker;

/// Somebody whom something permits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Able {
    /// Who.
    pub principal: Principal,
    /// Whether she may: `false` if a guardrail stops her.
    pub allowed: bool,
    /// What permits it, and then what stops her.
    pub why: Vec<Reason>,
}

/// What no guardrail can tell apart: the attributes, whether she is in the group that would benefit, whether she may run the app
/// that the question comes through, and, of those whom the question names, each by herself.
type Class = (PrincipalAttributes, bool, bool, Option<usize>);

impl Model {
    /// Everybody whom a grant or a role permits it, also those whom a guardrail stops; in the order of the facts, users first.
    pub fn who_can(
        &self,
        permission: Permission,
        object: &Object,
        circumstances: &Circumstances,
        now: Timestamp,
    ) -> Vec<Able> {
        let asked = self.asked(object);
        let Some(things) = asked.above.as_ref().filter(|_| object.takes(permission)) else { return Vec::new() };
        let mut held: BTreeMap<usize, Vec<(usize, Vec<usize>)>> = BTreeMap::new();
        for link in things.nodes().flat_map(|node| &self.on_thing[node]).copied() {
            if self.links[link].holds_at(now) && self.links[link].gives(permission) {
                let below = self.groups.below(self.links[link].subject);
                for node in below.nodes().filter(|node| self.subjects[*node].attributes.is_some()) {
                    let mut way = below.way_back(node);
                    way.reverse();
                    held.entry(node).or_default().push((link, way));
                }
            }
        }
        let favoured: Option<Reach> = match &circumstances.beneficiary {
            Some(Beneficiary::Group(group)) => {
                self.subject(access::SubjectKind::Group, group).map(|node| self.groups.below(node))
            }
            _ => None,
        };
        let runners = self.runners(permission, circumstances, now);
        let mut stopped: BTreeMap<Class, Vec<Reason>> = BTreeMap::new();
        let mut able = Vec::with_capacity(held.len());
        for (node, links) in held {
            let subject = &self.subjects[node];
            let (Some(principal), Some(attributes)) = (subject.principal(), subject.attributes) else { continue };
            let in_favoured = favoured.as_ref().is_some_and(|group| group.holds(node));
            let runs_app = runners.contains(&principal);
            let class = (attributes, in_favoured, runs_app, circumstances.names(&principal).then_some(node));
            let guardrails = stopped.entry(class).or_insert_with(|| {
                let uid = self.engine.names.principal(&principal);
                let asker = Asker { uid, attributes, above: Some(self.groups.above(node)) };
                self.verdict(&asker, permission, &asked, circumstances, runs_app, &[]).guardrails
            });
            let mut links = links;
            links.sort_unstable_by_key(|(link, _)| *link);
            let mut why: Vec<Reason> = links
                .iter()
                .map(|(link, way)| self.reason(*link, way, &things.way_back(self.links[*link].object)))
                .collect();
            why.extend(guardrails.iter().cloned());
            able.push(Able { principal, allowed: guardrails.is_empty(), why });
        }
        able
    }

    /// Who may run the app that a query comes through, as `runs_app` says it of one.
    fn runners(&self, permission: Permission, said: &Circumstances, now: Timestamp) -> BTreeSet<Principal> {
        let Some(app) = said.via_app.as_ref().filter(|_| permission == Permission::ResourceQuery) else {
            return BTreeSet::new();
        };
        let able = self.who_can(Permission::AppRun, &Object::App(app.clone()), &Circumstances::default(), now);
        able.into_iter().filter(|able| able.allowed).map(|able| able.principal).collect()
    }
}
