//! Ranges of calendar days.

use crate::time::Date;

/// Days from `first` to `last`, both included, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DaySpan {
    pub first: i32,
    pub last: i32,
}

/// Long before anything was recorded: how far back "until May" reaches.
const BEGINNING: i32 = -1_000_000;

impl DaySpan {
    pub fn day(day: i64) -> DaySpan {
        DaySpan::between(day, day)
    }

    pub fn between(first: i64, last: i64) -> DaySpan {
        let clamp = |day: i64| day.clamp(i64::from(BEGINNING), 10_000_000) as i32;
        DaySpan {
            first: clamp(first.min(last)),
            last: clamp(first.max(last)),
        }
    }

    /// A whole month; `month` may lie outside 1 to 12 and then counts on into other years.
    pub fn month(year: i64, month: i64) -> DaySpan {
        let (year, month) = (
            year + (month - 1).div_euclid(12),
            (month - 1).rem_euclid(12) + 1,
        );
        let first = |year: i64, month: i64| date(year, month, 1);
        let next = if month == 12 {
            first(year + 1, 1)
        } else {
            first(year, month + 1)
        };
        DaySpan::between(first(year, month), next - 1)
    }

    pub fn year(year: i64) -> DaySpan {
        DaySpan::between(date(year, 1, 1), date(year, 12, 31))
    }

    pub fn until(last: i64) -> DaySpan {
        DaySpan::between(i64::from(BEGINNING), last)
    }

    pub fn n_days(self) -> i32 {
        self.last - self.first + 1
    }

    pub fn overlaps(self, other: DaySpan) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    pub fn contains(self, day: i32) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// How many days lie between two spans; 0 if they touch or overlap.
    pub fn distance(self, other: DaySpan) -> i32 {
        (self.first - other.last)
            .max(other.first - self.last)
            .max(0)
    }
}

/// Days since 1970-01-01; the parts must be small numbers.
pub(super) fn date(year: i64, month: i64, day: i64) -> i64 {
    Date {
        year: year as i32,
        month: month as u8,
        day: day as u8,
    }
    .days()
}

/// The day, if the calendar has it.
pub(super) fn real_date(year: i64, month: i64, day: i64) -> Option<i64> {
    let in_range =
        (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let days = in_range.then(|| date(year, month, day))?;
    let back = Date::from_days(days);
    (i64::from(back.month) == month && i64::from(back.day) == day).then_some(days)
}
