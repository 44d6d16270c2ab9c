//! `POST /v1/events`: one event, an array, or NDJSON.

use std::sync::Arc;

use access::{Act, Scope};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use record::parse::{self, Fault, Refused};
use record::{EventId, Index, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use store::{Answer, Idempotency, Place, Prepared};
use utoipa::ToSchema;

use super::json;
use crate::app::{App, blocking};
use crate::metrics::Received;
use crate::permit::Caller;
use crate::problem::{FieldError, Problem};
use crate::redaction::{self, Door};
use crate::{body, record_own};

/// What became of one recorded event.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recorded {
    /// Acta's name for the event.
    #[schema(value_type = String, format = "uuid")]
    event_id: EventId,
    /// Its place in the organization's log.
    #[schema(value_type = u64)]
    index: Index,
    /// When it was recorded. It is durable.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// Whether it had been recorded before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

/// What became of several events.
#[derive(Debug, Serialize, ToSchema)]
pub struct Batch {
    /// How many are recorded, now or before.
    accepted: usize,
    /// How many are not.
    rejected: usize,
    /// One for each event, in order.
    results: Vec<BatchItem>,
}

/// What became of one event among several.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchItem {
    /// It is recorded.
    Recorded(Recorded),
    /// It is not, and why.
    Rejected(Box<Problem>),
}

/// Bodies above this are read on a thread of their own, so that they hold nobody up.
const LARGE_BODY_BYTES: usize = 64 * 1024;

/// Records events.
///
/// The answer comes after the events are on stable storage. One object is answered with 201 (200 if it had been recorded
/// before); an array or NDJSON with 200 and a result for each: valid events are recorded even where others are not.
#[utoipa::path(
    post, path = "/v1/events", tag = "events", operation_id = "recordEvents",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry of the whole request safe for 24 hours.")),
    request_body(description = "One event, an array of events, or NDJSON. gzip and zstd are understood.", content(
        (crate::api::openapi::NewEvent = "application/json"), (String = "application/x-ndjson"))),
    responses(
        (status = 201, description = "Recorded", body = Recorded),
        (status = 200, description = "A repeat of one event; or the results of several", body = Batch),
        (status = 409, description = "The id is another event's", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 422, description = "Not valid; `errors` names the members", body = Problem),
        (status = 503, description = "Cannot record now; nothing was recorded", body = Problem)),
)]
pub async fn create_events(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let scope = caller.permit(Act::Record)?;
    let form = Form::of(&headers)?;
    let idempotency_key = idempotency_key(&headers)?;
    let body = body::read(&app, &headers, body, app.config.batch_bytes_max).await?;
    let door = redaction::door(&app, scope.org()).await?;
    let idempotency = idempotency_key.map(|key| idempotency(&caller, &key, &body, &door));
    let work = Work { app: app.clone(), caller, scope: scope.clone(), door };
    let request = if body.len() > LARGE_BODY_BYTES {
        blocking(move || work.prepare(form, &body)).await??
    } else {
        work.prepare(form, &body)?
    };
    match request {
        Request::One(prepared) => {
            let answers = record_own::append(&app, &scope, vec![*prepared], idempotency).await?;
            let answer = answers.into_iter().next().ok_or_else(|| Problem::internal("the store gave no answer"))?;
            one(&app, &scope, answer)
        }
        Request::Many { events, refused } => {
            let answers = record_own::append(&app, &scope, events, idempotency).await?;
            json(&many(&app, &scope, answers, refused))
        }
    }
}

/// Faults told one by one in the answer to one request.
const FAULTS_TOLD_MAX: usize = 1_000;

/// How the body is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    Lines,
}

impl Form {
    fn of(headers: &HeaderMap) -> Result<Form, Problem> {
        let given = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
        let essence = given.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        match essence.as_deref() {
            Some("application/json") => Ok(Form::Json),
            Some("application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines") => {
                Ok(Form::Lines)
            }
            _ => {
                let given = given.map_or("is missing".to_owned(), |given| format!("is {given:?}"));
                let detail = format!("The Content-Type {given}; send application/json or application/x-ndjson.");
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", "Unknown content type", detail))
            }
        }
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let fault = |detail: &str| Problem::invalid(vec![FieldError::parameter("Idempotency-Key", detail)]);
    let text = value.to_str().map_err(|_| fault("holds characters other than visible ASCII"))?;
    if text.is_empty() || text.len() > 255 {
        return Err(fault("must have 1 to 255 characters"));
    }
    Ok(Some(text.to_owned()))
}

/// Keys of different callers have nothing to do with one another.
fn idempotency(caller: &Caller, key: &str, body: &[u8], door: &Door) -> Idempotency {
    let cut = |hash: [u8; 32]| {
        let mut short = [0; 16];
        short.copy_from_slice(&hash[..16]);
        short
    };
    let caller = caller.actor();
    let key = Sha256::new_with_prefix(caller.id.as_bytes()).chain_update([0]).chain_update(key).finalize();
    Idempotency { key: cut(key.into()), body: door.bodies.digest(body) }
}

enum Request {
    One(Box<Prepared>),
    /// The valid events, and the problems of the others by their place in the body.
    Many {
        events: Vec<Prepared>,
        refused: Vec<(usize, Problem)>,
    },
}

struct Work {
    app: Arc<App>,
    caller: Caller,
    scope: Scope,
    door: Arc<Door>,
}

impl Work {
    /// Reads and seals everything that can be, before anything is numbered.
    fn prepare(&self, form: Form, body: &Bytes) -> Result<Request, Problem> {
        let text = match std::str::from_utf8(body) {
            Ok(text) => text,
            // In NDJSON only the line at fault is lost.
            Err(e) if matches!(form, Form::Json) => {
                let detail = format!("The body is not UTF-8: byte {} is at fault.", e.valid_up_to());
                return Err(Problem::bad_request("not-utf-8", detail));
            }
            Err(_) => return self.many(body.split(|byte| *byte == b'\n').map(std::str::from_utf8)),
        };
        match form {
            Form::Lines => self.many(text.split('\n').map(Ok)),
            Form::Json if text.trim_start().starts_with('[') => {
                let limit = self.app.config.batch_events_max;
                let Items(items) = Items::read(text, limit).map_err(|e| malformed(&e))?;
                self.many(items.into_iter().map(|item| Ok(item.get())))
            }
            Form::Json if text.trim().is_empty() => {
                Err(Problem::bad_request("malformed", "The body is empty; send an event."))
            }
            Form::Json => Ok(Request::One(Box::new(self.event(text)?))),
        }
    }

    fn many<'b>(&self, items: impl Iterator<Item = Result<&'b str, std::str::Utf8Error>>) -> Result<Request, Problem> {
        let (mut events, mut refused) = (Vec::new(), Vec::new());
        let (mut at, mut told) = (0, 0);
        for item in items {
            if item.is_ok_and(|text| text.trim().is_empty()) {
                continue; // An empty line, such as the one after the last.
            }
            if at == self.app.config.batch_events_max {
                let limit = self.app.config.batch_events_max;
                return Err(Problem::too_large(format!("The request holds more than {limit} events. Send fewer at once.")));
            }
            let read = match item {
                Ok(text) => self.event(text),
                Err(_) => Err(Problem::bad_request("not-utf-8", "This line is not UTF-8.")),
            };
            match read {
                Ok(prepared) => events.push(prepared.at(at)),
                Err(mut problem) => {
                    // Of a flood of faults the first are told one by one, the rest in a sentence for each event.
                    told += problem.errors.len();
                    if told > FAULTS_TOLD_MAX {
                        problem.errors.clear();
                    }
                    refused.push((at, problem));
                }
            }
            at += 1;
        }
        Ok(Request::Many { events, refused })
    }

    fn event(&self, text: &str) -> Result<Prepared, Problem> {
        let mut parsed = parse::event(text, &self.app.limits, self.app.now()).map_err(refusal)?;
        let action = parsed.event.action.as_str();
        if action.starts_with("log.") || action == record::text::LOOK {
            let detail = "is one that only Acta itself records".to_owned();
            return Err(Problem::invalid(vec![FieldError { pointer: Some("/action".to_owned()), parameter: None, detail }]));
        }
        if let Some(only) = self.scope.only_team() {
            // A key of one team speaks for that team.
            match &parsed.event.team {
                None => parsed.event.team = Some(only.clone()),
                Some(team) if team == only => {}
                Some(team) => {
                    let detail = format!("is {team}, and this API key is confined to {only}");
                    let error = FieldError { pointer: Some("/team".to_owned()), parameter: None, detail };
                    let problem = Problem::invalid(vec![error]);
                    return Err(problem.with_status(StatusCode::FORBIDDEN, "denied", "Not allowed"));
                }
            }
        }
        Ok(self.door.admit(parsed, self.scope.org(), self.caller.key_id(), &self.app))
    }
}

/// The items of an array, unread; one more than the limit at most, so that what is refused costs nothing.
struct Items<'a>(Vec<&'a RawValue>);

impl<'a> Items<'a> {
    fn read(text: &'a str, limit: usize) -> serde_json::Result<Items<'a>> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let items = serde::Deserializer::deserialize_seq(&mut deserializer, Limit(limit))?;
        if items.0.len() <= limit {
            deserializer.end()?;
        }
        Ok(items)
    }
}

struct Limit(usize);

impl<'de> serde::de::Visitor<'de> for Limit {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Items<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
            if items.len() > self.0 {
                // The rest is passed over without being kept.
                while sequence.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            }
        }
        Ok(Items(items))
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::bad_request("malformed", format!("The body is not well-formed JSON: {error}."))
}

fn refusal(refused: Refused) -> Problem {
    match refused {
        Refused::Malformed(_) => Problem::bad_request("malformed", format!("{}.", capital(&refused.to_string()))),
        Refused::TooLarge { .. } => Problem::too_large(format!("{}.", capital(&refused.to_string()))),
        Refused::Invalid(faults) => Problem::invalid(
            faults
                .into_iter()
                .map(|Fault { pointer, detail }| FieldError { pointer: Some(pointer), parameter: None, detail })
                .collect(),
        ),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn recorded(place: Place, duplicate: bool) -> Recorded {
    Recorded { event_id: place.event_id, index: place.index, recorded_at: place.recorded_at(), duplicate }
}

/// Whoever sees only a part of the log is not told where the other event stands: it may not be hers.
fn conflict(place: Place, scope: &Scope) -> Problem {
    let place = if scope.is_whole() { format!(", as {} at index {}", place.event_id, place.index) } else { String::new() };
    let detail = format!(
        "An event with this id and other content was recorded before{place}. The log does not change what it holds; send new \
         content under a new id."
    );
    let problem = Problem::new(StatusCode::CONFLICT, "conflict", "The id is another event's", detail);
    problem.with_error(FieldError {
        pointer: Some("/id".to_owned()),
        parameter: None,
        detail: "is another event's".to_owned(),
    })
}

fn count(app: &App, result: &'static str) {
    app.metrics.received.get_or_create(&Received { result }).inc();
}

fn one(app: &App, scope: &Scope, answer: Answer) -> Result<Response, Problem> {
    match answer {
        Answer::Recorded(place) => {
            count(app, "recorded");
            Ok((StatusCode::CREATED, json(&recorded(place, false))?).into_response())
        }
        Answer::Duplicate(place) => {
            count(app, "duplicate");
            json(&recorded(place, true))
        }
        Answer::Conflict(place) => {
            count(app, "conflict");
            Err(conflict(place, scope))
        }
    }
}

/// Puts the store's answers and the problems of what never got there into the order of the body.
fn many(app: &App, scope: &Scope, answers: Vec<Answer>, refused: Vec<(usize, Problem)>) -> Batch {
    let total = answers.len() + refused.len();
    let mut answers = answers.into_iter();
    let mut refused = refused.into_iter().peekable();
    let mut batch = Batch { accepted: 0, rejected: 0, results: Vec::with_capacity(total) };
    for at in 0..total {
        let item = match refused.next_if(|(place, _)| *place == at) {
            Some((_, problem)) => {
                count(app, "refused");
                Err(problem)
            }
            None => match answers.next() {
                Some(Answer::Recorded(place)) => {
                    count(app, "recorded");
                    Ok(recorded(place, false))
                }
                Some(Answer::Duplicate(place)) => {
                    count(app, "duplicate");
                    Ok(recorded(place, true))
                }
                Some(Answer::Conflict(place)) => {
                    count(app, "conflict");
                    Err(conflict(place, scope))
                }
                None => Err(Problem::internal("the store gave too few answers")),
            },
        };
        match item {
            Ok(recorded) => {
                batch.accepted += 1;
                batch.results.push(BatchItem::Recorded(recorded));
            }
            Err(problem) => {
                batch.rejected += 1;
                batch.results.push(BatchItem::Rejected(Box::new(problem)));
            }
        }
    }
    batch
}
