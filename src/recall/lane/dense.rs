//! The dense lane: documents whose vectors point where the question's does.

use super::Found;
use crate::index::{IndexConfig, IndexError, Mode, VectorIndex};
use crate::recall::EmbedderSpec;
use crate::recall::postings::DocNumber;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The vectors of the documents, and the texts that still want one.
pub(crate) struct Dense {
    spec: EmbedderSpec,
    index: VectorIndex,
    /// Kept until the vector comes; the text of everything else is in the store only.
    /// While one generation gives way to another, both want the same text.
    wanting: BTreeMap<DocNumber, Arc<str>>,
    /// Documents that are in the index.
    held: BTreeSet<DocNumber>,
}

impl Dense {
    pub fn new(spec: EmbedderSpec, mode: Mode) -> Dense {
        let config = IndexConfig {
            mode,
            ..IndexConfig::new(spec.dimensions)
        };
        Dense {
            index: VectorIndex::new(config),
            spec,
            wanting: BTreeMap::new(),
            held: BTreeSet::new(),
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
        if self.held.remove(&doc) {
            self.index.remove(doc);
        }
        let added = self.index.add(doc, vector);
        match added {
            Ok(()) => {
                self.held.insert(doc);
                self.wanting.remove(&doc);
            }
            Err(IndexError::NotADirection) => {
                self.wanting.remove(&doc);
            }
            Err(_) => {}
        }
        added
    }

    pub fn remove(&mut self, doc: DocNumber) {
        self.wanting.remove(&doc);
        if self.held.remove(&doc) {
            self.index.remove(doc);
        }
    }

    /// Builds the graph of [`Mode::Hnsw`] anew when it lags behind; says whether it did.
    ///
    /// A graph over a few vectors is not worth its build, and one that covers most of them still serves: the
    /// others are scanned beside it.
    pub fn seal_if_due(&mut self) -> bool {
        const MIN_VECTORS: usize = 1_000;
        const DUE_SHARE: f32 = 0.3;
        let stats = self.index.stats();
        let behind = stats.n_vectors - (stats.n_sealed - stats.n_sealed_gaps) + stats.n_sealed_gaps;
        let due = self.index.config().mode == Mode::Hnsw
            && stats.n_vectors >= MIN_VECTORS
            && behind as f32 > DUE_SHARE * stats.n_vectors as f32;
        if due {
            self.index.seal();
        }
        due
    }

    pub fn n_wanting(&self) -> usize {
        self.wanting.len()
    }

    pub fn n_vectors(&self) -> usize {
        self.held.len()
    }

    /// The `n` documents nearest to `vector`, with calibrated similarities.
    pub fn search(
        &self,
        vector: &[f32],
        n: usize,
        allow: impl Fn(DocNumber) -> bool,
    ) -> Result<Found, IndexError> {
        let hits = self.index.search(vector, n, allow)?;
        let calibrated = hits
            .into_iter()
            .map(|hit| (hit.id, self.spec.calibrate(hit.score)));
        Ok(calibrated.collect())
    }

    /// The calibrated similarities of given documents, those that have a vector.
    pub fn compare(
        &self,
        vector: &[f32],
        docs: &BTreeSet<DocNumber>,
    ) -> Result<HashMap<DocNumber, f32>, IndexError> {
        let docs: Vec<DocNumber> = docs.iter().copied().collect();
        let hits = self.index.search_among(vector, docs.len(), &docs)?;
        let calibrated = hits
            .into_iter()
            .map(|hit| (hit.id, self.spec.calibrate(hit.score)));
        Ok(calibrated.collect())
    }
}
