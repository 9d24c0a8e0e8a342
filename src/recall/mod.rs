//! Recall: from a message to the facts, turns and memory files that it should bring to mind.
//!
//! A [`Corpus`] holds what recall needs of one namespace. [`Corpus::recall`] asks each lane for its best documents, takes their union,
//! adds what was said next to them, scores everything by one weighted sum, lets through what is strong enough by itself or was said
//! beside something that is, and says nothing twice.
//!
//! | file | idea |
//! |---|---|
//! | `corpus` | what is known: turns, facts and memory files, added and removed |
//! | `generations` | their vectors, and a change of embedder |
//! | `corpus/segment` | the same as bytes, so that a start need not read every text again |
//! | `agreement` | whether all this is as it would be if it were read again |
//! | `turns` | the turns, side by side |
//! | `relations` | their order, their versions, who rests on whom |
//! | `postings`, `lane/keyword` | the words |
//! | `lane/dense` | the meaning |
//! | `lane/exact` | names, numbers, quoted phrases |
//! | `lane/time` | the days |
//! | `question`, `voice` | what a question says, and whom it means |
//! | `filter` | what may be recalled |
//! | `rank`, `candidates`, `hits` | from the question to the answer: what the lanes found, expansion, order |
//! | `score` | the score of a turn, of a fact and of a memory file, and what their words add to it |
//! | `gate` | what is strong enough to be brought up |
//! | `collapse` | duplicates |
//! | `bytes` | how much memory it takes |
//! | `decay`, `weights` | constants |
//! | `evaluation` | how good all this is |
//!
//! A new lane is a file under `lane` with its search, a name in [`Lane`], its call in `candidates` and its part in `score`.
//! Recall never embeds, never writes, and gives the same answer to the same question.

mod agreement;
mod bytes;
mod candidates;
mod collapse;
mod corpus;
mod decay;
pub mod evaluation;
mod filter;
mod gate;
mod generations;
mod hits;
mod lane;
mod postings;
mod question;
mod rank;
mod relations;
mod score;
#[cfg(test)]
mod tests;
mod turns;
mod voice;
mod weights;

pub use bytes::CorpusBytes;
pub use corpus::{
    Corpus, Draft, Piece, Restored, Restoring, SEGMENT_MAKER, SegmentError, SegmentKey,
};
pub use decay::kept_share;
pub use filter::Filter;
pub use lane::dense::GraphTask;
pub use lane::{Lane, LaneHit};
pub use weights::Weights;

use crate::embed::{Embedded, Words};
use crate::index::IndexError;
use crate::model::{FactId, RecordRef, SessionId, TurnId};
use crate::time::Timestamp;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

/// What recall has to know about an embedding model.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedderSpec {
    /// The name stored with its vectors.
    pub id: String,
    pub dimensions: usize,
    /// Mean cosine of random pairs of texts: what "nothing in common" measures with this model.
    pub mean: f32,
    /// Standard deviation of the same.
    pub sd: f32,
}

impl EmbedderSpec {
    /// A cosine on a scale that means the same for every model: 0 is a random pair, 1 is not reached in practice.
    pub fn calibrate(&self, cosine: f32) -> f32 {
        (cosine - self.mean) / self.sd.max(f32::EPSILON) / weights::DEVIATIONS
    }
}

/// How sure recall must be to bring something up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Level {
    /// Everything that a lane found: a ranking for whoever sets a gate of their own.
    All,
    /// For a person who searches: about 40 of 100 questions without an answer bring up something.
    Loose,
    /// For the block of a chat: about 20 of 100.
    #[default]
    Normal,
    /// About 5 of 100.
    Strict,
}

/// How many items [`Query::limit`] usually asks for.
pub const DEFAULT_LIMIT: usize = 8;

/// A question to the corpus.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The message as the person wrote it.
    pub text: &'a str,
    /// The vector of [`Corpus::words_to_embed`] of it by the corpus' embedder; `None` recalls by keywords.
    pub vector: Option<&'a [f32]>,
    /// The words of the same, if that embedder gives them.
    pub words: Option<&'a Words>,
    pub now: Timestamp,
    /// At most so many items; see [`DEFAULT_LIMIT`].
    pub limit: usize,
    pub level: Level,
    /// Not to be returned, e.g. because it is in the prompt already.
    pub exclude: &'a HashSet<RecordRef>,
    /// The running session: its turns are in the prompt and are not returned. Facts learnt in it are.
    pub not_session: Option<SessionId>,
    /// Its turns before this position are not in the prompt any more: they are returned like all others.
    pub not_session_from: u32,
    /// What may be recalled.
    pub filter: &'a Filter,
    /// How much each part of a score counts.
    pub weights: &'a Weights,
}

impl<'a> Query<'a> {
    /// A question asked at `now`, by words, with every default.
    pub fn new(text: &'a str, now: Timestamp) -> Query<'a> {
        static NOTHING: LazyLock<HashSet<RecordRef>> = LazyLock::new(HashSet::new);
        static NO_FILTER: Filter = Filter::NONE;
        Query {
            text,
            vector: None,
            words: None,
            now,
            limit: DEFAULT_LIMIT,
            level: Level::Normal,
            exclude: &NOTHING,
            not_session: None,
            not_session_from: 0,
            filter: &NO_FILTER,
            weights: &Weights::DEFAULT,
        }
    }

    /// The same question with what the corpus' embedder makes of it, and the weights that go with that.
    pub fn embedded(self, embedded: Option<&'a Embedded>) -> Query<'a> {
        Query {
            vector: embedded.map(|embedded| &embedded.vector[..]),
            words: embedded.and_then(|embedded| embedded.words.as_ref()),
            weights: Weights::fitting(embedded),
            ..self
        }
    }
}

/// What came to mind, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recollection {
    pub items: Vec<Recalled>,
    /// How many records were scored.
    pub candidates: usize,
    /// The query's vector could not be used, and recall went by keywords.
    pub refused: Option<IndexError>,
}

/// One recalled record and why it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled {
    /// A turn, the newest version of a fact, or a memory file.
    pub record: RecordRef,
    /// The sum of the parts.
    pub score: f32,
    /// What made the score; parts of no weight are left out.
    pub parts: Vec<Part>,
    /// The lanes that found it; empty if it was only said beside something found.
    pub lanes: Vec<LaneHit>,
    /// What was said beside it and added to its score.
    pub beside: Vec<RecordRef>,
    /// The turn it rests on; `None` for a fact that nobody said.
    pub source: Option<TurnId>,
    /// Superseded versions of this fact, newest first.
    pub older: Vec<FactId>,
    /// Where in its turn or file: the passage that matches best, or the fact's quote; in UTF-16 code units of that text.
    pub piece: Option<Range<u32>>,
}

/// One summand of a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    pub name: &'static str,
    pub value: f32,
}
