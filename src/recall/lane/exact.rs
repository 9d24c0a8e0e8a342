//! The exact lane: what a fact is called, and what must be found to the letter.
//!
//! Similarity of meaning knows no difference between two numbers or two names. Here a fact is found by its subject, its
//! attribute or one of its entities, and any document by a number or a quoted phrase of the question.

use crate::model::{Fact, FactId, SUBJECT_USER};
use crate::recall::bytes::of_map;
use crate::recall::postings::{DocNumber, Postings};
use crate::text::terms;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Names with more words are found by their words.
const LONGEST_NAME: usize = 4;

/// Facts by their names, each name as its terms with a space between.
#[derive(Default)]
pub(crate) struct Names {
    facts: BTreeMap<Box<str>, BTreeSet<FactId>>,
}

impl Names {
    /// The names of a fact: whom it is about, whom or what it mentions, and which property it tells.
    pub fn of(fact: &Fact) -> BTreeSet<Box<str>> {
        let mut names = Names::links_of(fact);
        names.extend(as_name(&fact.attribute));
        names
    }

    /// The names that connect facts: those without the property.
    pub fn links_of(fact: &Fact) -> BTreeSet<Box<str>> {
        let subject = Some(&fact.subject).filter(|subject| *subject != SUBJECT_USER);
        let all = subject.into_iter().chain(&fact.entities);
        all.filter_map(|name| as_name(name)).collect()
    }

    pub fn add(&mut self, id: FactId, names: &BTreeSet<Box<str>>) {
        for name in names {
            self.facts.entry(name.clone()).or_default().insert(id);
        }
    }

    pub fn remove(&mut self, id: FactId, names: &BTreeSet<Box<str>>) {
        for name in names {
            if let Some(facts) = self.facts.get_mut(name) {
                facts.remove(&id);
                if facts.is_empty() {
                    self.facts.remove(name);
                }
            }
        }
    }

    /// Heap bytes.
    pub fn bytes(&self) -> usize {
        let names: usize = self.facts.keys().map(|name| name.len()).sum();
        // A set has a node of its own, however few it holds.
        let of_set = |facts: &BTreeSet<FactId>| of_map::<FactId, ()>(facts.len().max(6));
        names
            + self.facts.values().map(of_set).sum::<usize>()
            + of_map::<Box<str>, BTreeSet<FactId>>(self.facts.len())
    }

    pub fn facts_named(&self, name: &str) -> impl Iterator<Item = FactId> {
        self.facts.get(name).into_iter().flatten().copied()
    }

    /// How many facts have this name.
    pub fn n_named(&self, name: &str) -> usize {
        self.facts.get(name).map_or(0, BTreeSet::len)
    }

    /// The facts that a question names, by its terms in order; with the number of terms of the longest name.
    pub fn named(&self, question: &[String]) -> BTreeMap<FactId, usize> {
        let mut found = BTreeMap::new();
        for n_terms in 1..=LONGEST_NAME {
            for gram in question.windows(n_terms) {
                for fact in self.facts_named(&gram.join(" ")) {
                    found.insert(fact, n_terms);
                }
            }
        }
        found
    }
}

fn as_name(text: &str) -> Option<Box<str>> {
    let terms = terms(text);
    let is_name = (1..=LONGEST_NAME).contains(&terms.len());
    is_name.then(|| terms.join(" ").into())
}

/// The share of the numbers and phrases that each document holds; documents with none are left out.
pub(crate) fn holding(postings: &Postings, exact: &[Vec<String>]) -> HashMap<DocNumber, f32> {
    let mut shares = HashMap::new();
    for terms in exact {
        for doc in postings.with_all(terms) {
            *shares.entry(doc).or_default() += 1.0 / exact.len() as f32;
        }
    }
    shares
}
