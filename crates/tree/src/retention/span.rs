//! When a span of time that a bucket names is over.

use entente_database::retention::RetentionSpan;
use entente_model::Timestamp;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Days from the first of March of the year 0 to the first of January 1970.
const DAYS_TO_EPOCH: i64 = 719_468;

/// The moment that is so much later. A year later is the same day and time; of the 29th of February the first of March.
pub(super) fn after(at: Timestamp, span: RetentionSpan) -> Timestamp {
    let millis = at.millis();
    let later = match span {
        RetentionSpan::Days(days) => millis.saturating_add(i64::from(days).saturating_mul(DAY_MS)),
        RetentionSpan::Years(years) => {
            let (days, rest) = (millis.div_euclid(DAY_MS), millis.rem_euclid(DAY_MS));
            let (year, day_of_year) = year_of(days);
            // In a year from March on, every day before the 29th of February has the same number each year.
            let later = first_day(year.saturating_add(i64::from(years))).saturating_add(day_of_year);
            later.saturating_mul(DAY_MS).saturating_add(rest)
        }
    };
    Timestamp::from_millis(later)
}

/// The first of March of a year, in days since 1970.
fn first_day(year: i64) -> i64 {
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year.saturating_mul(365).saturating_add(leap_days) - DAYS_TO_EPOCH
}

/// The year from March on that a day is in, and which of its days it is, from 0 on.
fn year_of(days: i64) -> (i64, i64) {
    // 146,097 days are 400 years.
    let mut year = (days + DAYS_TO_EPOCH).saturating_mul(400).div_euclid(146_097);
    while first_day(year) > days {
        year -= 1;
    }
    while first_day(year + 1) <= days {
        year += 1;
    }
    (year, days - first_day(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days before the first of each month of a year that begins in March, which puts the odd day at its end.
    const DAYS_BEFORE: [i64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];

    /// Midnight of a day.
    fn day(year: i64, month: usize, day: i64) -> i64 {
        let (year, index) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
        (first_day(year) + DAYS_BEFORE[index] + day - 1) * DAY_MS
    }

    #[test]
    fn days_are_where_the_calendar_has_them() {
        assert_eq!(day(1970, 1, 1), 0);
        assert_eq!(day(2000, 2, 29), 951_782_400_000);
        assert_eq!(day(2026, 11, 22), 1_795_305_600_000);
        assert_eq!(day(1969, 12, 31), -DAY_MS);
    }

    #[test]
    fn a_year_later_is_the_same_day() {
        for (from, years, to) in [
            (day(2026, 11, 22) + 5, 1, day(2027, 11, 22) + 5),
            (day(2023, 3, 1), 1, day(2024, 3, 1)),
            (day(2024, 2, 28), 1, day(2025, 2, 28)),
            (day(2024, 2, 29), 1, day(2025, 3, 1)),
            (day(2024, 2, 29), 4, day(2028, 2, 29)),
            (day(1999, 12, 31), 100, day(2099, 12, 31)),
            (day(2000, 3, 1), 400, day(2400, 3, 1)),
        ] {
            let later = after(Timestamp::from_millis(from), RetentionSpan::Years(years));
            assert_eq!(later.millis(), to, "{from} and {years} years");
        }
        assert_eq!(after(Timestamp::from_millis(7), RetentionSpan::Days(2)).millis(), 7 + 2 * DAY_MS);
    }
}
