//! The score and the gate.

use super::corpus::Corpus;
use super::gate::{GATE_PER_LENGTH, gate, keyword_gate};
use super::lane::LaneHit;
use super::postings::{DocNumber, Matches};
use super::voice::Meant;
use super::weights::{QUESTION_TERMS, Weights};
use super::{Part, Query, Recalled};
use crate::model::{FactId, RecordRef, TurnId};
use std::collections::{BTreeSet, HashMap};

/// What was said together with a fact.
pub(super) struct Breath {
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
    pub fn of(corpus: &Corpus, id: FactId) -> Breath {
        let mut versions = vec![id];
        versions.extend(corpus.older(id));
        let evidence = |id: &FactId| corpus.facts.get(id)?.evidence.as_ref().map(|e| e.0);
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

/// How well a text matches by itself.
#[derive(Clone, Copy, Default)]
struct Signals {
    coverage: f32,
    /// `None` where there is nothing to compare: no vector of the question or of the text.
    meaning: Option<f32>,
}

impl Signals {
    fn meaning(self) -> f32 {
        self.meaning.unwrap_or(0.0)
    }

    fn strength(self, weights: &Weights) -> f32 {
        weights.coverage * self.coverage + weights.meaning * self.meaning()
    }

    /// With what age took away.
    fn kept(self, share: f32) -> Signals {
        Signals {
            coverage: self.coverage * share,
            meaning: self.meaning.map(|meaning| meaning * share),
        }
    }
}

pub(super) struct Ranking<'a> {
    pub corpus: &'a Corpus,
    pub query: &'a Query<'a>,
    pub meant: Meant,
    pub terms: BTreeSet<String>,
    pub matches: Matches,
    pub similar: Option<HashMap<DocNumber, f32>>,
}

impl Ranking<'_> {
    fn document(&self, doc: DocNumber) -> Signals {
        Signals {
            coverage: self.matches.coverage(doc),
            meaning: self
                .similar
                .as_ref()
                .and_then(|similar| similar.get(&doc).copied()),
        }
    }

    /// The best piece of a turn, and which one it is.
    fn turn(&self, id: TurnId) -> (usize, Signals) {
        let docs = self.corpus.documents_of(RecordRef::Turn(id));
        let pieces = docs.map(|doc| self.document(doc)).enumerate();
        let better = |best: (usize, Signals), piece: (usize, Signals)| {
            if piece.1.strength(self.query.weights) > best.1.strength(self.query.weights) {
                piece
            } else {
                best
            }
        };
        pieces.reduce(better).unwrap_or_default()
    }

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
        self.fresh(id)
            .kept(self.corpus.kept_share(id, self.query.now))
    }

    /// The best version of a fact.
    fn fact(&self, versions: &[FactId]) -> Signals {
        let each = versions.iter().map(|id| self.version(*id));
        let better = |best: Signals, other: Signals| {
            if other.strength(self.query.weights) > best.strength(self.query.weights) {
                other
            } else {
                best
            }
        };
        each.reduce(better).unwrap_or_default()
    }

    /// Whether the message names whom or what the fact is about.
    fn names_subject(&self, id: FactId) -> bool {
        let subject = self.corpus.facts.get(&id).map(|fact| &fact.subject[..]);
        subject.is_some_and(|terms| {
            !terms.is_empty() && terms.iter().all(|term| self.terms.contains(term))
        })
    }

    fn subject_bonus(&self, id: FactId) -> f32 {
        if self.names_subject(id) {
            self.query.weights.subject
        } else {
            0.0
        }
    }

    /// Whether a text is strong enough by itself.
    fn passes(&self, signals: Signals, bonus: f32) -> bool {
        let least = match signals.meaning {
            Some(_) => gate(self.query.level) + self.long_message(),
            None => keyword_gate(self.query.level),
        };
        signals.strength(self.query.weights) + bonus >= least
    }

    fn long_message(&self) -> f32 {
        let relative = self.terms.len() as f32 / QUESTION_TERMS as f32;
        GATE_PER_LENGTH * relative.max(1.0).ln()
    }

    /// Age costs a fact its place, not its way through the gate: what was true once can still be asked for.
    fn fact_passes(&self, id: FactId) -> bool {
        self.passes(self.fresh(id), self.subject_bonus(id))
    }

    /// Whether a record is strong enough, or something that was said beside it is.
    pub fn is_relevant(&self, record: RecordRef) -> bool {
        let turn_passes = |id: &TurnId| self.passes(self.turn(*id).1, 0.0);
        match record {
            RecordRef::Turn(id) => {
                let beside = [Some(id), self.corpus.before(id), self.corpus.after(id)];
                beside.iter().flatten().any(turn_passes)
            }
            RecordRef::Fact(id) => {
                let breath = Breath::of(self.corpus, id);
                let mut facts = breath
                    .versions
                    .iter()
                    .chain(&breath.before)
                    .chain(&breath.after);
                facts.any(|id| self.fact_passes(*id)) || breath.turns.iter().any(turn_passes)
            }
        }
    }

    pub fn item(&self, record: RecordRef, lanes: Vec<LaneHit>) -> Recalled {
        let (parts, older, piece) = match record {
            RecordRef::Turn(id) => {
                let best = self.turn(id);
                let spans = &self.corpus.turns[&id].spans;
                (
                    self.turn_parts(id, best.1),
                    Vec::new(),
                    Some(spans[best.0].clone()),
                )
            }
            RecordRef::Fact(id) => (self.fact_parts(id), self.corpus.older(id), None),
        };
        let named = parts.into_iter().map(|(name, value)| Part { name, value });
        let parts: Vec<Part> = named.filter(|part| part.value != 0.0).collect();
        Recalled {
            record,
            score: parts.iter().map(|part| part.value).sum(),
            parts,
            lanes,
            older,
            piece,
        }
    }

    fn turn_parts(&self, id: TurnId, own: Signals) -> Vec<(&'static str, f32)> {
        let weights = self.query.weights;
        let turn = &self.corpus.turns[&id];
        let beside = |id: Option<TurnId>| id.map(|id| self.turn(id).1).unwrap_or_default();
        let before = self.corpus.before(id);
        let asks_before = before.is_some_and(|id| self.corpus.turns[&id].asks);
        let (before, after) = (beside(before), beside(self.corpus.after(id)));
        let if_asked = f32::from(u8::from(asks_before));
        vec![
            ("coverage", weights.coverage * own.coverage),
            ("coverage_before", weights.coverage_before * before.coverage),
            (
                "coverage_asked",
                weights.coverage_asked * before.coverage * if_asked,
            ),
            ("coverage_after", weights.coverage_after * after.coverage),
            ("meaning", weights.meaning * own.meaning()),
            ("meaning_before", weights.meaning_before * before.meaning()),
            (
                "meaning_asked",
                weights.meaning_asked * before.meaning() * if_asked,
            ),
            ("meaning_after", weights.meaning_after * after.meaning()),
            (
                "session",
                weights.session * self.matches.session(turn.session),
            ),
            (
                "speaker",
                if self.meant.voice == Some(turn.voice) {
                    weights.speaker
                } else {
                    0.0
                },
            ),
            ("length", weights.length * (1.0 + turn.n_terms as f32).ln()),
            ("asks", if turn.asks { weights.asks } else { 0.0 }),
        ]
    }

    fn fact_parts(&self, id: FactId) -> Vec<(&'static str, f32)> {
        let breath = Breath::of(self.corpus, id);
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
        vec![
            ("coverage", weights.coverage * own.coverage),
            ("coverage_before", weights.coverage_before * before.coverage),
            ("coverage_after", weights.coverage_after * after.coverage),
            ("meaning", weights.meaning * own.meaning()),
            ("meaning_before", weights.meaning_before * before.meaning()),
            ("meaning_after", weights.meaning_after * after.meaning()),
            ("subject", self.subject_bonus(id)),
        ]
    }
}
