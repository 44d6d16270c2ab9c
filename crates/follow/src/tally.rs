//! From messages whose fate is known to events: what has arrived, what is dead, and how far the cursor may go.

use crate::batch::Slot;
use crate::ledger::NewDeadLetter;
use crate::runs::Runs;
use crate::verdict::Fate;

/// More of a message is not kept with a dead letter.
const EXCERPT_BYTES_MAX: usize = 2_048;

/// What is known of the event whose messages are being settled; it may be spread over several batches.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Dead messages of the event that is not over.
    dead_parts: Vec<NewDeadLetter>,
}

/// Events that are over.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) arrived: Runs,
    pub(crate) dead: Vec<NewDeadLetter>,
    /// The index after the last of them.
    pub(crate) next: Option<u64>,
}

impl Tally {
    /// Takes the next messages, in order.
    pub(crate) fn take(&mut self, slots: &[Slot]) -> Told {
        let mut told = Told::default();
        for slot in slots {
            let index = slot.message.recorded.index.0;
            if let Some(Fate::Poison(reason)) = &slot.fate {
                self.dead_parts.push(dead(slot, reason));
            }
            if slot.is_last {
                // An event has arrived when all of its messages have.
                if self.dead_parts.is_empty() {
                    told.arrived.push(index);
                }
                told.dead.append(&mut self.dead_parts);
                told.next = Some(index.saturating_add(1));
            }
        }
        told
    }
}

fn dead(slot: &Slot, reason: &str) -> NewDeadLetter {
    let body = &slot.message.body;
    let excerpt = String::from_utf8_lossy(body.get(..EXCERPT_BYTES_MAX).unwrap_or(body)).into_owned();
    NewDeadLetter {
        index: slot.message.recorded.index.0,
        event_id: slot.message.recorded.event_id,
        part: slot.message.part,
        reason: reason.to_owned(),
        answer: slot.answer.as_ref().to_owned(),
        attempts: slot.attempts,
        excerpt,
    }
}
