//! Where candidates come from: the union of the lanes, and what was said beside what they found.

use super::Query;
use super::corpus::Corpus;
use super::hits::Hits;
use super::lane::dense::Dense;
use super::lane::exact::Named;
use super::lane::{Found, Lane, best, exact, keyword};
use super::postings::{DocNumber, Matches};
use super::question::Question;
use super::score::breath::Breath;
use super::turns::Place;
use super::weights::{LANE_HITS, LANE_SESSIONS};
use crate::index::IndexError;
use crate::model::{FactId, FileId, RecordRef, TurnId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A record that may be recalled, and what its score looks at.
pub(super) enum Candidate<'a> {
    Turn(Place<'a>),
    Fact(Breath<'a>),
    File(FileId),
}

impl Candidate<'_> {
    pub fn record(&self) -> RecordRef {
        match self {
            Candidate::Turn(place) => RecordRef::Turn(place.id()),
            Candidate::Fact(breath) => RecordRef::Fact(breath.id()),
            Candidate::File(id) => RecordRef::File(*id),
        }
    }
}

/// What the lanes brought together.
pub(super) struct Candidates<'a> {
    pub hits: Hits,
    /// The hits, and what was said beside them; each once, in the order of records.
    pub all: Vec<Candidate<'a>>,
    /// Facts that share a name with a found fact, with the score of the hit that leads to them.
    pub linked: BTreeMap<FactId, f32>,
    /// Facts that the question names.
    pub named: Named,
    /// The share of the question's numbers and quoted phrases that documents hold.
    pub holding: HashMap<DocNumber, f32>,
}

impl<'a> Candidates<'a> {
    pub fn find(
        corpus: &'a Corpus,
        query: &Query,
        question: &Question,
        matches: &Matches,
        meaning: Option<(&Dense, &[f32])>,
    ) -> Result<Candidates<'a>, IndexError> {
        let is_blocked = blocked(corpus, query);
        let allow = |doc: DocNumber| !is_blocked[doc as usize];
        let named = corpus.names.named(&question.terms, corpus.n_documents());
        let holding = exact::holding(&corpus.postings, &question.exact);
        let mut lanes = vec![(
            Lane::Keyword,
            keyword::search(corpus, matches, LANE_HITS, allow),
        )];
        if let Some((dense, vector)) = meaning {
            let allow = is_blocked.contains(&true).then_some(allow);
            lanes.push((Lane::Dense, dense.search(corpus, vector, LANE_HITS, allow)?));
        }
        let exact = exact::search(corpus, &named, &holding, LANE_HITS, allow);
        lanes.push((Lane::Exact, exact));
        lanes.push((Lane::Time, time_lane(corpus, question, matches, allow)));
        if let Some(voice) = question.meant.named {
            let is_theirs =
                |doc: DocNumber| allow(doc) && corpus.voice_of[doc as usize] == Some(voice);
            lanes.push((
                Lane::Speaker,
                keyword::search(corpus, matches, LANE_HITS, is_theirs),
            ));
        }
        lanes.push((Lane::Session, session_lane(corpus, matches, allow)));
        let mut hits = Hits::of(corpus, &lanes, query.filter.known_on);
        let linked = linked(corpus, query, &hits);
        hits.add_linked(linked.iter().map(|(fact, score)| (*fact, *score)));
        Ok(Candidates {
            all: expand(corpus, query, &hits),
            hits,
            linked,
            named,
            holding,
        })
    }
}

/// What was said on the days of the question; what covers most of it first.
fn time_lane(
    corpus: &Corpus,
    question: &Question,
    matches: &Matches,
    allow: impl Fn(DocNumber) -> bool,
) -> Found {
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
        .filter(|doc| allow(*doc))
        .collect();
    best_covering(corpus, matches, docs)
}

/// The turns of the sessions that speak most of it.
fn session_lane(corpus: &Corpus, matches: &Matches, allow: impl Fn(DocNumber) -> bool) -> Found {
    let sessions = matches.best_sessions(LANE_SESSIONS, &corpus.session_ids);
    let turns = sessions
        .into_iter()
        .flat_map(|session| corpus.turns_of(session));
    let docs = turns.flat_map(|turn| turn.docs.clone());
    let docs = docs.filter(|doc| matches.coverage(*doc) > 0.0 && allow(*doc));
    best_covering(corpus, matches, docs.collect())
}

fn best_covering(corpus: &Corpus, matches: &Matches, docs: BTreeSet<DocNumber>) -> Found {
    let with_coverage = docs.into_iter().map(|doc| (doc, matches.coverage(doc)));
    best(corpus, with_coverage.collect(), LANE_HITS)
}

/// Facts that share a name with a found fact: what is said of "my sister" belongs to what is said of Ines, once a fact says
/// that the sister is Ines.
///
/// With the score of the hit that leads to them. A name that many facts have connects nothing.
fn linked(corpus: &Corpus, query: &Query, hits: &Hits) -> BTreeMap<FactId, f32> {
    const MANY: usize = 20;
    const SOURCES: u32 = 3;
    let mut linked: BTreeMap<FactId, f32> = BTreeMap::new();
    for (record, lanes) in hits.records() {
        let RecordRef::Fact(id) = record else {
            continue;
        };
        let strongest = lanes
            .iter()
            .map(|(_, hit)| hit)
            .filter(|hit| hit.rank <= SOURCES && hit.lane != Lane::Time);
        let Some(score) = strongest
            .map(|hit| hit.score.clamp(0.0, 1.0))
            .reduce(f32::max)
        else {
            continue;
        };
        let links = corpus.facts[&id].links.iter();
        let links = links.map(|name| corpus.names.facts_named(name));
        for doc in links.filter(|docs| docs.len() <= MANY).flatten() {
            let Some(RecordRef::Fact(other)) = corpus.owner(*doc).map(|owner| owner.record) else {
                continue;
            };
            let other = corpus.newest(other, query.filter.known_on);
            if other != id && !is_excluded(corpus, query, RecordRef::Fact(other)) {
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

/// What was found, and what was said beside it, each once, in the order of records.
fn expand<'a>(corpus: &'a Corpus, query: &Query, hits: &Hits) -> Vec<Candidate<'a>> {
    let on = query.filter.known_on;
    let (mut turns, mut facts, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let facts_of = |turn: TurnId| corpus.facts_of(turn).map(|id| corpus.newest(id, on));
    for (record, _) in hits.records() {
        match record {
            RecordRef::Turn(id) => {
                let place = corpus.turns.place(id).expect("a turn that has documents");
                let beside = place.before().into_iter().chain(place.after());
                turns.extend(beside.chain([place]));
                facts.extend(facts_of(id));
            }
            RecordRef::File(id) => files.push(Candidate::File(id)),
            RecordRef::Fact(id) => {
                facts.push(id);
                if let Some(turn) = corpus.source_of(record) {
                    let beside = [Some(turn), corpus.before(turn), corpus.after(turn)];
                    facts.extend(beside.into_iter().flatten().flat_map(facts_of));
                }
            }
        }
    }
    turns.sort_unstable_by_key(|place| place.id());
    turns.dedup_by_key(|place| place.id());
    facts.sort_unstable();
    facts.dedup();
    let turns = turns.into_iter().map(Candidate::Turn);
    let facts = facts.into_iter();
    let facts = facts.map(|id| Candidate::Fact(Breath::of(corpus, id, on)));
    turns.chain(facts).chain(files).collect()
}
