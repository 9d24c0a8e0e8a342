//! Generations of vectors: how one embedder's take the place of another's.
//!
//! While the vectors of a newly chosen embedder are made, in steps between other work, recall goes by those of the built-in
//! one; what is said meanwhile gets both. When every text has a vector of the new generation it takes over, and the vectors of
//! all others are deleted. Everything made is in the store, so a reload goes on where the last one stopped.

use super::newcomer::spec_of;
use super::{Memory, Pace, Ports};
use crate::batch::{Durability, Op};
use crate::config::EmbedderChoice;
use crate::embed;
use crate::error::{Error, Result};
use crate::model::{Action, Generation, Kind, Record, StoredVector};
use crate::recall::EmbedderSpec;
use crate::store::{Range, Store};
use std::collections::BTreeSet;

/// Texts of one step at most, so that even an embedder that costs nothing lets others in between.
const STEP_TEXTS: usize = 64;
/// No further text is begun after this time: half of what a person notices.
const STEP_MS: i64 = 25;
/// Vectors deleted in one batch.
const SWEEP: usize = 1_000;
/// What a step left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbedStep {
    /// Vectors still to be made by embedders that are at hand.
    pub left: usize,
    /// Milliseconds until the next step has a chance, after a failure.
    pub next_in_ms: Option<i64>,
}

impl<P: Ports> Memory<P> {
    /// Makes some of the vectors that are still missing, for some 25 ms unless one text takes longer. Only one tab may call
    /// it at a time; it goes on until nothing is left.
    ///
    /// A failing embedder never fails the call: the status shows it.
    ///
    /// # Errors
    /// `Storage` if the memory has to be read again and can not be, `Closed`.
    pub async fn embed_step(&self) -> Result<EmbedStep> {
        self.ensure_open()?;
        // What is not read yet has its vectors in the store.
        self.whole().await?;
        match self.step().await {
            Ok(()) => {}
            Err(Error::EmbedderFailed { .. } | Error::EmbedderUnavailable { .. }) => {}
            Err(error) => return Err(error),
        }
        let is_idle = self.next_to_fill().is_none();
        Ok(EmbedStep {
            left: self.n_left(),
            next_in_ms: self.wait_ms().filter(|_| is_idle),
        })
    }

    async fn step(&self) -> Result<()> {
        if self.wait_ms().is_none() {
            self.introduce().await?;
        }
        if let Some(spec) = self.next_to_fill() {
            self.fill(&spec, STEP_TEXTS).await?;
        }
        self.settle().await
    }

    /// The first generation that lacks vectors and whose embedder can be asked now.
    fn next_to_fill(&self) -> Option<EmbedderSpec> {
        let mut specs = self.specs().into_iter();
        specs.find(|spec| {
            let can_be_asked = self.pace(&spec.id).is_some() && !self.is_resting(&spec.id);
            can_be_asked && self.n_missing(spec) > 0
        })
    }

    /// Makes and keeps the vectors that are missing, of embedders that take no time worth mentioning. Derived data: a failure
    /// loses nothing, and shows in the status.
    pub(super) async fn index_missing(&self) {
        for spec in self.specs() {
            while self.pace(&spec.id) == Some(Pace::Instant)
                && !self.is_resting(&spec.id)
                && self.n_missing(&spec) > 0
            {
                if self.fill(&spec, STEP_TEXTS).await.is_err() {
                    break;
                }
            }
        }
    }

    /// The generations that are held, the serving one first.
    pub(super) fn specs(&self) -> Vec<EmbedderSpec> {
        let state = self.state.borrow();
        let serving = state.corpus.embedder().into_iter();
        serving
            .chain(state.corpus.next_embedder())
            .cloned()
            .collect()
    }

    pub(super) fn n_missing(&self, spec: &EmbedderSpec) -> usize {
        self.state.borrow().corpus.n_missing_of(&spec.id)
    }

    fn n_left(&self) -> usize {
        let specs = self.specs();
        let at_hand = specs.iter().filter(|spec| self.pace(&spec.id).is_some());
        let missing: usize = at_hand.map(|spec| self.n_missing(spec)).sum();
        missing + usize::from(self.has_newcomer())
    }

    /// Makes up to `most` vectors of a generation.
    async fn fill(&self, spec: &EmbedderSpec, most: usize) -> Result<()> {
        let at_once = match self.pace(&spec.id) {
            Some(Pace::Texts(n)) => n.max(1),
            Some(Pace::Instant) => most,
            None => return Ok(()),
        };
        let pieces = self
            .state
            .borrow()
            .corpus
            .missing_vectors_of(&spec.id, most);
        let mut batch = self.batch(Durability::Relaxed, Action::Change);
        let erasures = self.erasures();
        let began = self.now().unix_ms;
        let mut outcome = Ok(());
        for pieces in pieces.chunks(at_once) {
            let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
            let vectors = match self.vectors(spec, &texts, embed::Kind::Passage).await {
                Ok(vectors) => vectors,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            };
            for (piece, vector) in pieces.iter().zip(vectors) {
                let mut state = self.state.borrow_mut();
                match vector {
                    // What was forgotten meanwhile must leave nothing behind.
                    _ if !state.corpus.wants(&spec.id, piece.owner) => {}
                    Some(embedded) => batch.ops.push(Op::Put(Record::Vector(StoredVector {
                        v: StoredVector::VERSION,
                        owner: piece.owner,
                        embedder: spec.id.clone(),
                        components: super::quantise(&embedded.vector),
                        words: embedded.words.map(|words| words.to_bytes()),
                    }))),
                    None => {
                        // No known word in it: the corpus must not ask again.
                        let none = vec![0.0; spec.dimensions];
                        let _ = state.corpus.add_vector_of(&spec.id, piece.owner, &none);
                    }
                }
            }
            if self.now().unix_ms - began >= STEP_MS {
                break;
            }
        }
        // Some may be of texts that are gone: they are made again of what is there.
        if self.erasures() != erasures {
            return outcome;
        }
        // Recall needs the vectors even where the disk refuses them.
        if self.tight.get() || (!batch.ops.is_empty() && self.commit(&batch).await.is_err()) {
            self.absorb(&batch);
        }
        outcome
    }

    /// Lets the chosen generation take over once it is complete, and deletes the others.
    async fn settle(&self) -> Result<()> {
        let Some(wanted) = self.chosen_spec() else {
            return Ok(());
        };
        let is_held = self.specs().iter().any(|spec| spec.id == wanted.id);
        if !is_held || self.pace(&wanted.id).is_none() || self.n_missing(&wanted) > 0 {
            return Ok(());
        }
        {
            let mut state = self.state.borrow_mut();
            if state
                .corpus
                .next_embedder()
                .is_some_and(|next| next.id == wanted.id)
                && let Some(former) = state.corpus.promote()
            {
                state.foreign.insert(former.id);
            }
        }
        let own = self.own_generation.borrow().clone();
        if let Some(own) = own.filter(|own| own.embedder == wanted.id && !own.filled) {
            let own = Generation {
                filled: true,
                ..own
            };
            let mut batch = self.batch(Durability::Relaxed, Action::Change);
            batch.ops.push(Op::Put(Record::Generation(own.clone())));
            self.own_generation.replace(Some(own));
            let _ = self.commit(&batch).await;
        }
        // What can not be deleted now is found again by the next start.
        let foreign = std::mem::take(&mut self.state.borrow_mut().foreign);
        let _ = self.sweep(&foreign, &wanted.id).await;
        Ok(())
    }

    /// Deletes the vectors of other embedders that were there when the memory was opened. Not those that came later: another
    /// tab may have been opened with another embedder, and the two must not undo each other's work for ever.
    async fn sweep(&self, foreign: &BTreeSet<String>, wanted: &str) -> Result<()> {
        if foreign.is_empty() {
            return Ok(());
        }
        let mut batch = self.batch(Durability::Relaxed, Action::Change);
        for record in self.records(Kind::Generation, "").await? {
            let Record::Generation(generation) = record else {
                continue;
            };
            // Kept for its calibration, but no longer complete.
            if foreign.contains(&generation.embedder) && generation.embedder != wanted {
                batch.ops.push(Op::Put(Record::Generation(Generation {
                    filled: false,
                    ..generation
                })));
            }
        }
        let mut range = Range {
            limit: Some(SWEEP),
            ..Range::default()
        };
        loop {
            let store = self.ports.store();
            let namespace = &self.config.namespace;
            let scan = store.scan(namespace, Kind::Vector, &range).await?;
            batch.ops.extend(scan.records.iter().filter_map(|record| {
                let Record::Vector(vector) = record else {
                    return None;
                };
                let goes = foreign.contains(&vector.embedder) && vector.embedder != wanted;
                goes.then(|| Op::Delete {
                    kind: Kind::Vector,
                    name: record.name(),
                })
            }));
            if !batch.ops.is_empty() {
                self.commit(&batch).await?;
                batch.ops.clear();
            }
            match scan.next {
                Some(next) => range.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// The generation that is to serve, as far as it is known.
    pub(super) fn chosen_spec(&self) -> Option<EmbedderSpec> {
        match &self.config.embedder {
            EmbedderChoice::BuiltIn => self.built_in_spec(),
            EmbedderChoice::None => None,
            EmbedderChoice::Own { .. } => self.own_generation.borrow().as_ref().map(spec_of),
        }
    }

    /// Which generations a fresh corpus holds: the one that serves, and the one that is to take its place.
    pub(super) fn generations_to_hold(&self) -> (Option<EmbedderSpec>, Option<EmbedderSpec>) {
        let built_in = self.built_in_spec();
        match &self.config.embedder {
            EmbedderChoice::None => (None, None),
            EmbedderChoice::BuiltIn => (built_in, None),
            EmbedderChoice::Own { .. } => match &*self.own_generation.borrow() {
                None => (built_in, None),
                Some(own) if own.filled || built_in.is_none() => (Some(spec_of(own)), None),
                Some(own) => (built_in, Some(spec_of(own))),
            },
        }
    }
}
