//! `/audit/{event_id}`: one event, whole. The same content is a page, a fragment for the list's dialog, or a file of JSON.

use std::sync::Arc;

use access::Act;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use record::{Catalogs, EventId, Json, redact};
use store::{Entry, IpFilter};

use super::page::{self, Account};
use super::session::Viewer;
use super::zone::{Shown, Zone};
use super::{event_json, links, sentence, summary};
use crate::app::App;
use crate::delivering::marks::{self, Delivery};
use crate::looks;
use crate::params::Given;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::view::WholeEvent;

#[derive(Debug, Template)]
#[template(path = "audit_event.html")]
struct EventPage {
    account: Option<Account>,
    back: String,
    event: EventShown,
}

#[derive(Debug, Template)]
#[template(path = "event_body.html")]
struct EventFragment {
    event: EventShown,
}

/// An event, in words.
#[derive(Debug)]
struct EventShown {
    sentence: String,
    title: String,
    action: String,
    description: String,
    category: String,
    same_action: String,
    severity: Option<(&'static str, &'static str)>,
    is_system: bool,
    outcome: Option<(&'static str, &'static str)>,
    occurred: Shown,
    recorded: Shown,
    zone: String,
    /// Who, from where, and so on: what is known of it, with the list of events that have the same.
    who: Vec<Fact>,
    place: Vec<Fact>,
    more: Vec<Fact>,
    targets: Vec<TargetShown>,
    changes: Vec<ChangeShown>,
    query: Option<String>,
    params: Vec<(String, String)>,
    metadata: Option<String>,
    redactions: Vec<RedactionShown>,
    json: String,
    index: String,
    event_id: String,
    leaf_hash: String,
    record: String,
    url: String,
    json_url: String,
}

/// One thing that is known.
#[derive(Debug)]
struct Fact {
    name: &'static str,
    value: String,
    is_code: bool,
    /// A list of events that have it in common, and what that is called.
    same: Option<(&'static str, String)>,
}

#[derive(Debug)]
struct TargetShown {
    kind: String,
    name: String,
    id: String,
    environment: String,
    same: String,
}

#[derive(Debug)]
struct ChangeShown {
    field: String,
    /// `Added`, `Changed`, `Removed`: what happened to the field, for whoever sees no colours.
    what: &'static str,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug)]
struct RedactionShown {
    member: String,
    by: String,
    what: String,
}

/// What the directory calls what the event names by id.
#[derive(Debug, Default)]
struct Names {
    /// Its team.
    team: Option<String>,
    /// The organization's redaction rules.
    rules: Vec<(String, String)>,
    /// Where it has arrived, or is still to arrive.
    deliveries: Vec<Delivery>,
}

/// Shows one event.
pub(super) async fn show_event(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    Path(event_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let given = Given::parse(query.as_deref());
    let (event_id, is_file) = event_id.strip_suffix(".json").map_or((event_id.as_str(), false), |id| (id, true));
    let (entry, names) = match find(&app, &viewer, &request_id, event_id).await {
        Ok(found) => found,
        Err(problem) => return page::problem_for(&viewer, &request_id, problem),
    };
    let json = match serde_json::to_string(&WholeEvent::of(&entry, names.deliveries.clone())) {
        Ok(json) => event_json::pretty(&json),
        Err(e) => return page::problem_for(&viewer, &request_id, Problem::internal(e)),
    };
    if is_file {
        looks::note_download(&app, &viewer.caller, "page", &event_of(event_id), Some(request_id.as_str())).await;
        return file(&entry, json);
    }
    let event = shown(&entry, &names, json, &given, &Zone::of(&given, &headers));
    if given.first("fragment").is_some() {
        return page::html(StatusCode::OK, &EventFragment { event });
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let back = links::back_to_list(text(header::REFERER), text(header::HOST));
    page::html(StatusCode::OK, &EventPage { account: Some(Account::of(&viewer)), back, event })
}

/// What a look at one event asks for.
fn event_of(event_id: &str) -> Given {
    Given(vec![("event_id".to_owned(), event_id.to_owned())])
}

/// The event, and what things in it are called.
async fn find(app: &Arc<App>, viewer: &Viewer, request_id: &RequestId, event_id: &str) -> Result<(Entry, Names), Problem> {
    let scope = viewer.caller.permit(Act::Read)?;
    let missing = || Problem::not_found(format!("There is no event {event_id} in this log, or none that you may see."));
    let id = EventId::parse(event_id).map_err(|_| missing())?;
    looks::note(app, &viewer.caller, "page", &event_of(event_id), Some(request_id.as_str())).await;
    let may_read_directory = viewer.caller.permit(Act::ReadDirectory).is_ok();
    let found = app.reading(move |shared, _| {
        let Some(entry) = shared.store.get(&scope, id)? else { return Ok(None) };
        // A team that the directory does not know is shown by its id.
        let team = entry.event.team.as_ref().and_then(|team| shared.directory.team(scope.org(), team).ok());
        let mut names = Names { team: team.map(|team| team.name), ..Names::default() };
        // What rules are called is the directory's to tell, and not for everybody who sees an event.
        if may_read_directory && !entry.event.redactions.is_empty() {
            let rules = shared.directory.redactions(scope.org())?;
            names.rules = rules.into_iter().map(|rule| (rule.id.to_string(), rule.name)).collect();
        }
        Ok::<_, Problem>(Some((entry, names)))
    });
    let (entry, mut names) = found.await??.ok_or_else(missing)?;
    if may_read_directory {
        names.deliveries = marks::deliveries(app, &entry).await?;
    }
    Ok((entry, names))
}

fn file(entry: &Entry, json: String) -> Response {
    let mut response = json.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"event-{}.json\"", entry.event_id)) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

fn shown(entry: &Entry, names: &Names, json: String, given: &Given, zone: &Zone) -> EventShown {
    let event = &entry.event;
    let action = event.action.as_str();
    let known = Catalogs::built_in().get(action);
    let record = entry.record();
    let url = links::event(entry.event_id, given);
    let metadata = event.metadata.as_ref().map(Json::as_str);
    let members = metadata.and_then(event_json::members).unwrap_or_default();
    let member = |name: &str| members.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    EventShown {
        sentence: sentence::sentence(event),
        title: Catalogs::built_in().title(action).to_owned(),
        action: action.to_owned(),
        description: known.map(|(_, it)| it.description.clone()).unwrap_or_default(),
        category: known.map(|(catalog, it)| format!("{} ({})", it.category, catalog.title)).unwrap_or_default(),
        same_action: links::list_of(&[("action", action)]),
        severity: summary::severity(action),
        is_system: event.actor.kind.as_str() == "system",
        outcome: event.outcome.map(|one| (one.as_str(), summary::outcome(one))),
        occurred: zone.show(event.occurred_at),
        recorded: zone.show(entry.recorded_at()),
        zone: zone.name().to_owned(),
        who: who(entry),
        place: place(entry),
        more: more(entry, names, zone),
        targets: targets(entry),
        changes: changes(entry),
        query: member("query").map(summary::plain),
        params: member("params").map(params).unwrap_or_default(),
        metadata: metadata.map(event_json::pretty),
        redactions: redactions(entry, names),
        index: entry.index.to_string(),
        event_id: entry.event_id.to_string(),
        leaf_hash: leaf_hash(&record),
        record,
        json_url: format!("{}/{}.json", links::LIST, entry.event_id),
        json,
        url,
    }
}

fn leaf_hash(record: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(record::merkle::leaf_hash(record.as_bytes()))
}

fn fact(name: &'static str, value: Option<&str>, is_code: bool, same: Option<(&'static str, String)>) -> Option<Fact> {
    Some(Fact { name, value: value?.to_owned(), is_code, same })
}

fn who(entry: &Entry) -> Vec<Fact> {
    let actor = &entry.event.actor;
    let by_actor = Some(("All events by this user", links::list_of(&[("actor", &actor.id)])));
    let (name, email) = (actor.name.as_deref(), actor.email.as_deref());
    let kind = summary::words(actor.kind.as_str());
    [
        fact("Name", name, false, None),
        fact("E-mail", email, false, None),
        fact("Id", Some(&actor.id), true, by_actor),
        fact("Type", Some(&kind), false, None),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn place(entry: &Entry) -> Vec<Fact> {
    let context = &entry.event.context;
    let ip = context.ip.as_deref();
    let by_ip =
        ip.filter(|ip| IpFilter::parse(ip).is_ok()).map(|ip| ("All events from this IP", links::list_of(&[("ip", ip)])));
    let by_text = |text: Option<&str>, label| text.map(|text| (label, links::list_of(&[("q", text)])));
    let session = context.session_id.as_deref();
    let request = context.request_id.as_deref();
    [
        fact("IP", ip, true, by_ip),
        fact("Session", session, true, by_text(session, "All events of this session")),
        fact("Request", request, true, by_text(request, "All events of this request")),
        fact("User agent", context.user_agent.as_deref(), false, None),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// "Splunk 14:02:11, Archive pending".
fn delivered(deliveries: &[Delivery], zone: &Zone) -> Option<String> {
    let one = |it: &Delivery| match it.at {
        Some(at) => format!("{} {}", it.name, zone.show(at).time),
        None => format!("{} {}", it.name, it.state),
    };
    (!deliveries.is_empty()).then(|| deliveries.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn more(entry: &Entry, names: &Names, zone: &Zone) -> Vec<Fact> {
    let team_name = names.team.as_deref();
    let delivered = delivered(&names.deliveries, zone);
    let event = &entry.event;
    let team = event.team.as_ref().map(record::TeamId::as_str);
    let by_team = team.map(|team| ("All events of this team", links::list_of(&[("team", team)])));
    let took = event.response_time_ms.map(summary::took);
    [
        fact("Response time", took.as_deref(), false, None),
        fact("Team", team_name.or(team), false, by_team),
        fact("Sender's id", event.id.as_deref(), true, None),
        fact("Sent with API key", entry.key(), true, None),
        fact("Delivered", delivered.as_deref(), false, None),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn targets(entry: &Entry) -> Vec<TargetShown> {
    let targets = entry.event.targets.iter().map(|target| {
        let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
        let by = target.id.as_deref().or(target.name.as_deref()).unwrap_or_default();
        TargetShown {
            kind: summary::words(target.kind.as_str()),
            name: text(&target.name),
            id: text(&target.id),
            environment: text(&target.environment),
            same: links::list_of(&[("target_type", target.kind.as_str()), ("target", by)]),
        }
    });
    targets.collect()
}

fn changes(entry: &Entry) -> Vec<ChangeShown> {
    let value = |value: &Option<Json>| {
        let value = value.as_ref().map(Json::as_str).filter(|value| *value != "null")?;
        Some(if value.starts_with(['{', '[']) { event_json::pretty(value) } else { summary::plain(value) })
    };
    let changes = entry.event.changes.iter().map(|change| {
        let (before, after) = (value(&change.before), value(&change.after));
        let what = match (&before, &after) {
            (None, Some(_)) => "Added",
            (Some(_), None) => "Removed",
            _ => "Changed",
        };
        ChangeShown { field: change.field.to_string(), what, before, after }
    });
    changes.collect()
}

/// What was taken out of the event. A rule that was deleted since goes by its id.
fn redactions(entry: &Entry, names: &Names) -> Vec<RedactionShown> {
    let name = |id: &str| names.rules.iter().find(|(known, _)| known == id).map(|(_, name)| name.as_str());
    let redactions = entry.event.redactions.iter().map(|redaction| {
        let by = match &*redaction.by {
            redact::BY_HEADERS => "All headers are hidden".to_owned(),
            redact::BY_SCRUBBER => "Secrets are scrubbed".to_owned(),
            id => name(id).map_or_else(|| format!("Rule {id}"), |name| format!("Rule “{name}”")),
        };
        match redaction.how.strip_prefix("more:") {
            Some(count) => {
                RedactionShown { member: format!("{count} more"), by: String::new(), what: "not listed".to_owned() }
            }
            None => RedactionShown { member: redaction.member.to_string(), by, what: summary::words(&redaction.how) },
        }
    });
    redactions.collect()
}

/// A query's parameters by name, or by place.
fn params(json: &str) -> Vec<(String, String)> {
    let named = event_json::members(json);
    let placed = || {
        let elements = event_json::elements(json)?;
        Some(elements.into_iter().enumerate().map(|(at, value)| ((at + 1).to_string(), value)).collect())
    };
    named.or_else(placed).unwrap_or_else(|| vec![("1".to_owned(), json.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_names_or_places() {
        let tell =
            |json: &str| params(json).iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        assert_eq!(tell(r#"{"customer_id":7,"state":"open"}"#), r#"customer_id=7 state="open""#);
        assert_eq!(tell(r#"[7,"open"]"#), r#"1=7 2="open""#);
        assert_eq!(tell("7"), "1=7");
    }
}
