//! The likest words: what the first records of the ranking, and what was said right beside them, have that answers each of the question's
//! words.

use super::Ranking;
use crate::embed::Likest;
use crate::recall::candidates::Candidate;
use crate::recall::collapse::Standing;
use crate::recall::lane::dense::Dense;
use crate::recall::postings::DocNumber;
use std::collections::HashMap;
use std::ops::Range;

/// How many records are looked at. 50 lost .002 recall@20 against all of them, 80 nothing.
const LOOKED_AT: usize = 80;

/// What a like word is worth that stands right beside. An answer seldom repeats the words of its question, which are in the turn before,
/// and its occasion is often in the turn after. .8 and 1 are as good to .002 recall@10.
const BESIDE: f32 = 0.9;

/// The words of a question and of everything that was said.
pub(in crate::recall) struct Words<'a> {
    dense: &'a Dense,
    likest: Likest,
    /// What was compared already: a text stands beside two others.
    known: HashMap<DocNumber, Option<Vec<f32>>>,
}

impl<'a> Words<'a> {
    /// `None` for a question without words.
    pub fn of(dense: &'a Dense, question: Option<&[u8]>) -> Option<Words<'a>> {
        Some(Words {
            likest: Likest::new(question?)?,
            dense,
            known: HashMap::new(),
        })
    }

    fn each(&mut self, doc: DocNumber) -> Option<&[f32]> {
        let compare = || self.likest.each(self.dense.words(doc)?);
        self.known.entry(doc).or_insert_with(compare).as_deref()
    }

    /// How well a document answers together with those beside it: the mean over the question's words. `None` if it has no words.
    fn answer(
        &mut self,
        doc: DocNumber,
        beside: impl IntoIterator<Item = DocNumber>,
    ) -> Option<f32> {
        let mut likest = self.each(doc)?.to_vec();
        for other in beside {
            for (best, other) in likest.iter_mut().zip(self.each(other).unwrap_or_default()) {
                *best = best.max(BESIDE * other);
            }
        }
        Some(likest.iter().sum::<f32>() / likest.len() as f32)
    }

    /// How well the best piece of a text answers; `before` and `after` are the pieces around the text.
    fn best(
        &mut self,
        docs: Range<DocNumber>,
        before: Option<DocNumber>,
        after: Option<DocNumber>,
    ) -> Option<f32> {
        let pieces = docs.clone().filter_map(|doc| {
            let before = doc
                .checked_sub(1)
                .filter(|one| docs.contains(one))
                .or(before);
            let after = Some(doc + 1).filter(|one| docs.contains(one)).or(after);
            self.answer(doc, before.into_iter().chain(after))
        });
        pieces.reduce(f32::max)
    }
}

impl Ranking<'_> {
    /// Adds to the scores of the first records what their words are worth.
    pub fn add_words(&self, words: &mut Words, standings: &mut [(&Candidate, Standing)]) {
        let mut order: Vec<usize> = (0..standings.len()).collect();
        // Equal scores stay in the order of records.
        order.sort_by(|a, b| standings[*b].1.score.total_cmp(&standings[*a].1.score));
        for at in order.into_iter().take(LOOKED_AT) {
            let (candidate, standing) = &mut standings[at];
            if let Some(likest) = self.likest(words, candidate) {
                standing.add("likest", self.query.weights.likest * likest);
            }
        }
    }

    fn likest(&self, words: &mut Words, candidate: &Candidate) -> Option<f32> {
        match candidate {
            Candidate::Turn(place) => {
                // Of long turns what is next to it: a whole answer has a like word for everything.
                let before = place
                    .before()
                    .and_then(|one| one.turn().docs.clone().last());
                let after = place.after().and_then(|one| one.turn().docs.clone().next());
                words.best(place.turn().docs.clone(), before, after)
            }
            Candidate::File(id) => words.best(self.corpus.files[id].docs.clone(), None, None),
            Candidate::Fact(breath) => {
                let beside = || breath.before.iter().chain(&breath.after);
                let versions = breath.versions.iter().filter_map(|version| {
                    let beside = beside().map(|other| other.fact.doc);
                    let likest = words.answer(version.fact.doc, beside)?;
                    Some(likest * self.kept(*version))
                });
                versions.reduce(f32::max)
            }
        }
    }
}
