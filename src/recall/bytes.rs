//! How much memory a corpus takes.

use super::corpus::Corpus;
use crate::model::{FactId, SessionId, TurnId};
use std::collections::BTreeSet;

/// Bytes on the heap, counted from the lengths and capacities of what is held. `cargo bench --bench recall` compares the sum with
/// what the allocator gave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorpusBytes {
    /// The words and the posting lists.
    pub text_index: usize,
    /// The vectors and what finds them, of all generations.
    pub vectors: usize,
    /// What is known of turns, facts and sessions.
    pub records: usize,
}

impl CorpusBytes {
    pub fn total(self) -> usize {
        self.text_index + self.vectors + self.records
    }
}

/// A `BTreeMap` of so many entries. Its nodes hold 11 entries and are about half full where keys come in ascending order, as ids
/// and document numbers do.
pub(super) fn of_map<K, V>(n: usize) -> usize {
    n * (size_of::<K>() + size_of::<V>()) * 11 / 6
}

impl Corpus {
    /// The memory that this corpus takes.
    pub fn bytes(&self) -> CorpusBytes {
        let names = |names: &BTreeSet<Box<str>>| -> usize {
            let letters: usize = names.iter().map(|name| name.len()).sum();
            letters + of_map::<Box<str>, ()>(names.len())
        };
        let facts: usize = self
            .facts
            .values()
            .map(|fact| {
                let subject: usize = fact.subject.iter().map(|term| term.capacity()).sum();
                names(&fact.names)
                    + names(&fact.links)
                    + subject
                    + fact.subject.len() * size_of::<String>()
                    + size_of_val(&*fact.days)
            })
            .sum();
        let versions = self.newer_versions.len() + self.older_versions.len();
        let sets = versions + self.facts_of_turn.len();
        let maps = of_map::<FactId, super::corpus::FactEntry>(self.facts.len())
            + of_map::<TurnId, BTreeSet<FactId>>(self.facts_of_turn.len())
            + of_map::<FactId, BTreeSet<FactId>>(versions)
            // Nearly every one of these sets has a single fact in a node of its own.
            + sets * 11 * size_of::<FactId>();
        CorpusBytes {
            text_index: self.postings.bytes(),
            vectors: self.generations().map(|dense| dense.bytes()).sum(),
            records: self.turns.bytes()
                + facts
                + maps
                + self.names.bytes()
                + self.calendar.bytes()
                + self.documents.capacity() * size_of::<Option<super::corpus::Owner>>()
                + self.voice_of.capacity() * size_of::<Option<super::voice::Voice>>()
                + self.session_ids.capacity() * size_of::<SessionId>()
                + self.fact_ids.capacity() * size_of::<FactId>()
                + self.session_ids.len() * 2 * size_of::<(SessionId, u32)>(),
        }
    }
}
