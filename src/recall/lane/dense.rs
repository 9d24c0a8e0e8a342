//! The dense lane: documents whose vectors point where the question's does.

use super::{Found, best};
use crate::embed::are_words;
use crate::index::{Comparison, IndexConfig, IndexError, Mode, Precision, VectorIndex};
use crate::recall::EmbedderSpec;
use crate::recall::bytes::of_map;
use crate::recall::corpus::Corpus;
use crate::recall::postings::DocNumber;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The vectors of the documents, and the texts that still want one.
pub(crate) struct Dense {
    spec: EmbedderSpec,
    index: VectorIndex,
    /// Kept until the vector comes; the text of everything else is in the store only.
    /// While one generation gives way to another, both want the same text.
    wanting: BTreeMap<DocNumber, Arc<str>>,
    /// The words of documents that have a vector, of an embedder that gives them, by number; nothing for none.
    words: Vec<Box<[u8]>>,
    /// Tells this index from those before and after it: a graph fits one.
    serial: u32,
    awaits_graph: bool,
}

/// The index breaks ties by document number. So many hits beyond those asked for show whether the last of them is one of several equals
/// ("Thanks!" is said often), which are then found all and put in the order of their records.
const BEYOND: usize = 8;

/// An index whose graph is to be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphTask {
    /// To be given back with the graph.
    pub serial: u32,
    /// The index without gaps, as [`VectorIndex::load`] reads it.
    pub bytes: Vec<u8>,
}

impl Dense {
    pub fn new(spec: EmbedderSpec, mode: Mode) -> Dense {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let config = IndexConfig {
            mode,
            // Half the memory; recall@10 stayed the same to a thousandth.
            precision: Precision::Compact,
            ..IndexConfig::new(spec.dimensions)
        };
        Dense {
            index: VectorIndex::new(config),
            spec,
            wanting: BTreeMap::new(),
            words: Vec::new(),
            serial: NEXT.fetch_add(1, Ordering::Relaxed),
            awaits_graph: false,
        }
    }

    pub fn spec(&self) -> &EmbedderSpec {
        &self.spec
    }

    pub fn want(&mut self, doc: DocNumber, text: Arc<str>) {
        self.wanting.insert(doc, text);
    }

    pub fn wanting(&self) -> impl Iterator<Item = (DocNumber, &str)> {
        self.wanting.iter().map(|(doc, text)| (*doc, &**text))
    }

    pub fn wanted(&self, doc: DocNumber) -> Option<&str> {
        self.wanting.get(&doc).map(|text| &**text)
    }

    /// Takes a document's vector, in place of an earlier one.
    ///
    /// A vector without direction is an answer too (a text of unknown words): the document then wants none any more.
    pub fn add(&mut self, doc: DocNumber, vector: &[f32]) -> Result<(), IndexError> {
        self.index.remove(doc);
        self.drop_words(doc);
        let added = self.index.add(doc, vector);
        match added {
            Ok(()) | Err(IndexError::NotADirection) => {
                self.wanting.remove(&doc);
            }
            Err(_) => {}
        }
        added
    }

    /// Takes the words of a document that has a vector; others, and bytes that are no words, are dropped.
    pub fn add_words(&mut self, doc: DocNumber, words: &[u8]) {
        if are_words(words) && self.index.contains(doc) {
            let at = doc as usize;
            if self.words.len() <= at {
                self.words.resize_with(at + 1, Box::default);
            }
            self.words[at] = words.into();
        }
    }

    fn drop_words(&mut self, doc: DocNumber) {
        if let Some(words) = self.words.get_mut(doc as usize) {
            *words = Box::default();
        }
    }

    /// The words of a document, as [`Likest`] compares them.
    pub fn words(&self, doc: DocNumber) -> Option<&[u8]> {
        let words = self.words.get(doc as usize);
        words
            .map(|words| &**words)
            .filter(|words| !words.is_empty())
    }

    /// How many bytes a row of [`Dense::add_row`] has.
    pub fn row_bytes(&self) -> usize {
        self.index.row_bytes()
    }

    /// Takes a document's vector as another index of these vectors keeps it.
    pub fn add_row(&mut self, doc: DocNumber, row: &[u8]) -> Result<(), IndexError> {
        self.index.add_row(doc, row)
    }

    /// Makes room for so many vectors more.
    pub fn reserve(&mut self, n_vectors: usize) {
        self.index.reserve(n_vectors);
    }

    pub fn remove(&mut self, doc: DocNumber) {
        self.wanting.remove(&doc);
        self.drop_words(doc);
        self.index.remove(doc);
    }

    /// The index, to have its graph built elsewhere, if there is to be one and it lags far behind. Nothing more until
    /// [`Dense::take_graph`].
    ///
    /// A graph over a few vectors is not worth its build, and one that covers most of them still serves: the
    /// others are scanned beside it.
    pub fn graph_task(&mut self) -> Option<GraphTask> {
        const DUE_SHARE: f32 = 0.3;
        let worthwhile = match self.index.config().mode {
            Mode::Hnsw => 1_000,
            // Where a graph may begin to win; below, building one only to find that out is waste.
            Mode::Auto => 200_000,
            _ => return None,
        };
        let stats = self.index.stats();
        let behind = stats.n_vectors - stats.n_sealed + stats.n_sealed_gaps;
        let is_due =
            stats.n_vectors >= worthwhile && behind as f32 > DUE_SHARE * stats.n_vectors as f32;
        if self.awaits_graph || !is_due {
            return None;
        }
        self.awaits_graph = true;
        self.index.compact();
        Some(GraphTask {
            serial: self.serial,
            bytes: self.index.save(),
        })
    }

    /// Takes the graph that was built, or hears that there is none; says whether it is in use now.
    pub fn take_graph(&mut self, graph: Option<&[u8]>) -> bool {
        self.awaits_graph = false;
        graph.is_some_and(|graph| self.index.adopt_graph(graph).is_ok())
    }

    pub fn serial(&self) -> u32 {
        self.serial
    }

    pub fn index(&self) -> &VectorIndex {
        &self.index
    }

    pub fn n_wanting(&self) -> usize {
        self.wanting.len()
    }

    pub fn n_vectors(&self) -> usize {
        self.index.len()
    }

    /// The `n` documents nearest to `vector`, with calibrated similarities. `allow` is asked of each only where there is one.
    pub fn search(
        &self,
        corpus: &Corpus,
        vector: &[f32],
        n: usize,
        allow: Option<impl Fn(DocNumber) -> bool>,
    ) -> Result<Found, IndexError> {
        let mut asked = n + BEYOND;
        loop {
            let hits = match &allow {
                Some(allow) => self.index.search(vector, asked, allow)?,
                None => self.index.search_all(vector, asked)?,
            };
            let last = n.checked_sub(1).and_then(|last| hits.get(last));
            let is_whole = hits.len() < asked
                || last.is_none_or(|last| hits.last().is_some_and(|hit| hit.score < last.score));
            if is_whole {
                let found = hits.into_iter().map(|hit| (hit.id, hit.score)).collect();
                let nearest = best(corpus, found, n).into_iter();
                let calibrated = nearest.map(|(doc, cosine)| (doc, self.spec.calibrate(cosine)));
                return Ok(calibrated.collect());
            }
            asked *= 2;
        }
    }

    /// The calibrated similarities of single documents to one question.
    pub fn compare(&self, vector: &[f32], n_documents: usize) -> Result<Similar<'_>, IndexError> {
        Ok(Similar {
            spec: &self.spec,
            comparison: self.index.compare(vector)?,
            known: vec![Cell::new(NOT_COMPARED); n_documents],
        })
    }

    /// Heap bytes.
    pub fn bytes(&self) -> usize {
        let texts: usize = self.wanting.values().map(|text| text.len()).sum();
        let words: usize = self.words.iter().map(|words| words.len()).sum();
        self.index.stats().bytes
            + texts
            + of_map::<DocNumber, Arc<str>>(self.wanting.len())
            + words
            + self.words.capacity() * size_of::<Box<[u8]>>()
    }
}

/// How similar documents are to one question. Each is compared when it is first asked for, and once: a score looks at the turns around,
/// and what does not pass the gate is never scored.
pub(crate) struct Similar<'a> {
    spec: &'a EmbedderSpec,
    comparison: Comparison<'a>,
    /// By document number.
    known: Vec<Cell<f32>>,
}

/// Not a number, unlike any similarity: the document was not asked for yet.
const NOT_COMPARED: f32 = f32::NAN;

/// Likewise: the document has no vector.
const WITHOUT_VECTOR: f32 = f32::INFINITY;

impl Similar<'_> {
    /// The similarity of a document; `None` if it has no vector.
    pub fn get(&self, doc: DocNumber) -> Option<f32> {
        let known = &self.known[doc as usize];
        if known.get().is_nan() {
            let cosine = self.comparison.score(doc);
            let similarity = cosine.map(|cosine| self.spec.calibrate(cosine));
            known.set(similarity.unwrap_or(WITHOUT_VECTOR));
        }
        Some(known.get()).filter(|similarity| similarity.is_finite())
    }
}
