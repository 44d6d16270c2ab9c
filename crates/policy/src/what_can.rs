//! "What may she?"

use std::collections::BTreeMap;

use access::Permission;
use record::Timestamp;

use crate::attributes::ObjectAttributes;
use crate::circumstances::Circumstances;
use crate::model::{Model, Thing};
use crate::object::{Object, Principal};
use crate::reason::Reason;
use crate::slice::Asked;

/// What somebody holds on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The object.
    pub object: Object,
    /// What she may do with it.
    pub permissions: Vec<Permission>,
    /// What a grant or a role permits, and a guardrail stops: with all guardrails that do.
    pub stopped: Vec<(Permission, Vec<Reason>)>,
    /// The grants and roles that permit it: each that gives at least one of the permissions.
    pub why: Vec<Reason>,
}

impl Model {
    /// Every object on which a grant or a role permits her something, with what it is; in the order of the facts. Nothing for a
    /// principal whom the organization does not have.
    pub fn what_can(&self, principal: &Principal, circumstances: &Circumstances, now: Timestamp) -> Vec<Held> {
        let asker = self.asker(principal);
        let Some(subjects) = &asker.above else { return Vec::new() };
        let mut reached: BTreeMap<usize, Vec<(usize, Vec<usize>)>> = BTreeMap::new();
        for link in subjects.nodes().flat_map(|node| &self.of_subject[node]).copied() {
            if self.links[link].holds_at(now) {
                let below = self.holders.below(self.links[link].object);
                for node in below.nodes().filter(|node| self.attributes.contains_key(node)) {
                    let mut way = below.way_back(node);
                    way.reverse();
                    reached.entry(node).or_default().push((link, way));
                }
            }
        }
        let runs_app = self.runs_app(principal, Permission::ResourceQuery, circumstances, now);
        let mut stopped: BTreeMap<(ObjectAttributes, Permission), Vec<Reason>> = BTreeMap::new();
        let mut all = Vec::new();
        for (node, mut links) in reached {
            let (Thing::Object(object), Some(attributes)) = (&self.things[node], self.attributes.get(&node)) else {
                continue;
            };
            links.sort_unstable_by_key(|(link, _)| *link);
            let mut held = Held { object: object.clone(), permissions: Vec::new(), stopped: Vec::new(), why: Vec::new() };
            for &permission in Permission::ALL {
                let given = links.iter().any(|(link, _)| self.links[*link].gives(permission));
                if !(object.takes(permission) && given) {
                    continue;
                }
                // To every guardrail, objects with the same attributes are the same.
                let guardrails = stopped.entry((*attributes, permission)).or_insert_with(|| {
                    let uid = self.engine.names.object(object);
                    let asked = Asked { uid, attributes: *attributes, above: None };
                    self.verdict(&asker, permission, &asked, circumstances, runs_app, &[]).guardrails
                });
                if guardrails.is_empty() {
                    held.permissions.push(permission);
                } else {
                    held.stopped.push((permission, guardrails.clone()));
                }
            }
            if held.permissions.is_empty() && held.stopped.is_empty() {
                continue;
            }
            let asked_for = |link: usize| {
                let takes = Permission::ALL.iter().filter(|permission| object.takes(**permission));
                takes.copied().any(|permission| self.links[link].gives(permission))
            };
            let giving = links.iter().filter(|(link, _)| asked_for(*link));
            let giving = giving.map(|(link, way)| self.reason(*link, &subjects.way_back(self.links[*link].subject), way));
            held.why.extend(giving);
            all.push(held);
        }
        all
    }
}
