//! What is sent at once, and what is left of it after each answer. Pure: no waiting, no sending.

use std::sync::Arc;
use std::time::Duration;

use crate::message::Message;
use crate::verdict::{Answer, Fate, Verdict};

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) message: Message,
    /// Whether it is the last message of its event.
    pub(crate) is_last: bool,
    /// What became of it, once that is known. What cannot be sent at all has a fate from the beginning.
    pub(crate) fate: Option<Fate>,
    /// How often it has been sent.
    pub(crate) attempts: u32,
    /// What the receiver said when its fate was settled.
    pub(crate) answer: Arc<str>,
}

impl Slot {
    pub(crate) fn new(message: Message, is_last: bool, fate: Option<Fate>) -> Slot {
        Slot { message, is_last, fate, attempts: 0, answer: "".into() }
    }
}

/// Messages in order, and how far they reach.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) slots: Vec<Slot>,
    /// Every event before this index is in this batch or in one before it, or was passed over.
    pub(crate) next: u64,
}

/// What to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send what is left.
    On,
    /// Wait, as long as the receiver asks if it does, and send what is left.
    Wait(Option<Duration>),
    /// Send nothing until somebody says so.
    Gone,
}

/// A batch that is being sent.
#[derive(Debug)]
pub(crate) struct Settling {
    slots: Vec<Slot>,
    /// What is to be sent: the places of the messages of each lot, the next lot last.
    lots: Vec<Vec<usize>>,
    /// How many slots have been given out by [`Settling::take_settled`].
    taken: usize,
    /// Messages that were refused one after another, with none delivered in between.
    refused_in_a_row: u32,
}

/// After so many refusals in a row it is not the events that are wrong, but the destination: it counts as failing then, and
/// every further refusal is followed by a wait, so that people have the time to mend it before thousands of events are dead letters.
const REFUSED_IN_A_ROW: u32 = 100;

impl Settling {
    pub(crate) fn new(slots: Vec<Slot>, refused_in_a_row: u32) -> Settling {
        let lot: Vec<usize> =
            (0..slots.len()).filter(|&place| slots.get(place).is_some_and(|slot| slot.fate.is_none())).collect();
        let lots = if lot.is_empty() { Vec::new() } else { vec![lot] };
        Settling { slots, lots, taken: 0, refused_in_a_row }
    }

    pub(crate) fn refused_in_a_row(&self) -> u32 {
        self.refused_in_a_row
    }

    /// What is to be sent next; `None` if every fate is settled.
    pub(crate) fn lot(&self) -> Option<Vec<Message>> {
        let lot = self.lots.last()?;
        Some(lot.iter().filter_map(|&place| self.slots.get(place)).map(|slot| slot.message.clone()).collect())
    }

    /// Takes the answer to the lot that was sent.
    pub(crate) fn answer(&mut self, answer: &Answer) -> Step {
        let Some(lot) = self.lots.pop() else { return Step::On };
        let said: Arc<str> = answer.raw.as_str().into();
        for &place in &lot {
            if let Some(slot) = self.slots.get_mut(place) {
                slot.attempts = slot.attempts.saturating_add(1);
                slot.answer = Arc::clone(&said);
            }
        }
        match &answer.verdict {
            Verdict::Delivered => {
                self.settle(&lot, &Fate::Delivered);
                Step::On
            }
            Verdict::Retry { after } => {
                self.lots.push(lot);
                Step::Wait(*after)
            }
            Verdict::Gone => {
                self.lots.push(lot);
                Step::Gone
            }
            Verdict::Split => self.halve(lot, "it is too large for the receiver"),
            Verdict::Refused => self.halve(lot, "the receiver refused it"),
            Verdict::Each(fates) if fates.len() == lot.len() => {
                let (again, settled): (Vec<_>, Vec<_>) =
                    lot.into_iter().zip(fates).partition(|(_, fate)| **fate == Fate::Retry);
                for (place, fate) in settled {
                    self.settle(&[place], fate);
                }
                if again.is_empty() {
                    return if self.is_refusing() { Step::Wait(None) } else { Step::On };
                }
                self.lots.push(again.into_iter().map(|(place, _)| place).collect());
                Step::Wait(None)
            }
            Verdict::Each(_) => {
                // It speaks of other messages than were sent: nothing is known of these.
                self.lots.push(lot);
                Step::Wait(None)
            }
        }
    }

    /// Half of it is sent next, the other half after that; one alone is dead.
    fn halve(&mut self, mut lot: Vec<usize>, why: &str) -> Step {
        if lot.len() > 1 {
            self.lots.push(lot.split_off(lot.len() / 2));
            self.lots.push(lot);
            return Step::On;
        }
        self.settle(&lot, &Fate::Poison(why.to_owned()));
        if self.is_refusing() { Step::Wait(None) } else { Step::On }
    }

    /// Whether the receiver refuses whatever it gets.
    fn is_refusing(&self) -> bool {
        self.refused_in_a_row > REFUSED_IN_A_ROW
    }

    fn settle(&mut self, lot: &[usize], fate: &Fate) {
        for &place in lot {
            self.refused_in_a_row = match fate {
                Fate::Poison(_) => self.refused_in_a_row.saturating_add(1),
                _ => 0,
            };
            if let Some(slot) = self.slots.get_mut(place) {
                slot.fate = Some(fate.clone());
            }
        }
    }

    /// The messages, in order, up to the first whose fate is not settled; each once.
    pub(crate) fn take_settled(&mut self) -> &[Slot] {
        let from = self.taken;
        let rest = self.slots.get(from..).unwrap_or_default();
        self.taken += rest.iter().take_while(|slot| slot.fate.is_some()).count();
        self.slots.get(from..self.taken).unwrap_or_default()
    }

    /// Whether all have been taken.
    pub(crate) fn is_over(&self) -> bool {
        self.taken == self.slots.len()
    }
}
