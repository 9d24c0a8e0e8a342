//! Nothing is said twice.
//!
//! A fact and the turn it was taken from say nearly the same. Where the quotes of relevant facts hold the best part of a turn,
//! the facts stay, because they are shorter, typed and have versions, and the turn goes. The strongest of them keeps the turn's
//! score if that was higher, so that the passage does not lose its place. Where the turn says more than its facts, both stay.
//! Of texts with the same wording one stays: a fact before a turn, then the stronger, then the newer.

use super::candidates::Candidate;
use super::corpus::Corpus;
use super::relations::KnownOn;
use super::turns::{Place, TurnEntry};
use super::{Part, Query, Recalled};
use crate::model::{FactId, RecordRef};
use std::ops::Range;

/// The most of a turn that may be left outside its facts' quotes when the facts stand for it: this share of the text.
const LEFT_SHARE: f32 = 0.4;

/// And at most so many UTF-16 code units: a greeting and a courtesy, not another statement.
const LEFT_UNITS: u32 = 120;

/// The score of a relevant record, and what was added to it: by its words, and by records that went.
#[derive(Default)]
pub(super) struct Standing {
    pub score: f32,
    added: Vec<Part>,
}

impl Standing {
    pub fn of(score: f32) -> Standing {
        Standing {
            score,
            added: Vec::new(),
        }
    }

    /// Adds a part to the score.
    pub fn add(&mut self, name: &'static str, value: f32) {
        self.added.push(Part { name, value });
        self.score += value;
    }

    fn inherit(&mut self, score: f32) {
        if score > self.score {
            let value = score - self.score;
            self.added.push(Part {
                name: "turn",
                value,
            });
            self.score = score;
        }
    }

    /// The record's reasons with this score.
    pub fn explained(self, item: Recalled) -> Recalled {
        let mut parts = item.parts;
        parts.extend(self.added);
        Recalled {
            parts,
            score: self.score,
            ..item
        }
    }
}

/// A relevant record and how it stands.
type Item<'a> = (&'a Candidate<'a>, Standing);

/// `items` in the order of their records.
pub(super) fn collapse<'a>(
    corpus: &Corpus,
    query: &Query,
    mut items: Vec<Item<'a>>,
) -> Vec<Item<'a>> {
    let on = query.filter.known_on;
    let mut dropped = Vec::new();
    for at in 0..items.len() {
        let Candidate::Turn(place) = items[at].0 else {
            break;
        };
        let is_said = |fact: FactId| {
            let record = RecordRef::Fact(fact);
            place_of(&items, record).is_some() || query.exclude.contains(&record)
        };
        let facts = covering_facts(corpus, *place, on, is_said);
        if facts.is_empty() {
            continue;
        }
        dropped.push(at);
        let newest = facts.iter().map(|fact| (corpus.newest(*fact, on), *fact));
        let relevant = newest.filter_map(|(newest, version)| {
            let heir = place_of(&items, RecordRef::Fact(newest))?;
            Some((heir, version))
        });
        let strength = |heir: usize| items[heir].1.score;
        let strongest = relevant.reduce(|a, b| if strength(b.0) > strength(a.0) { b } else { a });
        if let Some((heir, version)) = strongest {
            let share = corpus.kept_share(version, query.now, on);
            let left = items[at].1.score * share;
            items[heir].1.inherit(left);
        }
    }
    for at in dropped.into_iter().rev() {
        items.remove(at);
    }
    one_of_each_wording(corpus, items)
}

fn place_of(items: &[Item], record: RecordRef) -> Option<usize> {
    let place = items.binary_search_by_key(&record, |(candidate, _)| candidate.record());
    place.ok()
}

/// The facts that stand for a turn together; none if they do not.
///
/// `is_said` tells of the newest version of a fact whether it is in the answer or in the prompt already.
fn covering_facts(
    corpus: &Corpus,
    place: Place,
    on: KnownOn,
    is_said: impl Fn(FactId) -> bool,
) -> Vec<FactId> {
    let facts: Vec<FactId> = corpus
        .facts_of(place.id())
        .filter(|fact| is_said(corpus.newest(*fact, on)))
        .collect();
    let spans = facts
        .iter()
        .filter_map(|fact| corpus.facts[fact].evidence.as_ref());
    let spans = spans.map(|(_, span)| span.clone()).collect();
    let left = units_left(place.turn(), spans);
    if left as f32 <= LEFT_SHARE * place.turn().length as f32 && left <= LEFT_UNITS {
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

fn one_of_each_wording<'a>(corpus: &Corpus, items: Vec<Item<'a>>) -> Vec<Item<'a>> {
    let wording = |candidate: &Candidate| match candidate {
        Candidate::Turn(place) => place.turn().wording,
        Candidate::Fact(breath) => breath.newest().fact.wording,
        Candidate::File(id) => corpus.files[id].wording,
    };
    let mut by_wording: Vec<(u64, Item)> = items
        .into_iter()
        .map(|item| (wording(item.0), item))
        .collect();
    // Stable: of equal wordings the order of records stays.
    by_wording.sort_by_key(|(wording, _)| *wording);
    let mut kept: Vec<(u64, Item)> = Vec::with_capacity(by_wording.len());
    for (wording, item) in by_wording {
        let item = match kept.pop_if(|(other, _)| *other == wording) {
            Some((_, earlier)) => better(earlier, item),
            None => item,
        };
        kept.push((wording, item));
    }
    kept.into_iter().map(|(_, item)| item).collect()
}

/// `earlier` precedes `later` in the order of records.
fn better<'a>(earlier: Item<'a>, later: Item<'a>) -> Item<'a> {
    let is_fact = |item: &Item| matches!(item.0, Candidate::Fact(_));
    let (mut kept, dropped) = match (is_fact(&earlier), is_fact(&later)) {
        (true, false) => (earlier, later),
        (false, true) => (later, earlier),
        _ if earlier.1.score > later.1.score => (earlier, later),
        _ => (later, earlier),
    };
    kept.1.inherit(dropped.1.score);
    kept
}
