//! The likest words: what the first records of the ranking, and what was said right beside them, have that answers each of the question's
//! words.

use super::Ranking;
use crate::embed::{self, Likest};
use crate::recall::candidates::Candidate;
use crate::recall::collapse::Standing;
use crate::recall::lane::dense::Dense;
use crate::recall::postings::DocNumber;
use crate::recall::turns::Place;
use std::collections::HashMap;
use std::ops::Range;

/// How many records are looked at. 60 lose .001 recall@20 against all of them, 50 .002 to .005.
const LOOKED_AT: usize = 60;

/// What a like word is worth that stands right beside. An answer seldom repeats the words of its question, which are in the turn before,
/// and its occasion is often in the turn after. .8 and 1 are as good to .002 recall@10.
const BESIDE: f32 = 0.9;

/// What it is worth two away, if it is a row of a table. One that a network saw in its context has more to say where it stands: counted
/// from there, too, .005 recall@10 are lost.
const NEAR: f32 = 0.8;

/// The words of a question and of everything that was said.
pub(in crate::recall) struct Words<'a> {
    dense: &'a Dense,
    likest: Likest,
    /// What a word two away counts.
    near: f32,
    /// What was compared already: a text stands beside two others.
    known: HashMap<DocNumber, Option<Compared>>,
    /// What chance gives in a text, by its first piece.
    by_chance: HashMap<DocNumber, f32>,
}

/// A piece of a text, compared with the question.
struct Compared {
    /// To the likest word, for each of the question's.
    cosines: Vec<f32>,
    /// What they would be in any text as long.
    by_chance: f32,
}

impl Compared {
    /// What each says if so much of it counts.
    fn beyond_chance(&self, share: f32) -> impl Iterator<Item = f32> {
        let cosines = self.cosines.iter();
        cosines.map(move |cosine| share * cosine - self.by_chance)
    }
}

impl<'a> Words<'a> {
    /// `None` for a question without words.
    pub fn of(dense: &'a Dense, question: Option<&embed::Words>) -> Option<Words<'a>> {
        let question = question?;
        Some(Words {
            likest: Likest::new(question)?,
            near: match question {
                embed::Words::Directions(_) => 0.0,
                embed::Words::Pieces(_) => NEAR,
            },
            dense,
            known: HashMap::new(),
            by_chance: HashMap::new(),
        })
    }

    fn compared(&mut self, piece: &Piece) -> Option<&Compared> {
        let (dense, likest) = (self.dense, &mut self.likest);
        let by_chance = self.by_chance.entry(piece.text.start);
        let compare = || {
            let text = piece.text.clone();
            let words = text.filter_map(|doc| dense.words(doc));
            Some(Compared {
                cosines: likest.each(dense.words(piece.doc)?)?,
                by_chance: *by_chance.or_insert_with(|| likest.by_chance(words)),
            })
        };
        self.known.entry(piece.doc).or_insert_with(compare).as_ref()
    }

    /// How well a piece answers together with others, each with the share that it counts: the mean over the question's words. `None`
    /// if it has no words.
    fn answer(
        &mut self,
        piece: &Piece,
        others: impl IntoIterator<Item = (Piece, f32)>,
    ) -> Option<f32> {
        let mut likest: Vec<f32> = self.compared(piece)?.beyond_chance(1.0).collect();
        for (other, share) in others {
            let Some(other) = self.compared(&other) else {
                continue;
            };
            for (best, other) in likest.iter_mut().zip(other.beyond_chance(share)) {
                *best = best.max(other);
            }
        }
        Some(self.likest.mean(&likest))
    }

    /// How well the best piece of a text answers; `before` and `after` are the pieces around the text, the nearest first.
    fn best(
        &mut self,
        text: Range<DocNumber>,
        before: [Option<Piece>; 2],
        after: [Option<Piece>; 2],
    ) -> Option<f32> {
        let [nearest_before, before] = before;
        let [nearest_after, after] = after;
        let own = text.clone().map(|doc| {
            Some(Piece {
                doc,
                text: text.clone(),
            })
        });
        let around = [before, nearest_before].into_iter();
        let around = around.chain(own).chain([nearest_after, after]);
        let around: Vec<Option<Piece>> = around.collect();
        let pieces = around.windows(5).filter_map(|five| {
            let shares = [self.near, BESIDE, 0.0, BESIDE, self.near];
            let others = five.iter().zip(shares).filter(|(_, share)| *share > 0.0);
            let others = others.filter_map(|(other, share)| Some((other.clone()?, share)));
            self.answer(five[2].as_ref()?, others)
        });
        pieces.reduce(f32::max)
    }
}

/// A piece of a text, and all pieces of the text.
#[derive(Clone)]
struct Piece {
    doc: DocNumber,
    text: Range<DocNumber>,
}

impl Piece {
    /// The whole text.
    fn only(doc: DocNumber) -> Piece {
        Piece {
            doc,
            text: doc..doc + 1,
        }
    }

    fn first_of(place: Place) -> Option<Piece> {
        let text = place.turn().docs.clone();
        let doc = text.clone().next()?;
        Some(Piece { doc, text })
    }

    fn last_of(place: Place) -> Option<Piece> {
        let text = place.turn().docs.clone();
        let doc = text.clone().last()?;
        Some(Piece { doc, text })
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
                let (before, after) = (place.before(), place.after());
                let further = (
                    before.and_then(|one| one.before()),
                    after.and_then(|one| one.after()),
                );
                words.best(
                    place.turn().docs.clone(),
                    [before, further.0].map(|one| one.and_then(Piece::last_of)),
                    [after, further.1].map(|one| one.and_then(Piece::first_of)),
                )
            }
            Candidate::File(id) => {
                let docs = self.corpus.files[id].docs.clone();
                words.best(docs, [None, None], [None, None])
            }
            Candidate::Fact(breath) => {
                let beside = || breath.before.iter().chain(&breath.after);
                let versions = breath.versions.iter().filter_map(|version| {
                    let beside = beside().map(|other| (Piece::only(other.fact.doc), BESIDE));
                    let likest = words.answer(&Piece::only(version.fact.doc), beside)?;
                    Some(likest * self.kept(*version))
                });
                versions.reduce(f32::max)
            }
        }
    }
}
