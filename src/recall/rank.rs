//! The way from a question to its answer.

use super::candidates::{Candidates, compared_documents, is_excluded};
use super::corpus::Corpus;
use super::lane::dense::Dense;
use super::question::Question;
use super::score::Ranking;
use super::{Query, Recalled, Recollection};
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
            let docs = compared_documents(corpus, query, &candidates.records);
            Some(dense.compare(vector, &docs)?)
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
    let relevant: BTreeMap<RecordRef, Recalled> = found
        .filter(|record| !is_excluded(corpus, query, *record) && ranking.is_relevant(*record))
        .map(|record| (record, ranking.item(record)))
        .collect();
    let mut items = super::collapse::collapse(corpus, query, relevant);
    items.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.record.cmp(&b.record)));
    items.truncate(query.limit);
    Ok(Recollection {
        items,
        candidates: candidates.records.len(),
        refused: None,
    })
}
