//! The same ranking as WebAssembly. `tests/recall/ranks.mjs` runs it in a browser and compares every rank and score with the native run.
#![cfg_attr(
    not(target_family = "wasm"),
    allow(dead_code, unused_imports, reason = "only a browser calls it")
)]

#[allow(dead_code, reason = "the native run reads folders")]
mod data;
#[allow(dead_code, reason = "the native run reads files")]
mod embed;
#[allow(dead_code, reason = "the native run prints the report")]
mod ranking;

#[cfg(target_family = "wasm")]
mod exports {
    use super::data;
    use super::embed::Embed;
    use super::ranking::{self, Loaded};
    use onhand::embed::{Embedded, Kind, StaticTable, Transformer};
    use onhand::recall::{EmbedderSpec, Weights};
    use wasm_bindgen::prelude::*;

    impl Embed for Transformer {
        fn spec(&self) -> EmbedderSpec {
            EmbedderSpec {
                id: self.id().into(),
                dimensions: self.dimensions(),
                mean: self.calibration().mean,
                sd: self.calibration().sd,
            }
        }

        fn embed(&self, text: &str, kind: Kind) -> Option<Embedded> {
            self.embed_with_words(text, kind)
        }
    }

    /// The texts of `run.jsonl` and `scores.jsonl` for those of the two files of a folder. `model` is `table` or `transformer` with its
    /// bytes; without it recall goes by words.
    ///
    /// # Errors
    /// Words that say what is wrong with the input.
    #[wasm_bindgen]
    pub fn rank(
        corpus: &str,
        questions: &str,
        model: Option<String>,
        bytes: Vec<u8>,
    ) -> Result<Vec<String>, String> {
        let embedder: Option<Box<dyn Embed>> = match model.as_deref() {
            None => None,
            Some("table") => Some(Box::new(
                StaticTable::from_bytes(&bytes).map_err(|error| error.to_string())?,
            )),
            Some("transformer") => Some(Box::new(
                Transformer::from_bytes(bytes).map_err(|error| error.to_string())?,
            )),
            Some(other) => return Err(format!("there is no model called {other}")),
        };
        let conversations = data::parse(corpus, questions).map_err(|error| error.to_string())?;
        let loaded: Vec<Loaded> = conversations
            .iter()
            .map(|conversation| Loaded::new(conversation, embedder.as_deref()))
            .collect();
        let mut questions = loaded.iter().flat_map(|one| &one.questions);
        let embedded = questions.find_map(|question| question.embedded.as_ref());
        let run = ranking::run(&loaded, Weights::fitting(embedded));
        Ok(vec![run.ranks, run.scores])
    }
}
