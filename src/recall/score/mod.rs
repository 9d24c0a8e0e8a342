//! The score, and what passes the gate.
//!
//! A score is a sum of named parts, each a weight of [`Weights`] times what was found.

pub(super) mod breath;
mod fact;
mod file;
mod turn;
pub(super) mod words;

use super::candidates::{Candidate, Candidates};
use super::corpus::Corpus;
use super::gate::{GATE_PER_LENGTH, gate, gated, keyword_gate};
use super::lane::dense::Similar;
use super::postings::{DocNumber, Matches};
use super::question::Question;
use super::weights::{QUESTION_TERMS, RECENCY_DAYS, Weights};
use super::{Part, Query, Recalled};
use crate::real;
use crate::text::{AnswerForm, DaySpan};
use crate::time::Timestamp;
use std::ops::Range;

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
    ///
    /// With the weights that the gates were measured with, whatever the score counts: they fit where likest words are known, too.
    fn gated(self) -> f32 {
        let weights = &Weights::DEFAULT;
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

/// The parts of a score, in order, without those that are nothing. On the stack: hundreds of records are scored for the few that are returned.
struct Parts {
    parts: [Part; Parts::MOST],
    n: usize,
}

impl Parts {
    const MOST: usize = 20;

    fn of(all: impl IntoIterator<Item = (&'static str, f32)>) -> Parts {
        let none = Part {
            name: "",
            value: 0.0,
        };
        let mut parts = Parts {
            parts: [none; Parts::MOST],
            n: 0,
        };
        for (name, value) in all.into_iter().filter(|(_, value)| *value != 0.0) {
            parts.parts[parts.n] = Part { name, value };
            parts.n += 1;
        }
        parts
    }

    fn as_slice(&self) -> &[Part] {
        &self.parts[..self.n]
    }

    fn sum(&self) -> f32 {
        self.as_slice().iter().map(|part| part.value).sum()
    }
}

/// One question and everything that scores need.
pub(super) struct Ranking<'a> {
    pub corpus: &'a Corpus,
    pub query: &'a Query<'a>,
    pub question: &'a Question,
    pub matches: &'a Matches,
    pub similar: Option<Similar<'a>>,
    pub candidates: &'a Candidates<'a>,
}

impl Ranking<'_> {
    fn document(&self, doc: DocNumber) -> Signals {
        let similar = self.similar.as_ref();
        Signals {
            coverage: self.matches.coverage(doc),
            meaning: similar.and_then(|similar| similar.get(doc)),
        }
    }

    /// The best of the pieces of a record, and which one it is.
    fn best_of(&self, docs: Range<DocNumber>) -> (usize, Signals) {
        let weights = self.query.weights;
        let pieces = docs.map(|doc| self.document(doc)).enumerate();
        let better = |best: (usize, Signals), piece: (usize, Signals)| {
            if piece.1.strength(weights) > best.1.strength(weights) {
                piece
            } else {
                best
            }
        };
        pieces.reduce(better).unwrap_or_default()
    }

    /// Whether a text is strong enough by itself.
    fn passes(&self, signals: Signals, bonus: f32) -> bool {
        let least = match signals.meaning {
            Some(_) => gate(self.query.level) + self.long_message(),
            None => keyword_gate(self.query.level),
        };
        signals.gated() + bonus >= least
    }

    fn long_message(&self) -> f32 {
        let relative = self.question.distinct.len() as f32 / QUESTION_TERMS as f32;
        GATE_PER_LENGTH * real::ln(relative.max(1.0))
    }

    /// What counts at the gate of a question about nothing but days.
    fn days_bonus(&self, day: Option<DaySpan>) -> f32 {
        if self.question.asks_for_days {
            self.query.weights.time * self.question.time_fit(day.into_iter())
        } else {
            0.0
        }
    }

    /// Whether a record is strong enough, or something that was said beside it is.
    pub fn is_relevant(&self, candidate: &Candidate) -> bool {
        match candidate {
            Candidate::Turn(place) => {
                let beside = [Some(*place), place.before(), place.after()];
                let mut turns = beside.iter().flatten().map(|place| place.turn());
                turns.any(|turn| self.turn_passes(turn))
            }
            Candidate::File(id) => self.file_passes(*id),
            Candidate::Fact(breath) => {
                let beside = breath.before.iter().chain(&breath.after);
                let mut facts = breath.versions.iter().chain(beside);
                facts.any(|version| self.fact_passes(*version))
                    || breath.turns.iter().any(|turn| self.turn_passes(turn))
            }
        }
    }

    /// The score of a candidate.
    pub fn score(&self, candidate: &Candidate) -> f32 {
        self.parts(candidate).sum()
    }

    fn parts(&self, candidate: &Candidate) -> Parts {
        match candidate {
            Candidate::Turn(place) => self.turn_parts(*place),
            Candidate::Fact(breath) => self.fact_parts(breath),
            Candidate::File(id) => self.file_parts(*id),
        }
    }

    /// A candidate with its reasons.
    pub fn item(&self, candidate: &Candidate) -> Recalled {
        let (beside, older, piece) = match candidate {
            Candidate::Turn(place) => {
                let (piece, _) = self.turn(place.turn());
                let span = place.turn().span(piece);
                (self.beside_turn(*place), Vec::new(), Some(span))
            }
            Candidate::File(id) => {
                let (piece, _) = self.file(*id);
                let span = self.corpus.files[id].spans[piece].clone();
                (Vec::new(), Vec::new(), Some(span))
            }
            Candidate::Fact(breath) => {
                let quote = breath.newest().fact.evidence.as_ref();
                let older = breath.versions[1..].iter().map(|version| version.id);
                (
                    self.beside_fact(breath),
                    older.collect(),
                    quote.map(|quote| quote.1.clone()),
                )
            }
        };
        let record = candidate.record();
        let parts = self.parts(candidate);
        Recalled {
            record,
            score: parts.sum(),
            parts: parts.as_slice().to_vec(),
            lanes: self.candidates.hits.lanes_of(record),
            beside,
            source: self.corpus.source_of(record),
            older,
            piece,
        }
    }

    /// The parts that do not depend on what kind of record it is.
    fn common_parts(
        &self,
        docs: Range<DocNumber>,
        mut days: impl Iterator<Item = DaySpan> + Clone,
        form: AnswerForm,
        at: Timestamp,
    ) -> [(&'static str, f32); 5] {
        let weights = self.query.weights;
        let holding = &self.candidates.holding;
        let held = docs.filter_map(|doc| holding.get(&doc).copied());
        let held = if holding.is_empty() {
            0.0
        } else {
            held.fold(0.0, f32::max)
        };
        // Nothing else is asked for.
        let time = weights.time
            * if self.question.asks_for_days {
                2.0
            } else {
                1.0
            };
        let time_fit = self.question.time_fit(days.clone());
        let names_day = self.question.asks_when && days.nth(1).is_some();
        let age_ms = self.query.now.unix_ms.saturating_sub(at.unix_ms).max(0);
        let age_days = age_ms as f32 / 86_400_000.0;
        let newness = if weights.recency == 0.0 {
            0.0
        } else {
            real::power(0.5, age_days / RECENCY_DAYS)
        };
        [
            ("time", time * time_fit),
            ("when", if names_day { weights.when } else { 0.0 }),
            ("form", weights.form * form.fit(self.question.wanted)),
            ("exact", weights.exact * held),
            ("recency", weights.recency * newness),
        ]
    }
}
