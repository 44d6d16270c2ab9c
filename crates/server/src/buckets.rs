//! Cutting a stretch of time into buckets: calendar intervals in the reader's zone, or equal parts.
//!
//! It knows neither events nor requests; what it makes are the edges that a histogram is counted between.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{RoundMode, ToSpan, Unit, Zoned, ZonedRound};
use record::Timestamp;

/// Buckets of one histogram at most.
pub const BUCKETS_MAX: usize = 2_000;
/// Buckets at most where nobody says how long they shall be: what a chart can still show.
const CHART_BUCKETS: i64 = 200;

/// A calendar interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of the zone; 23 or 25 hours where the clocks change.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Interval {
    /// All of them, the shortest first.
    pub const ALL: [Interval; 6] =
        [Interval::Minute, Interval::Hour, Interval::Day, Interval::Week, Interval::Month, Interval::Year];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Interval::Minute => "minute",
            Interval::Hour => "hour",
            Interval::Day => "day",
            Interval::Week => "week",
            Interval::Month => "month",
            Interval::Year => "year",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Interval> {
        Interval::ALL.into_iter().find(|interval| interval.as_str() == name)
    }

    /// The shortest one that cuts the stretch into few enough buckets for a chart.
    pub fn fitting(from: Timestamp, to: Timestamp) -> Interval {
        let length = to.millis_since(from);
        Interval::ALL.into_iter().find(|one| length / one.about_ms() < CHART_BUCKETS - 1).unwrap_or(Interval::Year)
    }

    /// Its length, to within a few per cent.
    fn about_ms(self) -> i64 {
        let minute = 60 * 1_000;
        match self {
            Interval::Minute => minute,
            Interval::Hour => 60 * minute,
            Interval::Day => 24 * 60 * minute,
            Interval::Week => 7 * 24 * 60 * minute,
            Interval::Month => 30 * 24 * 60 * minute,
            Interval::Year => 365 * 24 * 60 * minute,
        }
    }

    /// The beginning of the interval that an instant lies in; `None` outside of the calendar.
    pub fn start(self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?.to_zoned(zone.clone());
        let rounded = |unit| at.round(ZonedRound::new().smallest(unit).mode(RoundMode::Trunc)).ok();
        let date = at.date();
        let start = match self {
            Interval::Minute => rounded(Unit::Minute)?,
            Interval::Hour => rounded(Unit::Hour)?,
            Interval::Day => midnight(date, zone)?,
            Interval::Week => {
                midnight(date.checked_sub(i64::from(date.weekday().since(Weekday::Monday)).days()).ok()?, zone)?
            }
            Interval::Month => midnight(date.first_of_month(), zone)?,
            Interval::Year => midnight(date.first_of_year(), zone)?,
        };
        Some(instant(&start))
    }

    /// The beginning of the next interval after one that begins at `start`.
    fn next(self, start: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let at = jiff::Timestamp::from_millisecond(start.as_millis()).ok()?.to_zoned(zone.clone());
        let date = at.date();
        let next = match self {
            // Hours are all of one length, also in the night in which one comes twice.
            Interval::Minute => at.checked_add(1.minute()).ok()?,
            Interval::Hour => at.checked_add(1.hour()).ok()?,
            Interval::Day => midnight(date.tomorrow().ok()?, zone)?,
            Interval::Week => midnight(date.checked_add(1.week()).ok()?, zone)?,
            Interval::Month => midnight(date.first_of_month().checked_add(1.month()).ok()?, zone)?,
            Interval::Year => midnight(date.first_of_year().checked_add(1.year()).ok()?, zone)?,
        };
        Some(instant(&next)).filter(|next| *next > start)
    }
}

fn midnight(date: Date, zone: &TimeZone) -> Option<Zoned> {
    // Where midnight is left out when the clocks change, the day begins with what comes after it.
    date.to_zoned(zone.clone()).ok()
}

fn instant(at: &Zoned) -> Timestamp {
    Timestamp::from_millis(at.timestamp().as_millisecond())
}

/// The stretch would be cut into more than [`BUCKETS_MAX`] buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("gives more than 2,000 buckets; choose a longer interval or a shorter time")]
pub struct TooMany;

/// The edges of calendar intervals from `from` to just after `to`. The first bucket begins at `from` and the last one ends
/// after `to`, so that either may be shorter than the interval.
pub fn calendar(from: Timestamp, to: Timestamp, interval: Interval, zone: &TimeZone) -> Result<Vec<Timestamp>, TooMany> {
    let end = to.plus_millis(1);
    let mut edges = vec![from];
    let mut start = interval.start(from, zone);
    while let Some(next) = start.and_then(|start| interval.next(start, zone)).filter(|next| *next < end) {
        if next > from {
            edges.push(next);
        }
        if edges.len() > BUCKETS_MAX {
            return Err(TooMany);
        }
        start = Some(next);
    }
    edges.push(end);
    Ok(edges)
}

/// The edges of that many buckets of one length, from `from` to just after `to`; fewer where the stretch has not as many
/// milliseconds. The last one may be shorter.
pub fn equal(from: Timestamp, to: Timestamp, buckets: usize) -> Vec<Timestamp> {
    let end = to.plus_millis(1);
    let length = end.millis_since(from).max(1);
    let buckets = i64::try_from(buckets.clamp(1, BUCKETS_MAX)).unwrap_or(1);
    let width = length / buckets + i64::from(length % buckets != 0);
    let mut edges: Vec<Timestamp> = (0..buckets).map(|at| from.plus_millis(width * at)).take_while(|at| *at < end).collect();
    edges.push(end);
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn shown(edges: &[Timestamp]) -> String {
        edges.iter().map(Timestamp::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn days_follow_the_clocks_of_the_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let edges = calendar(at("2026-10-24T10:00:00Z"), at("2026-10-26T00:00:00Z"), Interval::Day, &berlin).unwrap();
        expect_test::expect![[r#"
            2026-10-24T10:00:00.000Z
            2026-10-24T22:00:00.000Z
            2026-10-25T23:00:00.000Z
            2026-10-26T00:00:00.001Z"#]]
        .assert_eq(&shown(&edges));
        let hours = calendar(at("2026-10-24T22:30:00Z"), at("2026-10-25T22:59:59Z"), Interval::Hour, &berlin).unwrap();
        assert_eq!(hours.len(), 26, "a day of 25 hours");
    }

    #[test]
    fn weeks_months_and_years_begin_where_the_calendar_says() {
        let edges = |interval| {
            let edges = calendar(at("2025-12-30T12:00:00Z"), at("2026-02-02T00:00:00Z"), interval, &TimeZone::UTC).unwrap();
            shown(&edges).replace("T00:00:00.000Z", "")
        };
        expect_test::expect![[r#"
            2025-12-30T12:00:00.000Z
            2026-01-05
            2026-01-12
            2026-01-19
            2026-01-26
            2026-02-02
            2026-02-02T00:00:00.001Z

            2025-12-30T12:00:00.000Z
            2026-01-01
            2026-02-01
            2026-02-02T00:00:00.001Z

            2025-12-30T12:00:00.000Z
            2026-01-01
            2026-02-02T00:00:00.001Z"#]]
        .assert_eq(&[Interval::Week, Interval::Month, Interval::Year].map(edges).join("\n\n"));
    }

    #[test]
    fn edges_ascend_and_cover_the_stretch_in_every_zone() {
        for name in ["UTC", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia"] {
            let zone = TimeZone::get(name).unwrap();
            for (from, to) in
                [("2011-12-28T23:17:00Z", "2012-01-02T01:00:00Z"), ("2018-11-03T00:00:00Z", "2018-11-05T00:00:00Z")]
            {
                for interval in Interval::ALL.into_iter().skip(1) {
                    let edges = calendar(at(from), at(to), interval, &zone).unwrap();
                    assert!(edges.is_sorted_by(|a, b| a < b), "{name} {interval:?}");
                    assert_eq!((edges[0], edges[edges.len() - 1]), (at(from), at(to).plus_millis(1)));
                }
            }
        }
    }

    #[test]
    fn too_many_buckets_are_refused_and_a_chart_gets_few() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-12-31T23:59:59Z"));
        assert_eq!(calendar(from, to, Interval::Hour, &TimeZone::UTC), Err(TooMany));
        assert_eq!(calendar(from, to, Interval::Day, &TimeZone::UTC).unwrap().len(), 366);
        assert_eq!(Interval::fitting(from, to), Interval::Week);
        assert_eq!(Interval::fitting(from, from), Interval::Minute);
        assert_eq!(Interval::fitting(Timestamp::MIN, Timestamp::MAX), Interval::Year);
    }

    #[test]
    fn equal_parts_are_as_many_as_asked_for() {
        let from = at("2026-01-01T00:00:00Z");
        assert_eq!(equal(from, from.plus_millis(9), 5).len(), 6);
        assert_eq!(equal(from, from.plus_millis(9), 100).len(), 11);
        assert_eq!(equal(from, from, 3), [from, from.plus_millis(1)]);
        assert_eq!(equal(Timestamp::MIN, Timestamp::MAX, BUCKETS_MAX).len(), BUCKETS_MAX + 1);
    }
}
