//! Posting lists: which documents have which terms, and BM25 over them.
//!
//! Lists only grow at their end. A removed document is a tombstone in the lists until the dead outnumber the living;
//! then the lists are swept. All statistics count the living only, so that scores never depend on what was once there.

mod segment;

pub(crate) use segment::{LocalDocs, REPLACED, SegmentWords};

use super::bytes::of_map;
use super::weights::QUESTION_TERMS;
use crate::model::SessionId;
use crate::real;
use crate::text::{KIN_WEIGHT, are_kin, is_pair, kin_prefix};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// The number of a document: one piece of a turn, or a fact. Numbers are given once, in ascending order.
pub(crate) type DocNumber = u32;

/// The number of a session within the postings.
pub(crate) type SessionNumber = u32;

/// BM25's saturation of repeated terms over passages. Measured against the usual 1.2 and .75: +.01 recall@10.
pub(crate) const K1: f32 = 0.9;
/// BM25's length normalisation over passages.
pub(crate) const B: f32 = 0.4;
/// The usual values, for whole sessions: texts of thousands of words.
pub(crate) const SESSION_K1: f32 = 1.2;
pub(crate) const SESSION_B: f32 = 0.75;

/// How fast the divisor of longer messages falls behind the number of their terms.
///
/// Measured with LoCoMo's questions put among 1, 3 and 10 turns of another conversation: .65 gives such messages (25 to 160 terms)
/// about the same coverage by chance at any length, a little below that of a bare question; recall@10 rises against 1
/// (.556 to .561, .351 to .408, .158 to .204).
const MESSAGE_EXPONENT: f32 = 0.65;

/// Below this, sweeping is not worth the walk over all lists.
const MIN_DEAD_TO_SWEEP: usize = 256;

#[derive(Clone, Copy)]
struct Entry {
    doc: DocNumber,
    term_frequency: u16,
}

/// Eight bytes, since asking walks over all of them.
#[derive(Clone, Copy)]
struct Document {
    /// Terms, with repetitions.
    length: u32,
    /// [`NO_SESSION`] for none, [`REMOVED`] for a document that is no more.
    session: SessionNumber,
}

const NO_SESSION: SessionNumber = SessionNumber::MAX;
const REMOVED: SessionNumber = SessionNumber::MAX - 1;

impl Document {
    const GONE: Document = Document {
        length: 0,
        session: REMOVED,
    };

    fn is_live(self) -> bool {
        self.session != REMOVED
    }

    fn session(self) -> Option<SessionNumber> {
        (self.session < REMOVED).then_some(self.session)
    }
}

#[derive(Clone, Copy, Default)]
struct SessionLength {
    n_docs: u32,
    length: u64,
}

#[derive(Default)]
pub(crate) struct Postings {
    /// Sorted, so that the kin of a term stand beside it.
    term_numbers: BTreeMap<Box<str>, u32>,
    lists: Vec<Vec<Entry>>,
    /// By document number.
    documents: Vec<Document>,
    sessions: Vec<SessionLength>,
    n_live: usize,
    n_dead: usize,
    total_length: u64,
}

/// How a word of a text stands to a word of the question.
#[derive(Clone, Copy)]
enum Form {
    Own,
    Kin,
}

impl Form {
    fn share(self) -> f32 {
        match self {
            Form::Own => 1.0,
            Form::Kin => KIN_WEIGHT,
        }
    }
}

/// How often a session has a word. Counted whole and weighed once: a sum of shares would depend on the order in which the
/// documents came.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Frequency {
    own: u32,
    kin: u32,
}

impl Frequency {
    fn add(&mut self, form: Form, times: u16) {
        match form {
            Form::Own => self.own += u32::from(times),
            Form::Kin => self.kin += u32::from(times),
        }
    }

    fn weighed(self) -> f32 {
        self.own as f32 + KIN_WEIGHT * self.kin as f32
    }
}

/// How well the documents match one question.
pub(crate) struct Matches {
    /// By document number: BM25 divided by the most a document could have, in [0, 1].
    coverage: Vec<f32>,
    /// The documents with any match, each once.
    touched: Vec<DocNumber>,
    /// By session number: BM25 over the whole session, divided by the best session's; in [0, 1].
    sessions: Vec<f32>,
}

impl Matches {
    pub fn coverage(&self, doc: DocNumber) -> f32 {
        self.coverage.get(doc as usize).copied().unwrap_or(0.0)
    }

    pub fn session(&self, session: SessionNumber) -> f32 {
        self.sessions.get(session as usize).copied().unwrap_or(0.0)
    }

    /// The `n` sessions that speak most of it, best first; equal ones in the order of their ids, which are given by number.
    pub fn best_sessions(&self, n: usize, ids: &[SessionId]) -> Vec<SessionId> {
        let mut sessions: Vec<SessionNumber> = (0..self.sessions.len() as SessionNumber)
            .filter(|session| self.session(*session) > 0.0)
            .collect();
        let order = |a: &SessionNumber, b: &SessionNumber| {
            let (one, other) = (self.session(*a), self.session(*b));
            let by_id = || ids[*a as usize].cmp(&ids[*b as usize]);
            other.total_cmp(&one).then_with(by_id)
        };
        if sessions.len() > n && n > 0 {
            sessions.select_nth_unstable_by(n - 1, order);
        }
        sessions.truncate(n);
        sessions.sort_unstable_by(order);
        sessions
            .iter()
            .map(|number| ids[*number as usize])
            .collect()
    }

    pub fn touched(&self) -> &[DocNumber] {
        &self.touched
    }
}

impl Postings {
    /// Adds a document under a number greater than all before it.
    pub fn add(&mut self, doc: DocNumber, session: Option<SessionNumber>, terms: &[String]) {
        assert!(
            doc as usize >= self.documents.len(),
            "document numbers ascend"
        );
        let mut counts: HashMap<&str, u16> = HashMap::with_capacity(terms.len());
        for term in terms {
            let count = counts.entry(term).or_default();
            *count = count.saturating_add(1);
        }
        for (term, term_frequency) in counts {
            let number = match self.term_numbers.get(term) {
                Some(number) => *number,
                None => {
                    let number = self.lists.len() as u32;
                    self.term_numbers.insert(term.into(), number);
                    self.lists.push(Vec::new());
                    number
                }
            };
            self.lists[number as usize].push(Entry {
                doc,
                term_frequency,
            });
        }
        self.documents.resize(doc as usize, Document::GONE);
        self.enter(terms.len() as u32, session);
    }

    pub fn remove(&mut self, doc: DocNumber) {
        let Some(place) = self.documents.get_mut(doc as usize) else {
            return;
        };
        let document = std::mem::replace(place, Document::GONE);
        if !document.is_live() {
            return;
        }
        self.n_live -= 1;
        self.n_dead += 1;
        self.total_length -= u64::from(document.length);
        if let Some(session) = document.session() {
            let session = &mut self.sessions[session as usize];
            session.n_docs -= 1;
            session.length -= u64::from(document.length);
        }
        if self.n_dead > self.n_live.max(MIN_DEAD_TO_SWEEP) {
            self.sweep();
        }
    }

    fn sweep(&mut self) {
        for list in &mut self.lists {
            list.retain(|entry| self.documents[entry.doc as usize].is_live());
            list.shrink_to_fit();
        }
        self.term_numbers
            .retain(|_, number| !self.lists[*number as usize].is_empty());
        self.n_dead = 0;
    }

    /// Heap bytes.
    pub fn bytes(&self) -> usize {
        let words: usize = self.term_numbers.keys().map(|term| term.len()).sum();
        let entries: usize = self.lists.iter().map(Vec::capacity).sum();
        words
            + of_map::<Box<str>, u32>(self.term_numbers.len())
            + self.lists.capacity() * size_of::<Vec<Entry>>()
            + entries * size_of::<Entry>()
            + self.documents.capacity() * size_of::<Document>()
            + self.sessions.capacity() * size_of::<SessionLength>()
    }

    /// The documents that have all of these terms, ascending.
    pub fn with_all(&self, terms: &[String]) -> Vec<DocNumber> {
        let list = |term: &String| {
            let number = self.term_numbers.get(term.as_str());
            number.map_or(&[][..], |number| &self.lists[*number as usize])
        };
        let mut lists: Vec<&[Entry]> = terms.iter().map(list).collect();
        lists.sort_by_key(|list| list.len());
        let Some((shortest, others)) = lists.split_first() else {
            return Vec::new();
        };
        let is_live = |doc: DocNumber| self.documents[doc as usize].is_live();
        let has = |list: &&[Entry], doc| list.binary_search_by_key(&doc, |entry| entry.doc).is_ok();
        let docs = shortest
            .iter()
            .map(|entry| entry.doc)
            .filter(|doc| is_live(*doc));
        docs.filter(|doc| others.iter().all(|list| has(list, *doc)))
            .collect()
    }

    /// The lists of a term and of its kin. Kin that the question asks for by themselves are left to it.
    fn forms(&self, term: &str, asked: &[&str]) -> Vec<(&[Entry], Form)> {
        let list = |number: &u32| self.lists[*number as usize].as_slice();
        let own = self
            .term_numbers
            .get(term)
            .map(|number| (list(number), Form::Own));
        if term.bytes().any(|b| b.is_ascii_digit()) {
            return own.into_iter().collect();
        }
        let prefix = kin_prefix(term);
        let beside = self
            .term_numbers
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(other, _)| other.starts_with(prefix));
        let kin = beside.filter(|(other, _)| {
            let other: &str = other;
            other != term && are_kin(term, other) && asked.binary_search(&other).is_err()
        });
        own.into_iter()
            .chain(kin.map(|(_, number)| (list(number), Form::Kin)))
            .collect()
    }

    /// Scores all documents and sessions against the terms of a question.
    ///
    /// Coverage divides by what a document would score that has every term of the question without end, unknown terms
    /// included: it is comparable across questions, so a threshold on it has a meaning. (A pair of Chinese characters that is
    /// unknown is not, since its characters are counted by themselves.) A message much longer than a question
    /// can not be covered by one passage; beyond [`QUESTION_TERMS`] terms the divisor grows more slowly than their number.
    pub fn ask(&self, terms: &[String]) -> Matches {
        // Sorted, so that equal questions add up in the same order whatever the order of their words.
        let mut terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        terms.sort_unstable();
        terms.dedup();

        let mut coverage = vec![0.0; self.documents.len()];
        let mut touched = Vec::new();
        let mut sessions = vec![0.0f32; self.sessions.len()];
        let mut in_session = vec![Frequency::default(); self.sessions.len()];
        let saturation = Saturation::new(average(self.total_length, self.n_live));
        let n_sessions = self.sessions.iter().filter(|s| s.n_docs > 0).count();
        let session_length = self.sessions.iter().map(|s| s.length).sum();
        let session_average = average(session_length, n_sessions);
        let mut most = 0.0;

        // What the best form of the present term gives each document; all zero between terms.
        let mut best_form = vec![0.0f32; self.documents.len()];
        for term in &terms {
            let mut with_term: Vec<DocNumber> = Vec::new();
            let mut sessions_with_term = Vec::new();
            for (list, form) in self.forms(term, &terms) {
                // The documents of a session mostly stand together: its sum is kept at hand meanwhile.
                let (mut present, mut sum) = (NO_SESSION, Frequency::default());
                for entry in list {
                    let document = self.documents[entry.doc as usize];
                    if !document.is_live() {
                        continue;
                    }
                    let best = &mut best_form[entry.doc as usize];
                    if *best == 0.0 {
                        with_term.push(entry.doc);
                    }
                    let saturated = saturation.of(entry.term_frequency, document.length);
                    *best = best.max(form.share() * saturated);
                    let Some(session) = document.session() else {
                        continue;
                    };
                    if session != present {
                        if present != NO_SESSION {
                            in_session[present as usize] = sum;
                        }
                        (present, sum) = (session, in_session[session as usize]);
                        if sum == Frequency::default() {
                            sessions_with_term.push(session);
                        }
                    }
                    sum.add(form, entry.term_frequency);
                }
                if present != NO_SESSION {
                    in_session[present as usize] = sum;
                }
            }
            let weight = idf(with_term.len(), self.n_live);
            if !(with_term.is_empty() && is_pair(term)) {
                most += weight * (K1 + 1.0);
            }
            for doc in with_term {
                let sum: &mut f32 = &mut coverage[doc as usize];
                if *sum == 0.0 {
                    touched.push(doc);
                }
                *sum += weight * std::mem::take(&mut best_form[doc as usize]);
            }
            let weight = idf(sessions_with_term.len(), n_sessions);
            for session in sessions_with_term {
                let frequency = std::mem::take(&mut in_session[session as usize]).weighed();
                let length = self.sessions[session as usize].length as f32 / session_average;
                sessions[session as usize] +=
                    weight * saturated(frequency, length, SESSION_K1, SESSION_B);
            }
        }

        let divisor = most * divisor_share(terms.len());
        for doc in &touched {
            let sum = &mut coverage[*doc as usize];
            *sum = (*sum / divisor).min(1.0);
        }
        let best = sessions.iter().copied().fold(0.0, f32::max);
        if best > 0.0 {
            sessions.iter_mut().for_each(|score| *score /= best);
        }
        Matches {
            coverage,
            touched,
            sessions,
        }
    }
}

/// At least 1, so that a division by it is safe in a store of stop words.
fn average(total: u64, n: usize) -> f32 {
    (total as f32 / n.max(1) as f32).max(1.0)
}

fn idf(n_with_term: usize, n: usize) -> f32 {
    let (with, all) = (n_with_term as f32, n as f32);
    real::ln(1.0 + (all - with + 0.5) / (with + 0.5))
}

fn saturated(frequency: f32, relative_length: f32, k1: f32, b: f32) -> f32 {
    frequency * (k1 + 1.0) / (frequency + k1 * (1.0 - b + b * relative_length))
}

/// [`saturated`] of passages, looked up where it can be: a common word stands in half of all documents, and most of them are short.
struct Saturation {
    average: f32,
    /// By frequency less 1 and length.
    known: Vec<[f32; Saturation::LENGTHS]>,
}

impl Saturation {
    const FREQUENCIES: u16 = 3;
    const LENGTHS: usize = 128;

    fn new(average: f32) -> Saturation {
        let mut saturation = Saturation {
            average,
            known: Vec::new(),
        };
        let of_all =
            |frequency| std::array::from_fn(|length| saturation.compute(frequency, length as u32));
        saturation.known = (1..=Saturation::FREQUENCIES).map(of_all).collect();
        saturation
    }

    #[inline]
    fn of(&self, frequency: u16, length: u32) -> f32 {
        let known = self.known.get(usize::from(frequency.wrapping_sub(1)));
        let known = known.and_then(|by_length| by_length.get(length as usize));
        known
            .copied()
            .unwrap_or_else(|| self.compute(frequency, length))
    }

    fn compute(&self, frequency: u16, length: u32) -> f32 {
        let relative_length = length as f32 / self.average;
        saturated(f32::from(frequency), relative_length, K1, B)
    }
}

fn divisor_share(n_terms: usize) -> f32 {
    if n_terms <= QUESTION_TERMS {
        return 1.0;
    }
    real::power(QUESTION_TERMS as f32 / n_terms as f32, MESSAGE_EXPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    struct Written {
        session: Option<SessionNumber>,
        terms: Vec<String>,
    }

    /// The definition, counted out: no lists, no numbers, no tombstones.
    fn naive(
        documents: &BTreeMap<DocNumber, Written>,
        question: &[String],
    ) -> (BTreeMap<DocNumber, f64>, BTreeMap<SessionNumber, f64>) {
        let question: BTreeSet<&String> = question.iter().collect();
        let count =
            |terms: &[String], term: &String| terms.iter().filter(|t| *t == term).count() as f64;
        let bm25 = |texts: &BTreeMap<u32, Vec<String>>, k1: f64, b: f64| {
            let n = texts.len() as f64;
            let average =
                (texts.values().map(Vec::len).sum::<usize>() as f64 / n.max(1.0)).max(1.0);
            let idf = |term: &String| {
                let with = texts.values().filter(|terms| terms.contains(term)).count() as f64;
                (1.0 + (n - with + 0.5) / (with + 0.5)).ln()
            };
            let score = |terms: &Vec<String>| -> f64 {
                let one = |term: &&String| {
                    let tf = count(terms, term);
                    idf(term) * tf * (k1 + 1.0)
                        / (tf + k1 * (1.0 - b + b * terms.len() as f64 / average))
                };
                question.iter().map(one).sum()
            };
            let most: f64 = question.iter().map(|term| idf(term) * (k1 + 1.0)).sum();
            (
                texts
                    .iter()
                    .map(|(id, terms)| (*id, score(terms)))
                    .collect::<BTreeMap<_, _>>(),
                most,
            )
        };
        let passages = documents
            .iter()
            .map(|(doc, written)| (*doc, written.terms.clone()))
            .collect();
        let (scores, most) = bm25(&passages, 0.9, 0.4);
        let most = match question.len() {
            n if n > 10 => most * (10.0 / n as f64).powf(0.65),
            _ => most,
        };
        let coverage = scores
            .into_iter()
            .filter(|(_, score)| *score > 0.0)
            .map(|(doc, score)| (doc, (score / most).min(1.0)));

        let mut sessions: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for written in documents.values() {
            if let Some(session) = written.session {
                sessions
                    .entry(session)
                    .or_default()
                    .extend(written.terms.clone());
            }
        }
        let (scores, _) = bm25(&sessions, 1.2, 0.75);
        let best = scores.values().copied().fold(0.0, f64::max);
        let relative = scores
            .into_iter()
            .map(|(session, score)| (session, if best > 0.0 { score / best } else { 0.0 }));
        (coverage.collect(), relative.collect())
    }

    fn words(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(
            prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]).prop_map(String::from),
            n,
        )
    }

    proptest! {
        #[test]
        fn scores_equal_counting(
            texts in prop::collection::vec((words(0..9), prop::option::of(0u32..4), any::<bool>()), 0..24),
            question in prop::collection::vec("[a-r]", 0..20),
        ) {
            let mut postings = Postings::default();
            let mut documents = BTreeMap::new();
            for (doc, (terms, session, is_removed)) in texts.into_iter().enumerate() {
                let doc = doc as DocNumber;
                postings.add(doc, session, &terms);
                if is_removed {
                    postings.remove(doc);
                    postings.remove(doc);
                } else {
                    documents.insert(doc, Written { session, terms });
                }
            }
            let check = |postings: &Postings| {
                let found = postings.ask(&question);
                let (coverage, sessions) = naive(&documents, &question);
                let touched: BTreeSet<DocNumber> = found.touched().iter().copied().collect();
                prop_assert_eq!(touched.len(), found.touched().len());
                prop_assert_eq!(&touched, &coverage.keys().copied().collect());
                for (doc, expected) in &coverage {
                    prop_assert!((f64::from(found.coverage(*doc)) - expected).abs() < 1e-4);
                }
                for (session, expected) in &sessions {
                    prop_assert!((f64::from(found.session(*session)) - expected).abs() < 1e-4);
                }
                Ok(())
            };
            check(&postings)?;
            postings.sweep();
            check(&postings)?;
        }
    }

    #[test]
    fn removing_most_documents_empties_the_lists() {
        let mut postings = Postings::default();
        for doc in 0..1000 {
            postings.add(doc, Some(0), &["always".to_owned(), format!("once{doc}")]);
        }
        (0..999).for_each(|doc| postings.remove(doc));
        let n_entries: usize = postings.lists.iter().map(Vec::len).sum();
        assert!(n_entries < 2 * (MIN_DEAD_TO_SWEEP + 2), "{n_entries}");
        assert_eq!(postings.ask(&["always".to_owned()]).touched(), [999]);
        assert!(postings.ask(&["once3".to_owned()]).touched().is_empty());
    }

    #[test]
    fn words_without_a_match_lower_coverage() {
        let mut postings = Postings::default();
        for (doc, word) in ["cat", "dog", "bird"].iter().enumerate() {
            postings.add(doc as u32, None, &[(*word).to_owned()]);
        }
        let coverage = |words: &[&str]| {
            let terms: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            postings.ask(&terms).coverage(0)
        };
        assert!(coverage(&["cat"]) > 0.5);
        assert!(coverage(&["cat", "unheard"]) < 0.3);
        assert_eq!(coverage(&["unheard"]), 0.0);
    }
}
