//! What goes into [`crate::Store::append`], and what comes back.

use record::parse::Parsed;
use record::redact::same_but_for_redactions;
use record::seal::{Digests, Seed};
use record::{Event, EventId, Index, OrgId, Timestamp};

use sha2::{Digest, Sha256};

use crate::door::Chance;
use crate::entry::{Entry, Request};
use crate::error::StoreError;
use crate::sidecar::IdHash;

/// An event that is ready to be numbered: read, checked, and its units sealed. The costly part of an append, done outside of
/// every lock.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) org: OrgId,
    pub(crate) event: Event,
    pub(crate) occurred_at_given: bool,
    pub(crate) key: Option<Box<str>>,
    pub(crate) seed: Seed,
    pub(crate) digests: Digests,
    pub(crate) id: Option<IdHash>,
    /// Its place in the request's body, which counts the items that are no events, too.
    pub(crate) position: Option<u32>,
    /// For its `event_id`; drawn here, because numbering must not wait for it.
    pub(crate) random: [u8; 8],
}

impl Prepared {
    /// Seals an event's units. `key` is the id of the API key it came with.
    pub fn new(parsed: Parsed, org: OrgId, key: Option<&str>, chance: &dyn Chance) -> Prepared {
        // One call for both: the operating system's generator takes longer to ask than to answer.
        let mut drawn = [0; 24];
        chance.fill(&mut drawn);
        let (mut seed, mut random) = ([0; 16], [0; 8]);
        for (place, byte) in seed.iter_mut().chain(&mut random).zip(drawn) {
            *place = byte;
        }
        let seed = Seed(seed);
        let Parsed { event, occurred_at_given } = parsed;
        Prepared {
            digests: Digests::of(&event, key, &seed),
            id: event.id.as_deref().map(|id| IdHash::of_id(org, id)),
            occurred_at_given,
            key: key.map(Into::into),
            seed,
            position: None,
            random,
            org,
            event,
        }
    }

    /// Says which item of its request's body the event is. Unless said, items are counted as they are appended.
    #[must_use]
    pub fn at(self, position: usize) -> Prepared {
        Prepared { position: u32::try_from(position).ok(), ..self }
    }

    /// The answer where an entry stands already that has this event's id, or that an earlier request made of this event.
    pub(crate) fn answer_again(&self, entry: &Entry) -> Answer {
        let place = Place { event_id: entry.event_id, index: entry.index };
        if self.tells_the_same_as(&entry.event) { Answer::Duplicate(place) } else { Answer::Conflict(place) }
    }

    /// Whether an entry tells the same as this event. A time that the sender did not give cannot differ, and what was redacted
    /// of either, under rules that changed in between, is not compared.
    fn tells_the_same_as(&self, other: &Event) -> bool {
        if self.occurred_at_given {
            return same_but_for_redactions(&self.event, other);
        }
        let mut mine = self.event.clone();
        mine.occurred_at = other.occurred_at;
        same_but_for_redactions(&mine, other)
    }
}

/// A request's `Idempotency-Key`, hashed with its sender, and the hash of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idempotency {
    /// Hash of key and sender.
    pub key: [u8; 16],
    /// Hash of the body.
    pub body: [u8; 16],
}

impl Idempotency {
    /// What is kept with one item of the request, so that a repetition finds it, and nothing but it.
    pub(crate) fn item(&self, position: u32) -> Request {
        let hash: [u8; 32] = Sha256::new_with_prefix(self.key).chain_update(position.to_le_bytes()).finalize().into();
        let mut item = [0; 16];
        item.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
        Request { item, body: self.body }
    }
}

/// What became of one event. It is durable when this is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Recorded now.
    Recorded(Place),
    /// Recorded before: the same id and the same content.
    Duplicate(Place),
    /// Not recorded: this id is another event's.
    Conflict(Place),
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Acta's name for it.
    pub event_id: EventId,
    /// Its index.
    pub index: Index,
}

impl Place {
    /// When it was recorded.
    pub fn recorded_at(&self) -> Timestamp {
        self.event_id.recorded_at()
    }
}

/// Why a whole request was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The store cannot.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The idempotency key came before, with another body.
    #[error("this Idempotency-Key was used before with another body")]
    KeyReused,
}
