//! Nothing is said twice.
//!
//! A fact and the turn it was taken from say nearly the same. Where the quotes of relevant facts hold the best part of a turn,
//! the facts stay, because they are shorter, typed and have versions, and the turn goes. The strongest of them keeps the turn's
//! score if that was higher, so that the passage does not lose its place. Where the turn says more than its facts, both stay.
//! Of texts with the same wording one stays: a fact before a turn, then the stronger, then the newer.

use super::corpus::Corpus;
use super::relations::KnownOn;
use super::turns::TurnEntry;
use super::{Part, Query, Recalled};
use crate::model::{FactId, RecordRef, TurnId};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// The most of a turn that may be left outside its facts' quotes when the facts stand for it: this share of the text.
const LEFT_SHARE: f32 = 0.4;

/// And at most so many UTF-16 code units: a greeting and a courtesy, not another statement.
const LEFT_UNITS: u32 = 120;

/// The score of a relevant record, and what of it came from records that went.
#[derive(Default)]
pub(super) struct Standing {
    pub score: f32,
    inherited: Vec<f32>,
}

impl Standing {
    pub fn of(score: f32) -> Standing {
        Standing {
            score,
            inherited: Vec::new(),
        }
    }

    fn inherit(&mut self, score: f32) {
        if score > self.score {
            self.inherited.push(score - self.score);
            self.score = score;
        }
    }

    /// The record's reasons with this score.
    pub fn explained(self, item: Recalled) -> Recalled {
        let mut parts = item.parts;
        parts.extend(self.inherited.into_iter().map(|value| Part {
            name: "turn",
            value,
        }));
        Recalled {
            parts,
            score: self.score,
            ..item
        }
    }
}

pub(super) fn collapse(
    corpus: &Corpus,
    query: &Query,
    mut items: BTreeMap<RecordRef, Standing>,
) -> Vec<(RecordRef, Standing)> {
    let turns: Vec<TurnId> = items.keys().filter_map(turn_of).collect();
    for turn in turns {
        let on = query.filter.known_on;
        let is_said = |fact: FactId| {
            let record = RecordRef::Fact(fact);
            items.contains_key(&record) || query.exclude.contains(&record)
        };
        let facts = covering_facts(corpus, turn, on, is_said);
        if facts.is_empty() {
            continue;
        }
        let dropped = items
            .remove(&RecordRef::Turn(turn))
            .expect("a relevant turn");
        let newest = facts.iter().map(|fact| (corpus.newest(*fact, on), *fact));
        let relevant = newest.filter(|(newest, _)| items.contains_key(&RecordRef::Fact(*newest)));
        let strength = |fact: &FactId| items[&RecordRef::Fact(*fact)].score;
        let strongest = relevant.reduce(|a, b| {
            if strength(&b.0) > strength(&a.0) {
                b
            } else {
                a
            }
        });
        if let Some((newest, version)) = strongest {
            let share = corpus.kept_share(version, query.now, on);
            let heir = items
                .get_mut(&RecordRef::Fact(newest))
                .expect("a relevant fact");
            heir.inherit(dropped.score * share);
        }
    }
    one_of_each_wording(corpus, items)
}

fn turn_of(record: &RecordRef) -> Option<TurnId> {
    match record {
        RecordRef::Turn(id) => Some(*id),
        RecordRef::Fact(_) | RecordRef::File(_) => None,
    }
}

/// The facts that stand for a turn together; none if they do not.
///
/// `is_said` tells of the newest version of a fact whether it is in the answer or in the prompt already.
fn covering_facts(
    corpus: &Corpus,
    turn: TurnId,
    on: KnownOn,
    is_said: impl Fn(FactId) -> bool,
) -> Vec<FactId> {
    let entry = corpus.turns.get(turn).expect("a relevant turn");
    let facts: Vec<FactId> = corpus
        .facts_of(turn)
        .filter(|fact| is_said(corpus.newest(*fact, on)))
        .collect();
    let spans = facts
        .iter()
        .filter_map(|fact| corpus.facts[fact].evidence.as_ref());
    let left = units_left(entry, spans.map(|(_, span)| span.clone()).collect());
    if left as f32 <= LEFT_SHARE * entry.length as f32 && left <= LEFT_UNITS {
        facts
    } else {
        Vec::new()
    }
}

/// How much of the turn is outside the spans, which may overlap.
fn units_left(turn: &TurnEntry, mut spans: Vec<Range<u32>>) -> u32 {
    spans.sort_by_key(|span| span.start);
    let mut left = turn.length;
    let mut end = 0;
    for span in spans {
        let new = span.start.max(end)..span.end.min(turn.length);
        left -= new.end.saturating_sub(new.start);
        end = end.max(span.end);
    }
    left
}

fn one_of_each_wording(
    corpus: &Corpus,
    items: BTreeMap<RecordRef, Standing>,
) -> Vec<(RecordRef, Standing)> {
    let mut by_wording: HashMap<u64, (RecordRef, Standing)> = HashMap::with_capacity(items.len());
    for item in items {
        let wording = match item.0 {
            RecordRef::Turn(id) => corpus.turns.get(id).expect("a relevant turn").wording,
            RecordRef::Fact(id) => corpus.facts[&id].wording,
            RecordRef::File(id) => corpus.files[&id].wording,
        };
        match by_wording.remove(&wording) {
            Some(other) => by_wording.insert(wording, better(other, item)),
            None => by_wording.insert(wording, item),
        };
    }
    by_wording.into_values().collect()
}

/// `earlier` precedes `later` in the order of records.
fn better(earlier: (RecordRef, Standing), later: (RecordRef, Standing)) -> (RecordRef, Standing) {
    let is_fact = |item: &(RecordRef, Standing)| matches!(item.0, RecordRef::Fact(_));
    let (mut kept, dropped) = match (is_fact(&earlier), is_fact(&later)) {
        (true, false) => (earlier, later),
        (false, true) => (later, earlier),
        _ if earlier.1.score > later.1.score => (earlier, later),
        _ => (later, earlier),
    };
    kept.1.inherit(dropped.1.score);
    kept
}
