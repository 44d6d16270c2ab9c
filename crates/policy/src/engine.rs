//! Cedar with the built-in policies, checked and prepared once.

use std::collections::{BTreeMap, HashSet};

use access::{Level, Permission};
use cedar_policy::{
    Authorizer, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, RestrictedExpression, Schema,
    Template, ValidationMode, Validator,
};

use crate::error::PolicyError;
use crate::object::{Id, Object, Principal};
use crate::reason::Reason;

/// What there is and which action goes with what, as Cedar's schema.
pub const SCHEMA: &str = include_str!("../policies/acta.cedarschema");
/// The fixed policies that forbid.
pub const GUARDRAILS: &str = include_str!("../policies/guardrails.cedar");
/// The templates that grants are links of.
pub const GRANT_TEMPLATES: &str = include_str!("../policies/grants.cedar");

/// Whether roles can give the permission. To touch data, nobody's role is enough: that is granted, for each resource in each
/// environment.
pub fn given_by_roles(permission: Permission) -> bool {
    use Permission as P;
    !matches!(permission, P::ResourceQuery | P::ResourceAdhocQuery | P::ResourceWriteQuery | P::ResourceRevealSecret)
}

/// Cedar with the built-in policies. Made once, used by every [`Model`](crate::Model).
#[derive(Debug)]
pub struct Engine {
    pub(crate) authorizer: Authorizer,
    pub(crate) names: Names,
    prepared: BTreeMap<Permission, Prepared>,
    /// Each guardrail with its reason.
    told: BTreeMap<String, Reason>,
    /// What is told when a policy cannot be evaluated.
    undecided: Reason,
}

/// What decisions about one permission have in common.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) action: EntityUid,
    /// The action with the levels and groups that it belongs to.
    pub(crate) entity: Entity,
    /// The guardrails, and the templates that can permit it.
    pub(crate) policies: PolicySet,
}

impl Engine {
    /// Parses the built-in policies, and has Cedar's validator check them against the schema.
    pub fn new() -> Result<Engine, PolicyError> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| PolicyError::Schema(format!("{error:?}")))?;
        let actions = schema.action_entities().map_err(fault)?;
        let (guardrails, told) = guardrails()?;
        let grants = grant_templates()?;
        let names = Names::new()?;

        let mut whole = PolicySet::from_policies(guardrails).map_err(fault)?;
        let bare = whole.clone();
        for template in &grants {
            whole.add_template(template.clone()).map_err(fault)?;
        }
        let mut prepared = BTreeMap::new();
        for &permission in Permission::ALL {
            let mut policies = bare.clone();
            if permission.level().is_some() {
                for template in &grants {
                    policies.add_template(template.clone()).map_err(fault)?;
                }
            }
            if given_by_roles(permission) {
                let template = role_template(permission)?;
                policies.add_template(template.clone()).map_err(fault)?;
                whole.add_template(template).map_err(fault)?;
            }
            let action = names.action(permission);
            let parents: HashSet<EntityUid> = actions.ancestors(&action).into_iter().flatten().cloned().collect();
            let entity = Entity::new_no_attrs(action.clone(), parents);
            prepared.insert(permission, Prepared { action, entity, policies });
        }
        let checked = Validator::new(schema).validate(&whole, ValidationMode::Strict);
        if !checked.validation_passed_without_warnings() {
            let faults = checked.validation_errors().map(ToString::to_string);
            let warnings = checked.validation_warnings().map(ToString::to_string);
            return Err(PolicyError::Policy(faults.chain(warnings).collect::<Vec<_>>().join("; ")));
        }
        let undecided = Reason::Guardrail {
            id: "undecided".into(),
            reason: "A policy could not be evaluated, so the answer is no.".into(),
        };
        Ok(Engine { authorizer: Authorizer::new(), names, prepared, told, undecided })
    }

    pub(crate) fn prepared(&self, permission: Permission) -> &Prepared {
        // Every permission was prepared when the engine was made.
        &self.prepared[&permission]
    }

    /// What people are told when this policy forbids.
    pub(crate) fn told(&self, id: &PolicyId) -> Option<&Reason> {
        let id: &str = id.as_ref();
        self.told.get(id)
    }

    pub(crate) fn undecided(&self) -> &Reason {
        &self.undecided
    }
}

/// The template that a grant of this level is a link of.
pub(crate) fn grant_template(level: Level) -> PolicyId {
    PolicyId::new(format!("grant:{level}"))
}

/// The template that a role is a link of, once for each of its permissions.
pub(crate) fn role_template_id(permission: Permission) -> PolicyId {
    PolicyId::new(format!("role:{permission}"))
}

fn role_template(permission: Permission) -> Result<Template, PolicyError> {
    let text = format!("permit(principal in ?principal, action == Action::\"{permission}\", resource in ?resource);");
    Template::parse(Some(role_template_id(permission)), text).map_err(fault)
}

fn guardrails() -> Result<(Vec<Policy>, BTreeMap<String, Reason>), PolicyError> {
    let set: PolicySet = GUARDRAILS.parse().map_err(fault)?;
    let mut told = BTreeMap::new();
    let mut policies = Vec::new();
    for policy in set.policies() {
        let (Some(id), Some(reason)) = (policy.annotation("id"), policy.annotation("reason")) else {
            return Err(PolicyError::Policy(format!("{policy} has no @id or no @reason")));
        };
        told.insert(id.to_owned(), Reason::Guardrail { id: id.into(), reason: reason.into() });
        policies.push(policy.new_id(PolicyId::new(id)));
    }
    Ok((policies, told))
}

fn grant_templates() -> Result<Vec<Template>, PolicyError> {
    let set: PolicySet = GRANT_TEMPLATES.parse().map_err(fault)?;
    let named = |template: &Template| match template.annotation("id") {
        Some(id) => Ok(template.new_id(PolicyId::new(id))),
        None => Err(PolicyError::Policy(format!("{template} has no @id"))),
    };
    set.templates().map(named).collect()
}

fn fault(error: impl std::fmt::Display) -> PolicyError {
    PolicyError::Policy(error.to_string())
}

/// The names of Cedar's entities. An organization's model has one organization, and another for what it does not have.
#[derive(Debug)]
pub(crate) struct Names {
    user: EntityTypeName,
    service_account: EntityTypeName,
    group: EntityTypeName,
    team: EntityTypeName,
    folder: EntityTypeName,
    app: EntityTypeName,
    workflow: EntityTypeName,
    resource: EntityTypeName,
    environment: EntityTypeName,
    place: EntityTypeName,
    every: EntityTypeName,
    action: EntityTypeName,
    here: EntityUid,
    elsewhere: EntityUid,
}

impl Names {
    fn new() -> Result<Names, PolicyError> {
        let named = |name: &str| name.parse::<EntityTypeName>().map_err(fault);
        let organization = named("Organization")?;
        Ok(Names {
            user: named("User")?,
            service_account: named("ServiceAccount")?,
            group: named("Group")?,
            team: named("Team")?,
            folder: named("Folder")?,
            app: named("App")?,
            workflow: named("Workflow")?,
            resource: named("Resource")?,
            environment: named("Environment")?,
            place: named("Place")?,
            every: named("Every")?,
            action: named("Action")?,
            here: uid(&organization, "here"),
            elsewhere: uid(&organization, "elsewhere"),
        })
    }

    /// The organization, or the one that stands for all others.
    pub(crate) fn organization(&self, known: bool) -> EntityUid {
        if known { self.here.clone() } else { self.elsewhere.clone() }
    }

    pub(crate) fn home(&self, known: bool) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(self.organization(known))
    }

    pub(crate) fn action(&self, permission: Permission) -> EntityUid {
        uid(&self.action, permission.as_str())
    }

    pub(crate) fn user(&self, id: &str) -> EntityUid {
        uid(&self.user, id)
    }

    pub(crate) fn service_account(&self, id: &str) -> EntityUid {
        uid(&self.service_account, id)
    }

    pub(crate) fn group(&self, id: &str) -> EntityUid {
        uid(&self.group, id)
    }

    pub(crate) fn principal(&self, principal: &Principal) -> EntityUid {
        match principal {
            Principal::User(id) => self.user(id),
            Principal::ServiceAccount(id) => self.service_account(id),
        }
    }

    pub(crate) fn object(&self, object: &Object) -> EntityUid {
        match object {
            Object::Organization => self.here.clone(),
            Object::Team(id) => uid(&self.team, id),
            Object::Folder(id) => uid(&self.folder, id),
            Object::App(id) => uid(&self.app, id),
            Object::Workflow(id) => uid(&self.workflow, id),
            Object::Resource { resource, environment } => uid(&self.resource, &format!("{resource} {environment}")),
        }
    }

    pub(crate) fn environment(&self, id: &Id) -> EntityUid {
        uid(&self.environment, id)
    }

    /// The place of the organization (`None`) or of a team.
    pub(crate) fn place(&self, team: Option<&Id>) -> EntityUid {
        match team {
            None => uid(&self.place, "organization"),
            Some(team) => uid(&self.place, &format!("team {team}")),
        }
    }

    pub(crate) fn every(&self, kind: &str) -> EntityUid {
        uid(&self.every, kind)
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}
