//! How good recall is on questions whose answers are known: the figures behind the constants, and a tool for whoever wants to
//! check them on their own memory.
//!
//! [`evaluate`] asks a corpus and gives a [`Report`]. [`Figures`] are means over questions; `docs/evaluation.md` defines them.
//! It goes through [`Corpus::recall`], the path of a message, so that nothing can be good here and bad in a chat.

pub mod questions;
#[cfg(test)]
mod tests;
mod thresholds;

pub use questions::{Fault, Problem, Question};
pub use thresholds::{Bad, LevelRow, Share, ThresholdRow, Thresholds};

use super::gate::gated;
use super::{Corpus, Level, Query, Recalled, Recollection, Weights};
use crate::embed::Embedded;
use crate::model::{RecordRef, SessionId};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How many records are ranked per question: enough for the figures about sessions.
pub const RANKED: usize = 200;

/// The depths at which turns are counted.
pub const DEPTHS: [usize; 4] = [1, 5, 10, 20];

/// A question and the records that answer it.
#[derive(Clone, Debug)]
pub struct LabelledQuestion {
    pub text: String,
    /// What the embedder makes of [`Corpus::words_to_embed`]; `None` asks by words.
    pub embedded: Option<Embedded>,
    /// When it is asked: what "last week" is counted from.
    pub now: Timestamp,
    /// Questions of one category are reported together.
    pub category: String,
    /// Empty for a question that nothing here answers.
    pub relevant: Vec<RecordRef>,
}

/// Means over questions, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    pub n: usize,
    /// The share of a question's relevant records among the first; see [`Figures::recall_at`].
    recall: [f64; DEPTHS.len()],
    /// Whether any of them is among the first 10.
    pub any_at_10: f64,
    /// One divided by the rank of the first.
    pub reciprocal_rank: f64,
    /// Normalised discounted cumulative gain of the first 10.
    pub ndcg_at_10: f64,
    /// Whether a session with a relevant record is among the first 5 sessions.
    pub session_any_at_5: f64,
}

/// How many questions a gate of this strength lets through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sweep {
    pub threshold: f32,
    /// Of the questions with an answer.
    pub answerable: f64,
    /// Of those without one: what is brought up for nothing.
    pub unanswerable: f64,
}

/// What [`evaluate`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Over all questions with an answer.
    pub all: Figures,
    pub by_category: BTreeMap<String, Figures>,
    /// Ascending thresholds.
    pub sweep: Vec<Sweep>,
}

/// Ranks every question's records and compares them with its answer.
pub fn evaluate(corpus: &Corpus, questions: &[LabelledQuestion]) -> Report {
    let mut tally = Tally::default();
    for question in questions {
        let weights = Weights::fitting(question.embedded.as_ref());
        let found = rank(corpus, question, weights);
        tally.add(corpus, question, &found);
    }
    tally.report()
}

/// The answer to one question, without a gate.
pub fn rank(corpus: &Corpus, question: &LabelledQuestion, weights: &Weights) -> Recollection {
    corpus.recall(&Query {
        limit: RANKED,
        level: Level::All,
        weights,
        ..Query::new(&question.text, question.now).embedded(question.embedded.as_ref())
    })
}

/// Collects figures over several corpora.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    sums: BTreeMap<String, Figures>,
    /// The strongest evidence for each question with an answer, and for each without.
    strengths: [Vec<f32>; 2],
}

impl Tally {
    /// Counts one question's answer, as [`rank`] gave it.
    pub fn add(&mut self, corpus: &Corpus, question: &LabelledQuestion, found: &Recollection) {
        let is_answerable = !question.relevant.is_empty();
        self.strengths[usize::from(!is_answerable)].push(strength(question, found));
        if is_answerable {
            let figures = Figures::of_items(corpus, &found.items, &question.relevant);
            let sum = self.sums.entry(question.category.clone()).or_default();
            sum.add(&figures);
        }
    }

    pub fn report(&self) -> Report {
        let mut all = Figures::default();
        self.sums.values().for_each(|sum| all.add(sum));
        let means = self.sums.iter();
        let [answerable, unanswerable] = &self.strengths;
        let sweep = (0..=20).map(|step| {
            let threshold = step as f32 * 0.05;
            Sweep {
                threshold,
                answerable: share_from(answerable, threshold),
                unanswerable: share_from(unanswerable, threshold),
            }
        });
        Report {
            all: all.mean(),
            by_category: means
                .map(|(name, sum)| (name.clone(), sum.mean()))
                .collect(),
            sweep: sweep.collect(),
        }
    }
}

/// What the gate judges, of the strongest record.
pub fn strength(question: &LabelledQuestion, found: &Recollection) -> f32 {
    // The gate has the same weights for all.
    let (scored, judged) = (
        Weights::fitting(question.embedded.as_ref()),
        Weights::DEFAULT,
    );
    let coverage = judged.coverage / scored.coverage;
    let meaning = judged.meaning / scored.meaning;
    let strengths = found.items.iter().map(|item| {
        let part = |name: &str| {
            let parts = item.parts.iter().filter(|part| part.name == name);
            parts.map(|part| part.value).sum::<f32>()
        };
        gated(coverage * part("coverage"), meaning * part("meaning")) + part("subject")
    });
    strengths.fold(0.0, f32::max)
}

fn share_from(strengths: &[f32], threshold: f32) -> f64 {
    let passing = strengths.iter().filter(|s| **s >= threshold).count();
    passing as f64 / strengths.len().max(1) as f64
}

/// The records that an item of an answer stands for: itself, the turn whose words it is, the versions that it replaced.
///
/// Recall drops a turn that its facts say already, and gives the newest version for an old one: both are found then.
fn stands_for(item: &Recalled) -> impl Iterator<Item = RecordRef> {
    let source = item.source.map(RecordRef::Turn);
    let older = item.older.iter().copied().map(RecordRef::Fact);
    std::iter::once(item.record).chain(source).chain(older)
}

impl Figures {
    /// The share of a question's relevant records among the first `depth`, one of [`DEPTHS`].
    pub fn recall_at(&self, depth: usize) -> f64 {
        let place = DEPTHS.iter().position(|known| *known == depth);
        self.recall[place.expect("one of the depths at which turns are counted")]
    }

    /// The figures of one question. A record counts where it stands first.
    pub fn of(corpus: &Corpus, ranked: &[RecordRef], relevant: &[RecordRef]) -> Figures {
        let ranked = without_repetition(ranked.iter().copied());
        let place = |record| ranked.iter().position(|other| *other == record);
        Figures::of_places(corpus, &ranked, relevant, place)
    }

    /// The same of an answer, whose items may stand for more than themselves.
    fn of_items(corpus: &Corpus, items: &[Recalled], relevant: &[RecordRef]) -> Figures {
        let ranked: Vec<RecordRef> = items.iter().map(|item| item.record).collect();
        let stands = |item: &Recalled, record| stands_for(item).any(|other| other == record);
        let place = |record| items.iter().position(|item| stands(item, record));
        Figures::of_places(corpus, &ranked, relevant, place)
    }

    fn of_places(
        corpus: &Corpus,
        ranked: &[RecordRef],
        relevant: &[RecordRef],
        place: impl Fn(RecordRef) -> Option<usize>,
    ) -> Figures {
        let relevant: BTreeSet<RecordRef> = relevant.iter().copied().collect();
        let mut places: Vec<usize> = relevant.iter().filter_map(|r| place(*r)).collect();
        places.sort_unstable();
        let within = |depth| places.iter().filter(|place| **place < depth).count();
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        // What one item says at once can not stand in several places, in the best ranking neither.
        let distinct = without_repetition(places.iter().copied());
        let n_ideal = relevant.len() - (places.len() - distinct.len());
        let ideal: f64 = (0..n_ideal.min(10)).map(gain).sum();
        let found: f64 = distinct.iter().filter(|p| **p < 10).map(|p| gain(*p)).sum();
        let session = |record: RecordRef| corpus.session_of(record);
        let wanted: BTreeSet<SessionId> = relevant.iter().copied().filter_map(session).collect();
        let sessions = without_repetition(ranked.iter().copied().filter_map(session));
        let n = relevant.len().max(1) as f64;
        Figures {
            n: 1,
            recall: DEPTHS.map(|depth| within(depth) as f64 / n),
            any_at_10: f64::from(within(10) > 0),
            reciprocal_rank: places
                .first()
                .map_or(0.0, |place| 1.0 / (*place as f64 + 1.0)),
            ndcg_at_10: if ideal > 0.0 { found / ideal } else { 0.0 },
            session_any_at_5: f64::from(sessions.iter().take(5).any(|s| wanted.contains(s))),
        }
    }

    fn add(&mut self, other: &Figures) {
        self.n += other.n;
        for (sum, value) in self.recall.iter_mut().zip(other.recall) {
            *sum += value;
        }
        self.any_at_10 += other.any_at_10;
        self.reciprocal_rank += other.reciprocal_rank;
        self.ndcg_at_10 += other.ndcg_at_10;
        self.session_any_at_5 += other.session_any_at_5;
    }

    fn mean(&self) -> Figures {
        let n = self.n.max(1) as f64;
        Figures {
            n: self.n,
            recall: self.recall.map(|sum| sum / n),
            any_at_10: self.any_at_10 / n,
            reciprocal_rank: self.reciprocal_rank / n,
            ndcg_at_10: self.ndcg_at_10 / n,
            session_any_at_5: self.session_any_at_5 / n,
        }
    }
}

/// Whether there is such a record to be found.
pub fn is_known(corpus: &Corpus, record: RecordRef) -> bool {
    match record {
        RecordRef::Turn(id) => corpus.turns.get(id).is_some(),
        RecordRef::Fact(id) => corpus.facts.contains_key(&id),
        RecordRef::File(id) => corpus.files.contains_key(&id),
    }
}

fn without_repetition<T: Copy + Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.filter(|one| seen.insert(*one)).collect()
}
