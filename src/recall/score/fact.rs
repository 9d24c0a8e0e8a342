//! The score of a fact: its versions, what was said in the same breath, and what it is called.

use super::{Lane, Parts, Ranking, Signals};
use crate::model::{FactId, RecordRef};

impl Ranking<'_> {
    /// One version of a fact, whatever its age.
    ///
    /// A similarity below that of a random pair counts as none. The random pairs were passages of a conversation; statements of a few words
    /// lie below them throughout, so that a low value says that the fact is short.
    fn fresh(&self, id: FactId) -> Signals {
        let mut docs = self.corpus.documents_of(RecordRef::Fact(id));
        let signals = docs
            .next()
            .map(|doc| self.document(doc))
            .unwrap_or_default();
        Signals {
            meaning: signals.meaning.map(|meaning| meaning.max(0.0)),
            ..signals
        }
    }

    /// One version of a fact with what age took from it.
    fn version(&self, id: FactId) -> Signals {
        let share = self
            .corpus
            .kept_share(id, self.query.now, self.query.filter.known_on);
        self.fresh(id).kept(share)
    }

    /// The best version of a fact.
    fn fact(&self, versions: &[FactId]) -> Signals {
        let each = versions.iter().map(|id| self.version(*id));
        let best = each.reduce(|best, other| best.stronger(other, self.query.weights));
        best.unwrap_or_default()
    }

    /// Whether the message names whom or what the fact is about.
    fn names_subject(&self, id: FactId) -> bool {
        let subject = self.corpus.facts.get(&id).map(|fact| &fact.subject[..]);
        subject.is_some_and(|terms| {
            !terms.is_empty()
                && terms
                    .iter()
                    .all(|term| self.question.distinct.contains(term))
        })
    }

    fn subject_bonus(&self, id: FactId) -> f32 {
        if self.names_subject(id) {
            self.query.weights.subject
        } else {
            0.0
        }
    }

    /// Whether the message calls the fact by its property or by an entity in it.
    fn named_bonus(&self, versions: &[FactId]) -> f32 {
        let named = &self.candidates.named;
        let is_named = versions.iter().any(|id| named.contains_key(id));
        if is_named {
            self.query.weights.named
        } else {
            0.0
        }
    }

    /// By how much a found fact with a name in common lifts this one.
    fn hop_bonus(&self, id: FactId) -> f32 {
        let hits = self.candidates.hits.get(&RecordRef::Fact(id));
        let mut hits = hits.into_iter().flatten();
        let hop = hits.find(|hit| hit.lane == Lane::Entity);
        hop.map_or(0.0, |hit| self.query.weights.hop * hit.score)
    }

    /// Age costs a fact its place, not its way through the gate: what was true once can still be asked for.
    pub(super) fn fact_passes(&self, id: FactId) -> bool {
        let day = self.corpus.facts.get(&id).map(|fact| fact.days[0]);
        let bonus = self.subject_bonus(id)
            + self.named_bonus(&[id])
            + self.hop_bonus(id)
            + self.days_bonus(day);
        self.passes(self.fresh(id), bonus)
    }

    /// The facts said in the same breath that add to a fact's score.
    pub(super) fn beside_fact(&self, id: FactId) -> Vec<RecordRef> {
        let breath = &self.candidates.breaths[&id];
        let others = breath.before.iter().chain(&breath.after);
        let adds = |id: &&FactId| {
            let signals = self.version(**id);
            signals.coverage > 0.0 || signals.meaning() > 0.0
        };
        others.filter(adds).map(|id| RecordRef::Fact(*id)).collect()
    }

    pub(super) fn fact_parts(&self, id: FactId) -> Parts {
        let on = self.query.filter.known_on;
        let breath = &self.candidates.breaths[&id];
        let own = self.fact(&breath.versions);
        let strongest = |facts: &[FactId]| {
            let each = facts.iter().map(|id| self.version(*id));
            each.fold(Signals::default(), |best, other| Signals {
                coverage: best.coverage.max(other.coverage),
                meaning: Some(best.meaning().max(other.meaning())),
            })
        };
        let (before, after) = (strongest(&breath.before), strongest(&breath.after));
        let weights = self.query.weights;
        // Age takes its share of these, too.
        let kept = self.corpus.kept_share(id, self.query.now, on);
        let parts = [
            ("coverage", weights.coverage * own.coverage),
            ("coverage_before", weights.coverage_before * before.coverage),
            ("coverage_after", weights.coverage_after * after.coverage),
            ("meaning", weights.meaning * own.meaning()),
            ("meaning_before", weights.meaning_before * before.meaning()),
            ("meaning_after", weights.meaning_after * after.meaning()),
            ("subject", self.subject_bonus(id) * kept),
            ("named", self.named_bonus(&breath.versions) * kept),
            ("hop", self.hop_bonus(id) * kept),
        ];
        let fact = &self.corpus.facts[&id];
        let docs = fact.doc..fact.doc + 1;
        let days = fact.days.iter().copied();
        let common = self.common_parts(docs, days, fact.form, fact.times.valid_from);
        let common = common.map(|(name, value)| (name, value * kept));
        Parts::of(parts.into_iter().chain(common))
    }
}
