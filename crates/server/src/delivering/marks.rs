//! Where an event has arrived, for its page and its JSON: "Splunk 14:02:11".

use std::sync::Arc;

use follow::Wanted;
use follow::ledger::{Receipt, ReceiptKind};
use record::Timestamp;
use serde::Serialize;
use store::Entry;
use utoipa::ToSchema;

use super::{STDOUT, source};
use crate::app::{App, blocking};
use crate::problem::Problem;

/// That an event arrived somewhere, or is still to arrive.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Delivery {
    /// The destination's id.
    pub destination: String,
    /// What it is called.
    pub name: String,
    /// `delivered`, `pending`, or `paused` if the destination is.
    pub state: &'static str,
    /// When it arrived: to the second, of those older than a day to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// `live`, in its turn, or `replay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// What the receiver answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// Where an event has arrived, and where it is still to arrive. A destination that does not get it is not in the list.
pub async fn deliveries(app: &Arc<App>, entry: &Entry) -> Result<Vec<Delivery>, Problem> {
    let ledger = app.delivering.ledger();
    let receipts = ledger.receipts(entry.org, entry.index).await?;
    let (shared, org) = (app.clone(), entry.org);
    let destinations = blocking(move || shared.directory.destinations(org)).await??;
    let mut all = Vec::new();
    for receipt in receipts {
        let id = receipt.destination.as_str();
        let name = destinations.iter().find(|it| it.id.as_str() == id).map_or(id, |it| it.name.as_str());
        all.push(delivered(&receipt, name.to_owned()));
    }
    for destination in destinations {
        let id = destination.id.as_str();
        if all.iter().any(|it| it.destination == id) || entry.index.0 < destination.begins_at {
            continue;
        }
        let gets = source::scope(org, destination.team.clone()).ok().and_then(|scope| scope.shown(entry.event.clone()));
        let wanted: Wanted = serde_json::from_value(destination.wanted.clone()).unwrap_or_default();
        let standing = ledger.standing(&super::route(&destination.id, org)).await?;
        let is_past = standing.and_then(|it| it.cursor).is_some_and(|cursor| cursor >= entry.index);
        if gets.is_some_and(|event| wanted.matches(&event)) && !is_past {
            let state = if destination.paused_at.is_some() { "paused" } else { "pending" };
            all.push(Delivery {
                destination: id.to_owned(),
                name: destination.name,
                state,
                at: None,
                by: None,
                answer: None,
            });
        }
    }
    Ok(all)
}

fn delivered(receipt: &Receipt, name: String) -> Delivery {
    let by = match receipt.kind {
        ReceiptKind::Live => "live",
        ReceiptKind::Replay => "replay",
    };
    // What is written to the process's own output answers nothing.
    let answer = Some(receipt.answer.clone()).filter(|_| receipt.destination.as_str() != STDOUT);
    let destination = receipt.destination.to_string();
    Delivery { destination, name, state: "delivered", at: Some(receipt.at), by: Some(by), answer }
}
