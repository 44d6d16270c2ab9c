//! The time zone in which a page shows times: the address names it, or the browser's script has said it once in a cookie, or
//! it is UTC. UTC stands beside every time in another zone.

use axum::http::{HeaderMap, header};
use jiff::tz::TimeZone;
use record::Timestamp;

use crate::params::Given;

const COOKIE: &str = "tz";

/// A time zone with its name.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    name: String,
    zone: TimeZone,
}

/// An instant, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// For programs: RFC 3339 in UTC.
    pub(super) iso: String,
    /// `20 Nov 2026`
    pub(super) date: String,
    /// `23:04:30`
    pub(super) time: String,
    /// `23:04:30.123`
    pub(super) exact: String,
    /// `UTC`, or `+01:00`.
    pub(super) offset: String,
    /// The same in UTC, `22:04:30 UTC`, with the date where that differs; empty if the zone is UTC.
    pub(super) utc: String,
}

impl Zone {
    /// UTC.
    pub(super) fn utc() -> Zone {
        Zone { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The zone of that IANA name.
    pub(super) fn parse(name: &str) -> Option<Zone> {
        let sensible = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
        if matches!(name, "Etc/UTC" | "Etc/GMT" | "Etc/UCT" | "Etc/Universal" | "Etc/Zulu" | "GMT" | "UTC") {
            return Some(Zone::utc());
        }
        let zone = sensible.then(|| TimeZone::get(name).ok()).flatten()?;
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Some(Zone { name, zone })
    }

    /// The zone that the browser is in, as its cookie says.
    pub(super) fn of_browser(headers: &HeaderMap) -> Option<Zone> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, name) = pairs.find(|(name, _)| *name == COOKIE)?;
        Zone::parse(name)
    }

    /// The zone that the address names, or the browser's, or UTC.
    pub(super) fn of(given: &Given, headers: &HeaderMap) -> Zone {
        let named = given.first("tz").and_then(Zone::parse);
        named.or_else(|| Zone::of_browser(headers)).unwrap_or_else(Zone::utc)
    }

    /// Its IANA name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is UTC.
    pub(super) fn is_utc(&self) -> bool {
        self.name == "UTC"
    }

    /// How far it is from UTC at an instant: `+01:00`.
    pub(super) fn offset(&self, at: Timestamp) -> String {
        if self.is_utc() { "UTC".to_owned() } else { self.zoned(at).strftime("%:z").to_string() }
    }

    /// An instant in this zone.
    pub(super) fn show(&self, at: Timestamp) -> Shown {
        let here = self.zoned(at);
        let there = Zone::utc().zoned(at);
        let utc = match () {
            () if self.is_utc() => String::new(),
            () if here.date() == there.date() => there.strftime("%H:%M:%S UTC").to_string(),
            () => there.strftime("%-d %b, %H:%M:%S UTC").to_string(),
        };
        Shown {
            iso: at.to_string(),
            date: here.strftime("%-d %b %Y").to_string(),
            time: here.strftime("%H:%M:%S").to_string(),
            exact: here.strftime("%H:%M:%S%.3f").to_string(),
            offset: self.offset(at),
            utc,
        }
    }

    fn zoned(&self, at: Timestamp) -> jiff::Zoned {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
        at.to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(zone: &str, at: &str) -> String {
        let shown = Zone::parse(zone).unwrap().show(Timestamp::parse(at).unwrap());
        format!("{} | {} | {} | {} | {}", shown.date, shown.time, shown.exact, shown.offset, shown.utc)
    }

    #[test]
    fn times_stand_in_the_zone_with_utc_beside() {
        expect_test::expect![[r#"
            20 Nov 2026 | 22:04:30 | 22:04:30.123 | UTC | 
            20 Nov 2026 | 23:04:30 | 23:04:30.123 | +01:00 | 22:04:30 UTC
            21 Nov 2026 | 03:34:30 | 03:34:30.123 | +05:30 | 20 Nov, 22:04:30 UTC
            20 Jul 2026 | 18:04:30 | 18:04:30.000 | -04:00 | 22:04:30 UTC"#]]
        .assert_eq(
            &[
                show("UTC", "2026-11-20T22:04:30.123Z"),
                show("Europe/Berlin", "2026-11-20T22:04:30.123Z"),
                show("Asia/Kolkata", "2026-11-20T22:04:30.123Z"),
                show("America/New_York", "2026-07-20T22:04:30Z"),
            ]
            .join("\n"),
        );
    }

    #[test]
    fn the_address_wins_over_the_cookie_and_nonsense_counts_as_nothing() {
        let of = |query: &str, cookie: &'static str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, header::HeaderValue::from_static(cookie))]);
            Zone::of(&Given::parse(Some(query)), &headers).name().to_owned()
        };
        assert_eq!(of("tz=Asia/Tokyo", "a=b; tz=Europe/Berlin"), "Asia/Tokyo");
        assert_eq!(of("", "a=b; tz=Europe/Berlin"), "Europe/Berlin");
        assert_eq!(of("", "tz=Etc/UTC"), "UTC");
        assert_eq!(of("", "tz=<script>"), "UTC");
        assert_eq!(of("tz=Mars", "tz=../../etc/passwd"), "UTC");
    }
}
