//! Query parameters: which events, and which part of them. The same for the API and the pages.

use std::collections::BTreeMap;

use jiff::civil;
use jiff::tz::TimeZone;
use record::{Action, Catalogs, Index, Kind, Outcome, TeamId, Timestamp, text};
use store::{Cursor, Filter, IpFilter};

use crate::problem::{FieldError, Problem};

/// The parameters that choose events, by name, with what each is.
pub const FILTERS: &[(&str, &str)] = &[
    ("action", "An action's identifier. Repeat it for several."),
    ("category", "A category's title: all actions that the catalogs list under it. Repeat it for several."),
    ("outcome", "success, failure or denied."),
    ("actor", "The actor's id."),
    ("email", "Part of the actor's e-mail address, without regard to case."),
    ("team", "A team's id. Repeat it for several."),
    ("target_type", "The type of a target."),
    ("target", "The id or name of a target."),
    ("ip", "An address or a network in CIDR form."),
    ("from", "The earliest time: RFC 3339, or a date, which means its beginning."),
    ("to", "The latest time: RFC 3339, or a date, which means its end."),
    ("q", "Text: each word must stand somewhere in the event, without regard to case."),
    ("tz", "The IANA time zone in which dates are meant; UTC unless given."),
];

/// The parameters that choose a part.
pub const PAGING: &[(&str, &str)] = &[
    ("page", "The page, from 1; newest first."),
    ("per_page", "Events on a page."),
    ("after", "In index order, the events after this index; -1 for the beginning."),
    ("before", "In descending index order, the events before this index."),
    ("limit", "With after or before: how many events at most."),
];

/// The greatest index that an answer can name.
const INDEX_MAX: u64 = i64::MAX as u64;
/// Bytes of one parameter's value.
const VALUE_BYTES_MAX: usize = 2_048;
/// Values of one parameter.
const VALUES_MAX: u32 = 200;

/// Which part of the matches is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A page, newest first.
    Page {
        /// From 1.
        page: u64,
        /// Events on it.
        per_page: usize,
    },
    /// A stretch in index order.
    Slice {
        /// From where.
        from: Cursor,
        /// Events at most.
        limit: usize,
    },
}

/// Query parameters, read.
#[derive(Debug)]
pub struct ListParams {
    /// Which events.
    pub filter: Filter,
    /// Which part.
    pub part: Part,
    /// The zone in which dates are meant and shown.
    pub zone: TimeZone,
    /// Every parameter as given, for showing a form again and for making links.
    pub given: Given,
}

/// The parameters that choose events, read.
#[derive(Debug)]
pub struct Chosen {
    /// Which events.
    pub filter: Filter,
    /// The zone in which dates are meant and shown.
    pub zone: TimeZone,
    /// Every parameter as given.
    pub given: Given,
}

/// Parameters as given, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(pub Vec<(String, String)>);

impl Given {
    /// Splits a query string; percent-encoding undone.
    pub fn parse(query: Option<&str>) -> Given {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Given(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a parameter; none if it is empty.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, value)| given == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that is not empty.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, value)| given == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The same parameters with one of them replaced or left out.
    #[must_use]
    pub fn with(&self, name: &str, value: Option<&str>) -> Given {
        let mut pairs: Vec<_> = self.0.iter().filter(|(given, v)| given != name && !v.is_empty()).cloned().collect();
        pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        Given(pairs)
    }

    /// As a query string, without empty parameters.
    pub fn to_query(&self) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(self.0.iter().filter(|(_, value)| !value.is_empty()));
        out.finish()
    }
}

/// How many events a page has, and may have.
#[derive(Debug, Clone, Copy)]
pub struct PageSizes {
    /// Unless the caller says.
    pub default: usize,
    /// At most.
    pub max: usize,
}

/// Reads a query string. Unknown parameters are faults: a mistyped filter must not silently widen an answer. `extra` are
/// parameters that the caller of this function reads itself.
pub fn list(query: Option<&str>, sizes: PageSizes, extra: &[&str]) -> Result<ListParams, Problem> {
    let given = Given::parse(query);
    let mut reader = Reader { given: &given, faults: Vec::new() };
    let paging: Vec<&str> = PAGING.iter().map(|(name, _)| *name).chain(extra.iter().copied()).collect();
    reader.names(&paging);
    let zone = reader.zone();
    let filter = reader.filter(&zone);
    let part = reader.part(sizes);
    if !reader.faults.is_empty() {
        return Err(Problem::invalid(reader.faults));
    }
    Ok(ListParams { filter, part, zone, given })
}

/// Reads a query string that chooses events and no part of them. `extra` are parameters that the caller of this function
/// reads itself.
pub fn chosen(query: Option<&str>, extra: &[&str]) -> Result<Chosen, Problem> {
    let given = Given::parse(query);
    let mut reader = Reader { given: &given, faults: Vec::new() };
    reader.names(extra);
    let zone = reader.zone();
    let filter = reader.filter(&zone);
    if !reader.faults.is_empty() {
        return Err(Problem::invalid(reader.faults));
    }
    Ok(Chosen { filter, zone, given })
}

/// A whole number within bounds; `None` where it is not given.
pub fn number(given: &Given, name: &str, min: u64, max: u64) -> Result<Option<u64>, FieldError> {
    let mut reader = Reader { given, faults: Vec::new() };
    let number = reader.number(name, min, max);
    reader.faults.pop().map_or(Ok(number), Err)
}

struct Reader<'g> {
    given: &'g Given,
    faults: Vec<FieldError>,
}

impl Reader<'_> {
    fn fault(&mut self, name: &str, detail: impl Into<String>) {
        self.faults.push(FieldError::parameter(name, detail));
    }

    fn names(&mut self, extra: &[&str]) {
        let known: Vec<&str> = FILTERS.iter().map(|(name, _)| *name).chain(extra.iter().copied()).collect();
        let repeatable = ["action", "category", "team", "field"];
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for (name, value) in &self.given.0 {
            *seen.entry(name).or_default() += 1;
            if value.len() > VALUE_BYTES_MAX {
                self.faults.push(FieldError::parameter(name, format!("is longer than {VALUE_BYTES_MAX} bytes")));
            }
        }
        for (name, count) in seen {
            if !known.contains(&name) {
                let near = known.iter().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
                let hint = near.filter(|near| strsim::jaro(near, name) > 0.75);
                let hint =
                    hint.map_or_else(|| format!("known are {}", known.join(", ")), |near| format!("did you mean {near}?"));
                self.fault(name, format!("is not a parameter here; {hint}"));
            } else if count > 1 && !repeatable.contains(&name) {
                self.fault(name, "stands more than once");
            } else if count > VALUES_MAX {
                self.fault(name, format!("stands more than {VALUES_MAX} times"));
            }
        }
    }

    fn zone(&mut self) -> TimeZone {
        let Some(name) = self.given.first("tz") else { return TimeZone::UTC };
        match TimeZone::get(name) {
            Ok(zone) => zone,
            Err(_) => {
                self.fault("tz", "is not an IANA time zone such as Europe/Berlin");
                TimeZone::UTC
            }
        }
    }

    fn filter(&mut self, zone: &TimeZone) -> Filter {
        let mut actions: Option<Vec<Action>> = None;
        for name in self.given.all("action") {
            match Action::new(name) {
                Ok(action) => actions.get_or_insert_default().push(action),
                Err(e) => self.fault("action", e.to_string()),
            }
        }
        for category in self.given.all("category") {
            let listed = Catalogs::built_in().in_category(category).cloned();
            actions.get_or_insert_default().extend(listed);
        }
        let mut teams = Vec::new();
        for name in self.given.all("team") {
            match TeamId::new(name) {
                Ok(team) => teams.push(team),
                Err(e) => self.fault("team", e.to_string()),
            }
        }
        let outcome = self.given.first("outcome").and_then(|name| {
            let outcome = Outcome::parse(name);
            if outcome.is_none() {
                self.fault("outcome", "must be success, failure or denied");
            }
            outcome
        });
        let target_type = self
            .given
            .first("target_type")
            .and_then(|name| Kind::new(name).map_err(|e| self.fault("target_type", e.to_string())).ok());
        let ip = self
            .given
            .first("ip")
            .and_then(|text| IpFilter::parse(text.trim()).map_err(|e| self.fault("ip", e.to_string())).ok());
        let from = self.time("from", zone, Bound::First);
        let to = self.time("to", zone, Bound::Last);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            self.fault("from", format!("lies after to: {from} is later than {to}"));
        }
        let words = self.given.first("q").map(text::words).unwrap_or_default();
        if words.iter().map(String::len).sum::<usize>() > 1_024 {
            self.fault("q", "is longer than 1,024 bytes");
        }
        Filter {
            actions,
            outcome,
            actor: self.given.first("actor").map(Into::into),
            email: self.given.first("email").map(|part| part.trim().to_lowercase().into()),
            teams,
            target_type,
            target: self.given.first("target").map(Into::into),
            ip,
            from,
            to,
            words,
        }
    }

    fn time(&mut self, name: &str, zone: &TimeZone, bound: Bound) -> Option<Timestamp> {
        let text = self.given.first(name)?.trim();
        let read = instant(text, zone, bound);
        if read.is_none() {
            self.fault(name, "is neither a date such as 2026-11-20 nor an RFC 3339 time such as 2026-11-20T22:04:30Z");
        }
        read
    }

    fn part(&mut self, sizes: PageSizes) -> Part {
        let cursor = ["after", "before"].iter().find(|name| self.given.first(name).is_some());
        let Some(&cursor) = cursor else {
            if self.given.first("limit").is_some() {
                self.fault("limit", "goes with after or before; with page it is per_page");
            }
            let page = self.number("page", 1, u64::MAX).unwrap_or(1);
            let per_page = self.number("per_page", 1, sizes.max as u64);
            return Part::Page {
                page,
                per_page: per_page.map_or(sizes.default, |n| usize::try_from(n).unwrap_or(sizes.max)),
            };
        };
        for other in ["page", "per_page", if cursor == "after" { "before" } else { "after" }] {
            if self.given.first(other).is_some() {
                self.fault(other, format!("cannot go together with {cursor}"));
            }
        }
        let limit = self.number("limit", 1, sizes.max as u64);
        let limit = limit.map_or(sizes.default, |n| usize::try_from(n).unwrap_or(sizes.max));
        let from = match cursor {
            "after" if self.given.first("after") == Some("-1") => Cursor::After(None),
            "after" => Cursor::After(self.number("after", 0, INDEX_MAX).map(Index)),
            _ => Cursor::Before(Index(self.number("before", 0, INDEX_MAX).unwrap_or(0))),
        };
        Part::Slice { from, limit }
    }

    fn number(&mut self, name: &str, min: u64, max: u64) -> Option<u64> {
        let text = self.given.first(name)?;
        match text.parse::<u64>() {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            Ok(number) if number > max => {
                self.fault(name, format!("is at most {max}"));
                None
            }
            Ok(_) => {
                self.fault(name, format!("is at least {min}"));
                None
            }
            Err(_) => {
                self.fault(name, "is not a whole number");
                None
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Bound {
    First,
    Last,
}

/// RFC 3339, a date, or a date and time without a zone; the last two in `zone`.
fn instant(text: &str, zone: &TimeZone, bound: Bound) -> Option<Timestamp> {
    if let Ok(at) = Timestamp::parse(text) {
        return Some(at);
    }
    let millis = |time: civil::DateTime| Some(time.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond());
    if text.len() == 10 {
        let date: civil::Date = text.parse().ok()?;
        let at = match bound {
            Bound::First => millis(date.to_datetime(civil::Time::midnight()))?,
            // After the last day that can be told there is nothing.
            Bound::Last => date
                .tomorrow()
                .ok()
                .and_then(|next| millis(next.to_datetime(civil::Time::midnight())))
                .map_or(i64::MAX, |at| at - 1),
        };
        return Some(Timestamp::from_millis(at));
    }
    let time: civil::DateTime = text.contains('T').then(|| text.parse().ok())??;
    millis(time).map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: PageSizes = PageSizes { default: 50, max: 1_000 };

    fn faults(query: &str) -> String {
        match list(Some(query), SIZES, &[]) {
            Ok(_) => "fine".to_owned(),
            Err(problem) => problem
                .errors
                .iter()
                .map(|e| format!("{} {}", e.parameter.as_deref().unwrap_or_default(), e.detail))
                .collect::<Vec<_>>()
                .join("; "),
        }
    }

    #[test]
    fn dates_are_whole_days_in_their_zone() {
        let read = |query: &str| {
            let filter = list(Some(query), SIZES, &[]).unwrap().filter;
            format!("{} {}", filter.from.unwrap(), filter.to.unwrap())
        };
        assert_eq!(read("from=2026-11-20&to=2026-11-20"), "2026-11-20T00:00:00.000Z 2026-11-20T23:59:59.999Z");
        assert_eq!(
            read("from=2026-11-20&to=2026-11-20&tz=America/New_York"),
            "2026-11-20T05:00:00.000Z 2026-11-21T04:59:59.999Z"
        );
        assert_eq!(
            read("from=2026-11-20T01:00:00%2B01:00&to=2026-11-20T10:30&tz=Asia/Kolkata"),
            "2026-11-20T00:00:00.000Z 2026-11-20T05:00:00.000Z"
        );
        assert_eq!(read("from=9999-12-30&to=9999-12-31").split(' ').nth(1), Some("9999-12-30T22:00:00.999Z"));
    }

    #[test]
    fn says_what_is_wrong_with_each_parameter() {
        expect_test::expect![[r#"
            acton=x => acton is not a parameter here; did you mean action?
            zzz=1 => zzz is not a parameter here; known are action, category, outcome, actor, email, team, target_type, target, ip, from, to, q, tz, page, per_page, after, before, limit
            from=yesterday => from is neither a date such as 2026-11-20 nor an RFC 3339 time such as 2026-11-20T22:04:30Z
            from=2026-11-20&to=2026-11-19 => from lies after to: 2026-11-20T00:00:00.000Z is later than 2026-11-19T23:59:59.999Z
            page=0 => page is at least 1
            page=x => page is not a whole number
            per_page=1001 => per_page is at most 1000
            after=abc => after is not a whole number
            after=1&page=2 => page cannot go together with after
            after=-2 => after is not a whole number
            limit=5 => limit goes with after or before; with page it is per_page
            outcome=ok&ip=10.0.0.0/40 => outcome must be success, failure or denied; ip is not an address such as 203.0.113.7 or a network such as 203.0.113.0/24
            email=a&email=b => email stands more than once
            action=A&action=B&team=x&q=two+words&from=&after=-1 => fine
            tz=Mars/Base => tz is not an IANA time zone such as Europe/Berlin"#]]
        .assert_eq(
            &[
                "acton=x",
                "zzz=1",
                "from=yesterday",
                "from=2026-11-20&to=2026-11-19",
                "page=0",
                "page=x",
                "per_page=1001",
                "after=abc",
                "after=1&page=2",
                "after=-2",
                "limit=5",
                "outcome=ok&ip=10.0.0.0/40",
                "email=a&email=b",
                "action=A&action=B&team=x&q=two+words&from=&after=-1",
                "tz=Mars/Base",
            ]
            .map(|query| format!("{query} => {}", faults(query)))
            .join("\n"),
        );
    }
}
