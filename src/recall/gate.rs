//! The gate: how strong a text must be by itself.

use super::Level;
#[cfg(doc)]
use super::weights::QUESTION_TERMS;

/// What the words count that agree where meaning says nothing.
const WORDS_ALONE: f32 = 1.2;

/// The evidence of words and meaning together, each already weighted.
pub(crate) fn gated(coverage: f32, meaning: f32) -> f32 {
    let together = coverage + meaning.max(0.0);
    if meaning == 0.0 {
        together
    } else {
        together.max(WORDS_ALONE * coverage)
    }
}

/// The gate on coverage and meaning together.
///
/// Measured with the questions about five of LoCoMo's conversations, each put to its own conversation and to another one where it has
/// no answer, with the default embedding table (`--gates` of `examples/eval`). 40, 20 and 5 % of the questions without an answer pass at
/// .20, .26, .39 as they were written and at .26, .36, .56 without the speakers' names; about the middle is taken, since messages name
/// people now and then. Of the questions with an answer 95, 89 and 64 % pass; with all-MiniLM-L6-v2 98, 94 and 76 %.
pub(crate) fn gate(level: Level) -> f32 {
    match level {
        Level::All => f32::NEG_INFINITY,
        Level::Loose => 0.22,
        Level::Normal => 0.30,
        Level::Strict => 0.47,
    }
}

/// What a long message has to bring beyond [`gate`]: this times ln(terms / [`QUESTION_TERMS`]).
///
/// The mean of many words is similar to everything. With the same questions among 1, 3 and 10 turns about something else (25, 55, 160 terms)
/// the value that 20 % pass by chance rises by .06, .10 and .15.
pub(crate) const GATE_PER_LENGTH: f32 = 0.055;

/// The gate on the weighted coverage, where there is no vector to compare.
///
/// Found in the same way: .14, .18, .25 with names and .20, .25, .42 without; 93, 84 and 61 % of the questions with an answer pass.
pub(crate) fn keyword_gate(level: Level) -> f32 {
    match level {
        Level::All => f32::NEG_INFINITY,
        Level::Loose => 0.17,
        Level::Normal => 0.22,
        Level::Strict => 0.34,
    }
}
