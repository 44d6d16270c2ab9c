//! The events of the measurements at scale: three years of 50 organizations, made on the fly and never all in memory.
//!
//! An event is a pure function of the seed, how many there are, the newest one's time and its number. As JSON it is what an
//! application sends to Acta; as a row it is the same for the tables of the peers.

use super::super::events::names::{ACTIONS, AGENTS, FIRST, LAST, PAGES, QUERIES, RESOURCES};
use super::super::events::{Dice, rfc3339};
use super::vocabulary::{WORDS, Zipf, word};

/// Organizations; the first one has most of the events, and is the one that is asked about.
pub(crate) const ORGANIZATIONS: usize = 50;
/// People of the first organization; the others have [`PEOPLE_ELSEWHERE`].
pub(crate) const PEOPLE: usize = 20_000;
const PEOPLE_ELSEWHERE: usize = 200;
/// Teams of each organization.
pub(crate) const TEAMS: usize = 40;
/// Events of one request, which are one organization's.
pub(crate) const BLOCK: usize = 500;
/// The time that the events are spread over: three years.
const SPREAD_MS: i128 = 3 * 365 * DAY_MS as i128;
/// A day.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The columns of the peers' table, in the order in which an event is written as a row.
pub(crate) const COLUMNS: [&str; 20] = [
    "occurred_ms",
    "seq",
    "request_id",
    "org",
    "action",
    "actor_id",
    "actor_name",
    "actor_email",
    "team",
    "outcome",
    "ip",
    "user_agent",
    "took_ms",
    "page",
    "query",
    "resource",
    "environment",
    "message",
    "customer",
    "metadata",
];

/// Tells events.
#[derive(Debug)]
pub(crate) struct Story {
    /// What everything but the time follows from.
    pub(crate) seed: u64,
    /// How many there are.
    pub(crate) count: usize,
    /// The time of the last one that is not late, in milliseconds since 1970.
    pub(crate) newest_ms: i64,
    people: Zipf,
    people_elsewhere: Zipf,
    actions: Zipf,
    organizations: Zipf,
    ranks: Zipf,
    words: Vec<String>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    number: usize,
    pub(crate) org: usize,
    pub(crate) occurred_ms: i64,
    pub(crate) action: &'static str,
    pub(crate) user: usize,
    team: Option<usize>,
    page: Option<&'static str>,
    query: Option<&'static str>,
    resource: Option<(&'static str, &'static str)>,
    agent: &'static str,
    pub(crate) request: u64,
    outcome: &'static str,
    took_ms: u64,
    customer: u64,
    pub(crate) message: Vec<&'a str>,
}

impl Story {
    /// Of so many events, the newest at that time.
    pub(crate) fn new(seed: u64, count: usize, newest_ms: i64) -> Story {
        Story {
            seed,
            count,
            newest_ms,
            people: Zipf::new(PEOPLE),
            people_elsewhere: Zipf::new(PEOPLE_ELSEWHERE),
            actions: Zipf::new(ACTIONS.len()),
            organizations: Zipf::new(ORGANIZATIONS - 1),
            ranks: Zipf::new(WORDS),
            words: (0..WORDS).map(word).collect(),
        }
    }

    /// Which organization the events of a block are of: four of five are the first one's.
    pub(crate) fn org_of_block(&self, block: usize) -> usize {
        let mut dice = Dice::new(self.seed ^ 0x0b10_c000, block);
        if dice.below(5) < 4 { 0 } else { 1 + self.organizations.rank(dice.next()) }
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        self.count.div_ceil(BLOCK)
    }

    /// The numbers of a block's events.
    pub(crate) fn block(&self, block: usize) -> std::ops::Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.count)
    }

    /// The event of that number, counted from 0.
    pub(crate) fn get(&self, number: usize) -> Event<'_> {
        let org = self.org_of_block(number / BLOCK);
        let mut dice = Dice::new(self.seed, number);
        let user = if org == 0 { self.people.rank(dice.next()) } else { self.people_elsewhere.rank(dice.next()) };
        let words = 3 + dice.below(6);
        Event {
            number,
            org,
            occurred_ms: self.time(number, &mut dice),
            action: ACTIONS[self.actions.rank(dice.next())],
            user,
            // Some of what people do concerns no team.
            team: (dice.below(20) > 0).then_some(user % TEAMS),
            page: (dice.below(10) < 8).then(|| dice.pick(&PAGES)),
            query: (dice.below(10) < 6).then(|| dice.pick(&QUERIES)),
            resource: (dice.below(10) < 7).then(|| {
                let resource = dice.pick(&RESOURCES);
                (resource, ["production", "production", "production", "staging", "development"][small(dice.below(5))])
            }),
            agent: AGENTS[user % AGENTS.len()],
            request: dice.next(),
            outcome: match dice.below(50) {
                0 => "denied",
                1 | 2 => "failure",
                _ => "success",
            },
            took_ms: 3 + dice.skewed(900),
            customer: dice.below(1_000_000),
            message: (0..words).map(|_| self.words[self.ranks.rank(dice.next())].as_str()).collect(),
        }
    }

    /// Evenly spread, within seconds; of a hundred one is up to two days late, of a thousand one was brought in after up to
    /// two years.
    fn time(&self, number: usize, dice: &mut Dice) -> i64 {
        let left = (self.count - 1).saturating_sub(number) as i128;
        let back = i64::try_from(SPREAD_MS * left / self.count.max(1) as i128).unwrap_or(0);
        let late = match dice.below(1_000) {
            0 => dice.below(730 * DAY_MS.unsigned_abs()),
            1..=10 => dice.below(2 * DAY_MS.unsigned_abs()),
            _ => dice.below(20_000),
        };
        self.newest_ms - back - i64::try_from(late).unwrap_or(0)
    }
}

/// An organization's name.
pub(crate) fn organization(org: usize) -> String {
    format!("Bench {org:02}")
}

/// A team's id.
pub(crate) fn team(team: usize) -> String {
    format!("team_{team:02}")
}

/// A person's id.
pub(crate) fn actor(org: usize, user: usize) -> String {
    format!("u_{org:02}_{user:05}")
}

/// Whether an actor is one of the first organization's people, and not Acta itself or who set it up.
pub(crate) fn is_actor(id: &str) -> bool {
    id.starts_with("u_00_")
}

/// The part of a person's address that names her.
pub(crate) fn local_part(user: usize) -> String {
    let (first, last) = name_of(user);
    format!("{}.{}.{user:05}", first.to_lowercase(), last.to_lowercase())
}

fn name_of(user: usize) -> (&'static str, &'static str) {
    (FIRST[user % FIRST.len()], LAST[user / FIRST.len() % LAST.len()])
}

fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

impl Event<'_> {
    fn ip(&self) -> String {
        format!("10.{}.{}.{}", self.org, self.user / 250 % 250, self.user % 250 + 1)
    }

    /// The request's id, which no two events share.
    pub(crate) fn request_id(&self) -> String {
        format!("{:016x}", self.request)
    }

    /// Appends what an application sends.
    pub(crate) fn push_json(&self, to: &mut String) {
        let Event { org, action, user, agent, outcome, took_ms, customer, .. } = self;
        let (time, ip, request) = (rfc3339(self.occurred_ms), self.ip(), self.request);
        let (first, last) = name_of(*user);
        let (actor, local) = (actor(*org, *user), local_part(*user));
        to.push_str(&format!(r#"{{"action":"{action}","occurred_at":"{time}","#));
        if let Some(of) = self.team {
            to.push_str(&format!(r#""team":"{}","#, team(of)));
        }
        to.push_str(&format!(
            r#""actor":{{"type":"user","id":"{actor}","name":"{first} {last}","email":"{local}@org{org:02}.example.com"}},"targets":["#
        ));
        let page = self.page.map(|name| format!(r#"{{"type":"page","name":"{name}"}}"#));
        let query = self.query.map(|name| format!(r#"{{"type":"query","name":"{name}"}}"#));
        let resource =
            self.resource.map(|(name, of)| format!(r#"{{"type":"resource","name":"{name}","environment":"{of}"}}"#));
        to.push_str(&[page, query, resource].into_iter().flatten().collect::<Vec<_>>().join(","));
        to.push_str(&format!(
            r#"],"context":{{"ip":"{ip}","user_agent":"{agent}","request_id":"{request:016x}"}},"outcome":"{outcome}","response_time_ms":{took_ms},"metadata":{{"message":""#
        ));
        self.push_message(to);
        to.push_str(&format!(r#"","customer":{customer},"details":{}}}}}"#, self.details()));
    }

    /// The part of the metadata that nobody filters by.
    fn details(&self) -> String {
        let query = self.query.unwrap_or("none");
        format!(r#"{{"call":"{query}($1)","dry_run":{}}}"#, self.customer.is_multiple_of(4))
    }

    fn push_message(&self, to: &mut String) {
        for (at, word) in self.message.iter().enumerate() {
            if at > 0 {
                to.push(' ');
            }
            to.push_str(word);
        }
    }

    /// Appends a row of [`COLUMNS`], separated by tabs, with its newline; `\N` is null. No value holds a tab, a newline or a
    /// backslash.
    pub(crate) fn push_row(&self, to: &mut String) {
        let Event { number, org, occurred_ms, action, user, agent, outcome, took_ms, customer, .. } = self;
        let (ip, request) = (self.ip(), self.request);
        let (first, last) = name_of(*user);
        let (actor, local) = (actor(*org, *user), local_part(*user));
        let team = self.team.map_or_else(|| NULL.to_owned(), team);
        let (page, query) = (self.page.unwrap_or(NULL), self.query.unwrap_or(NULL));
        let (resource, environment) = self.resource.unwrap_or((NULL, NULL));
        to.push_str(&format!(
            "{occurred_ms}\t{number}\t{request:016x}\t{org}\t{action}\t{actor}\t{first} {last}\t{local}@org{org:02}.example.com\t{team}\t"
        ));
        to.push_str(&format!("{outcome}\t{ip}\t{agent}\t{took_ms}\t{page}\t{query}\t{resource}\t{environment}\t"));
        self.push_message(to);
        to.push_str(&format!("\t{customer}\t{}\n", self.details()));
    }
}

const NULL: &str = "\\N";

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    fn story() -> Story {
        Story::new(7, 50_000, 1_795_212_270_123)
    }

    #[test]
    fn json_and_row_tell_the_same() {
        let story = story();
        for number in (0..50_000).step_by(97) {
            let event = story.get(number);
            let (mut json, mut row) = (String::new(), String::new());
            event.push_json(&mut json);
            event.push_row(&mut row);
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            let cells: Vec<&str> = row.trim_end_matches('\n').split('\t').collect();
            assert_eq!(cells.len(), COLUMNS.len(), "{row}");
            let cell = |name: &str| cells[COLUMNS.iter().position(|column| *column == name).unwrap()];
            assert_eq!(json["occurred_at"], rfc3339(cell("occurred_ms").parse().unwrap()));
            assert_eq!(json["actor"]["email"], cell("actor_email"));
            assert_eq!(json["team"].as_str().unwrap_or(NULL), cell("team"));
            assert_eq!(json["context"]["request_id"], cell("request_id"));
            assert_eq!(json["metadata"]["message"], cell("message"));
            assert_eq!(json["targets"].as_array().unwrap().len(), 3 - cells[13..16].iter().filter(|c| **c == NULL).count());
            serde_json::from_str::<serde_json::Value>(cell("metadata")).unwrap();
        }
    }

    #[test]
    fn events_are_skewed_late_at_times_and_of_the_wanted_size() {
        let story = story();
        let (mut bytes, mut late, mut text) = (0, 0, String::new());
        let (mut people, mut actions, mut orgs) = (HashMap::new(), BTreeSet::new(), HashMap::new());
        let mut newest = i64::MIN;
        for number in 0..story.count {
            let event = story.get(number);
            text.clear();
            event.push_json(&mut text);
            bytes += text.len();
            late += usize::from(event.occurred_ms + DAY_MS / 2 < newest);
            newest = newest.max(event.occurred_ms);
            *people.entry(event.user).or_insert(0) += 1;
            actions.insert(event.action);
            *orgs.entry(event.org).or_insert(0) += 1;
        }
        let mean = bytes / story.count;
        assert!((520..=660).contains(&mean), "{mean} bytes");
        assert!((200..1_000).contains(&late), "{late} late events");
        assert!(newest <= story.newest_ms);
        assert!(people.len() > 5_000 && people[&0] > story.count / 20, "{} {}", people.len(), people[&0]);
        assert!((story.count * 7 / 10..story.count * 9 / 10).contains(&orgs[&0]), "{}", orgs[&0]);
        assert_eq!(actions.len(), ACTIONS.len());
    }

    #[test]
    fn blocks_hold_every_event_once() {
        let story = Story::new(7, 1_234, 0);
        let numbers: Vec<usize> = (0..story.blocks()).flat_map(|block| story.block(block)).collect();
        assert_eq!(numbers, (0..1_234).collect::<Vec<_>>());
    }
}
