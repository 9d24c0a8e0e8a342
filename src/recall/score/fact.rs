//! The score of a fact: its versions, what was said in the same breath, and what it is called.

use super::breath::{Breath, Version};
use super::{Parts, Ranking, Signals};
use crate::model::RecordRef;

impl Ranking<'_> {
    /// One version of a fact, whatever its age.
    ///
    /// A similarity below that of a random pair counts as none. The random pairs were passages of a conversation; statements of a few words
    /// lie below them throughout, so that a low value says that the fact is short.
    fn fresh(&self, version: Version) -> Signals {
        let signals = self.document(version.fact.doc);
        Signals {
            meaning: signals.meaning.map(|meaning| meaning.max(0.0)),
            ..signals
        }
    }

    /// The share of its score that age leaves to a version.
    pub(super) fn kept(&self, version: Version) -> f32 {
        let on = self.query.filter.known_on;
        self.corpus.kept_share(version.id, self.query.now, on)
    }

    /// One version of a fact with what age took from it.
    fn aged(&self, version: Version) -> Signals {
        self.fresh(version).kept(self.kept(version))
    }

    /// The best version of a fact.
    fn fact(&self, versions: &[Version]) -> Signals {
        let each = versions.iter().map(|version| self.aged(*version));
        let best = each.reduce(|best, other| best.stronger(other, self.query.weights));
        best.unwrap_or_default()
    }

    /// Whether the message names whom or what the fact is about.
    fn names_subject(&self, version: Version) -> bool {
        let terms = &version.fact.subject;
        !terms.is_empty()
            && terms
                .iter()
                .all(|term| self.question.distinct.contains(term))
    }

    fn subject_bonus(&self, version: Version) -> f32 {
        if self.names_subject(version) {
            self.query.weights.subject
        } else {
            0.0
        }
    }

    /// Whether the message calls the fact by its property or by an entity in it.
    fn named_bonus(&self, versions: &[Version]) -> f32 {
        let named = &self.candidates.named;
        if versions
            .iter()
            .any(|version| named.contains(version.fact.doc))
        {
            self.query.weights.named
        } else {
            0.0
        }
    }

    /// By how much a found fact with a name in common lifts this one.
    fn hop_bonus(&self, version: Version) -> f32 {
        let hop = self.candidates.linked.get(&version.id);
        hop.map_or(0.0, |score| self.query.weights.hop * score)
    }

    /// Age costs a fact its place, not its way through the gate: what was true once can still be asked for.
    pub(super) fn fact_passes(&self, version: Version) -> bool {
        let bonus = self.subject_bonus(version)
            + self.named_bonus(&[version])
            + self.hop_bonus(version)
            + self.days_bonus(Some(version.fact.days[0]));
        self.passes(self.fresh(version), bonus)
    }

    /// The facts said in the same breath that add to a fact's score.
    pub(super) fn beside_fact(&self, breath: &Breath) -> Vec<RecordRef> {
        let others = breath.before.iter().chain(&breath.after);
        let adds = |version: &&Version| {
            let signals = self.aged(**version);
            signals.coverage > 0.0 || signals.meaning() > 0.0
        };
        let adding = others.filter(adds);
        adding.map(|version| RecordRef::Fact(version.id)).collect()
    }

    pub(super) fn fact_parts(&self, breath: &Breath) -> Parts {
        let newest = breath.newest();
        let own = self.fact(&breath.versions);
        let strongest = |versions: &[Version]| {
            let each = versions.iter().map(|version| self.aged(*version));
            each.fold(Signals::default(), |best, other| Signals {
                coverage: best.coverage.max(other.coverage),
                meaning: Some(best.meaning().max(other.meaning())),
            })
        };
        let (before, after) = (strongest(&breath.before), strongest(&breath.after));
        let weights = self.query.weights;
        // Age takes its share of these, too.
        let kept = self.kept(newest);
        let parts = [
            ("coverage", weights.coverage * own.coverage),
            ("coverage_before", weights.coverage_before * before.coverage),
            ("coverage_after", weights.coverage_after * after.coverage),
            ("meaning", weights.meaning * own.meaning()),
            ("meaning_before", weights.meaning_before * before.meaning()),
            ("meaning_after", weights.meaning_after * after.meaning()),
            ("subject", self.subject_bonus(newest) * kept),
            ("named", self.named_bonus(&breath.versions) * kept),
            ("hop", self.hop_bonus(newest) * kept),
        ];
        let fact = newest.fact;
        let docs = fact.doc..fact.doc + 1;
        let days = fact.days.iter().copied();
        let common = self.common_parts(docs, days, fact.form, fact.times.valid_from);
        let common = common.map(|(name, value)| (name, value * kept));
        Parts::of(parts.into_iter().chain(common))
    }
}
