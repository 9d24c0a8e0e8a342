//! The way from a question to its answer.

use super::corpus::Corpus;
use super::lane::{Found, Lane, LaneHit, dense::Dense, keyword};
use super::postings::DocNumber;
use super::score::{Breath, Ranking};
use super::weights::LANE_HITS;
use super::{Query, Recalled, Recollection};
use crate::index::IndexError;
use crate::model::{RecordRef, TurnId};
use crate::text::terms;
use std::collections::{BTreeMap, BTreeSet};

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
    let meant = corpus.voices.meant(query.text);
    let terms = terms(&meant.words);
    let matches = corpus.postings.ask(&terms);
    let is_blocked = blocked(corpus, query);
    let allow = |doc: DocNumber| !is_blocked[doc as usize];
    let mut lanes = vec![(Lane::Keyword, keyword::search(&matches, LANE_HITS, allow))];
    if let Some((dense, vector)) = meaning {
        lanes.push((Lane::Dense, dense.search(vector, LANE_HITS, allow)?));
    }
    let hits = records_hit(corpus, &lanes);
    let candidates = expand(corpus, hits.keys().copied());
    let similar = match meaning {
        Some((dense, vector)) => {
            let docs = compared_documents(corpus, &candidates);
            Some(dense.compare(vector, &docs)?)
        }
        None => None,
    };
    let ranking = Ranking {
        corpus,
        query,
        meant,
        terms: terms.into_iter().collect(),
        matches,
        similar,
    };
    let n_candidates = candidates.len();
    let relevant: BTreeMap<RecordRef, Recalled> = candidates
        .into_iter()
        .filter(|record| !is_excluded(query, *record) && ranking.is_relevant(*record))
        .map(|record| {
            let found_by = hits.get(&record).cloned().unwrap_or_default();
            (record, ranking.item(record, found_by))
        })
        .collect();
    let mut items = super::collapse::collapse(corpus, query, relevant);
    items.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.record.cmp(&b.record)));
    items.truncate(query.limit);
    Ok(Recollection {
        items,
        candidates: n_candidates,
        refused: None,
    })
}

fn is_excluded(query: &Query, record: RecordRef) -> bool {
    let is_running = |turn: TurnId| Some(turn.session) == query.not_session;
    query.exclude.contains(&record) || matches!(record, RecordRef::Turn(turn) if is_running(turn))
}

/// By document number: what must not take a lane's places from what can be returned.
fn blocked(corpus: &Corpus, query: &Query) -> Vec<bool> {
    let mut blocked = vec![false; corpus.n_documents()];
    let mut block = |record| {
        for doc in corpus.documents_of(record) {
            blocked[doc as usize] = true;
        }
    };
    for record in query.exclude {
        block(*record);
        // An old version leads to the newest one, and is blocked with it only.
        if let RecordRef::Fact(id) = record {
            for older in corpus.older(*id) {
                block(RecordRef::Fact(older));
            }
        }
    }
    for turn in query
        .not_session
        .into_iter()
        .flat_map(|session| corpus.turns_of(session))
    {
        for doc in turn.docs.clone() {
            blocked[doc as usize] = true;
        }
    }
    blocked
}

/// The records that lanes found, each with its best place in each lane. An old version stands for the newest one.
fn records_hit(corpus: &Corpus, lanes: &[(Lane, Found)]) -> BTreeMap<RecordRef, Vec<LaneHit>> {
    let mut hits: BTreeMap<RecordRef, Vec<LaneHit>> = BTreeMap::new();
    for (lane, found) in lanes {
        for (place, (doc, score)) in found.iter().enumerate() {
            let Some(owner) = corpus.owner(*doc) else {
                continue;
            };
            let record = match owner.record {
                RecordRef::Fact(id) => RecordRef::Fact(corpus.newest(id)),
                turn => turn,
            };
            let known = hits.entry(record).or_default();
            if known.iter().all(|hit| hit.lane != *lane) {
                known.push(LaneHit {
                    lane: *lane,
                    rank: place as u32 + 1,
                    score: *score,
                });
            }
        }
    }
    hits
}

/// The hits, and what was said beside them.
fn expand(corpus: &Corpus, hits: impl Iterator<Item = RecordRef>) -> BTreeSet<RecordRef> {
    let mut candidates = BTreeSet::new();
    let add_facts_of = |turn: TurnId, candidates: &mut BTreeSet<RecordRef>| {
        candidates.extend(
            corpus
                .facts_of(turn)
                .map(|id| RecordRef::Fact(corpus.newest(id))),
        );
    };
    for record in hits {
        candidates.insert(record);
        match record {
            RecordRef::Turn(id) => {
                add_facts_of(id, &mut candidates);
                let beside = corpus.before(id).into_iter().chain(corpus.after(id));
                candidates.extend(beside.map(RecordRef::Turn));
            }
            RecordRef::Fact(id) => {
                if let Some(turn) = corpus
                    .facts
                    .get(&id)
                    .and_then(|fact| fact.evidence.as_ref())
                {
                    let turn = turn.0;
                    for beside in [Some(turn), corpus.before(turn), corpus.after(turn)] {
                        beside
                            .into_iter()
                            .for_each(|turn| add_facts_of(turn, &mut candidates));
                    }
                }
            }
        }
    }
    candidates
}

/// All documents whose similarity the scores of the candidates need.
fn compared_documents(corpus: &Corpus, candidates: &BTreeSet<RecordRef>) -> BTreeSet<DocNumber> {
    let mut docs = BTreeSet::new();
    let mut add = |record| docs.extend(corpus.documents_of(record));
    for record in candidates {
        match record {
            RecordRef::Turn(id) => {
                let beside = [Some(*id), corpus.before(*id), corpus.after(*id)];
                beside
                    .into_iter()
                    .flatten()
                    .map(RecordRef::Turn)
                    .for_each(&mut add);
            }
            RecordRef::Fact(id) => {
                let breath = Breath::of(corpus, *id);
                let facts = breath
                    .versions
                    .iter()
                    .chain(&breath.before)
                    .chain(&breath.after);
                facts.map(|id| RecordRef::Fact(*id)).for_each(&mut add);
                breath
                    .turns
                    .iter()
                    .map(|id| RecordRef::Turn(*id))
                    .for_each(&mut add);
            }
        }
    }
    docs
}
