//! What an extractor proposes to know.

use crate::model::{Confidence, Evidence, Fact, FactId, FactType, Origin};
use crate::time::Timestamp;

/// A fact that was read out of a stored turn and is not stored yet.
///
/// Whoever makes one has checked the evidence against the turn: the quote is the turn's own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub fact_type: FactType,
    /// [`SUBJECT_USER`](crate::model::SUBJECT_USER), or a name.
    pub subject: String,
    pub attribute: String,
    pub statement: String,
    pub entities: Vec<String>,
    pub numbers: Vec<String>,
    pub evidence: Evidence,
    /// When the turn of the evidence was said.
    pub said_at: Timestamp,
    pub origin: Origin,
    pub confidence: Confidence,
    /// When it began to hold; never after `said_at`.
    pub valid_from: Timestamp,
    /// The known fact that this one is said to replace; [`resolve`](super::resolve) decides whether it does.
    pub supersedes: Option<FactId>,
}

impl Proposal {
    /// The first version of a fact, linked to nothing.
    pub(super) fn into_fact(self, id: FactId, recorded_at: Timestamp) -> Fact {
        Fact {
            v: Fact::VERSION,
            id,
            fact_type: self.fact_type,
            subject: self.subject,
            attribute: self.attribute,
            statement: self.statement,
            entities: self.entities,
            numbers: self.numbers,
            evidence: Some(self.evidence),
            origin: self.origin,
            confidence: self.confidence,
            valid_from: self.valid_from,
            recorded_at,
            supersedes: None,
            superseded_by: None,
            stale: None,
            proof_count: 1,
        }
    }
}
