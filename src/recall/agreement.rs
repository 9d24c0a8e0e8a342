//! Whether a corpus agrees with one that was read anew from the same records.

use super::corpus::Corpus;
use crate::model::{RecordRef, VectorOwner};
use std::collections::BTreeSet;

/// The cosine of a vector with itself, as far as 8-bit rows in the index can tell.
const SAME: f32 = 0.99;

impl Corpus {
    /// The records that only one of the two has, or that are found by other words, days, names or versions in each.
    pub fn differing(&self, other: &Corpus) -> BTreeSet<RecordRef> {
        let turns = self.turns.ids().chain(other.turns.ids());
        let turns = turns.filter(|id| match (self.turns.get(*id), other.turns.get(*id)) {
            (Some(a), Some(b)) => !a.is_like(b),
            _ => true,
        });
        let facts = self.facts.keys().chain(other.facts.keys());
        let facts = facts.filter(|id| match (self.facts.get(id), other.facts.get(id)) {
            (Some(a), Some(b)) => !a.is_like(b),
            _ => true,
        });
        let files = self.files.keys().chain(other.files.keys());
        let files = files.filter(|id| match (self.files.get(id), other.files.get(id)) {
            (Some(a), Some(b)) => !a.is_like(b),
            _ => true,
        });
        let turns = turns.map(RecordRef::Turn);
        let facts = facts.map(|id| RecordRef::Fact(*id));
        let files = files.map(|id| RecordRef::File(*id));
        turns.chain(facts).chain(files).collect()
    }

    /// Whether there is such a piece of text.
    pub fn has_piece(&self, owner: VectorOwner) -> bool {
        self.document_of(owner).is_some()
    }

    /// Whether recall goes by this vector and these words for this piece. Vectors of an embedder that has no generation here are not asked
    /// for, and so in order.
    pub fn goes_by(
        &self,
        embedder: &str,
        owner: VectorOwner,
        vector: &[f32],
        words: Option<&[u8]>,
    ) -> bool {
        let (Some(doc), Some(dense)) = (self.document_of(owner), self.generation(embedder)) else {
            return true;
        };
        let nearest = dense.index().search_among(vector, 1, &[doc]);
        dense.words(doc) == words
            && nearest.is_ok_and(|hits| hits.first().is_some_and(|hit| hit.score >= SAME))
    }
}
