//! The way from a question to its answer.

use super::candidates::{Candidates, compared_documents, is_excluded};
use super::collapse::Standing;
use super::corpus::Corpus;
use super::lane::dense::Dense;
use super::question::Question;
use super::score::Ranking;
use super::{Query, Recollection};
use crate::index::IndexError;
use crate::model::RecordRef;
use std::collections::BTreeMap;

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
        Some((dense, vector)) => {
            let docs = compared_documents(corpus, &candidates);
            Some(dense.compare(vector, &docs, corpus.n_documents())?)
        }
        None => None,
    };
    let ranking = Ranking {
        corpus,
        query,
        question,
        matches,
        similar,
        candidates: &candidates,
    };
    let found = candidates.records.iter().copied();
    let relevant: BTreeMap<RecordRef, Standing> = found
        .filter(|record| !is_excluded(corpus, query, *record) && ranking.is_relevant(*record))
        .map(|record| (record, Standing::of(ranking.score(record))))
        .collect();
    let mut standings = super::collapse::collapse(corpus, query, relevant);
    standings.sort_by(|(a, one), (b, other)| other.score.total_cmp(&one.score).then(a.cmp(b)));
    standings.truncate(query.limit);
    // Reasons are given for what is returned only.
    let items = standings
        .into_iter()
        .map(|(record, standing)| standing.explained(ranking.item(record)))
        .collect();
    Ok(Recollection {
        items,
        candidates: candidates.records.len(),
        refused: None,
    })
}
