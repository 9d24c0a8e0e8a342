//! Where candidates come from: the union of the lanes, and what was said beside what they found.

use super::Query;
use super::corpus::Corpus;
use super::lane::dense::Dense;
use super::lane::{Found, Lane, LaneHit, exact, keyword};
use super::postings::{DocNumber, Matches};
use super::question::Question;
use super::score::breath::Breath;
use super::turns::Place;
use super::weights::{LANE_HITS, LANE_SESSIONS};
use crate::index::IndexError;
use crate::model::{FactId, RecordRef, TurnId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the lanes brought together.
pub(super) struct Candidates {
    /// The records that lanes found, each with its best place in each lane. An old version stands for the newest one.
    pub hits: BTreeMap<RecordRef, Vec<LaneHit>>,
    /// The hits, and what was said beside them; each once, in order.
    pub records: Vec<RecordRef>,
    /// What was said together with the facts among them.
    pub breaths: HashMap<FactId, Breath>,
    /// Facts that the question names, with the length of the name in terms.
    pub named: BTreeMap<FactId, usize>,
    /// The share of the question's numbers and quoted phrases that documents hold.
    pub holding: HashMap<DocNumber, f32>,
}

impl Candidates {
    pub fn find(
        corpus: &Corpus,
        query: &Query,
        question: &Question,
        matches: &Matches,
        meaning: Option<(&Dense, &[f32])>,
    ) -> Result<Candidates, IndexError> {
        let is_blocked = blocked(corpus, query);
        let allow = |doc: DocNumber| !is_blocked[doc as usize];
        let named = corpus.names.named(&question.terms);
        let holding = exact::holding(&corpus.postings, &question.exact);
        let mut lanes = vec![(Lane::Keyword, keyword::search(matches, LANE_HITS, allow))];
        if let Some((dense, vector)) = meaning {
            let allow = is_blocked.contains(&true).then_some(allow);
            lanes.push((Lane::Dense, dense.search(vector, LANE_HITS, allow)?));
        }
        lanes.push((Lane::Exact, exact_lane(corpus, &named, &holding)));
        lanes.push((Lane::Time, time_lane(corpus, question, matches)));
        if let Some(voice) = question.meant.named {
            let is_theirs =
                |doc: DocNumber| allow(doc) && corpus.voice_of[doc as usize] == Some(voice);
            lanes.push((
                Lane::Speaker,
                keyword::search(matches, LANE_HITS, is_theirs),
            ));
        }
        lanes.push((Lane::Session, session_lane(corpus, matches)));
        for (_, found) in &mut lanes {
            found.retain(|(doc, _)| allow(*doc));
            found.truncate(LANE_HITS);
        }
        let mut hits = records_hit(corpus, query, &lanes);
        for (fact, strength) in linked(corpus, query, &hits) {
            let known = hits.entry(RecordRef::Fact(fact)).or_default();
            let rank = known.len() as u32 + 1;
            known.push(LaneHit {
                lane: Lane::Entity,
                rank,
                score: strength,
            });
        }
        let records = expand(corpus, query, hits.keys().copied());
        let facts = records.iter().filter_map(|record| match record {
            RecordRef::Fact(id) => Some(*id),
            RecordRef::Turn(_) | RecordRef::File(_) => None,
        });
        let breaths = facts.map(|id| (id, Breath::of(corpus, id, query.filter.known_on)));
        Ok(Candidates {
            breaths: breaths.collect(),
            hits,
            records,
            named,
            holding,
        })
    }
}

/// Facts with a name of the question, longer names first; then whatever holds a number or phrase of it.
fn exact_lane(
    corpus: &Corpus,
    named: &BTreeMap<FactId, usize>,
    holding: &HashMap<DocNumber, f32>,
) -> Found {
    let facts = named
        .iter()
        .map(|(id, n_terms)| (corpus.facts[id].doc, *n_terms as f32));
    let others = holding.iter().map(|(doc, share)| (*doc, *share));
    let mut found: BTreeMap<DocNumber, f32> = BTreeMap::new();
    for (doc, score) in facts.chain(others) {
        let best = found.entry(doc).or_default();
        *best = best.max(score);
    }
    let mut found: Found = found.into_iter().collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found
}

/// What was said on the days of the question; what covers most of it first.
fn time_lane(corpus: &Corpus, question: &Question, matches: &Matches) -> Found {
    let happened = corpus.calendar.happened(&question.days);
    let sessions: BTreeSet<_> = happened.sessions.into_iter().collect();
    let turns = sessions
        .into_iter()
        .flat_map(|session| corpus.turns_of(session));
    let turns = turns.filter(|turn| question.time_fit(std::iter::once(turn.day)) > 0.0);
    let facts = happened.facts.iter().map(|id| corpus.facts[id].doc);
    let docs: BTreeSet<DocNumber> = turns
        .flat_map(|turn| turn.docs.clone())
        .chain(facts)
        .collect();
    best_covering(matches, docs)
}

/// The turns of the sessions that speak most of it.
fn session_lane(corpus: &Corpus, matches: &Matches) -> Found {
    let sessions = matches.best_sessions(LANE_SESSIONS);
    let ids = sessions
        .iter()
        .map(|number| corpus.session_ids[*number as usize]);
    let turns = ids.flat_map(|session| corpus.turns_of(session));
    let docs = turns.flat_map(|turn| turn.docs.clone());
    best_covering(
        matches,
        docs.filter(|doc| matches.coverage(*doc) > 0.0).collect(),
    )
}

fn best_covering(matches: &Matches, docs: BTreeSet<DocNumber>) -> Found {
    let mut found: Found = docs
        .into_iter()
        .map(|doc| (doc, matches.coverage(doc)))
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found
}

/// Facts that share a name with a found fact: what is said of "my sister" belongs to what is said of Ines, once a fact says
/// that the sister is Ines.
///
/// With the score of the hit that leads to them. A name that many facts have connects nothing.
fn linked(
    corpus: &Corpus,
    query: &Query,
    hits: &BTreeMap<RecordRef, Vec<LaneHit>>,
) -> BTreeMap<FactId, f32> {
    const MANY: usize = 20;
    const SOURCES: u32 = 3;
    let mut linked: BTreeMap<FactId, f32> = BTreeMap::new();
    for (record, lanes) in hits {
        let RecordRef::Fact(id) = record else {
            continue;
        };
        let strongest = lanes
            .iter()
            .filter(|hit| hit.rank <= SOURCES && hit.lane != Lane::Time);
        let Some(score) = strongest
            .map(|hit| hit.score.clamp(0.0, 1.0))
            .reduce(f32::max)
        else {
            continue;
        };
        let entities = corpus.facts[id]
            .links
            .iter()
            .filter(|name| corpus.names.n_named(name) <= MANY);
        for other in entities.flat_map(|name| corpus.names.facts_named(name)) {
            let other = corpus.newest(other, query.filter.known_on);
            if other != *id && !is_excluded(corpus, query, RecordRef::Fact(other)) {
                let best = linked.entry(other).or_default();
                *best = best.max(score);
            }
        }
    }
    linked
}

pub(super) fn is_excluded(corpus: &Corpus, query: &Query, record: RecordRef) -> bool {
    query.exclude.contains(&record)
        || is_running(query, record)
        || !(query.filter.is_none() || query.filter.allows(corpus, record))
}

/// Whether the prompt holds it as a part of the running session.
fn is_running(query: &Query, record: RecordRef) -> bool {
    matches!(record, RecordRef::Turn(turn)
        if Some(turn.session) == query.not_session && turn.index >= query.not_session_from)
}

/// By document number: what must not take a lane's places from what can be returned.
fn blocked(corpus: &Corpus, query: &Query) -> Vec<bool> {
    let mut blocked = vec![false; corpus.n_documents()];
    let on = query.filter.known_on;
    if !query.filter.is_none() {
        for (doc, blocked) in (0..).zip(&mut blocked) {
            // An old version leads to the newest one, and is blocked with it only.
            let record = corpus.owner(doc).map(|owner| match owner.record {
                RecordRef::Fact(id)
                    if super::filter::is_known(corpus.facts[&id].times.recorded_at, on) =>
                {
                    RecordRef::Fact(corpus.newest(id, on))
                }
                other => other,
            });
            *blocked = record.is_none_or(|record| !query.filter.allows(corpus, record));
        }
    }
    let mut block = |record| {
        for doc in corpus.documents_of(record) {
            blocked[doc as usize] = true;
        }
    };
    for record in query.exclude {
        block(*record);
        if let RecordRef::Fact(id) = record {
            for older in corpus.older(*id, on) {
                block(RecordRef::Fact(older));
            }
        }
    }
    for turn in query
        .not_session
        .into_iter()
        .flat_map(|session| corpus.turns_of(session))
    {
        let record = corpus.owner(turn.docs.start).map(|owner| owner.record);
        if !record.is_some_and(|record| is_running(query, record)) {
            continue;
        }
        for doc in turn.docs.clone() {
            blocked[doc as usize] = true;
        }
    }
    blocked
}

fn records_hit(
    corpus: &Corpus,
    query: &Query,
    lanes: &[(Lane, Found)],
) -> BTreeMap<RecordRef, Vec<LaneHit>> {
    let mut hits: BTreeMap<RecordRef, Vec<LaneHit>> = BTreeMap::new();
    for (lane, found) in lanes {
        for (place, (doc, score)) in found.iter().enumerate() {
            let Some(owner) = corpus.owner(*doc) else {
                continue;
            };
            let record = match owner.record {
                RecordRef::Fact(id) => RecordRef::Fact(corpus.newest(id, query.filter.known_on)),
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

fn expand(corpus: &Corpus, query: &Query, hits: impl Iterator<Item = RecordRef>) -> Vec<RecordRef> {
    let mut candidates = Vec::new();
    let add_facts_of = |turn: TurnId, candidates: &mut Vec<RecordRef>| {
        candidates.extend(
            corpus
                .facts_of(turn)
                .map(|id| RecordRef::Fact(corpus.newest(id, query.filter.known_on))),
        );
    };
    for record in hits {
        candidates.push(record);
        match record {
            RecordRef::Turn(id) => {
                add_facts_of(id, &mut candidates);
                if let Some(place) = corpus.turns.place(id) {
                    let beside = place.before().into_iter().chain(place.after());
                    candidates.extend(beside.map(|place| RecordRef::Turn(place.id())));
                }
            }
            RecordRef::File(_) => {}
            RecordRef::Fact(_) => {
                if let Some(turn) = corpus.source_of(record) {
                    for beside in [Some(turn), corpus.before(turn), corpus.after(turn)] {
                        beside
                            .into_iter()
                            .for_each(|turn| add_facts_of(turn, &mut candidates));
                    }
                }
            }
        }
    }
    candidates.sort_unstable();
    candidates.dedup();
    candidates
}

/// All documents whose similarity the scores of the candidates need, each once.
pub(super) fn compared_documents(corpus: &Corpus, candidates: &Candidates) -> Vec<DocNumber> {
    let mut docs = Vec::new();
    for record in &candidates.records {
        match record {
            RecordRef::File(_) => docs.extend(corpus.documents_of(*record)),
            RecordRef::Turn(id) => {
                let place = corpus.turns.place(*id);
                let before = place.and_then(Place::before);
                let after = place.and_then(Place::after);
                let earlier = before.and_then(Place::before);
                let later = after.and_then(Place::after);
                for place in [earlier, before, place, after, later].into_iter().flatten() {
                    docs.extend(place.turn().docs.clone());
                }
            }
            RecordRef::Fact(id) => {
                let breath = &candidates.breaths[id];
                let facts = breath
                    .versions
                    .iter()
                    .chain(&breath.before)
                    .chain(&breath.after);
                let facts = facts.map(|id| RecordRef::Fact(*id));
                let turns = breath.turns.iter().map(|id| RecordRef::Turn(*id));
                docs.extend(
                    facts
                        .chain(turns)
                        .flat_map(|record| corpus.documents_of(record)),
                );
            }
        }
    }
    docs.sort_unstable();
    docs.dedup();
    docs
}
