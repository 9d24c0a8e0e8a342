//! Days as Claude writes them.

use crate::time::{Date, Timestamp};

const MS_PER_MINUTE: i64 = 60_000;
const MS_PER_DAY: i64 = 86_400_000;

/// The start of the day `text` (`YYYY-MM-DD`), on the clock that was in force at `said_at`.
///
/// `None` if the text is no such day, or if the day is not before the day of `said_at`: what began to hold today, or is
/// only planned, is as new as the words themselves.
pub(super) fn earlier_day(text: &str, said_at: Timestamp) -> Option<Timestamp> {
    let date = parse(text.trim())?;
    if date >= said_at.date() {
        return None;
    }
    Some(Timestamp {
        unix_ms: date.days() * MS_PER_DAY - i64::from(said_at.offset_min) * MS_PER_MINUTE,
        offset_min: said_at.offset_min,
    })
}

fn parse(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |part: &[u8]| {
        part.iter().try_fold(0_i32, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + i32::from(digit - b'0'))
        })
    };
    let date = Date {
        year: number(&bytes[..4])?,
        month: number(&bytes[5..7])? as u8,
        day: number(&bytes[8..])? as u8,
    };
    // A day that the calendar does not have comes back as another one.
    ((1..=12).contains(&date.month) && Date::from_days(date.days()) == date).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_the_inverse_of_dates() {
        for day in (-719_468..200_000).step_by(7) {
            assert_eq!(Date::from_days(day).days(), day);
        }
    }

    #[test]
    fn only_real_days_are_read() {
        for text in ["2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01"] {
            assert_eq!(
                parse(text).map(|date| date.to_string()).as_deref(),
                Some(text)
            );
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-1-1",
            "26-01-01",
            "2026/01/01",
            "2026-01-01T00:00:00Z",
            "May 2026",
            "",
            "２０２６-01",
            "+026-01-01",
            "2026-01-256",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_starts_where_the_speaker_is_and_lies_in_the_past() {
        let said_at = Timestamp {
            unix_ms: 20_778 * MS_PER_DAY,
            offset_min: -300,
        };
        assert_eq!(said_at.to_minute(), "2026-11-20 19:00");
        let start = earlier_day("2026-05-01", said_at).unwrap();
        assert_eq!(start.to_minute(), "2026-05-01 00:00");
        assert_eq!(start.offset_min, -300);
        assert!(earlier_day("2026-11-19", said_at).is_some());
        for text in ["2026-11-20", "2026-11-21", "2030-01-01", "soon"] {
            assert_eq!(earlier_day(text, said_at), None, "{text}");
        }
    }
}
