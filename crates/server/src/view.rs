//! An event as the API shows it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use record::catalog::{ActionKind, Severity};
use record::{Catalogs, Change, EventId, Index, Json, Outcome, Redaction, Target, TeamId, Timestamp};
use serde::Serialize;
use store::Entry;
use utoipa::ToSchema;

use crate::delivering::marks::Delivery;

/// One event of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView<'a> {
    /// Acta's name for the event.
    #[schema(value_type = String, format = "uuid")]
    event_id: EventId,
    /// Its place in the organization's log.
    #[schema(value_type = u64)]
    index: Index,
    /// What was done.
    action: &'a str,
    /// What was done, in words; the identifier where no catalog knows it.
    title: &'a str,
    /// The catalog that knows the action; absent where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<&'a str>,
    /// The heading it stands under.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
    /// What sort of act it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    kind: Option<ActionKind>,
    /// How much attention it deserves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    severity: Option<Severity>,
    /// When it happened, as the sender says.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// The sender's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// The team it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team: Option<&'a TeamId>,
    /// Who did it.
    #[schema(value_type = Object)]
    actor: &'a record::Actor,
    /// What it was done to.
    #[schema(value_type = Vec<Object>)]
    targets: &'a [Target],
    /// From where.
    #[serde(skip_serializing_if = "record::Context::is_empty")]
    #[schema(value_type = Object)]
    context: &'a record::Context,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time_ms: Option<u64>,
    /// What was changed.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<Object>)]
    changes: &'a [Change],
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<&'a Json>,
    /// What was taken out of it before it was recorded, by what, and what stands in its place.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<Object>)]
    redactions: &'a [Redaction],
    /// The API key it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

impl<'a> EventView<'a> {
    /// Shows an entry.
    pub fn of(entry: &'a Entry) -> EventView<'a> {
        let event = &entry.event;
        let action = event.action.as_str();
        let known = Catalogs::built_in().get(action);
        EventView {
            event_id: entry.event_id,
            index: entry.index,
            action,
            title: Catalogs::built_in().title(action),
            catalog: known.map(|(catalog, _)| catalog.name.as_str()),
            category: known.map(|(_, it)| it.category.as_str()),
            kind: known.map(|(_, it)| it.kind),
            severity: known.map(|(_, it)| it.severity),
            occurred_at: event.occurred_at,
            recorded_at: entry.recorded_at(),
            id: event.id.as_deref(),
            team: event.team.as_ref(),
            actor: &event.actor,
            targets: &event.targets,
            context: &event.context,
            outcome: event.outcome,
            response_time_ms: event.response_time_ms,
            changes: &event.changes,
            metadata: event.metadata.as_ref(),
            redactions: &event.redactions,
            key: entry.key(),
        }
    }
}

/// One event with its record and its standing in the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeEvent<'a> {
    #[serde(flatten)]
    event: EventView<'a>,
    /// The bytes that are hashed into the organization's tree.
    record: String,
    /// The record's leaf hash, SHA-256(0x00 || record), in base64.
    leaf_hash: String,
    /// Its standing.
    standing: Standing,
    /// Where it has arrived, or is still to arrive; for whoever may read the directory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<Delivery>,
}

/// Where an event stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Standing {
    /// `in_tree`: durable and hashed into the organization's tree. An event that is not yet is not shown.
    state: &'static str,
    /// Units whose values were erased.
    erased: Vec<String>,
}

impl<'a> WholeEvent<'a> {
    /// Shows an entry, whole, with where it has arrived.
    pub fn of(entry: &'a Entry, deliveries: Vec<Delivery>) -> WholeEvent<'a> {
        let record = entry.record();
        WholeEvent {
            event: EventView::of(entry),
            leaf_hash: STANDARD.encode(record::merkle::leaf_hash(record.as_bytes())),
            record,
            standing: Standing { state: "in_tree", erased: Vec::new() },
            deliveries,
        }
    }
}
