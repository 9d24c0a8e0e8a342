//! What was said together with a fact.

use crate::model::{FactId, RecordRef, TurnId};
use crate::recall::corpus::Corpus;
use crate::recall::relations::KnownOn;

pub(in crate::recall) struct Breath {
    /// The fact and the versions it replaced.
    pub versions: Vec<FactId>,
    /// The turns they rest on.
    pub turns: Vec<TurnId>,
    /// Other facts of the fact's turn and of the turn before.
    pub before: Vec<FactId>,
    /// Facts of the turn after.
    pub after: Vec<FactId>,
}

impl Breath {
    pub fn of(corpus: &Corpus, id: FactId, on: KnownOn) -> Breath {
        let mut versions = vec![id];
        versions.extend(corpus.older(id, on));
        let evidence = |id: &FactId| corpus.source_of(RecordRef::Fact(*id));
        let turns: Vec<TurnId> = versions.iter().filter_map(evidence).collect();
        let others = |turn: Option<TurnId>| -> Vec<FactId> {
            let facts = turn.into_iter().flat_map(|turn| corpus.facts_of(turn));
            facts.filter(|other| !versions.contains(other)).collect()
        };
        let own = evidence(&id);
        let mut before = others(own);
        before.extend(others(own.and_then(|turn| corpus.before(turn))));
        let after = others(own.and_then(|turn| corpus.after(turn)));
        Breath {
            versions,
            turns,
            before,
            after,
        }
    }
}
