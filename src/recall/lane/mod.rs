//! Lanes: independent ways to find candidates.

pub(crate) mod dense;
pub(crate) mod exact;
pub(crate) mod keyword;
pub(crate) mod time;

use super::corpus::Corpus;
use super::postings::DocNumber;
use std::cmp::Ordering;

/// The name of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Similar meaning, by vectors.
    Dense,
    /// The same words, by BM25.
    Keyword,
    /// The same name, number or quoted phrase.
    Exact,
    /// Said on the days of which the question speaks.
    Time,
    /// Said by the person whom the question names.
    Speaker,
    /// Said in a session that speaks of it as a whole.
    Session,
    /// A fact about someone or something that a found fact mentions.
    Entity,
}

impl Lane {
    pub fn name(self) -> &'static str {
        match self {
            Lane::Dense => "dense",
            Lane::Keyword => "keyword",
            Lane::Exact => "exact",
            Lane::Time => "time",
            Lane::Speaker => "speaker",
            Lane::Session => "session",
            Lane::Entity => "entity",
        }
    }
}

/// That a lane found a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneHit {
    pub lane: Lane,
    /// The place in the lane, from 1.
    pub rank: u32,
    /// Dense: the calibrated similarity. Exact: the share of what must be found, or the length of the name in terms.
    /// Others: the share of the question that is covered, 0 to 1.
    pub score: f32,
}

/// What a lane found, best first.
pub(crate) type Found = Vec<(DocNumber, f32)>;

/// The `n` best, best first; equal ones as [`better_first`] has them.
pub(crate) fn best(corpus: &Corpus, mut found: Found, n: usize) -> Found {
    if n > 0 && found.len() > n {
        found.select_nth_unstable_by(n - 1, better_first(corpus));
    }
    found.truncate(n);
    found.sort_unstable_by(better_first(corpus));
    found
}

/// The order of a lane: equal ones stand in the order of their records and pieces.
///
/// Not in that of their numbers, which tell only in which order the records were read: a place in a lane is part of a
/// score (`candidates::linked`), and the same records must have the same scores.
fn better_first(
    corpus: &Corpus,
) -> impl Fn(&(DocNumber, f32), &(DocNumber, f32)) -> Ordering + Copy {
    |a, b| {
        let by_score = b.1.total_cmp(&a.1);
        by_score.then_with(|| corpus.owner(a.0).cmp(&corpus.owner(b.0)))
    }
}
