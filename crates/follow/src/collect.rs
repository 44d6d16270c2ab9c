//! From the log to batches: reads, hides, encodes, and fills up to the receiver's limits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};

use crate::batch::{Batch, Slot};
use crate::caught::caught_now;
use crate::encode::Encode;
use crate::hide::Hide;
use crate::message::Message;
use crate::recorded::Recorded;
use crate::source::Source;
use crate::transport::Limits;
use crate::verdict::Fate;

/// Events that are read at once.
const READ_MAX: usize = 1_024;
/// Events that are encoded before others have their turn.
const ENCODE_AT_ONCE: usize = 64;
/// How soon the log is read again when it could not be.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a move of the cursor over events that are not wanted waits for company.
const PASSED_OVER: Duration = Duration::from_secs(1);

/// Makes batches.
pub(crate) struct Collector {
    source: Source,
    encoder: Arc<dyn Encode>,
    hide: Hide,
    limits: Limits,
    /// Read, but not encoded.
    read: VecDeque<Arc<Recorded>>,
    /// Encoded, but not in a batch: messages of one event.
    held: VecDeque<Slot>,
    /// Everything before this index has been read.
    read_to: u64,
    /// Everything before this index is in a batch that was given out, or was passed over.
    given: u64,
    encoded: usize,
}

impl Collector {
    /// Makes batches of what the source has from the index `from` on.
    pub(crate) fn new(source: Source, from: u64, encoder: Arc<dyn Encode>, hide: Hide, limits: Limits) -> Collector {
        let limits = Limits { messages: limits.messages.max(1), ..limits };
        let (read, held) = (VecDeque::new(), VecDeque::new());
        Collector { source, encoder, hide, limits, read, held, read_to: from, given: from, encoded: 0 }
    }

    /// The next batch, as soon as it is full, or old enough, or the end of what there is to send. `None` when there is no more.
    pub(crate) async fn next(&mut self) -> Option<Batch> {
        let mut batch = Batch { slots: Vec::new(), next: self.given };
        let (mut messages, mut bytes) = (0, 0);
        let mut deadline = None;
        loop {
            // What is held of one event goes in, as far as it fits.
            if messages > 0 && !self.fits_whole(messages, bytes) && self.would_fit_alone() {
                return Some(self.give(batch));
            }
            while let Some(slot) = self.held.front() {
                if slot.fate.is_none() {
                    let size = self.size(&slot.message.body);
                    if messages > 0 && (messages >= self.limits.messages || bytes + size > self.limits.bytes) {
                        return Some(self.give(batch));
                    }
                    (messages, bytes) = (messages + 1, bytes + size);
                }
                if slot.is_last {
                    batch.next = slot.message.recorded.index.0.saturating_add(1);
                }
                batch.slots.extend(self.held.pop_front());
            }
            if let Some(recorded) = self.read.pop_front() {
                let next = recorded.index.0.saturating_add(1);
                self.encode(recorded);
                if self.held.is_empty() {
                    batch.next = next; // The format leaves it out.
                }
                self.encoded += 1;
                if self.encoded.is_multiple_of(ENCODE_AT_ONCE) {
                    tokio::task::yield_now().await;
                }
                continue;
            }
            batch.next = batch.next.max(self.read_to);
            // Dead letters from the beginning count too, so that memory has a bound.
            if messages >= self.limits.messages || batch.slots.len() >= self.limits.messages.max(READ_MAX) {
                return Some(self.give(batch));
            }
            match self.source.read(self.read_to, READ_MAX).await {
                Ok(Some(read)) => {
                    self.read_to = read.through.map_or(self.read_to, |through| through.0.saturating_add(1));
                    self.read = read.events.into();
                    continue;
                }
                Ok(None) if !self.source.is_live() => {
                    let end = self.source.end().unwrap_or(batch.next).max(batch.next);
                    let is_over = batch.slots.is_empty() && end <= self.given;
                    batch.next = end;
                    return if is_over { None } else { Some(self.give(batch)) };
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "what is to be delivered cannot be read; trying again");
                    if !batch.slots.is_empty() {
                        return Some(self.give(batch));
                    }
                    sleep(AGAIN).await;
                    continue;
                }
            }
            // The end of the log.
            if batch.slots.is_empty() && batch.next == self.given {
                self.source.wait(self.read_to).await;
                continue;
            }
            let age = if batch.slots.is_empty() { PASSED_OVER } else { self.limits.age };
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + age);
            if age.is_zero() || timeout_at(deadline, self.source.wait(self.read_to)).await.is_err() {
                return Some(self.give(batch));
            }
        }
    }

    fn give(&mut self, batch: Batch) -> Batch {
        self.given = batch.next;
        batch
    }

    fn size(&self, body: &Bytes) -> usize {
        body.len().saturating_add(self.limits.overhead)
    }

    fn held_sizes(&self) -> (usize, usize) {
        let sendable = self.held.iter().filter(|slot| slot.fate.is_none());
        sendable.fold((0, 0), |(count, bytes), slot| (count + 1, bytes + self.size(&slot.message.body)))
    }

    /// Whether all that is held of an event has room in the batch.
    fn fits_whole(&self, messages: usize, bytes: usize) -> bool {
        let (more, size) = self.held_sizes();
        messages + more <= self.limits.messages && bytes + size <= self.limits.bytes
    }

    /// Whether it would have room in an empty one. If not, it may as well be cut here.
    fn would_fit_alone(&self) -> bool {
        self.fits_whole(0, 0)
    }

    fn encode(&mut self, recorded: Arc<Recorded>) {
        let recorded = self.hide.apply(recorded);
        let encoded = caught_now(|| self.encoder.encode(&recorded)).and_then(|encoded| encoded);
        let bodies = match encoded {
            Ok(bodies) => bodies,
            Err(reason) => {
                let message = Message { recorded, part: 0, body: Bytes::new() };
                let reason = format!("it cannot be told in this format: {reason}");
                self.held.push_back(Slot::new(message, true, Some(Fate::Poison(reason))));
                return;
            }
        };
        let count = bodies.len();
        for (part, body) in (0_u32..).zip(bodies) {
            let is_last = part as usize + 1 == count;
            let fate = self.too_long(&body).map(Fate::Poison);
            self.held.push_back(Slot::new(Message { recorded: Arc::clone(&recorded), part, body }, is_last, fate));
        }
    }

    fn too_long(&self, body: &Bytes) -> Option<String> {
        let length = body.len();
        let room = self.limits.bytes.saturating_sub(self.limits.overhead).min(self.limits.message_bytes);
        (length > room).then(|| format!("it is {length} bytes long; the receiver takes at most {room}"))
    }
}
