//! Embedding on its own, without a memory: what `onhand/embed` holds.

use super::embedder::BrowserEmbedder;
use super::engine::thrown;
use crate::embed::Kind;
use crate::memory::Embedder;
use js_sys::{Float32Array, Uint8Array};
use wasm_bindgen::prelude::*;

/// An embedding model.
#[wasm_bindgen]
pub struct TextEmbedder(BrowserEmbedder);

#[wasm_bindgen]
impl TextEmbedder {
    /// The model in an embedding table's bytes.
    ///
    /// # Errors
    /// An error object with a `code`.
    #[wasm_bindgen(js_name = fromTable)]
    pub fn from_table(bytes: &Uint8Array) -> Result<TextEmbedder, JsValue> {
        let table = BrowserEmbedder::table(bytes);
        table.map(TextEmbedder).map_err(|error| thrown(&error))
    }

    /// The model in a weight file's bytes.
    ///
    /// # Errors
    /// An error object with a `code`.
    #[wasm_bindgen(js_name = fromWeights)]
    pub fn from_weights(bytes: &Uint8Array) -> Result<TextEmbedder, JsValue> {
        let weights = BrowserEmbedder::weights(bytes);
        weights.map(TextEmbedder).map_err(|error| thrown(&error))
    }

    /// The unit vector of one text; zeros for a text without any known word.
    pub fn embed(&self, text: &str, is_query: bool) -> Float32Array {
        let kind = match is_query {
            true => Kind::Query,
            false => Kind::Passage,
        };
        match self.0.one(text, kind) {
            Some(embedded) => Float32Array::from(&embedded.vector[..]),
            None => {
                let dimensions = self.0.model().and_then(|model| model.dimensions);
                Float32Array::new_with_length(dimensions.unwrap_or_default() as u32)
            }
        }
    }
}
