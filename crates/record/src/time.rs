//! Instants, to the millisecond, as the record writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Printed as RFC 3339 in UTC with exactly three decimals (`2026-11-20T22:04:30.123Z`, 24 bytes), the form that a record
/// holds. From 0001 to the end of 9999, so that the printed form never grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(i64);

/// The text was not an instant that a record can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an RFC 3339 time such as 2026-11-20T22:04:30.123Z")]
pub struct BadTimestamp;

impl Timestamp {
    /// 0001-01-01T00:00:00.000Z.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800_000);
    /// 9999-12-30T22:00:00.999Z, the last instant that every UTC offset can still show with four digits of year.
    pub const MAX: Timestamp = Timestamp(253_402_207_200_999);

    /// From milliseconds since the epoch; the nearest instant that can be printed if that is out of range.
    pub fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339: a date, `T` or a space, a time, and `Z` or an offset. Digits beyond the millisecond are cut off.
    pub fn parse(text: &str) -> Result<Timestamp, BadTimestamp> {
        // `jiff` also takes forms that RFC 3339 does not, such as a bracketed zone.
        if text.len() < 20 || text.len() > 40 || text.contains('[') {
            return Err(BadTimestamp);
        }
        let at: jiff::Timestamp = text.parse().map_err(|_| BadTimestamp)?;
        // Cut, not rounded: an instant never moves into the future.
        let millis = at.as_nanosecond().div_euclid(1_000_000);
        let millis = i64::try_from(millis).map_err(|_| BadTimestamp)?;
        if !(Self::MIN.0..=Self::MAX.0).contains(&millis) {
            return Err(BadTimestamp);
        }
        Ok(Timestamp(millis))
    }

    /// This instant moved by so many milliseconds, forwards or backwards.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this instant; negative when it is in truth later.
    pub fn millis_since(self, earlier: Timestamp) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Days to civil date, proleptic Gregorian (H. Hinnant, "chrono-compatible low-level date algorithms").
        let days = self.0.div_euclid(86_400_000);
        let of_day = self.0.rem_euclid(86_400_000);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (second, milli) = (of_day / 1_000, of_day % 1_000);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        let second = second % 60;
        let mut out = *b"0000-00-00T00:00:00.000Z";
        put(&mut out[0..4], year);
        put(&mut out[5..7], month);
        put(&mut out[8..10], day);
        put(&mut out[11..13], hour);
        put(&mut out[14..16], minute);
        put(&mut out[17..19], second);
        put(&mut out[20..23], milli);
        f.write_str(std::str::from_utf8(&out).map_err(|_| fmt::Error)?)
    }
}

/// Writes `value` right-aligned in decimal over zeros.
fn put(out: &mut [u8], mut value: i64) {
    for byte in out.iter_mut().rev() {
        let digit = (value % 10) as u8;
        *byte = b'0' + digit;
        value /= 10;
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> String {
        at.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = BadTimestamp;
    fn try_from(text: String) -> Result<Timestamp, BadTimestamp> {
        Timestamp::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_read() {
        for text in [
            "2026-11-20T22:04:30.123Z",
            "0001-01-01T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "2024-02-29T12:00:00.000Z",
            "9999-12-30T22:00:00.999Z",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Timestamp::parse("2026-11-20T23:04:30.1239+01:00").unwrap().to_string(), "2026-11-20T22:04:30.123Z");
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00.999Z");
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T22:04:30",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-11-20T22:04:30Z[UTC]",
        ] {
            assert_eq!(Timestamp::parse(text), Err(BadTimestamp), "{text}");
        }
    }

    #[test]
    fn agrees_with_the_library_on_every_day_of_four_centuries() {
        for day in -150_000..150_000_i64 {
            let at = Timestamp::from_millis(day * 86_400_000 + 1);
            let theirs = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
            assert_eq!(at.to_string(), format!("{theirs:.3}"));
        }
    }
}
