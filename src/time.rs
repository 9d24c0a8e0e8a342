//! Moments as a person's clock showed them.
//!
//! The core never asks what time it is: whoever calls it passes a [`Timestamp`].

use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment and the local offset that was in force then.
///
/// The offset is kept with the moment because "said on Friday" means the speaker's Friday,
/// also after a flight or a change to summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_ms: i64,
    /// Minutes to add to UTC for local time; east of Greenwich is positive.
    pub offset_min: i16,
}

/// A day in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

const MS_PER_MINUTE: i64 = 60_000;
const MS_PER_DAY: i64 = 86_400_000;

impl Timestamp {
    /// A moment in UTC.
    pub const fn utc(unix_ms: i64) -> Timestamp {
        Timestamp {
            unix_ms,
            offset_min: 0,
        }
    }

    /// The local calendar day.
    pub fn date(self) -> Date {
        Date::from_days(self.local_ms().div_euclid(MS_PER_DAY))
    }

    /// Local date and time to the minute, as `2026-11-21 09:05`.
    pub fn to_minute(self) -> String {
        let minutes = self.local_ms().rem_euclid(MS_PER_DAY) / MS_PER_MINUTE;
        format!("{} {:02}:{:02}", self.date(), minutes / 60, minutes % 60)
    }

    /// Milliseconds until the local day ends.
    pub fn until_midnight_ms(self) -> u32 {
        (MS_PER_DAY - self.local_ms().rem_euclid(MS_PER_DAY)) as u32
    }

    fn local_ms(self) -> i64 {
        self.unix_ms
            .saturating_add(i64::from(self.offset_min) * MS_PER_MINUTE)
    }
}

impl Date {
    /// Days since 1970-01-01 to a civil date.
    ///
    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    pub fn from_days(days: i64) -> Date {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let month = if month_index < 10 {
            month_index + 3
        } else {
            month_index - 9
        };
        Date {
            year: (year_of_era + era * 400 + i64::from(month <= 2)) as i32,
            month: month as u8,
            day: (day_of_year - (153 * month_index + 2) / 5 + 1) as u8,
        }
    }
}

impl Date {
    /// Days since 1970-01-01. A day that the month does not have counts on into the next month.
    ///
    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    pub fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_index = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * month_index + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (20_778, "2026-11-21"),
            (-719_468, "0000-03-01"),
        ] {
            assert_eq!(Date::from_days(days).to_string(), text);
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let leap = |y: i32| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        let mut previous = Date::from_days(0);
        for day in 1..146_097 {
            let date = Date::from_days(day);
            let length = match previous.month {
                2 => 28 + u8::from(leap(previous.year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let expected = match (previous.month, previous.day) {
                (12, 31) => Date {
                    year: previous.year + 1,
                    month: 1,
                    day: 1,
                },
                (month, day) if day == length => Date {
                    month: month + 1,
                    day: 1,
                    ..previous
                },
                (_, day) => Date {
                    day: day + 1,
                    ..previous
                },
            };
            assert_eq!(date, expected);
            previous = date;
        }
    }

    #[test]
    fn the_offset_decides_the_local_day() {
        let late = Timestamp {
            unix_ms: 23 * 3_600_000,
            offset_min: 120,
        };
        assert_eq!(late.to_minute(), "1970-01-02 01:00");
        assert_eq!(Timestamp::utc(late.unix_ms).to_minute(), "1970-01-01 23:00");
        assert_eq!(late.until_midnight_ms(), 23 * 3_600_000);
        assert_eq!(
            Timestamp::utc(late.unix_ms).until_midnight_ms(),
            60 * 60_000
        );
        assert_eq!(Timestamp::utc(0).until_midnight_ms(), 86_400_000);
    }
}
