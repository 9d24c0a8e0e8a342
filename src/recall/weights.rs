//! The weights of the score, as data: a part can be taken out or changed without another path through the code.
//!
//! They come from a coordinate search over the questions about five conversations of LoCoMo, rounded (`docs/evaluation.md`).
//! There is no public data with facts beside turns: where a fact's part has a counterpart in a turn's score it has the same weight.

use crate::embed::{Embedded, Words};

macro_rules! weights {
    ($($(#[$doc:meta])* $name:ident = $value:expr,)+) => {
        /// How much each part of a score counts.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Weights {
            $($(#[$doc])* pub $name: f32,)+
        }

        impl Weights {
            /// What recall uses unless it is told otherwise.
            pub const DEFAULT: Weights = Weights { $($name: $value,)+ };

            /// The names of all weights, in their order.
            pub const NAMES: &[&str] = &[$(stringify!($name),)+];

            /// A weight by its name.
            pub fn get_mut(&mut self, name: &str) -> Option<&mut f32> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)+
                    _ => None,
                }
            }
        }
    };
}

weights! {
    /// How much of the question's words the text holds (BM25 coverage, 0 to 1).
    coverage = 1.2,
    /// Coverage by the turn before; by what else was said in the same breath.
    coverage_before = 0.25,
    /// In addition, if the turn before asks: an answer seldom repeats the words of its question.
    coverage_asked = 0.6,
    coverage_after = 0.15,
    /// Coverage by the turns that lie two away, each.
    coverage_near = 0.2,
    /// The calibrated similarity of meaning.
    meaning = 0.85,
    meaning_before = 0.15,
    /// In addition, if the turn before asks.
    meaning_asked = 0.1,
    meaning_after = 0.05,
    /// Similarity of the turns that lie two away, each.
    meaning_near = 0.1,
    /// How like the likest words of the text are to the question's, in the mean: of embedders that give words, and only of the first
    /// records. Nothing elsewhere.
    likest = 0.0,
    /// The session as a whole speaks of it (BM25 over sessions, best session 1).
    session = 0.3,
    /// The speaker is the one person named in the question.
    speaker = 0.25,
    /// The speaker is whom "I" or "you" must mean. Less than a name: not measured, since data with named speakers has no such words.
    asker = 0.1,
    /// Said on a day of which the question speaks, or it names such a day.
    time = 0.4,
    /// The question asks when, and the text names a day.
    when = 0.15,
    /// The question asks for a name or a number, and the text has some: times how many, 0 to 1.
    form = 0.25,
    /// The share of the question's numbers and quoted phrases that the text holds.
    exact = 0.2,
    /// The message names the fact's subject, if that is not the person who chats.
    ///
    /// It also counts at the gate: what is known of the kid is relevant when the message speaks of the kid, however little
    /// the rest of the message has in common with it.
    subject = 0.4,
    /// The message names the fact's attribute or an entity in it; this, too, counts at the gate.
    named = 0.2,
    /// Times the strength of a found fact that has a name in common with this one.
    hop = 0.4,
    /// Times ln(1 + terms): a longer turn more likely holds an answer.
    length = 0.02,
    /// For a turn that asks: questions match questions and answer nothing.
    asks = -0.1,
    /// Times one half per 30 days of age. Off: what is asked for may be old, and +.05 cost .005 recall@10.
    recency = 0.0,
}

impl Weights {
    /// Of questions whose words are known. Likest words say part of what coverage and meaning say, so these count less; found in the same
    /// way, drawn weakly to the others, with all-MiniLM-L6-v2 (`docs/evaluation.md`).
    const WITH_WORDS: Weights = Weights {
        coverage: 0.5,
        coverage_before: 0.0,
        coverage_asked: 0.3,
        coverage_after: 0.0,
        coverage_near: 0.1,
        meaning: 0.55,
        meaning_before: 0.1,
        meaning_asked: 0.2,
        likest: 1.6,
        speaker: 0.3,
        time: 0.45,
        when: 0.2,
        form: 0.3,
        ..Weights::DEFAULT
    };

    /// Of questions whose pieces are rows of a table: likeness of rows says less than that of words in their context, and is seldom low.
    const WITH_PIECES: Weights = Weights {
        coverage_asked: 0.4,
        meaning: 0.6,
        meaning_before: 0.15,
        meaning_asked: 0.05,
        meaning_after: 0.0,
        likest: 1.0,
        ..Weights::WITH_WORDS
    };

    /// The weights for a question as an embedder sees it.
    pub fn fitting(question: Option<&Embedded>) -> &'static Weights {
        match question.and_then(|question| question.words.as_ref()) {
            Some(Words::Directions(_)) => &Weights::WITH_WORDS,
            Some(Words::Pieces(_)) => &Weights::WITH_PIECES,
            None => &Weights::DEFAULT,
        }
    }
}

impl Default for Weights {
    fn default() -> Weights {
        Weights::DEFAULT
    }
}

/// In so many days what is new becomes half as new.
pub(crate) const RECENCY_DAYS: f32 = 30.0;

/// How many hits of each lane are considered. 80 lost nothing against a full scan, 40 lost .001 to .004 recall@10.
pub(crate) const LANE_HITS: usize = 80;

/// How many sessions the session lane looks into.
pub(crate) const LANE_SESSIONS: usize = 3;

/// Random pairs of texts differ by this many standard deviations at most; dividing by it puts the similarity of meaning
/// on the scale of coverage.
pub(crate) const DEVIATIONS: f32 = 8.0;

/// What an old version or a stale fact loses in [`DECAY_DAYS`].
pub(crate) const DECAY: f32 = 0.1;
pub(crate) const DECAY_DAYS: f32 = 30.0;
/// What no age takes away: what was true once can always be asked for.
pub(crate) const DECAY_FLOOR: f32 = 0.3;

/// Messages with more different terms than this are long: more than nearly all questions have.
pub(crate) const QUESTION_TERMS: usize = 10;
