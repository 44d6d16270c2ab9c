//! One question to Cedar, with no more before it than can concern it.

use std::collections::{BTreeMap, HashMap, HashSet};

use access::{Permission, SubjectKind};
use cedar_policy::{
    Context, Decision, Entities, Entity, EntityUid, PolicyId, Request, RestrictedExpression as Value, SlotId,
};

use crate::attributes::{ObjectAttributes, PrincipalAttributes};
use crate::circumstances::{Beneficiary, Circumstances};
use crate::engine::{Names, grant_template, role_template_id};
use crate::graph::Reach;
use crate::link::Gives;
use crate::model::Model;
use crate::object::{Object, Principal};
use crate::reason::Reason;

/// The principal of a question, found in the model or not.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) uid: EntityUid,
    pub(crate) attributes: PrincipalAttributes,
    /// Herself and the groups that she is in; `None` if the organization does not have her.
    pub(crate) above: Option<Reach>,
}

/// The object of a question, found in the model or not.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) uid: EntityUid,
    pub(crate) attributes: ObjectAttributes,
    /// Itself and what it lies in; `None` if the organization does not have it.
    pub(crate) above: Option<Reach>,
}

/// What Cedar says.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    /// The links that permit it, if it is allowed.
    pub(crate) links: Vec<usize>,
    /// The guardrails that forbid it.
    pub(crate) guardrails: Vec<Reason>,
}

impl Model {
    pub(crate) fn asker(&self, principal: &Principal) -> Asker {
        let uid = self.engine.names.principal(principal);
        let found = self.principal(principal);
        let attributes = found.and_then(|node| self.subjects[node].attributes).unwrap_or(match principal {
            Principal::User(_) => PrincipalAttributes::UnknownUser,
            Principal::ServiceAccount(_) => PrincipalAttributes::UnknownServiceAccount,
        });
        Asker { uid, attributes, above: found.map(|node| self.groups.above(node)) }
    }

    pub(crate) fn asked(&self, object: &Object) -> Asked {
        let uid = self.engine.names.object(object);
        let found = self.object(object);
        let attributes = found.and_then(|node| self.attributes.get(&node).copied()).unwrap_or(match object {
            Object::Organization => self.organization,
            Object::Team(_) => ObjectAttributes::Team { known: false },
            Object::Folder(_) => ObjectAttributes::Folder { known: false },
            Object::App(_) => ObjectAttributes::App { known: false, archived: false, released: false },
            Object::Workflow(_) => ObjectAttributes::Workflow { known: false, archived: false, enabled: false },
            Object::Resource { .. } => ObjectAttributes::Resource {
                known: false,
                archived: false,
                environment: access::EnvironmentKind::Production,
                sensitive: true,
            },
        });
        Asked { uid, attributes, above: found.map(|node| self.holders.above(node)) }
    }

    /// Asks Cedar, with these links and the guardrails. Without links it tells which guardrails forbid. `runs_app`: whether she may
    /// run the app that the question comes through.
    pub(crate) fn verdict(
        &self,
        asker: &Asker,
        permission: Permission,
        asked: &Asked,
        said: &Circumstances,
        runs_app: bool,
        links: &[usize],
    ) -> Verdict {
        match self.ask(asker, permission, asked, said, runs_app, links) {
            Some(verdict) => verdict,
            // Nothing that comes from the directory leads here; if something ever does, the answer is no.
            None => Verdict { allowed: false, links: Vec::new(), guardrails: vec![self.engine.undecided().clone()] },
        }
    }

    fn ask(
        &self,
        asker: &Asker,
        permission: Permission,
        asked: &Asked,
        said: &Circumstances,
        runs_app: bool,
        links: &[usize],
    ) -> Option<Verdict> {
        let prepared = self.engine.prepared(permission);
        let names = &self.engine.names;
        let mut policies = prepared.policies.clone();
        for &link in links {
            let slots = HashMap::from([
                (SlotId::principal(), self.subjects[self.links[link].subject].uid(names)),
                (SlotId::resource(), self.things[self.links[link].object].uid(names)),
            ]);
            let template = match &self.links[link].gives {
                Gives::Level { level, .. } => grant_template(*level),
                Gives::Permissions { .. } => role_template_id(permission),
            };
            policies.link(template, PolicyId::new(format!("link:{link}")), slots).ok()?;
        }
        let entities = self.entities(asker, &prepared.entity, asked, said)?;
        let context = Context::from_pairs(context(names, said, runs_app)).ok()?;
        let request = Request::new(asker.uid.clone(), prepared.action.clone(), asked.uid.clone(), context, None).ok()?;
        let response = self.engine.authorizer.is_authorized(&request, &policies, &entities);
        if response.diagnostics().errors().next().is_some() {
            return None;
        }
        let allowed = response.decision() == Decision::Allow;
        let mut verdict = Verdict { allowed, links: Vec::new(), guardrails: Vec::new() };
        for id in response.diagnostics().reason() {
            let text: &str = id.as_ref();
            match text.strip_prefix("link:").and_then(|number| number.parse().ok()) {
                Some(link) => verdict.links.push(link),
                None => verdict.guardrails.push(self.engine.told(id)?.clone()),
            }
        }
        verdict.links.sort_unstable();
        verdict.guardrails.sort_by(|one, other| guardrail_id(one).cmp(guardrail_id(other)));
        Some(verdict)
    }

    fn entities(&self, asker: &Asker, action: &Entity, asked: &Asked, said: &Circumstances) -> Option<Entities> {
        let names = &self.engine.names;
        let mut all: BTreeMap<EntityUid, Entity> = BTreeMap::new();
        // Of two of the same name the first stays: it is the one with what it lies in.
        let mut add = |uid: EntityUid, values: Vec<(&'static str, Value)>, above: HashSet<EntityUid>| {
            if !all.contains_key(&uid) {
                let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                all.insert(uid.clone(), Entity::new(uid, values, above).ok()?);
            }
            Some(())
        };
        let groups = asker.above.iter().flat_map(Reach::nodes).skip(1).map(|node| self.subjects[node].uid(names));
        add(asker.uid.clone(), asker.attributes.values(names), groups.collect())?;
        let holders = asked.above.iter().flat_map(Reach::nodes).skip(1).map(|node| self.things[node].uid(names));
        add(asked.uid.clone(), asked.attributes.values(names), holders.collect())?;
        add(names.organization(true), self.organization.values(names), HashSet::new())?;
        if !(asker.attributes.known() && asked.attributes.known()) {
            let elsewhere = ObjectAttributes::Organization { closed: false, second_factor_required: false };
            add(names.organization(false), elsewhere.values(names), HashSet::new())?;
        }
        if let Some(app) = &said.via_app {
            let app = self.asked(&Object::App(app.clone()));
            add(app.uid, app.attributes.values(names), HashSet::new())?;
        }
        if let Some(approver) = &said.second_approver {
            let found = self.subject(SubjectKind::User, approver);
            let attributes = found.and_then(|node| self.subjects[node].attributes);
            let attributes = attributes.unwrap_or(PrincipalAttributes::UnknownUser);
            add(names.user(approver), attributes.values(names), HashSet::new())?;
        }
        Entities::from_entities(all.into_values().chain([action.clone()]), None).ok()
    }
}

fn guardrail_id(reason: &Reason) -> &str {
    if let Reason::Guardrail { id, .. } = reason { id } else { "" }
}

fn context(names: &Names, said: &Circumstances, runs_app: bool) -> Vec<(String, Value)> {
    let mut pairs = Vec::new();
    let mut entity = |name: &str, uid: EntityUid| pairs.push((name.to_owned(), Value::new_entity_uid(uid)));
    if let Some(app) = &said.via_app {
        entity("via_app", names.object(&Object::App(app.clone())));
    }
    if let Some(user) = &said.second_approver {
        entity("second_approver", names.user(user));
    }
    match &said.beneficiary {
        Some(Beneficiary::User(id)) => entity("beneficiary", names.user(id)),
        Some(Beneficiary::ServiceAccount(id)) => entity("beneficiary_account", names.service_account(id)),
        Some(Beneficiary::Group(id)) => entity("beneficiary_group", names.group(id)),
        None => {}
    }
    if let Some(review) = &said.review {
        if let Some(user) = &review.subject {
            entity("review_subject", names.user(user));
        }
        if let Some(user) = &review.grantor {
            entity("review_grantor", names.user(user));
        }
    }
    if said.via_app.is_some() {
        pairs.push(("runs_app".to_owned(), Value::new_bool(runs_app)));
    }
    if let Some(shown) = said.second_factor {
        pairs.push(("second_factor".to_owned(), Value::new_bool(shown)));
    }
    pairs
}
