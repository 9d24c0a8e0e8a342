//! Every constant of the score, the gate and the decay, with its reason.
//!
//! The weights of turns come from a coordinate search over the questions about five of LoCoMo's ten conversations, rounded, and checked
//! on the other five and on the ten chats of REALTALK. There is no public data with facts beside turns: where
//! a fact's part has a counterpart in a turn's score it has the same weight.

use super::Level;

/// How much of the question's words the text holds (BM25 coverage, 0 to 1).
pub(crate) const COVERAGE: f32 = 1.2;
/// The calibrated similarity of meaning.
pub(crate) const MEANING: f32 = 0.7;

/// Coverage by the turn before; by what else was said in the same breath.
pub(crate) const COVERAGE_BEFORE: f32 = 0.4;
/// In addition, if the turn before asks: an answer seldom repeats the words of its question.
pub(crate) const COVERAGE_ASKED: f32 = 0.3;
pub(crate) const COVERAGE_AFTER: f32 = 0.1;
pub(crate) const MEANING_BEFORE: f32 = 0.15;
pub(crate) const MEANING_ASKED: f32 = 0.1;
pub(crate) const MEANING_AFTER: f32 = 0.1;

/// The session as a whole speaks of it (BM25 over sessions, best session 1).
pub(crate) const SESSION: f32 = 0.2;
/// Times ln(1 + terms): a longer turn more likely holds an answer.
pub(crate) const LENGTH: f32 = 0.016;
/// For a turn that asks: questions match questions and answer nothing.
pub(crate) const ASKS: f32 = -0.05;

/// The message names the fact's subject, if that is not the person who chats.
///
/// The counterpart of the weight for "the speaker is the one person named in the question", which was measured at .4.
/// It also counts at the gate: what is known of the kid is relevant when the message speaks of the kid, however little
/// the rest of the message has in common with it.
pub(crate) const SUBJECT: f32 = 0.4;

/// How many hits of each lane are considered. 80 lost nothing against a full scan, 40 lost .001 to .004 recall@10.
pub(crate) const LANE_HITS: usize = 80;

/// Random pairs of texts differ by this many standard deviations at most; dividing by it puts the similarity of meaning
/// on the scale of coverage.
pub(crate) const DEVIATIONS: f32 = 8.0;

/// What an old version or a stale fact loses in [`DECAY_DAYS`].
pub(crate) const DECAY: f32 = 0.1;
pub(crate) const DECAY_DAYS: f32 = 30.0;
/// What no age takes away: what was true once can always be asked for.
pub(crate) const DECAY_FLOOR: f32 = 0.3;

/// The gate on coverage and meaning together.
///
/// Measured with the questions about five of LoCoMo's conversations, each put to its own conversation and to another one where it has
/// no answer, with the default embedding table. 40, 20 and 5 % of the questions without an answer pass at .17, .23, .36
/// as they were written and at .21, .32, .53 without the speakers' names; the middle is taken, since messages name people
/// now and then. Of the questions with an answer 94, 84 and 59 % pass.
pub(crate) fn gate(level: Level) -> f32 {
    match level {
        Level::Loose => 0.19,
        Level::Normal => 0.28,
        Level::Strict => 0.44,
    }
}

/// What a long message has to bring beyond [`gate`]: this times ln(terms / [`QUESTION_TERMS`]).
///
/// The mean of many words is similar to everything. With the same questions among 1, 3 and 10 turns about something else (25, 55, 160 terms)
/// the value that 20 % pass by chance rises by .06, .10 and .15.
pub(crate) const GATE_PER_LENGTH: f32 = 0.055;

/// The gate on [`COVERAGE`] times coverage, where there is no vector to compare.
///
/// Found in the same way: .14, .18, .25 with names and .19, .25, .43 without.
pub(crate) fn keyword_gate(level: Level) -> f32 {
    match level {
        Level::Loose => 0.17,
        Level::Normal => 0.22,
        Level::Strict => 0.34,
    }
}

/// Messages with more different terms than this are long: more than nearly all questions have.
pub(crate) const QUESTION_TERMS: usize = 10;
