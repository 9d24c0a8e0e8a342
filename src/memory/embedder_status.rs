//! How recall by meaning stands, for whoever asks.

use super::{Embedder, Memory, Ports};
use crate::config::EmbedderChoice;
use crate::error::Error;
use crate::recall::EmbedderSpec;

/// How recall by meaning stands.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedderStatus {
    /// Whose vectors answer now; `None` while recall goes by keywords only.
    pub serving: Option<String>,
    /// The one that was chosen, as far as its name is known.
    pub chosen: Option<String>,
    pub state: EmbedderState,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EmbedderState {
    /// Recall goes by keywords because the host chose so.
    Off,
    /// The built-in embedder could not be loaded.
    Missing,
    /// The chosen embedder is not at hand yet.
    Loading,
    /// Its vectors are being made: so many of so many.
    Embedding {
        done: usize,
        total: usize,
    },
    Ready,
    /// The chosen embedder does not work. Whatever serves is not it.
    Failed(Error),
}

impl<P: Ports> Memory<P> {
    /// Whose vectors answer, and how far those of the chosen embedder are.
    pub fn embedder_status(&self) -> EmbedderStatus {
        let held = self.serving().map(|spec| spec.id);
        // Vectors alone do not answer: the question needs one too.
        let answers = |id: &String| self.pace(id).is_some() && !self.is_resting(id);
        let serving = held.clone().filter(answers);
        let chosen = self.chosen_spec();
        let progress = |spec: &EmbedderSpec| {
            let corpus = &self.state.borrow().corpus;
            let done = corpus.n_vectors_of(&spec.id);
            EmbedderState::Embedding {
                done,
                total: done + corpus.n_missing_of(&spec.id),
            }
        };
        let state = match (&self.config.embedder, &chosen) {
            (EmbedderChoice::None, _) => EmbedderState::Off,
            (EmbedderChoice::BuiltIn, None) => EmbedderState::Missing,
            // A switch back to it is under way for as long as another generation is there.
            (EmbedderChoice::BuiltIn, Some(spec))
                if !self.state.borrow().foreign.is_empty() && self.n_missing(spec) > 0 =>
            {
                progress(spec)
            }
            (EmbedderChoice::BuiltIn, Some(_)) => EmbedderState::Ready,
            (EmbedderChoice::Own { .. }, chosen) => {
                let is_filled = self
                    .own_generation
                    .borrow()
                    .as_ref()
                    .is_some_and(|own| own.filled);
                match (&*self.trouble.borrow(), &*self.own.borrow(), chosen) {
                    (Some(trouble), _, _) => EmbedderState::Failed(trouble.error.clone()),
                    (None, None, _) => EmbedderState::Loading,
                    (None, Some(_), Some(spec)) if is_filled && held.as_ref() == Some(&spec.id) => {
                        EmbedderState::Ready
                    }
                    (None, Some(_), Some(spec)) if !self.has_newcomer() => progress(spec),
                    (None, Some(_), _) => EmbedderState::Embedding {
                        done: 0,
                        total: self.state.borrow().corpus.n_texts(),
                    },
                }
            }
        };
        let named = match &self.config.embedder {
            EmbedderChoice::Own { id } => {
                let own = self.own.borrow();
                let model = own.as_ref().and_then(|own| own.model());
                model.map(|model| model.id).or_else(|| id.clone())
            }
            _ => None,
        };
        EmbedderStatus {
            serving,
            chosen: named.or(chosen.map(|spec| spec.id)),
            state,
        }
    }
}
