//! What was said together with a fact.

use crate::model::{FactId, RecordRef, TurnId};
use crate::recall::corpus::{Corpus, FactEntry};
use crate::recall::relations::KnownOn;
use crate::recall::turns::TurnEntry;

/// A fact as a score looks at it: found once, looked at often.
#[derive(Clone, Copy)]
pub(in crate::recall) struct Version<'a> {
    pub id: FactId,
    pub fact: &'a FactEntry,
}

pub(in crate::recall) struct Breath<'a> {
    /// The fact, then the versions it replaced.
    pub versions: Vec<Version<'a>>,
    /// The turns they rest on; the turn of a quote may be gone.
    pub turns: Vec<&'a TurnEntry>,
    /// Other facts of the fact's turn and of the turn before.
    pub before: Vec<Version<'a>>,
    /// Facts of the turn after.
    pub after: Vec<Version<'a>>,
}

impl<'a> Breath<'a> {
    pub fn of(corpus: &'a Corpus, id: FactId, on: KnownOn) -> Breath<'a> {
        let version = |id: FactId| Version {
            id,
            fact: &corpus.facts[&id],
        };
        let mut versions = vec![version(id)];
        versions.extend(corpus.older(id, on).into_iter().map(version));
        let evidence = versions.iter().filter_map(|one| one.fact.evidence.as_ref());
        let turns = evidence.filter_map(|(turn, _)| corpus.turns.get(*turn));
        let others = |turn: Option<TurnId>| -> Vec<Version> {
            let facts = turn.into_iter().flat_map(|turn| corpus.facts_of(turn));
            let others = facts.filter(|other| versions.iter().all(|one| one.id != *other));
            others.map(version).collect()
        };
        let own = corpus.source_of(RecordRef::Fact(id));
        let mut before = others(own);
        before.extend(others(own.and_then(|turn| corpus.before(turn))));
        let after = others(own.and_then(|turn| corpus.after(turn)));
        Breath {
            turns: turns.collect(),
            before,
            after,
            versions,
        }
    }

    /// The fact itself: the newest of its versions.
    pub fn newest(&self) -> Version<'a> {
        self.versions[0]
    }

    pub fn id(&self) -> FactId {
        self.newest().id
    }
}
