//! What each class of OCSF has besides the members that all have.

use record::catalog::Ocsf;
use record::{Change, Event, Json, Target};

use super::{Part, things};
use crate::format::json::Object;
use crate::format::known::{Known, is_kind, noted, of_kind};
use crate::recorded::Recorded;

/// Types of those who have accounts.
const USERS: [&str; 4] = ["user", "service_account", "account", "member"];
/// Types of what users are members of.
const GROUPS: [&str; 2] = ["group", "team"];
/// Types of what queries go to.
const STORES: [&str; 7] = ["resource", "database", "data_source", "datasource", "data_store", "table", "audit_log"];

/// The activity: the catalog's, but where a right was changed and nothing is left of it, it was revoked.
pub(super) fn activity(known: Known<'_>, event: &Event) -> Ocsf {
    let ocsf = known.ocsf();
    let gone = |change: &Change| change.after.as_ref().is_none_or(|after| matches!(after.as_str(), "null" | "[]" | "{}"));
    let revoked = ocsf.class() == 3005 && !event.changes.is_empty() && event.changes.iter().all(gone);
    if revoked { ocsf.with_activity(2) } else { ocsf }
}

/// Those who were put into the group, or taken out of it: a message for each.
pub(super) fn members<'a>(ocsf: Ocsf, known: Known<'a>, event: &'a Event) -> Vec<&'a Target> {
    if ocsf.class() != 3006 || !matches!(ocsf.activity(), 3 | 4) {
        return Vec::new();
    }
    let group = group(known, event);
    let wanted = |target: &Target| is_kind(target.kind.as_str(), &USERS) || is_kind(target.kind.as_str(), &GROUPS);
    let is_group = |target: &Target| group.is_some_and(|group| std::ptr::eq(group, target));
    event.targets.iter().filter(|target| wanted(target) && !is_group(target)).collect()
}

/// A group in a group is an activity of its own.
pub(super) fn of_member(ocsf: Ocsf, member: &Target) -> Ocsf {
    if is_kind(member.kind.as_str(), &GROUPS) { ocsf.with_activity(ocsf.activity() + 4) } else { ocsf }
}

fn group<'a>(known: Known<'a>, event: &'a Event) -> Option<&'a Target> {
    known.about().and_then(|about| of_kind(event, &[about])).or_else(|| of_kind(event, &GROUPS))
}

/// Whether the class must say from where.
pub(super) fn needs_source(ocsf: Ocsf) -> bool {
    matches!(ocsf.class(), 6003 | 6005 | 6006)
}

/// The members that only this class has.
pub(super) fn members_of_class(o: &mut Object<'_>, recorded: &Recorded, part: Part<'_>) {
    let (event, known) = (&recorded.event, part.known);
    let account = || of_kind(event, &USERS).or(event.targets.first());
    match part.ocsf.class() {
        3001 => o.object("user", |o| things::user(o, event, account())),
        3002 => authentication(o, recorded, known),
        3003 => {
            o.object("user", |o| things::user(o, event, None));
            privileges(o, event, false);
            let session = of_kind(event, &["session"]).and_then(|session| session.id.as_deref());
            if let Some(session) = session.or(event.context.session_id.as_deref()) {
                o.object("session", |o| o.text("uid", session));
            }
        }
        3005 => access(o, event, part.ocsf.activity() == 2),
        3006 => grouping(o, event, part),
        6001 => web_resources(o, known, event),
        6003 => {
            o.object("api", |o| {
                o.text("operation", event.action.as_str());
                if let Some(request) = event.context.request_id.as_deref() {
                    o.object("request", |o| o.text("uid", request));
                }
            });
            if !event.targets.is_empty() {
                o.objects("resources", &event.targets, things::resource);
            }
        }
        6005 => datastore(o, event),
        6006 => o.object("file", |o| file(o, known, event)),
        _ => {
            let organization = (&*recorded.organization.to_string(), &*recorded.organization_name);
            o.object("entity", |o| things::entity(o, known, known.target(event), organization));
        }
    }
}

fn authentication(o: &mut Object<'_>, recorded: &Recorded, known: Known<'_>) {
    let event = &recorded.event;
    o.object("user", |o| things::user(o, event, of_kind(event, &["user"])));
    // What she signs in to is the organization's; which part of it, events do not say.
    o.object("service", |o| o.text("name", &recorded.organization_name));
    if let Some(session) = event.context.session_id.as_deref() {
        o.object("session", |o| o.text("uid", session));
    }
    if known.entry().is_some_and(|entry| entry.mfa) {
        o.bare("is_mfa", true);
    }
}

/// Somebody's rights on something.
fn access(o: &mut Object<'_>, event: &Event, revoked: bool) {
    let user = of_kind(event, &USERS).or_else(|| of_kind(event, &GROUPS));
    o.object("user", |o| things::user(o, event, user));
    privileges(o, event, revoked);
    let is_user = |target: &Target| user.is_some_and(|user| std::ptr::eq(user, target));
    let mut others = event.targets.iter().filter(|target| !is_user(target)).peekable();
    if others.peek().is_some() {
        o.objects("resources", others, things::resource);
    }
}

fn grouping(o: &mut Object<'_>, event: &Event, part: Part<'_>) {
    let group = group(part.known, event);
    o.object("group", |o| {
        things::named(o, group.and_then(|it| it.id.as_deref()), group.and_then(|it| it.name.as_deref()));
        if let Some(group) = group {
            o.text("type", group.kind.as_str());
        }
    });
    match (part.member, part.ocsf.activity()) {
        (Some(member), 7 | 8) => o.object("subgroup", |o| {
            things::named(o, member.id.as_deref(), member.name.as_deref());
            o.text("type", member.kind.as_str());
        }),
        (Some(member), _) => o.object("user", |o| things::user(o, event, Some(member))),
        (None, activity @ (1 | 2)) => {
            privileges(o, event, activity == 2);
            let is_group = |target: &Target| group.is_some_and(|group| std::ptr::eq(group, target));
            if let Some(resource) = event.targets.iter().find(|target| !is_group(target)) {
                o.object("resource", |o| things::resource(o, resource));
            }
        }
        (None, _) => {}
    }
}

/// `privileges`: what the changes say was given or taken (`level:edit`, or a permission's own name), else the action.
fn privileges(o: &mut Object<'_>, event: &Event, revoked: bool) {
    let side = |change: &Change| if revoked { change.before.clone() } else { change.after.clone() };
    let mut all = Vec::new();
    for change in &event.changes {
        if let Some(value) = side(change) {
            names(&change.field, &value, &mut all);
        }
    }
    if all.is_empty() {
        all.push(event.action.as_str().to_owned());
    }
    o.texts("privileges", all.iter().map(String::as_str));
}

fn names(field: &str, value: &Json, all: &mut Vec<String>) {
    match serde_json::from_str(value.as_str()) {
        Ok(serde_json::Value::String(text)) => all.push(format!("{field}:{text}")),
        Ok(serde_json::Value::Array(items)) => all.extend(items.iter().filter_map(|item| item.as_str()).map(str::to_owned)),
        Ok(serde_json::Value::Null) | Err(_) => {}
        Ok(_) => all.push(format!("{field}:{}", value.as_str())),
    }
}

fn web_resources(o: &mut Object<'_>, known: Known<'_>, event: &Event) {
    if event.targets.is_empty() {
        return o.objects("web_resources", [known.about()], |o, kind| {
            things::named(o, None, kind);
            o.maybe("type", kind);
        });
    }
    o.objects("web_resources", &event.targets, things::resource);
}

fn datastore(o: &mut Object<'_>, event: &Event) {
    let store = of_kind(event, &STORES);
    o.object("database", |o| {
        things::named(o, store.and_then(|it| it.id.as_deref()), store.and_then(|it| it.name.as_deref()));
        match store {
            // Which sort of database it is, events do not say.
            None => o.bare("type_id", 0),
            Some(store) => {
                o.bare("type_id", 99);
                o.text("type", store.kind.as_str());
            }
        }
    });
    // The schema knows a query only with its text.
    if let Some(text) = noted(event, &["query", "sql", "statement"]) {
        let query = of_kind(event, &["query"]);
        o.object("query_info", |o| {
            let name = query.and_then(|it| it.name.as_deref());
            things::named(o, query.and_then(|it| it.id.as_deref()), name);
            o.text("query_string", &text);
        });
    }
}

fn file(o: &mut Object<'_>, known: Known<'_>, event: &Event) {
    let target = of_kind(event, &["file", "folder"]).or(known.target(event));
    let path = target.and_then(|it| it.name.as_deref().or(it.id.as_deref()));
    let name = path.and_then(|path| path.rsplit('/').find(|part| !part.is_empty())).or(path);
    o.text("name", name.unwrap_or("unknown"));
    o.maybe("path", path.filter(|path| path.contains('/')));
    o.maybe("uid", target.and_then(|it| it.id.as_deref()));
    let kind = target.map(|it| it.kind.as_str()).or(known.about());
    o.bare("type_id", if kind == Some("folder") { 2 } else { 1 });
}
