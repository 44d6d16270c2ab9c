//! Cedar with the whole organization before it: every entity, every link, checked against the schema. It shares no code with the
//! crate but the texts of the policies.

use std::collections::{BTreeSet, HashMap, HashSet};

use access::facts::Facts;
use access::{GrantObject, Permission, SubjectKind, Within};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, Policy, PolicyId, PolicySet, Request, RestrictedExpression,
    Schema, SlotId, Template,
};
use policy::{Beneficiary, Circumstances, GRANT_TEMPLATES, GUARDRAILS, Object, Principal, SCHEMA};
use record::Timestamp;

pub(crate) struct Oracle {
    schema: Schema,
    /// Guardrails and links.
    full: PolicySet,
    /// Links only.
    permits: PolicySet,
    entities: Entities,
}

pub(crate) struct Answer {
    pub(crate) allowed: bool,
    /// The links that permit it, whatever forbids it.
    pub(crate) links: BTreeSet<String>,
    /// The guardrails that forbid it.
    pub(crate) guardrails: BTreeSet<String>,
}

fn uid(kind: &str, id: &str) -> EntityUid {
    format!("{kind}::{id:?}").parse().unwrap()
}

fn expression(text: &str) -> RestrictedExpression {
    text.parse().unwrap()
}

fn subject(kind: SubjectKind, id: &str) -> EntityUid {
    match kind {
        SubjectKind::User => uid("User", id),
        SubjectKind::ServiceAccount => uid("ServiceAccount", id),
        SubjectKind::Group => uid("Group", id),
    }
}

fn entry(resource: &str, environment: &str) -> EntityUid {
    uid("Resource", &format!("{resource}@{environment}"))
}

fn outer(within: &Within) -> EntityUid {
    match within {
        Within::Organization => uid("Place", "all"),
        Within::Team(team) => uid("Team", team),
        Within::Folder(folder) => uid("Folder", folder),
    }
}

fn granted(object: &GrantObject) -> EntityUid {
    match object {
        GrantObject::App(id) => uid("App", id),
        GrantObject::Workflow(id) => uid("Workflow", id),
        GrantObject::Folder(id) => uid("Folder", id),
        GrantObject::Team(id) => uid("Team", id),
        GrantObject::Resource { resource, environment } => entry(resource, environment),
        GrantObject::AllApps => uid("Every", "app"),
        GrantObject::AllWorkflows => uid("Every", "workflow"),
        GrantObject::AllFolders => uid("Every", "folder"),
        GrantObject::AllResources { environment } => uid("Environment", environment),
    }
}

/// The team that a thing belongs to, at whatever depth.
fn team_of(facts: &Facts, within: &Within) -> Option<String> {
    match within {
        Within::Organization => None,
        Within::Team(team) => Some(team.clone()),
        Within::Folder(id) => {
            let folder = facts.folders.iter().find(|folder| folder.id == *id)?;
            team_of(facts, &folder.within)
        }
    }
}

fn entities(facts: &Facts, schema: &Schema) -> Entities {
    let mut all = Vec::new();
    let mut add = |uid: EntityUid, values: &[(&str, String)], parents: Vec<EntityUid>| {
        let values: HashMap<_, _> = values.iter().map(|(name, text)| ((*name).to_owned(), expression(text))).collect();
        all.push(Entity::new(uid, values, parents.into_iter().collect::<HashSet<_>>()).unwrap());
    };
    let here = || ("home", "Organization::\"1\"".to_owned());
    let flag = |name, value: bool| (name, value.to_string());
    let groups = |kind: SubjectKind, id: &str| -> Vec<EntityUid> {
        let of = facts.memberships.iter().filter(|one| one.member == kind && one.member_id == id);
        of.map(|one| uid("Group", &one.group)).collect()
    };
    add(uid("Place", "all"), &[], vec![]);
    let organization = [
        here(),
        flag("closed", facts.organization.archived),
        flag("second_factor_required", facts.organization.second_factor_required),
    ];
    add(uid("Organization", "1"), &organization, vec![uid("Place", "all")]);
    for team in &facts.teams {
        add(uid("Place", &team.id), &[], vec![uid("Place", "all")]);
        add(uid("Team", &team.id), &[here()], vec![uid("Place", &team.id)]);
    }
    for user in &facts.users {
        let values = [here(), flag("active", user.active), flag("second_factor", user.second_factor)];
        add(uid("User", &user.id), &values, groups(SubjectKind::User, &user.id));
    }
    for account in &facts.service_accounts {
        let parents = groups(SubjectKind::ServiceAccount, &account.id);
        add(uid("ServiceAccount", &account.id), &[here(), flag("active", account.active)], parents);
    }
    for group in &facts.groups {
        add(uid("Group", &group.id), &[], groups(SubjectKind::Group, &group.id));
    }
    for folder in &facts.folders {
        add(uid("Folder", &folder.id), &[here()], vec![outer(&folder.within), uid("Every", "folder")]);
    }
    for app in &facts.apps {
        let values = [here(), flag("archived", app.archived), flag("released", app.released)];
        add(uid("App", &app.id), &values, vec![outer(&app.within), uid("Every", "app")]);
    }
    for workflow in &facts.workflows {
        let values = [here(), flag("archived", workflow.archived), flag("enabled", workflow.enabled)];
        add(uid("Workflow", &workflow.id), &values, vec![outer(&workflow.within), uid("Every", "workflow")]);
    }
    for one in &facts.entries {
        let resource = facts.resources.iter().find(|resource| resource.id == one.resource).unwrap();
        let environment = facts.environments.iter().find(|environment| environment.id == one.environment).unwrap();
        let values = [
            here(),
            flag("archived", resource.archived),
            flag("sensitive", one.sensitive),
            ("environment_kind", format!("\"{}\"", environment.kind)),
        ];
        let place = team_of(facts, &resource.within).unwrap_or("all".into());
        let parents = vec![uid("Environment", &one.environment), uid("Place", &place)];
        add(entry(&one.resource, &one.environment), &values, parents);
    }
    // Whoever is named and not there.
    let elsewhere = || ("home", "Organization::\"2\"".to_owned());
    add(uid("Organization", "2"), &[elsewhere(), flag("closed", false), flag("second_factor_required", false)], vec![]);
    add(uid("User", "u6"), &[elsewhere(), flag("active", false), flag("second_factor", false)], vec![]);
    add(uid("App", "app4"), &[elsewhere(), flag("archived", false), flag("released", false)], vec![]);
    Entities::from_entities(all, Some(schema)).unwrap()
}

impl Oracle {
    pub(crate) fn new(facts: &Facts, now: Timestamp) -> Oracle {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
        let mut permits = PolicySet::new();
        for template in GRANT_TEMPLATES.parse::<PolicySet>().unwrap().templates() {
            let id = template.annotation("id").unwrap();
            permits.add_template(template.new_id(PolicyId::new(id))).unwrap();
        }
        let data = ["resource:query", "resource:adhoc_query", "resource:write_query", "resource:reveal_secret"];
        for permission in Permission::ALL.iter().map(|one| one.as_str()).filter(|one| !data.contains(one)) {
            let text =
                format!("permit(principal in ?principal, action == Action::\"{permission}\", resource in ?resource);");
            permits.add_template(Template::parse(Some(PolicyId::new(permission)), text).unwrap()).unwrap();
        }
        let mut link = |template: &str, id: &str, principal: EntityUid, resource: EntityUid| {
            let slots = HashMap::from([(SlotId::principal(), principal), (SlotId::resource(), resource)]);
            permits.link(PolicyId::new(template), PolicyId::new(id), slots).unwrap();
        };
        let alive = |end: Option<Timestamp>| end.is_none_or(|end| end > now);
        for grant in facts.grants.iter().filter(|grant| alive(grant.expires_at)) {
            let template = format!("grant:{}", grant.level);
            link(&template, &grant.id, subject(grant.subject, &grant.subject_id), granted(&grant.object));
        }
        for given in facts.assignments.iter().filter(|given| alive(given.expires_at)) {
            let place = uid("Place", given.team.as_deref().unwrap_or("all"));
            for permission in given.permissions.iter().map(|one| one.as_str()).filter(|one| !data.contains(one)) {
                let id = format!("{} {permission}", given.id);
                link(permission, &id, subject(given.subject, &given.subject_id), place.clone());
            }
        }
        for user in &facts.users {
            for permission in user.role.permissions() {
                let id = format!("standing-{} {permission}", user.id);
                link(permission.as_str(), &id, uid("User", &user.id), uid("Place", "all"));
            }
        }
        let mut full = permits.clone();
        for policy in GUARDRAILS.parse::<PolicySet>().unwrap().policies() {
            let named: Policy = policy.new_id(PolicyId::new(policy.annotation("id").unwrap()));
            full.add(named).unwrap();
        }
        let entities = entities(facts, &schema);
        let entities = entities.add_entities(schema.action_entities().unwrap().iter().cloned(), None).unwrap();
        Oracle { schema, full, permits, entities }
    }

    pub(crate) fn ask(&self, who: &Principal, permission: Permission, object: &Object, said: &Circumstances) -> Answer {
        let principal = match who {
            Principal::User(id) => uid("User", id),
            Principal::ServiceAccount(id) => uid("ServiceAccount", id),
        };
        let resource = match object {
            Object::Organization => uid("Organization", "1"),
            Object::Team(id) => uid("Team", id),
            Object::Folder(id) => uid("Folder", id),
            Object::App(id) => uid("App", id),
            Object::Workflow(id) => uid("Workflow", id),
            Object::Resource { resource, environment } => entry(resource, environment),
        };
        let runs_app = said.via_app.clone().is_some_and(|app| {
            permission == Permission::ResourceQuery
                && self.ask(who, Permission::AppRun, &Object::App(app), &Circumstances::default()).allowed
        });
        let mut pairs = Vec::new();
        let mut name = |key: &str, uid: EntityUid| pairs.push((key.to_owned(), RestrictedExpression::new_entity_uid(uid)));
        said.via_app.iter().for_each(|app| name("via_app", uid("App", app)));
        said.second_approver.iter().for_each(|user| name("second_approver", uid("User", user)));
        match &said.beneficiary {
            Some(Beneficiary::User(id)) => name("beneficiary", uid("User", id)),
            Some(Beneficiary::ServiceAccount(id)) => name("beneficiary_account", uid("ServiceAccount", id)),
            Some(Beneficiary::Group(id)) => name("beneficiary_group", uid("Group", id)),
            None => {}
        }
        let review = said.review.clone().unwrap_or_default();
        review.subject.iter().for_each(|user| name("review_subject", uid("User", user)));
        review.grantor.iter().for_each(|user| name("review_grantor", uid("User", user)));
        pairs.extend(said.via_app.iter().map(|_| ("runs_app".to_owned(), RestrictedExpression::new_bool(runs_app))));
        pairs.extend(said.second_factor.map(|shown| ("second_factor".to_owned(), RestrictedExpression::new_bool(shown))));
        let request = Request::new(
            principal,
            uid("Action", permission.as_str()),
            resource,
            Context::from_pairs(pairs).unwrap(),
            Some(&self.schema),
        )
        .unwrap();
        let authorizer = Authorizer::new();
        let full = authorizer.is_authorized(&request, &self.full, &self.entities);
        assert_eq!(full.diagnostics().errors().count(), 0);
        let permits = authorizer.is_authorized(&request, &self.permits, &self.entities);
        let told = |response: &cedar_policy::Response| -> BTreeSet<String> {
            let ids = response.diagnostics().reason().map(ToString::to_string);
            ids.map(|id| id.split(' ').next().unwrap().to_owned()).collect()
        };
        let allowed = full.decision() == Decision::Allow;
        let guardrails = if allowed { BTreeSet::new() } else { told(&full) };
        Answer { allowed, links: told(&permits), guardrails }
    }
}
