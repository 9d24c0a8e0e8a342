//! The vectors of a corpus, by generation: those of the embedder that serves, and those of the one that is to take its place.

use super::EmbedderSpec;
use super::corpus::{Corpus, Piece};
use super::lane::dense::{Dense, GraphTask};
use crate::index::{IndexConfig, IndexError, IndexStats, Mode};
use crate::model::VectorOwner;

impl Corpus {
    /// An empty corpus that recalls by the vectors of `serving` and takes those of `next` too, until [`Corpus::promote`].
    pub fn with_generations(
        serving: Option<EmbedderSpec>,
        next: Option<EmbedderSpec>,
        mode: Mode,
    ) -> Corpus {
        let mut corpus = Corpus::default();
        corpus.dense = serving.map(|spec| Dense::new(spec, mode));
        corpus.next = next.map(|spec| Dense::new(spec, mode));
        corpus
    }

    /// The embedder whose vectors are being gathered, besides the one that serves.
    pub fn next_embedder(&self) -> Option<&EmbedderSpec> {
        self.next.as_ref().map(Dense::spec)
    }

    /// Recalls by the next generation from here on, and lets go of the present one; says which embedder's that was.
    pub fn promote(&mut self) -> Option<EmbedderSpec> {
        let next = self.next.take()?;
        let former = self.dense.replace(next);
        former.map(|dense| dense.spec().clone())
    }

    /// The index that recall goes by, to have its graph built elsewhere, if there is to be one and it lags far behind.
    pub fn graph_task(&mut self) -> Option<GraphTask> {
        self.dense.as_mut().and_then(Dense::graph_task)
    }

    /// Takes the graph of a [`GraphTask`], or hears that there is none; says whether it is in use now. One of an index that is gone
    /// meanwhile is dropped.
    pub fn take_graph(&mut self, serial: u32, graph: Option<&[u8]>) -> bool {
        let mut generations = self.generations_mut();
        let asked = generations.find(|dense| dense.serial() == serial);
        asked.is_some_and(|dense| dense.take_graph(graph))
    }

    /// How the index that recall goes by is set up, and what it holds; `None` without an embedder.
    pub fn index(&self) -> Option<(IndexConfig, IndexStats)> {
        let index = self.dense.as_ref()?.index();
        Some((index.config(), index.stats()))
    }

    pub fn embedder(&self) -> Option<&EmbedderSpec> {
        self.dense.as_ref().map(Dense::spec)
    }

    pub fn n_vectors(&self) -> usize {
        self.dense.as_ref().map_or(0, Dense::n_vectors)
    }

    /// Takes the vector of a piece. One for a record that is gone meanwhile is dropped.
    ///
    /// # Errors
    /// `WrongDimensions` if it is not of this corpus' embedder; `NotADirection`, after which the piece is no longer missing one:
    /// its text would give the same again.
    pub fn add_vector(&mut self, owner: VectorOwner, vector: &[f32]) -> Result<(), IndexError> {
        let Some(doc) = self.document_of(owner) else {
            return Ok(());
        };
        let without_embedder = IndexError::WrongDimensions {
            expected: 0,
            found: vector.len(),
        };
        let dense = self.dense.as_mut().ok_or(without_embedder)?;
        dense.add(doc, vector)
    }

    /// [`Corpus::add_vector`] for the generation of the named embedder. One of an embedder that has no generation here is
    /// dropped: vectors of different embedders are never compared.
    ///
    /// # Errors
    /// As [`Corpus::add_vector`].
    pub fn add_vector_of(
        &mut self,
        embedder: &str,
        owner: VectorOwner,
        vector: &[f32],
    ) -> Result<(), IndexError> {
        let Some(doc) = self.document_of(owner) else {
            return Ok(());
        };
        let mut generations = self.generations_mut();
        match generations.find(|dense| dense.spec().id == embedder) {
            Some(dense) => dense.add(doc, vector),
            None => Ok(()),
        }
    }

    /// Takes the words of a piece beside its vector of the named embedder, as [`Embedded`](crate::embed::Embedded) has them. Without
    /// such a vector, and of bytes that are no words, nothing happens.
    pub fn add_words_of(&mut self, embedder: &str, owner: VectorOwner, words: &[u8]) {
        let Some(doc) = self.document_of(owner) else {
            return;
        };
        let mut generations = self.generations_mut();
        if let Some(dense) = generations.find(|dense| dense.spec().id == embedder) {
            dense.add_words(doc, words);
        }
    }

    /// All texts that still want a vector, in the order in which they were added.
    pub fn missing_vectors(&self) -> Vec<Piece> {
        let wanting = self.dense.iter().flat_map(Dense::wanting);
        wanting
            .filter_map(|(doc, text)| self.piece(doc, text))
            .collect()
    }

    /// The first `n` texts that still want a vector of the named embedder, in the order in which they were added.
    pub fn missing_vectors_of(&self, embedder: &str, n: usize) -> Vec<Piece> {
        let wanting = self
            .generation(embedder)
            .into_iter()
            .flat_map(Dense::wanting);
        wanting
            .filter_map(|(doc, text)| self.piece(doc, text))
            .take(n)
            .collect()
    }

    /// Whether this text still wants a vector of the named embedder.
    pub fn wants(&self, embedder: &str, owner: VectorOwner) -> bool {
        let doc = self.document_of(owner);
        let dense = self.generation(embedder);
        doc.zip(dense)
            .is_some_and(|(doc, dense)| dense.wanted(doc).is_some())
    }

    /// How many texts there are to be embedded.
    pub fn n_texts(&self) -> usize {
        self.documents.iter().flatten().count()
    }

    /// How many texts still want a vector of the named embedder.
    pub fn n_missing_of(&self, embedder: &str) -> usize {
        self.generation(embedder).map_or(0, Dense::n_wanting)
    }

    /// How many vectors of the named embedder are here.
    pub fn n_vectors_of(&self, embedder: &str) -> usize {
        self.generation(embedder).map_or(0, Dense::n_vectors)
    }

    pub(super) fn generation(&self, embedder: &str) -> Option<&Dense> {
        self.generations().find(|dense| dense.spec().id == embedder)
    }

    pub(super) fn generations(&self) -> impl Iterator<Item = &Dense> {
        self.dense.iter().chain(&self.next)
    }

    pub(super) fn generations_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        self.dense.iter_mut().chain(&mut self.next)
    }
}
