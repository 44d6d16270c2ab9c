//! `POST /v1/authorize`: may she do this with that, and why. One question, or up to a thousand.

use std::sync::Arc;

use access::{Act, Permission};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use policy::{Beneficiary, Circumstances, Decision, Model, Named, Place, Principal, Reason, Request, Review};
use record::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::json;
use super::naming::{Subject, Thing, at_fault};
use crate::app::{App, blocking};
use crate::authority::{model, permit_key, person};
use crate::body_json::{self, Parsed};
use crate::permit::Caller;
use crate::problem::Problem;

/// Questions at once, at most.
const REQUESTS_MAX: usize = 1_000;

/// A question, or several.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeBody {
    /// Who: a user or a service account.
    principal: Option<Subject>,
    /// What: `app:run`, `resource:query`, …
    #[schema(value_type = Option<String>)]
    permission: Option<Parsed<Permission>>,
    /// With what.
    object: Option<Thing>,
    /// What is said with it.
    context: Option<ContextBody>,
    /// Several questions in place of one: at most 1,000.
    requests: Option<Vec<Question>>,
}

/// One question of several.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Who: a user or a service account.
    principal: Subject,
    /// What: `app:run`, `resource:query`, …
    #[schema(value_type = String)]
    permission: Parsed<Permission>,
    /// With what.
    object: Thing,
    /// What is said with it.
    context: Option<ContextBody>,
}

/// What is said with a question. Whether an app is released and who is active is not: that is in the directory.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextBody {
    /// Whether she showed a second factor in this session. Left out: as it is in the caller's session, of whoever asks about
    /// herself; of others, she would if she has set one up.
    second_factor: Option<bool>,
    /// The id of the app that a query of a resource comes from.
    via_app: Option<String>,
    /// The id of the user who approves, too.
    second_approver: Option<String>,
    /// To whom she wants to grant something.
    beneficiary: Option<Subject>,
    /// The access that is reviewed.
    review: Option<ReviewBody>,
}

/// Access that is reviewed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewBody {
    /// The id of the user whose access it is.
    subject: Option<String>,
    /// The id of the user who granted it.
    grantor: Option<String>,
}

/// The answer to one question.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionView {
    /// Whether she may.
    allowed: bool,
    /// Everything that permits it; or every guardrail that forbids it, and whether anything would permit it.
    reasons: Vec<ReasonView>,
}

/// The answers to several questions, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionsView {
    /// One for each question.
    decisions: Vec<DecisionView>,
}

/// One reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonView {
    /// `grant`, `role`, `guardrail` or `nothing`.
    kind: &'static str,
    /// The grant's id, the assignment's, the guardrail's; of a standing in the organization, none.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The grant's level; of `nothing`, the level that a grant would need.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<String>,
    /// The role's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// From what was granted down to the object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    object_path: Vec<NamedView>,
    /// The groups through which she has it, the one that was given it first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    group_path: Vec<NamedView>,
    /// The team in which the role acts; left out: the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<NamedView>,
    /// A sentence for people.
    text: String,
}

/// Something by its id and name.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedView {
    /// What it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its id; left out for everything of a kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    /// Its name.
    name: String,
}

impl NamedView {
    fn of(named: &Named) -> NamedView {
        NamedView { kind: named.kind, id: named.id.to_string(), name: named.name.to_string() }
    }
}

impl ReasonView {
    /// A reason, with the sentence that tells it.
    pub fn of(reason: &Reason) -> ReasonView {
        let view = ReasonView {
            kind: "nothing",
            id: None,
            level: None,
            role: None,
            object_path: Vec::new(),
            group_path: Vec::new(),
            team: None,
            text: reason.to_string(),
        };
        let path = |path: &[Named]| path.iter().map(NamedView::of).collect();
        match reason {
            Reason::Grant { grant, level, object, groups } => ReasonView {
                kind: "grant",
                id: Some(grant.to_string()),
                level: Some(level.to_string()),
                object_path: path(object),
                group_path: path(groups),
                ..view
            },
            Reason::Role { assignment, role, groups, place } => ReasonView {
                kind: "role",
                id: assignment.as_ref().map(ToString::to_string),
                role: Some(role.to_string()),
                group_path: path(groups),
                team: match place {
                    Place::Organization => None,
                    Place::Team(team) => Some(NamedView::of(team)),
                },
                ..view
            },
            Reason::Guardrail { id, .. } => ReasonView { kind: "guardrail", id: Some(id.to_string()), ..view },
            Reason::Nothing { level, .. } => ReasonView { level: level.map(|level| level.to_string()), ..view },
        }
    }
}

impl DecisionView {
    fn of(decision: &Decision) -> DecisionView {
        DecisionView { allowed: decision.allowed, reasons: decision.why.iter().map(ReasonView::of).collect() }
    }
}

impl ContextBody {
    fn read(self, at: &str) -> Result<Circumstances, Problem> {
        let beneficiary = self.beneficiary.map(|subject| subject.named(&format!("{at}/context/beneficiary"))).transpose()?;
        Ok(Circumstances {
            second_factor: self.second_factor,
            via_app: self.via_app.map(Into::into),
            second_approver: self.second_approver.map(Into::into),
            beneficiary: beneficiary.map(|(kind, id)| match kind {
                access::SubjectKind::User => Beneficiary::User(id.into()),
                access::SubjectKind::ServiceAccount => Beneficiary::ServiceAccount(id.into()),
                access::SubjectKind::Group => Beneficiary::Group(id.into()),
            }),
            review: self
                .review
                .map(|review| Review { subject: review.subject.map(Into::into), grantor: review.grantor.map(Into::into) }),
        })
    }
}

impl Question {
    fn read(self, at: &str) -> Result<Request, Problem> {
        let permission = self.permission.0;
        let object = self.object.object(&format!("{at}/object"))?;
        if !object.takes(permission) {
            let detail = format!("is not an object of {permission}, which is about the {}", permission.object_kind());
            return Err(at_fault(&format!("{at}/object"), &detail));
        }
        let principal = self.principal.principal(&format!("{at}/principal"))?;
        let circumstances = self.context.unwrap_or_default().read(at)?;
        Ok(Request { principal, permission, object, circumstances })
    }
}

/// Decides: for whoever may read the directory, and for a person about herself. Decisions are not events of the log: an
/// audited platform asks for one with each click.
#[utoipa::path(post, path = "/v1/authorize", tag = "decisions", operation_id = "authorize", request_body = AuthorizeBody,
    responses((status = 200, description = "The decision; for several, `decisions` in their order", body = DecisionView)))]
pub async fn authorize(
    State(state): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    permit_key(&caller, Act::ReadDirectory)?;
    let body: AuthorizeBody = body_json::read(&state, &headers, body).await?;
    let (mut requests, single) = body.read()?;
    permit_asking(&caller, requests.iter().map(|request| &request.principal))?;
    about_herself(&caller, &mut requests);
    let (model, now) = (model(&state, caller.subject().org()).await?, state.now());
    let decisions =
        if single { decide(&model, &requests, now) } else { blocking(move || decide(&model, &requests, now)).await? };
    match (single, decisions) {
        (true, mut decisions) => json(&decisions.pop()),
        (false, decisions) => json(&DecisionsView { decisions }),
    }
}

impl AuthorizeBody {
    /// The questions, and whether it is one that stands alone.
    fn read(self) -> Result<(Vec<Request>, bool), Problem> {
        match (self.principal, self.permission, self.object, self.requests) {
            (Some(principal), Some(permission), Some(object), None) => {
                Ok((vec![Question { principal, permission, object, context: self.context }.read("")?], true))
            }
            (None, None, None, Some(requests)) if self.context.is_none() => {
                if requests.len() > REQUESTS_MAX {
                    return Err(at_fault("/requests", &format!("holds more than {REQUESTS_MAX} questions")));
                }
                let numbered = requests.into_iter().enumerate();
                let requests = numbered.map(|(at, question)| question.read(&format!("/requests/{at}")));
                Ok((requests.collect::<Result<_, _>>()?, false))
            }
            _ => Err(at_fault("", "The body has principal, permission and object, or else requests")),
        }
    }
}

/// Who asks about herself and does not say whether she showed a second factor is answered as her session stands.
fn about_herself(caller: &Caller, requests: &mut [Request]) {
    let Some(me) = person(caller) else { return };
    for said in requests.iter_mut().filter(|request| request.principal == me).map(|request| &mut request.circumstances) {
        said.second_factor = said.second_factor.or(caller.second_factor());
    }
}

fn decide(model: &Model, requests: &[Request], now: Timestamp) -> Vec<DecisionView> {
    requests.iter().map(|request| DecisionView::of(&model.decide(request, now))).collect()
}

/// Whoever may read the directory may ask about everybody, a person about herself.
pub fn permit_asking<'a>(caller: &Caller, mut about: impl Iterator<Item = &'a Principal>) -> Result<(), Problem> {
    let me = person(caller);
    match caller.permit(Act::ReadDirectory) {
        Err(denied) if me.is_none() || about.any(|one| Some(one) != me.as_ref()) => Err(denied),
        _ => Ok(()),
    }
}
