//! What is asked at scale: lines of the table, each with several values, as a request to Acta and as what the peers select.

use super::super::events::names::{ACTIONS, AGENTS, FIRST, LAST, PAGES, QUERIES, RESOURCES};
use super::super::events::rfc3339;
use super::story::{DAY_MS, Story, TEAMS, actor, team};

/// How many values each line is asked with.
pub(crate) const VALUES: usize = 15;
/// Events on a page.
pub(crate) const PAGE: usize = 50;
/// The deep page.
pub(crate) const DEEP: usize = 10_000;
/// The team that a key is confined to.
pub(crate) const KEY_TEAM: usize = 5;
/// The fields that are counted.
pub(crate) const FIELDS: [&str; 5] = ["action", "actor", "team", "outcome", "environment"];
/// The days of the histogram.
pub(crate) const HISTOGRAM_DAYS: usize = 90;

/// A condition that events must fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Where {
    Action(&'static str),
    Actor(String),
    Team(String),
    Outcome(&'static str),
    Resource(&'static str),
    Email(String),
    From(i64),
    To(i64),
    Words(Vec<String>),
    /// What a key that is confined to a team sees: the team's events without these actions. Acta knows that by the key.
    SeenBy(String, Vec<String>),
}

/// What is wanted of the events that fulfil all conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The newest page. Acta always tells the total too; peers need not.
    Newest,
    /// A page, from 1, with the total.
    Page(usize),
    /// The event of that number.
    One { number: usize, request_id: String, occurred_ms: i64 },
    /// Five fields and a histogram by days from that time on.
    Counts { from: i64 },
}

/// One value of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) wanted: Wanted,
    pub(crate) wheres: Vec<Where>,
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) title: &'static str,
    /// The time it may take when its value was not asked before, in milliseconds.
    pub(crate) bar_ms: f64,
    /// And when it was.
    pub(crate) bar_again_ms: Option<f64>,
    /// One more than [`VALUES`]: the first one warms up and is not measured.
    pub(crate) questions: Vec<Question>,
}

impl Question {
    fn events(wheres: Vec<Where>) -> Question {
        Question { wanted: Wanted::Page(1), wheres }
    }

    /// Whether it is asked with the team's key.
    pub(crate) fn is_teams(&self) -> bool {
        self.wheres.iter().any(|one| matches!(one, Where::SeenBy(..)))
    }

    /// The requests to Acta; for one event, the request that finds its id, which is not measured.
    pub(crate) fn paths(&self) -> Vec<String> {
        let filter: Vec<String> = self.wheres.iter().filter_map(Where::parameter).collect();
        let filter = filter.join("&");
        match &self.wanted {
            Wanted::Newest => vec![format!("/v1/events?page=1&per_page={PAGE}")],
            Wanted::Page(page) => vec![format!("/v1/events?page={page}&per_page={PAGE}&{filter}")],
            Wanted::One { request_id, occurred_ms, .. } => {
                let at = rfc3339(*occurred_ms);
                vec![format!("/v1/events?q={request_id}&from={at}&to={at}")]
            }
            Wanted::Counts { .. } => {
                let fields = FIELDS.map(|field| format!("field={field}")).join("&");
                vec![format!("/v1/facets?{fields}&limit=10&{filter}"), format!("/v1/histogram?interval=day&{filter}")]
            }
        }
    }
}

impl Where {
    fn parameter(&self) -> Option<String> {
        Some(match self {
            Where::Action(name) => format!("action={name}"),
            Where::Actor(id) => format!("actor={id}"),
            Where::Team(id) => format!("team={id}"),
            Where::Outcome(name) => format!("outcome={name}"),
            Where::Resource(name) => format!("target_type=resource&target={name}"),
            Where::Email(part) => format!("email={part}"),
            Where::From(at) => format!("from={}", rfc3339(*at)),
            Where::To(at) => format!("to={}", rfc3339(*at)),
            Where::Words(words) => format!("q={}", words.join("+")),
            Where::SeenBy(..) => return None,
        })
    }
}

/// All lines. `organization_only` are the actions that no team's key sees.
pub(crate) fn lines(story: &Story, organization_only: &[String]) -> Vec<Line> {
    let line = |title, bar_ms, bar_again_ms, ask: &dyn Fn(usize) -> Question| Line {
        title,
        bar_ms,
        bar_again_ms,
        // The last value warms up.
        questions: std::iter::once(VALUES).chain(0..VALUES).map(ask).collect(),
    };
    let newest = story.newest_ms;
    let range = |k: usize| {
        let to = newest - k as i64 * 37 % 800 * DAY_MS - 12_345;
        [Where::From(to - 180 * DAY_MS), Where::To(to)]
    };
    let within = |k: usize, wheres: Vec<Where>| wheres.into_iter().chain(range(k)).collect::<Vec<_>>();
    let one = |k: usize| Where::Action(ACTIONS[k * 5 % ACTIONS.len()]);
    let two = |k: usize| match k % 3 {
        0 => vec![Where::Action(ACTIONS[k]), Where::Team(team(k * 7 % TEAMS))],
        1 => vec![Where::Team(team(k * 3 % TEAMS)), Where::Outcome(["failure", "denied"][k % 2])],
        _ => vec![Where::Resource(RESOURCES[k % RESOURCES.len()]), Where::Outcome(["denied", "failure"][k % 2])],
    };
    vec![
        line("the newest 50", 3.0, Some(3.0), &|_| Question { wanted: Wanted::Newest, wheres: Vec::new() }),
        line("50 of an action within half a year, with the exact total", 15.0, Some(5.0), &|k| {
            Question::events(within(k, vec![one(k)]))
        }),
        line("50 under two filters within half a year, with the exact total", 15.0, Some(5.0), &|k| {
            Question::events(within(k, two(k)))
        }),
        line("50 of a team within half a year with two words of text, with the exact total", 50.0, None, &|k| {
            Question::events(within(k, vec![Where::Team(team(k * 3 % TEAMS)), Where::Words(words(story, k))]))
        }),
        line("50 of all time with two words of text, with the exact total", 50.0, None, &|k| {
            Question::events(vec![Where::Words(words(story, k + 100)), Where::To(newest)])
        }),
        line("50 with a part of an e-mail address, with the exact total", 15.0, None, &|k| {
            let last = LAST[k * 3 % LAST.len()].to_lowercase();
            Question::events(vec![Where::Email(format!("{last}.{:02}", k % 20))])
        }),
        line("50 of one person, with the exact total", 15.0, None, &|k| {
            Question::events(vec![Where::Actor(actor(0, k * k * 60))])
        }),
        line("one event by its id", 5.0, None, &|k| {
            let number = number_of_first(story, k);
            let event = story.get(number);
            let wanted = Wanted::One { number, request_id: event.request_id(), occurred_ms: event.occurred_ms };
            Question { wanted, wheres: Vec::new() }
        }),
        line("five fields counted and a histogram of 90 days, of one team", 40.0, None, &|k| {
            let days = HISTOGRAM_DAYS as i64;
            // Whole days, as the calendar has them.
            let from = newest / DAY_MS * DAY_MS - (k as i64 * 53 % 900 + days) * DAY_MS;
            let to = from + days * DAY_MS - 1;
            let wheres = vec![Where::Team(team(k * 11 % TEAMS)), Where::From(from), Where::To(to)];
            Question { wanted: Wanted::Counts { from }, wheres }
        }),
        line("page 10,000, with the exact total", 20.0, None, &|k| {
            let deepest = (story.count / 2 / PAGE).max(1);
            let wanted = Wanted::Page((DEEP + k * 7).min(deepest));
            Question { wanted, wheres: vec![Where::To(newest - k as i64 * 1_000)] }
        }),
        line("50 with a key confined to a team, with the exact total", 15.0, None, &|k| {
            let seen = Where::SeenBy(team(KEY_TEAM), organization_only.to_vec());
            Question::events(within(k, vec![seen]))
        }),
    ]
}

/// The number of an event of the first organization, anywhere in the log.
fn number_of_first(story: &Story, k: usize) -> usize {
    let start = (k + 1) * 7_919 * 131 % story.count;
    let numbers = (start..story.count).chain(0..start);
    let mut of_first = numbers.filter(|&number| story.org_of_block(number / super::story::BLOCK) == 0);
    of_first.next().unwrap_or(0)
}

/// Two words of an event's text, so that something is found. They stand in messages only: peers look for them nowhere else.
fn words(story: &Story, k: usize) -> Vec<String> {
    let event = story.get(number_of_first(story, k));
    let elsewhere = elsewhere();
    let only_here = event.message.iter().filter(|word| !elsewhere.contains(**word));
    only_here.take(2).map(|word| (*word).to_owned()).collect()
}

/// Whatever else stands in events, but for numbers.
fn elsewhere() -> String {
    let names = [&ACTIONS[..], &FIRST, &LAST, &PAGES, &QUERIES, &RESOURCES, &AGENTS].concat();
    let values = ["team", "example.com", "org", "user", "success", "failure", "denied", "production", "staging"];
    let members = ["development", "page", "query", "resource", "message", "customer", "details", "call", "dry_run"];
    let literals = ["none", "true", "false"];
    [names, values.to_vec(), members.to_vec(), literals.to_vec()].concat().join("\n").to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> Vec<Line> {
        lines(&Story::new(7, 1_000_000, 1_795_212_270_123), &["LOGIN".into()])
    }

    #[test]
    fn every_value_of_a_line_is_another_one() {
        for line in all().into_iter().skip(1) {
            let different: BTreeSet<String> = line.questions.iter().map(|one| one.paths().join(" ")).collect();
            assert_eq!(different.len(), VALUES + 1, "{}: {different:?}", line.title);
        }
    }

    #[test]
    fn words_stand_in_messages_only() {
        // This one is a part of the name of a resource, which would be found there too.
        assert!(elsewhere().contains("luste"));
        let story = Story::new(7, 100_000, 1_795_212_270_123);
        for k in 0..300 {
            let words = words(&story, k);
            assert_eq!(words.len(), 2, "{words:?}");
            assert!(words.iter().all(|word| !elsewhere().contains(word.as_str())), "{words:?}");
        }
    }

    #[test]
    fn requests_are_written_as_the_api_reads_them() {
        let questions: Vec<String> = all().iter().map(|line| line.questions[1].paths().join(" ")).collect();
        assert!(questions[1].starts_with("/v1/events?page=1&per_page=50&action=QUERY_RUN&from=2026-"), "{}", questions[1]);
        assert!(questions[8].contains("field=environment&limit=10&team=team_00&from="), "{}", questions[8]);
        assert!(!questions[10].contains("team"), "{}", questions[10]);
    }
}
