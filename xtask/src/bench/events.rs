//! The events of the measurements: realistic, and the same ones for everybody who is measured.
//!
//! An event is a pure function of a seed, its number and the time of the newest event. For Acta it is the JSON that an
//! application sends, about 540 bytes; for PostgreSQL it is a row with the same information, in columns as far as the table
//! has them and otherwise in `metadata`.

pub(crate) mod names;

use names::{ACTIONS, AGENTS, FIRST, LAST, PAGES, QUERIES, RESOURCES};

/// How many people act.
pub(crate) const ACTORS: u64 = 20_000;
/// How many teams they are in.
pub(crate) const TEAMS: u64 = 12;
/// The time that the events are spread over.
const SPREAD_MS: i64 = 60 * 24 * 60 * 60 * 1_000;

/// All actions, the most frequent ones first.
pub(crate) fn actions() -> &'static [&'static str] {
    &ACTIONS
}

/// Words that occur in the text of some events.
pub(crate) fn words() -> Vec<&'static str> {
    [QUERIES.as_slice(), &PAGES].concat()
}

/// Tells events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Events {
    /// What everything but the time follows from.
    pub(crate) seed: u64,
    /// How many there are; they are spread evenly over their time.
    pub(crate) count: usize,
    /// The time of the last one, in milliseconds since 1970.
    pub(crate) newest_ms: i64,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Event {
    time: String,
    action: &'static str,
    user: u64,
    name: String,
    page: &'static str,
    query: &'static str,
    resource: &'static str,
    environment: &'static str,
    ip: String,
    agent: &'static str,
    request: u64,
    outcome: &'static str,
    took_ms: u64,
    customer: u64,
}

impl Events {
    /// The event of that number, counted from 0.
    pub(crate) fn get(&self, number: usize) -> Event {
        let mut dice = Dice::new(self.seed, number);
        // Few people do most of what is done, and most of what is done is a few actions.
        let user = dice.skewed(ACTORS);
        let who = size(user);
        let count = i64::try_from(self.count.max(1)).unwrap_or(i64::MAX);
        let left = count - 1 - i64::try_from(number).unwrap_or(i64::MAX);
        Event {
            time: rfc3339(self.newest_ms - SPREAD_MS / count * left),
            action: ACTIONS[size(dice.skewed(ACTIONS.len() as u64))],
            user,
            name: format!("{} {}", FIRST[who % FIRST.len()], LAST[who / FIRST.len() % LAST.len()]),
            page: dice.pick(&PAGES),
            query: dice.pick(&QUERIES),
            resource: dice.pick(&RESOURCES),
            environment: if dice.below(5) == 0 { "staging" } else { "production" },
            ip: format!("10.{}.{}.{}", user % 7, user / 250 % 250, user % 250 + 1),
            agent: AGENTS[who % AGENTS.len()],
            request: dice.next(),
            outcome: match dice.below(50) {
                0 => "denied",
                1 | 2 => "failure",
                _ => "success",
            },
            took_ms: 3 + dice.skewed(900),
            customer: dice.below(1_000_000),
        }
    }
}

impl Event {
    /// What an application sends.
    pub(crate) fn json(&self) -> String {
        let Event { time, action, user, name, page, query, resource, environment, .. } = self;
        let Event { ip, agent, request, outcome, took_ms, customer, .. } = self;
        let team = user % TEAMS;
        let head = format!(r#"{{"action":"{action}","occurred_at":"{time}","team":"team_{team:02}","#);
        let actor =
            format!(r#""actor":{{"type":"user","id":"u_{user:05}","name":"{name}","email":"u{user:05}@example.com"}},"#);
        let targets = format!(
            r#""targets":[{{"type":"page","name":"{page}"}},{{"type":"query","name":"{query}"}},{{"type":"resource","name":"{resource}","environment":"{environment}"}}],"#
        );
        let context = format!(r#""context":{{"ip":"{ip}","user_agent":"{agent}","request_id":"{request:016x}"}},"#);
        let end = format!(r#""outcome":"{outcome}","response_time_ms":{took_ms},"#);
        let metadata = format!(r#""metadata":{{"query":"call {query}($1)","id":{customer}}}}}"#);
        [head, actor, targets, context, end, metadata].concat()
    }

    /// A row for `COPY … ("createdAt", "actionType", "userId", "ipAddress", "responseTimeMs", "pageName", "queryName",
    /// "resourceName", metadata)` in text format, with its newline. No value holds a tab, a newline or a backslash.
    pub(crate) fn copy_row(&self) -> String {
        let Event { time, action, user, name, page, query, resource, environment, .. } = self;
        let Event { ip, agent, request, outcome, took_ms, customer, .. } = self;
        let team = user % TEAMS;
        let columns = format!("{time}\t{action}\tu_{user:05}\t{ip}\t{took_ms}\t{page}\t{query}\t{resource}\t");
        let who = format!(r#"{{"team":"team_{team:02}","name":"{name}","email":"u{user:05}@example.com","#);
        let where_from = format!(r#""environment":"{environment}","user_agent":"{agent}","request_id":"{request:016x}","#);
        let what = format!(r#""outcome":"{outcome}","query":"call {query}($1)","id":{customer}}}"#);
        [columns, who, where_from, what, "\n".into()].concat()
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// `SplitMix64`: a few lines, so that the events stay the same whatever else changes.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, number: usize) -> Dice {
        Dice(seed.wrapping_add((number as u64).wrapping_mul(0xd134_2543_de82_ef95)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Small numbers much more often than large ones: half of them are in the first eighth.
    pub(crate) fn skewed(&mut self, limit: u64) -> u64 {
        let parts = 1_000_000;
        let part = u128::from(self.below(parts));
        let cubed = part * part * part * u128::from(limit) / u128::from(parts).pow(3);
        u64::try_from(cubed).unwrap_or(0)
    }

    pub(crate) fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[size(self.below(from.len() as u64))]
    }
}

/// `2026-11-20T22:04:30.123Z`, by the calendar algorithm of Howard Hinnant.
pub(crate) fn rfc3339(ms: i64) -> String {
    let (days, ms) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const EVENTS: Events = Events { seed: 7, count: 20_000, newest_ms: 1_795_212_270_123 };

    #[test]
    fn times_are_written_as_the_calendar_has_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_825_599_999), "2000-02-29T11:59:59.999Z");
        assert_eq!(rfc3339(1_735_689_600_000), "2025-01-01T00:00:00.000Z");
        assert_eq!(EVENTS.get(19_999).time, rfc3339(EVENTS.newest_ms));
        assert!(EVENTS.get(0).time < EVENTS.get(1).time);
    }

    #[test]
    fn the_same_number_is_the_same_event() {
        assert_eq!(EVENTS.get(5).json(), EVENTS.get(5).json());
        assert_ne!(EVENTS.get(5).json(), EVENTS.get(6).json());
        assert_ne!(EVENTS.get(5).json(), Events { seed: 8, ..EVENTS }.get(5).json());
    }

    #[test]
    fn events_have_the_wanted_size_and_are_json() {
        let bytes: usize = (0..EVENTS.count).map(|number| EVENTS.get(number).json().len()).sum();
        let mean = bytes / EVENTS.count;
        assert!((450..=550).contains(&mean), "{mean} bytes");
        for number in 0..200 {
            let event = EVENTS.get(number);
            serde_json::from_str::<serde_json::Value>(&event.json()).unwrap();
            let row = event.copy_row();
            let columns: Vec<&str> = row.trim_end().split('\t').collect();
            assert_eq!(columns.len(), 9, "{row}");
            serde_json::from_str::<serde_json::Value>(columns[8]).unwrap();
            assert!(!row.contains('\\'), "{row}");
        }
    }

    #[test]
    fn people_and_actions_are_many_and_skewed() {
        let mut people: HashMap<u64, usize> = HashMap::new();
        let mut actions: HashMap<&str, usize> = HashMap::new();
        for number in 0..EVENTS.count {
            let event = EVENTS.get(number);
            *people.entry(event.user).or_default() += 1;
            *actions.entry(event.action).or_default() += 1;
        }
        assert!(people.len() > 5_000, "{} people", people.len());
        assert_eq!(actions.len(), ACTIONS.len());
        let busiest = people.values().max().copied().unwrap_or_default();
        assert!(busiest > EVENTS.count / 100, "the busiest did {busiest}");
        assert!(actions["QUERY_RUN"] > EVENTS.count / 10, "{}", actions["QUERY_RUN"]);
    }
}
