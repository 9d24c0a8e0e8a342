//! How much memory a corpus takes.

use super::corpus::{Corpus, FactEntry, FileEntry, Owner};
use super::voice::Voice;
use crate::model::{FactId, FileId, SessionId, TurnId};
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

/// A `HashMap` with room for so many entries: an eighth of its places stays empty, and each has a byte of its hash.
fn of_hash_map<K, V>(capacity: usize) -> usize {
    capacity * (size_of::<(K, V)>() + 1) * 8 / 7
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
        let files: usize = self
            .files
            .values()
            .map(|file| size_of_val(&*file.spans) + size_of_val(&*file.days))
            .sum();
        let files = files + of_map::<FileId, FileEntry>(self.files.len());
        let versions = [&self.newer_versions, &self.older_versions];
        let n_versions: usize = versions.iter().map(|versions| versions.len()).sum();
        let sets = n_versions + self.facts_of_turn.len();
        let links = versions.iter().map(|versions| versions.capacity()).sum();
        let maps = of_hash_map::<FactId, FactEntry>(self.facts.capacity())
            + of_hash_map::<TurnId, BTreeSet<FactId>>(self.facts_of_turn.capacity())
            + of_hash_map::<FactId, BTreeSet<FactId>>(links)
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
                + self.documents.capacity() * size_of::<Option<Owner>>()
                + self.voice_of.capacity() * size_of::<Option<Voice>>()
                + self.session_ids.capacity() * size_of::<SessionId>()
                + self.fact_ids.capacity() * size_of::<FactId>()
                + self.file_ids.capacity() * size_of::<FileId>()
                + files
                + of_hash_map::<SessionId, u32>(self.session_ids.len()),
        }
    }
}
