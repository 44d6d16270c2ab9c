//! `POST /v1/redactions/try`: what a rule would have done to past events. It does nothing to them.

use std::sync::Arc;

use access::{Act, MASK, Scope};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use directory::RedactionRule;
use record::redact::{self, HashKey, How, MemberPath, Policy, Rule, When};
use record::{Index, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Cursor, Entry, Filter};
use utoipa::ToSchema;

use super::WhenView;
use crate::api::events::json;
use crate::app::App;
use crate::params::Given;
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};
use crate::request_id::RequestId;
use crate::view::EventView;
use crate::{body_json, looks, redaction};

/// Events shown, unless the caller says, and at most.
const SHOWN: usize = 20;
const SHOWN_MAX: usize = 100;
/// Events looked at, the newest first, and at once.
const LOOKED_MAX: u64 = 20_000;
const SLICE: usize = 1_000;

/// A rule to be tried on past events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The rule.
    rule: TriedRule,
    /// Try it on events that occurred then or later: RFC 3339.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Try it on events that occurred then or earlier: RFC 3339.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Events to be shown; 20 unless given, at most 100.
    limit: Option<usize>,
}

/// A rule without a name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TriedRule {
    /// Which events it is for; all if absent.
    #[serde(default)]
    #[schema(value_type = Option<WhenView>)]
    when: When,
    /// The members that it takes out.
    #[schema(value_type = Vec<String>)]
    members: Vec<MemberPath>,
    /// `hide` or `hash`.
    #[schema(value_type = String)]
    how: How,
}

/// What a rule would have done.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Tried {
    /// Events that were looked at, the newest recorded first: 20,000 at most.
    looked_at: u64,
    /// Whether these were all that you may see of that time.
    complete: bool,
    /// Of these, events that the rule would have changed.
    matched: u64,
    /// The first of them.
    events: Vec<TriedEvent>,
}

/// What a rule would have done to an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedEvent {
    /// Acta's name for the event.
    event_id: String,
    /// What was done.
    action: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// What would have been taken out.
    members: Vec<TriedMember>,
}

/// What a rule would have done to a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedMember {
    /// RFC 6901 pointer to it.
    member: String,
    /// `hidden` or `hash`.
    r#as: String,
    /// What would stand in its place.
    becomes: Value,
}

/// Tries a rule on past events, of those that you may see. Nothing is changed; that somebody looked is recorded.
#[utoipa::path(
    post, path = "/v1/redactions/try", tag = "redactions", operation_id = "tryRedaction",
    request_body = Trial,
    responses(
        (status = 200, description = "What the rule would have done", body = Tried),
        (status = 422, description = "Not valid; `errors` names the members", body = Problem)),
)]
pub async fn try_redaction(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.permit(Act::ReadDirectory)?;
    let scope = caller.permit(Act::Read)?;
    let Trial { rule, from, to, limit } = body_json::read(&app, &headers, body).await?;
    let limit = limit.unwrap_or(SHOWN);
    if !(1..=SHOWN_MAX).contains(&limit) {
        let detail = format!("is not from 1 to {SHOWN_MAX}");
        let error = FieldError { pointer: Some("/limit".to_owned()), parameter: None, detail };
        return Err(Problem::invalid(vec![error]));
    }
    let rule = RedactionRule { when: rule.when, members: rule.members, how: rule.how };
    rule.check()?;
    looks::note(&app, &caller, "api", &told(&rule, from, to), Some(request_id.as_str())).await;
    let trying = Trying {
        policy: policy(rule, redaction::door(&app, scope.org()).await?.sent.hash_key.clone()),
        filter: Filter { from, to, ..Filter::default() },
        limit,
    };
    json(&app.reading(move |app, _| trying.run(app, &scope)).await??)
}

/// The trial as the filter of a look.
fn told(rule: &RedactionRule, from: Option<Timestamp>, to: Option<Timestamp>) -> Given {
    let mut given = vec![("redaction".to_owned(), serde_json::to_string(rule).unwrap_or_default())];
    let times = [("from", from), ("to", to)].into_iter();
    given.extend(times.filter_map(|(name, time)| Some((name.to_owned(), time?.to_string()))));
    Given(given)
}

/// The rule alone.
fn policy(rule: RedactionRule, hash_key: HashKey) -> Policy {
    let RedactionRule { when, members, how } = rule;
    let rule = Rule { id: "try".into(), name: "try".into(), when, members, how };
    Policy { rules: vec![rule], headers: false, scrubber: None, hash_key }
}

struct Trying {
    policy: Policy,
    filter: Filter,
    limit: usize,
}

impl Trying {
    fn run(&self, app: &App, scope: &Scope) -> Result<Tried, Problem> {
        let mut tried = Tried::default();
        let mut before = Index(i64::MAX as u64);
        loop {
            let slice = app.store.slice(scope, &self.filter, Cursor::Before(before), SLICE)?;
            for entry in slice.events {
                if tried.looked_at == LOOKED_MAX {
                    return Ok(tried);
                }
                tried.looked_at += 1;
                let Some(event) = self.on(entry)? else { continue };
                tried.matched += 1;
                if tried.events.len() < self.limit {
                    tried.events.push(event);
                }
            }
            match slice.next {
                Some(next) if next.0 > 0 && next < before => before = next,
                _ => {
                    tried.complete = true;
                    return Ok(tried);
                }
            }
        }
    }

    /// What the rule would have done to an event; `None` if nothing.
    fn on(&self, mut entry: Entry) -> Result<Option<TriedEvent>, Problem> {
        if !self.policy.rules.iter().any(|rule| rule.when.covers(&entry.event)) {
            return Ok(None);
        }
        let before = serde_json::to_value(EventView::of(&entry)).map_err(Problem::internal)?;
        entry.event.redactions.clear();
        if !redact::apply(&mut entry.event, &self.policy) {
            return Ok(None);
        }
        let after = serde_json::to_value(EventView::of(&entry)).map_err(Problem::internal)?;
        // What the reader may not see she is not told of in another form either. The line that only counts names no member.
        let shown = entry.event.redactions.iter().filter(|redaction| {
            !redaction.member.is_empty() && before.pointer(&redaction.member).is_none_or(|value| value != MASK)
        });
        let members: Vec<TriedMember> = shown
            .map(|redaction| TriedMember {
                member: redaction.member.to_string(),
                r#as: redaction.how.to_string(),
                becomes: after.pointer(&redaction.member).cloned().unwrap_or_default(),
            })
            .collect();
        Ok((!members.is_empty()).then(|| TriedEvent {
            event_id: entry.event_id.to_string(),
            action: entry.event.action.to_string(),
            occurred_at: entry.event.occurred_at,
            members,
        }))
    }
}
