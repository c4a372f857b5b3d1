//! Moments as HTTP and WebDAV write them.

use entente_model::Timestamp;
use std::fmt::{self, Display};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: i64 = 86_400;
/// The seconds of the first and the last year that these forms can write.
const SECONDS_MIN: i64 = -62_167_219_200;
const SECONDS_MAX: i64 = 253_402_300_799;

struct Civil {
    /// Days since 1970-01-01.
    days: i64,
    year: i64,
    /// From 1.
    month: usize,
    day: i64,
    /// Seconds of the day.
    second: i64,
}

impl Civil {
    fn of(at: Timestamp) -> Self {
        // What no calendar of four digits holds is shown as its end.
        let seconds = at.millis().div_euclid(1_000).clamp(SECONDS_MIN, SECONDS_MAX);
        let (days, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
        // Years that begin in March have their leap day last; 400 of them are 146,097 days.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { days, year, month: usize::try_from(month).unwrap_or(1), day, second }
    }
}

/// A moment as HTTP's headers have it (RFC 9110 section 5.6.7), in whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct HttpDate(pub Timestamp);

impl Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { days, year, month, day, second } = Civil::of(self.0);
        let weekday = usize::try_from(days.rem_euclid(7)).ok().and_then(|index| DAYS.get(index)).unwrap_or(&"Thu");
        let month = MONTHS.get(month.saturating_sub(1)).unwrap_or(&"Jan");
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        write!(f, "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{:02} GMT", second % 60)
    }
}

/// A moment as `creationdate` has it (RFC 3339), in whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct IsoDate(pub Timestamp);

impl Display for IsoDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, second, .. } = Civil::of(self.0);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
    }
}

/// Reads what [`HttpDate`] writes: the one form of it that anybody sends.
#[must_use]
pub fn parse_http(text: &str) -> Option<Timestamp> {
    let (_, rest) = text.trim().split_once(", ")?;
    let mut parts = rest.split_ascii_whitespace();
    let (day, month, year, time, zone) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !matches!(zone, "GMT" | "UTC") {
        return None;
    }
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let mut time = time.split(':');
    let (hour, minute, second) = (number(time.next()?, 23)?, number(time.next()?, 59)?, number(time.next()?, 60)?);
    if time.next().is_some() {
        return None;
    }
    let (day, year) = (number(day, 31)?, number(year, 9_999)?);
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468;
    Some(Timestamp::from_millis((days * DAY_SECONDS + hour * 3_600 + minute * 60 + second) * 1_000))
}

/// Reads seconds since 1970, with or without a fraction, as `X-OC-Mtime` has them.
#[must_use]
pub fn parse_seconds(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let seconds = number(whole, SECONDS_MAX)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let all = seconds * 1_000 + millis;
    Some(Timestamp::from_millis(if negative { -all } else { all }))
}

fn number(text: &str, max: i64) -> Option<i64> {
    if text.is_empty() || text.len() > 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| *number <= max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn moments_are_written_as_clients_read_them() {
        assert_eq!(HttpDate(at(784_111_777_999)).to_string(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(HttpDate(at(0)).to_string(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(HttpDate(at(-1)).to_string(), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(HttpDate(at(1_709_164_800_000)).to_string(), "Thu, 29 Feb 2024 00:00:00 GMT");
        assert_eq!(IsoDate(at(1_700_000_000_000)).to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(IsoDate(at(i64::MAX)).to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(IsoDate(at(i64::MIN)).to_string(), "0000-01-01T00:00:00Z");
    }

    #[test]
    fn seconds_may_have_a_fraction() {
        assert_eq!(parse_seconds("1700000000"), Some(at(1_700_000_000_000)));
        assert_eq!(parse_seconds(" 1700000000.1239 "), Some(at(1_700_000_000_123)));
        assert_eq!(parse_seconds("-1.5"), Some(at(-1_500)));
        for bad in ["", "x", "1.x", "--1", "1e9", "99999999999999999999", "."] {
            assert_eq!(parse_seconds(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for bad in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nev 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 28:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT x",
        ] {
            assert_eq!(parse_http(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in -62_000_000_000_i64..253_000_000_000) {
            prop_assert_eq!(parse_http(&HttpDate(at(seconds * 1_000)).to_string()), Some(at(seconds * 1_000)));
        }

        #[test]
        fn no_moment_and_no_text_is_too_odd(millis in any::<i64>(), text in any::<String>()) {
            let _ = (HttpDate(at(millis)).to_string(), IsoDate(at(millis)).to_string());
            let _ = (parse_http(&text), parse_seconds(&text));
        }
    }
}
