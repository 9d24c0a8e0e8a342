//! From tokens to days.

use super::lexicon::{Unit, Word};
use super::span::{DaySpan, date, real_date};
use super::tokens::{Kind, Token, tokens};
use super::unspaced;
use crate::time::Date;
use std::ops::Range;

/// An expression of time, and the days it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenDays {
    pub days: DaySpan,
    /// Where it stands in the text.
    pub bytes: Range<usize>,
}

/// The expressions of time in a text that was said on `today`, in their order.
///
/// A month or a day without a year is the latest one that is not after today.
pub fn spoken_days(text: &str, today: Date) -> Vec<SpokenDays> {
    let tokens = tokens(text);
    let reader = Reader {
        tokens: &tokens,
        today: today.days(),
        date: today,
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match reader.expression(at) {
            Some((days, end)) if end > at => {
                let bytes = tokens[at].bytes.start..tokens[end - 1].bytes.end;
                found.push(SpokenDays { days, bytes });
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

/// What was read, and the token after it.
type Read = Option<(DaySpan, usize)>;

pub(super) struct Reader<'a> {
    pub tokens: &'a [Token],
    pub today: i64,
    pub date: Date,
}

impl Reader<'_> {
    fn kind(&self, at: usize) -> Option<&Kind> {
        self.tokens.get(at).map(|token| &token.kind)
    }

    fn word(&self, at: usize) -> Option<Word> {
        match self.kind(at)? {
            Kind::Word(word) => Some(*word),
            _ => None,
        }
    }

    fn unit(&self, at: usize) -> Option<Unit> {
        match self.word(at)? {
            Word::Unit(unit) => Some(unit),
            _ => None,
        }
    }

    fn month(&self, at: usize) -> Option<i64> {
        match self.word(at)? {
            Word::Month(month) => Some(i64::from(month)),
            _ => None,
        }
    }

    /// A number in digits or as a word.
    fn amount(&self, at: usize) -> Option<i64> {
        match self.kind(at)? {
            Kind::Number {
                value,
                is_ordinal: false,
                ..
            } => Some(*value),
            Kind::Word(Word::Number(value)) => Some(*value),
            _ => None,
        }
    }

    fn digits(&self, at: usize, n_digits: impl Fn(u8) -> bool) -> Option<i64> {
        match self.kind(at)? {
            Kind::Number {
                value, n_digits: n, ..
            } if n_digits(*n) => Some(*value),
            _ => None,
        }
    }

    fn year(&self, at: usize) -> Option<i64> {
        self.digits(at, |n| n == 4)
            .filter(|year| (1900..2200).contains(year))
    }

    fn day_of_month(&self, at: usize) -> Option<i64> {
        self.digits(at, |n| n <= 2)
            .filter(|day| (1..=31).contains(day))
    }

    /// The first token from `at` on that is not "of", "the" and the like.
    fn past_cues(&self, mut at: usize) -> usize {
        while self.word(at) == Some(Word::Cue) {
            at += 1;
        }
        at
    }

    fn expression(&self, at: usize) -> Read {
        match self.word(at) {
            Some(Word::Since) => {
                let (days, end) = self.simple(self.past_cues(at + 1))?;
                Some((
                    DaySpan::between(days.first.into(), self.today.max(days.last.into())),
                    end,
                ))
            }
            Some(Word::Until) => {
                let (days, end) = self.simple(self.past_cues(at + 1))?;
                Some((DaySpan::until(i64::from(days.first) - 1), end))
            }
            Some(Word::After) => {
                let (days, end) = self.simple(self.past_cues(at + 1))?;
                let first = i64::from(days.last) + 1;
                Some((DaySpan::between(first, self.today.max(first)), end))
            }
            // "from May to July"; "from" is a mere cue.
            Some(Word::Between | Word::Cue) => {
                let start = self.past_cues(at + 1);
                let range = self.simple(start).and_then(|(first, end)| {
                    let (last, end) = self.simple(self.and(end)?)?;
                    Some((DaySpan::between(first.first.into(), last.last.into()), end))
                });
                range.or_else(|| self.simple(at))
            }
            _ => self.simple(at),
        }
    }

    /// Past "and" or "to".
    fn and(&self, at: usize) -> Option<usize> {
        let at = match self.word(at) {
            Some(Word::And | Word::Until) => at + 1,
            _ => return None,
        };
        Some(self.past_cues(at))
    }

    fn simple(&self, at: usize) -> Read {
        unspaced::read(self, at)
            .or_else(|| self.numeric_date(at))
            .or_else(|| self.day_and_month(at))
            .or_else(|| self.week_of_month(at))
            .or_else(|| self.month_with_cue(at))
            .or_else(|| self.ago(at))
            .or_else(|| self.which(at))
            .or_else(|| self.year_alone(at))
            .or_else(|| match self.word(at)? {
                Word::Day(days) => Some((DaySpan::day(self.today + days), at + 1)),
                Word::Weekday(day) => Some((self.weekday(day, -1), at + 1)),
                _ => None,
            })
    }

    /// `2026-05-07`, `7.5.2026`, `7/5/2026`; where day and month can not be told apart, both readings.
    fn numeric_date(&self, at: usize) -> Read {
        let joined = |at: usize| {
            let after = self.tokens.get(at)?.after?;
            let is_next = self.tokens.get(at + 1)?.bytes.start == self.tokens[at].bytes.end + 1;
            (matches!(after, '-' | '.' | '/') && is_next).then_some(after)
        };
        let sign = joined(at)?;
        if joined(at + 1)? != sign {
            return None;
        }
        let [a, b, c] = [at, at + 1, at + 2].map(|at| self.digits(at, |n| n <= 4));
        let (a, b, c) = (a?, b?, c?);
        if self.year(at).is_some() {
            return real_date(a, b, c).map(|day| (DaySpan::day(day), at + 3));
        }
        let year = match self.tokens[at + 2].kind {
            Kind::Number { n_digits: 4, .. } => c,
            Kind::Number { n_digits: 2, .. } => 2000 + c,
            _ => return None,
        };
        let readings = [
            real_date(year, b, a),
            real_date(year, a, b).filter(|_| sign == '/'),
        ];
        let mut readings = readings.into_iter().flatten();
        let first = readings.next()?;
        Some((
            DaySpan::between(first, readings.next().unwrap_or(first)),
            at + 3,
        ))
    }

    /// `May 7`, `7 May 2022`, `the 7th of May`, `7. Mai`, `7 de mayo de 2022`.
    fn day_and_month(&self, at: usize) -> Read {
        let month_first = || {
            let month = self.month(at)?;
            let day_at = self.past_cues(at + 1);
            Some((month, self.day_of_month(day_at)?, day_at + 1))
        };
        let day_first = || {
            let day = self.day_of_month(at)?;
            let month_at = self.past_cues(at + 1);
            Some((self.month(month_at)?, day, month_at + 1))
        };
        let (month, day, end) = month_first().or_else(day_first)?;
        let year_at = self.past_cues(end);
        if let Some(year) = self.year(year_at) {
            return real_date(year, month, day).map(|day| (DaySpan::day(day), year_at + 1));
        }
        let latest =
            (0..8).filter_map(|back| real_date(i64::from(self.date.year) - back, month, day));
        let mut latest = latest.filter(|day| *day <= self.today);
        latest.next().map(|day| (DaySpan::day(day), end))
    }

    /// `the second week of November`.
    fn week_of_month(&self, at: usize) -> Read {
        let place = match self.kind(at)? {
            Kind::Ordinal(place) => *place,
            Kind::Number {
                value,
                is_ordinal: true,
                ..
            } if (1..=4).contains(value) => *value,
            Kind::Word(Word::Which(-1)) => 4,
            _ => return None,
        };
        if !matches!(self.unit(at + 1)?, Unit::Week | Unit::Weekend) {
            return None;
        }
        let month_at = self.past_cues(at + 2);
        if month_at == at + 2 {
            return None;
        }
        let (month, end) = self.whole_month(month_at)?;
        let first = i64::from(month.first) + 7 * (place - 1);
        let last = if place == 4 {
            i64::from(month.last)
        } else {
            first + 6
        };
        Some((DaySpan::between(first, last), end))
    }

    /// A month with or without its year.
    fn whole_month(&self, at: usize) -> Read {
        let month = self.month(at)?;
        let year_at = self.past_cues(at + 1);
        if let Some(year) = self.year(year_at) {
            return Some((DaySpan::month(year, month), year_at + 1));
        }
        let this_year = i64::from(self.date.year);
        let year = if month > i64::from(self.date.month) {
            this_year - 1
        } else {
            this_year
        };
        Some((DaySpan::month(year, month), at + 1))
    }

    /// A month's name alone can be a person (`April`), a verb (`may`, `march`) or a word of another language: it counts after
    /// "in", "last" and their kin, or with a year.
    fn month_with_cue(&self, at: usize) -> Read {
        self.month(at)?;
        let (days, end) = self.whole_month(at)?;
        let has_year = end > at + 1;
        let before = at.checked_sub(1).and_then(|before| self.word(before));
        let has_cue = matches!(
            before,
            Some(Word::Cue | Word::Since | Word::Until | Word::After | Word::Between | Word::And)
        );
        (has_year || has_cue).then_some((days, end))
    }

    /// `in 2022`, `2022`.
    fn year_alone(&self, at: usize) -> Read {
        let year = self.year(at)?;
        // `2022 euros`, `2000 steps` are amounts; a year is followed by the end of something.
        let is_amount = !(2000..2100).contains(&year);
        (!is_amount).then(|| (DaySpan::year(year), at + 1))
    }

    /// `two weeks ago`, `vor drei Tagen`, `hace 3 dias`, `il y a 2 ans`, `a few months ago`.
    fn ago(&self, at: usize) -> Read {
        let marked = self.word(at) == Some(Word::Ago);
        let mut amount_at = if marked { at + 1 } else { at };
        // French: `il y a 3 jours`, of which `a` is the marker here.
        if !marked && self.amount(at) == Some(1) && self.amount(at + 1).is_some() {
            amount_at = at + 1;
        }
        let few = |at: usize| match self.word(at) {
            Some(Word::Few(most)) => Some(most),
            _ => None,
        };
        let is_a = self.amount(amount_at) == Some(1);
        let few_at = amount_at + usize::from(is_a && few(amount_at).is_none());
        let (least, most, unit_at) = match few(few_at) {
            Some(most) => (2, most, self.past_cues(few_at + 1)),
            None => {
                let amount = self.amount(amount_at)?;
                (amount, amount, amount_at + 1)
            }
        };
        let unit = self.unit(unit_at)?;
        let ended = self.word(unit_at + 1) == Some(Word::Ago);
        let french = amount_at == at + 1 && !marked;
        if !(marked || ended || french) || most > 1_000 {
            return None;
        }
        let far = self.back(unit, most);
        let near = self.back(unit, least);
        let end = unit_at + 1 + usize::from(ended);
        Some((DaySpan::between(far.first.into(), near.last.into()), end))
    }

    /// The days meant by "`n` units ago".
    pub(super) fn back(&self, unit: Unit, n: i64) -> DaySpan {
        let (year, month) = (i64::from(self.date.year), i64::from(self.date.month));
        match unit {
            Unit::Day => DaySpan::day(self.today - n),
            // People count weeks loosely.
            Unit::Week | Unit::Weekend => {
                DaySpan::between(self.today - 7 * n - 3, self.today - 7 * n + 3)
            }
            Unit::Month => DaySpan::month(year, month - n),
            Unit::Year => DaySpan::year(year - n),
        }
    }

    /// `last week`, `this month`, `last March`, `next Friday`, `in the last two weeks`; in Romance languages and Arabic the
    /// adjective follows: `la semana pasada`.
    fn which(&self, at: usize) -> Read {
        let Some(Word::Which(which)) = self.word(at) else {
            let Some(Word::Which(which)) = self.word(at + 1) else {
                return None;
            };
            let (days, end) = self.named(at, which)?;
            return Some((days, end + 1));
        };
        let named = self.named(at + 1, which);
        named.or_else(|| {
            let n = match self.word(at + 1) {
                Some(Word::Few(most)) => most,
                _ => self.amount(at + 1).filter(|n| (1..1_000).contains(n))?,
            };
            let unit = self.unit(at + 2)?;
            let days = match which {
                -1 => DaySpan::between(self.back(unit, n).first.into(), self.today),
                _ => return None,
            };
            Some((days, at + 3))
        })
    }

    /// The unit, month or weekday at a place, moved by `which`.
    fn named(&self, at: usize, which: i64) -> Read {
        let days = match self.word(at)? {
            Word::Unit(unit) => self.whole(unit, which),
            Word::Weekday(day) => self.weekday(day, which),
            Word::Month(month) => {
                let month = i64::from(month);
                let (year, this) = (i64::from(self.date.year), i64::from(self.date.month));
                let year = match which {
                    -1 if month >= this => year - 1,
                    1 if month <= this => year + 1,
                    _ => year,
                };
                DaySpan::month(year, month)
            }
            _ => return None,
        };
        Some((days, at + 1))
    }

    /// The unit before today's, today's own, or the next.
    pub(super) fn whole(&self, unit: Unit, which: i64) -> DaySpan {
        let monday = self.today - self.today_weekday();
        let (year, month) = (i64::from(self.date.year), i64::from(self.date.month));
        match unit {
            Unit::Day => DaySpan::day(self.today + which),
            Unit::Week => DaySpan::between(monday + 7 * which, monday + 7 * which + 6),
            // "last weekend" is the latest one that began before today.
            Unit::Weekend => {
                let saturday = monday + 5 + 7 * which;
                let saturday = if which == -1 && self.today > monday + 6 {
                    saturday + 7
                } else {
                    saturday
                };
                DaySpan::between(saturday - 1, saturday + 1)
            }
            Unit::Month => DaySpan::month(year, month + which),
            Unit::Year => DaySpan::year(year + which),
        }
    }

    /// The latest such day before today, or today's week's, or the next one.
    pub(super) fn weekday(&self, day: u8, which: i64) -> DaySpan {
        let day = i64::from(day);
        let back = (self.today_weekday() - day - 1).rem_euclid(7) + 1;
        DaySpan::day(match which {
            -1 => self.today - back,
            0 => self.today - self.today_weekday() + day,
            _ => self.today - back + if back == 7 { 14 } else { 7 },
        })
    }

    /// 0 is Monday; 1970-01-01 was a Thursday.
    fn today_weekday(&self) -> i64 {
        (self.today + 3).rem_euclid(7)
    }

    /// A day of the calendar of this year or an earlier one, whichever is the latest not after today.
    pub(super) fn latest(&self, month: i64, day: i64) -> Option<i64> {
        let year = i64::from(self.date.year);
        let days = (0..8).filter_map(|back| real_date(year - back, month, day));
        let mut past = days.filter(|day| *day <= self.today);
        past.next()
    }

    pub(super) fn latest_month(&self, month: i64) -> DaySpan {
        let year = i64::from(self.date.year);
        let is_ahead = date(year, month, 1) > self.today;
        DaySpan::month(year - i64::from(is_ahead), month)
    }
}
