//! When people are at work: time zones, weekdays, lunch, holidays, weeks off, first and last days.
//!
//! The ninety days are cut into chunks, one per UTC day; of each chunk we know how much goes on in it, and who may be at it
//! in which hour.

use std::ops::Range;

use fastrand::Rng;
use record::Timestamp;

use super::dice;
use super::people::{PEOPLE, Person};
use super::{incident, joiners};

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// How many days are told.
pub(super) const DAYS: i64 = 90;

/// How busy each hour of a person's day is, from midnight on.
const HOURS: [u64; 24] = [0, 0, 0, 0, 0, 0, 0, 1, 5, 9, 10, 9, 4, 6, 9, 10, 8, 5, 2, 1, 1, 1, 0, 0];

/// Days of the year (`MM-DD`) on which hardly anyone works.
const HOLIDAYS: [&str; 7] = ["01-01", "01-06", "05-01", "08-15", "12-24", "12-25", "12-26"];

/// How busy the two kinds of machines are in any hour; a person in a full hour counts for about 10,000.
const SCHEDULER_WEIGHT: u64 = 8_500;
const SCENARIOS_WEIGHT: u64 = 2_000;

/// Who keeps a piece of the day busy.
#[derive(Debug, Clone, Copy)]
pub(super) enum Worker {
    Person(&'static Person),
    Scheduler,
    Scenarios,
}

/// One worker in one hour of a chunk.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) worker: Worker,
    /// Where in the hour work may start; never empty.
    pub(super) starts: Range<i64>,
    /// When the worker must be gone.
    pub(super) until: i64,
    weight: u64,
}

/// When a person works at the company at all.
#[derive(Debug)]
struct Presence {
    person: &'static Person,
    spans: Vec<Range<i64>>,
}

/// The ninety days.
#[derive(Debug)]
pub(super) struct Calendar {
    window: Range<i64>,
    presence: Vec<Presence>,
}

impl Calendar {
    /// The days up to `now`, with everybody's weeks off.
    pub(super) fn new(rng: &mut Rng, now: i64) -> Calendar {
        let window = now - DAYS * DAY..now;
        let presence = PEOPLE.iter().map(|person| Presence { person, spans: spans(rng, person, &window) }).collect();
        Calendar { window, presence }
    }

    /// The chunks in order: without gaps, the first and the last cut to the window.
    pub(super) fn chunks(&self) -> Vec<Range<i64>> {
        let mut chunks = Vec::new();
        let mut start = self.window.start;
        while start < self.window.end {
            let end = ((start.div_euclid(DAY) + 1) * DAY).min(self.window.end);
            chunks.push(start..end);
            start = end;
        }
        chunks
    }

    /// Who may be busy when in a chunk. Never empty, because machines never rest.
    pub(super) fn cells(&self, chunk: &Range<i64>) -> Vec<Cell> {
        let mut cells = Vec::new();
        let mut start = chunk.start;
        while start < chunk.end {
            let end = ((start.div_euclid(HOUR) + 1) * HOUR).min(chunk.end);
            for presence in &self.presence {
                let offset = presence.person.utc_offset_minutes * MINUTE;
                let weight = busy(presence.person, start + offset);
                if weight == 0 {
                    continue;
                }
                for span in &presence.spans {
                    let starts = start.max(span.start)..end.min(span.end);
                    if starts.start < starts.end {
                        push(&mut cells, Worker::Person(presence.person), starts, span.end, weight);
                    }
                }
            }
            push(&mut cells, Worker::Scheduler, start..end, self.window.end, SCHEDULER_WEIGHT);
            push(&mut cells, Worker::Scenarios, start..end, self.window.end, SCENARIOS_WEIGHT);
            start = end;
        }
        cells
    }
}

/// How much goes on in all of them.
pub(super) fn weight(cells: &[Cell]) -> u64 {
    cells.iter().map(|cell| cell.weight).sum()
}

/// One of them, by weight; `None` only for none.
pub(super) fn choose<'c>(rng: &mut Rng, cells: &'c [Cell]) -> Option<&'c Cell> {
    let mut left = rng.u64(..weight(cells).max(1));
    for cell in cells {
        if left < cell.weight {
            return Some(cell);
        }
        left -= cell.weight;
    }
    None
}

fn push(cells: &mut Vec<Cell>, worker: Worker, starts: Range<i64>, until: i64, weight: u64) {
    let seconds = u64::try_from((starts.end - starts.start) / SECOND).unwrap_or(0);
    // At least one, so that even a chunk of a few milliseconds has a worker.
    cells.push(Cell { worker, starts, until, weight: (weight * seconds / 3_600).max(1) });
}

/// How busy a person is in the hour that begins at a local time.
fn busy(person: &Person, local: i64) -> u64 {
    let hour = usize::try_from(local.rem_euclid(DAY) / HOUR).unwrap_or(0);
    let profile = HOURS.get(hour).copied().unwrap_or(0);
    let support = person.team == "support";
    let per_cent = match (is_holiday(local), weekday(local)) {
        (true, _) => {
            if support {
                25
            } else {
                4
            }
        }
        (_, 5 | 6) => {
            if support {
                30
            } else {
                3
            }
        }
        // Fridays end early.
        (_, 4) if hour >= 15 => 60,
        (_, 0) => 110,
        _ => 100,
    };
    profile * person.pace * per_cent
}

/// Monday is 0.
fn weekday(local: i64) -> i64 {
    // The epoch was a Thursday.
    (local.div_euclid(DAY) + 3).rem_euclid(7)
}

/// Whether a local time is on a Saturday or Sunday.
pub(super) fn is_weekend(local: i64) -> bool {
    weekday(local) >= 5
}

fn is_holiday(local: i64) -> bool {
    let date = Timestamp::from_millis(local).to_string();
    date.get(5..10).is_some_and(|day| HOLIDAYS.contains(&day))
}

/// Midnight, in the person's zone, that began the local day so many days before today.
pub(super) fn midnight(person: &Person, now: i64, days_ago: i64) -> i64 {
    let offset = person.utc_offset_minutes * MINUTE;
    (now + offset).div_euclid(DAY) * DAY - days_ago * DAY - offset
}

/// Like [`midnight`], of that day or the last one before it that was Monday to Friday.
pub(super) fn workday(person: &Person, now: i64, days_ago: i64) -> i64 {
    let at = midnight(person, now, days_ago);
    match weekday(at + person.utc_offset_minutes * MINUTE) {
        5 => at - DAY,
        6 => at - 2 * DAY,
        _ => at,
    }
}

/// Whether the local day that begins at a midnight is Tuesday, Wednesday or Thursday.
pub(super) fn is_midweek(person: &Person, midnight: i64) -> bool {
    (1..=3).contains(&weekday(midnight + person.utc_offset_minutes * MINUTE))
}

/// When a person is with the company, without the one stretch off that most people take.
fn spans(rng: &mut Rng, person: &'static Person, window: &Range<i64>) -> Vec<Range<i64>> {
    let now = window.end;
    let employed = joiners::employed(person, window);
    // Drawn for everybody, so that one person's rule does not move another's holiday.
    let first_day_ago = rng.i64(18..86);
    let days = rng.i64(5..12);
    let takes_one = dice::chance(rng, 600);
    if let Some(locked_out) = incident::locked_out(person, now) {
        return vec![employed.start..locked_out.start, locked_out.end..employed.end];
    }
    // Newcomers do not take holidays, nor does anyone once the investigation has begun.
    if !takes_one || employed != *window || first_day_ago - days < 16 {
        return vec![employed];
    }
    let off = midnight(person, now, first_day_ago);
    vec![employed.start..off, off + days * DAY..employed.end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_and_midnights() {
        let now = Timestamp::parse("2026-11-20T22:04:30.123Z").unwrap().as_millis();
        assert_eq!(weekday(now), 4);
        let tokyo = PEOPLE.iter().find(|person| person.utc_offset_minutes == 540).unwrap();
        assert_eq!(Timestamp::from_millis(midnight(tokyo, now, 0)).to_string(), "2026-11-20T15:00:00.000Z");
        // That local day is a Saturday, so the workday before it is Friday.
        assert_eq!(Timestamp::from_millis(workday(tokyo, now, 0)).to_string(), "2026-11-19T15:00:00.000Z");
        assert!(is_holiday(Timestamp::parse("2026-12-25T10:00:00Z").unwrap().as_millis()));
    }

    #[test]
    fn chunks_cover_the_window() {
        let now = Timestamp::parse("2026-11-20T22:04:30.123Z").unwrap().as_millis();
        let calendar = Calendar::new(&mut Rng::with_seed(3), now);
        let chunks = calendar.chunks();
        assert_eq!((chunks[0].start, chunks[chunks.len() - 1].end), (now - DAYS * DAY, now));
        for pair in chunks.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
        }
        for chunk in &chunks {
            assert!(weight(&calendar.cells(chunk)) > 0);
        }
    }
}
