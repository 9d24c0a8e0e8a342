//! Lanes: independent ways to find candidates.

pub(crate) mod dense;
pub(crate) mod keyword;

use super::postings::DocNumber;

/// The name of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Similar meaning, by vectors.
    Dense,
    /// The same words, by BM25.
    Keyword,
}

impl Lane {
    pub fn name(self) -> &'static str {
        match self {
            Lane::Dense => "dense",
            Lane::Keyword => "keyword",
        }
    }
}

/// That a lane found a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneHit {
    pub lane: Lane,
    /// The place in the lane, from 1.
    pub rank: u32,
    /// Keyword: the share of the question that is covered, 0 to 1. Dense: the calibrated similarity.
    pub score: f32,
}

/// What a lane found, best first.
pub(crate) type Found = Vec<(DocNumber, f32)>;
