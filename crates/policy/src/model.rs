//! One organization's facts, arranged so that questions are quick.

use std::collections::HashMap;
use std::sync::Arc;

use access::facts::{AssignmentFact, Facts};
use access::{GrantObject, SubjectKind, Within};
use cedar_policy::EntityUid;

use crate::attributes::{ObjectAttributes, PrincipalAttributes};
use crate::engine::{Engine, Names};
use crate::graph::Graph;
use crate::link::{Gives, Link, Permissions};
use crate::object::{Id, Object, Principal};
use crate::reason::Named;

/// One organization's facts in memory. Made from [`Facts`], never changed: after a change of the directory a new one is made.
#[derive(Debug)]
pub struct Model {
    pub(crate) engine: Arc<Engine>,
    pub(crate) subjects: Vec<Subject>,
    subject_by_id: HashMap<(SubjectKind, Id), usize>,
    /// Who is in which group.
    pub(crate) groups: Graph,
    pub(crate) things: Vec<Thing>,
    thing_by_id: HashMap<Thing, usize>,
    /// What lies in what.
    pub(crate) holders: Graph,
    pub(crate) attributes: HashMap<usize, ObjectAttributes>,
    pub(crate) thing_names: Vec<Id>,
    pub(crate) organization: ObjectAttributes,
    pub(crate) links: Vec<Link>,
    /// The links of each subject.
    pub(crate) of_subject: Vec<Vec<usize>>,
    /// The links that name each thing.
    pub(crate) on_thing: Vec<Vec<usize>>,
}

/// Who can be given something.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) kind: SubjectKind,
    pub(crate) id: Id,
    pub(crate) name: Id,
    /// Of a group: none.
    pub(crate) attributes: Option<PrincipalAttributes>,
}

/// What a link can name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    Object(Object),
    Environment(Id),
    /// Where a role acts: the organization, or a team.
    Place(Option<Id>),
    /// Everything of a kind.
    Every(&'static str),
}

impl Subject {
    pub(crate) fn principal(&self) -> Option<Principal> {
        match self.kind {
            SubjectKind::User => Some(Principal::User(self.id.clone())),
            SubjectKind::ServiceAccount => Some(Principal::ServiceAccount(self.id.clone())),
            SubjectKind::Group => None,
        }
    }

    pub(crate) fn uid(&self, names: &Names) -> EntityUid {
        match self.kind {
            SubjectKind::User => names.user(&self.id),
            SubjectKind::ServiceAccount => names.service_account(&self.id),
            SubjectKind::Group => names.group(&self.id),
        }
    }

    pub(crate) fn named(&self) -> Named {
        Named { kind: self.kind.as_str(), id: self.id.clone(), name: self.name.clone() }
    }
}

impl Thing {
    pub(crate) fn uid(&self, names: &Names) -> EntityUid {
        match self {
            Thing::Object(object) => names.object(object),
            Thing::Environment(id) => names.environment(id),
            Thing::Place(team) => names.place(team.as_ref()),
            Thing::Every(kind) => names.every(kind),
        }
    }
}

impl Model {
    /// Arranges the facts. What names something that is not there (a grant on an app that is gone) permits nothing.
    pub fn new(engine: Arc<Engine>, facts: &Facts) -> Model {
        let organization = ObjectAttributes::Organization {
            closed: facts.organization.archived,
            second_factor_required: facts.organization.second_factor_required,
        };
        let mut model = Model {
            engine,
            subjects: Vec::new(),
            subject_by_id: HashMap::new(),
            groups: Graph::default(),
            things: Vec::new(),
            thing_by_id: HashMap::new(),
            holders: Graph::default(),
            attributes: HashMap::new(),
            thing_names: Vec::new(),
            organization,
            links: Vec::new(),
            of_subject: Vec::new(),
            on_thing: Vec::new(),
        };
        model.add_subjects(facts);
        model.add_places(facts, organization);
        model.add_things(facts);
        model.add_resources(facts);
        model.add_links(facts);
        model
    }

    /// The name of a user, a service account or a group.
    pub fn subject_name(&self, kind: SubjectKind, id: &str) -> Option<&str> {
        self.subject(kind, id).map(|node| &*self.subjects[node].name)
    }

    /// The name of an object; of a resource in an environment, the resource's.
    pub fn object_name(&self, object: &Object) -> Option<&str> {
        self.object(object).map(|node| &*self.thing_names[node])
    }

    pub(crate) fn subject(&self, kind: SubjectKind, id: &str) -> Option<usize> {
        self.subject_by_id.get(&(kind, Id::from(id))).copied()
    }

    pub(crate) fn principal(&self, principal: &Principal) -> Option<usize> {
        match principal {
            Principal::User(id) => self.subject(SubjectKind::User, id),
            Principal::ServiceAccount(id) => self.subject(SubjectKind::ServiceAccount, id),
        }
    }

    pub(crate) fn object(&self, object: &Object) -> Option<usize> {
        self.thing(&Thing::Object(object.clone()))
    }

    fn thing(&self, thing: &Thing) -> Option<usize> {
        self.thing_by_id.get(thing).copied()
    }

    fn add_subjects(&mut self, facts: &Facts) {
        for user in &facts.users {
            let attributes = PrincipalAttributes::User { active: user.active, second_factor: user.second_factor };
            self.add_subject(SubjectKind::User, &user.id, &user.name, Some(attributes));
        }
        for account in &facts.service_accounts {
            let attributes = PrincipalAttributes::ServiceAccount { active: account.active };
            self.add_subject(SubjectKind::ServiceAccount, &account.id, &account.name, Some(attributes));
        }
        for group in &facts.groups {
            self.add_subject(SubjectKind::Group, &group.id, &group.name, None);
        }
        for membership in &facts.memberships {
            let group = self.subject(SubjectKind::Group, &membership.group);
            let member = self.subject(membership.member, &membership.member_id);
            if let (Some(group), Some(member)) = (group, member) {
                self.groups.put(member, group);
            }
        }
    }

    fn add_subject(&mut self, kind: SubjectKind, id: &str, name: &str, attributes: Option<PrincipalAttributes>) {
        let id = Id::from(id);
        let node = self.groups.add();
        self.subject_by_id.insert((kind, id.clone()), node);
        self.subjects.push(Subject { kind, id, name: name.into(), attributes });
        self.of_subject.push(Vec::new());
    }

    /// The organization, its teams, its environments, and everything of each kind.
    fn add_places(&mut self, facts: &Facts, attributes: ObjectAttributes) {
        let whole = self.add_thing(Thing::Place(None), "the organization");
        let organization = self.add_object(Object::Organization, &facts.organization.name, attributes);
        self.holders.put(organization, whole);
        for team in &facts.teams {
            let place = self.add_thing(Thing::Place(Some(Id::from(&*team.id))), &team.name);
            self.holders.put(place, whole);
            let node =
                self.add_object(Object::Team(Id::from(&*team.id)), &team.name, ObjectAttributes::Team { known: true });
            self.holders.put(node, place);
        }
        for environment in &facts.environments {
            self.add_thing(Thing::Environment(Id::from(&*environment.id)), &environment.name);
        }
        for (kind, name) in [("folder", "all folders"), ("app", "all apps"), ("workflow", "all workflows")] {
            self.add_thing(Thing::Every(kind), name);
        }
    }

    /// Folders, and what lies in them.
    fn add_things(&mut self, facts: &Facts) {
        for folder in &facts.folders {
            let attributes = ObjectAttributes::Folder { known: true };
            self.add_object(Object::Folder(Id::from(&*folder.id)), &folder.name, attributes);
        }
        // Only now: a folder may lie in one that comes later in the list.
        for folder in &facts.folders {
            self.lay(&Object::Folder(Id::from(&*folder.id)), &folder.within);
        }
        for app in &facts.apps {
            let attributes = ObjectAttributes::App { known: true, archived: app.archived, released: app.released };
            let object = Object::App(Id::from(&*app.id));
            self.add_object(object.clone(), &app.name, attributes);
            self.lay(&object, &app.within);
        }
        for workflow in &facts.workflows {
            let (archived, enabled) = (workflow.archived, workflow.enabled);
            let attributes = ObjectAttributes::Workflow { known: true, archived, enabled };
            let object = Object::Workflow(Id::from(&*workflow.id));
            self.add_object(object.clone(), &workflow.name, attributes);
            self.lay(&object, &workflow.within);
        }
    }

    fn add_resources(&mut self, facts: &Facts) {
        let by_id: HashMap<&str, _> = facts.resources.iter().map(|resource| (&*resource.id, resource)).collect();
        let kinds: HashMap<&str, _> = facts.environments.iter().map(|one| (&*one.id, one.kind)).collect();
        for entry in &facts.entries {
            let environment = Thing::Environment(Id::from(&*entry.environment));
            let (Some(resource), Some(kind), Some(environment)) =
                (by_id.get(&*entry.resource), kinds.get(&*entry.environment), self.thing(&environment))
            else {
                continue;
            };
            let (archived, sensitive) = (resource.archived, entry.sensitive);
            let attributes = ObjectAttributes::Resource { known: true, archived, environment: *kind, sensitive };
            let object =
                Object::Resource { resource: Id::from(&*entry.resource), environment: Id::from(&*entry.environment) };
            let node = self.add_object(object, &resource.name, attributes);
            self.holders.put(node, environment);
            // Not its folder or team, which grants can name: only the place, which roles act in.
            if let Some(place) = self.place_of(&resource.within) {
                self.holders.put(node, place);
            }
        }
    }

    fn add_thing(&mut self, thing: Thing, name: &str) -> usize {
        let node = self.holders.add();
        self.thing_by_id.insert(thing.clone(), node);
        self.things.push(thing);
        self.thing_names.push(name.into());
        self.on_thing.push(Vec::new());
        node
    }

    fn add_object(&mut self, object: Object, name: &str, attributes: ObjectAttributes) -> usize {
        let node = self.add_thing(Thing::Object(object), name);
        self.attributes.insert(node, attributes);
        node
    }

    /// Puts a folder, an app or a workflow where it lies, and among all of its kind.
    fn lay(&mut self, object: &Object, within: &Within) {
        let Some(node) = self.object(object) else { return };
        let outer = match within {
            Within::Organization => self.thing(&Thing::Place(None)),
            Within::Team(team) => self.object(&Object::Team(Id::from(&**team))),
            Within::Folder(folder) => self.object(&Object::Folder(Id::from(&**folder))),
        };
        let every = self.thing(&Thing::Every(object.kind().as_str()));
        for outer in [outer, every].into_iter().flatten() {
            self.holders.put(node, outer);
        }
    }

    /// The place in which roles act on what lies there: the nearest above.
    fn place_of(&self, within: &Within) -> Option<usize> {
        let start = match within {
            Within::Organization => return self.thing(&Thing::Place(None)),
            Within::Team(team) => self.object(&Object::Team(Id::from(&**team))),
            Within::Folder(folder) => self.object(&Object::Folder(Id::from(&**folder))),
        };
        let above = self.holders.above(start?);
        above.nodes().find(|node| matches!(self.things[*node], Thing::Place(_)))
    }

    fn add_links(&mut self, facts: &Facts) {
        for user in &facts.users {
            let permissions = Permissions::of_role(&user.role.permissions());
            if permissions != Permissions::default() {
                let gives = Gives::Permissions { assignment: None, role: user.role.as_str().into(), permissions };
                let subject = self.subject(SubjectKind::User, &user.id);
                self.add_link(subject, self.thing(&Thing::Place(None)), gives, None);
            }
        }
        for assignment in &facts.assignments {
            let AssignmentFact { id, role, permissions, subject, subject_id, team, expires_at } = assignment;
            let gives = Gives::Permissions {
                assignment: Some(Id::from(&**id)),
                role: Id::from(&**role),
                permissions: Permissions::of_role(permissions),
            };
            let place = self.thing(&Thing::Place(team.as_deref().map(Id::from)));
            self.add_link(self.subject(*subject, subject_id), place, gives, *expires_at);
        }
        for grant in &facts.grants {
            let gives = Gives::Level { grant: Id::from(&*grant.id), level: grant.level };
            let subject = self.subject(grant.subject, &grant.subject_id);
            self.add_link(subject, self.thing(&granted(&grant.object)), gives, grant.expires_at);
        }
    }

    fn add_link(
        &mut self,
        subject: Option<usize>,
        object: Option<usize>,
        gives: Gives,
        expires_at: Option<record::Timestamp>,
    ) {
        let (Some(subject), Some(object)) = (subject, object) else { return };
        self.of_subject[subject].push(self.links.len());
        self.on_thing[object].push(self.links.len());
        self.links.push(Link { subject, object, gives, expires_at });
    }
}

fn granted(object: &GrantObject) -> Thing {
    let id = |text: &String| Id::from(&**text);
    Thing::Object(match object {
        GrantObject::App(app) => Object::App(id(app)),
        GrantObject::Workflow(workflow) => Object::Workflow(id(workflow)),
        GrantObject::Folder(folder) => Object::Folder(id(folder)),
        GrantObject::Team(team) => Object::Team(id(team)),
        GrantObject::Resource { resource, environment } => {
            Object::Resource { resource: id(resource), environment: id(environment) }
        }
        GrantObject::AllApps => return Thing::Every("app"),
        GrantObject::AllWorkflows => return Thing::Every("workflow"),
        GrantObject::AllFolders => return Thing::Every("folder"),
        GrantObject::AllResources { environment } => return Thing::Environment(id(environment)),
    })
}
