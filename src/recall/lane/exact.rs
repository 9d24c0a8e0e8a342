//! The exact lane: what a fact is called, and what must be found to the letter.
//!
//! Similarity of meaning knows no difference between two numbers or two names. Here a fact is found by its subject, its
//! attribute or one of its entities, and any document by a number or a quoted phrase of the question.

use super::{Found, best};
use crate::model::{Fact, SUBJECT_USER};
use crate::recall::bytes::of_map;
use crate::recall::corpus::Corpus;
use crate::recall::postings::{DocNumber, Postings};
use crate::text::terms;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Names with more words are found by their words.
const LONGEST_NAME: usize = 4;

/// Facts by their names, each name as its terms with a space between.
#[derive(Default)]
pub(crate) struct Names {
    /// The documents of the facts, ascending.
    facts: BTreeMap<Box<str>, Vec<DocNumber>>,
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

    pub fn add(&mut self, doc: DocNumber, names: &BTreeSet<Box<str>>) {
        for name in names {
            let facts = self.facts.entry(name.clone()).or_default();
            if let Err(place) = facts.binary_search(&doc) {
                facts.insert(place, doc);
            }
        }
    }

    pub fn remove(&mut self, doc: DocNumber, names: &BTreeSet<Box<str>>) {
        for name in names {
            if let Some(facts) = self.facts.get_mut(name) {
                facts.retain(|other| *other != doc);
                if facts.is_empty() {
                    self.facts.remove(name);
                }
            }
        }
    }

    /// Heap bytes.
    pub fn bytes(&self) -> usize {
        let names: usize = self.facts.keys().map(|name| name.len()).sum();
        let facts: usize = self.facts.values().map(Vec::capacity).sum();
        names
            + facts * size_of::<DocNumber>()
            + of_map::<Box<str>, Vec<DocNumber>>(self.facts.len())
    }

    pub fn facts_named(&self, name: &str) -> &[DocNumber] {
        self.facts.get(name).map_or(&[], Vec::as_slice)
    }

    /// The facts that a question names, by its terms in order.
    pub fn named(&self, question: &[String], n_documents: usize) -> Named {
        let mut named = Named {
            n_terms: vec![0; n_documents],
            docs: Vec::new(),
        };
        for n_terms in 1..=LONGEST_NAME {
            for gram in question.windows(n_terms) {
                for doc in self.facts_named(&gram.join(" ")) {
                    let longest = &mut named.n_terms[*doc as usize];
                    if *longest == 0 {
                        named.docs.push(*doc);
                    }
                    *longest = n_terms as u8;
                }
            }
        }
        named
    }
}

/// Which facts a question names.
pub(crate) struct Named {
    /// By document number: the terms of the longest name; 0 if it is not named.
    n_terms: Vec<u8>,
    /// Each once.
    docs: Vec<DocNumber>,
}

impl Named {
    pub fn contains(&self, doc: DocNumber) -> bool {
        self.n_terms[doc as usize] > 0
    }
}

/// Facts with a name of the question, longer names first; then whatever holds a number or phrase of it.
pub(crate) fn search(
    corpus: &Corpus,
    named: &Named,
    holding: &HashMap<DocNumber, f32>,
    n: usize,
    allow: impl Fn(DocNumber) -> bool,
) -> Found {
    let others = holding.keys().filter(|doc| !named.contains(**doc));
    let docs = named.docs.iter().chain(others);
    let score = |doc: DocNumber| {
        let held = holding.get(&doc).copied().unwrap_or_default();
        held.max(f32::from(named.n_terms[doc as usize]))
    };
    let allowed = docs.filter(|doc| allow(**doc));
    let scored = allowed.map(|doc| (*doc, score(*doc)));
    best(corpus, scored.collect(), n)
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
