//! A chosen embedder that comes for the first time: it is measured, and gets a generation of its own.

use super::embedding::ask;
use super::{Embedder, EmbedderModel, Memory, Pace, Ports};
use crate::batch::{Durability, Op};
use crate::config::EmbedderChoice;
use crate::embed::{self, CALIBRATION_TEXTS, Calibration};
use crate::error::{EmbedderFault, Error, Result};
use crate::index::DIMENSIONS;
use crate::model::{Action, Generation, Kind, Record, Role};
use crate::recall::EmbedderSpec;
use crate::store::Store;
use crate::text::pieces;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Turns looked at, and own words needed of them, to calibrate an embedder by what the person says.
const CALIBRATION_TURNS: usize = 160;
const CALIBRATION_NEEDS: usize = 40;

impl<P: Ports> Memory<P> {
    pub(super) fn has_newcomer(&self) -> bool {
        let model = self.own.borrow().as_ref().and_then(|own| own.model());
        let held = self.specs();
        model.is_some_and(|model| !held.iter().any(|spec| fits(&model, spec)))
    }

    /// Gives the chosen embedder a generation, if it has none yet. Its texts are read from the store again.
    pub(super) async fn introduce(&self) -> Result<()> {
        if !self.has_newcomer() {
            return Ok(());
        }
        let own = self.own.borrow().clone();
        let Some((own, model)) = own.and_then(|own| own.model().map(|model| (own, model))) else {
            return Ok(());
        };
        let namespace = &self.config.namespace;
        // Another tab may have measured it already.
        let stored = self.ports.store();
        let known = stored.get(namespace, Kind::Generation, &model.id).await;
        let known = match known {
            Ok(Some(Record::Generation(known))) if fits(&model, &spec_of(&known)) => Some(known),
            _ => None,
        };
        let generation = match known {
            Some(generation) => generation,
            None => {
                let measured = self.measure(&own, model).await;
                self.remember_outcome(&measured);
                let generation = measured?;
                let mut batch = self.batch(Durability::Relaxed, Action::Change);
                batch
                    .ops
                    .push(Op::Put(Record::Generation(generation.clone())));
                // Without a disk it is measured again next time.
                let _ = self.commit(&batch).await;
                generation
            }
        };
        self.own_generation.replace(Some(generation));
        self.load().await?;
        self.catch_up().await?;
        Ok(())
    }

    /// An embedder's dimensions, and what its cosines of random pairs measure.
    async fn measure(&self, own: &Rc<P::Embedder>, model: EmbedderModel) -> Result<Generation> {
        let (dimensions, calibration) = match (model.dimensions, model.calibration) {
            (Some(dimensions), Some(calibration)) => (dimensions, calibration),
            _ => {
                let texts = self.calibration_texts().await?;
                let at_once = match own.pace() {
                    Pace::Instant => texts.len(),
                    Pace::Texts(n) => n.max(1),
                };
                let (mut vectors, mut dimensions) = (Vec::new(), model.dimensions);
                for texts in texts.chunks(at_once) {
                    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                    let some = ask(&**own, dimensions, &texts, embed::Kind::Passage).await?;
                    vectors.extend(some.into_iter().flatten().map(|one| one.vector));
                    dimensions = vectors.first().map(Vec::len).or(dimensions);
                }
                let calibration = Calibration::of_random_pairs(&vectors);
                let uniform = || Error::EmbedderFailed {
                    fault: EmbedderFault::Uniform,
                    message: "it gives all texts the same vector".into(),
                };
                let calibration = model.calibration.or(calibration).ok_or_else(uniform)?;
                (dimensions.unwrap_or_default(), calibration)
            }
        };
        if !DIMENSIONS.contains(&dimensions) {
            return Err(Error::EmbedderFailed {
                fault: EmbedderFault::WrongDimensions,
                message: format!(
                    "vectors of {dimensions} components; {} to {} are possible",
                    DIMENSIONS.start(),
                    DIMENSIONS.end()
                ),
            });
        }
        Ok(Generation {
            v: Generation::VERSION,
            embedder: model.id,
            dimensions: dimensions as u32,
            mean: calibration.mean,
            sd: calibration.sd,
            filled: false,
        })
    }

    /// A sample of what the person said, always the same of the same turns; everyday sentences while there is too little.
    async fn calibration_texts(&self) -> Result<Vec<String>> {
        let ids: Vec<_> = self.state.borrow().corpus.turn_ids().collect();
        let mut texts = BTreeSet::new();
        for place in embed::sample(ids.len(), CALIBRATION_TURNS) {
            let name = ids[place].to_string();
            let namespace = &self.config.namespace;
            let found = self.ports.store().get(namespace, Kind::Turn, &name).await;
            let turn = match found {
                Ok(Some(Record::Turn(turn))) if turn.role == Role::User => turn,
                Ok(_) | Err(Error::Corrupt { .. }) => continue,
                Err(error) => return Err(error),
            };
            let text = turn.text();
            if let Some(first) = pieces(&text).into_iter().next() {
                texts.insert(text[first.bytes].to_string());
            }
        }
        if texts.len() < CALIBRATION_NEEDS {
            return Ok(CALIBRATION_TEXTS.map(String::from).to_vec());
        }
        Ok(texts.into_iter().collect())
    }

    /// Finds the chosen embedder's generation among the stored ones. Of an embedder whose name is not known before it is
    /// loaded, the one that served last is expected; another one is told apart when it comes.
    pub(super) fn recognise(&self, stored: Vec<Generation>) {
        let EmbedderChoice::Own { id } = &self.config.embedder else {
            return;
        };
        let known = self
            .own_generation
            .borrow()
            .as_ref()
            .map(|own| own.embedder.clone());
        let found = match known.as_ref().or(id.as_ref()) {
            Some(id) => stored.into_iter().find(|stored| stored.embedder == *id),
            None => stored.into_iter().find(|stored| stored.filled),
        };
        if found.is_some() {
            self.own_generation.replace(found);
        }
    }
}

fn fits(model: &EmbedderModel, spec: &EmbedderSpec) -> bool {
    let same = |dimensions| dimensions == spec.dimensions;
    model.id == spec.id && model.dimensions.is_none_or(same)
}

pub(super) fn spec_of(generation: &Generation) -> EmbedderSpec {
    EmbedderSpec {
        id: generation.embedder.clone(),
        dimensions: generation.dimensions as usize,
        mean: generation.mean,
        sd: generation.sd,
    }
}
