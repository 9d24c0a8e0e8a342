//! The score, and what passes the gate.
//!
//! A score is a sum of named parts, each a weight of [`Weights`] times what was found.

pub(super) mod breath;
mod fact;
mod turn;

use super::candidates::Candidates;
use super::corpus::Corpus;
use super::gate::{GATE_PER_LENGTH, gate, gated, keyword_gate};
use super::lane::Lane;
use super::postings::{DocNumber, Matches};
use super::question::Question;
use super::weights::{QUESTION_TERMS, RECENCY_DAYS, Weights};
use super::{Part, Query, Recalled};
use crate::model::{RecordRef, TurnId};
use crate::text::{AnswerForm, DaySpan};
use crate::time::Timestamp;
use breath::Breath;
use std::collections::HashMap;

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

    /// What the gate judges. Little likeness is no reason against words that agree: outside its languages a model knows
    /// nothing, and words alone have to be only a little stronger than without a model.
    fn gated(self, weights: &Weights) -> f32 {
        gated(
            weights.coverage * self.coverage,
            weights.meaning * self.meaning(),
        )
    }

    /// The stronger of two; the first if they are equal.
    fn stronger(self, other: Signals, weights: &Weights) -> Signals {
        if other.strength(weights) > self.strength(weights) {
            other
        } else {
            self
        }
    }

    /// With what age took away.
    fn kept(self, share: f32) -> Signals {
        Signals {
            coverage: self.coverage * share,
            meaning: self.meaning.map(|meaning| meaning * share),
        }
    }
}

/// The parts of a score, and the records beside that added to it.
type Scored = (Vec<(&'static str, f32)>, Vec<RecordRef>);

/// One question and everything that scores need.
pub(super) struct Ranking<'a> {
    pub corpus: &'a Corpus,
    pub query: &'a Query<'a>,
    pub question: Question,
    pub matches: Matches,
    pub similar: Option<HashMap<DocNumber, f32>>,
    pub candidates: &'a Candidates,
}

impl Ranking<'_> {
    fn document(&self, doc: DocNumber) -> Signals {
        let similar = self.similar.as_ref();
        Signals {
            coverage: self.matches.coverage(doc),
            meaning: similar.and_then(|similar| similar.get(&doc).copied()),
        }
    }

    /// Whether a text is strong enough by itself.
    fn passes(&self, signals: Signals, bonus: f32) -> bool {
        let least = match signals.meaning {
            Some(_) => gate(self.query.level) + self.long_message(),
            None => keyword_gate(self.query.level),
        };
        signals.gated(self.query.weights) + bonus >= least
    }

    fn long_message(&self) -> f32 {
        let relative = self.question.distinct.len() as f32 / QUESTION_TERMS as f32;
        GATE_PER_LENGTH * relative.max(1.0).ln()
    }

    /// What counts at the gate of a question about nothing but days.
    fn days_bonus(&self, days: &[DaySpan]) -> f32 {
        if self.question.asks_for_days {
            self.query.weights.time * self.question.time_fit(days)
        } else {
            0.0
        }
    }

    /// Whether a record is strong enough, or something that was said beside it is.
    pub fn is_relevant(&self, record: RecordRef) -> bool {
        match record {
            RecordRef::Turn(id) => {
                let beside = [Some(id), self.corpus.before(id), self.corpus.after(id)];
                beside.iter().flatten().any(|id| self.turn_passes(*id))
            }
            RecordRef::Fact(id) => {
                let breath = Breath::of(self.corpus, id, self.query.filter.known_on);
                let mut facts = breath
                    .versions
                    .iter()
                    .chain(&breath.before)
                    .chain(&breath.after);
                facts.any(|id| self.fact_passes(*id))
                    || breath.turns.iter().any(|id| self.turn_passes(*id))
            }
        }
    }

    pub fn item(&self, record: RecordRef) -> Recalled {
        let ((parts, beside), older, piece) = match record {
            RecordRef::Turn(id) => {
                let (place, own) = self.turn(id);
                let spans = &self.corpus.turns[&id].spans;
                let piece = spans[place].clone();
                (self.turn_parts(id, own), Vec::new(), Some(piece))
            }
            RecordRef::Fact(id) => {
                let quote = self.corpus.facts[&id].evidence.as_ref();
                let older = self.corpus.older(id, self.query.filter.known_on);
                (
                    self.fact_parts(id),
                    older,
                    quote.map(|quote| quote.1.clone()),
                )
            }
        };
        let named = parts.into_iter().map(|(name, value)| Part { name, value });
        let parts: Vec<Part> = named.filter(|part| part.value != 0.0).collect();
        let lanes = self.candidates.hits.get(&record).cloned();
        Recalled {
            record,
            score: parts.iter().map(|part| part.value).sum(),
            parts,
            lanes: lanes.unwrap_or_default(),
            beside,
            source: self.corpus.source_of(record),
            older,
            piece,
        }
    }

    /// The parts that do not depend on what kind of record it is.
    fn common_parts(
        &self,
        record: RecordRef,
        days: &[DaySpan],
        form: AnswerForm,
        at: Timestamp,
    ) -> [(&'static str, f32); 5] {
        let weights = self.query.weights;
        let docs = self.corpus.documents_of(record);
        let holding = docs.filter_map(|doc| self.candidates.holding.get(&doc));
        // Nothing else is asked for.
        let time = weights.time
            * if self.question.asks_for_days {
                2.0
            } else {
                1.0
            };
        let names_day = self.question.asks_when && days.len() > 1;
        let age_ms = self.query.now.unix_ms.saturating_sub(at.unix_ms).max(0);
        let age_days = age_ms as f32 / 86_400_000.0;
        let newness = if weights.recency == 0.0 {
            0.0
        } else {
            0.5f32.powf(age_days / RECENCY_DAYS)
        };
        [
            ("time", time * self.question.time_fit(days)),
            ("when", if names_day { weights.when } else { 0.0 }),
            ("form", weights.form * form.fit(self.question.wanted)),
            (
                "exact",
                weights.exact * holding.copied().fold(0.0, f32::max),
            ),
            ("recency", weights.recency * newness),
        ]
    }
}

/// The records whose share in a score is not nothing.
fn adding(beside: impl IntoIterator<Item = (Option<TurnId>, f32)>) -> Vec<RecordRef> {
    let adding = beside.into_iter().filter(|(_, share)| *share != 0.0);
    adding
        .filter_map(|(id, _)| id.map(RecordRef::Turn))
        .collect()
}
