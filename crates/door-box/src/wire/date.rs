//! Dates: RFC 3339 with whole seconds and the offset of the enterprise's time zone.

use entente_model::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The enterprise's time zone, in which every date is shown.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time; its dates end in `+00:00`.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The same offset from universal time all year round, in seconds; `None` when it is more than a day or so.
    #[must_use]
    pub fn fixed(offset_seconds: i32) -> Option<Self> {
        Offset::from_seconds(offset_seconds).ok().map(|offset| Self(TimeZone::fixed(offset)))
    }
}

/// A moment as Box writes it.
#[derive(Debug, Clone, Copy)]
pub struct Date<'z> {
    /// The moment; what is less than a second is cut off.
    pub at: Timestamp,
    /// Where it is shown.
    pub zone: &'z Zone,
}

impl fmt::Display for Date<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at.millis().div_euclid(1_000);
        // What no calendar holds is shown as its end: such a moment can only come from a damaged row.
        let clamped = seconds.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let moment = jiff::Timestamp::from_second(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let offset = self.zone.0.to_offset(moment);
        let civil = offset.to_datetime(moment);
        let mut text = *b"0000-00-00T00:00:00+00:00";
        let part = |value: i8| u32::try_from(value).unwrap_or(0);
        digits(&mut text, 0, 4, u32::try_from(civil.year()).unwrap_or(0));
        digits(&mut text, 5, 2, part(civil.month()));
        digits(&mut text, 8, 2, part(civil.day()));
        digits(&mut text, 11, 2, part(civil.hour()));
        digits(&mut text, 14, 2, part(civil.minute()));
        digits(&mut text, 17, 2, part(civil.second()));
        let minutes = offset.seconds().unsigned_abs() / 60;
        if offset.seconds() < 0
            && let Some(sign) = text.get_mut(19)
        {
            *sign = b'-';
        }
        digits(&mut text, 20, 2, minutes / 60);
        digits(&mut text, 23, 2, minutes % 60);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

fn digits(text: &mut [u8], from: usize, count: usize, mut value: u32) {
    for digit in text.iter_mut().skip(from).take(count).rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

impl Serialize for Date<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads RFC 3339 with any offset and with or without a fraction of a second.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

/// A date in a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateText(pub Timestamp);

impl<'de> Deserialize<'de> for DateText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        parse(&text).map(Self).ok_or_else(|| D::Error::custom("not a date in RFC 3339"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, Zone, parse};
    use entente_model::Timestamp;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    fn show(millis: i64, zone: &Zone) -> String {
        Date { at: Timestamp::from_millis(millis), zone }.to_string()
    }

    #[test]
    fn a_date_has_whole_seconds_and_an_offset() {
        assert_eq!(show(1_700_000_000_999, &Zone::utc()), "2023-11-14T22:13:20+00:00");
        let pacific = Zone::fixed(-8 * 3600).expect("an offset");
        assert_eq!(show(1_700_000_000_000, &pacific), "2023-11-14T14:13:20-08:00");
        let nepal = Zone::fixed(5 * 3600 + 45 * 60).expect("an offset");
        assert_eq!(show(0, &nepal), "1970-01-01T05:45:00+05:45");
        assert_eq!(show(-1, &Zone::utc()), "1969-12-31T23:59:59+00:00");
    }

    #[test]
    fn any_offset_and_fraction_is_read() {
        let at = Some(Timestamp::from_millis(1_609_488_000_000));
        assert_eq!(parse("2021-01-01T00:00:00-08:00"), at);
        assert_eq!(parse("2021-01-01T08:00:00Z"), at);
        assert_eq!(parse("2021-01-01T08:00:00.000000000+00:00"), at);
        assert_eq!(parse("2021-01-01T08:00:00.25Z"), Some(Timestamp::from_millis(1_609_488_000_250)));
        for bad in ["", "2021-01-01", "2021-13-01T00:00:00Z", "yesterday", "1609488000"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(seconds in -60_000_000_000_i64..250_000_000_000, offset in -900_i32..900) {
            let zone = Zone::fixed(offset * 60).expect("an offset");
            let at = Timestamp::from_millis(seconds * 1_000);
            prop_assert_eq!(parse(&Date { at, zone: &zone }.to_string()), Some(at));
        }

        #[test]
        fn no_moment_and_no_text_is_too_odd(millis in any::<i64>(), text in any::<String>()) {
            let _ = show(millis, &Zone::utc());
            let _ = parse(&text);
        }
    }
}
