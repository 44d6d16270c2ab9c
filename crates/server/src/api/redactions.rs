//! `/v1/redactions`: what is taken out of events before they are recorded.

pub mod create;
pub mod delete;
pub mod list;
pub mod lookup;
pub mod read;
pub mod try_out;
pub mod update;

use directory::{Redaction, RedactionId};
use record::Timestamp;
use record::redact::{How, MemberPath, When};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A redaction rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RedactionView<'a> {
    /// Its id, which the events that it changed name.
    id: &'a str,
    /// What it is called.
    name: &'a str,
    /// Which events it is for; a part that is absent covers all.
    #[schema(value_type = WhenView)]
    when: &'a When,
    /// The members that it takes out: RFC 6901 pointers in which `*` stands for any one member or element.
    #[schema(value_type = Vec<String>, example = json!(["/metadata/params/*", "/context/ip"]))]
    members: &'a [MemberPath],
    /// `hide` leaves `[redacted]`, `hash` a keyed hash that the value can be looked up by.
    #[schema(value_type = String, example = "hide")]
    how: How,
    /// When it was made. Where two rules name the same member, the older says how it is redacted.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Which events a rule is for: those that every part covers. A text covers what is the same, or with a `*` at its end what begins
/// so.
#[derive(Debug, ToSchema)]
#[schema(as = When)]
#[expect(dead_code, reason = "describes what record::redact::When reads")]
pub struct WhenView {
    /// Actions.
    #[schema(example = json!(["QUERY_RUN"]))]
    actions: Option<Vec<String>>,
    /// Id or name of a target of type `app` or `page`.
    app: Option<String>,
    /// Id or name of a target of type `query`.
    query: Option<String>,
    /// Id or name of a target of type `resource`.
    resource: Option<String>,
}

impl<'a> RedactionView<'a> {
    /// Shows a rule.
    pub fn of(redaction: &'a Redaction) -> RedactionView<'a> {
        RedactionView {
            id: redaction.id.as_str(),
            name: &redaction.name,
            when: &redaction.rule.when,
            members: &redaction.rule.members,
            how: redaction.rule.how,
            created_at: redaction.created_at,
            updated_at: redaction.updated_at,
        }
    }
}

/// The id in the path.
fn id(text: &str) -> Result<RedactionId, Problem> {
    RedactionId::parse(text).map_err(|_| Problem::not_found(format!("There is no redaction rule {text} here.")))
}
