//! The way from a question to its answer.

use super::candidates::{Candidates, is_excluded};
use super::collapse::Standing;
use super::corpus::Corpus;
use super::lane::dense::Dense;
use super::question::Question;
use super::score::Ranking;
use super::score::words::Words;
use super::{Query, Recollection};
use crate::index::IndexError;

impl Corpus {
    /// What the message should bring to mind; nothing if nothing is relevant.
    ///
    /// A vector that does not fit the corpus' embedder is refused: recall then goes by keywords and says so.
    pub fn recall(&self, query: &Query) -> Recollection {
        let Some(vector) = query.vector else {
            return recall_by(self, query, None).unwrap_or_default();
        };
        let recalled = match &self.dense {
            Some(dense) => recall_by(self, query, Some((dense, vector))),
            None => Err(IndexError::WrongDimensions {
                expected: 0,
                found: vector.len(),
            }),
        };
        recalled.unwrap_or_else(|refused| Recollection {
            refused: Some(refused),
            ..recall_by(self, query, None).unwrap_or_default()
        })
    }
}

fn recall_by(
    corpus: &Corpus,
    query: &Query,
    meaning: Option<(&Dense, &[f32])>,
) -> Result<Recollection, IndexError> {
    let question = Question::read(corpus, query);
    let matches = corpus.postings.ask(&question.terms);
    let candidates = Candidates::find(corpus, query, &question, &matches, meaning)?;
    let similar = match meaning {
        Some((dense, vector)) => Some(dense.compare(vector, corpus.n_documents())?),
        None => None,
    };
    let ranking = Ranking {
        corpus,
        query,
        question: &question,
        matches: &matches,
        similar,
        candidates: &candidates,
    };
    let relevant = candidates.all.iter().filter(|candidate| {
        !is_excluded(corpus, query, candidate.record()) && ranking.is_relevant(candidate)
    });
    let relevant = relevant.map(|one| (one, Standing::of(ranking.score(one))));
    let mut relevant: Vec<_> = relevant.collect();
    if let Some(mut words) = meaning.and_then(|(dense, _)| Words::of(dense, query.words)) {
        ranking.add_words(&mut words, &mut relevant);
    }
    let mut standings = super::collapse::collapse(corpus, query, relevant);
    standings.sort_by(|(a, one), (b, other)| {
        let by_score = other.score.total_cmp(&one.score);
        by_score.then_with(|| a.record().cmp(&b.record()))
    });
    standings.truncate(query.limit);
    // Reasons are given for what is returned only.
    let items = standings
        .into_iter()
        .map(|(candidate, standing)| standing.explained(ranking.item(candidate)))
        .collect();
    Ok(Recollection {
        items,
        candidates: candidates.all.len(),
        refused: None,
    })
}
