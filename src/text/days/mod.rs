//! Days as people say them: "last March", "two weeks ago", "on Tuesday", "in 2022", "May 7", "7. Mai", "先週", "2026-05-07".
//!
//! [`spoken_days`] finds such expressions and says which calendar days they mean, counted from the day on which they were said.
//! English in full; days, weeks, months, years, names of months and weekdays in a dozen more languages (`lexicon`, `unspaced`).
//! Where people differ, the reading is the wide one: "a few weeks ago" is a range.
//!
//! When not to use it: hours are not read, nor are feasts and seasons, whose dates depend on where one lives.

mod lexicon;
mod parse;
mod span;
#[cfg(test)]
mod tests;
mod tokens;
mod unspaced;

pub use parse::{SpokenDays, spoken_days};
pub use span::DaySpan;
