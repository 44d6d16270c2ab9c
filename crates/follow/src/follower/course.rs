//! Batch after batch: sends, settles what the answers say, waits, and tells the ledger.

use tokio::sync::watch;
use tokio::time::sleep;

use super::{End, Follower, until};
use crate::backoff;
use crate::batch::{Batch, Settling, Step};
use crate::control::Orders;
use crate::ledger::{Progress, Run, Said, Went};
use crate::tally::{Tally, Told};
use crate::verdict::Verdict;

/// A course that is being sent.
pub(super) struct Course<'f> {
    follower: &'f Follower,
    run: Run,
    /// The first index that the ledger does not know to be seen to.
    at: u64,
    tally: Tally,
    refused_in_a_row: u32,
    /// Attempts that have failed since something arrived.
    attempts: u32,
}

impl<'f> Course<'f> {
    /// A course from the index `from` on.
    pub(super) fn new(follower: &'f Follower, run: Run, from: u64) -> Course<'f> {
        Course { follower, run, at: from, tally: Tally::default(), refused_in_a_row: 0, attempts: 0 }
    }

    /// Sends a batch until nothing of it is left.
    pub(super) async fn send(&mut self, batch: Batch, orders: &mut watch::Receiver<Orders>) -> Result<(), End> {
        let next = batch.next;
        let mut settling = Settling::new(batch.slots, self.refused_in_a_row);
        let mut said = None;
        loop {
            let told = self.tally.take(settling.take_settled());
            if told.arrived.ends().is_some() {
                self.attempts = 0;
            }
            self.note(told, if settling.is_over() { Some(next) } else { None }, said.clone()).await?;
            let Some(lot) = settling.lot() else { break };
            if !orders.borrow().go() {
                return Err(End::Ordered);
            }
            let answer = self.follower.attempt(&lot).await;
            let answered = Said {
                raw: answer.raw.clone(),
                verdict: word(&answer.verdict).to_owned(),
                at: self.follower.shared.clock.now(),
            };
            match settling.answer(&answer) {
                Step::On => {}
                Step::Gone => return Err(End::Gone(answered)),
                Step::Wait(asked) => {
                    // What has arrived is noted before what has not.
                    let told = self.tally.take(settling.take_settled());
                    self.attempts = if told.arrived.ends().is_some() { 1 } else { self.attempts.saturating_add(1) };
                    self.note(told, None, Some(answered.clone())).await?;
                    self.failed(answered.clone()).await;
                    let wait = backoff::wait(self.attempts, asked, self.follower.chance.as_ref());
                    tokio::select! {
                        () = sleep(wait) => {}
                        _ = until(orders, |orders| !orders.go()) => return Err(End::Ordered),
                    }
                }
            }
            said = Some(answered);
        }
        self.refused_in_a_row = settling.refused_in_a_row();
        Ok(())
    }

    /// Tells the ledger how far it is; `all` is where the whole batch ends, if all of it is settled.
    async fn note(&mut self, told: Told, all: Option<u64>, said: Option<Said>) -> Result<(), End> {
        let next = all.or(told.next).unwrap_or(self.at).max(self.at);
        if next == self.at && told.arrived.ends().is_none() && told.dead.is_empty() {
            return Ok(());
        }
        let shared = &self.follower.shared;
        let arrived = told.arrived.count();
        let newest = shared.log.newest();
        let (run, expected, at) = (self.run, self.at, shared.clock.now());
        let progress = Progress { run, expected, next, arrived: told.arrived, dead: told.dead, said, newest, at };
        let went = self.follower.asking(|| shared.ledger.advance(&shared.route, progress.clone())).await;
        self.at = next;
        if arrived > 0 {
            let mut now = shared.now();
            now.rate.add(at, arrived);
            if self.run == Run::Live {
                now.is_retrying = false;
            }
        }
        match went {
            Went::On => Ok(()),
            Went::Moved => Err(End::Moved),
            Went::Ended => Err(End::NoMore),
        }
    }

    async fn failed(&self, said: Said) {
        let shared = &self.follower.shared;
        if self.run == Run::Live {
            shared.now().is_retrying = true;
        }
        self.follower.asking(|| shared.ledger.fail(&shared.route, self.run, said.clone())).await;
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Retry { .. } => "retry",
        Verdict::Split => "split",
        Verdict::Refused => "refused",
        Verdict::Each(_) => "partly",
        Verdict::Gone => "gone",
    }
}
