//! "May she?"

use access::Permission;
use record::Timestamp;

use crate::circumstances::Circumstances;
use crate::graph::Reach;
use crate::link::Gives;
use crate::model::{Model, Thing};
use crate::object::{Object, Principal};
use crate::reason::{Named, Place, Reason};

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who.
    pub principal: Principal,
    /// What.
    pub permission: Permission,
    /// With what.
    pub object: Object,
    /// What is said with it.
    pub circumstances: Circumstances,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether she may.
    pub allowed: bool,
    /// Everything that permits it, if she may; otherwise every guardrail that forbids it, and whether anything would permit it.
    pub why: Vec<Reason>,
}

impl Model {
    /// Decides. Whoever and whatever the organization does not have is refused by a guardrail.
    pub fn decide(&self, request: &Request, now: Timestamp) -> Decision {
        let Request { principal, permission, object, circumstances } = request;
        let permission = *permission;
        if !object.takes(permission) {
            return Decision { allowed: false, why: vec![Reason::Nothing { permission, level: None }] };
        }
        let asker = self.asker(principal);
        let asked = self.asked(object);
        let mut links = Vec::new();
        if let (Some(subjects), Some(things)) = (&asker.above, &asked.above) {
            let held = subjects.nodes().flat_map(|node| &self.of_subject[node]).copied();
            links.extend(held.filter(|&link| self.can_concern(link, permission, things, now)));
        }
        let runs_app = self.runs_app(principal, permission, circumstances, now);
        let verdict = self.verdict(&asker, permission, &asked, circumstances, runs_app, &links);
        let mut why = Vec::new();
        if let (true, Some(subjects), Some(things)) = (verdict.allowed, &asker.above, &asked.above) {
            let ways = |link: &usize| {
                let (subject, thing) = (self.links[*link].subject, self.links[*link].object);
                self.reason(*link, &subjects.way_back(subject), &things.way_back(thing))
            };
            why.extend(verdict.links.iter().map(ways));
        } else {
            why = verdict.guardrails;
            if !links.iter().any(|&link| self.links[link].gives(permission)) {
                why.push(Reason::Nothing { permission, level: permission.level() });
            }
        }
        Decision { allowed: verdict.allowed, why }
    }

    /// Whether a grant or a role gives her this on the object, whatever a guardrail says of her using it. The permission may be
    /// about another kind of object: on a folder, whether she has it on every app inside, those to come too.
    pub fn is_given(&self, principal: &Principal, permission: Permission, object: &Object, now: Timestamp) -> bool {
        let (asker, asked) = (self.asker(principal), self.asked(object));
        let (Some(subjects), Some(things)) = (&asker.above, &asked.above) else { return false };
        let mut links = subjects.nodes().flat_map(|node| &self.of_subject[node]).copied();
        links.any(|link| self.can_concern(link, permission, things, now) && self.links[link].gives(permission))
    }

    /// Whether she may run the app that a query comes through: a guardrail asks for it. About anything else it is not asked.
    pub(crate) fn runs_app(
        &self,
        principal: &Principal,
        permission: Permission,
        said: &Circumstances,
        now: Timestamp,
    ) -> bool {
        let Some(app) = said.via_app.as_ref().filter(|_| permission == Permission::ResourceQuery) else { return false };
        let (principal, object) = (principal.clone(), Object::App(app.clone()));
        let circumstances = Circumstances::default();
        self.decide(&Request { principal, permission: Permission::AppRun, object, circumstances }, now).allowed
    }

    /// Whether Cedar has to see the link. A role is one template link for each of its permissions, a grant one for all.
    fn can_concern(&self, link: usize, permission: Permission, things: &Reach, now: Timestamp) -> bool {
        let link = &self.links[link];
        let templated = match link.gives {
            Gives::Level { .. } => permission.level().is_some(),
            Gives::Permissions { permissions, .. } => permissions.holds(permission),
        };
        templated && link.holds_at(now) && things.holds(link.object)
    }

    /// Tells of a link that permits. `subjects`: from whom it was given to down to the principal; `things`: from what it names
    /// down to the object.
    pub(crate) fn reason(&self, link: usize, subjects: &[usize], things: &[usize]) -> Reason {
        // All but the last are groups, and the last is the principal herself.
        let groups = subjects.iter().rev().skip(1).rev().map(|node| self.subjects[*node].named()).collect();
        let link = &self.links[link];
        match &link.gives {
            Gives::Level { grant, level } => Reason::Grant {
                grant: grant.clone(),
                level: *level,
                object: things.iter().map(|node| self.named(*node)).collect(),
                groups,
            },
            Gives::Permissions { assignment, role, .. } => {
                let place = match &self.things[link.object] {
                    Thing::Place(Some(team)) => {
                        Place::Team(Named { kind: "team", id: team.clone(), name: self.thing_names[link.object].clone() })
                    }
                    _ => Place::Organization,
                };
                Reason::Role { assignment: assignment.clone(), role: role.clone(), groups, place }
            }
        }
    }

    fn named(&self, node: usize) -> Named {
        let name = self.thing_names[node].clone();
        let (kind, id) = match &self.things[node] {
            Thing::Object(object) => match object {
                Object::Organization => ("organization", "".into()),
                Object::Team(id) | Object::Folder(id) | Object::App(id) | Object::Workflow(id) => {
                    (object.kind().as_str(), id.clone())
                }
                Object::Resource { resource, .. } => ("resource", resource.clone()),
            },
            Thing::Environment(id) => ("environment", id.clone()),
            Thing::Place(_) => ("place", "".into()),
            Thing::Every(kind) => (*kind, "".into()),
        };
        Named { kind, id, name }
    }
}
