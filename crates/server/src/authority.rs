//! Who may do what with the organization's things: the policy crate's models, each kept until the directory changes, and what
//! the handlers of the estate ask of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use access::{Act, Level, ObjectKind, Permission, Subject};
use axum::http::StatusCode;
use directory::{Directory, DirectoryError};
use policy::{Circumstances, Decision, Engine, Model, Object, PolicyError, Principal, Request};
use record::{OrgId, TeamId};

use crate::app::{App, blocking};
use crate::permit::{Caller, Who};
use crate::problem::Problem;

/// Models kept; more are forgotten all at once, and made again.
const MODELS_MAX: usize = 64;

/// The models, each with the epoch of the directory that it was made from.
#[derive(Debug)]
pub struct Authority {
    engine: Arc<Engine>,
    models: Mutex<BTreeMap<OrgId, (u64, Arc<Model>)>>,
}

impl Authority {
    /// Prepares the built-in policies.
    pub fn new() -> Result<Authority, PolicyError> {
        Ok(Authority { engine: Arc::new(Engine::new()?), models: Mutex::default() })
    }

    /// The organization's model as of now. Asks the directory for the epoch each time, so that what another process changed
    /// counts at once; blocks.
    pub fn model(&self, directory: &Directory, org: OrgId) -> Result<Arc<Model>, DirectoryError> {
        let epoch = directory.epoch(org)?;
        if let Some((known, model)) = self.models.lock().unwrap_or_else(PoisonError::into_inner).get(&org)
            && *known == epoch
        {
            return Ok(Arc::clone(model));
        }
        // Two that come at once both make it; that is cheaper than to let all others wait.
        let (epoch, facts) = directory.facts(org)?;
        let model = Arc::new(Model::new(Arc::clone(&self.engine), &facts));
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if models.len() >= MODELS_MAX {
            models.clear();
        }
        models.insert(org, (epoch, Arc::clone(&model)));
        Ok(model)
    }
}

/// The organization's model as of now.
pub async fn model(app: &Arc<App>, org: OrgId) -> Result<Arc<Model>, Problem> {
    let shared = app.clone();
    Ok(blocking(move || shared.authority.model(&shared.directory, org)).await??)
}

/// The caller as a principal of decisions: a signed-in person. A key is none.
pub fn person(caller: &Caller) -> Option<Principal> {
    match &caller.who {
        Who::Key(_) => None,
        Who::Person(signed_in) => Some(Principal::User(signed_in.user.id.as_str().into())),
    }
}

/// What is known of a caller's session when she asks for herself.
pub fn circumstances(caller: &Caller) -> Circumstances {
    Circumstances { second_factor: caller.second_factor(), ..Circumstances::default() }
}

/// Refuses a key that may not do this to the whole directory before its body is read: for a key there is nothing else to look at.
pub fn permit_key(caller: &Caller, act: Act) -> Result<(), Problem> {
    match person(caller) {
        Some(_) => Ok(()),
        None => caller.permit(act).map(|_| ()),
    }
}

/// The organization, and, unless the caller may do this to its whole directory, the person whom it has to be permitted to on each
/// object. There is none for a key: it is refused.
fn reach(caller: &Caller, act: Act) -> Result<(OrgId, Option<Principal>), Problem> {
    match caller.permit(act) {
        Ok(scope) => Ok((scope.org(), None)),
        Err(denied) => Ok((caller.subject().org(), Some(person(caller).ok_or(denied)?))),
    }
}

/// Lets through whoever may do this to the whole directory, and the person who is permitted it on this object.
pub async fn permit(
    app: &Arc<App>,
    caller: &Caller,
    act: Act,
    permission: Permission,
    object: &Object,
) -> Result<OrgId, Problem> {
    let (org, asker) = reach(caller, act)?;
    let Some(principal) = asker else { return Ok(org) };
    let model = model(app, org).await?;
    let request = Request { principal, permission, object: object.clone(), circumstances: circumstances(caller) };
    let decision = model.decide(&request, app.now());
    if decision.allowed {
        return Ok(org);
    }
    let seen =
        caller.permit(Act::ReadDirectory).is_ok() || sees(&model, &request.principal, object, &request.circumstances, app);
    Err(if seen && model.object_name(object).is_some() { refused(&decision) } else { unknown(object) })
}

/// Lets through whoever may do this to the whole directory, and whoever manages the team. Others hear of a team only if they
/// manage one.
pub async fn permit_in_team(app: &Arc<App>, caller: &Caller, act: Act, team: &TeamId) -> Result<OrgId, Problem> {
    let denied = match caller.permit(act) {
        Ok(scope) => return Ok(scope.org()),
        Err(denied) => denied,
    };
    if !manages_a_team(caller) {
        return Err(denied);
    }
    permit(app, caller, act, Permission::TeamManage, &Object::Team(team.as_str().into())).await
}

/// Whether the caller is a person who manages some team.
pub fn manages_a_team(caller: &Caller) -> bool {
    let Subject::Person(person) = caller.subject() else { return false };
    person.held.iter().any(|held| held.permissions.contains(&Permission::TeamManage))
}

/// The same for somebody who wants to see an object.
pub async fn permit_seeing(app: &Arc<App>, caller: &Caller, object: &Object) -> Result<OrgId, Problem> {
    let (org, asker) = reach(caller, Act::ReadDirectory)?;
    let Some(principal) = asker else { return Ok(org) };
    if sees(&*model(app, org).await?, &principal, object, &circumstances(caller), app) {
        Ok(org)
    } else {
        Err(unknown(object))
    }
}

/// The ids of the objects of this kind that the caller may see; `None`: all.
pub async fn seen(app: &Arc<App>, caller: &Caller, kind: ObjectKind) -> Result<(OrgId, Option<Vec<String>>), Problem> {
    let (org, asker) = reach(caller, Act::ReadDirectory)?;
    let Some(principal) = asker else { return Ok((org, None)) };
    let (model, now, said) = (model(app, org).await?, app.now(), circumstances(caller));
    let work = move || {
        let held = model.what_can(&principal, &said, now);
        let mut ids: Vec<String> = held
            .iter()
            .filter(|held| held.object.kind() == kind && seeing(kind).is_none_or(|view| held.permissions.contains(&view)))
            .filter_map(|held| match &held.object {
                Object::Folder(id) | Object::App(id) | Object::Workflow(id) => Some(id.to_string()),
                Object::Resource { resource, .. } => Some(resource.to_string()),
                Object::Team(_) | Object::Organization => None,
            })
            .collect();
        ids.dedup();
        ids
    };
    Ok((org, Some(blocking(work).await?)))
}

/// Lets through whoever may put something there: whoever may change the folder, or manage the team.
pub async fn permit_place(app: &Arc<App>, caller: &Caller, place: &directory::Place) -> Result<OrgId, Problem> {
    match (&place.folder, &place.team) {
        (Some(folder), _) => {
            let object = Object::Folder(folder.as_str().into());
            permit(app, caller, Act::ChangeDirectory, Permission::FolderEdit, &object).await
        }
        (None, Some(team)) => {
            let object = Object::Team(team.as_str().into());
            permit(app, caller, Act::ChangeDirectory, Permission::TeamManage, &object).await
        }
        (None, None) => Ok(caller.permit(Act::ChangeDirectory)?.org()),
    }
}

/// What a refusal tells.
pub fn refused(decision: &Decision) -> Problem {
    let why: Vec<String> = decision.why.iter().map(ToString::to_string).collect();
    Problem::new(StatusCode::FORBIDDEN, "denied", "Not allowed", format!("You may not do this. {}", why.join(" ")))
}

/// Whether she holds all that a grant of this level on the object would give.
pub fn holds_level(app: &App, model: &Model, principal: &Principal, level: Level, object: &Object) -> bool {
    let kinds: &[ObjectKind] = match object.kind() {
        // A grant on these reaches what is inside.
        ObjectKind::Folder | ObjectKind::Team => &[ObjectKind::Folder, ObjectKind::App, ObjectKind::Workflow],
        ObjectKind::App => &[ObjectKind::App],
        ObjectKind::Workflow => &[ObjectKind::Workflow],
        ObjectKind::Resource => &[ObjectKind::Resource],
        ObjectKind::Organization => &[],
    };
    let mut included = Permission::ALL.iter().copied().filter(|permission| {
        kinds.contains(&permission.object_kind()) && permission.level().is_some_and(|needed| needed <= level)
    });
    included.all(|permission| model.is_given(principal, permission, object, app.now()))
}

/// The permission to see objects of a kind. Resources have none: whoever may do anything with one in some environment sees it.
fn seeing(kind: ObjectKind) -> Option<Permission> {
    match kind {
        ObjectKind::App => Some(Permission::AppView),
        ObjectKind::Workflow => Some(Permission::WorkflowView),
        ObjectKind::Folder => Some(Permission::FolderView),
        ObjectKind::Resource | ObjectKind::Team | ObjectKind::Organization => None,
    }
}

fn sees(model: &Model, principal: &Principal, object: &Object, said: &Circumstances, app: &App) -> bool {
    match object {
        Object::Organization => true,
        Object::Team(_) => model.object_name(object).is_some(),
        Object::Resource { resource, .. } => {
            let held = model.what_can(principal, said, app.now());
            held.iter().any(|held| matches!(&held.object, Object::Resource { resource: one, .. } if one == resource))
        }
        Object::App(_) | Object::Workflow(_) | Object::Folder(_) => seeing(object.kind()).is_some_and(|permission| {
            let (principal, object, circumstances) = (principal.clone(), object.clone(), said.clone());
            let request = Request { principal, permission, object, circumstances };
            model.decide(&request, app.now()).allowed
        }),
    }
}

fn unknown(object: &Object) -> Problem {
    Problem::not_found(format!("There is no such {}.", object.kind()))
}
