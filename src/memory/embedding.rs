//! Asking an embedder: which one, whether its answer can be used, and what becomes of its failures.

use super::{Embedder, Memory, Pace, Ports};
use crate::embed::{self, Embedded, Words};
use crate::error::{EmbedderFault, Error, Result};
use crate::recall::EmbedderSpec;
use std::rc::Rc;

/// After the n-th failure in a row the embedder is left alone for 5 s times 2ⁿ, at most an hour: a chat that waits for
/// the same time-out with every message is worse than one that recalls by words.
const FIRST_WAIT_MS: i64 = 5_000;
const LONGEST_WAIT_MS: i64 = 3_600_000;

/// What the chosen embedder did wrong, until it does something right.
#[derive(Clone)]
pub(super) struct Trouble {
    pub error: Error,
    pub failures: u32,
    pub retry_at_ms: i64,
}

impl<P: Ports> Memory<P> {
    /// Brings the embedder that the config chose, once it is at hand. It is put to use by [`Memory::embed_step`].
    ///
    /// # Errors
    /// `InvalidInput` if the config chose another one.
    pub fn adopt(&self, embedder: P::Embedder) -> Result<()> {
        let invalid = |reason: &str| {
            Err(Error::InvalidInput {
                field: "embedder",
                reason: reason.into(),
            })
        };
        let Some(model) = embedder.model() else {
            return invalid("it has no model");
        };
        let chosen = &self.config.embedder;
        let crate::config::EmbedderChoice::Own { id } = chosen else {
            return invalid("this memory was opened for another one");
        };
        if id.as_ref().is_some_and(|id| *id != model.id) {
            return invalid("it is not the one that was chosen: their ids differ");
        }
        if self.built_in_spec().is_some_and(|spec| spec.id == model.id) {
            return invalid("its id is the built-in one's; give it another");
        }
        self.trouble.take();
        self.own.replace(Some(Rc::new(embedder)));
        Ok(())
    }

    /// Says that the chosen embedder is on its way, perhaps after it failed to come.
    ///
    /// # Errors
    /// `Closed`: it need not come any more.
    pub fn embedder_is_coming(&self) -> Result<()> {
        self.ensure_open()?;
        if self.own.borrow().is_none() {
            self.trouble.take();
        }
        Ok(())
    }

    /// Says that the chosen embedder can not be brought, and why; the status shows it.
    pub fn embedder_failed(&self, error: Error) {
        self.trouble.replace(Some(Trouble {
            error,
            failures: 1,
            retry_at_ms: i64::MAX,
        }));
    }

    /// What the embedder whose vectors recall goes by makes of a query. Without it, or if it fails on this text, recall goes on by
    /// keywords.
    pub(super) async fn embedded_query(&self, query: &str) -> Option<Embedded> {
        loop {
            let spec = self.serving()?;
            if self.is_resting(&spec.id) {
                return None;
            }
            let words = self.state.borrow().corpus.words_to_embed(query);
            let vectors = self.vectors(&spec, &[&words], embed::Kind::Query).await;
            // Another generation may have taken the place while this one was asked.
            if self.serving().is_some_and(|now| now.id == spec.id) {
                return vectors.ok()?.pop()?;
            }
        }
    }

    /// A vector for each text, by the embedder of a generation. A failure of the chosen one is remembered.
    pub(super) async fn vectors(
        &self,
        spec: &EmbedderSpec,
        texts: &[&str],
        kind: embed::Kind,
    ) -> Result<Vec<Option<Embedded>>> {
        if self.is_built_in(&spec.id) {
            return ask(self.ports.embedder(), Some(spec.dimensions), texts, kind).await;
        }
        let own = self.own.borrow().clone();
        let Some(own) = own.filter(|own| own.model().is_some_and(|model| model.id == spec.id))
        else {
            return Err(Error::EmbedderUnavailable {
                message: "it is not loaded yet".into(),
            });
        };
        let vectors = ask(&*own, Some(spec.dimensions), texts, kind).await;
        self.remember_outcome(&vectors);
        vectors
    }

    pub(super) fn remember_outcome<T>(&self, outcome: &Result<T>) {
        let failures = match (outcome, &*self.trouble.borrow()) {
            (Ok(_), _) => 0,
            (Err(_), None) => 1,
            (Err(_), Some(trouble)) => trouble.failures.saturating_add(1),
        };
        let wait = FIRST_WAIT_MS
            .saturating_mul(1 << failures.saturating_sub(1).min(20))
            .min(LONGEST_WAIT_MS);
        self.trouble
            .replace(outcome.as_ref().err().map(|error| Trouble {
                error: error.clone(),
                failures,
                retry_at_ms: self.now().unix_ms + wait,
            }));
    }

    /// How long the chosen embedder is still left alone after a failure.
    pub(super) fn wait_ms(&self) -> Option<i64> {
        let trouble = self.trouble.borrow();
        let wait = trouble.as_ref()?.retry_at_ms - self.now().unix_ms;
        (wait > 0).then_some(wait)
    }

    /// Whether the embedder of a generation is left alone now.
    pub(super) fn is_resting(&self, id: &str) -> bool {
        !self.is_built_in(id) && self.wait_ms().is_some()
    }

    /// How fast the embedder of a generation is; `None` if it is not at hand.
    pub(super) fn pace(&self, id: &str) -> Option<Pace> {
        if self.is_built_in(id) {
            return Some(self.ports.embedder().pace());
        }
        let own = self.own.borrow();
        let own = own.as_ref()?;
        (own.model()?.id == id).then(|| own.pace())
    }

    pub(super) fn serving(&self) -> Option<EmbedderSpec> {
        self.state.borrow().corpus.embedder().cloned()
    }

    pub(super) fn is_built_in(&self, id: &str) -> bool {
        let model = self.ports.embedder().model();
        model.is_some_and(|model| model.id == id)
    }

    pub(super) fn built_in_spec(&self) -> Option<EmbedderSpec> {
        let model = self.ports.embedder().model()?;
        let calibration = model.calibration?;
        Some(EmbedderSpec {
            id: model.id,
            dimensions: model.dimensions?,
            mean: calibration.mean,
            sd: calibration.sd,
        })
    }
}

/// Asks an embedder, and takes nothing from it that would spoil an index.
pub(super) async fn ask<E: Embedder>(
    embedder: &E,
    dimensions: Option<usize>,
    texts: &[&str],
    kind: embed::Kind,
) -> Result<Vec<Option<Embedded>>> {
    let failed = |fault, message: String| Err(Error::EmbedderFailed { fault, message });
    let mut vectors = embedder.embed(texts, kind).await?;
    if vectors.len() != texts.len() {
        let message = format!("{} vectors for {} texts", vectors.len(), texts.len());
        return failed(EmbedderFault::WrongCount, message);
    }
    let each = || vectors.iter().flatten().map(|embedded| &embedded.vector);
    let first = each().map(Vec::len).next();
    let expected = dimensions.or(first).unwrap_or_default();
    for vector in each() {
        if vector.len() != expected {
            let message = format!("a vector of {} components, not {expected}", vector.len());
            return failed(EmbedderFault::WrongDimensions, message);
        }
        if vector.iter().any(|x| !x.is_finite()) {
            let message = "a vector with NaN or infinity".into();
            return failed(EmbedderFault::NotFinite, message);
        }
    }
    for vector in &mut vectors {
        // Nothing but zeros points nowhere: the same as a text without any known word.
        vector.take_if(|embedded| embedded.vector.iter().all(|&x| x == 0.0));
        if let Some(embedded) = vector {
            to_unit(&mut embedded.vector);
            let are_none = |words: &mut Words| !embed::are_words(&words.to_bytes());
            embedded.words.take_if(are_none);
        }
    }
    Ok(vectors)
}

/// Scales to length 1, which is how vectors are stored. In f64, where the square of no f32 overflows or vanishes.
fn to_unit(vector: &mut [f32]) {
    let squared: f64 = vector.iter().map(|&x| f64::from(x).powi(2)).sum();
    let length = squared.sqrt();
    vector
        .iter_mut()
        .for_each(|x| *x = (f64::from(*x) / length) as f32);
}
