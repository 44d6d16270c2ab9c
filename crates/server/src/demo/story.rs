//! Ninety days in the life of a small company, as its systems would have reported them.
//!
//! Pure: everything comes out of a seed, a number of events and the present time, and the same three tell the same story on
//! every machine. Some threads are told once and whole, however short the story is: people join and leave, the house is
//! kept, and one night somebody breaks in. The rest is ordinary work, as much as it takes to reach the number.
//!
//! Knows nothing of the log that it ends up in. Holds a day at a time.

mod apps;
mod automation;
mod building;
mod calendar;
mod dice;
mod draft;
mod incident;
mod joiners;
pub(crate) mod people;
mod shift;
mod upkeep;
mod working_day;

use std::ops::Range;

use fastrand::Rng;
use record::Timestamp;
use serde_json::Value;

use calendar::{Calendar, Worker};
use draft::Draft;
use people::{Company, PEOPLE};

/// The fewest events that a story is told in.
pub(crate) const EVENTS_MIN: usize = 500;

/// A story, not yet told.
#[derive(Debug)]
pub(crate) struct Story {
    /// Who it is about.
    pub(crate) company: Company,
    seed: u64,
    events: usize,
    now: i64,
}

impl Story {
    /// The story of the ninety days up to `now`, in exactly so many events; fewer than [`EVENTS_MIN`] count as that many.
    pub(crate) fn new(seed: u64, events: usize, now: Timestamp) -> Story {
        Story { company: Company::new(), seed, events: events.max(EVENTS_MIN), now: now.as_millis() }
    }

    /// The events, each as a sender would post it, in the order in which they happened.
    pub(crate) fn events(self) -> impl Iterator<Item = Value> {
        Telling::new(self.seed, self.events, self.now)
    }
}

/// The story while it is told, a chunk of at most a day at a time.
#[derive(Debug)]
struct Telling {
    rng: Rng,
    calendar: Calendar,
    /// The chunks still to tell, the last one first, each with how much ordinary work goes into it.
    chunks: Vec<(Range<i64>, usize)>,
    /// What is written but happens later than the chunk at hand: the latest first.
    later: Vec<Draft>,
    /// The chunk at hand: the latest first.
    ready: Vec<Draft>,
    /// How long an ordinary stretch of work is, in events.
    stretch: usize,
    ids: Ids,
}

impl Telling {
    fn new(seed: u64, events: usize, now: i64) -> Telling {
        let mut rng = Rng::with_seed(seed);
        let ids = Ids(rng.u64(..));
        let mut threads = rng.fork();
        let calendar = Calendar::new(&mut threads, now);
        let mut later = Vec::new();
        upkeep::write(&mut threads, now, &mut later);
        joiners::write(&mut threads, now, &mut later);
        incident::write(&mut threads, now, &mut later);
        latest_first(&mut later);

        let ordinary = events.saturating_sub(later.len());
        let mut chunks = share(&calendar, ordinary);
        chunks.reverse();
        Telling { rng, calendar, chunks, later, ready: Vec::new(), stretch: stretch(ordinary), ids }
    }

    /// Writes the next chunk; false when there is none.
    fn tell(&mut self) -> bool {
        let Some((chunk, count)) = self.chunks.pop() else { return false };
        let cells = self.calendar.cells(&chunk);
        let end = self.later.len() + count;
        while self.later.len() < end {
            let Some(cell) = calendar::choose(&mut self.rng, &cells) else { break };
            let left = end - self.later.len();
            match cell.worker {
                Worker::Person(person) => {
                    working_day::write(&mut self.rng, person, cell, self.stretch, left, &mut self.later)
                }
                Worker::Scheduler => automation::run_workflows(&mut self.rng, cell, self.stretch, left, &mut self.later),
                Worker::Scenarios => automation::run_scenarios(&mut self.rng, cell, self.stretch, left, &mut self.later),
            }
        }
        latest_first(&mut self.later);
        let first_now = self.later.partition_point(|draft| draft.at() >= chunk.end);
        self.ready = self.later.split_off(first_now);
        true
    }
}

impl Iterator for Telling {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(draft) = self.ready.pop() {
                return Some(draft.into_value(self.ids.next()));
            }
            if !self.tell() {
                return None;
            }
        }
    }
}

fn latest_first(drafts: &mut [Draft]) {
    drafts.sort_by_key(|draft| std::cmp::Reverse(draft.at()));
}

/// Shares so many events out among the chunks, by how much goes on in each.
fn share(calendar: &Calendar, events: usize) -> Vec<(Range<i64>, usize)> {
    let weighed: Vec<_> =
        calendar.chunks().into_iter().map(|chunk| (calendar::weight(&calendar.cells(&chunk)), chunk)).collect();
    let all: u128 = weighed.iter().map(|(weight, _)| u128::from(*weight)).sum::<u128>().max(1);
    let mut so_far = 0_u128;
    let mut given = 0;
    let mut shared = Vec::new();
    for (weight, chunk) in weighed {
        so_far += u128::from(weight);
        // By the running total, so that nothing is lost to rounding.
        let due = usize::try_from(events as u128 * so_far / all).unwrap_or(events);
        shared.push((chunk, due - given));
        given = due;
    }
    shared
}

/// People sit down about twice a day; the more there is to tell, the longer they stay.
fn stretch(events: usize) -> usize {
    let sittings = PEOPLE.len() * 2 * 62;
    (events / sittings).clamp(6, 240)
}

/// Ids as a sender makes them up: they look drawn, and never repeat, because each step of the mixture can be undone.
#[derive(Debug)]
struct Ids(u64);

impl Ids {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
